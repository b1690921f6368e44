from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.errors import DataError
from analysis.preparation import fit_square, prepare
from analysis.progress import silent


def run(dataset, out: Path, size: int = 16, fit: str = "squash", resample: str = "area") -> np.ndarray:
    out.mkdir()
    inputs = {"records": dataset.out, "data": dataset.root}
    prepare(inputs, out, scratch=out, progress=silent, size=size, fit=fit, resample=resample)
    return np.load(out / "images.npy", mmap_mode="r")


def image(level: int) -> bytes:
    buffer = BytesIO()
    halves = np.repeat([level - 2, level + 2], 32).astype(np.uint8)
    Image.fromarray(np.tile(halves, (48, 1))).save(buffer, "JPEG", quality=100)
    return buffer.getvalue()


def test_images_are_in_the_order_of_the_records(dataset, tmp_path: Path) -> None:
    for name, level in (("b.jpg", 200), ("a.jpg", 40), ("c.jpg", 120)):
        dataset.image(f"images/{name}", image(level))
        dataset.annotate(name, "Viral Pneumonia", "COVID-19")
    dataset.read(label_rule="every-tag")
    images = run(dataset, tmp_path / "images")
    assert (images.shape, images.dtype) == ((6, 16, 16), np.uint8)
    assert images.mean(axis=(1, 2)).tolist() == [40, 40, 200, 200, 120, 120]


def test_an_image_that_changed_after_reading_is_named(dataset, tmp_path: Path) -> None:
    dataset.add("a.jpg", "Viral Pneumonia")
    dataset.read()
    dataset.image("images/a.jpg", image(3))
    with pytest.raises(DataError, match=r"images/a\.jpg has changed since") as error:
        run(dataset, tmp_path / "changed")
    assert error.value.hint
    (dataset.root / "images/a.jpg").unlink()
    with pytest.raises(DataError, match=r"images/a\.jpg cannot be read any more"):
        run(dataset, tmp_path / "gone")


def test_squash_pad_and_crop() -> None:
    wide = np.full((20, 40), 100, dtype=np.uint8)
    wide[:, :10] = wide[:, 30:] = 200
    squashed = fit_square(wide, 20, "squash")
    assert squashed[:, 0].tolist() == [200] * 20
    assert squashed[10].tolist() == [200] * 5 + [100] * 10 + [200] * 5
    padded = fit_square(wide, 20, "pad")
    assert padded[:5].max() == padded[15:].max() == 0
    assert padded[10].tolist() == squashed[10].tolist()
    assert (fit_square(wide, 20, "crop") == 100).all()
    tall = fit_square(wide.T.copy(), 20, "crop")
    assert (tall == 100).all()


@pytest.mark.parametrize(("height", "width"), [(312, 468), (50, 40), (400, 30), (1, 1), (3, 900)])
@pytest.mark.parametrize("fit", ["squash", "pad", "crop"])
def test_every_size_becomes_a_square(height: int, width: int, fit: str) -> None:
    square = fit_square(np.full((height, width), 77, dtype=np.uint8), 32, fit)
    assert (square.shape, square.dtype, square.max()) == ((32, 32), np.uint8, 77)


def test_shrinking_averages() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (96, 64), dtype=np.uint8)
    exact = pixels.reshape(16, 6, 16, 4).mean(axis=(1, 3))
    assert np.abs(fit_square(pixels, 16, "squash") - exact).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(312, 468), (50, 41)])
def test_resampling_is_that_of_the_published_studies(height: int, width: int) -> None:
    tf = pytest.importorskip("tensorflow")
    pixels = np.random.default_rng(1).integers(0, 256, (height, width), dtype=np.uint8)
    bilinear = tf.image.resize(pixels[..., None].astype(np.float32), (64, 64)).numpy()[..., 0]
    assert np.abs(fit_square(pixels, 64, "squash", "bilinear") - bilinear).max() <= 0.51
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    keras_utils = tf.keras.utils
    nearest = keras_utils.load_img(buffer, target_size=(64, 64), interpolation="nearest")
    assert (fit_square(pixels, 64, "squash", "nearest") == np.asarray(nearest)[..., 0]).all()
    lanczos = keras_utils.load_img(buffer, target_size=(64, 64), interpolation="lanczos")
    assert (fit_square(pixels, 64, "squash", "lanczos") == np.asarray(lanczos)[..., 0]).all()


@pytest.mark.parametrize("resample", ["nearest", "bilinear", "lanczos"])
def test_what_is_not_averaged_is_decoded_in_full(dataset, tmp_path: Path, resample: str) -> None:
    dataset.image("images/a.jpg", dataset.jpeg(1, 400, 300))
    dataset.annotate("a.jpg", "Viral Pneumonia")
    dataset.read()
    pixels = np.asarray(Image.open(dataset.root / "images/a.jpg"))
    exact = fit_square(pixels, 16, "squash", resample)
    assert (run(dataset, tmp_path / "images", resample=resample)[0] == exact).all()


@pytest.mark.real
def test_real_images_differ_little_from_a_full_decode(
    dataset, real_data: Path, tmp_path: Path, jpeg: Callable[..., bytes]
) -> None:
    source = real_data / "kermany_fullres_subset"
    files = sorted(source.rglob("*.jpeg"))[::40]
    for path in files:
        dataset.image(f"images/{path.name}", path.read_bytes())
        dataset.annotate(path.name, "Viral Pneumonia")
    records = dataset.read()
    images = run(dataset, tmp_path / "images", size=64)
    differences = []
    for image_id, image in zip(records["image_id"], images, strict=True):
        grey = Image.open(BytesIO((dataset.root / image_id).read_bytes())).convert("L")
        exact = cv2.resize(np.asarray(grey), (64, 64), interpolation=cv2.INTER_AREA)
        differences.append(np.abs(image.astype(int) - exact).mean())
    assert len(differences) == len(files) > 20
    assert np.mean(differences) < 0.6


def test_records_have_only_to_name_images_and_digests(dataset, tmp_path: Path) -> None:
    dataset.add("1.jpg", "Viral Pneumonia")
    table = dataset.read()
    table[["image_id", "sha256"]].to_csv(dataset.out / "records.csv", index=False)
    assert len(run(dataset, tmp_path / "images")) == 1
    assert list(pd.read_csv(dataset.out / "records.csv")) == ["image_id", "sha256"]

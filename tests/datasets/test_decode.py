import csv
import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from analysis.datasets import decode as decoding
from analysis.datasets.decode import decode
from analysis.errors import PictureError

UNREADABLE = {
    "1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm": "DICOM",
    "Fake_MONOHR1.dcm": "DICOM",
    "truncated_image.png": "truncated",
    "Probabl-logo-blue.png": "Git LFS pointer",
}


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def grey(*levels: int) -> Image.Image:
    return Image.fromarray(np.array([levels], dtype=np.uint8))


@pytest.mark.real
def test_each_odd_file_is_read_or_refused_with_its_reason(real_data: Path) -> None:
    with open(real_data / "odd" / "odd.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 22
    for row in rows:
        data = (real_data / "odd" / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        if row["file"] in UNREADABLE:
            with pytest.raises(PictureError, match=UNREADABLE[row["file"]]):
                decode(data)
            continue
        picture = decode(data)
        size = int(row["width"]), int(row["height"])
        assert ((picture.width, picture.height), picture.mode) == (size, row["mode"]), row["file"]
        assert sorted(picture.pixels.shape) == sorted(size)
        # Nothing comes out blank or clipped, as 16-bit, palette and 1-bit pictures do when converted carelessly.
        assert picture.pixels.std() > 10, row["file"]
        assert (picture.pixels == 255).mean() < 0.8


@pytest.mark.real
def test_reduced_decoding_gives_the_same_picture_smaller(real_data: Path) -> None:
    data = (real_data / "odd" / "NORMAL2-IM-0793-0001.jpeg").read_bytes()
    whole, reduced = decode(data), decode(data, at_least=312)
    assert (reduced.width, reduced.height) == (whole.width, whole.height) == (2179, 1604)
    assert reduced.pixels.shape == (401, 545)
    assert abs(reduced.pixels.mean() - whole.pixels.mean()) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_camera_is_undone(orientation: int) -> None:
    stored = Image.fromarray(np.arange(96, dtype=np.uint8).reshape(8, 12) * 2)
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = orientation
    data = encoded(stored, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    picture = decode(data)
    assert np.array_equal(picture.pixels, np.asarray(upright))
    assert (picture.width, picture.height) == (12, 8)


def test_a_damaged_exif_block_does_not_cost_the_picture() -> None:
    assert decode(encoded(grey(1, 2), exif=b"Exif\0\0nonsense")).pixels.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([0, 255], [0, 255]),
        ([0, 1000, 1023], [0, 249, 255]),
        ([0, 2048, 4095], [0, 128, 255]),
        ([0, 32768, 65535], [0, 128, 255]),
    ],
)
def test_sixteen_bits_are_scaled_by_the_depth_of_the_detector(levels: list[int], expected: list[int]) -> None:
    image = Image.fromarray(np.array([levels], dtype=np.uint16))
    assert image.mode == "I;16"
    assert decode(encoded(image)).pixels.tolist() == [expected]


def test_levels_beyond_sixteen_bits_and_floats_are_refused() -> None:
    with pytest.raises(PictureError, match="more than 16 bits"):
        decode(encoded(Image.fromarray(np.array([[0, 70_000]], dtype=np.int32)), "TIFF"))
    with pytest.raises(PictureError, match="floating-point"):
        decode(encoded(Image.fromarray(np.array([[0.0, 0.5]], dtype=np.float32)), "TIFF"))


def test_what_is_transparent_becomes_black() -> None:
    image = Image.merge("LA", [grey(200, 200, 200), grey(255, 0, 128)])
    assert decode(encoded(image)).pixels.tolist() == [[200, 0, 100]]


def test_colours_palettes_and_single_bits_become_grey() -> None:
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    assert decode(encoded(red)).pixels[0, 0] == 76
    assert decode(encoded(red.convert("P"))).pixels[0, 0] == 76
    assert decode(encoded(Image.new("1", (2, 2), 1))).pixels.tolist() == [[255, 255], [255, 255]]
    dark = decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG")).pixels
    light = decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG")).pixels
    assert (dark.max(), light.min()) == (0, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_picture_that_is_cut_short_is_not_half_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint does
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    data = encoded(Image.fromarray(pixels), kind)
    assert decode(data).pixels.shape == (64, 64)
    for length in (len(data) // 2, len(data) - 200):
        with pytest.raises(PictureError):
            decode(data[:length])


def test_other_bytes_are_refused_with_a_reason(jpeg: Callable[..., bytes]) -> None:
    for data, reason in ((b"", "empty"), (b"<svg/>", "not a picture"), (b"%!PS-Adobe-3.0", "not a picture")):
        with pytest.raises(PictureError, match=reason):
            decode(data)


def test_a_picture_with_too_many_pixels_is_refused_unread() -> None:
    small = encoded(Image.new("1", (decoding.MAX_PIXELS // 1000 + 1, 1000)))
    assert len(small) < 100_000
    with pytest.raises(PictureError, match="limit of 80 million"):
        decode(small)

import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.datasets.darwin import darwin_json
from analysis.datasets.sample import phantom, v7_sample
from analysis.progress import silent


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_seed_gives_the_same_bytes(sample_folder: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    for out, seed, pictures in ((again, 7, 80), (other, 8, 20)):
        out.mkdir()
        v7_sample.write({}, out, scratch=out, progress=silent, pictures=pictures, seed=seed)
    assert digests(again) == digests(sample_folder)
    assert not set(digests(again).values()) & set(digests(other).values())


def test_pixels_are_those_of_every_other_machine() -> None:
    rng = np.random.default_rng(1)
    chest = phantom.draw_chest("covid_19", phantom.draw_anatomy(rng), rng, width=120, height=100)
    assert hashlib.sha256(chest.pixels.tobytes()).hexdigest()[:16] == "4a34ee1d28a1fd21"


def test_the_reader_finds_the_images_and_the_flaws(sample_folder: Path, dataset) -> None:
    dataset.root = sample_folder
    table = dataset.read()
    assert table["label"].value_counts().to_dict() == {
        "bacterial": 35,
        "healthy": 20,
        "viral": 19,
        "covid_19": 6,
    }
    assert not table["patient_id"].str.startswith("file-").any()
    assert table["patient_id"].nunique() < len(table)
    assert table["width"].between(150, 420).all()
    assert table["height"].between(150, 420).all()
    flow = pd.read_csv(dataset.out / "flow.csv")
    assert dict(zip(flow["step"], flow["count"], strict=True)) == {
        "files found": 178,
        "annotations found": 89,
        "images found": 89,
        "CT slice": 3,
        "lateral view": 2,
        "no image for the annotation": 1,
        "no class label": 2,
        "image does not decode": 1,
        "no annotation for the image": 1,
        "images kept": 80,
    }


def test_covid_19_files_have_lungs_and_tags_as_the_real_ones(sample_folder: Path, dataset) -> None:
    dataset.root = sample_folder
    table = dataset.read()
    tags = table.loc[table["label"] == "covid_19", "tags"]
    assert tags.str.contains("COVID-19").all()
    assert tags.str.contains("Viral Pneumonia").all()
    assert tags.str.contains(r"PatientID:\d").all()
    assert tags.str.contains(r"Age:\d").all()
    assert tags.str.contains("View/").all()


@pytest.mark.parametrize("kind", phantom.KINDS)
def test_lungs_are_dark_within_their_outline_and_the_image_is_marked(kind: str) -> None:
    rng = np.random.default_rng(3)
    chest = phantom.draw_chest(kind, phantom.draw_anatomy(rng), rng, width=240, height=220)
    assert chest.pixels.shape == (220, 240)
    for outline in chest.lungs:
        xs, ys = (np.array(values).astype(int).clip(0, 219) for values in zip(*outline, strict=True))
        lung = chest.pixels[ys.min() : ys.max(), xs.min() : xs.max()]
        assert np.median(lung) < np.median(chest.pixels[ys.max() + 8 : 200])
    assert (chest.pixels[-13:, 92:148] >= 230).sum() > 100


def test_annotations_are_darwin_json_of_the_size_of_the_image(sample_folder: Path) -> None:
    for path in sorted((sample_folder / v7_sample.ANNOTATIONS).iterdir())[:5]:
        (annotation,) = darwin_json.parse(path.read_bytes())
        data = (sample_folder / "images" / annotation.name).read_bytes()
        assert Image.open(io.BytesIO(data)).size == (annotation.width, annotation.height)

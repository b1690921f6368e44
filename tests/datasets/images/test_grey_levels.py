"""Grey levels from the reader to the network: one depth for the whole dataset, and nothing blank."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.datasets import class_folders, kermany
from analysis.datasets.checks import data_check
from analysis.datasets.images.depth import read_depth
from analysis.errors import DataError
from analysis.preparation import prepare
from analysis.progress import silent

CLASSES = [{"id": "normal", "label": "Normal"}, {"id": "pneumonia", "label": "Pneumonia"}]


def read(root: Path, out: Path, reader: Any = class_folders.read, **options: Any) -> pd.DataFrame:
    out.mkdir(exist_ok=True)
    settings = {"classes": CLASSES, "folders": {}, "exclude": [], "max_excluded": 0.6, **options}
    reader({"data": root}, out, scratch=out, progress=silent, **settings)
    return pd.read_csv(out / "records.csv", keep_default_na=False).set_index("image_id")


def prepared(root: Path, records: Path, out: Path) -> np.ndarray:
    out.mkdir()
    inputs = {"records": records, "data": root}
    prepare(inputs, out, scratch=out, progress=silent, size=16, fit="squash", resample="area")
    return np.load(out / "images.npy")


def save(path: Path, top: int, kind: Any = np.uint16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.tile(np.linspace(0, top, 16), (16, 1)).astype(kind)).save(path)


def test_one_depth_holds_for_all_images_that_tell_none(tmp_path: Path) -> None:
    for path, top in (("Normal/a", 4090), ("Pneumonia/b", 4100), ("Normal/dark", 300)):
        save(tmp_path / f"data/{path}.png", top)
    save(tmp_path / "data/Pneumonia/c.png", 255, np.uint8)
    table = read(tmp_path / "data", tmp_path / "out")
    assert read_depth(tmp_path / "out") == 14
    images = prepared(tmp_path / "data", tmp_path / "out", tmp_path / "images")
    brightest = dict(zip(table.index, images.max(axis=(1, 2)).tolist(), strict=True))
    assert brightest == {
        "Normal/a.png": 64,
        "Normal/dark.png": 5,
        "Pneumonia/b.png": 64,
        "Pneumonia/c.png": 255,
    }
    assert read_depth(tmp_path / "images") == 14


def test_the_depth_is_that_of_the_levels_as_they_are_stored(tmp_path: Path) -> None:
    """White being zero, a bright image has only high levels once it is turned round."""
    root = tmp_path / "data"
    save(root / "Normal/a.png", 900)
    levels = np.tile(np.linspace(3500, 4000, 16), (16, 1)).astype(np.uint16)
    (root / "Pneumonia").mkdir()
    Image.fromarray(levels).save(root / "Pneumonia/b.tif", tiffinfo={262: 0})
    read(root, tmp_path / "out")
    assert read_depth(tmp_path / "out") == 12
    images = prepared(root, tmp_path / "out", tmp_path / "images")
    assert images.max(axis=(1, 2)).tolist() == [56, 37]


def test_where_every_file_tells_its_depth_none_is_noted(tmp_path: Path) -> None:
    save(tmp_path / "data/Normal/a.png", 255, np.uint8)
    pixels = np.tile(np.arange(16), (16, 1)).astype(">u2")
    (tmp_path / "data/Pneumonia").mkdir()
    (tmp_path / "data/Pneumonia/b.png").write_bytes(b"P5 16 16 1023\n" + pixels.tobytes())
    read(tmp_path / "data", tmp_path / "out")
    prepared(tmp_path / "data", tmp_path / "out", tmp_path / "images")
    assert not [*tmp_path.rglob("depth.json")]


def test_what_is_of_one_level_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "data"
    save(root / "Normal/a.png", 60_000)
    save(root / "Normal/too_dark.png", 100)  # all black at the depth of the others
    save(root / "Pneumonia/b.png", 200, np.uint8)
    for name, image in (
        ("black.png", Image.new("L", (16, 16))),
        ("white.jpg", Image.new("RGB", (64, 64), "white")),
        ("deep.png", Image.fromarray(np.full((16, 16), 900, dtype=np.uint16))),
        ("clear.png", Image.new("RGBA", (16, 16), (0, 0, 0, 0))),
    ):
        image.save(root / "Pneumonia" / name)
    table = read(root, tmp_path / "out", max_excluded=0.8)
    assert list(table.index) == ["Normal/a.png", "Pneumonia/b.png"]
    excluded = pd.read_csv(tmp_path / "out/excluded.csv")
    assert set(excluded["reason"]) == {"image of one grey level"}
    assert len(excluded) == 5
    flow = pd.read_csv(tmp_path / "out/flow.csv").set_index("step")["count"]
    assert flow["image of one grey level"] == 5
    with pytest.raises(DataError, match=r"5 of 7 images would be left out.*image of one grey level \(5\)"):
        read(root, tmp_path / "out")


def test_an_image_with_one_speck_is_not_blank(tmp_path: Path) -> None:
    for name in ("Normal/a.jpg", "Pneumonia/b.jpg"):
        levels = np.zeros((64, 64), dtype=np.uint8)
        levels[3, 3] = 255
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        Image.fromarray(levels).save(tmp_path / "data" / name, quality=95)
    assert len(read(tmp_path / "data", tmp_path / "out")) == 2


PATTERN = r"(PAT\d+)_"


def viewer_names(root: Path) -> None:
    for i in range(4):
        save(root / f"Normal/PAT{i}_a/IM-0001-0001.png", 200 + i, np.uint8)
        save(root / f"Pneumonia/PAT{i}_b/IM-0001-0001.png", 220 + i, np.uint8)


def test_names_of_a_viewer_tell_no_patient_unless_the_study_says_where_they_do(tmp_path: Path) -> None:
    root = tmp_path / "data"
    viewer_names(root)
    table = read(root, tmp_path / "out")
    assert (table["patient_id"].nunique(), set(table["source"])) == (8, {"unknown"})
    table = read(root, tmp_path / "out", patient_pattern=PATTERN)
    assert (table["patient_id"].nunique(), set(table["source"])) == (4, {"name"})
    assert table.loc["Normal/PAT2_a/IM-0001-0001.png", "patient_id"] == "name-PAT2"
    with pytest.raises(DataError, match=r"'\(pat\)' is found in no path of 8 images, such as Normal/PAT0_a"):
        read(root, tmp_path / "out", patient_pattern="(pat)")


def test_a_pattern_comes_before_what_the_reader_knows(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for name in ("Normal/A1_x.png", "Normal/IM-0115-0001.png", "Pneumonia/person1_virus_6.png"):
        save(root / name, 200, np.uint8)
    table = read(root, tmp_path / "out", kermany.read, patient_pattern=r"(A\d|person\d)")
    assert list(table["patient_id"]) == ["name-A1", "kermany-IM-0115", "name-person1"]


def tell(root: Path, out: Path) -> dict[str, Any]:
    out.mkdir()
    data_check.check({"data": root}, out, scratch=out, progress=silent, settings=None)
    found: dict[str, Any] = json.loads((out / "data_check.json").read_text(encoding="utf-8"))
    return found


def test_two_folders_of_a_viewers_names_are_not_taken_for_the_paediatric_set(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path / f"data/NORMAL/IM-000{i}-0001.png", 200 + i, np.uint8)
        save(tmp_path / f"data/PNEUMONIA/IM-000{i}-0001.png", 210 + i, np.uint8)
    found = tell(tmp_path / "data", tmp_path / "out")
    assert (found["reader"], found["patients"]["number"]) == ("class-folders", 8)


@pytest.mark.real
def test_the_case_of_a_depth_for_each_file(case: Callable[[str], Path], tmp_path: Path) -> None:
    root = case("sixteen-bits-depth-per-file")
    table = read(root, tmp_path / "out")
    images = prepared(root, tmp_path / "out", tmp_path / "images")
    most = {label: images[(table["label"] == label).to_numpy()].max() for label in ("normal", "pneumonia")}
    assert most["normal"] == most["pneumonia"] > 60
    assert tell(root, tmp_path / "check")["depth"] == 14


@pytest.mark.real
def test_the_case_of_transparent_images(case: Callable[[str], Path], tmp_path: Path) -> None:
    root = case("transparent-is-black")
    table = read(root, tmp_path / "out")
    assert len(table) == 20
    images = prepared(root, tmp_path / "out", tmp_path / "images")
    means = {label: images[(table["label"] == label).to_numpy()].mean() for label in ("normal", "pneumonia")}
    assert means["normal"] == pytest.approx(127, abs=5)
    assert means["pneumonia"] == pytest.approx(127, abs=5)


@pytest.mark.real
def test_the_case_of_a_viewers_names(case: Callable[[str], Path], tmp_path: Path) -> None:
    found = tell(case("viewer-names-one-patient"), tmp_path / "check")
    assert (found["patients"]["number"], found["patients"]["known_for"]) == (40, 0)

"""What a network must not learn first: X-rays that the study validates or tests on, and those of their patients."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from analysis.audit.pretraining import describe, find, split
from analysis.datasets.images.decode import decode
from analysis.datasets.sample import phantom
from analysis.datasets.sample.v7_sample import jpeg
from analysis.errors import DataError
from analysis.preparation import fit_square
from analysis.progress import silent

SIZE, CLASSES = 96, ["ill", "well"]
STUDY = {
    # image: patient, split by image, split by patient
    "tested": ("p1", "test", "train"),
    "validated": ("p2", "train", "val"),
    "of_a_tested_patient": ("p1", "train", "train"),
    "trained": ("p3", "train", "train"),
    "alone": ("", "train", "train"),
}


def draw_chest(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return phantom.draw_chest(phantom.VIRAL, phantom.draw_anatomy(rng), rng, width=260, height=220).pixels


def change(pixels: np.ndarray) -> np.ndarray:
    """Return a copy as another collection has it: smaller, cut at two sides and compressed anew."""
    small = cv2.resize(pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    return decode(jpeg(small[5:, 5:], quality=50)).pixels


def write(folder: Path, images: dict[str, np.ndarray], **columns: list[str]) -> Path:
    folder.mkdir()
    table = {"image_id": [*images], "patient_id": [""] * len(images), "label": ["ill"] * len(images)}
    pd.DataFrame({**table, **columns}).to_csv(folder / "records.csv", index=False)
    np.save(folder / "images.npy", np.stack([fit_square(image, SIZE, "squash") for image in images.values()]))
    return folder


@pytest.fixture(scope="module")
def chests() -> list[np.ndarray]:
    return [draw_chest(seed) for seed in range(20)]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, chests: list[np.ndarray]) -> dict[str, Path]:
    """Return both sets of images, with planted copies, and what they have in common."""
    root = tmp_path_factory.mktemp("sets")
    study = dict(zip(STUDY, chests, strict=False))
    own = {
        "exact": study["tested"],
        "near": change(study["validated"]),
        "copy of near": change(study["validated"]),
        "patient": study["of_a_tested_patient"],
        "learnt": study["trained"],
        "of nobody": change(study["alone"]),
        **{f"new {number}": image for number, image in enumerate(chests[5:])},
    }
    labels = [CLASSES[number % 2] for number in range(len(own))]
    inputs = {"own": write(root / "own", own, label=labels)}
    inputs["study"] = write(root / "study", study, patient_id=[p for p, *_ in STUDY.values()])
    inputs["groups"] = root / "groups"
    inputs["groups"].mkdir()
    seen = {"records": inputs["own"], "images": inputs["own"]}
    known = {"study_records": inputs["study"], "study_images": inputs["study"]}
    find({**seen, **known}, inputs["groups"], scratch=root, progress=silent)
    return inputs


def draw(places: dict[str, Path], out: Path, *columns: int, val: float = 0.25) -> pd.Series:
    """Write the split under these splits of the study, as columns of `STUDY`; return why images are left out."""
    parts = {}
    for column in columns:
        parts[f"split{column}"] = folder = out / str(column)
        folder.mkdir(parents=True)
        table = {"image_id": [*STUDY], "split": [row[column] for row in STUDY.values()]}
        pd.DataFrame(table).to_csv(folder / "split.csv", index=False)
    inputs = {"records": places["own"], "groups": places["groups"], "study_records": places["study"], **parts}
    split(inputs, out, scratch=out, progress=silent, classes=CLASSES, val=val, seed=1)
    return pd.read_csv(out / "left_out.csv").set_index("image_id")["reason"]


def test_planted_copies_are_left_out_of_the_training_and_nothing_else(places, tmp_path):
    assert draw(places, tmp_path, 1, 2).to_dict() == {
        "exact": "exact",
        "near": "near",
        "copy of near": "near",
        "patient": "patient",
    }
    table = pd.read_csv(tmp_path / "split.csv", keep_default_na=False).set_index("image_id")["split"]
    assert set(table[["exact", "near", "copy of near", "patient"]]) == {""}
    assert set(table.drop(["exact", "near", "copy of near", "patient"])) == {"train", "val"}
    assert [*table.index] == [*pd.read_csv(places["own"] / "records.csv")["image_id"]]


@pytest.mark.parametrize(
    ("column", "left_out"),
    [(1, {"exact", "patient"}), (2, {"near", "copy of near"})],
)
def test_another_split_leaves_out_others(places, tmp_path, column, left_out):
    assert {*draw(places, tmp_path, column).index} == left_out


def test_copies_of_one_x_ray_are_in_one_part(places, tmp_path):
    left_out = draw(places, tmp_path, 1)
    table = pd.read_csv(tmp_path / "split.csv", keep_default_na=False).set_index("image_id")["split"]
    assert "near" not in left_out.index
    assert table["near"] == table["copy of near"]


def test_counts_by_class_and_reason(places, tmp_path):
    draw(places, tmp_path, 1, 2)
    history = "epoch,loss,accuracy,val_loss,val_accuracy\n1,1,0.5,1,0.25\n2,1,0.5,1,0.75\n"
    (tmp_path / "history.csv").write_text(history)
    (tmp_path / "training.json").write_text(json.dumps({"weights_epoch": 2}))
    inputs = {"records": places["own"], "groups": places["groups"], "split": tmp_path, "training": tmp_path}
    describe(inputs, tmp_path, scratch=tmp_path, progress=silent, classes=CLASSES)
    found = json.loads((tmp_path / "results.json").read_text())
    value = {name.removeprefix("pretraining."): item["value"] for name, item in found.items()}
    assert value["all.count"] == 21
    assert value["shared.count"] == 6
    assert value["left_out.count"] == 4 == value["left_out.count.ill"] + value["left_out.count.well"]
    assert [value[f"left_out.{reason}.count"] for reason in ("exact", "near", "patient")] == [1, 2, 1]
    assert value["left_out.exact.count.ill"] == 1
    assert value["train.count"] + value["val.count"] == 17
    assert (value["epochs_run"], value["val_accuracy"]) == (2, 0.75)


def test_a_class_of_which_nothing_is_left_is_named(places, tmp_path):
    records = pd.read_csv(places["own"] / "records.csv")
    records["label"] = ["ill"] * 4 + ["well"] * (len(records) - 4)
    folder = tmp_path / "own"
    folder.mkdir()
    records.to_csv(folder / "records.csv", index=False)
    with pytest.raises(DataError, match='of the class "ill" 0 X-rays are left'):
        draw({**places, "own": folder}, tmp_path, 1, 2)


def test_images_of_another_size_are_refused(places, tmp_path):
    other = write(tmp_path / "other", {"a": np.zeros((9, 9), np.uint8)})
    np.save(other / "images.npy", np.zeros((1, 8, 8), np.uint8))
    inputs = {
        "records": other,
        "images": other,
        "study_records": places["study"],
        "study_images": places["study"],
    }
    with pytest.raises(DataError, match="8 px, those of the study 96 px"):
        find(inputs, tmp_path, scratch=tmp_path, progress=silent)

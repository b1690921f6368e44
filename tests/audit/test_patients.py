from __future__ import annotations

import pandas as pd
import pytest

from analysis.audit import patients
from analysis.vocabulary.audit import patient_results
from tests.audit.study import CLASSES, draw_records, read


@pytest.fixture
def split(tmp_path):
    def write(*splits: str) -> dict:
        folder = tmp_path / "split"
        folder.mkdir()
        ids = [f"images/{i}.png" for i in range(len(splits))]
        pd.DataFrame({"image_id": ids, "split": splits}).to_csv(folder / "split.csv", index=False)
        return {"split": folder}

    return write


def test_who_is_in_two_splits_by_class(study, split):
    records = draw_records(8, label=["healthy"] * 4 + ["viral"] * 4)
    study.write(records)  # p0 has images 0 and 1, p1 2 and 3, ...
    parts = split("train", "test", "train", "train", "train", "val", "test", "test")
    out = study.run(patients.audit, parts, classes=CLASSES)
    results = read(out)
    assert set(results) == set(dict(patient_results(CLASSES)))
    name = "patients.test.same_patient_in_train"
    assert [results[f"{name}.{c}"]["value"] for c in ("all", *CLASSES)] == [1, 1, 0]
    assert results[f"{name}_share.all"]["value"] == pytest.approx(1 / 3)
    assert results["patients.val.same_patient_in_train_share.healthy"]["reason_null"] == patients.NONE
    assert results["patients.in_several_splits"]["value"] == 2
    assert [f["subject"] for f in read(out, "findings")] == ["val", "test"]
    shared = pd.read_csv(out / "shared.csv")
    assert shared.to_dict("records") == [
        {"patient_id": "p0", "train": 1, "val": 0, "test": 1},
        {"patient_id": "p2", "train": 1, "val": 1, "test": 0},
    ]


def test_a_split_by_patient_has_no_finding(study, split):
    study.write(draw_records(8, label=["healthy"] * 4 + ["viral"] * 4))
    parts = split("train", "train", "test", "test", "train", "train", "val", "val")
    out = study.run(patients.audit, parts, classes=CLASSES)
    assert read(out, "findings") == []
    assert read(out)["patients.test.same_patient_in_train.all"]["value"] == 0


def test_images_of_each_patient_without_a_split(study):
    records = draw_records(7, label="viral", source=["cohen"] * 6 + ["unknown"])
    records.loc[:3, "patient_id"] = "p0"
    study.write(records)
    out = study.run(patients.audit, classes=CLASSES)
    results = read(out)
    assert set(results) == set(dict(patient_results(CLASSES, parted=False)))
    assert results["patients.images.most"]["value"] == 4
    assert results["patients.images.median"]["value"] == 2
    assert results["patients.known.all"]["value"] == 6
    assert not (out / "overlap.csv").exists()
    counts = pd.read_csv(out / "images_per_patient.csv")
    assert counts.to_dict("list") == {"images": [1, 2, 4], "patients": [1, 1, 1]}
    table = pd.read_csv(out / "patients.csv").set_index("class")
    assert table.loc["viral", ["images", "patients", "most"]].tolist() == [7, 3, 4]
    assert table.loc["healthy", ["images", "share"]].tolist() == [0, 0]

"""The generated set from elsewhere has two images that the study has too, which are found."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis import preparation
from analysis.audit.external import duplicates
from analysis.datasets import table, v7
from analysis.datasets.sample import external_sample
from analysis.progress import silent
from tests.datasets.conftest import CLASSES

COLUMNS = {
    "file": "path",
    "label": "label",
    "patient": "patient_id",
    "view": "view",
    "age": "age",
    "sex": "sex",
}


def test_both_copies_of_images_of_the_study_are_found_and_no_other(
    sample_folder: Path, tmp_path: Path
) -> None:
    folders = {name: tmp_path / name for name in ("external", "own", "known", "split", "found")}
    for folder in folders.values():
        folder.mkdir()
    how = {"scratch": tmp_path, "progress": silent}
    classes = [{"id": "no_finding", "folder": "NORMAL"}, {"id": "pneumonia", "folder": "PNEUMONIA"}]
    made = {"classes": classes, "table": "metadata.csv", "columns": COLUMNS}
    external_sample.write({"data": sample_folder}, folders["external"], pictures=36, seed=1007, **made, **how)
    reading = {"exclude": [], "max_excluded": 0.5}
    named = {c["id"]: [c["folder"]] for c in classes}
    ids = [{"id": name, "label": name} for name in named]
    more = {"table": "metadata.csv", "columns": {"split": None, "source": None, **COLUMNS}}
    labels = {"several": "leave-out", "uncertain": "leave-out", "values": named, "classes": ids}
    table.read({"data": folders["external"]}, folders["own"], **reading, **more, **labels, **how)
    v7.read(
        {"data": sample_folder}, folders["known"], classes=CLASSES, label_rule="covid-first", **reading, **how
    )
    for name, data in (("own", folders["external"]), ("known", sample_folder)):
        inputs = {"records": folders[name], "data": data}
        preparation.prepare(inputs, folders[name], size=64, fit="squash", resample="area", **how)
    known = pd.read_csv(folders["known"] / "records.csv")
    known[["image_id"]].assign(split="train").to_csv(folders["split"] / "split.csv", index=False)
    study = {f"study_{name}": folders["known"] for name in ("records", "images")}
    inputs = {"records": folders["own"], "images": folders["own"], **study, "study_split": folders["split"]}
    duplicates.find(inputs, folders["found"], **how)
    found = pd.read_csv(folders["found"] / "duplicates.csv").set_index("image_id")
    assert found["how"].to_dict() == {"images/x-998.jpeg": "near", "images/x-999.jpeg": "exact"}

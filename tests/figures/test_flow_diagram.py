from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.figures import flow_counts, flow_diagram
from analysis.progress import silent
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from tests.figures.drawing import draw, keep_figures, require_clean

STUDIES = Path(__file__).resolve().parents[2] / "studies"
TOLD = {
    "a.json": "CT slice",
    "b.json": "lateral view",
    "c.json": "no image for the annotation",
    "d.jpg": "no annotation for the image",
}
"""A file of each kind that the real data of the assignment leave out."""


def write(
    folder: Path, found: Mapping[str, int], excluded: Mapping[str, str], kept: int, **more: int
) -> Path:
    """Write a flow and what it leaves out as readers do."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = [(step, n, "found") for step, n in found.items()] + [("images kept", kept, "kept")]
    steps += [(flow_counts.ROWS, n, "kept") for n in more.values()]
    pd.DataFrame(steps, columns=["step", "count", "kind"]).to_csv(folder / "flow.csv", index=False)
    rows = pd.DataFrame(excluded.items(), columns=["file", "reason"]).assign(detail="")
    rows.to_csv(folder / "excluded.csv", index=False)
    return folder


def split(train: int, val: int, test: int) -> pd.Series:
    return pd.Series(["train"] * train + ["val"] * val + ["test"] * test)


def test_annotations_and_images_are_counted_apart(tmp_path: Path) -> None:
    many = {f"{k}{file}": TOLD[file] for file, n in zip(TOLD, (59, 24, 9, 5), strict=True) for k in range(n)}
    found = {"files found": 12659, "annotations found": 6373, "images found": 6286}
    flow = flow_counts.count(write(tmp_path, found, many, 6281), split(4019, 1005, 1257))
    assert flow.gaps == []
    assert flow.labels is not None
    assert (flow.labels.found, flow.labels.rest) == (6373, 6281)
    assert list(flow.labels.left_out.values()) == [59, 24, 9]
    assert (flow.images.found, flow.images.rest, flow.left_out) == (6286, 6281, {})
    assert flow_diagram.describe(flow) == (
        "6,373 annotations found, excluded: CT slice 59, lateral view 24 and no image for the annotation 9; "
        "6,286 images found, excluded: no annotation for the image 5. "
        "6,281 images kept: training 4,019, validation 1,005 and test 1,257."
    )


def test_an_image_left_out_takes_its_annotation_with_it(tmp_path: Path) -> None:
    excluded = {"a.jpg": "CT slice", "b.jpg": "image does not decode", "c.png": "mask, not an image"}
    folder = write(tmp_path, {"annotations found": 12, "images found": 13}, excluded, 10)
    flow = flow_counts.count(folder, split(6, 2, 2))
    assert flow.gaps == []
    assert flow.left_out == {"CT slice": 1, "image does not decode": 1}
    assert flow.images.left_out == {"mask, not an image": 1}


@pytest.mark.parametrize("annotated", [0, 1, 2])
def test_an_image_that_the_study_excludes_may_have_an_annotation(annotated: int, tmp_path: Path) -> None:
    excluded = dict.fromkeys(("a.jpg", "b.jpg"), "excluded by the study")
    found = {"annotations found": 10 + annotated, "images found": 12}
    flow = flow_counts.count(write(tmp_path, found, excluded, 10), split(6, 2, 2))
    assert flow.gaps == []
    assert sum(flow.left_out.values()) == annotated


def test_what_does_not_add_up_is_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    found = {"rows of the table": 140, "images found": 121}
    folder = write(tmp_path / "read", found, {"a.png": "class label"}, 119)
    flow = flow_counts.count(folder, split(80, 20, 18))
    assert flow.gaps == [
        "140 rows are about 121 images: several can be about one.",
        "The images left out do not add up: 120 should remain, 119 are kept.",
        "The splits have 118 of 119.",
    ]
    svg = draw("flow", {**inputs, "read": folder}, tmp_path / "out")
    assert "140 rows are about 121 images" in svg
    alt = json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    assert "140 rows are about 121 images" in alt


def test_an_image_of_several_classes_is_counted_once_and_its_rows_too(tmp_path: Path) -> None:
    found = {"annotations found": 10, "images found": 10}
    flow = flow_counts.count(write(tmp_path, found, {}, 10, rows=13), split(8, 2, 3))
    assert flow.gaps == []
    assert (flow.kept, flow.rows) == (10, 13)
    assert "10 images kept, 13 image–class pairs" in flow_diagram.describe(flow)


def test_images_that_the_split_leaves_out_are_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ["train"] * 6 + ["", "", ""] + ["val"] * 2 + ["test"] * 2
    (tmp_path / "split").mkdir()
    pd.DataFrame({"split": parts}).to_csv(tmp_path / "split" / "split.csv", index=False)
    rows = [("a", "train", "copy", "d"), ("b", "train", "copy", "d"), ("c", "val", "conflicting_labels", "")]
    left_out = pd.DataFrame(rows, columns=["image_id", "split", "reason", "stays"])
    left_out.to_csv(tmp_path / "split" / "left_out.csv", index=False)
    records = write(tmp_path / "read", {"images found": 13}, {}, 13)
    figures = keep_figures(monkeypatch)
    flow_diagram.draw(
        {"records": records, "split": tmp_path / "split"}, tmp_path, scratch=tmp_path, progress=silent
    )
    require_clean(*figures)
    told = json.loads((tmp_path / "figure.json").read_text())["alt"]
    assert told == (
        "13 images found. 13 images kept, excluded from all sets: copies with different labels 1 and"
        " copy of an image in another set 2: training 6, validation 2 and test 2."
    )
    drawn = pd.read_csv(tmp_path / "figure.csv").set_index("step")["count"]
    assert drawn["copy of an image in another set"] == 2


@pytest.mark.parametrize("name", sorted(path.parent.name for path in STUDIES.glob("*/study.toml")))
def test_the_flow_of_every_study_adds_up(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = STUDIES / name
    few = ("sample.pictures=80",)
    if load(folder / "study.toml").sample.subset:
        few = ("sample.pictures=120", "sample.subset={ normal = 10, pneumonia = 40 }")
    study = load(folder / "study.toml", few).for_sample()
    stages = {stage.name: stage for stage in make_stages(study, Place(folder, "sample"))}
    made: dict[str, Path] = {}

    def run(stage: str, inputs: Mapping[str, str], **params: Any) -> None:
        made[stage] = tmp_path / stage
        made[stage].mkdir()
        module, _, function = stages[stage].function.partition(":")
        given = {key: made[of] for key, of in inputs.items()}
        call = getattr(importlib.import_module(module), function)
        call(given, made[stage], scratch=tmp_path, progress=silent, **{**stages[stage].params, **params})

    few = {"pictures": 40} if study.dataset.reader.startswith("v7") else {}  # fewer than a study may ask for
    run("sample", {}, **few)
    run("read", {"data": "sample"})
    run("split", {"records": "read"})
    flow = flow_counts.count(made["read"], pd.read_csv(made["split"] / "split.csv")["split"])
    assert flow.gaps == []
    assert (flow.labels is not None) == study.dataset.reader.startswith("v7")
    table = flow.table().set_index(["counted", "kind"])["count"]
    counted = table.groupby(level=[0, 1]).sum()
    images = counted["images"]
    assert images["found"] - images.get("excluded", 0) == images["kept"]
    if study.dataset.reader.startswith("v7"):
        both = sum(flow.left_out.values())
        assert counted["annotations", "found"] - counted["annotations", "excluded"] - both == images["kept"]
    figures = keep_figures(monkeypatch)
    flow_diagram.draw(
        {"records": made["read"], "split": made["split"]}, tmp_path, scratch=tmp_path, progress=silent
    )
    require_clean(*figures)

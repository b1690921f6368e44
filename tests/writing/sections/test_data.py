"""What is said of the data."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

from analysis.datasets.patients import SAME
from report.document.markdown import escape
from report.writing.values import Values
from tests.writing.conftest import STUDY, facts_of, macro


def test_class_shares_of_the_training_set_are_told_where_they_are_others(artifacts):
    facts = facts_of(artifacts())
    assert "In the training set" not in macro(facts, "sentences/data.classes")
    results = {**facts.values.results, "data.train.share.viral": {"value": 0.931}}
    words = macro(replace(facts, values=Values(results)), "sentences/data.classes")
    assert "In the training set it is otherwise: Viral Pneumonia makes up 93.1\u00a0%" in words


def test_a_dataset_of_class_folders_has_no_annotations_and_no_tags(source, artifacts):
    inputs = artifacts()
    path = inputs["results"] / "results.json"
    content = json.loads(path.read_text())
    del content["results"]["data.annotations_found"]
    path.write_text(json.dumps(content))
    text = source(inputs, {**STUDY, "dataset": {**STUDY["dataset"], "words": "class_folders"}})
    data = (
        text[text.index("# Data") : text.index("## Preparation")]
        + text[text.index("data in detail") : text.index("networks layer")]
    )
    assert "one folder per class" in data
    assert "201 image files were found (@fig-flow)." in data
    assert "| image files found | 201 |" in data
    assert "V7" not in data
    assert "tag" not in data


def test_patients_are_not_counted_where_nothing_tells_them(source, artifacts):
    inputs = artifacts()
    path = inputs["records"] / "records.csv"
    assert "200 images of 100 patients" in source(inputs)
    path.write_text(path.read_text().replace("made up", "unknown"))
    shutil.rmtree(inputs["records"].parents[1] / "source-out")
    text = source(inputs)
    assert "After that 200 images remain." in text


def test_files_that_are_no_pictures_are_counted_by_suffix(source, artifacts):
    inputs = artifacts()
    path = inputs["records"] / "flow.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, "files found,405,found", "not an image (.c|sv),3,beside", *rows, ""]))
    text = source(inputs)
    kind = escape("not an image (.c|sv)")
    assert f"| files found | 405 |\n| {kind} | 3 |\n| annotations found |" in text
    assert r"\|" in kind


def test_classes_left_out_and_another_way_of_resizing_are_told(source):
    left_out = [{"id": "lung_opacity", "label": "Lung_Opacity", "normal": False}]
    text = source(study={**STUDY, "left_out": left_out, "image": {**STUDY["image"], "resample": "nearest"}})
    assert "leaves out Lung\\_Opacity, so its results" in text
    assert "too few" not in text.split("# Models {#sec-models}")[0]
    assert "by taking the nearest pixel" in text


def test_it_is_told_what_tells_the_patients(artifacts):
    inputs = artifacts()
    path = inputs["records"] / "records.csv"
    lines = path.read_text().replace("made up", "kermany").splitlines()
    lines[1] = lines[1].replace("kermany", "unknown")
    lines[2:5] = [line.replace("kermany", "cohen") for line in lines[2:5]]
    path.write_text("\n".join([*lines, ""]))
    words = macro(facts_of(inputs), "sentences/data.patients")
    assert "such as `person12_bacteria` or `IM-0115` (196 images)" in words
    assert "`PatientID` does (3)" in words
    assert words.endswith("Where nothing tells it (1), each image counts as a patient of its own.")
    assert all(f"{known} and {again}" in words for again, known in SAME.items())

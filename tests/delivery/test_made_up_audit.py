"""Made-up findings and tables of the audit have the form of real ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.audit import confounding, duplicates, leaks, patients
from analysis.progress import silent
from analysis.vocabulary import audit
from report.delivery.made_up import make_entry
from report.delivery.made_up_audit import write_audit
from tests.audit.study import CLASSES, draw_records

STAGES = {"confounding": confounding.confound, "patients": patients.audit}


def columns(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return next(csv.reader(file))


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Path]:
    records = draw_records(80)
    split = pd.DataFrame({"image_id": records["image_id"], "split": (["train"] * 3 + ["val", "test"]) * 16})
    for name, table in (("records", records), ("split", split)):
        (tmp_path / name).mkdir()
        table.to_csv(tmp_path / name / f"{name}.csv", index=False)
    groups = pd.DataFrame([], columns=["group", "image_id", "content", "label", "patient_id"])
    columns_of_pairs = [
        *duplicates.PAIR_COLUMNS,
        *(f"{column}_{side}" for column in ("label", "patient_id") for side in duplicates.SIDES),
    ]
    (tmp_path / "duplicates").mkdir()
    groups.to_csv(tmp_path / "duplicates" / "groups.csv", index=False)
    pd.DataFrame([], columns=columns_of_pairs).to_csv(tmp_path / "duplicates" / "pairs.csv", index=False)
    return {name: tmp_path / name for name in ("records", "split", "duplicates")}


@pytest.mark.parametrize("topic", ["confounding", "patients", "leaks"])
def test_tables_have_the_columns_of_real_ones(study, tmp_path, topic):
    real, made = tmp_path / "real", tmp_path / "made"
    for folder in (real, made):
        folder.mkdir()
    if topic == "leaks":
        leaks.find(study, real, scratch=tmp_path, progress=silent)
    else:
        STAGES[topic](study, real, scratch=tmp_path, progress=silent, classes=CLASSES)
    write_audit(made, f"audit.{topic}", CLASSES)
    names = {path.name for path in real.glob("*.csv")}
    assert {path.name for path in made.glob("*.csv")} == names
    for name in names:
        wanted, got = columns(real / name), columns(made / name)
        assert set(wanted) - {"across_labels", "across_patients"} <= set(got), name


@pytest.mark.parametrize("level", ["weak", "strong"])
@pytest.mark.parametrize("analysis", ["", "@patient"])
def test_findings_rest_on_declared_results_and_are_of_the_level_asked_for(tmp_path, level, analysis):
    known = set(audit.names(CLASSES, ("net",), ("", "@patient")))
    topics = (
        ("leaks", "patients")
        if analysis
        else ("duplicates", "confounding", "probes", "labels", "leaks", "patients")
    )
    for topic in topics:
        folder = tmp_path / topic
        folder.mkdir()
        write_audit(folder, f"audit.{topic}{analysis}", CLASSES, level)
        found = json.loads((folder / "findings.json").read_text())
        assert found
        assert {finding["level"] for finding in found} == {level}
        assert {f"audit{analysis}.{name}" for finding in found for name in finding["results"]} <= known


def test_without_findings_there_is_nothing_in_two_splits_and_no_pair(tmp_path):
    for topic in ("duplicates", "leaks"):
        folder = tmp_path / topic
        folder.mkdir()
        write_audit(folder, f"audit.{topic}", CLASSES, None)
        assert json.loads((folder / "findings.json").read_text()) == []
        for path in folder.glob("*.csv"):
            assert len(path.read_text().splitlines()) == 1, path.name
    assert make_entry("audit.leaks.test.any_in_train", None)["value"] == 0
    assert make_entry("audit.leaks.test.any_in_train", "strong")["value"] > 0
    levels = [
        make_entry("audit.probes.border.auroc.macro", level)["low"] for level in (None, "weak", "strong")
    ]
    assert levels[0] < audit.WEAK_AREA < levels[1] < audit.STRONG_AREA < levels[2]

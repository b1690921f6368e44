"""The appendix on further draws of the images."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from analysis.vocabulary.audit import draw_results
from report.delivery import made_up
from report.delivery.made_up_audit import write_audit
from report.delivery.rehearsal import rehearse
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.tiny_build import having
from tests.writing.conftest import CLASSES, STUDY


@pytest.fixture
def drawn(artifacts, tmp_path: Path):
    """Return the inputs of the source stage of a study with three draws, and the study."""
    inputs = artifacts()
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    for name, _ in draw_results(("baseline", "improved"), ("improved_vs_baseline",)):
        whole["results"][f"audit.{name}"] = made_up.make_entry(f"audit.{name}")
    path.write_text(json.dumps(whole))
    folder = tmp_path / "audit.splits"
    folder.mkdir()
    write_audit(folder, "audit.splits", CLASSES, None)
    study = copy.deepcopy(STUDY)
    study["split"]["seeds"] = [43, 44]
    return {**inputs, "audit_splits": folder}, study


def test_the_appendix_has_every_model_and_the_difference(drawn, source, tmp_path):
    text = source(*drawn)
    part = text.partition("{#sec-draws}")[2].partition("\n# ")[0].replace("\u00a0", " ")
    assert "on three draws (random states 42, 43 and 44)" in part
    assert "| Baseline CNN | 0.500 (0.400–0.600) |" in part
    assert "| Improved CNN minus baseline CNN | +0.500 (+0.400 to +0.600) |" in part
    assert (tmp_path / "source-out" / "tables" / "audit_splits_draws.csv").is_file()


def test_a_study_of_one_draw_has_no_such_appendix(source):
    assert "sec-draws" not in source()


@pytest.mark.parametrize(
    "more",
    [
        pytest.param((), marks=pytest.mark.slow),
        pytest.param(("training.seeds=[1, 2, 3]",), marks=pytest.mark.slow),
        ("split.exclude_duplicates=true", *having("draws", "experiments")),
    ],
)
def test_a_rehearsal_makes_up_the_draws(more):
    overrides = ("split.seeds=[43, 44]", *more)
    assert rehearse(make_plan(Request("assignment", None, True, overrides, Path("/nowhere")))) == ""

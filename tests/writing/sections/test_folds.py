"""The appendix on the cross-validation, and the sentence that says whether it agrees with the test set."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from analysis.vocabulary.folds import names
from report.delivery import made_up
from report.delivery.rehearsal import rehearse
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.tiny_build import having
from tests.writing.conftest import CLASSES, STUDY, Written, facts_of

PAIR, MODELS = "improved_vs_baseline", ("baseline", "improved")
MEAN = f"{PAIR}@folds.test.mean.f1.macro"


@pytest.fixture
def folded(artifacts, tmp_path: Path):
    """Return the inputs of the source stage of a study with five folds, and the study."""
    inputs = artifacts()
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    whole["results"] |= {name: made_up.make_entry(name) for name in names(CLASSES, 5, MODELS, [PAIR])}
    path.write_text(json.dumps(whole))
    folder = tmp_path / "folds"
    folder.mkdir()
    (folder / "folds.csv").write_text("fold,model,measure,value\n1,baseline,accuracy,0.5\n")
    study = copy.deepcopy(STUDY)
    study["split"]["folds"] = 5
    return {**inputs, "folds": folder}, study


def test_the_appendix_has_every_model_the_difference_and_each_fold(folded, source, tmp_path):
    text = source(*folded)
    part = text.partition("{#sec-folds}")[2].partition("\n# ")[0].replace("\u00a0", " ")
    assert "parted into five folds, stratified by class (random state 42)" in part
    assert "a confirmation and no second test" in part
    assert "| Baseline CNN | 0.500 (0.400–0.600) |" in part
    assert "| Improved CNN minus baseline CNN | +0.500 (+0.400 to +0.600) |" in part
    assert "| 5 | 8 | 0.500 | 0.500 | +0.500 |" in part
    assert "| **Mean** |  | **0.500 (0.400–0.600)** |" in part
    assert "{#tbl-measures-test-folds}" in part
    assert (tmp_path / "source-out" / "tables" / "folds.csv").is_file()
    assert "cross-validation by patient" in text.partition("{#sec-comparison}")[2].partition("\n# ")[0]


def test_a_study_without_folds_says_nothing_of_them(source):
    text = source()
    assert "sec-folds" not in text
    assert "cross-validation" not in text.partition("{#sec-statistics}")[0]


AGREES = "Five-fold cross-validation by patient agrees with the verdict: the interval of its mean difference (+0.030, "
DIFFERS = "Five-fold cross-validation by patient does not agree with the verdict: the interval of its mean difference (+0.030, "
OPEN = "In five-fold cross-validation by patient the interval of the mean difference in macro F1 (+0."


@pytest.mark.parametrize(
    ("verdict", "ends", "said", "why"),
    [
        ("better", (0.02, 0.08), AGREES, "excludes zero on the same side"),
        ("better", (-0.02, 0.08), DIFFERS, "includes zero"),
        ("better", (-0.08, -0.02), DIFFERS, "excludes zero on the other side"),
        ("worse", (-0.08, -0.02), AGREES, "excludes zero on the same side"),
        ("worse", (0.02, 0.08), DIFFERS, "excludes zero on the other side"),
        ("equivalent", (0.001, 0.02), OPEN, "excludes zero"),
        ("underpowered", (-0.02, 0.08), OPEN, "includes zero"),
        ("better", None, "Five-fold cross-validation by patient decides nothing", "has no interval"),
    ],
)
def test_whether_the_folds_agree_is_told_by_the_side_of_zero(folded, verdict, ends, said, why):
    inputs, study = folded
    facts = facts_of(inputs, study)
    low, high = ends or (None, None)
    results = {**facts.values.results}
    results[MEAN] = {**results[MEAN], "value": 0.03, "low": low, "high": high}
    tested = f"{PAIR}@patient.test.f1.macro"
    results[tested] = {**results[tested], "value": -0.05 if verdict == "worse" else 0.05}
    verdicts = [
        {**made, "verdict": verdict if made["analysis"] else "not_distinguishable"}
        for made in json.loads((inputs["results"] / "results.json").read_text())["verdicts"]
    ]
    words = Written(facts, verdicts).having(results)("folds.confirmed", "improved")
    assert words.startswith(said)
    assert why in words
    assert words.endswith("(@sec-folds).")
    assert ("on the" in words) == ("on the" in why)


def test_a_measure_that_a_fold_leaves_undefined_decides_nothing(folded):
    inputs, study = folded
    facts = facts_of(inputs, study)
    results = {**facts.values.results}
    results[MEAN] = {**results[MEAN], "value": None, "low": None, "high": None}
    verdicts = json.loads((inputs["results"] / "results.json").read_text())["verdicts"]
    words = Written(facts, verdicts).having(results)("folds.confirmed", "improved")
    assert words.endswith("decides nothing: the mean difference in macro F1 is not defined (@sec-folds).")


def test_a_verdict_that_was_declared_late_is_not_said_to_be_agreed_with(folded):
    inputs, study = folded
    verdicts = json.loads((inputs["results"] / "results.json").read_text())["verdicts"]
    late = [{**made, "verdict": "better", "declared_late": True} for made in verdicts]
    assert Written(facts_of(inputs, study), late)("folds.confirmed", "improved").startswith(OPEN)


@pytest.mark.parametrize(
    "more",
    [
        having("details", "folds", "experiments"),
        pytest.param(("training.seeds=[1, 2, 3]",), marks=pytest.mark.slow),
        pytest.param(("split.also=none",), marks=pytest.mark.slow),
        ('split.fold_models=["improved"]', *having("details", "folds", "experiments")),
    ],
)
def test_a_rehearsal_makes_up_the_folds(more):
    overrides = ("split.folds=3", *more)
    assert rehearse(make_plan(Request("assignment", None, True, overrides, Path("/nowhere")))) == ""

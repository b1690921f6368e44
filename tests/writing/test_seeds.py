"""What is said of recipes, of which each was trained with several seeds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analysis.evaluation.results_file import Basis, entry
from report import PROJECT
from report.errors import UsageError
from report.study.loading import load
from report.workspace.cached_results import find_training
from report.workspace.plan import make_plan
from report.workspace.request import Request
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.specimen import TWO_NETWORKS
from tests.writing.conftest import Written

CASE = PROJECT.parent / "shared" / "cases" / "three-seeds"
PAIR = "improved_vs_baseline"


def recipes(verdict: str, terms: dict[str, float]) -> Written:
    """Return the sentences about two recipes whose difference has such a variance."""
    study = load(TWO_NETWORKS / "study.toml", ("training.seeds=[1,2,3]",)).for_document()
    results = {f"{PAIR}.test.variance.{name}": entry(term, "", Basis("")) for name, term in terms.items()}
    for model, scores in (("baseline", (0.5, 0.52, 0.54)), ("improved", (0.6, 0.61, 0.65))):
        for seed, score in enumerate(scores, 1):
            results[f"{model}@seed_{seed}.test.f1.macro"] = entry(score, "", Basis(""))
    facts = {"pair": PAIR, "a": "baseline", "b": "improved", "analysis": "", "split": "test"}
    values = Values(results)
    said = [{**facts, "verdict": verdict, "measure": "f1.macro", "declared_late": False}]
    return Written(StudyFacts(study, values, {}), said)


def test_the_parts_of_the_variance_are_told_in_per_cent() -> None:
    words = recipes("better", {"patients": 0.0006, "a": 0.0003, "b": 0.0001})("comparison.seeds", "improved")
    assert words == (
        "Of the variance of the difference 60\u00a0% comes from the patients. The seeds of the baseline CNN give "
        "30\u00a0%, those of the improved CNN 10\u00a0%. Single trainings of the baseline CNN reach 0.500 to 0.540. "
        "Those of the improved CNN reach 0.600 to 0.650."
    )


def test_seeds_of_which_nothing_varies_have_no_parts() -> None:
    assert recipes("cannot_be_decided", {})("comparison.seeds", "improved") == ""


@pytest.mark.real
def test_the_case_asks_which_seed(tmp_path: Path) -> None:
    if not CASE.is_dir():
        assert os.environ.get("CI") != "true", f"{CASE} is missing"
        pytest.skip("the cases are not beside the project")
    plan = make_plan(Request(str(CASE), None, True, (), tmp_path / "cache"), needs_data=False)
    with pytest.raises(UsageError) as caught:
        find_training(plan, "baseline")
    assert caught.value.hint == (
        "name one of them: --model baseline@seed_1 or --model baseline@seed_2 or --model baseline@seed_3"
    )


def test_a_mean_calibration_error_has_no_range_to_lie_in() -> None:
    verdicts = recipes("cannot_be_decided", {})
    ends = {"ece": 0.1, "ece_scaled": 0.05, "ece_expected": 0.04}
    results = {
        f"{m}.test.{n}": entry(v, "", Basis("")) for n, v in ends.items() for m in ("baseline", "improved")
    }
    values = Values(results)
    say = verdicts.having(values.results)
    assert say("probabilities.calibration", "baseline") == (
        "The expected calibration error of the baseline CNN is 0.100, and 0.050 when scaled."
    )
    assert say("probabilities.calibrations").endswith(
        "Scaled, it goes from 0.050 (baseline CNN and improved CNN) to 0.050 (baseline CNN and improved CNN)."
    )
    banded = {
        n: {**item, "low": 0.02, "high": 0.06} if "expected" in n else item for n, item in results.items()
    }
    with_range = verdicts.having(banded)
    assert "The first lies above the range" in with_range("probabilities.calibration", "baseline")

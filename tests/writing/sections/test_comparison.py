"""What the report says of five constructed comparisons, from predictions to the sentence."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Basis, Results, bounded, entry, owned
from analysis.evaluation.statistics.pairs import Model, Pair
from analysis.evaluation.statistics.resampled import percentile_interval
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.verdict import Rule
from analysis.evaluation.tables import comparison
from report.study.loading import load
from report.writing.sections.comparison import Comparison
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.specimen import TWO_NETWORKS
from tests.writing.conftest import Written

STUDY = load(TWO_NETWORKS / "study.toml").for_document()
CLASSES = ("bacterial", "covid_19", "healthy", "viral")
MARGIN, ALPHA = 0.03, 0.05


def summarise(say: Written) -> str:
    """Return what is said of the comparison, in the order of its section."""
    parts = ("late", "decided", "grouped_decided", "conclusion", "against")
    return " ".join(filter(None, (say(f"verdicts.{part}", "improved").strip() for part in parts)))


def predictions(right: dict[str, float], n: int, *, of: np.random.Generator) -> Predictions:
    """Return predictions that are right about a share of each class, the same pictures whenever ``of`` is the same."""
    y_true = np.arange(n) % len(CLASSES)
    ease = of.random(n)
    y_pred = np.where(ease < np.array([right[c] for c in CLASSES])[y_true], y_true, (y_true + 1) % 4)
    y_score = np.full((n, 4), 0.1) + 0.6 * np.eye(4)[y_pred]
    ids = np.array([f"p{i}" for i in range(n)], dtype=object)
    patients = np.array([f"patient {i // 2}" for i in range(n)], dtype=object)
    return Predictions(CLASSES, ids, patients, y_true, y_score)


def said(a: dict[str, float], b: dict[str, float], n: int = 1200, *, independent: bool = False) -> Written:
    """Return the sentences about networks that are right about such shares of each class."""
    return _said(tuple(a.items()), tuple(b.items()), n, 4 if independent else 3)


@cache
def _said(a: tuple[tuple[str, float], ...], b: tuple[tuple[str, float], ...], n: int, seed: int) -> Written:
    rngs = np.random.default_rng(3), np.random.default_rng(seed)
    return about([predictions(dict(right), n, of=rng) for right, rng in zip((a, b), rngs, strict=True)])


def about(given: list[Predictions], primary: str = "f1.macro") -> Written:
    """Return the sentences about two networks by what they said."""
    weights = resamples(given[0])
    first, second = (
        Model.from_trainings(m, [p], weights) for m, p in zip(("baseline", "improved"), given, strict=True)
    )
    pair, artifact = Pair(first, second), "compare/results.json"
    judged = comparison.judge([(pair, artifact)], Rule(primary, MARGIN, ALPHA))[0]
    results: Results = {}
    for model in (first, second):
        for name, value in model.values.items():
            item = entry(value, "", Basis(""), reason_null="undefined")
            results[f"{model.name}.test.{name}"] = bounded(item, percentile_interval(model.draws[name]))
    found = {
        **comparison.difference_results(pair, artifact),
        **comparison.move_results(pair, ""),
        **comparison.sign_flip_results(pair, artifact),
        **judged.results,
    }
    results |= owned(found, "improved_vs_baseline", "test")
    facts = {"pair": "improved_vs_baseline", "a": "baseline", "b": "improved", "analysis": ""}
    facts |= {"measure": primary, "split": "test", "margin": MARGIN, "alpha": ALPHA}
    facts |= {"verdict": judged.verdict, "declared_late": False}
    values = Values(results)
    return Written(StudyFacts(STUDY, values, {}), [facts])


def every(share: float) -> dict[str, float]:
    return dict.fromkeys(CLASSES, share)


def mended(given: Predictions, patients: int) -> Predictions:
    """Return predictions that are right about all pictures of so many more patients."""
    wrong = given.y_pred != given.y_true
    chosen = list(dict.fromkeys(given.patient_id[wrong]))[:patients]
    rows = np.isin(given.patient_id, chosen)
    right = np.full_like(given.y_score, 0.1) + 0.6 * np.eye(4)[given.y_true]
    return replace(given, y_score=np.where(rows[:, None], right, given.y_score))


@pytest.mark.parametrize("primary", ["f1.macro", "accuracy", "auroc.macro"])
@pytest.mark.parametrize(("patients", "words"), [(1, "1 patient,"), (2, "2 patients,"), (5, "5 patients,")])
def test_what_too_few_patients_tell_is_not_decided(patients: int, words: str, primary: str):
    first = predictions(every(0.7), 120, of=np.random.default_rng(3))
    verdicts = about([first, mended(first, patients)], primary)
    decided = verdicts("verdicts.decided", "improved")
    assert decided.startswith(
        "Whether the improved CNN differs from the baseline CNN cannot be decided on the test"
    )
    assert decided.endswith(
        f". The reason: the models differ on images of {words} and fewer than 6 cannot decide at 0.05."
    )
    assert "interval" not in decided
    assert "nan" not in decided
    for more in (
        "verdicts.power",
        "verdicts.tested",
        "comparison.false_gain",
        "comparison.seeds",
        "verdicts.against",
    ):
        assert verdicts(more, "improved") == "", more
    assert "better" not in summarise(verdicts)
    late = replace(verdicts, verdicts=[{**verdicts.verdicts[0], "declared_late": True}])
    assert "reach" in summarise(late)
    assert "before the test set was used" in verdicts("comparison.declared")
    assert "before the test set was used" not in late("comparison.declared")
    assert late("verdicts.power", "improved") == ""


def test_what_six_patients_tell_is_decided():
    first = predictions(every(0.7), 120, of=np.random.default_rng(3))
    assert "is better than" in about([first, mended(first, 6)])("verdicts.decided", "improved")


def test_networks_of_one_answer_each_are_not_equivalent():
    first = predictions(every(0.7), 120, of=np.random.default_rng(3))
    each = [replace(first, y_score=np.full((120, 4), 0.1) + 0.6 * np.eye(4)[k]) for k in (0, 1)]
    for given, why in (
        (each, "each model predicts one class for all images: no variation to judge by"),
        ([each[0], each[0]], "the models do not differ on any image: no variation to judge by"),
        ([first, first], "the models do not differ on any image: no variation to judge by"),
    ):
        decided = about(given)("verdicts.decided", "improved")
        assert decided.endswith(f" The reason: {why}.")
        assert "equivalent" not in decided


def test_a_measure_that_is_not_defined_says_of_which_network_and_why():
    first = predictions(every(0.7), 120, of=np.random.default_rng(3))
    never = replace(first, y_score=np.full((120, 4), 0.1) + 0.6 * np.eye(4)[np.minimum(first.y_pred, 2)])
    assert "not decided" not in about([first, never], "sensitivity.macro")("verdicts.decided", "improved")
    absent = [replace(p, y_true=np.minimum(p.y_true, 2)) for p in (first, never)]
    decided = about(absent, "sensitivity.macro")("verdicts.decided", "improved")
    assert decided == (
        "The difference in macro sensitivity between the baseline CNN and the improved CNN is not decided. The reason: that of the "
        "baseline CNN is undefined and that of the improved CNN is undefined."
    )


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (0.03, " All of it lies beyond the margin of 0.03, so"),
        (
            0.15,
            " It includes values below the margin of 0.15, so the difference may be too small to matter.",
        ),
        (
            0.3,
            " The difference is too small to matter: its 90\u00a0% interval lies within the margin of 0.3.",
        ),
    ],
)
def test_a_sure_difference_says_whether_it_reaches_the_margin(margin: float, words: str):
    verdicts = said(every(0.7), every(0.85))
    decided = replace(verdicts, verdicts=[{**verdicts.verdicts[0], "margin": margin}])(
        "verdicts.decided", "improved"
    )
    assert "is better than" in decided
    assert words in decided


def test_a_clear_gain_is_called_better():
    verdicts = said(every(0.7), every(0.85))
    assert verdicts("verdicts.decided", "improved").startswith(
        "The improved CNN is better than the baseline CNN on the test images. Macro F1 is 0.8"
    )
    assert "95\u00a0% interval of the difference, +0." in verdicts("verdicts.decided", "improved")
    assert "excludes zero" in verdicts("verdicts.decided", "improved")
    assert "p ≤ 0.001" in verdicts("verdicts.tested", "improved")
    assert verdicts("verdicts.against", "improved") == "No measure in @tbl-comparison-improved fell."
    assert "fewer than 0.1\u00a0% of the draws" in verdicts("comparison.false_gain", "improved")
    assert "would be found four times in five" in verdicts("verdicts.power", "improved")


def test_a_clear_loss_is_called_worse():
    verdicts = said(every(0.85), every(0.7))
    assert "The improved CNN is worse than the baseline CNN" in verdicts("verdicts.decided", "improved")
    assert "a difference of −0.1" in verdicts("verdicts.decided", "improved")
    assert verdicts("comparison.false_gain", "improved") == ""


def test_networks_that_hardly_differ_are_called_equivalent():
    verdicts = said(every(0.80), {**every(0.79), "viral": 0.81, "healthy": 0.81})
    words = verdicts("verdicts.decided", "improved")
    assert "The improved CNN and the baseline CNN are equivalent on the test images" in words
    assert "p = " in verdicts("verdicts.tested", "improved")
    assert "The 90\u00a0% interval" in words
    assert "better" not in words
    assert "90 % interval" in verdicts("verdicts.narrower_interval", "improved")


def test_a_sure_difference_that_does_not_matter_is_said_not_to():
    verdicts = said(every(0.80), every(0.805))
    words = verdicts("verdicts.decided", "improved")
    assert verdicts("verdicts.narrower_interval", "improved") == ""
    assert "is better than" in words
    assert "too small to matter: its 90" in words


def test_few_pictures_cannot_decide():
    verdicts = said(every(0.7), every(0.75), n=80, independent=True)
    words = verdicts("verdicts.decided", "improved")
    assert words.startswith("Whether the improved CNN differs from the baseline CNN cannot be decided")
    assert "or more would be found four times in five, and one of 0.03 would matter." in words
    assert verdicts("verdicts.power", "improved") == "", "it has been said"
    assert "the other way" not in verdicts("verdicts.against", "improved"), (
        "what is undecided has no direction"
    )


def test_a_gain_in_one_class_does_not_hide_the_loss_in_another():
    worse_for_viral = {**every(0.85), "viral": 0.4}
    verdicts = said({**every(0.6), "viral": 0.7}, worse_for_viral)
    assert "is better than" in verdicts("verdicts.decided", "improved")
    against = verdicts("verdicts.against", "improved")
    assert "ensitivity for Viral Pneumonia (−0.2" in against
    assert "fell, with" in against
    assert against in summarise(verdicts)


def test_a_difference_that_would_have_been_found_is_told_from_one_that_would_not():
    verdicts = said(every(0.80), every(0.80), independent=True)
    facts = {**verdicts.verdicts[0], "verdict": "not_distinguishable"}
    words = replace(verdicts, verdicts=[facts])("verdicts.decided", "improved")
    assert words.startswith("The improved CNN cannot be told from the baseline CNN")
    assert "would be found four times in five." in words


def test_a_comparison_declared_late_says_so():
    verdicts = said(every(0.7), every(0.85))
    assert verdicts("verdicts.late", "improved") == ""
    late = replace(verdicts, verdicts=[{**verdicts.verdicts[0], "declared_late": True}])
    summary = summarise(late)
    assert summary.startswith("This comparison was declared after the test results were seen")
    assert "better" not in summary
    assert late("comparison.false_gain", "improved") == ""


@pytest.mark.parametrize(
    ("patient", "verdict", "words"),
    [
        (
            0.0,
            "better",
            "",
        ),
        (
            0.1,
            "not_distinguishable",
            "The conclusion therefore rests on the split by patient: the two cannot be told apart",
        ),
        (
            0.0,
            "underpowered",
            "The two verdicts differ.",
        ),
    ],
)
def test_the_conclusion_rests_on_patients_where_the_analyses_differ(patient, verdict, words):
    verdicts = said(every(0.7), every(0.85))
    results = dict(verdicts.results)
    for name, item in verdicts.results.items():
        owner, _, rest = name.partition(".")
        moved = item["value"] and item["value"] - patient * (owner == "improved" and rest == "test.f1.macro")
        results[f"{owner}@patient.{rest}"] = {**item, "value": moved}
    grouped = {**verdicts.verdicts[0], "analysis": "@patient", "pair": "improved_vs_baseline@patient"}
    both = [verdicts.verdicts[0], {**grouped, "verdict": verdict}]
    values = Values(results)
    found = Written(StudyFacts(STUDY, values, {}), both)
    assert words in found("verdicts.conclusion", "improved")
    assert bool(words) == bool(found("verdicts.conclusion", "improved").strip())
    assert ("by patient" in found("verdicts.conclusion", "improved")) == (patient > 0)
    new = found.having({**results, "data@patient.test.same_patient_in_train": entry(0, "", Basis(""))})
    assert ("For new patients the split by patient" in new("verdicts.conclusion", "improved")) == (
        patient == 0 and verdict != "better"
    )
    for shared, is_told in ((0, patient > 0), (7, False)):
        known = entry(shared, "", Basis(""))
        told = found.having({**results, "data.test.same_patient_in_train": known})
        assert ("In neither does a patient" in told("verdicts.unseen", "improved")) == is_told
    assert "With the split by patient, " in summarise(found)


@pytest.mark.parametrize(
    ("lower_by", "width", "words"),
    [
        (
            0.1,
            0.01,
            "We find them: by patient macro F1 of the baseline CNN and the improved CNN is lower, with intervals",
        ),
        (0.1, 0.2, "is lower by more than the margin, but the intervals overlap"),
        (
            0.01,
            0.2,
            "They are not clearly higher: by patient macro F1 changes by −0.010 (baseline CNN) and −0.010 (improved CNN)",
        ),
    ],
)
def test_whether_known_patients_raise_results_is_said_with_its_case(lower_by, width, words):
    verdicts = said(every(0.7), every(0.85))
    results = {**verdicts.results, "data.test.same_patient_in_train": entry(7, "", Basis(""))}
    for model in ("baseline", "improved"):
        item = results[f"{model}.test.f1.macro"]
        for name, value in ((model, item["value"]), (f"{model}@patient", item["value"] - lower_by)):
            ends = {"low": value - width, "high": value + width}
            results[f"{name}.test.f1.macro"] = {**item, "value": value, **ends}
    verdict = verdicts.verdicts[0]
    both = [verdict, {**verdict, "analysis": "@patient", "pair": "improved_vs_baseline@patient"}]
    found = Written(StudyFacts(STUDY, Values(results), {}), both)
    assert words in found("verdicts.inflated", "improved")
    unknown = {**results, "data.test.same_patient_in_train": entry(0, "", Basis(""))}
    assert found.having(unknown)("verdicts.inflated", "improved").strip() == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "specificity.bacterial",
            "Specificity for Bacterial Pneumonia (−0.200)",
        ),
        ("auroc.viral", "AUC for Viral Pneumonia (−0.200)"),
        ("npv.macro", "Macro negative predictive value (−0.200)"),
    ],
)
def test_whatever_measure_moved_the_other_way_is_named(name: str, words: str) -> None:
    verdicts = said(every(0.7), every(0.85))
    changed = f"improved_vs_baseline.test.{name}"
    old = verdicts.results.get(changed, verdicts.results["improved_vs_baseline.test.accuracy"])
    values = Values({**verdicts.results, changed: {**old, "value": -0.2, "low": -0.3, "high": -0.1}})
    assert verdicts.having(values.results)("verdicts.against", "improved") == (
        f"{words} fell, with an interval that excludes zero (@tbl-comparison-improved)."
    )


def test_of_many_measures_that_moved_the_other_way_the_two_clearest_against_their_interval_are_named() -> (
    None
):
    verdicts = said(every(0.7), every(0.85))
    old = verdicts.results["improved_vs_baseline.test.accuracy"]
    moved = {"specificity.viral": 0.1, "npv.macro": 0.3, "f1.viral": 0.2, "sensitivity.viral": 0.05}
    changed = {
        f"improved_vs_baseline.test.{name}": {**old, "value": -0.4, "low": -0.4 - width, "high": -0.4 + width}
        for name, width in moved.items()
    }
    assert verdicts.having({**verdicts.results, **changed})("verdicts.against", "improved") == (
        "Four measures fell, with intervals that exclude zero (@tbl-comparison-improved), most clearly "
        "sensitivity for Viral Pneumonia (−0.400) and specificity for Viral Pneumonia (−0.400)."
    )


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (0.03, " in macro F1, by enough to matter (at least 0.03)."),
        (0.15, " in macro F1, but perhaps by less than 0.15, the least that we think matters."),
        (0.3, " in macro F1, but by too little to matter (less than 0.3)."),
    ],
)
def test_the_first_page_says_in_one_sentence_how_the_comparison_came_out(margin: float, words: str) -> None:
    for word, verdicts in {
        "better": said(every(0.7), every(0.85)),
        "worse": said(every(0.85), every(0.7)),
    }.items():
        found = replace(verdicts, verdicts=[{**verdicts.verdicts[0], "margin": margin}])
        assert found("verdicts.headline") == (f"The improved CNN is {word} than the baseline CNN{words}")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.05, "beats the thumbnail trees"),
        (-0.02, 0.05, "is not distinguishable from the thumbnail trees"),
        (-0.2, -0.1, "is below the thumbnail trees"),
    ],
)
def test_a_network_is_held_against_the_floor_by_the_interval(low: float, high: float, words: str) -> None:
    verdicts = said(every(0.7), every(0.85))
    difference = {**verdicts.results["improved_vs_baseline.test.f1.macro"], "low": low, "high": high}
    floor = verdicts.results["baseline.test.f1.macro"]
    names = [f"{model}_vs_low_detail.test.f1.macro" for model in ("baseline", "improved")]
    values = Values(
        {**verdicts.results, "low_detail.test.f1.macro": floor, **dict.fromkeys(names, difference)}
    )
    found = verdicts.having(values.results)
    assert words in found("references.beside", "improved")
    together = "both networks beat them" if "beats" in words else "neither network is shown to beat them"
    assert found("references.reached").endswith(f"; {together}")
    one = {
        "improved_vs_low_detail.test.f1.macro": {
            **difference,
            "low": None,
            "high": None,
            "reason_null": "too few",
        }
    }
    few = found.having({**values.results, **one})
    assert "The improved CNN cannot be held against the thumbnail trees" in few(
        "references.beside", "improved"
    )
    assert few("references.beside", "improved").endswith("(too few).")
    of_one = "beats" if "beats" in words else "is not shown to beat"
    assert few("references.reached").endswith(
        f"; the baseline CNN {of_one} them; the improved CNN cannot be held against them"
    )


def test_the_day_on_which_the_test_set_was_unlocked_is_said():
    verdicts = said(every(0.7), every(0.85))

    def say(*log: bool, **evaluation: str) -> str:
        study = {**verdicts.facts.study, "evaluation": {"test": "open", "unlocked": None, **evaluation}}
        return replace(verdicts, facts=replace(verdicts.facts, study=study))(
            "comparison.declared", *log
        ).strip()

    assert say().endswith("before the test set was used.")
    assert say(unlocked="2026-11-29").endswith("used (opened on 29\u00a0November 2026).")
    log = say(True, unlocked="2026-11-29")
    assert log.endswith("used (opened on 29\u00a0November 2026; @sec-experiments).")


@pytest.mark.parametrize(
    ("low", "high", "end"),
    [
        *((0.0304, 0.07, "0.0304"), (0.030004, 0.07, "0.030004"), (-0.07, -0.0304, "−0.0304")),
        *((0.04, 0.07, ""), (0.0296, 0.07, ""), (0.03, 0.07, "")),
    ],
)
def test_an_end_that_is_printed_as_the_margin_is_told_as_it_was(low, high, end):
    found = said(every(0.7), every(0.85))
    name = "improved_vs_baseline.test.primary"
    values = Values({**found.results, name: {**found.results[name], "low": low, "high": high}})
    compared = Comparison(replace(found.facts, values=values), found.verdicts)
    assert compared.verdict("improved")["margin"] == 0.03
    assert compared.nearest_end("improved") == end


def test_single_intervals_that_overlap_are_explained_beside_a_sure_difference():
    verdicts = said(every(0.7), every(0.85))
    words = "The intervals in @fig-primary overlap, but both networks see the same images, so their difference is known more precisely."
    ends = {"baseline": (0.65, 0.75), "improved": (0.8, 0.9)}
    apart = {f"{m}.test.f1.macro": {"value": sum(e) / 2, "low": e[0], "high": e[1]} for m, e in ends.items()}
    tell = "comparison.overlapping"
    assert verdicts.having({**verdicts.results, **apart})(tell, "improved") == ""
    near = {**apart, "baseline.test.f1.macro": {"value": 0.75, "low": 0.69, "high": 0.81}}
    assert verdicts.having({**verdicts.results, **near})(tell, "improved") == words

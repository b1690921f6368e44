"""The intervals in the results are those that the definitions give when they are followed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Results
from analysis.evaluation.statistics import intervals
from analysis.evaluation.statistics.resampled import (
    BLOCK,
    NO_VARIATION,
    PERCENTILE,
    TOO_OFTEN,
    mean_over_trainings,
    measure_resamples,
    percentile_interval,
    refuse_point,
)
from analysis.evaluation.statistics.resampling import bootstrap, clusters, resamples
from analysis.evaluation.statistics.roc import roc_curves
from analysis.evaluation.tables.classification import Labelled, classification_results
from analysis.evaluation.tables.measures import measure_results, with_intervals

CLASSES = ("bacterial", "covid_19", "healthy", "viral")


@pytest.fixture(scope="module")
def predictions(made_up) -> Predictions:
    return made_up(1)


@pytest.fixture(scope="module")
def measured(predictions: Predictions):
    """Every measure of one model, with intervals from 200 resamples."""
    return measure(predictions, 200)


def measure(predictions: Predictions, number: int) -> Results:
    areas = {name: curve.auroc for name, curve in roc_curves(predictions).items()}
    return measure_results(predictions, areas, resamples(predictions, number), "p.csv")


def percentiles(draws: list[float], level: float = 0.95) -> list[float]:
    """Return the k-th smallest and largest, k = (B + 1)(1 - level)/2 rounded down."""
    k = int((len(draws) + 1) * (1 - level) / 2)
    ordered = sorted(draws)
    return [ordered[k - 1], ordered[-k]]


def repeated(predictions: Predictions, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return true classes and scores with each picture as often as it was drawn."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return predictions.y_true[rows], predictions.y_score[rows]


def one_hot(y_true: np.ndarray) -> np.ndarray:
    return np.eye(4, dtype=bool)[y_true]


BY_BOOTSTRAP = {
    "f1.macro": lambda y, s: reference.f1_score(y, s.argmax(1), average="macro", zero_division=np.nan),
    "f1.macro_without_viral": lambda y, s: reference.f1_score(
        y, s.argmax(1), labels=[0, 1, 2], average="macro"
    ),
    "f1.viral": lambda y, s: reference.f1_score(y == 3, s.argmax(1) == 3),
    "sensitivity.macro": lambda y, s: reference.balanced_accuracy_score(y, s.argmax(1)),
    "ppv.macro": lambda y, s: reference.precision_score(y, s.argmax(1), average="macro"),
    "mcc": lambda y, s: reference.matthews_corrcoef(y, s.argmax(1)),
    "mcc.healthy": lambda y, s: reference.matthews_corrcoef(y == 2, s.argmax(1) == 2),
    "auroc.micro": lambda y, s: reference.roc_auc_score(one_hot(y).ravel(), s.ravel()),
}


@pytest.mark.parametrize("name", BY_BOOTSTRAP)
def test_a_composite_has_the_percentiles_over_resampled_patients(predictions, measured, name: str) -> None:
    drawn = bootstrap(clusters(predictions.patient_id, predictions.y_true), 200)
    draws = [BY_BOOTSTRAP[name](*repeated(predictions, counts)) for counts in drawn]
    item = measured[name]
    assert item["value"] == pytest.approx(BY_BOOTSTRAP[name](predictions.y_true, predictions.y_score))
    assert [item["low"], item["high"]] == pytest.approx(percentiles(draws))
    assert item["se"] == pytest.approx(np.std(draws, ddof=1))
    assert item["level"] == 0.95
    assert item["method"].endswith(f"; interval: {PERCENTILE}")


@pytest.mark.parametrize("k", range(4))
def test_a_proportion_has_wilsons_interval_of_the_pictures_it_is_a_share_of(
    predictions, measured, k: int
) -> None:
    true, called = predictions.y_true == k, predictions.y_pred == k
    patients = predictions.patient_id
    shares = {
        "sensitivity": (true, called),
        "specificity": (~true, ~called),
        "ppv": (called, true),
        "npv": (~called, ~true),
    }
    for name, (rows, right) in shares.items():
        expected = intervals.proportion(right[rows], patients[rows], 0.95)
        item = measured[f"{name}.{CLASSES[k]}"]
        assert item["value"] == right[rows].mean()
        assert (item["low"], item["high"], item["se"]) == (expected.low, expected.high, expected.se)
    right = predictions.y_pred == predictions.y_true
    accuracy = intervals.proportion(right, patients, 0.95)
    assert (measured["accuracy"]["low"], measured["accuracy"]["high"]) == (accuracy.low, accuracy.high)


def test_an_auroc_has_delongs_interval_by_patients(predictions, measured) -> None:
    truth, scores = one_hot(predictions.y_true), predictions.y_score
    influences = [intervals.auroc_influence(truth[:, k], scores[:, k]) for k in range(4)]
    areas = [reference.roc_auc_score(truth[:, k], scores[:, k]) for k in range(4)]
    expected = dict(zip(CLASSES, zip(areas, influences, strict=True), strict=True))
    expected["macro"] = (np.mean(areas), np.mean(influences, axis=0))
    for name, (area, phi) in expected.items():
        item, by_hand = measured[f"auroc.{name}"], intervals.auroc(area, phi, predictions.patient_id, 0.95)
        assert item["value"] == pytest.approx(area)
        assert [item["low"], item["high"], item["se"]] == pytest.approx(
            [by_hand.low, by_hand.high, by_hand.se]
        )
        assert "DeLong by patients" in item["method"]


def test_counts_have_no_interval(measured) -> None:
    facts = {name for name, item in measured.items() if item["low"] is None}
    assert facts == {
        "n",
        *(f"support.{c}" for c in CLASSES),
        *(f"{kind}.{t}.{p}" for kind in ("confusion", "confusion_share") for t in CLASSES for p in CLASSES),
    }
    assert all(measured[name]["reason_null"] is None for name in facts)


def test_more_pictures_of_a_patient_that_say_the_same_tell_nothing_more(made_up) -> None:
    once = made_up(1)
    thrice = Predictions(
        CLASSES, *(np.repeat(part, 3, axis=0) for part in (once.image_id, once.patient_id, once.y_true, once.y_score))
    )  # fmt: skip
    single, triple = (measure(p, 400) for p in (once, thrice))
    for name in ("f1.macro", "accuracy", "sensitivity.viral", "auroc.macro", "auroc.micro", "mcc"):
        assert triple[name]["value"] == pytest.approx(single[name]["value"])
        widths = [item[name]["high"] - item[name]["low"] for item in (single, triple)]
        # Proportions earn nothing where pictures of a patient differ more than by chance; copies hide that.
        assert 0.85 * widths[0] < widths[1] < 1.03 * widths[0], name
    alone = Predictions(
        CLASSES, thrice.image_id, np.arange(len(thrice.y_true)).astype(object), thrice.y_true, thrice.y_score
    )
    apart = measure(alone, 400)
    for name in ("f1.macro", "accuracy", "auroc.macro"):
        width = apart[name]["high"] - apart[name]["low"]
        assert width < 0.75 * (triple[name]["high"] - triple[name]["low"]), name


def test_drawing_each_picture_once_gives_the_measures_themselves(predictions, measured) -> None:
    once = measure_resamples(predictions, np.ones((1, len(predictions.y_true))))
    named = {name for name in once if name not in {"brier", "log_loss"}}
    assert named == {name for name, item in measured.items() if item["low"] is not None}
    for name in named:
        assert once[name][0] == pytest.approx(measured[name]["value"]), name
    assert once["log_loss"][0] == pytest.approx(reference.log_loss(predictions.y_true, predictions.y_score))
    squares = (predictions.y_score - one_hot(predictions.y_true)) ** 2
    assert once["brier"][0] == pytest.approx(squares.sum(axis=1).mean())


def test_blocks_of_resamples_are_put_together_in_order(predictions) -> None:
    weights = resamples(predictions, BLOCK + 7)
    whole, last = (
        measure_resamples(predictions, weights),
        measure_resamples(predictions, weights[BLOCK - 3 :]),
    )
    assert whole.keys() == last.keys()
    for name, values in whole.items():
        assert values.shape == (BLOCK + 7,)
        np.testing.assert_allclose(values[BLOCK - 3 :], last[name], err_msg=name)


def test_areas_are_left_out_when_they_are_not_wanted(predictions) -> None:
    weights = resamples(predictions, 20)
    few, all_of_them = (
        measure_resamples(predictions, weights, areas=False),
        measure_resamples(predictions, weights),
    )
    left_out = all_of_them.keys() - few.keys()
    assert left_out == {"brier", "log_loss", *(f"auroc.{c}" for c in (*CLASSES, "macro", "micro"))}
    for name, draws in few.items():
        assert (draws == all_of_them[name]).all()


def test_the_mean_of_trainings_is_taken_in_each_resample(made_up) -> None:
    weights = resamples(made_up(1), 30)
    parts = [measure_resamples(made_up(seed), weights) for seed in (1, 2, 3)]
    mean = mean_over_trainings(parts)
    assert mean.keys() == parts[0].keys()
    np.testing.assert_allclose(mean["f1.macro"], sum(part["f1.macro"] for part in parts) / 3)
    influences = intervals.auroc_influences(made_up(1))
    np.testing.assert_allclose(
        influences["auroc.macro"], np.mean([influences[f"auroc.{c}"] for c in CLASSES], axis=0)
    )


@pytest.mark.parametrize(("undefined", "known"), [(20, True), (21, False)])
def test_a_measure_undefined_in_more_than_five_percent_of_resamples_has_no_interval(
    undefined: int, known: bool
) -> None:
    draws = np.random.default_rng(1).normal(size=400)
    draws[:undefined] = np.nan
    found = percentile_interval(draws)
    assert np.isfinite([found.low, found.high, found.se]).all() == known
    assert found.reason_null == ("" if known else TOO_OFTEN)
    if known:
        assert [found.low, found.high] == percentiles(list(draws[undefined:]))


def test_a_class_that_is_seldom_called_has_a_ppv_but_its_macro_no_interval(made_up) -> None:
    """Of 160 pictures one is called covid_19: a third of the resamples have none."""
    usual = made_up(1)
    scores = usual.y_score.copy()
    scores[1:, 1] = 0
    seldom = Predictions(CLASSES, usual.image_id, usual.patient_id, usual.y_true, scores)
    seldom.y_score[0] = [0, 1, 0, 0]
    found = measure(seldom, 400)
    assert found["ppv.macro"]["value"] is not None
    assert (found["ppv.macro"]["low"], found["ppv.macro"]["reason_null"]) == (None, TOO_OFTEN)
    assert found["ppv.covid_19"]["low"] is not None, "Wilson, of one image"
    assert found["f1.macro"]["low"] is not None


def test_what_never_varies_has_no_interval(made_up) -> None:
    truth = made_up(1).y_true
    perfect = Predictions(CLASSES, *(made_up(1).image_id,) * 2, truth, np.eye(4)[truth])
    found = measure(perfect, 400)
    for name in (
        "f1.macro",
        "f1.viral",
        "mcc",
        "auroc.viral",
        "auroc.macro",
        "auroc.micro",
        "sensitivity.macro",
    ):
        assert (found[name]["value"], found[name]["low"], found[name]["se"]) == (1, None, None), name
        assert "no variation to judge by" in found[name]["reason_null"], name
    assert "160 images" in found["auroc.viral"]["reason_null"]
    assert found["accuracy"]["low"] == pytest.approx(160 / (160 + 1.96**2), abs=1e-4), "Wilson"


def test_only_an_interval_of_no_width_is_taken_back() -> None:
    wide, missing = percentile_interval(np.linspace(0, 1, 400)), percentile_interval(np.full(400, np.nan))
    assert refuse_point(wide) is wide
    assert refuse_point(missing) is missing
    point = refuse_point(percentile_interval(np.full(400, 0.25)))
    assert np.isnan([point.low, point.high, point.se]).all()
    assert point.reason_null == NO_VARIATION


def test_results_without_draws_stay_as_they_are(predictions) -> None:
    results = classification_results(Labelled.from_predictions(predictions, "p.csv"))
    assert with_intervals(results, predictions, {}) == results

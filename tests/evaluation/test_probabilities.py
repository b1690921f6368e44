"""What is chosen or fitted is chosen on validation; the test set is read once, to be measured."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.stages.evaluate import probability_results
from analysis.evaluation.statistics import calibration, intervals, operating_points
from analysis.evaluation.statistics.resampled import percentile_interval
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.tables.calibration import calibration_results, correct, reliability_rows
from analysis.evaluation.tables.operating_points import (
    decision_table,
    operating_point_results,
    predictive_table,
    scores,
)
from analysis.progress import silent
from analysis.vocabulary.measures import ABNORMAL

CLASSES = ("bacterial", "covid_19", "healthy", "viral")
SPLITS = ["val", "test"]
COUNTS = [200, 20, 100, 80]
CHOSEN = re.compile(r".*\.(training|temperature|threshold_at_\d\d)(\.|$)|.*\.val\.")


@pytest.fixture(scope="module")
def predictions(made_up) -> dict[str, Predictions]:
    """Validation and test of one model; in validation fewer pictures are viral."""
    val, test = made_up(1, n=300), made_up(2, n=300)
    kept = (val.y_true != 3) | (np.arange(300) % 3 == 0)
    parts = (part[kept] for part in (val.image_id, val.patient_id, val.y_true, val.y_score))
    return {"val": Predictions(CLASSES, *parts), "test": test}


def shuffled(p: Predictions, seed: int = 5) -> Predictions:
    return replace(p, y_true=np.random.default_rng(seed).permutation(p.y_true))


# Nothing that is chosen reads the test set.


def test_no_choice_and_nothing_of_validation_depends_on_the_labels_of_test(assignment, one_analysis) -> None:
    """A whole study, and again with the labels of its test set shuffled: records and predictions have the same."""
    scrambled = one_analysis(scrambled=True)
    chosen = {n for n in scrambled.results if CHOSEN.match(n) and not n.startswith("data")}
    assert len(chosen) > 500
    for name in chosen:
        assert scrambled.results[name] == assignment.results[name], name
    for stage in ("evaluate.baseline", "evaluate.improved", "evaluate.low_detail"):
        for table in ("measures", "roc", "bands", "reliability", "confusion", "auroc", "average_precision"):
            was, now = (
                built.table(stage, table).query("split == 'val'") for built in (assignment, scrambled)
            )
            pd.testing.assert_frame_equal(was, now)
    for model in ("baseline", "improved", "low_detail"):
        was, now = (built.value(f"{model}.test.accuracy") for built in (assignment, scrambled))
        assert now < 0.55 < was or model == "low_detail", "the labels are no longer those of the pictures"
    assert {"threshold_at_90", "temperature"} <= {name.split(".")[2] for name in chosen}


def test_corrected_probabilities_do_not_depend_on_the_labels_of_test(predictions) -> None:
    other = {**predictions, "test": shuffled(predictions["test"])}
    was, now = (correct(p, COUNTS, "oversample") for p in (predictions, other))
    assert was.temperature == now.temperature
    for stage in ("prior", "scaled"):
        for split in SPLITS:
            a, b = (getattr(corrected, stage)[split].y_score for corrected in (was, now))
            assert (a == b).all()
    points = [operating_point_results(p, "healthy", "p.csv") for p in (predictions, other)]
    assert points[0]["val"] == points[1]["val"]
    assert points[0]["test"] != points[1]["test"]


def test_the_labels_of_validation_are_what_chooses(predictions) -> None:
    other = {**predictions, "val": shuffled(predictions["val"])}
    was, now = (correct(p, COUNTS, "oversample") for p in (predictions, other))
    assert now.temperature > 1.5 * was.temperature, "labels that scores do not tell flatten them"
    points = [operating_point_results(p, "healthy", "p.csv") for p in (predictions, other)]
    assert points[0]["val"]["threshold_at_90.viral"] != points[1]["val"]["threshold_at_90.viral"]


def write_pictures(
    folder: Path, labels: np.ndarray, levels: np.ndarray, split: np.ndarray
) -> dict[str, Path]:
    """Write what the train stage is given."""
    import keras

    folders = {name: folder / name for name in ("records", "images", "split", "architecture")}
    for path in folders.values():
        path.mkdir(parents=True)
    ids = [f"{i:03}.png" for i in range(len(labels))]
    records = pd.DataFrame({"image_id": ids, "label": labels, "patient_id": ""})
    records.to_csv(folders["records"] / "records.csv", index=False)
    pd.DataFrame({"image_id": ids, "split": split, "fold": ""}).to_csv(
        folders["split"] / "split.csv", index=False
    )
    np.save(folders["images"] / "images.npy", levels)
    keras.utils.clear_session()
    layers = [keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    text = keras.Sequential(layers).to_json()
    (folders["architecture"] / "architecture.json").write_text(text, encoding="utf-8")
    return folders


def test_the_chosen_epoch_and_the_network_know_nothing_of_test(tmp_path: Path) -> None:
    """Other labels and other pictures in test give the same bytes; other labels in val choose another epoch."""
    from analysis.models import training

    rng = np.random.default_rng(2)
    side = np.arange(90) % 2
    bright = 128 + 60 * np.where(np.arange(16) < 8, 1, -1) * (1 - 2 * side)[:, None]
    levels = rng.normal(bright[:, None], 20, (90, 16, 16)).clip(0, 255).astype(np.uint8)
    split = np.array(["train", "train", "val", "test", "test"])[np.arange(90) // 2 % 5]
    test, val = (split == part for part in ("test", "val"))

    def train(name: str, side: np.ndarray, levels: np.ndarray) -> dict[str, bytes]:
        inputs = write_pictures(tmp_path / name, np.array(["left", "right"])[side], levels, split)
        out = tmp_path / name / "out"
        out.mkdir()
        stopping = {"kind": "early_stopping", "monitor": "val_loss", "patience": 2, "restore_best": True}
        training.train(
            inputs, out, scratch=out, progress=silent, classes=["left", "right"], seed=1, fit="squash", resample="area",
            input={"scale": 1 / 255, "offset": 0.0, "pixels": "in-place"}, class_balance="none", class_weights="none",
            augmentation=[], augmented="each-epoch", optimizer="adam", learning_rate=0.005, epochs=6, batch_size=8,
            callbacks=[stopping],
        )  # fmt: skip
        return {path: (out / path).read_bytes() for path in ("training.json", "history.csv", "model.keras")}

    # In validation the labels are the wrong way round: the more is learnt, the worse, so that an early epoch is best.
    wrong = np.where(val, 1 - side, side)
    first = train("first", wrong, levels)
    other_side, other_levels = wrong.copy(), levels.copy()
    other_side[test] = rng.permutation(side[test])
    other_levels[test] = rng.integers(0, 256, (test.sum(), 16, 16))
    assert train("scrambled", other_side, other_levels) == first
    facts, right = (json.loads(of["training.json"]) for of in (first, train("right", side, levels)))
    assert facts["validation_pictures"] == val.sum()
    assert facts["weights_epoch"] == facts["best_epoch"] < facts["epochs_run"]
    assert right["weights_epoch"] > facts["weights_epoch"]


# Calibration.


@pytest.mark.parametrize("class_balance", ["none", "oversample"])
def test_priors_are_corrected_for_rebalanced_models_alone(predictions, class_balance: str) -> None:
    corrected = correct(predictions, COUNTS, class_balance)
    assert corrected.raw == predictions
    assert corrected.rebalanced == (class_balance == "oversample")
    names = calibration_results(corrected, "test", resamples(predictions["test"], 50), "p.csv").keys()
    assert {"brier", "brier_scaled", "log_loss_scaled", "ece", "ece_scaled", "ece.viral"} <= names
    assert ({"brier_prior", "log_loss_prior", "ece_prior"} <= names) == corrected.rebalanced
    val = np.bincount(predictions["val"].y_true, minlength=4) / len(predictions["val"].y_true)
    for split in SPLITS:
        raw = predictions[split].y_score
        by_hand = raw * val  # each class was as frequent as the others in training
        by_hand /= by_hand.sum(axis=1, keepdims=True)
        expected = by_hand if corrected.rebalanced else raw
        np.testing.assert_allclose(corrected.prior[split].y_score, expected)


@pytest.mark.parametrize("class_balance", ["none", "oversample"])
def test_the_temperature_is_the_best_for_validation_after_the_priors(predictions, class_balance: str) -> None:
    corrected = correct(predictions, COUNTS, class_balance)
    val = corrected.prior["val"]

    def loss(temperature: float) -> float:
        scaled = softmax(np.log(val.y_score) / temperature, axis=1)
        return float(-np.log(scaled[np.arange(len(val.y_true)), val.y_true]).mean())

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8}).x
    assert corrected.temperature == pytest.approx(best, rel=1e-5)
    for split in SPLITS:
        scaled = softmax(np.log(corrected.prior[split].y_score) / best, axis=1)
        np.testing.assert_allclose(corrected.scaled[split].y_score, scaled, rtol=1e-4)
    results = {s: calibration_results(corrected, s, resamples(predictions[s], 50), "p.csv") for s in SPLITS}
    assert results["val"]["temperature"]["value"] == corrected.temperature
    assert results["val"]["temperature"]["n"] == len(val.y_true)
    assert "temperature" not in results["test"]
    assert results["val"]["log_loss_scaled"]["value"] <= results["val"]["log_loss"]["value"]


def test_losses_have_bootstrap_intervals_and_ece_a_range_instead(predictions) -> None:
    corrected, p = correct(predictions, COUNTS, "none"), predictions["test"]
    weights = resamples(p, 400)
    results = calibration_results(corrected, "test", weights, "p.csv")
    squares = ((p.y_score - np.eye(4)[p.y_true]) ** 2).sum(axis=1)
    draws = np.array([np.average(squares, weights=row) for row in weights])
    expected = percentile_interval(draws)
    item = results["brier"]
    assert item["value"] == pytest.approx(squares.mean())
    assert [item["low"], item["high"], item["se"]] == pytest.approx(
        [expected.low, expected.high, expected.se]
    )
    for name in ("ece", "ece_scaled", *(f"ece.{c}" for c in CLASSES)):
        assert (results[name]["low"], results[name]["se"]) == (None, None)
        assert results[name]["reason_null"].startswith("biased upwards")
    assert results["ece"]["value"] == calibration.top_label_ece(p.y_true, p.y_score)
    ends = calibration.expected_ece(p.y_score, p.patient_id)
    assert (results["ece_expected"]["low"], results["ece_expected"]["high"]) == ends
    assert ends != calibration.expected_ece(p.y_score), "pictures of a patient have their class together"


def test_reliability_is_shown_raw_and_corrected_for_the_top_label_and_each_class(predictions) -> None:
    corrected = correct(predictions, COUNTS, "oversample")
    table = pd.DataFrame(reliability_rows(corrected, "test"))
    groups = table.groupby(["probabilities", "score"])
    assert set(groups.groups) == {(kind, s) for kind in ("raw", "corrected") for s in ("top", *CLASSES)}
    assert (groups["n"].sum() == 300).all()
    for kind, p in (("raw", predictions["test"]), ("corrected", corrected.scaled["test"])):
        rows = groups.get_group((kind, "viral"))
        by_hand = calibration.class_reliability(p.y_true == 3, p.y_score[:, 3])
        assert rows["observed"].tolist() == by_hand["accuracy"].tolist()
        low, high = calibration.consistency_bars(p.y_score[:, 3], p.patient_id)
        assert (rows["low"].tolist(), rows["high"].tolist()) == (low.tolist(), high.tolist())
        assert (rows["confidence"] * rows["n"]).sum() == pytest.approx(p.y_score[:, 3].sum())


# Operating points and use.


def test_any_disease_is_all_but_the_normal_class(predictions) -> None:
    p = predictions["test"]
    found = scores(p, "healthy")
    assert list(found) == [ABNORMAL, *CLASSES]
    positive, score = found[ABNORMAL]
    assert (positive == (p.y_true != 2)).all()
    assert (score == 1 - p.y_score[:, 2]).all()
    assert list(scores(p, None)) == list(CLASSES)


@pytest.mark.parametrize(("name", "target"), [(n, t) for n in (ABNORMAL, *CLASSES) for t in (0.9, 0.95)])
def test_thresholds_are_of_validation_and_applied_to_test(predictions, name: str, target: float) -> None:
    points = operating_point_results(predictions, "healthy", "p.csv")
    at = f"at_{100 * target:.0f}.{name}"
    item = points["val"][f"threshold_{at}"]
    positive, score = scores(predictions["val"], "healthy")[name]
    assert item["n"] == (~positive).sum(), "the pictures that it is chosen on"
    lower = score[score < item["value"]]
    assert (score[~positive] < item["value"]).mean() >= target
    assert not len(lower) or (score[~positive] < lower.max()).mean() < target
    assert f"threshold_{at}" not in points["test"]
    for split in SPLITS:
        positive, score = scores(predictions[split], "healthy")[name]
        found = [points[split][f"{m}_{at}"]["value"] for m in ("sensitivity", "specificity")]
        assert found == list(operating_points.at_threshold(positive, score, item["value"]))
        patients = predictions[split].patient_id[positive]
        interval = intervals.proportion(score[positive] >= item["value"], patients, 0.95)
        sensitivity = points[split][f"sensitivity_{at}"]
        assert (sensitivity["low"], sensitivity["high"]) == (interval.low, interval.high)
        assert (sensitivity["n"], sensitivity["clusters"]) == (positive.sum(), len(set(patients)))


def test_a_threshold_that_no_score_reaches_calls_nothing(predictions) -> None:
    """The negatives share the highest score: nothing is called positive, and that is measured."""
    val, test = (replace(predictions[split], y_score=predictions[split].y_score.copy()) for split in SPLITS)
    val.y_score[:, 1] = 0.5
    points = operating_point_results({"val": val, "test": test}, None, "p.csv")
    item = points["val"]["threshold_at_90.covid_19"]
    assert (item["value"], item["reason_null"]) == (None, operating_points.NO_THRESHOLD)
    found = [points["test"][f"{m}_at_90.covid_19"]["value"] for m in ("sensitivity", "specificity")]
    assert found == [0, 1]


def test_without_a_negative_picture_there_is_no_threshold(predictions) -> None:
    val = replace(predictions["val"], y_true=np.full_like(predictions["val"].y_true, 1))
    points = operating_point_results({**predictions, "val": val}, None, "p.csv")
    item = points["val"]["threshold_at_95.covid_19"]
    assert (item["value"], item["reason_null"], item["n"]) == (None, "no negative picture", 0)
    for split in SPLITS:
        assert points[split]["sensitivity_at_95.covid_19"]["reason_null"] == "no picture or no threshold"


def test_predictive_values_follow_bayes_over_prevalence(predictions) -> None:
    test = operating_point_results(predictions, "healthy", "p.csv")["test"]
    table = predictive_table(test)
    assert table.groupby("specificity").size().to_dict() == {0.9: 99, 0.95: 99}
    for target in (90, 95):
        se, sp = (test[f"{m}_at_{target}.{ABNORMAL}"]["value"] for m in ("sensitivity", "specificity"))
        for row in table[table["specificity"] == target / 100].to_dict("records"):
            pi = row["prevalence"]
            assert row["ppv"] == pytest.approx(pi * se / (pi * se + (1 - pi) * (1 - sp)))
            assert row["npv"] == pytest.approx((1 - pi) * sp / ((1 - pi) * sp + pi * (1 - se)))
    at_90 = table[table["specificity"] == 0.9].set_index("prevalence")
    for prevalence in (10, 30, 50):
        for name in ("ppv", "npv"):
            value = test[f"{name}_at_90.prevalence_{prevalence}"]["value"]
            assert value == pytest.approx(at_90.loc[prevalence / 100, name])


def test_net_benefit_of_the_corrected_score_at_each_prevalence(predictions) -> None:
    corrected = correct(predictions, COUNTS, "oversample")
    table = decision_table(corrected.scaled, "healthy")
    assert set(table["split"]) == {"test"}
    assert table.groupby("prevalence").size().to_dict() == {0.1: 99, 0.3: 99, 0.5: 99}
    sick, score = predictions["test"].y_true != 2, 1 - corrected.scaled["test"].y_score[:, 2]
    own = (predictions["val"].y_true != 2).mean()
    for row in table.iloc[::17].to_dict("records"):
        pi, threshold = row["prevalence"], row["threshold"]
        odds = score / (1 - score) * (pi / (1 - pi)) / (own / (1 - own))
        called = odds / (1 + odds) >= threshold
        lost = (1 - pi) * threshold / (1 - threshold)
        expected = pi * called[sick].mean() - lost * called[~sick].mean()
        assert row["net_benefit"] == pytest.approx(expected)
        assert row["treat_all"] == pytest.approx(pi - lost)


def test_all_of_it_is_there_by_split(predictions) -> None:
    corrected = correct(predictions, COUNTS, "oversample")
    weights = {split: resamples(p, 50) for split, p in predictions.items()}
    results = probability_results(corrected, "healthy", weights, "predict.net/predictions.csv")
    assert set(results) == set(SPLITS)
    points = operating_point_results(predictions, "healthy", "predict.net/predictions.csv")
    for split in SPLITS:
        alone = calibration_results(corrected, split, weights[split], "predict.net/predictions.csv")
        assert results[split] == alone | points[split]
        assert {item["artifact"] for item in results[split].values()} == {"predict.net/predictions.csv"}

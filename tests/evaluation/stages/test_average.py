"""Several trainings of a model: the mean is what its recipe gives, and the comparison is of recipes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.metrics import f1_score

from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Basis, Interval, bounded, entry, write_json
from analysis.evaluation.stages.average import average
from analysis.evaluation.statistics import resampling
from analysis.evaluation.statistics.metrics import f1, macro
from analysis.progress import silent

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
MODELS = ("baseline", "improved")
SEEDS = (42, 43, 44)


def trainings(built, model: str) -> list[Predictions]:
    paths = (built.root / f"predict.{model}@seed_{seed}" / "predictions.csv" for seed in SEEDS)
    return [read_predictions(path, CLASSES, ["test"])["test"] for path in paths]


def f1_macro(p: Predictions) -> float:
    return float(f1_score(p.y_true, p.y_pred, average="macro"))


def test_a_model_is_the_mean_of_its_trainings_and_never_the_best(three_seeds) -> None:
    for model in MODELS:
        each = [f1_macro(p) for p in trainings(three_seeds, model)]
        item = three_seeds.results[f"{model}.test.f1.macro"]
        assert item["value"] == pytest.approx(np.mean(each))
        assert item["value"] < max(each)
        assert item["se"] == pytest.approx(np.std(each, ddof=1) / np.sqrt(3)), "of the mean"
        own = [three_seeds.results[f"{model}@seed_{seed}.test.f1.macro"] for seed in SEEDS]
        of_seeds = t.ppf(0.975, 2) * item["se"]
        below = np.mean([one["value"] - one["low"] for one in own])
        above = np.mean([one["high"] - one["value"] for one in own])
        assert item["low"] == pytest.approx(item["value"] - np.hypot(below, of_seeds))
        assert item["high"] == pytest.approx(min(1, item["value"] + np.hypot(above, of_seeds)))
        assert item["method"].startswith("mean of 3 trainings; ")


def test_every_measure_is_the_mean_over_seeds(three_seeds) -> None:
    for model in MODELS:
        each = [three_seeds.of(f"evaluate.{model}@seed_{seed}") for seed in SEEDS]
        mean = three_seeds.of(f"evaluate.{model}")
        assert {name.removeprefix(f"{model}.") for name in mean} == {
            name.removeprefix(f"{model}@seed_42.") for name in each[0]
        }
        for name, item in mean.items():
            measure = name.removeprefix(f"{model}.")
            known = [of[f"{model}@seed_{s}.{measure}"]["value"] for of, s in zip(each, SEEDS, strict=True)]
            if None in known:
                assert item["value"] is None, name
            else:
                assert item["value"] == pytest.approx(np.mean(known)), name
            bounds = [of[f"{model}@seed_{s}.{measure}"]["low"] for of, s in zip(each, SEEDS, strict=True)]
            assert (item["low"] is None) == (None in (*bounds, item["value"])), name
            if item["low"] is not None:
                assert (
                    (-1 if ".mcc." in name or name.endswith("mcc") else 0)
                    <= item["low"]
                    <= item["value"]
                    <= item["high"]
                )
    assert three_seeds.value("baseline.test.n") == three_seeds.value("baseline@seed_42.test.n")
    assert type(three_seeds.value("baseline.test.n")) is int


def test_every_training_is_in_the_results_with_its_intervals(three_seeds) -> None:
    for model in MODELS:
        for seed in SEEDS:
            item = three_seeds.results[f"{model}@seed_{seed}.test.f1.macro"]
            assert item["low"] < item["value"] < item["high"]
            assert item["artifact"] == f"predict.{model}@seed_{seed}/predictions.csv"


def test_what_figures_draw_is_the_mean_over_seeds_too(three_seeds) -> None:
    for model in MODELS:
        folders = [three_seeds.root / f"evaluate.{model}@seed_{seed}" for seed in SEEDS]
        mean = three_seeds.root / f"evaluate.{model}"
        for name, values, keys in (
            ("confusion.csv", ["count", "share"], ["split", "y_true", "y_pred"]),
            ("bands.csv", ["y"], ["split", "kind", "curve", "x"]),
            ("auroc.csv", ["auroc"], ["split", "curve"]),
        ):
            each = [pd.read_csv(folder / name) for folder in folders]
            table = pd.read_csv(mean / name)
            assert table[keys].equals(each[0][keys]), name
            found = np.mean([one[values].to_numpy() for one in each], axis=0)
            assert table[values].to_numpy() == pytest.approx(found, nan_ok=True), name
            assert not table[values].equals(each[0][values]), name
        areas = pd.read_csv(mean / "auroc.csv").set_index(["split", "curve"])
        for curve in (*CLASSES, "macro"):
            item, row = three_seeds.results[f"{model}.test.auroc.{curve}"], areas.loc[("test", curve)]
            assert [row["auroc"], row["low"], row["high"]] == pytest.approx(
                [item["value"], item["low"], item["high"]]
            )
        first, bands = (pd.read_csv(folder / "bands.csv") for folder in (folders[0], mean))
        assert ((bands["high"] - bands["low"]) >= 0).all()
        assert (bands["high"] - bands["low"]).mean() > (first["high"] - first["low"]).mean(), (
            "of trainings too"
        )


def test_recipes_are_compared_over_patients_and_seeds(three_seeds) -> None:
    a, b = (trainings(three_seeds, model) for model in MODELS)
    values = [[f1_macro(p) for p in side] for side in (a, b)]
    patients = resampling.clusters(a[0].patient_id, a[0].y_true)
    weights = resampling.bootstrap(patients, 10_000)

    def drawn(side: list[Predictions]) -> np.ndarray:
        parts = (resampling.confusion_matrices(weights, p.y_true, p.y_pred, 4) for p in side)
        return np.mean([macro(f1(part)) for part in parts], axis=0)

    terms = {
        "patients": float((drawn(b) - drawn(a)).var(ddof=1)),
        "a": float(np.var(values[0], ddof=1)) / 3,
        "b": float(np.var(values[1], ddof=1)) / 3,
    }
    start = "improved_vs_baseline.test"
    for name, term in terms.items():
        assert three_seeds.value(f"{start}.variance.{name}") == pytest.approx(term), name
    d, se = np.mean(values[1]) - np.mean(values[0]), np.sqrt(sum(terms.values()))
    df = se**4 / (terms["a"] ** 2 / 2 + terms["b"] ** 2 / 2)
    half = t.ppf(0.975, df) * se
    primary = three_seeds.results[f"{start}.primary"]
    assert [primary[key] for key in ("value", "low", "high", "se")] == pytest.approx(
        [d, d - half, d + half, se]
    )
    assert primary["method"].endswith("interval: t, over patients and seeds")
    narrow = three_seeds.results[f"{start}.equivalence"]
    assert [narrow["low"], narrow["high"]] == pytest.approx(
        [d - t.ppf(0.95, df) * se, d + t.ppf(0.95, df) * se]
    )
    assert three_seeds.value(f"{start}.p") == pytest.approx(2 * t.sf(d / se, df))
    assert three_seeds.value(f"{start}.detectable_difference") == pytest.approx((1.959964 + 0.841621) * se)
    assert three_seeds.value(f"{start}.f1.macro") == pytest.approx(d)
    assert three_seeds.verdicts[0]["seeds"] == 3


def test_a_difference_of_means_is_the_difference_of_the_printed_means(three_seeds) -> None:
    for name in ("accuracy", "f1.macro", "sensitivity.viral", "auroc.macro", "auroc.micro", "brier"):
        for split in ("val", "test"):
            a, b = (three_seeds.value(f"{model}.{split}.{name}") for model in MODELS)
            assert three_seeds.value(f"improved_vs_baseline.{split}.{name}") == pytest.approx(b - a), name
    floor = three_seeds.value("low_detail.test.f1.macro")
    above = three_seeds.value("baseline_vs_low_detail.test.f1.macro")
    assert above == pytest.approx(three_seeds.value("baseline.test.f1.macro") - floor)


def test_one_training_says_nothing_of_seeds(assignment) -> None:
    assert not [name for name in assignment.results if ".variance." in name or "@seed" in name]
    assert {said["seeds"] for said in assignment.verdicts} == {1}
    assert not any(
        "mean of" in item["method"] and "trainings" in item["method"] for item in assignment.results.values()
    )
    for analysis in ("", "@patient"):
        assert "bootstrap" in assignment.results[f"improved_vs_baseline{analysis}.test.primary"]["method"]


def averaged(tmp_path: Path, *items: dict) -> dict:
    """Return the mean of one result of several trainings."""
    inputs = {}
    for seed, item in enumerate(items):
        inputs[f"net@seed_{seed}"] = tmp_path / str(seed)
        inputs[f"net@seed_{seed}"].mkdir()
        write_json(tmp_path / str(seed) / "results.json", {f"net@seed_{seed}.test.x": item})
    average(inputs, tmp_path, scratch=tmp_path, progress=silent, model="net")
    found = json.loads((tmp_path / "results.json").read_text())
    assert list(found) == ["net.test.x"]
    return found["net.test.x"]


def share(value: float | None, n: int, patients: int = 9) -> dict:
    item = entry(value, "share", Basis("p.csv", n, patients), reason_null="class never predicted")
    return bounded(item, Interval(0.1, 0.9, 0.95, 0.2, "Wilson"))


def test_equal_shares_do_not_borrow_the_interval_of_one_training(tmp_path: Path) -> None:
    found = averaged(tmp_path, share(0.5, 10), share(0.5, 20), share(0.5, 30))
    assert (found["value"], found["se"]) == (0.5, 0)
    assert (found["low"], found["high"]) == pytest.approx((0.1, 0.9)), "the patients are still drawn"
    assert found["method"].startswith("mean of 3 trainings; share; interval: patients and trainings")
    assert (found["n"], found["clusters"]) == (None, 9)


def test_a_count_of_pictures_stays_whole(tmp_path: Path) -> None:
    count = entry(120, "count", Basis("p.csv", 120, 72))
    assert averaged(tmp_path, count, count, count) == count


def test_a_mean_of_what_some_trainings_leave_undefined_is_undefined(tmp_path: Path) -> None:
    found = averaged(tmp_path, share(0.5, 10), share(None, 0), share(0.7, 10))
    assert (found["value"], found["reason_null"]) == (None, "undefined for some of the trainings")


def test_what_no_training_defines_keeps_its_reason(tmp_path: Path) -> None:
    found = averaged(tmp_path, share(None, 0), share(None, 0), share(None, 0))
    assert (found["value"], found["reason_null"]) == (None, "class never predicted")

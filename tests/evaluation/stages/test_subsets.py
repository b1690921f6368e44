"""What networks reach on parts of the training images, and what the last step to all of them gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.metrics import f1_score

from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.settings import RESAMPLES
from analysis.evaluation.stages.subsets import collect
from analysis.evaluation.statistics.resampling import resamples
from analysis.progress import silent
from analysis.vocabulary.subsets import names

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SHARES = [0.5, 1.0]
RUNS = [[f"net@subset_{share}_seed_{seed}" for seed in (1, 2, 3)] for share in (50, 100)]
Collected = Callable[..., tuple[Path, dict[str, Any]]]


@pytest.fixture
def collected(tmp_path: Path, prediction_table) -> Collected:
    """Return a function that collects a network of such a skill on half and on all of the training images."""

    def run(*skills: float) -> tuple[Path, dict[str, Any]]:
        inputs, out = {}, tmp_path / "out"
        out.mkdir()
        for k, (names_of_share, skill) in enumerate(zip(RUNS, skills, strict=True)):
            for seed, name in enumerate(names_of_share):
                inputs[f"predict_{name}"] = folder = tmp_path / name
                folder.mkdir()
                prediction_table(10 * k + seed, split="test", skill=skill).to_csv(
                    folder / "predictions.csv", index=False
                )
        for name, n in (("@1", 40), ("@2", 42), ("@3", 44), ("", 84)):
            inputs[f"split_{name}"] = folder = tmp_path / f"split{name}"
            folder.mkdir()
            split = ["train"] * n + [""] * (84 - n) + ["test"] * 9
            pd.DataFrame({"image_id": range(93), "split": split}).to_csv(folder / "split.csv", index=False)
        collect(
            inputs,
            out,
            scratch=out,
            progress=silent,
            analysis="",
            classes=CLASSES,
            split="test",
            measure="f1.macro",
            shares=SHARES,
            draws=[["@1", "@2", "@3"], [""] * 3],
            runs={"net": RUNS},
        )
        return out, json.loads((out / "results.json").read_text(), parse_constant=pytest.fail)

    return run


def bootstrap_variance(folder: Path, *runs: list[str]) -> float:
    """Return the variance of the mean macro F1 of the last runs less that of the first, by resamples of patients."""
    predictions = [
        [read_predictions(folder / n / "predictions.csv", CLASSES, ["test"])["test"] for n in names_of_share]
        for names_of_share in runs
    ]
    weights = resamples(predictions[0][0], RESAMPLES)[:300]
    scores = [[np.mean([weighted_f1(p, w) for p in of_share]) for w in weights] for of_share in predictions]
    first = predictions[0][0]
    assert weighted_f1(first, weights[0]) == pytest.approx(
        f1_score(first.y_true, first.y_pred, average="macro", sample_weight=weights[0])
    )
    return float(np.var(scores[-1] if len(scores) == 1 else np.subtract(scores[1], scores[0]), ddof=1))


def weighted_f1(p: Predictions, weights: np.ndarray) -> float:
    """Return macro F1 as scikit-learn does, which takes a millisecond for each of some thousand calls."""
    right = p.y_true == p.y_pred
    of = partial(np.bincount, minlength=len(CLASSES))
    hits = of(p.y_true[right], weights[right])
    return float(np.mean(2 * hits / (of(p.y_true, weights) + of(p.y_pred, weights))))


def test_means_and_their_intervals_are_over_patients_and_draws(collected: Collected) -> None:
    out, results = collected(0.8, 2.5)
    assert set(results) == set(names(["net"], "", SHARES, "test", "f1.macro"))
    assert results["data@subset_50.train.count"]["value"] == 42
    trainings = pd.read_csv(out / "trainings.csv")
    assert trainings["images"].tolist() == [40, 42, 44, 84, 84, 84]
    for share, of_share in zip(SHARES, RUNS, strict=True):
        each = []
        for name in of_share:
            p = read_predictions(out.parent / name / "predictions.csv", CLASSES, ["test"])["test"]
            each.append(f1_score(p.y_true, p.y_pred, average="macro"))
        assert trainings["value"][trainings["share"] == share].to_numpy() == pytest.approx(each)
        found = results[f"net@subset_{100 * share:.0f}.test.f1.macro"]
        assert found["value"] == pytest.approx(np.mean(each))
        over_draws = np.var(each, ddof=1) / 3
        variance = bootstrap_variance(out.parent, of_share) + over_draws
        half = t.ppf(0.975, variance**2 / (over_draws**2 / 2)) * np.sqrt(variance)
        assert (found["low"], found["high"]) == pytest.approx(
            (found["value"] - half, found["value"] + half), abs=0.01
        )


def test_the_gain_is_paired_and_has_the_spread_of_both_shares(collected: Collected) -> None:
    out, results = collected(0.8, 2.5)
    gain = results["net@subset_100_vs_net@subset_50.test.f1.macro"]
    values = pd.read_csv(out / "trainings.csv").groupby("share")["value"]
    assert gain["value"] == pytest.approx(values.mean()[1.0] - values.mean()[0.5])
    expected = np.sqrt(bootstrap_variance(out.parent, *RUNS) + (values.var() / 3).sum())
    assert gain["se"] == pytest.approx(expected, rel=0.1)
    assert 0 < gain["low"] < gain["value"] < gain["high"]


def test_of_networks_that_are_alike_no_gain_is_sure(collected: Collected) -> None:
    _, results = collected(1.5, 1.5)
    gain = results["net@subset_100_vs_net@subset_50.test.f1.macro"]
    assert gain["low"] < 0 < gain["high"]

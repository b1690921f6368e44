"""Mean, interval and range of measures over draws of the images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.audit import splits
from analysis.progress import silent
from analysis.vocabulary.audit import OVER_DRAWS, draw_results

VALUES = {"baseline": (0.7, 0.8, 0.75), "improved": (0.8, 0.82, 0.84)}
SEEDS = (42, 43, 44)


def write(root: Path, values: dict[str, tuple[float | None, ...]]) -> dict[str, Path]:
    inputs = {"split": root / "split"}
    for model, of_draws in values.items():
        for seed, value in zip(SEEDS, of_draws, strict=True):
            run = f"{model}@draw_{seed}"
            inputs[f"evaluate_{run}"] = root / run
            entries = {f"{run}.test.{m}": {"value": value} for m in OVER_DRAWS}
            (root / run).mkdir()
            (root / run / "results.json").write_text(json.dumps(entries))
    inputs["split"].mkdir()
    parts = ["train"] * 64 + ["val"] * 16 + ["test"] * 20 + [""] * 3
    pd.DataFrame({"image_id": range(103), "split": parts}).to_csv(inputs["split"] / "split.csv", index=False)
    return inputs


def collect(root: Path, values: dict[str, tuple[float | None, ...]]) -> dict[str, dict[str, object]]:
    out = root / "out"
    inputs = write(root, values)
    out.mkdir()
    runs = {model: [f"{model}@draw_{seed}" for seed in SEEDS] for model in values}
    splits.collect(
        inputs,
        out,
        scratch=out,
        progress=silent,
        runs=runs,
        pairs=[["improved", "baseline"]],
        seeds=SEEDS,
        split="test",
    )
    return json.loads((out / "results.json").read_text())


def test_means_ranges_and_differences_are_of_all_draws(tmp_path):
    found = collect(tmp_path, VALUES)
    assert set(found) == {
        name for name, _ in draw_results(("baseline", "improved"), ("improved_vs_baseline",))
    }
    assert found["splits.count"]["value"] == 3
    assert found["splits.mean.baseline.f1.macro"]["value"] == pytest.approx(0.75)
    assert found["splits.lowest.baseline.accuracy"]["value"] == 0.7
    assert found["splits.highest.improved.auroc.macro"]["value"] == 0.84
    difference = found["splits.mean.improved_vs_baseline.f1.macro"]
    assert difference["value"] == pytest.approx(0.07)
    assert difference["low"] < 0.07 < difference["high"]
    table = pd.read_csv(tmp_path / "out" / "draws.csv")
    assert len(table) == 3 * 3 * len(OVER_DRAWS)
    assert table.query("model == 'improved' and measure == 'accuracy' and seed == 43")["value"].item() == 0.82
    assert json.loads((tmp_path / "out" / "findings.json").read_text()) == []


def test_the_variance_is_corrected_for_the_images_that_draws_share(tmp_path):
    item = collect(tmp_path, VALUES)["splits.mean.baseline.accuracy"]
    assert item["se"] == pytest.approx(np.sqrt((1 / 3 + 20 / 64) * 0.0025))
    assert item["high"] - item["value"] == pytest.approx(4.302653 * item["se"], rel=1e-5)
    assert item["level"] == 0.95


def test_a_measure_that_a_draw_does_not_define_is_undefined_over_all(tmp_path):
    found = collect(tmp_path, {**VALUES, "improved": (0.8, None, 0.84)})
    for end in ("mean", "lowest", "highest"):
        for name in ("improved", "improved_vs_baseline"):
            item = found[f"splits.{end}.{name}.accuracy"]
            assert (item["value"], item["reason_null"]) == (None, "undefined on some of the draws")
    assert found["splits.mean.baseline.accuracy"]["value"] == pytest.approx(0.75)


def test_what_is_the_same_on_all_draws_has_no_interval(tmp_path):
    item = collect(tmp_path, {**VALUES, "baseline": (0.25, 0.25, 0.25)})["splits.mean.baseline.accuracy"]
    assert (item["value"], item["low"], item["high"]) == (0.25, None, None)
    assert item["reason_null"] == "the same on all draws, so nothing tells how it varies"


def test_a_measure_s_interval_stays_within_0_and_1_and_a_difference_s_does_not(tmp_path):
    found = collect(tmp_path, {"baseline": (0.9, 0.99, 1.0), "improved": (0.1, 0.9, 1.0)})
    assert found["splits.mean.baseline.accuracy"]["high"] == 1
    assert found["splits.mean.improved.accuracy"]["low"] == 0
    assert found["splits.mean.improved_vs_baseline.accuracy"]["low"] < -1


def test_intervals_cover_where_draws_share_what_they_train_on():
    """A mean over K draws whose results correlate by n_test / (n_test + n_train), as the correction takes it."""
    rng = np.random.default_rng(5)
    draws, ratio, many = 5, 0.25, 4000
    rho = ratio / (1 + ratio)
    shared = norm.rvs(size=(many, 1), random_state=rng) * np.sqrt(rho)
    values = 0.02 * (shared + norm.rvs(size=(many, draws), random_state=rng) * np.sqrt(1 - rho))
    found = [
        splits.summarise("m.accuracy", row, ratio, is_difference=True)["splits.mean.m.accuracy"]
        for row in values
    ]
    covered = np.mean([item["low"] <= 0 <= item["high"] for item in found])
    assert 0.94 < covered < 0.96

"""What models reach over folds, against scikit-learn on the predictions of all folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score

from analysis.errors import DataError
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.stages import folds
from analysis.progress import silent
from analysis.vocabulary.folds import OVER_FOLDS, names
from tests.evaluation.conftest import CLASSES, softmax_scores

MODELS, FOLDS, N = ("baseline", "improved"), 3, 90
SKILL = {"baseline": 0.8, "improved": 2.2}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write three folds of patients with two images each, and what two models say of them."""
    root = tmp_path_factory.mktemp("folds")
    rng = np.random.default_rng(3)
    for k in range(1, FOLDS + 1):
        y_true = np.r_[np.arange(4), rng.integers(0, 4, N - 4)]
        table = pd.DataFrame({"image_id": [f"{k}-{i}.jpg" for i in range(N)], "split": "test", "fold": k})
        table["patient_id"] = [f"p{k}-{i // 2}" for i in range(N)]
        table["y_true"] = [CLASSES[y] for y in y_true]
        for seed, model in enumerate(MODELS):
            folder = root / f"{model}@fold_{k}"
            folder.mkdir()
            scores = softmax_scores(10 * k + seed, y_true, SKILL[model])
            pd.concat([table, pd.DataFrame(scores, columns=[*CLASSES])], axis=1).to_csv(
                folder / "predictions.csv", index=False
            )
        (root / f"split@fold_{k}").mkdir()
        parts = ["test"] * N + ["train"] * 150 + ["val"] * 30
        pd.DataFrame({"split": parts}).to_csv(root / f"split@fold_{k}" / "split.csv", index=False)
    return root


def run(root: Path, out: Path) -> dict[str, Any]:
    out.mkdir()
    folds.collect(
        {folder.name: folder for folder in root.iterdir()},
        out,
        scratch=out,
        progress=silent,
        classes=CLASSES,
        folds=FOLDS,
        models=MODELS,
        pairs=[["improved", "baseline"]],
    )
    found: dict[str, Any] = json.loads((out / "results.json").read_text(), parse_constant=pytest.fail)
    return found


@pytest.fixture(scope="module")
def results(written: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(written, tmp_path_factory.mktemp("out") / "folds")


def tables(written: Path, model: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the true classes and the scores of each fold."""
    read = [pd.read_csv(written / f"{model}@fold_{k}" / "predictions.csv") for k in range(1, FOLDS + 1)]
    return [(t["y_true"].map(CLASSES.index).to_numpy(), t[[*CLASSES]].to_numpy()) for t in read]


def test_results_have_the_declared_names(results):
    assert set(results) == set(names(CLASSES, FOLDS, MODELS, ["improved_vs_baseline"]))


@pytest.mark.parametrize("model", MODELS)
def test_counts_and_class_measures_are_of_all_images_and_areas_are_averaged(written, results, model):
    folds = tables(written, model)
    y_true = np.concatenate([y for y, _ in folds])
    y_pred = np.concatenate([scores.argmax(axis=1) for _, scores in folds])
    value = {name.removeprefix(f"{model}@folds.test."): item["value"] for name, item in results.items()}
    assert value["n"] == FOLDS * N
    assert value["accuracy"] == pytest.approx(accuracy_score(y_true, y_pred))
    assert value["f1.macro"] == pytest.approx(f1_score(y_true, y_pred, average="macro"))
    recalls = recall_score(y_true, y_pred, average=None)
    assert [value[f"sensitivity.{c}"] for c in CLASSES] == pytest.approx(recalls)
    assert sum(value[f"confusion.{a}.{b}"] for a in CLASSES for b in CLASSES) == FOLDS * N
    areas = [roc_auc_score(y, scores, multi_class="ovr") for y, scores in folds]
    assert value["auroc.macro"] == value["mean.auroc.macro"] == pytest.approx(np.mean(areas))
    pooled = roc_auc_score(y_true, np.concatenate([scores for _, scores in folds]), multi_class="ovr")
    assert value["auroc.macro"] != pytest.approx(pooled, abs=1e-6)
    each = [f1_score(y, scores.argmax(axis=1), average="macro") for y, scores in folds]
    found = [results[f"{model}@fold_{k}.test.f1.macro"] for k in range(1, FOLDS + 1)]
    assert [item["value"] for item in found] == pytest.approx(each)
    assert all(item["low"] < item["value"] < item["high"] for item in found)
    assert value["mean.f1.macro"] == pytest.approx(np.mean(each))


def test_means_have_the_corrected_interval(written, results):
    by_model = [
        [f1_score(y, s.argmax(axis=1), average="macro") for y, s in tables(written, m)] for m in MODELS
    ]
    gains = np.subtract(by_model[1], by_model[0])
    item = results["improved_vs_baseline@folds.test.mean.f1.macro"]
    error = np.sqrt((1 / FOLDS + N / 150) * gains.var(ddof=1))
    assert item["value"] == pytest.approx(gains.mean())
    assert item["se"] == pytest.approx(error)
    assert item["high"] - item["low"] == pytest.approx(2 * 4.302653 * error, rel=1e-5)
    assert item["method"].endswith("corrected t over folds (Nadeau and Bengio)")
    assert (item["n"], item["clusters"]) == (FOLDS * N, FOLDS * N // 2)


def test_the_difference_is_paired_and_of_all_images(results):
    item = results["improved_vs_baseline@folds.test.f1.macro"]
    one, other = (results[f"{m}@folds.test.f1.macro"] for m in MODELS)
    assert item["value"] == pytest.approx(other["value"] - one["value"])
    assert 0 < item["low"] < item["value"] < item["high"]
    assert item["method"].endswith("percentile bootstrap over patients")
    assert (item["n"], item["clusters"]) == (FOLDS * N, FOLDS * N // 2)
    assert "confusion.viral.viral" not in {
        n.removeprefix("improved_vs_baseline@folds.test.") for n in results
    }


def test_patients_are_drawn_within_their_fold_and_otherwise_in_each():
    y_true = np.tile(np.arange(4), 10)
    ids = np.array([f"p{i}" for i in range(40)], dtype=object)
    images = Predictions(CLASSES, ids, ids, y_true, softmax_scores(1, y_true, 1.0))
    both = [folds._resample({"m": images}, f"@fold_{k}", k) for k in (1, 2)]
    assert all((fold.weights.sum(axis=1) == 40).all() for fold in both)
    assert (both[0].weights != both[1].weights).any()
    whole = folds._pool("m", both)
    assert len(whole.trainings[0].y_true) == 80
    spread = [np.std(side.draws["accuracy"]) for side in (whole, both[0].models["m"])]
    assert spread[0] == pytest.approx(spread[1] / np.sqrt(2), rel=0.1)


def test_the_table_has_each_measure_of_each_fold(written, tmp_path):
    found = run(written, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "folds.csv")
    assert len(table) == FOLDS * 3 * len(OVER_FOLDS)
    for row in table.itertuples():
        assert found[f"{row.model}@fold_{row.fold}.test.{row.measure}"]["value"] == pytest.approx(row.value)


def test_models_on_other_images_are_refused(written, tmp_path):
    root = tmp_path / "folds"
    root.mkdir()
    for folder in written.iterdir():
        (root / folder.name).symlink_to(folder)
    (root / "improved@fold_2").unlink()
    (root / "improved@fold_2").symlink_to(written / "improved@fold_1")
    with pytest.raises(
        DataError, match="baseline@fold_2 and improved@fold_2: the models were not given the same"
    ):
        run(root, tmp_path / "out")


def test_what_one_fold_leaves_undefined_has_no_mean(written, tmp_path):
    root = tmp_path / "folds"
    root.mkdir()
    for folder in written.iterdir():
        if "fold_1" not in folder.name or folder.name.startswith("split"):
            (root / folder.name).symlink_to(folder)
            continue
        (root / folder.name).mkdir()
        table = pd.read_csv(folder / "predictions.csv")
        table[table["y_true"] != "viral"].to_csv(root / folder.name / "predictions.csv", index=False)
    found = run(root, tmp_path / "out")
    item = found["baseline@folds.test.auroc.viral"]
    assert (item["value"], item["reason_null"]) == (None, "undefined in some of the folds")
    assert found["baseline@folds.test.sensitivity.viral"]["value"] is not None

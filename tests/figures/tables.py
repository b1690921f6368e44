"""Made-up tables such as the stages write, for figures: realistic curves and counts, intervals by rule of thumb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

SPLITS = ("val", "test")
SHARES = {2: (0.38, 0.62), 3: (0.45, 0.15, 0.4), 4: (0.41, 0.07, 0.24, 0.28)}
# How far the true class's logit lies above the others: the mean and what it varies by, for each class in turn.
SKILL = {2: (2.2, 1.8), 3: (1.9, 3.4, 2.4), 4: (1.9, 3.6, 2.8, 1.0)}
MEASURES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "auroc", "mcc")
GRID = np.linspace(0, 1, 101)


def simulate(
    ids: Sequence[str], n: int, skill: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return true classes (n,) and probabilities (n, K) of a model that is too sure of itself."""
    rng = np.random.default_rng(seed)
    k = len(ids)
    y_true = rng.choice(k, n, p=SHARES[k])
    logits = rng.normal(0, 1.6, (n, k)) + skill * (np.asarray(SKILL[k]) * np.eye(k))[y_true]
    weights = np.exp(1.5 * logits)
    return y_true, weights / weights.sum(axis=1, keepdims=True)


def write_evaluation(
    folder: Path, ids: Sequence[str], *, n: int = 1258, skill: float = 1.0, seed: int = 1
) -> None:
    """Write ``bands``, ``auroc``, ``average_precision``, ``roc``, ``confusion``, ``reliability``, ``decision``."""
    folder.mkdir(parents=True)
    tables: dict[str, list[pd.DataFrame]] = {}
    for number, split in enumerate(SPLITS):
        y_true, y_score = simulate(ids, n, skill, seed + 100 * number)
        for name, rows in _of_split(ids, y_true, y_score).items():
            tables.setdefault(name, []).append(rows.assign(split=split))
    for name, parts in tables.items():
        table = pd.concat(parts)
        table.insert(0, "split", table.pop("split"))
        table.to_csv(folder / f"{name}.csv", index=False)


def _of_split(
    ids: Sequence[str], y_true: NDArray[np.int64], y_score: NDArray[np.float64]
) -> dict[str, pd.DataFrame]:
    truth = np.eye(len(ids), dtype=bool)[y_true]
    roc, pr, curves, auroc, precision = [], [], [], [], []
    for k, name in enumerate(ids):
        fpr, tpr, _ = roc_curve(truth[:, k], y_score[:, k])
        p, r, _ = precision_recall_curve(truth[:, k], y_score[:, k])
        roc.append(_banded("roc", name, np.interp(GRID, fpr, tpr), truth[:, k].sum()))
        pr.append(_banded("pr", name, np.interp(GRID, r[::-1], p[::-1]), truth[:, k].sum()))
        curves.append(pd.DataFrame({"curve": name, "fpr": fpr, "tpr": tpr}))
        auroc.append((name, roc_auc_score(truth[:, k], y_score[:, k])))
        precision.append((name, average_precision_score(truth[:, k], y_score[:, k]), truth[:, k].mean()))
    mean = np.mean([c["y"] for c in roc], axis=0)
    curves.append(pd.DataFrame({"curve": "macro", "fpr": GRID, "tpr": mean}))
    fpr, tpr, _ = roc_curve(truth.ravel(), y_score.ravel())
    curves.append(pd.DataFrame({"curve": "micro", "fpr": fpr, "tpr": tpr}))
    auroc += [
        ("macro", np.mean([area for _, area in auroc])),
        ("micro", roc_auc_score(truth.ravel(), y_score.ravel())),
    ]
    return {
        "bands": pd.concat([*roc, _banded("roc", "macro", mean, len(y_true)), *pr]),
        "roc": pd.concat(curves),
        "auroc": _between(pd.DataFrame(auroc, columns=["curve", "auroc"]), "auroc", len(y_true)),
        "average_precision": _between(
            pd.DataFrame(precision, columns=["curve", "average_precision", "prevalence"]),
            "average_precision",
            len(y_true),
        ),
        "confusion": _confusion(ids, y_true, y_score.argmax(axis=1)),
        "reliability": _reliability(y_true, y_score),
        "decision": _decision(y_true != 0, 1 - y_score[:, 0]),
    }


def _banded(kind: str, curve: str, y: NDArray[np.float64], n: int) -> pd.DataFrame:
    half = 1.96 * np.sqrt(np.clip(y * (1 - y), 1e-4, None) / max(n, 1))
    low, high = np.clip(y - half, 0, 1), np.clip(y + half, 0, 1)
    return pd.DataFrame({"kind": kind, "curve": curve, "x": GRID, "y": y, "low": low, "high": high})


def _between(table: pd.DataFrame, name: str, n: int) -> pd.DataFrame:
    half = 1.96 * np.sqrt(table[name] * (1 - table[name]) / n)
    return table.assign(low=(table[name] - half).clip(0, 1), high=(table[name] + half).clip(0, 1))


def _confusion(ids: Sequence[str], y_true: NDArray[np.int64], y_pred: NDArray[np.int64]) -> pd.DataFrame:
    rows = []
    for i, true in enumerate(ids):
        for j, predicted in enumerate(ids):
            count = int(((y_true == i) & (y_pred == j)).sum())
            share = count / max(1, (y_true == i).sum())
            rows.append({"y_true": true, "y_pred": predicted, "count": count, "share": share})
    return pd.DataFrame(rows)


def _reliability(y_true: NDArray[np.int64], y_score: NDArray[np.float64]) -> pd.DataFrame:
    flat = y_score ** (1 / 1.5)
    parts = []
    for name, score in (("raw", y_score), ("corrected", flat / flat.sum(axis=1, keepdims=True))):
        top, right = score.max(axis=1), score.argmax(axis=1) == y_true
        for bin_, members in enumerate(np.array_split(np.argsort(top), 15), start=1):
            p, n = right[members].mean(), len(members)
            half = 1.96 * np.sqrt(max(p * (1 - p), 0.01) / n)
            parts.append((name, "top", bin_, n, top[members].mean(), p, max(0, p - half), min(1, p + half)))
    columns = ["probabilities", "score", "bin", "n", "confidence", "observed", "low", "high"]
    return pd.DataFrame(parts, columns=columns)


def _decision(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> pd.DataFrame:
    parts = []
    for prevalence in (0.1, 0.3, 0.5):
        odds = prevalence / (1 - prevalence) * (1 - positive.mean()) / positive.mean()
        here = odds * score / (odds * score + 1 - score)
        for t in np.linspace(0.01, 0.99, 99):
            cost = (1 - prevalence) * t / (1 - t)
            sensitivity, false = (here[positive] >= t).mean(), (here[~positive] >= t).mean()
            parts.append((prevalence, t, prevalence * sensitivity - cost * false, prevalence - cost))
    return pd.DataFrame(parts, columns=["prevalence", "threshold", "net_benefit", "treat_all"])


def write_differences(
    path: Path, ids: Sequence[str], *, shift: float = 0.03, wide: float = 1.0, seed: int = 3
) -> None:
    """Write a table of differences, all about ``shift``, with intervals ``wide`` times as wide as is usual."""
    rng = np.random.default_rng(seed)
    rows = []
    for split in SPLITS:
        for measure in MEASURES:
            whole = {"accuracy": [""], "mcc": ["", *ids], "auroc": [*ids, "macro", "micro"]}
            for of in whole.get(measure, [*ids, "macro"]):
                a, half = rng.uniform(0.6, 0.9), wide * (rng.uniform(0.02, 0.06) if of in ids else 0.025)
                difference = shift + rng.normal(0, 0.02 * wide)
                level = 0.975 if (measure, of) == ("f1", "macro") else 0.95
                values = (a, a + difference, difference, difference - half, difference + 1.1 * half, level)
                rows.append((split, measure, of, *values))
    columns = ["split", "measure", "class", "a", "b", "difference", "low", "high", "level"]
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)

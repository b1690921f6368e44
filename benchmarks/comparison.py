"""One comparison's intervals and tests on 1,258 images of four classes: ours, and scikit-learn in a loop."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
)

from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.statistics.pairs import Model, Pair
from analysis.evaluation.statistics.resampling import resamples
from benchmarks import harness

N, CLASSES, LOOPED = 1258, ("a", "b", "c", "d"), 20
K = len(CLASSES)


def predictions(seed: int, certainty: float) -> Predictions:
    """Return what a made-up model says of images of patients with two each."""
    y_true = np.random.default_rng(0).choice(K, N, p=[0.44, 0.07, 0.25, 0.24])
    y_score = np.random.default_rng(seed).dirichlet(np.ones(K), N) + certainty * np.eye(K)[y_true]
    y_score /= y_score.sum(axis=1, keepdims=True)
    names = np.array([f"{i}.png" for i in range(N)])
    return Predictions(CLASSES, names, np.array([f"p{i // 2}" for i in range(N)]), y_true, y_score)


def ours(a: Predictions, b: Predictions) -> dict[str, Any]:
    """Return the first resampled differences of all measures, after all intervals and the test."""
    weights = resamples(a)
    pair = Pair(Model.from_trainings("a", [a], weights), Model.from_trainings("b", [b], weights))
    for measure in pair.a.values:
        pair.interval(measure)
    pair.p_value("f1.macro")
    return {measure: pair.draws(measure)[:LOOPED] for measure in pair.a.values}


def looped(a: Predictions, b: Predictions) -> dict[str, Any]:
    """Return the same of the measures that scikit-learn has, of the first resamples."""
    rows = []
    for weight in resamples(a, settings.RESAMPLES)[:LOOPED]:
        taken = np.repeat(np.arange(N), weight)
        of_a, of_b = (_measure(p.y_true[taken], p.y_pred[taken], p.y_score[taken]) for p in (a, b))
        rows.append({name: of_b[name] - of_a[name] for name in of_a})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _measure(y_true: Any, y_pred: Any, y_score: Any) -> dict[str, float]:
    ppv, sensitivity, f1, _ = precision_recall_fscore_support(y_true, y_pred, labels=range(K))
    found = {"accuracy": accuracy_score(y_true, y_pred), "mcc": matthews_corrcoef(y_true, y_pred)}
    found["f1.macro"] = f1_score(y_true, y_pred, average="macro", labels=range(K))
    for k, name in enumerate(CLASSES):
        found |= {f"ppv.{name}": ppv[k], f"sensitivity.{name}": sensitivity[k], f"f1.{name}": f1[k]}
        found[f"auroc.{name}"] = roc_auc_score(y_true == k, y_score[:, k])
    return found


def require_same(mine: dict[str, Any], other: dict[str, Any]) -> None:
    """Every resampled difference is the same."""
    for name, values in other.items():
        np.testing.assert_allclose(mine[name], values, rtol=0, atol=1e-6, err_msg=name)


def main() -> None:
    """Time both; the loop's seconds are scaled up to all resamples."""
    a, b = predictions(1, 0.4), predictions(2, 0.5)
    times = harness.time_in_turn(
        {
            "ours": functools.partial(ours, a, b),
            f"scikit-learn, {LOOPED} resamples": functools.partial(looped, a, b),
        },
        require_same,
    )
    mine, theirs = times.values()
    ratio = theirs.cpu_median * settings.RESAMPLES / LOOPED / mine.cpu_median
    harness.keep(
        "comparison",
        work=f"one comparison's intervals and test, {N:,} x {K}, {settings.RESAMPLES:,} resamples",
        goal="50 times scikit-learn in a loop, equal to 1e-6",
        reached=f"{ratio:.0f} times in CPU, every resampled difference equal to 1e-6",
        met=ratio >= 50,
        timings=times,
        notes=[
            f"The loop does {LOOPED} resamples and is scaled up; it has fewer measures than ours, and draws no intervals."
        ],
    )


if __name__ == "__main__":
    main()

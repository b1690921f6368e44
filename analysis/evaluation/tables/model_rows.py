"""Rows of the tables of one model, from its results: measures by class, confusion matrix, areas; and its worst errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.results_file import Results
from analysis.vocabulary.measures import BY_CLASS, MACRO

SplitResults = Mapping[str, Results]
"""Results of one model by split, under the names ``<measure>[.<class or average>]``."""


def measure_rows(results: SplitResults, classes: Sequence[str]) -> list[dict[str, object]]:
    """Return the measures of each class and their means, a row for each split and class."""
    columns = (*(measure.id for measure in BY_CLASS), "auroc")
    return [
        {
            "split": split,
            "class": name,
            **{measure: found[f"{measure}.{name}"]["value"] for measure in columns},
            "support": found["n" if name == MACRO else f"support.{name}"]["value"],
        }
        for split, found in results.items()
        for name in (*classes, MACRO)
    ]


def confusion_rows(results: SplitResults, classes: Sequence[str]) -> list[dict[str, object]]:
    """Return the cells of the confusion matrices."""
    return [
        {
            "split": split,
            "y_true": true,
            "y_pred": predicted,
            "count": found[f"confusion.{true}.{predicted}"]["value"],
            "share": found[f"confusion_share.{true}.{predicted}"]["value"],
        }
        for split, found in results.items()
        for true in classes
        for predicted in classes
    ]


def area_rows(results: SplitResults, measure: str, curves: Sequence[str]) -> list[dict[str, object]]:
    """Return an area under the curve of each class or average in ``curves``, with its interval."""
    rows: list[dict[str, object]] = []
    for split, found in results.items():
        for name in curves:
            item = found[f"{measure}.{name}"]
            row = {"split": split, "curve": name, measure: item["value"]}
            rows.append({**row, "low": item["low"], "high": item["high"]})
    return rows


def confident_errors(predictions: Predictions) -> Iterator[dict[str, object]]:
    """Yield for each true class the images that are called another with the highest probability."""
    confidence = predictions.y_score.max(axis=1)
    for k, name in enumerate(predictions.classes):
        wrong = np.flatnonzero((predictions.y_true == k) & (predictions.y_pred != k))
        most_confident = wrong[np.argsort(-confidence[wrong], kind="stable")]
        for row in most_confident[: settings.CONFIDENT_ERRORS]:
            yield {
                "y_true": name,
                "y_pred": predictions.classes[predictions.y_pred[row]],
                "probability": confidence[row],
                "image_id": predictions.image_id[row],
            }

"""The images that one of two models gets right and the other wrong, the largest changes first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.evaluation import settings
from analysis.evaluation.statistics.pairs import Pair
from analysis.vocabulary.results import CHANGED_SIDES

COLUMNS = (
    *("split", "y_true", "direction", "image_id", "said_a", "p_said_a", "said_b", "p_said_b"),
    *("change", "number"),
)


def flip_table(pair: Pair, split: str) -> pd.DataFrame:
    """Return the rows of ``flips.<b>.csv``: an image each that changed sides between the first trainings of both.

    ``direction`` is ``fixed`` where only b is right and ``broken`` where only a is; ``change`` is the probability that b
    gives the true class, less that of a. A class has its largest changes first. ``number``, from 1, has those that are
    shown as examples: at most ``settings.FLIPS_SHOWN`` a class and direction, of the ``settings.FLIP_CLASSES_SHOWN``
    classes with the most images that changed.
    """
    table = pd.DataFrame(list(_flips(pair, split)), columns=list(COLUMNS))
    most = table["y_true"].value_counts(sort=False).sort_values(ascending=False, kind="stable")
    within = table.groupby(["y_true", "direction"], sort=False).cumcount() < settings.FLIPS_SHOWN
    shown = within & table["y_true"].isin(most.index[: settings.FLIP_CLASSES_SHOWN])
    table["number"] = shown.cumsum().where(shown).astype("Int64")
    return table


def _flips(pair: Pair, split: str) -> Iterator[dict[str, object]]:
    a, b = pair.images, pair.b.trainings[0]
    row = np.arange(len(a.y_true))
    p_a, p_b = (side.y_score[row, side.y_pred] for side in (a, b))
    change = b.y_score[row, a.y_true] - a.y_score[row, a.y_true]
    right = {"fixed": (b.y_pred == a.y_true) & (a.y_pred != a.y_true)}
    right["broken"] = (a.y_pred == a.y_true) & (b.y_pred != a.y_true)
    for k, name in enumerate(a.classes):
        for direction in CHANGED_SIDES:
            moved = np.flatnonzero(right[direction] & (a.y_true == k))
            for i in moved[np.argsort(-np.abs(change[moved]), kind="stable")]:
                yield {
                    "split": split,
                    "y_true": name,
                    "direction": direction,
                    "image_id": a.image_id[i],
                    "said_a": a.classes[a.y_pred[i]],
                    "p_said_a": p_a[i],
                    "said_b": a.classes[b.y_pred[i]],
                    "p_said_b": p_b[i],
                    "change": change[i],
                }

"""What has to be known of a trained network to answer with it: how its probabilities are calibrated, what it was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import write_json
from analysis.evaluation.statistics import calibration
from analysis.evaluation.statistics.resemblance import resemblance, thumbnails
from analysis.evaluation.tables import calibration as tables
from analysis.progress import Progress


def describe(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    split: str,
) -> None:
    """Write ``model.json``, and how like the training images are those of ``split``: ``training.npy``, ``resemblance.npy``.

    ``model.json`` has under ``calibration`` what the probabilities of an image are multiplied with (``factors``) and the
    temperature, as the evaluation has them: fitted on ``val`` alone; under ``counts`` the images of each part and class;
    the ``head`` of the network.

    Parameters
    ----------
    inputs : mapping of str to Path
        Files of the stages before: ``predictions``, ``training`` (``training.json``), ``records``, ``split``, ``images``.
    classes : sequence of str
        Class ids in the study's order.
    split : str
        The part whose images, on which the network was not trained, tell how unlike is usual.
    """
    table = pd.read_csv(inputs["records"], usecols=["label"], dtype=str)
    table["split"] = pd.read_csv(inputs["split"], usecols=["split"], dtype=str)["split"]
    counts = _count(table, classes)
    trained = json.loads(inputs["training"].read_text(encoding="utf-8"))
    predictions = read_predictions(inputs["predictions"], classes, ["val"])
    facts = {
        "calibration": _calibrate(predictions, [*counts["train"].values()], trained),
        "counts": counts,
        "head": trained["head"],
    }
    write_json(out / "model.json", facts)
    images = np.load(inputs["images"], mmap_mode="r")
    training = thumbnails(images[table["split"] == "train"])
    np.save(out / "training.npy", training)
    np.save(out / "resemblance.npy", resemblance(thumbnails(images[table["split"] == split]), training))
    progress(1, 1, "models")


def _count(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return the images of each class in each part."""
    found = table.groupby(["split", "label"]).size()
    return {part: {c: int(found.get((part, c), 0)) for c in classes} for part in table["split"].unique()}


def _calibrate(
    predictions: Mapping[str, Predictions], counts: Sequence[int], trained: Mapping[str, Any]
) -> dict[str, Any]:
    """Return by what the probabilities of a network are corrected, as `analysis.evaluation.tables.calibration.correct` does."""
    balance, weights, val = trained["class_balance"], trained["class_weights"], predictions["val"]
    corrected = tables.correct(predictions, counts, balance, weights)
    factors = np.ones(len(val.classes))
    if corrected.rebalanced:
        shares = np.bincount(val.y_true, minlength=len(val.classes)) / len(val.y_true)
        factors = shares / calibration.effective_priors(counts, balance, weights)
    return {"factors": factors.tolist(), "temperature": corrected.temperature}

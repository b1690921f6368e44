"""What a network's probabilities of single images amount to: calibrated, and whether an image is like those of the training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arrays import Floats
from analysis.evaluation.results_file import write_json
from analysis.evaluation.statistics import calibration
from analysis.evaluation.statistics.resemblance import (
    count_as_unlike,
    is_unlike,
    resemblance,
    thumbnails,
)
from analysis.progress import Progress
from analysis.stage_files import find_file


def answer(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
) -> None:
    """Write ``answers.json``: an answer for each image in its order, or the ``problem`` that keeps it from being read.

    ``predicted`` is the class that the network calls most probable, by which it was evaluated; ``probabilities`` are
    calibrated, ``uncalibrated`` as the network gives them. ``resemblance`` is null where the training images are not known.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``classified`` (a folder of the stage `analysis.models.single_images.classify`), ``calibration`` (a JSON file that has
        them), and if they are known ``training`` and ``tested`` (of `analysis.evaluation.stages.describe_model.describe`).
    classes : sequence of str
        In the order of the network's outputs.
    """
    rows = _read_json(inputs["classified"] / "probabilities.json")
    fitted = _read_json(find_file(inputs["calibration"], "model.json"))["calibration"]
    looks = _compare(inputs, np.load(inputs["classified"] / "images.npy"))
    read = [row for row in rows if "problem" not in row]
    for row, look in zip(read, looks, strict=True):
        raw = np.array([[row["probabilities"][c] for c in classes]])
        (y_score,) = calibrate(raw, fitted)
        row |= {
            "predicted": classes[int(raw.argmax())],
            "probabilities": dict(zip(classes, map(float, y_score), strict=True)),
            "uncalibrated": row["probabilities"],
            "resemblance": look,
        }
    progress(len(rows), len(rows), "images")
    write_json(out / "answers.json", rows)


def calibrate(y_score: Floats, fitted: Mapping[str, Any]) -> Floats:
    """Return probabilities (n, K) corrected for the shares of the classes and by temperature, as ``fitted``."""
    factors = np.array(fitted["factors"])
    prior = calibration.prior_corrected(y_score, np.ones_like(factors), factors)
    return calibration.tempered(prior, fitted["temperature"])


def _compare(inputs: Mapping[str, Path], images: NDArray[np.uint8]) -> list[dict[str, Any] | None]:
    """Return how like the training images each image is, and how many images of the study are not more so."""
    if "training" not in inputs:
        return [None] * len(images)
    training = np.load(inputs["training"] / "training.npy")
    tested = np.load(inputs["tested"] / "resemblance.npy")
    found: list[dict[str, Any] | None] = []
    for value in resemblance(thumbnails(images), training):
        as_unlike = count_as_unlike(value, tested)
        found.append(
            {
                "value": float(value),
                "as_unlike": as_unlike,
                "of": len(tested),
                "unlike": is_unlike(as_unlike, len(tested)),
            }
        )
    return found


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))

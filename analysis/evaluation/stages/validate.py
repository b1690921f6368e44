"""The ``validate`` stage of one model: its measures on the validation set, while the test set is locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.evaluation.predictions import read_predictions
from analysis.evaluation.results_file import owned, write_json
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.roc import roc_curves
from analysis.evaluation.tables.measures import measure_results
from analysis.progress import Progress
from analysis.vocabulary.splits import VALIDATION


def validate(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    model: str,
    classes: Sequence[str],
) -> None:
    """Write ``results.json``: every measure of a model on the validation set, as `evaluate` has it.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``predictions``, which has no image of the test set.
    model : str
        What the results are named.
    classes : sequence of str
        Class ids in the study's order.
    """
    predictions = read_predictions(inputs["predictions"] / "predictions.csv", classes, [VALIDATION])[
        VALIDATION
    ]
    areas = {name: curve.auroc for name, curve in roc_curves(predictions).items()}
    artifact = f"predict.{model}/predictions.csv"
    results = measure_results(predictions, areas, resamples(predictions), artifact)
    write_json(out / "results.json", owned(results, model, VALIDATION))
    progress(1, 1, "splits")

"""The ``evaluate`` stage: all measures of one model on each split, with their intervals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.arrays import Weights
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Basis, Results, entry, owned, write_json
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.roc import Roc, roc_curves
from analysis.evaluation.tables import calibration, model_rows, operating_points
from analysis.evaluation.tables.calibration import Corrected
from analysis.evaluation.tables.classification import Labelled
from analysis.evaluation.tables.curves import (
    average_precision_results,
    band_tables,
    roc_rows,
    threshold_counts,
)
from analysis.evaluation.tables.learning_curves import learning_results, read_history
from analysis.evaluation.tables.measures import measure_results
from analysis.progress import Progress
from analysis.vocabulary.measures import MACRO, MICRO


@dataclass(frozen=True)
class Measured:
    """What is computed of one model on one split, apart from calibration."""

    results: Results
    curves: Mapping[str, Roc]
    bands: Sequence[pd.DataFrame]


def evaluate(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    model: str,
    classes: Sequence[str],
    normal: str | None,
    splits: Sequence[str],
    class_balance: str,
) -> None:
    """Write ``results.json`` and the tables that figures and tables of the report are made from.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``predictions``, ``records`` and ``split``, and for a network ``training``.
    model : str
        What the results are named.
    classes : sequence of str
        Class ids in the study's order.
    normal : str or None
        The class without disease, if the study has one.
    splits : sequence of str
        Those that are evaluated; ``val`` and ``test`` are among them.
    class_balance : str
        How the training balanced the classes: probabilities are corrected for it.
    """
    predictions = read_predictions(inputs["predictions"] / "predictions.csv", classes, splits)
    artifact = f"predict.{model}/predictions.csv"
    weights = {split: resamples(p) for split, p in predictions.items()}
    measured: dict[str, Measured] = {}
    for done, split in enumerate(splits):
        progress(done, len(splits), "splits")
        measured[split] = _measure(predictions[split], split, weights[split], artifact)
    counts, class_weights = _training_counts(inputs, classes), _class_weights(inputs)
    corrected = calibration.correct(predictions, counts, class_balance, class_weights)
    probable = probability_results(corrected, normal, weights, artifact)
    results = {split: found.results | probable[split] for split, found in measured.items()}
    _write_results(out, model, results, _training_results(inputs, model))
    _write_model_tables(out, results, classes)
    _write(out / "roc.csv", roc_rows({split: found.curves for split, found in measured.items()}))
    _write_table(pd.concat([band for found in measured.values() for band in found.bands]), out / "bands.csv")
    _write(out / "errors.csv", model_rows.confident_errors(predictions["test"]))
    rows = (row for split in splits for row in calibration.reliability_rows(corrected, split))
    _write(out / "reliability.csv", rows)
    if normal is not None:
        _write_table(operating_points.predictive_table(results["test"]), out / "predictive.csv")
        _write_table(operating_points.decision_table(corrected.scaled, normal), out / "decision.csv")


def _measure(predictions: Predictions, split: str, weights: Weights, artifact: str) -> Measured:
    """Return every measure of one model on one split, its ROC curves and their bands."""
    curves = roc_curves(predictions)
    areas = {name: curve.auroc for name, curve in curves.items()}
    counts = threshold_counts(predictions, weights)
    results = {
        **measure_results(predictions, areas, weights, artifact),
        **average_precision_results(counts, Labelled.from_predictions(predictions, artifact)),
    }
    return Measured(results, curves, list(band_tables(counts, split)))


def probability_results(
    corrected: Corrected, normal: str | None, weights: Mapping[str, Weights], artifact: str
) -> dict[str, Results]:
    """Return calibration and operating points of a model by split."""
    points = operating_points.operating_point_results(corrected.raw, normal, artifact)
    return {
        split: calibration.calibration_results(corrected, split, weights[split], artifact) | points[split]
        for split in corrected.raw
    }


def _training_counts(inputs: Mapping[str, Path], classes: Sequence[str]) -> list[int]:
    """Return how many training images each class has."""
    labels = pd.read_csv(inputs["records"] / "records.csv", usecols=["label"], dtype=str)["label"]
    train = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"], dtype=str)["split"] == "train"
    counts = labels[train].value_counts()
    return [int(counts.get(name, 0)) for name in classes]


def _class_weights(inputs: Mapping[str, Path]) -> list[float] | None:
    """Return the weights of the classes in the training loss, None without any."""
    return _training_facts(inputs)["class_weights"] if "training" in inputs else None


def _training_facts(inputs: Mapping[str, Path]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((inputs["training"] / "training.json").read_text(encoding="utf-8"))
    return facts


def _training_results(inputs: Mapping[str, Path], model: str) -> Results:
    """Return the facts of the learning curves, and the epoch whose weights were saved; nothing without a training."""
    if "training" not in inputs:
        return {}
    epoch, basis = _training_facts(inputs)["weights_epoch"], Basis(f"train.{model}/training.json")
    history = read_history(inputs["training"] / "history.csv")
    return {
        **learning_results(history, Basis(f"train.{model}/history.csv")),
        "weights_epoch": entry(epoch, "epoch whose weights are evaluated", basis),
    }


def _write_results(out: Path, model: str, results: Mapping[str, Results], training: Results) -> None:
    named = owned(training, model, "training")
    for split, found in results.items():
        named |= owned(found, model, split)
    write_json(out / "results.json", named)


def _write_model_tables(out: Path, results: Mapping[str, Results], classes: Sequence[str]) -> None:
    _write(out / "measures.csv", model_rows.measure_rows(results, classes))
    _write(out / "confusion.csv", model_rows.confusion_rows(results, classes))
    _write(out / "auroc.csv", model_rows.area_rows(results, "auroc", (*classes, MACRO, MICRO)))
    precision = "average_precision"
    _write(out / f"{precision}.csv", model_rows.area_rows(results, precision, classes))


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    _write_table(pd.DataFrame(list(rows)), path)


def _write_table(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n")

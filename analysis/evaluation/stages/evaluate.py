"""The ``evaluate`` stage: all measures of one model on each split, with their intervals."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import (
    ONE_VS_REST,
    POOLED,
    Basis,
    Entry,
    Results,
    bounded,
    entry,
    owned,
    write_json,
)
from analysis.evaluation.statistics.metrics import Floats
from analysis.evaluation.statistics.resampled import (
    LEVEL,
    Weights,
    from_draws,
    resampled,
    varying,
    with_intervals,
)
from analysis.evaluation.statistics.resampling import percentile, resamples
from analysis.evaluation.statistics.roc import BAND_GRID, Passed, Roc, roc_curves
from analysis.evaluation.tables import calibration
from analysis.evaluation.tables.classification import PER_CLASS, Labelled, classification_results, macro_entry
from analysis.evaluation.tables.learning_curves import learning_results, read_history
from analysis.progress import Progress

CONFIDENT_ERRORS = 10
BAND_RESAMPLES = 500
"""Enough for a band that is only drawn."""


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
    normal : str or None
        The class without disease, if the study has one.
    class_balance : str
        How the training balanced the classes: probabilities are corrected for it.
    """
    predictions = read_predictions(inputs["predictions"] / "predictions.csv", classes, splits)
    artifact = f"predict.{model}/predictions.csv"
    weights = {split: resamples(p) for split, p in predictions.items()}
    results = owned(_training(inputs["training"], model), model, "training") if "training" in inputs else {}
    curves: dict[str, dict[str, Roc]] = {}
    bands: list[pd.DataFrame] = []
    for done, split in enumerate(splits):
        progress(done, len(splits), "splits")
        curves[split] = roc_curves(predictions[split])
        passed = _passed(predictions[split], weights[split])
        measured = measure(predictions[split], curves[split], artifact, weights[split])
        labelled = Labelled.of(predictions[split], artifact)
        measured |= {f"average_precision.{c}": _average_precision(*p, labelled) for c, p in passed.items()}
        results |= owned(measured, model, split)
        bands += _bands(passed, split)
    counts, class_weights = _training_counts(inputs, classes), _class_weights(inputs)
    corrected = calibration.correct(predictions, counts, class_balance, class_weights)
    results |= calibration.probability_results(corrected, normal, weights, model, artifact)
    write_json(out / "results.json", results)
    _write(out / "measures.csv", _measure_rows(results, model, classes, splits))
    _write(out / "confusion.csv", _confusion_rows(results, model, classes, splits))
    _write(out / "roc.csv", _roc_rows(curves))
    _write(out / "auroc.csv", _area_rows(results, model, "auroc", (*classes, "macro", "micro"), splits))
    _write(out / "average_precision.csv", _area_rows(results, model, "average_precision", classes, splits))
    _table(pd.concat(bands), out / "bands.csv")
    _write(out / "errors.csv", _confident_errors(predictions["test"]))
    _write(
        out / "reliability.csv",
        (r for split in splits for r in calibration.reliability_rows(corrected, split)),
    )
    if normal is not None:
        of_test = {name.removeprefix(f"{model}.test."): item for name, item in results.items()}
        _table(calibration.predictive_table(of_test), out / "predictive.csv")
        _table(calibration.decision_table(corrected, normal), out / "decision.csv")


def _training(folder: Path, model: str) -> Results:
    """Return the learning curves' facts, and the epoch whose weights were saved."""
    facts = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    kept = entry(
        facts["weights_epoch"], "epoch whose weights are evaluated", Basis(f"train.{model}/training.json")
    )
    history = read_history(folder / "history.csv")
    return learning_results(history, Basis(f"train.{model}/history.csv")) | {"weights_epoch": kept}


def _class_weights(inputs: Mapping[str, Path]) -> list[float] | None:
    """Return the weights of the classes in the training loss, None without any."""
    if "training" not in inputs:
        return None
    facts = json.loads((inputs["training"] / "training.json").read_text(encoding="utf-8"))
    weights: list[float] | None = facts["class_weights"]
    return weights


def _training_counts(inputs: Mapping[str, Path], classes: Sequence[str]) -> list[int]:
    labels = pd.read_csv(inputs["records"] / "records.csv", usecols=["label"], dtype=str)["label"]
    train = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"], dtype=str)["split"] == "train"
    counts = labels[train].value_counts()
    return [int(counts.get(name, 0)) for name in classes]


def measure(predictions: Predictions, curves: Mapping[str, Roc], artifact: str, weights: Weights) -> Results:
    """Return every measure of one model on one split under the names ``<measure>[.<class or average>]``."""
    labelled = Labelled.of(predictions, artifact)
    results = classification_results(labelled) | _areas(
        {name: curve.auroc for name, curve in curves.items()}, labelled
    )
    return with_intervals(results, predictions, resampled(predictions, weights))


def _passed(predictions: Predictions, weights: Weights) -> dict[str, tuple[Passed, Passed]]:
    """Return by class what passes each threshold: once as it is, and in each resample."""
    once = np.ones((1, len(predictions.y_true)))
    return {
        name: (Passed.of(once, *side), Passed.of(weights, *side))
        for name, side in zip(
            predictions.classes,
            ((predictions.y_true == k, predictions.y_score[:, k]) for k in range(len(predictions.classes))),
            strict=True,
        )
    }


def _areas(areas: Mapping[str, float], labelled: Labelled) -> Results:
    basis, reason = labelled.basis(), "pictures all on one side"
    per_class = np.array([areas[name] for name in labelled.classes])
    results = {
        f"auroc.{name}": entry(areas[name], ONE_VS_REST, basis, reason_null=reason)
        for name in labelled.classes
    }
    results["auroc.macro"] = macro_entry(labelled, per_class)
    results["auroc.micro"] = entry(areas["micro"], POOLED, basis, reason_null=reason)
    return results


def _average_precision(value: Passed, draws: Passed, labelled: Labelled) -> Entry:
    words = "mean of precision over the steps of recall"
    item = entry(
        value.average_precision()[0], words, labelled.basis(), reason_null="no picture of this class"
    )
    return bounded(item, varying(from_draws(draws.average_precision())))


def _bands(passed: Mapping[str, tuple[Passed, Passed]], split: str) -> Iterator[pd.DataFrame]:
    """Yield ROC and precision-recall curves of the classes, and the mean ROC curve, with bands at one grid."""
    for kind in ("roc", "pr"):
        found = {name: value.curve(kind)[0] for name, (value, _) in passed.items()}
        drawn = {name: draws.first(BAND_RESAMPLES).curve(kind) for name, (_, draws) in passed.items()}
        if kind == "roc":
            found["macro"] = np.mean(list(found.values()), axis=0)
            drawn["macro"] = np.mean(list(drawn.values()), axis=0)
        for name, y in found.items():
            yield _band(split, kind, name, y, drawn[name])


def _band(split: str, kind: str, curve: str, y: Floats, draws: Floats) -> pd.DataFrame:
    low, high = percentile(draws, LEVEL)
    return pd.DataFrame(
        {"split": split, "kind": kind, "curve": curve, "x": BAND_GRID, "y": y, "low": low, "high": high}
    )


def _measure_rows(
    results: Results, model: str, classes: Sequence[str], splits: Sequence[str]
) -> list[dict[str, object]]:
    def value(split: str, name: str) -> object:
        return results[f"{model}.{split}.{name}"]["value"]

    return [
        {
            "split": split,
            "class": of,
            **{name: value(split, f"{name}.{of}") for name in (*PER_CLASS, "auroc")},
            "support": value(split, "n" if of == "macro" else f"support.{of}"),
        }
        for split in splits
        for of in (*classes, "macro")
    ]


def _confusion_rows(
    results: Results, model: str, classes: Sequence[str], splits: Sequence[str]
) -> list[dict[str, object]]:
    return [
        {
            "split": split,
            "y_true": true,
            "y_pred": predicted,
            "count": results[f"{model}.{split}.confusion.{true}.{predicted}"]["value"],
            "share": results[f"{model}.{split}.confusion_share.{true}.{predicted}"]["value"],
        }
        for split in splits
        for true in classes
        for predicted in classes
    ]


def _roc_rows(curves: Mapping[str, Mapping[str, Roc]]) -> list[dict[str, object]]:
    return [
        {"split": split, "curve": name, "fpr": fpr, "tpr": tpr}
        for split, of_split in curves.items()
        for name, curve in of_split.items()
        for fpr, tpr in zip(curve.fpr, curve.tpr, strict=True)
    ]


def _confident_errors(predictions: Predictions) -> Iterator[dict[str, object]]:
    """Yield for each true class the pictures that are called another with the highest probability."""
    confidence = predictions.y_score.max(axis=1)
    for k, name in enumerate(predictions.classes):
        wrong = np.flatnonzero((predictions.y_true == k) & (predictions.y_pred != k))
        for row in wrong[np.argsort(-confidence[wrong], kind="stable")][:CONFIDENT_ERRORS]:
            yield {
                "y_true": name,
                "y_pred": predictions.classes[predictions.y_pred[row]],
                "probability": confidence[row],
                "image_id": predictions.image_id[row],
            }


def _area_rows(
    results: Results, model: str, measure: str, of: Sequence[str], splits: Sequence[str]
) -> Iterator[dict[str, object]]:
    for split in splits:
        for name in of:
            item = results[f"{model}.{split}.{measure}.{name}"]
            row = {"split": split, "curve": name, measure: item["value"]}
            yield {**row, "low": item["low"], "high": item["high"]}


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    _table(pd.DataFrame(list(rows)), path)


def _table(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n")

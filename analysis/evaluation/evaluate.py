"""The ``evaluate`` stage: all measures of one model on each split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evaluation import metrics
from analysis.evaluation.classification import PER_CLASS, Labelled, classification_results, macro_entry
from analysis.evaluation.curves import learning_results, read_history
from analysis.evaluation.entries import ONE_VS_REST, POOLED, Basis, Results, entry, owned, write_json
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.roc import Roc, roc_curves
from analysis.progress import Progress


def evaluate(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    model: str,
    classes: Sequence[str],
    splits: Sequence[str],
) -> None:
    """Write ``results.json`` and the tables ``measures``, ``confusion``, ``roc`` and ``auroc``."""
    predictions = read_predictions(inputs["predictions"] / "predictions.csv", classes, splits)
    history = read_history(inputs["training"] / "history.csv")
    results = owned(learning_results(history, Basis(f"train.{model}/history.csv")), model, "training")
    results |= owned(_kept(inputs["training"], f"train.{model}/training.json"), model, "training")
    curves: dict[str, dict[str, Roc]] = {}
    for done, split in enumerate(splits):
        progress(done, len(splits), "splits")
        curves[split] = roc_curves(predictions[split])
        measured = measure(predictions[split], curves[split], f"predict.{model}/predictions.csv")
        results |= owned(measured, model, split)
    write_json(out / "results.json", results)
    _write(out / "measures.csv", _measure_rows(results, model, classes, splits))
    _write(out / "confusion.csv", _confusion_rows(results, model, classes, splits))
    _write(out / "roc.csv", _roc_rows(curves))
    _write(out / "auroc.csv", _auroc_rows(curves))


def _kept(training: Path, artifact: str) -> Results:
    """Return the epoch whose weights were saved: the last one, or the one that early stopping put back."""
    facts = json.loads((training / "training.json").read_text(encoding="utf-8"))
    return {
        "weights_epoch": entry(facts["weights_epoch"], "epoch whose weights are evaluated", Basis(artifact))
    }


def measure(predictions: Predictions, curves: Mapping[str, Roc], artifact: str) -> Results:
    """Return every measure of one model on one split under the names ``<measure>[.<class or average>]``."""
    labelled = Labelled(
        predictions.classes, predictions.y_true, predictions.y_pred, predictions.patient_id, artifact
    )
    return (
        classification_results(labelled)
        | _losses(predictions, labelled)
        | _areas({name: curve.auroc for name, curve in curves.items()}, labelled)
    )


def _losses(predictions: Predictions, labelled: Labelled) -> Results:
    scores = metrics.brier_scores(predictions.y_true, predictions.y_score)
    losses = metrics.log_losses(predictions.y_true, predictions.y_score)
    brier = "mean squared error summed over classes, 0 to 2"
    log_loss = "mean of -ln of the true class's probability, clipped at 1e-12"
    return {
        "brier": entry(scores.mean(), brier, labelled.basis()),
        "log_loss": entry(losses.mean(), log_loss, labelled.basis()),
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


def _auroc_rows(curves: Mapping[str, Mapping[str, Roc]]) -> list[dict[str, object]]:
    return [
        {"split": split, "curve": name, "auroc": curve.auroc}
        for split, of_split in curves.items()
        for name, curve in of_split.items()
    ]


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    pd.DataFrame(list(rows)).to_csv(path, index=False, lineterminator="\n")

"""The ``compare`` stage: how model b differs from model a on the same pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.errors import DataError
from analysis.evaluation.entries import (
    Basis,
    Entry,
    Results,
    entry,
    owned,
    pair_name,
    read_results,
    write_json,
)
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.progress import Progress

COMPARED = (
    "accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "f1",
    "auroc",
    "mcc",
    "brier",
    "log_loss",
)
MOVES = {
    "fixed": "a_wrong_b_right",
    "broken": "a_right_b_wrong",
    "both_right": "both_right",
    "both_wrong": "both_wrong",
}
Pairs = dict[str, tuple[Entry, Entry]]
Moves = dict[str, NDArray[np.int64]]


def compare(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    a: str,
    b: str,
    classes: Sequence[str],
    splits: Sequence[str],
) -> None:
    """Write the differences b - a of every measure, and which pictures changed sides."""
    measured = {model: read_results(inputs[side] / "results.json") for side, model in (("a", a), ("b", b))}
    path_a, path_b = (inputs[name] / "predictions.csv" for name in ("predictions_a", "predictions_b"))
    of_a, of_b = (read_predictions(path, classes, splits) for path in (path_a, path_b))
    results: Results = {}
    differences, moved = [], []
    for done, split in enumerate(splits):
        progress(done, len(splits), "splits")
        _require_same_pictures(of_a[split], of_b[split], f"{path_a} and {path_b}, split {split}")
        pairs = _pairs(measured, a, b, split, classes)
        differences += _difference_rows(pairs, split)
        moves = count_moves(of_a[split], of_b[split])
        moved += _moved_rows(moves, split, classes)
        found = _differences(pairs, b) | _move_results(moves, of_a[split], b)
        results |= owned(found, pair_name(b, a), split)
    write_json(out / "results.json", results)
    pd.DataFrame(differences).to_csv(out / "differences.csv", index=False, lineterminator="\n")
    pd.DataFrame(moved).to_csv(out / "moved.csv", index=False, lineterminator="\n")


def _pairs(measured: Mapping[str, Results], a: str, b: str, split: str, classes: Sequence[str]) -> Pairs:
    """Return the entries of both models by ``<measure>[.<class or average>]``, in reading order."""
    names = [
        f"{measure}{of}"
        for measure in COMPARED
        for of in ("", *(f".{name}" for name in (*classes, "macro", "micro")))
        if f"{a}.{split}.{measure}{of}" in measured[a]
    ]
    return {name: (measured[a][f"{a}.{split}.{name}"], measured[b][f"{b}.{split}.{name}"]) for name in names}


def _differences(pairs: Pairs, b: str) -> Results:
    return {
        name: entry(
            _subtract(of_b["value"], of_a["value"]),
            f"difference b - a; {of_a['method']}",
            _shared_basis(of_a, of_b, f"compare.{b}/differences.csv"),
            reason_null=_why_null(of_a, of_b),
        )
        for name, (of_a, of_b) in pairs.items()
    }


def _shared_basis(a: Entry, b: Entry, artifact: str) -> Basis:
    # The predictive values of two models are shares of different pictures.
    return Basis(artifact, a["n"], a["clusters"]) if a["n"] == b["n"] else Basis(artifact)


def _subtract(b: float | None, a: float | None) -> float | None:
    return None if a is None or b is None else b - a


def _why_null(a: Entry, b: Entry) -> str:
    reasons = [f"{side}: {of['reason_null']}" for side, of in (("a", a), ("b", b)) if of["reason_null"]]
    return "; ".join(reasons)


def _difference_rows(pairs: Pairs, split: str) -> list[dict[str, object]]:
    return [
        {
            "split": split,
            "measure": name.partition(".")[0],
            "class": name.partition(".")[2],
            "a": of_a["value"],
            "b": of_b["value"],
            "difference": _subtract(of_b["value"], of_a["value"]),
        }
        for name, (of_a, of_b) in pairs.items()
    ]


def count_moves(a: Predictions, b: Predictions) -> Moves:
    """Return per true class, shape (K,), how many pictures each of ``MOVES`` holds for."""
    right_a, right_b = a.y_pred == a.y_true, b.y_pred == b.y_true
    rows = {
        "fixed": ~right_a & right_b,
        "broken": right_a & ~right_b,
        "both_right": right_a & right_b,
        "both_wrong": ~right_a & ~right_b,
    }
    k = len(a.classes)
    return {name: np.bincount(a.y_true[which], minlength=k).astype(np.int64) for name, which in rows.items()}


def _moved_rows(moves: Moves, split: str, classes: Sequence[str]) -> list[dict[str, object]]:
    columns = ("broken", "fixed", "both_right", "both_wrong")
    return [
        {"split": split, "y_true": name, **{MOVES[move]: int(moves[move][k]) for move in columns}}
        for k, name in enumerate(classes)
    ]


def _move_results(moves: Moves, predictions: Predictions, b: str) -> Results:
    basis = Basis(f"compare.{b}/moved.csv", len(predictions.y_true), len(set(predictions.patient_id)))
    results: Results = {}
    for move, counts in moves.items():
        method = f"count; {MOVES[move].replace('_', ' ')}"
        results[move] = entry(counts.sum(), method, basis)
        for k, name in enumerate(predictions.classes):
            results[f"{move}.{name}"] = entry(counts[k], method, Basis(basis.artifact))
    return results


def _require_same_pictures(a: Predictions, b: Predictions, where: str) -> None:
    if np.array_equal(a.image_id, b.image_id) and np.array_equal(a.y_true, b.y_true):
        return
    raise DataError(
        f"{where}: the models were not given the same pictures in the same order",
        hint="both must come from one study: build it again",
    )

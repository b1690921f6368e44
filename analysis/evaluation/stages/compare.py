"""The ``compare`` stage: how the models differ on the same pictures, and what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Basis, Results, entry, owned, pair_name, write_json
from analysis.evaluation.statistics import significance
from analysis.evaluation.statistics.pairs import MOVES, RESAMPLES, Model, Moves, Pair, count_moves
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.verdict import judge
from analysis.progress import Progress

FEWER = 2_000
"""Resamples on the split on which nothing is declared."""
DISCORDANCES = (0.05, 0.1, 0.2, 0.3)


def compare(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    analysis: str,
    classes: Sequence[str],
    splits: Sequence[str],
    networks: Mapping[str, Sequence[str]],
    floor: str,
    baseline: str | None,
    against: Sequence[str],
    primary: str,
    split: str,
    margin: float,
    alpha: float,
    declared_late: bool,
    corrections: Sequence[Sequence[str]],
) -> None:
    """Write the differences b - a of every measure, which pictures changed sides, and the verdicts.

    Parameters
    ----------
    inputs : mapping of str to Path
        The predictions of each training, by its name.
    analysis : str
        What names of models end with, such as ``@patient``.
    networks : mapping of str to sequence of str
        The trainings of each model.
    floor : str
        The low-detail baseline, with which every model is compared too.
    baseline, against
        The declared comparisons: ``against`` with ``baseline`` by ``primary`` on ``split``.
    margin : float
        Largest difference that does not matter.
    alpha : float
        Chance of a false "better" or "worse" in the family of declared comparisons.
    declared_late : bool
        Whether test predictions had been read when this was declared.
    corrections : sequence of (str, str)
        Models with a mistake and without it: how they differ is told as well, and decided by no rule.
    """
    trainings = {**networks, floor: [f"{floor}{analysis}"]}
    given = {
        name: read_predictions(inputs[name] / "predictions.csv", classes, splits)
        for names in trainings.values()
        for name in names
    }
    results: Results = {}
    verdicts: list[dict[str, Any]] = []
    differences: dict[str, list[dict[str, object]]] = {b: [] for b in against}
    moved: dict[str, list[dict[str, object]]] = {b: [] for b in against}
    for done, of in enumerate(splits):
        progress(done, len(splits), "splits")
        models = _models(trainings, given, of, RESAMPLES if of == split else FEWER)
        for name in networks:
            pair = Pair(models[floor], models[name], f"compare{analysis}/results.json")
            results |= owned(pair.difference(primary), f"{pair_name(name, floor)}{analysis}", of)
        for a, b in corrections:
            pair = Pair(models[a], models[b], f"compare{analysis}/results.json")
            results |= owned(pair.differences(), f"{pair_name(b, a)}{analysis}", of)
        pairs = {
            b: Pair(models[baseline], models[b], f"compare{analysis}/differences.{b}.csv")
            for b in against
            if baseline is not None
        }
        judged = judge(list(pairs.values()), primary, margin, alpha) if of == split else []
        said_of = dict(zip(pairs, judged, strict=False))
        for b, pair in pairs.items():
            found = pair.differences() | pair.moves(f"compare{analysis}/moved.{b}.csv") | pair.test()
            if b in said_of and "primary" in said_of[b].results:  # at the level at which it was decided
                found[primary] = said_of[b].results["primary"]
            results |= owned(found, f"{pair_name(b, str(baseline))}{analysis}", of)
            differences[b] += pair.rows(found, of)
            moved[b] += _moved_rows(count_moves(pair.a.trainings[0], pair.b.trainings[0]), of, classes)
        for b, said in said_of.items():
            name = f"{pair_name(b, str(baseline))}{analysis}"
            results |= owned(said.results, name, of)
            facts: dict[str, Any] = {
                "pair": name,
                "a": baseline,
                "b": b,
                "analysis": analysis,
                "measure": primary,
                "split": split,
                "verdict": said.verdict,
                "margin": margin,
                "alpha": alpha,
                "seeds": pairs[b].seeds,
                "declared_late": declared_late,
            }
            verdicts.append(facts)
        if of == split and baseline is not None:
            planned = planning(models[baseline].trainings[0], f"split{analysis}/split.csv")
            results |= owned(planned, f"planning{analysis}", of)
    write_json(out / "results.json", results)
    write_json(out / "verdicts.json", verdicts)
    for b in against:
        for name, rows in (("differences", differences[b]), ("moved", moved[b])):
            pd.DataFrame(rows).to_csv(out / f"{name}.{b}.csv", index=False, lineterminator="\n")


def _models(
    trainings: Mapping[str, Sequence[str]],
    given: Mapping[str, Mapping[str, Predictions]],
    split: str,
    number: int,
) -> dict[str, Model]:
    """Return every model on one split, all with the same resamples."""
    first_name = next(iter(given))
    first = given[first_name][split]
    for name, predictions in given.items():
        _require_same_pictures(first, predictions[split], f"{first_name} and {name}, split {split}")
    weights = resamples(first, number)
    return {
        model: Model.of(model, [given[name][split] for name in names], weights)
        for model, names in trainings.items()
    }


def planning(predictions: Predictions, artifact: str) -> Results:
    """Return the gain in accuracy that could be found at all, by how often two models disagree."""
    n = len(predictions.y_true)
    return {
        f"detectable_gain.discordance_{100 * discordance:.0f}": entry(
            significance.detectable_gain(n, discordance),
            "found by McNemar's test with 80 % power at 5 %",
            Basis(artifact, n),
            reason_null="not even if one model is right wherever they disagree",
        )
        for discordance in DISCORDANCES
    }


def _moved_rows(moves: Moves, split: str, classes: Sequence[str]) -> list[dict[str, object]]:
    columns = ("broken", "fixed", "both_right", "both_wrong")
    return [
        {"split": split, "y_true": name, **{MOVES[move]: int(moves[move][k]) for move in columns}}
        for k, name in enumerate(classes)
    ]


def _require_same_pictures(a: Predictions, b: Predictions, where: str) -> None:
    if np.array_equal(a.image_id, b.image_id) and np.array_equal(a.y_true, b.y_true):
        return
    raise DataError(
        f"{where}: the models were not given the same pictures in the same order",
        hint="both must come from one study: build it again",
    )

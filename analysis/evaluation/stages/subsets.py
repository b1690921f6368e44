"""The ``subsets`` stage: what networks reach that were trained on parts of the training images, and what more would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Basis, Interval, Results, bounded, entry, write_json
from analysis.evaluation.statistics.pairs import Model, Pair
from analysis.evaluation.statistics.resampled import percentile_interval, refuse_point
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.significance import compare_recipes
from analysis.progress import Progress
from analysis.vocabulary.subsets import (
    SUBSETS,
    TABLE,
    TRAININGS_TABLE,
    count_name,
    gain_name,
    measure_name,
)

METHOD = "t, over patients and draws"


@dataclass(frozen=True, kw_only=True)
class Subsets:
    """What was trained on parts of the training images.

    Parameters
    ----------
    analysis : str
        What the names of models end with, such as ``@patient``.
    classes : sequence of str
    split, measure : str
        Where and by what networks are measured, such as ``f1.macro``.
    shares : sequence of float
        Of the training images, from small to 1.
    draws : sequence of sequence of str
        Of each share the names of its splits, one for each seed.
    runs : mapping of str to sequence of sequence of str
        Of each model and share the names of its trainings, one for each seed.
    """

    analysis: str
    classes: Sequence[str]
    split: str
    measure: str
    shares: Sequence[float]
    draws: Sequence[Sequence[str]]
    runs: Mapping[str, Sequence[Sequence[str]]]


def collect(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **params: Any
) -> None:
    """Write what each model reaches on each share of the training images, and what the last step to all of them gave.

    ``results.json`` has the numbers of `analysis.vocabulary.subsets.names`, ``measures.csv`` a row for each model and share
    and ``trainings.csv`` one for each training. The gain is of the same test images with the same resamples; its interval
    is that of two recipes, over patients and over the draws of both.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``split_<draw>`` of each split, and ``predict_<run>`` of each training.
    **params
        The fields of `Subsets`.

    Raises
    ------
    DataError
        If predictions cannot be read.
    """
    asked = Subsets(**params)
    images = [[_count(inputs[f"split_{name}"]) for name in names] for names in asked.draws]
    results: Results = {
        count_name(asked.analysis, share): entry(
            round(float(np.mean(found))), f"mean over {len(found)} draws", Basis(f"{SUBSETS}/{TABLE}")
        )
        for share, found in zip(asked.shares, images, strict=True)
    }
    rows: list[dict[str, object]] = []
    trainings: list[dict[str, object]] = []
    for done, (model, runs) in enumerate(asked.runs.items()):
        progress(done, len(asked.runs), "models")
        recipes = _resample(inputs, asked, runs)
        results |= _results(f"{model}{asked.analysis}", recipes, asked)
        for share, recipe, found in zip(asked.shares, recipes, images, strict=True):
            name = measure_name(f"{model}{asked.analysis}", share, asked.split, asked.measure)
            of_share = {"model": model, "share": share}
            ends = {key: results[name][key] for key in ("value", "low", "high")}
            rows.append({**of_share, "images": float(np.mean(found)), **ends})
            trainings += [
                {**of_share, "images": number, "value": value}
                for number, value in zip(found, recipe.each[asked.measure], strict=True)
            ]
    write_json(out / "results.json", results)
    for name, table in ((TABLE, rows), (TRAININGS_TABLE, trainings)):
        pd.DataFrame(table).to_csv(out / name, index=False, lineterminator="\n")


def _count(split: Path) -> int:
    table = pd.read_csv(split / "split.csv", dtype=str, keep_default_na=False)
    return int((table["split"] == "train").sum())


def _resample(inputs: Mapping[str, Path], asked: Subsets, runs: Sequence[Sequence[str]]) -> list[Model]:
    """Return of each share the trainings of a model, all with the same resamples of patients."""
    predictions: list[list[Predictions]] = [
        [
            read_predictions(inputs[f"predict_{run}"] / "predictions.csv", asked.classes, [asked.split])[
                asked.split
            ]
            for run in of_share
        ]
        for of_share in runs
    ]
    weights = resamples(predictions[0][0])
    return [
        Model.from_trainings(of_share[0], found, weights)
        for of_share, found in zip(runs, predictions, strict=True)
    ]


def _results(model: str, recipes: Sequence[Model], asked: Subsets) -> Results:
    images = recipes[0].trainings[0]
    basis = Basis(f"{SUBSETS}/{TABLE}", len(images.y_true), len(set(images.patient_id)))
    results: Results = {
        measure_name(model, share, asked.split, asked.measure): bounded(
            entry(
                recipe.values[asked.measure],
                f"mean of {len(recipe.trainings)} trainings on {100 * share:g} % of the training images",
                basis,
                reason_null="undefined for some of the trainings",
            ),
            _interval(recipe, asked.measure),
        )
        for share, recipe in zip(asked.shares, recipes, strict=True)
    }
    pair = Pair(*recipes[-2:])
    gain = pair.b.values[asked.measure] - pair.a.values[asked.measure]
    results[gain_name(model, asked.shares[-2], asked.split, asked.measure)] = bounded(
        entry(gain, "difference b - a", basis, reason_null="undefined for some of the trainings"),
        pair.resampled_interval(asked.measure, settings.LEVEL),
    )
    return results


def _interval(recipe: Model, measure: str) -> Interval:
    """Return the interval of a mean over trainings: that of its difference to a recipe that is always 0."""
    over_patients = percentile_interval(recipe.draws[measure])
    if over_patients.reason_null:
        return over_patients
    each = recipe.each[measure]
    spread = compare_recipes([0.0] * len(each), each, over_patients.se**2)
    low, high = max(0.0, spread.low), min(1.0, spread.high)
    return refuse_point(Interval(low, high, settings.LEVEL, spread.se, METHOD))

"""The ``folds`` stage: what models reach on images of each fold of patients, which they were not trained on.

Counts, and measures that follow from them, are of all images, each as the network of its own fold calls it. Their
intervals are from patients drawn within each fold, as if those networks were the only ones. Scores of different networks
are on no common scale, so areas under curves are averaged over folds and never pooled. What is averaged has an interval
for the recipe, from how it varies over folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arrays import Floats, Weights
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Basis, Results, bounded, entry, owned, write_json
from analysis.evaluation.stages.compare import require_same_images
from analysis.evaluation.statistics.overlapping import corrected_interval
from analysis.evaluation.statistics.pairs import Model, Pair
from analysis.evaluation.statistics.resampled import measure_resamples
from analysis.evaluation.statistics.resampling import bootstrap, clusters
from analysis.evaluation.tables.classification import Labelled, classification_results
from analysis.evaluation.tables.comparison import difference_results
from analysis.evaluation.tables.measures import area_results, with_intervals
from analysis.progress import Progress
from analysis.vocabulary.folds import (
    FOLDS_TABLE,
    MEAN,
    OVER_FOLDS,
    name_all_folds,
    name_folds,
)
from analysis.vocabulary.measures import MEASURES, pair_name
from analysis.vocabulary.run_names import FOLDS

ARTIFACT = f"{FOLDS}/{FOLDS_TABLE}"
TESTED = "test"


@dataclass(frozen=True)
class Fold:
    """One fold: how often each of its n images counts in each resample, (B, n), and every model on them."""

    weights: Weights
    models: Mapping[str, Model]


@dataclass(frozen=True)
class Told:
    """What is told of a model or of a pair of them.

    Parameters
    ----------
    each : mapping of str to dict of str to Entry
        The results of each fold, by what it adds to names.
    whole : dict of str to Entry
        Those of all images.
    values : mapping of str to (J,) array of float
        Measures in each of J folds, NaN where they are undefined.
    """

    each: Mapping[str, Results]
    whole: Results
    values: Mapping[str, Floats]


def collect(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    folds: int,
    models: Sequence[str],
    pairs: Sequence[Sequence[str]],
) -> None:
    """Write ``results.json``, under the names of `analysis.vocabulary.folds`, and ``folds.csv``.

    ``folds.csv`` has ``fold``, ``model`` (or a pair, as its differences are named), ``measure`` of `OVER_FOLDS`, ``value``.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``split@fold_<k>``, and ``<model>@fold_<k>`` with the predictions of each training.
    classes : sequence of str
        Class ids in the study's order.
    folds : int
        How many there are.
    models : sequence of str
        Those that were trained on each fold.
    pairs : sequence of (str, str)
        Models whose difference is told, the first minus the second.
    """
    each: dict[str, Fold] = {}
    for number, suffix in enumerate(name_folds(folds)):
        progress(number, folds, "folds")
        predictions = {m: _read(inputs[f"{m}{suffix}"], classes) for m in models}
        each[suffix] = _resample(predictions, suffix, settings.SEED + number)
    whole = {model: _pool(model, [*each.values()]) for model in models}
    told = {model: _tell_model(model, each, whole[model]) for model in models}
    told |= {pair_name(b, a): _tell_pair(b, a, each, whole) for b, a in pairs}
    ratio = float(np.mean([_test_to_train(inputs[f"split{suffix}"]) for suffix in each]))
    basis = Labelled.from_predictions(whole[models[0]].trainings[0], ARTIFACT).basis()
    results: Results = {}
    for owner, found in told.items():
        for suffix, of_fold in found.each.items():
            results |= owned(of_fold, f"{owner}{suffix}", TESTED)
        means = _means(found.values, ratio, basis, is_difference=owner not in models)
        results |= owned(found.whole | means, name_all_folds(owner), TESTED)
    write_json(out / "results.json", results)
    _write_folds(told, out / FOLDS_TABLE)
    progress(folds, folds, "folds")


def _read(folder: Path, classes: Sequence[str]) -> Predictions:
    return read_predictions(folder / "predictions.csv", classes, [TESTED])[TESTED]


def _resample(predictions: Mapping[str, Predictions], fold: str, seed: int) -> Fold:
    """Return every model on one fold, all with the same resamples of its patients."""
    name, first = next(iter(predictions.items()))
    for other in predictions:
        require_same_images(first, predictions[other], f"{name}{fold} and {other}{fold}")
    weights = bootstrap(clusters(first.patient_id, first.y_true), settings.RESAMPLES, seed)
    return Fold(weights, {m: Model.from_trainings(m, [p], weights) for m, p in predictions.items()})


def _pool(model: str, folds: Sequence[Fold]) -> Model:
    """Return a model on the images of all folds, each fold resampled by itself; without what depends on scores."""
    parts = [fold.models[model].trainings[0] for fold in folds]
    images = ("image_id", "patient_id", "y_true", "y_score")
    all_images = Predictions(
        parts[0].classes, *(np.concatenate([getattr(part, name) for part in parts]) for name in images)
    )
    weights = np.hstack([fold.weights for fold in folds])
    once = measure_resamples(all_images, np.ones((1, weights.shape[1])), areas=False)
    values = {name: [float(value[0])] for name, value in once.items()}
    return Model(model, [all_images], values, measure_resamples(all_images, weights, areas=False))


def _tell_model(model: str, folds: Mapping[str, Fold], whole: Model) -> Told:
    each: dict[str, Results] = {}
    for suffix, fold in folds.items():
        images, values = fold.models[model].trainings[0], fold.models[model].values
        labelled = Labelled.from_predictions(images, f"predict.{model}{suffix}/predictions.csv")
        areas = area_results({name.partition(".")[2]: values[name] for name in _areas(images)}, labelled)
        found = classification_results(labelled) | areas
        each[suffix] = with_intervals(found, images, fold.models[model].draws)
    counted = classification_results(Labelled.from_predictions(whole.trainings[0], ARTIFACT))
    return Told(each, with_intervals(counted, whole.trainings[0], whole.draws), _values(model, folds))


def _tell_pair(b: str, a: str, folds: Mapping[str, Fold], whole: Mapping[str, Model]) -> Told:
    each = {
        suffix: difference_results(Pair(fold.models[a], fold.models[b]), ARTIFACT, OVER_FOLDS)
        for suffix, fold in folds.items()
    }
    first, second = _values(b, folds), _values(a, folds)
    values = {name: first[name] - second[name] for name in first}
    return Told(each, difference_results(Pair(whole[a], whole[b]), ARTIFACT), values)


def _values(model: str, folds: Mapping[str, Fold]) -> dict[str, Floats]:
    """Return in each fold the measures that are averaged over folds, (J,)."""
    every = [fold.models[model] for fold in folds.values()]
    names = dict.fromkeys((*OVER_FOLDS, *_areas(every[0].trainings[0])))
    return {name: np.array([fold.values[name] for fold in every]) for name in names}


def _areas(images: Predictions) -> list[str]:
    return [*MEASURES["auroc"].names(images.classes)]


def _means(values: Mapping[str, Floats], ratio: float, basis: Basis, *, is_difference: bool) -> Results:
    """Return the means over folds: of areas under their own names, of `OVER_FOLDS` as ``mean...``."""
    results: Results = {}
    for name, of_folds in values.items():
        method, reason = f"mean over {len(of_folds)} folds", "undefined in some of the folds"
        mean = entry(of_folds.mean(), method, basis, reason_null=reason)
        interval = corrected_interval(of_folds, ratio, "folds", is_difference=is_difference)
        names = [f"{MEAN}.{name}"] * (name in OVER_FOLDS) + [name] * name.startswith("auroc.")
        results |= dict.fromkeys(names, bounded(mean, interval))
    return results


def _test_to_train(split: Path) -> float:
    """Return the test images of a split to those trained on."""
    counts = pd.read_csv(split / "split.csv", usecols=["split"], dtype=str)["split"].value_counts()
    return float(counts[TESTED] / counts["train"])


def _write_folds(told: Mapping[str, Told], path: Path) -> None:
    rows = [
        {"fold": number, "model": owner, "measure": measure, "value": value}
        for owner, found in told.items()
        for measure in OVER_FOLDS
        for number, value in enumerate(found.values[measure], start=1)
    ]
    pd.DataFrame(rows).to_csv(path, index=False, lineterminator="\n")

"""The ``compare`` stage: how the models differ on the same images, and what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Results, owned, write_json
from analysis.evaluation.statistics.pairs import Model, Pair
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.verdict import Rule
from analysis.evaluation.tables import comparison
from analysis.evaluation.tables.flips import flip_table
from analysis.progress import Progress
from analysis.vocabulary.measures import pair_name

Rows = list[dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """What is compared in one analysis, and how it was declared.

    Parameters
    ----------
    analysis : str
        What names of models end with, such as ``@patient``.
    classes, splits : sequence of str
    networks : mapping of str to sequence of str
        The trainings of each model.
    reference : str
        The low-detail reference classifier, with which every model is compared too.
    baseline : str or None
        Model a of the declared comparisons; None where none is declared.
    against : sequence of str
        Models b, each of which is compared with ``baseline``.
    primary : str
        The measure that decides, such as ``f1.macro``.
    split : str
        The one on which it decides.
    margin : float or None
        Largest difference that does not matter; None where no comparison is declared.
    alpha : float
        Chance of a false "better" or "worse" in the family of declared comparisons.
    declared_late : bool
        Whether test predictions had been read when this was declared.
    corrections : sequence of (str, str)
        Models with a mistake, a, and without it, b: their differences are given as well, and decided by no rule.
    between : sequence of (str, str)
        Further models a and b of which the difference in the primary measure is given, and decided by no rule.
    """

    analysis: str
    classes: Sequence[str]
    splits: Sequence[str]
    networks: Mapping[str, Sequence[str]]
    reference: str
    baseline: str | None
    against: Sequence[str]
    primary: str
    split: str
    margin: float | None
    alpha: float
    declared_late: bool
    corrections: Sequence[tuple[str, str]]
    between: Sequence[tuple[str, str]] = ()

    @cached_property
    def trainings(self) -> dict[str, Sequence[str]]:
        """The trainings of each model, and of the reference classifier."""
        return {**self.networks, self.reference: [f"{self.reference}{self.analysis}"]}

    @property
    def rule(self) -> Rule:
        """How the declared comparisons are decided."""
        assert self.margin is not None, "declared with the baseline"
        return Rule(self.primary, self.margin, self.alpha)

    def artifact(self, name: str) -> str:
        """Return what results name as the file that they rest on."""
        return f"compare{self.analysis}/{name}"

    def owner(self, b: str, a: str) -> str:
        """Return the owner of the results that compare ``b`` with ``a``."""
        return f"{pair_name(b, a)}{self.analysis}"


@dataclass(frozen=True)
class Compared:
    """What the declared comparisons give on one split.

    Parameters
    ----------
    results : dict of str to Entry
    verdicts : list of dict
        Entries of ``verdicts.json``; none on a split that does not decide.
    differences, moved : dict of str to list of dict
        Rows of ``differences.<b>.csv`` and of ``moved.<b>.csv``, by model b.
    flips : dict of str to DataFrame
        Rows of ``flips.<b>.csv``, by model b.
    """

    results: Results
    verdicts: list[dict[str, Any]]
    differences: dict[str, Rows]
    moved: dict[str, Rows]
    flips: dict[str, pd.DataFrame]


def compare(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **params: Any
) -> None:
    """Write how models differ: each difference is b - a, so that it is positive where b has more.

    In a declared comparison a is the baseline and b the model that is held against it; of a mistake a has it and b does
    not; else a is the reference classifier. Writes ``results.json``, ``verdicts.json`` with an entry for each declared
    comparison, and for each model b ``differences.<b>.csv``, a row for each split and measure, and ``moved.<b>.csv``, a
    row for each split and true class: how many images which of the two gets right, and ``flips.<b>.csv``, a row for each
    image that only one of them does.

    Parameters
    ----------
    inputs : mapping of str to Path
        The predictions of each training, by its name.
    **params
        The fields of `Comparisons`.

    Raises
    ------
    DataError
        If predictions cannot be read, or the models were not given the same images of the same patients in the same
        order.
    """
    declared = Comparisons(**params)
    predictions = {
        name: read_predictions(inputs[name] / "predictions.csv", declared.classes, declared.splits)
        for names in declared.trainings.values()
        for name in names
    }
    results: Results = {}
    compared = []
    for done, split in enumerate(declared.splits):
        progress(done, len(declared.splits), "splits")
        models = _resample_models(declared, {name: each[split] for name, each in predictions.items()}, split)
        results |= _compare_undeclared(declared, models, split)
        compared.append(_compare_declared(declared, models, split))
    for found in compared:
        results |= found.results
    write_json(out / "results.json", results)
    write_json(out / "verdicts.json", [verdict for found in compared for verdict in found.verdicts])
    for b in declared.against:
        _write_rows(out / f"differences.{b}.csv", [found.differences[b] for found in compared])
        _write_rows(out / f"moved.{b}.csv", [found.moved[b] for found in compared])
        flips = pd.concat([found.flips[b] for found in compared])
        flips.to_csv(out / f"flips.{b}.csv", index=False, lineterminator="\n")


def _write_rows(path: Path, of_splits: Sequence[Rows]) -> None:
    table = pd.DataFrame([row for rows in of_splits for row in rows])
    table.to_csv(path, index=False, lineterminator="\n")


def _resample_models(
    declared: Comparisons, predictions: Mapping[str, Predictions], split: str
) -> dict[str, Model]:
    """Return every model on one split, all with the same resamples; ``predictions`` are those of each training."""
    first_name, first = next(iter(predictions.items()))
    for name, other in predictions.items():
        require_same_images(first, other, f"{first_name} and {name}, split {split}")
    number = settings.DECLARED_RESAMPLES if split == declared.split else settings.RESAMPLES
    weights = resamples(first, number)
    return {
        model: Model.from_trainings(model, [predictions[name] for name in names], weights)
        for model, names in declared.trainings.items()
    }


def require_same_images(a: Predictions, b: Predictions, where: str) -> None:
    """Raise unless both are of the same images, classes and patients: all are resampled with those of the first model."""
    if all(np.array_equal(getattr(a, key), getattr(b, key)) for key in ("image_id", "y_true", "patient_id")):
        return
    raise DataError(
        f"{where}: the models were not given the same images of the same patients in the same order",
        hint="both must come from one study: build it again",
    )


def _compare_undeclared(declared: Comparisons, models: Mapping[str, Model], split: str) -> Results:
    """Return how models differ from the reference classifier, and corrected models from those with a mistake."""
    artifact, reference = declared.artifact("results.json"), declared.reference
    results: Results = {}
    for a, b in (*((reference, name) for name in declared.networks), *declared.between):
        difference = comparison.difference_results(Pair(models[a], models[b]), artifact, [declared.primary])
        results |= owned(difference, declared.owner(b, a), split)
    for a, b in declared.corrections:
        differences = comparison.difference_results(Pair(models[a], models[b]), artifact)
        results |= owned(differences, declared.owner(b, a), split)
    return results


def _compare_declared(declared: Comparisons, models: Mapping[str, Model], split: str) -> Compared:
    """Return the declared comparisons on one split, with their verdicts if it is the one that decides."""
    if declared.baseline is None:
        return Compared({}, [], {}, {}, {})
    pairs = {b: Pair(models[declared.baseline], models[b]) for b in declared.against}
    judged = _judge(declared, pairs) if split == declared.split else {}
    of_pairs = {b: _pair_results(declared, b, pair, judged.get(b)) for b, pair in pairs.items()}
    results: Results = {}
    for b, found in of_pairs.items():
        results |= owned(found, declared.owner(b, declared.baseline), split)
    if split == declared.split:
        predictions = models[declared.baseline].trainings[0]
        planned = comparison.planning_results(predictions, f"split{declared.analysis}/split.csv")
        results |= owned(planned, f"planning{declared.analysis}", split)
    return Compared(
        results,
        [_verdict(declared, b, pairs[b], verdict) for b, verdict in judged.items()],
        {b: comparison.difference_rows(pair, of_pairs[b], split) for b, pair in pairs.items()},
        {b: comparison.move_rows(pair, split) for b, pair in pairs.items()},
        {b: flip_table(pair, split) for b, pair in pairs.items()},
    )


def _judge(declared: Comparisons, pairs: Mapping[str, Pair]) -> dict[str, comparison.Judged]:
    family = [(pair, _differences_file(declared, b)) for b, pair in pairs.items()]
    return dict(zip(pairs, comparison.judge(family, declared.rule), strict=True))


def _differences_file(declared: Comparisons, b: str) -> str:
    return declared.artifact(f"differences.{b}.csv")


def _pair_results(declared: Comparisons, b: str, pair: Pair, judged: comparison.Judged | None) -> Results:
    """Return what is computed of a declared comparison on one split, and where it was judged what it rests on."""
    artifact = _differences_file(declared, b)
    results = {
        **comparison.difference_results(pair, artifact),
        **comparison.move_results(pair, declared.artifact(f"moved.{b}.csv")),
        **comparison.sign_flip_results(pair, artifact),
    }
    if judged is None:
        return results
    if "primary" in judged.results:  # at the level at which it was decided
        results[declared.primary] = judged.results["primary"]
    return results | judged.results


def _verdict(declared: Comparisons, b: str, pair: Pair, judged: comparison.Judged) -> dict[str, Any]:
    """Return an entry of ``verdicts.json``."""
    return {
        "pair": declared.owner(b, str(declared.baseline)),
        "a": declared.baseline,
        "b": b,
        "analysis": declared.analysis,
        "measure": declared.primary,
        "split": declared.split,
        "verdict": judged.verdict,
        "margin": declared.margin,
        "alpha": declared.alpha,
        "seeds": pair.seeds,
        "declared_late": declared.declared_late,
    }

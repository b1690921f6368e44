"""The ``compare`` stage: how the models differ on the same images, and what may be said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from analysis.progress import Progress
from analysis.vocabulary.measures import pair_name


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
    floor : str
        The low-detail reference classifier, with which every model is compared too.
    baseline, against
        The declared comparisons: ``against`` with ``baseline`` by ``primary`` on ``split``.
    margin : float
        Largest difference that does not matter.
    alpha : float
        Chance of a false "better" or "worse" in the family of declared comparisons.
    declared_late : bool
        Whether test predictions had been read when this was declared.
    corrections : sequence of (str, str)
        Models with a mistake and without it: their differences are given as well, and decided by no rule.
    """

    analysis: str
    classes: Sequence[str]
    splits: Sequence[str]
    networks: Mapping[str, Sequence[str]]
    floor: str
    baseline: str | None
    against: Sequence[str]
    primary: str
    split: str
    margin: float
    alpha: float
    declared_late: bool
    corrections: Sequence[Sequence[str]]

    @cached_property
    def trainings(self) -> dict[str, Sequence[str]]:
        """The trainings of each model, and of the reference classifier."""
        return {**self.networks, self.floor: [f"{self.floor}{self.analysis}"]}

    @property
    def rule(self) -> Rule:
        """How the declared comparisons are decided."""
        return Rule(self.primary, self.margin, self.alpha)

    def artifact(self, name: str) -> str:
        """Return what results name as the file that they rest on."""
        return f"compare{self.analysis}/{name}"

    def owner(self, b: str, a: str) -> str:
        """Return the owner of the results that compare ``b`` with ``a``."""
        return f"{pair_name(b, a)}{self.analysis}"


@dataclass(frozen=True)
class Found:
    """What the stage writes: results, verdicts, and for each declared comparison the rows of two tables."""

    results: Results = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    differences: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    moved: dict[str, list[dict[str, object]]] = field(default_factory=dict)


def compare(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **params: Any
) -> None:
    """Write the differences b - a of every measure, which images changed sides, and the verdicts.

    Parameters
    ----------
    inputs : mapping of str to Path
        The predictions of each training, by its name.
    **params
        The fields of `Comparisons`.

    Raises
    ------
    DataError
        The models were not given the same images.
    """
    declared, found = Comparisons(**params), Found()
    given = {
        name: read_predictions(inputs[name] / "predictions.csv", declared.classes, declared.splits)
        for names in declared.trainings.values()
        for name in names
    }
    for done, split in enumerate(declared.splits):
        progress(done, len(declared.splits), "splits")
        models = _models(declared, given, split)
        _compare_undeclared(declared, models, split, found.results)
        _compare_declared(declared, models, split, found)
    write_json(out / "results.json", found.results)
    write_json(out / "verdicts.json", found.verdicts)
    for b in declared.against:
        for name, rows in (("differences", found.differences), ("moved", found.moved)):
            table = pd.DataFrame(rows.get(b, []))
            table.to_csv(out / f"{name}.{b}.csv", index=False, lineterminator="\n")


def _models(
    declared: Comparisons, given: Mapping[str, Mapping[str, Predictions]], split: str
) -> dict[str, Model]:
    """Return every model on one split, all with the same resamples."""
    first_name = next(iter(given))
    first = given[first_name][split]
    for name, predictions in given.items():
        _require_same_images(first, predictions[split], f"{first_name} and {name}, split {split}")
    number = settings.DECLARED_RESAMPLES if split == declared.split else settings.RESAMPLES
    weights = resamples(first, number)
    return {
        model: Model.measured(model, [given[name][split] for name in names], weights)
        for model, names in declared.trainings.items()
    }


def _require_same_images(a: Predictions, b: Predictions, where: str) -> None:
    if np.array_equal(a.image_id, b.image_id) and np.array_equal(a.y_true, b.y_true):
        return
    raise DataError(
        f"{where}: the models were not given the same images in the same order",
        hint="both must come from one study: build it again",
    )


def _compare_undeclared(
    declared: Comparisons, models: Mapping[str, Model], split: str, results: Results
) -> None:
    """Add how the networks differ from the reference classifier, and corrected models from those with a mistake."""
    artifact, floor = declared.artifact("results.json"), declared.floor
    for name in declared.networks:
        pair = Pair(models[floor], models[name])
        difference = comparison.difference_results(pair, artifact, [declared.primary])
        results |= owned(difference, declared.owner(name, floor), split)
    for a, b in declared.corrections:
        differences = comparison.difference_results(Pair(models[a], models[b]), artifact)
        results |= owned(differences, declared.owner(b, a), split)


def _compare_declared(declared: Comparisons, models: Mapping[str, Model], split: str, found: Found) -> None:
    """Add the declared comparisons on one split, with their verdicts if it is the one that decides."""
    if declared.baseline is None:
        return
    pairs = {b: Pair(models[declared.baseline], models[b]) for b in declared.against}
    judged = _judge(declared, pairs) if split == declared.split else {}
    for b, pair in pairs.items():
        results = _pair_results(declared, b, pair)
        if b in judged and "primary" in judged[b].results:  # at the level at which it was decided
            results[declared.primary] = judged[b].results["primary"]
        owner = declared.owner(b, declared.baseline)
        found.results.update(owned(results, owner, split))
        found.differences.setdefault(b, []).extend(comparison.difference_rows(pair, results, split))
        found.moved.setdefault(b, []).extend(comparison.move_rows(pair, split))
    for b, verdict in judged.items():
        owner = declared.owner(b, declared.baseline)
        found.results.update(owned(verdict.results, owner, split))
        found.verdicts.append(_verdict(declared, b, pairs[b], verdict))
    if split == declared.split:
        images = models[declared.baseline].trainings[0]
        planned = comparison.planning_results(images, f"split{declared.analysis}/split.csv")
        found.results.update(owned(planned, f"planning{declared.analysis}", split))


def _judge(declared: Comparisons, pairs: Mapping[str, Pair]) -> dict[str, comparison.Judged]:
    family = [(pair, _differences_file(declared, b)) for b, pair in pairs.items()]
    return dict(zip(pairs, comparison.judge(family, declared.rule), strict=True))


def _differences_file(declared: Comparisons, b: str) -> str:
    return declared.artifact(f"differences.{b}.csv")


def _pair_results(declared: Comparisons, b: str, pair: Pair) -> Results:
    artifact = _differences_file(declared, b)
    return {
        **comparison.difference_results(pair, artifact),
        **comparison.move_results(pair, declared.artifact(f"moved.{b}.csv")),
        **comparison.sign_flip_results(pair, artifact),
    }


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

"""The ``ablation`` stage: what each component of a network is worth in the primary measure, there and in the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import Entry, Results, bounded, entry, write_json
from analysis.evaluation.stages.compare import require_same_images
from analysis.evaluation.statistics.pairs import Model, Pair, interact
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.statistics.verdict import Rule
from analysis.evaluation.tables import comparison
from analysis.progress import Progress
from analysis.vocabulary.ablation import (
    ADD,
    CASES,
    EFFECTS_TABLE,
    EQUIVALENCE,
    HIGHEST,
    LEAVE,
    LOWEST,
    REMAINING,
    SYNERGY,
    UNDETERMINED,
    join_effect,
    name_joint,
)
from analysis.vocabulary.measures import parse
from analysis.vocabulary.results import ABLATION, P_HOLM

ARTIFACT = f"{ABLATION}/{EFFECTS_TABLE}"


@dataclass(frozen=True)
class Found:
    """An effect of a component: the pair of networks, what is said of it, and its results by what they are."""

    pair: Pair
    case: str
    results: Results


def ablate(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    effects: Sequence[Mapping[str, Any]],
    split: str,
    **rule: Any,
) -> None:
    """Write what each component adds to the primary measure: to the network that has it, and to the baseline.

    ``results.json`` has ``ablation.<component>.leave`` with its interval at the level at which Holm tested it,
    ``....leave.p_holm`` and ``....leave.equivalence``, the 90 % interval, and ``....leave.remaining``, by how much the
    network without it still exceeds the baseline, with a 95 % interval, and ``....leave.lowest`` and ``.highest``, what single
    trainings of that network reach; of ``add`` the first three, and ``....synergy``,
    by how much the former effect exceeds the latter. ``effects.csv`` has the same in a row for each effect, with ``trainings``
    (of each network) and the ``case``.

    Parameters
    ----------
    inputs : mapping of str to Path
        The predictions of each training, by its name.
    effects : sequence of mapping
        ``component``; ``effect``, ``leave`` or ``add``; the trainings of the network that differs by the component,
        ``own``, and with the same seeds of the one that it is held against, ``beside``, and of the ``baseline``.
    split : str
        The images that decide.
    **rule
        The fields of `Rule`: leave-one effects are one family, add-one effects another.
    """
    predictions = {
        name: read_predictions(folder / "predictions.csv", classes, [split])[split]
        for name, folder in inputs.items()
    }
    first_name, first = next(iter(predictions.items()))
    for name, other in predictions.items():
        require_same_images(first, other, f"{first_name} and {name}, split {split}")
    rows: list[dict[str, object]] = []
    results: Results = {}
    progress(0, 1, "effects")
    found = {kind: _judge(kind, effects, predictions, Rule(**rule)) for kind in (LEAVE, ADD)}
    for component in found[LEAVE]:
        of: dict[str, Found] = {kind: found[kind][component] for kind in found if component in found[kind]}
        if ADD in of:
            of[SYNERGY] = _interact(of[LEAVE].pair, of[ADD].pair, rule["primary"])
        for kind, effect in of.items():
            results |= {join_effect(component, kind, name): item for name, item in effect.results.items()}
            rows.append(_row(component, kind, effect))
    write_json(out / "results.json", results)
    pd.DataFrame(rows).to_csv(out / EFFECTS_TABLE, index=False, lineterminator="\n")
    progress(1, 1, "effects")


def _judge(
    kind: str, effects: Sequence[Mapping[str, Any]], predictions: Mapping[str, Predictions], rule: Rule
) -> dict[str, Found]:
    """Return the effects of one kind by component; they are a family."""
    weights = resamples(next(iter(predictions.values())), settings.DECLARED_RESAMPLES)

    @cache
    def resample(*names: str) -> Model:
        trainings = [predictions[name] for name in names]
        return Model.from_trainings(names[0], trainings, weights, areas=parse(rule.primary)[0].of_scores)

    pairs, remaining = {}, {}
    for each in effects:
        if each["effect"] == kind:
            own, beside = resample(*each["own"]), resample(*each["beside"])
            pairs[each["component"]] = Pair(own, beside) if kind == LEAVE else Pair(beside, own)
            if kind == LEAVE:
                rest = Pair(resample(*each["baseline"]), own)
                remaining[each["component"]] = comparison.difference_results(rest, ARTIFACT, [rule.primary])
    judged = comparison.judge([(pair, ARTIFACT) for pair in pairs.values()], rule)
    found = {
        component: _found(pair, one, rule)
        for (component, pair), one in zip(pairs.items(), judged, strict=True)
    }
    for component, rest_of in remaining.items():
        found[component].results[REMAINING] = rest_of[rule.primary]
        found[component].results.update(_bound_trainings(pairs[component], rule.primary))
    return found


def _bound_trainings(pair: Pair, primary: str) -> Results:
    """Return what single trainings without the component reach, the lowest and the highest."""
    basis, each = comparison.pair_basis(pair, ARTIFACT), pair.a.each[primary]
    return {
        name: entry(
            float(of(each)),
            f"{name} training without the component",
            basis,
            reason_null="not defined in a training",
        )
        for name, of in ((LOWEST, np.min), (HIGHEST, np.max))
    }


def _found(pair: Pair, judged: comparison.Judged, rule: Rule) -> Found:
    """Return an effect with its case; one that is not defined has its reason in place of each number."""
    if judged.verdict is None:
        bare = comparison.difference_results(pair, ARTIFACT, [rule.primary])[rule.primary]
        nothing: Entry = {**bare, "value": None, "low": None, "high": None, "level": None}
        return Found(pair, UNDETERMINED, {"": bare, EQUIVALENCE: bare, P_HOLM: nothing})
    names = {"": "primary", EQUIVALENCE: EQUIVALENCE, P_HOLM: P_HOLM}
    case = CASES.get(judged.verdict, UNDETERMINED)
    return Found(pair, case, {name: judged.results[of] for name, of in names.items()})


def _interact(leave: Pair, add: Pair, primary: str) -> Found:
    """Return by how much the effect of leaving out exceeds that of adding, and whether that is sure."""
    value, interval = interact(leave, add, primary)
    basis = comparison.pair_basis(leave, ARTIFACT)
    undefined = "an effect is not defined"
    item = bounded(
        entry(value, "effect of leaving out less that of adding", basis, reason_null=undefined), interval
    )
    return Found(leave, name_joint(item["low"], item["high"]), {"": item})


def _row(component: str, kind: str, effect: Found) -> dict[str, object]:
    """Return a row of ``effects.csv``."""
    item, narrow = effect.results[""], effect.results.get(EQUIVALENCE)
    return {
        "component": component,
        "effect": kind,
        **{name: item[name] for name in ("value", "low", "high", "level")},
        f"{EQUIVALENCE}_low": narrow and narrow["low"],
        f"{EQUIVALENCE}_high": narrow and narrow["high"],
        P_HOLM: effect.results[P_HOLM]["value"] if narrow else None,
        "trainings": effect.pair.seeds,
        "case": effect.case,
        "reason": item["reason_null"],
    }

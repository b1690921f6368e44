"""``report compare``: every model that was tried, on the validation set; never on the test set."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from analysis.vocabulary.splits import VALIDATION
from report.commands.options import Cache, Data, Sample, Set, StudyArgument, request_plan_without_data
from report.errors import UsageError
from report.terminal import console

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analysis.evaluation.results_file import Entry
    from report.engine.run import Built
    from report.workspace.plan import Plan

BESIDE = ("evaluation.", "ablation.run=")
"""Changes of a study that change no model."""
TRIALS = "trials"
"""Under which the cache remembers the evaluations of all that was tried in a study."""
MEASURES = {"macro F1": "f1.macro", "accuracy": "accuracy", "macro AUC": "auroc.macro"}


def compare(
    study: StudyArgument = "assignment",
    data: Data = None,
    sample: Sample = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """List every model of a study that was tried, with its settings, and its measures on the validation set."""
    plan = request_plan_without_data(study, data, sample, overrides, cache)
    print_trials(plan)


def keep_trials(plan: Plan, built: Mapping[str, Built]) -> None:
    """Remember the evaluation of each model, and with which ``--set`` it was tried."""
    from report.engine.store import Store

    changed = shlex.join(o for o in plan.request.overrides if not o.startswith(BESIDE))
    found = {
        f"{stage.name.partition('.')[2]} {changed}".rstrip(): built[stage.name].key
        for stage in plan.stages
        if stage.kind in ("evaluate", "validate") and stage.name in built
    }
    Store(plan.cache).point(plan.cache_name, found, TRIALS)


def print_trials(plan: Plan) -> None:
    """Print the validation measures of all that was tried of a study, the best last.

    Raises
    ------
    UsageError
        Nothing of it is in the cache.
    """
    rows = sorted(_rows(plan), key=lambda row: row[1])
    if not rows:
        raise UsageError(f"{plan.name}: nothing was evaluated yet", hint=plan.build_command())
    console.print_table(["validation set", *MEASURES, "settings"], rows)


def _rows(plan: Plan) -> Iterator[list[str]]:
    """Yield the name of each training that was evaluated, its measures, and how its settings differed from the study file's."""
    from analysis.evaluation.results_file import read_results
    from report.engine.store import Store

    store = Store(plan.cache)
    # A trial changes one model, and the others are those of the trial before: they are listed once.
    labels: dict[str, str] = {}
    for label, key in store.latest(plan.cache_name, TRIALS).items():
        labels[key] = min(label, labels.get(key, label), key=len)
    for key, label in labels.items():
        if record := store.read(key):
            name, _, changed = label.partition(" ")
            results = read_results(store.sound_path(record.outputs["results.json"], record.stage))
            yield [name, *(_format(results[f"{name}.{VALIDATION}.{m}"]) for m in MEASURES.values()), changed]


def _format(item: Entry) -> str:
    """Return a measure with its interval, or why it has no value."""
    if item["value"] is None:
        return item["reason_null"] or ""
    ends = f" ({item['low']:.3f} to {item['high']:.3f})" if item["low"] is not None else ""
    return f"{item['value']:.3f}{ends}"

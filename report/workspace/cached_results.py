"""What of a plan is in the cache: all that the document is made of, and the training of a model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.vocabulary.run_names import drop_seed, split_run
from report.document.origin import locate_mistake
from report.document.pandoc import SOURCE
from report.engine.stage import Source, kind_of
from report.engine.status import status
from report.engine.store import Store
from report.errors import RenderError, UsageError, list_first
from report.pipeline.document import DOCUMENT_KINDS
from report.pipeline.stages import PROGRAM

if TYPE_CHECKING:
    from report.engine.store import Record
    from report.workspace.plan import Plan


UNLOCK = 'take test = "locked" out of [evaluation] in the study file'


def find_unbuilt(plan: Plan) -> list[str]:
    """Return the names of the stages before the document that a build would run."""
    statuses = status(plan.stages, plan.cache, PROGRAM, plan_name=plan.cache_name)
    return select_unbuilt([s.name for s in statuses if s.state != "fresh"])


def select_unbuilt(names: Sequence[str]) -> list[str]:
    """Return those of the stages ``names`` that make no part of the document."""
    return [name for name in names if kind_of(name) not in DOCUMENT_KINDS]


def require_built(plan: Plan, unbuilt: Sequence[str]) -> None:
    """Refuse a plan of which more than the document would run: the stages ``unbuilt``.

    Raises
    ------
    UsageError
        There are such stages; the hint is the command that builds them. Or the test set is locked.
    """
    if plan.study.is_locked:
        raise UsageError(f"{plan.name}: there is no report while the test set is locked", hint=UNLOCK)
    if unbuilt:
        message = f"{plan.name}: not built yet, {list_first(unbuilt)} would run"
        raise UsageError(message, hint=plan.build_command())


def find_training(plan: Plan, model: str) -> Record:
    """Return the training of a model of ``plan`` with the settings that the study file has now.

    Where the data are at hand it is the one that a build would take, else the last one.

    Raises
    ------
    UsageError
        There is no such model, or it has several seeds, or it is not trained yet, or with other settings.
    """
    name = f"train.{model}"
    stages = {stage.name: stage for stage in plan.stages}
    if name not in stages:
        raise _unknown_training(plan, model)
    store = Store(plan.cache)
    last = store.read(store.latest(plan.cache_name).get(name, ""))
    record = find_records(plan, [name]).get(name)
    if not _has_data(plan) and record:
        same = record.recipe["params"] == json.loads(json.dumps(stages[name].params))
        record = record if same else None
    if record is None:
        problem = "in the cache with the settings of the study file" if last else "trained yet"
        only = plan.build_command("--only", split_run(model)[0])
        raise UsageError(f"{model} of {plan.name} is not {problem}", hint=only)
    return record


def find_records(plan: Plan, names: Sequence[str]) -> dict[str, Record]:
    """Return those of the results of stages that are in the cache: that a build would take, or without data the last ones."""
    store = Store(plan.cache)
    keys: dict[str, str | None] = {**store.latest(plan.cache_name)}
    if _has_data(plan):
        stages = plan.select_upstream(names)
        keys = {s.name: s.key for s in status(stages, plan.cache, PROGRAM, plan_name=plan.cache_name)}
    found = {name: store.read(keys.get(name) or "") for name in names}
    return {name: record for name, record in found.items() if record}


def _has_data(plan: Plan) -> bool:
    return bool(plan.data or plan.request.sample)


def _unknown_training(plan: Plan, model: str) -> UsageError:
    """Return what to say of a name that is no training: which seeds a model has, or which trainings there are."""
    names = [stage.name.removeprefix("train.") for stage in plan.stages if stage.kind == "train"]
    seeds = [name for name in names if name != model and drop_seed(name) == model]
    if seeds:
        return UsageError(
            f"{model} of {plan.name} was trained with {len(seeds)} seeds, and each gave another network",
            hint=f"name one of them: --model {' or --model '.join(seeds)}",
        )
    return UsageError(f"no model is called {model!r}", hint=f"there are: {', '.join(names)}")


def locate_in_study(plan: Plan, error: RenderError) -> RenderError:
    """Return a complaint about the document as one about the author's file or the template that it is of, if that is plain."""
    inputs = next(stage.inputs for stage in plan.stages if stage.name == "source")
    words = (inputs["templates"], inputs["prose"])
    folders = [folder.path for folder in words if isinstance(folder, Source)]
    return locate_mistake(error, read_source(plan), *folders)


def read_source(plan: Plan) -> str:
    """Return the document's source as it was written last, "" if it never was."""
    store = Store(plan.cache)
    record = store.find_record(store.latest(plan.cache_name).get("source", ""))
    if not record:
        return ""
    return store.sound_path(record.outputs[SOURCE], record.stage).read_text(encoding="utf-8")

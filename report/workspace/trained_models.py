"""Use the trained models that lie in the cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import DataError
from report.commands.running import run
from report.engine.explain import status
from report.engine.store import Store
from report.errors import UsageError
from report.pipeline.stages import PROGRAM, classify_stage

if TYPE_CHECKING:
    from report.engine.store import Record
    from report.workspace.places import Plan


def trained(plan: Plan, model: str) -> Record:
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
        raise _no_training(plan, model)
    store = Store(plan.cache)
    last = store.read(store.latest(plan.pointers).get(name, ""))
    if plan.data or plan.request.sample:
        found = {
            s.name: s.key for s in status(plan.upstream([name]), plan.cache, PROGRAM, plan_name=plan.pointers)
        }
        record = store.read(found[name] or "")
    else:
        same = last and last.recipe["params"] == json.loads(json.dumps(stages[name].params))
        record = last if same else None
    if record is None:
        problem = "in the cache with the settings of the study file" if last else "trained yet"
        only = plan.build_command("--only", model.partition("@")[0])
        raise UsageError(f"{model} of {plan.name} is not {problem}", hint=only)
    return record


def _no_training(plan: Plan, model: str) -> UsageError:
    """Return what to say of a name that is no training: which seeds a model has, or which trainings there are."""
    names = [stage.name.removeprefix("train.") for stage in plan.stages if stage.name.startswith("train.")]
    seeds = [name for name in names if name.startswith((f"{model}@seed_", f"{model}_seed_"))]
    if seeds:
        return UsageError(
            f"{model} of {plan.name} was trained with {len(seeds)} seeds, and each gave another network",
            hint=f"name one of them: --model {' or --model '.join(seeds)}",
        )
    return UsageError(f"no model is called {model!r}", hint=f"there are: {', '.join(names)}")


def classify_plan(plan: Plan) -> str:
    """Return the name under which the cache remembers the last pictures that a model of ``plan`` was asked about."""
    return f"{plan.pointers}-classify"


def classify(plan: Plan, model: str, pictures: list[Path]) -> list[dict[str, Any]]:
    """Return, for each picture, what it is called, the predicted class and the probability of each class.

    Raises
    ------
    UsageError
        As `trained`.
    DataError
        A file is missing or is no picture.
    """
    for path in pictures:
        if not path.is_file():
            raise DataError(
                f"{path}: {'is a folder' if path.is_dir() else 'no such file'}", hint="name picture files"
            )
    store = Store(plan.cache)
    with store.locks.reading():
        record = trained(plan, model)
        model_file, input_file = (
            store.checked(record.outputs[name], record.stage) for name in ("model.keras", "input.json")
        )
        stage = classify_stage((model_file, input_file), pictures, [c.id for c in plan.study.classes])
        built = run([stage], plan.cache, classify_plan(plan), log_command=plan.log_command)
    found: list[dict[str, Any]] = json.loads(
        built["classify"].path("probabilities.json").read_text(encoding="utf-8")
    )
    return found

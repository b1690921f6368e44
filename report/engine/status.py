"""Why a stage would run: the difference of its last recipe and the one that it has now, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from report.engine.code import Project
from report.engine.recipe import Recipe, Surroundings, tree_file
from report.engine.stage import Output, Source, Stage, select
from report.engine.store import Record, Store, digest_files, digest_json, input_files
from report.engine.system.files import read_json, translate_disk_errors
from report.errors import list_first

State = Literal["fresh", "stale", "missing", "waiting"]
SHOWN = 60


@dataclass(frozen=True)
class StageStatus:
    """Whether a stage would run, and why.

    ``waiting``: only stages that it reads have changed; it runs if their outputs come out different.
    ``key`` is None as long as these are not known.
    """

    name: str
    state: State
    reasons: tuple[str, ...]
    expected_seconds: float | None
    key: str | None


def status(
    stages: Sequence[Stage], cache: Path, project: Project, *, plan_name: str = "default"
) -> list[StageStatus]:
    """Return the state of every stage of a plan, running nothing.

    Raises
    ------
    SourceError, StageError
        A source is missing, or our own code is not valid Python.
    """
    store = Store(cache)
    moment = Surroundings(project, store.index)
    latest = store.latest(plan_name)
    fresh: dict[str, Record] = {}
    found = []
    with translate_disk_errors(store.cache):
        for stage in select(stages):
            found.append(_status(stage, store, moment, store.find_record(latest.get(stage.name, "")), fresh))
        moment.save()
    return found


def _status(
    stage: Stage, store: Store, moment: Surroundings, last: Record | None, fresh: dict[str, Record]
) -> StageStatus:
    """Return the state of a stage; if it is fresh its result joins those of the stages before it."""
    awaited = [name for name in sorted(stage.needs) if name not in fresh]
    assumed = last.recipe["inputs"] if last else {}
    outputs = {
        name: assumed.get(name, "") for name, where in stage.inputs.items() if isinstance(where, Output)
    }
    known = {name: digest_files(files) for name, files in input_files(stage, fresh).items()}
    recipe = moment.recipe(stage, {**outputs, **known})
    key = None if awaited else digest_json(recipe)
    if key and (record := store.read(key)):
        fresh[stage.name] = record
        return StageStatus(stage.name, "fresh", (), record.seconds, key)
    waits = [f"waits for {list_first(awaited)}"] if awaited else []
    if last is None:
        return StageStatus(stage.name, "missing", ("never built", *waits), None, key)
    reasons = list(explain_differences(stage, last.recipe, recipe, store.index))
    if not reasons and not waits:
        reasons = ["its files are missing from the cache"]
    return StageStatus(stage.name, "stale" if reasons else "waiting", (*reasons, *waits), last.seconds, key)


def read_last_log(cache: Path, plan_name: str, stage: str) -> str:
    """Return what a stage wrote when it ran last, or that it wrote nothing; "" if it never ran."""
    store = Store(cache)
    key = store.latest(plan_name, "runs").get(stage) or store.latest(plan_name).get(stage)
    log = store.log(key) if key else None
    written = log.read_text(encoding="utf-8", errors="replace") if log and log.exists() else ""
    record = store.find_record(key) if key else None
    return written or (f"{stage} wrote nothing; ran {record.seconds:.1f} s\n" if record else "")


def explain_differences(stage: Stage, old: Recipe, new: Recipe, index: Path) -> Iterator[str]:
    """Yield what is different in two recipes of ``stage``: parameters first, then code, packages, inputs."""
    yield from _values("function", old["function"], new["function"])
    yield from _values("", old["params"], new["params"])
    for name, before, after in _changed(old["code"], new["code"]):
        word = "is no longer used" if after is None else "is used now" if before is None else "changed"
        yield f"code of {name} {word}"
    for name, before, after in _changed(old["environment"], new["environment"]):
        yield f"{name} {before or 'undeclared'} -> {after or 'undeclared'}"
    yield from _values("threads", old["threads"], new["threads"])
    for name, before, after in _changed(old["inputs"], new["inputs"]):
        yield _input(name, stage.inputs.get(name), before, after, index)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    names = sorted(old.keys() | new.keys())
    return [(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)]


def _values(where: str, old: Any, new: Any) -> Iterator[str]:
    """Yield ``models.baseline.epochs: 10 -> 12`` for every value that differs."""
    old, new = _by_id(old), _by_id(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            dotted = f"{where}.{name}" if where else name
            if name not in new:
                yield f"{dotted}: {_shown(old[name])} removed"
            elif name not in old:
                yield f"{dotted}: {_shown(new[name])} added"
            else:
                yield from _values(dotted, old[name], new[name])
    elif old != new:
        yield f"{where}: {_shown(old)} -> {_shown(new)}"


def _by_id(value: Any) -> Any:
    """Return a list of tables that have an ``id`` as a table of tables, and all else as it is."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "id" in item for item in value):
        return {str(item["id"]): item for item in value}
    return value


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _input(name: str, where: Output | Source | None, old: str | None, new: str | None, index: Path) -> str:
    if where is None or new is None:
        return f"input {name} is no longer read"
    if old is None:
        return f"input {name} is read now"
    if isinstance(where, Output):
        return f"{where.stage} comes out differently"
    return f"{where.path}: {_files(read_json(tree_file(index, old)), read_json(tree_file(index, new)))}"


def _files(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> str:
    """Return how many files were added, removed and changed, and which is the first."""
    if old is None or new is None:
        return "content changed"
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
    counts = [
        f"{len(names):,} {'file' if len(names) == 1 else 'files'} {word}"
        for names, word in ((added, "added"), (removed, "removed"), (changed, "changed"))
        if names
    ]
    first = [*changed, *added, *removed][0]
    return ", ".join(counts) + (f" (first: {first})" if first else "")

"""What a stage is: a pure function, named, with its inputs and parameters; and what a plan of stages is."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

from report.errors import StageError

ALL_FILES = ("**/*",)
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True)
class Output:
    """The output folder of another stage of the same plan: of its files those that ``include`` names.

    Parameters
    ----------
    stage : str
        The name of the stage.
    include : tuple of str
        Globs of paths in its folder.
    """

    stage: str
    include: tuple[str, ...] = ALL_FILES


@dataclass(frozen=True)
class Source:
    """A file or folder outside the cache, read in place.

    Parameters
    ----------
    path : Path
        The file or folder.
    include : tuple of str
        Globs of paths in the folder.
    keyed : bool
        Its content is part of the key of the stage. Without, it only says where the bytes lie, and the stage itself
        must check what it reads against digests among its inputs.
    private : bool
        The files may not be handed over with a report: whoever checks it later does so without them. Nor may what
        a stage makes of them, unless it ``releases`` it.
    listing : str
        The ``"module:function"`` that lists the folder, one that the stage goes by too: what is read and what the key
        goes by are the same then. See `report.engine.sources.list_files`.
    hint : str
        What the user should try where there is nothing at ``path``.
    """

    path: Path
    include: tuple[str, ...] = ALL_FILES
    keyed: bool = True
    private: bool = False
    listing: str = "report.engine.sources:list_files"
    hint: str = ""


Input: TypeAlias = Output | Source


def is_included(name: str, include: tuple[str, ...]) -> bool:
    """Tell whether a posix path matches one of the globs, in which ``**/`` stands for any folders or none."""
    return any(_pattern(glob).fullmatch(name) for glob in include)


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*|\?)", glob)
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts), re.DOTALL)


@dataclass(frozen=True)
class Resources:
    """What a stage asks of a cluster; no result depends on it.

    ``cores`` are as many as its threads if none are named; ``memory`` is in GB; ``minutes`` is the most that one run may
    take. A stage with ``gpus`` has so many of those of the machine, or all where these are fewer, or none.
    """

    cores: int | None = None
    memory: float = 4.0
    minutes: int = 60
    gpus: int = 0


@dataclass(frozen=True)
class Stage:
    """A pure function ``fn(inputs, out, *, scratch, progress, **params)`` and all that it depends on.

    Parameters
    ----------
    name : str
        Unique in the plan, ``kind`` or ``kind.what``, such as ``train.baseline``.
    function : str
        ``"module:function"`` in one of our own packages.
    inputs : mapping of str to Input
        Given to the function as folders (or a file, for a ``Source`` that is one).
    params : mapping of str to JSON values
        Keyword arguments of the function. NaN and infinity are refused.
    uses : tuple of str
        Further ``"module:function"`` that the function imports by name: their code is part of the key.
    packages : tuple of str
        Distributions whose versions are part of the key.
    threads : int
        Threads that the numbers depend on and that the scheduler counts.
    early : bool
        It refuses what the user must mend: it runs before all that is as ready, and where it fails nothing is begun.
    private : bool
        Its files may not be handed over, as those of a private `Source`, whatever it reads.
    releases : tuple of str
        Globs of the files that may be handed over although it reads private ones: none, unless it says so.
    shared : bool
        Its results may lie in a cache that machines share: none of its files holds an image.
    resources : Resources
        What it asks of a cluster: never part of the key.
    """

    name: str
    function: str
    inputs: Mapping[str, Input] = field(default_factory=dict)
    params: Mapping[str, Json] = field(default_factory=dict)
    uses: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    threads: int = 1
    early: bool = False
    private: bool = False
    releases: tuple[str, ...] = ()
    shared: bool = False
    resources: Resources = Resources()

    @property
    def kind(self) -> str:
        """The first part of its name: ``train`` of ``train.baseline@patient``, ``split`` of ``split@patient``."""
        return kind_of(self.name)

    @property
    def needs(self) -> frozenset[str]:
        """The names of the stages that it reads."""
        return frozenset(where.stage for where in self.inputs.values() if isinstance(where, Output))


def kind_of(name: str) -> str:
    """Return the kind of the stage that is called ``name``."""
    return re.split("[.@]", name)[0]


def select(stages: Sequence[Stage], only: Collection[str] | None = None) -> list[Stage]:
    """Return the stages named in ``only``, and those that they need, in the order of the plan.

    Raises
    ------
    StageError
        The plan is not one: a name twice, or an input that no earlier stage makes.
    """
    seen: set[str] = set()
    for stage in stages:
        missing = sorted(stage.needs - seen)
        if missing or stage.name in seen:
            problem = f"reads {missing[0]}, which no earlier stage makes" if missing else "is there twice"
            raise StageError(f"stage {stage.name} {problem}", hint="mend the list of stages")
        seen.add(stage.name)
    wanted = seen if only is None else set(only)
    if unknown := sorted(wanted - seen):
        raise StageError(f"no stage is called {unknown[0]}", hint="report status")
    for stage in reversed(stages):
        wanted |= stage.needs if stage.name in wanted else set()
    return [stage for stage in stages if stage.name in wanted]


def find_private_readers(stages: Sequence[Stage]) -> frozenset[str]:
    """Return the names of the stages that read what may not be handed over: of a source, or of another stage.

    What a stage makes of private files is private too, but for what it ``releases``: a stage that forgets to say
    anything hands over nothing. ``stages`` has each after those that it reads.
    """
    before: dict[str, Stage] = {}
    found: set[str] = set()
    for stage in stages:
        if any(_is_private(where, before, found) for where in stage.inputs.values()):
            found.add(stage.name)
        before[stage.name] = stage
    return frozenset(found)


def _is_private(where: Input, stages: Mapping[str, Stage], readers: Collection[str]) -> bool:
    if isinstance(where, Source):
        return where.private
    maker = stages[where.stage]
    is_released = maker.releases == ALL_FILES or set(where.include) <= set(maker.releases)
    return (maker.private or maker.name in readers) and not is_released

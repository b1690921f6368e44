"""The stages behind a report, run again from its predictions: no X-rays, no TensorFlow, no cache.

They are pure functions. They run plainly in a temporary folder, those that do not read each other beside each other.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from multiprocessing import get_context
from pathlib import Path

from analysis.progress import silent
from report.delivery.evidence import PROSE, Evidence, describe_program, group_by_stage, select_repeatable
from report.engine.recipe import Surroundings, json_params
from report.engine.sources import list_source
from report.engine.stage import Input, Source, Stage, is_included
from report.engine.system.machine import count_cores
from report.engine.system.process import end_with_driver, reset
from report.errors import EnvironmentProblem, ReportError, UserError
from report.pipeline.stages import PROGRAM

OnProgress = Callable[[int, int], None]
"""Is given how many stages have run, of how many."""
FilesByStage = Mapping[str, Mapping[str, Path]]
"""Of each stage the files of its folder, by their path inside it."""
MOST_PROCESSES = 4
"""Each takes a few hundred MB, and there are seldom more long stages that do not read each other."""


@dataclass(frozen=True)
class RepeatedStage:
    """What a stage wrote that was run again."""

    folder: Path

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of its files inside its folder."""
        return tuple(sorted(list_source(Source(self.folder))))

    def path(self, relative: str) -> Path:
        """Return where one of them lies."""
        return self.folder / relative


@dataclass(frozen=True)
class Failure:
    """Why a stage could not be run again; ``lacking`` is the stage whose result it did not have, if that is why."""

    reason: str
    lacking: str = ""


@dataclass(frozen=True)
class Recomputation:
    """The stages that were run again, why some could not be, and the program that ran them."""

    results: dict[str, RepeatedStage] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    program: dict[str, str] = field(default_factory=dict)


class MissingResultError(ReportError):
    """A stage reads a result that does not exist."""

    def __init__(self, stage: str) -> None:
        super().__init__(f"without {stage}")
        self.stage = stage


class MissingFileError(ReportError):
    """A file that a stage reads does not exist."""


def recompute(folder: Path, evidence: Evidence, work: Path, on_progress: OnProgress) -> Recomputation:
    """Run again what follows from the evidence in a build folder.

    Parameters
    ----------
    folder : Path
        The build folder, absolute.
    evidence : Evidence
        What its ``study.json`` tells.
    work : Path
        An empty folder for what the stages write.
    on_progress : callable
        Is called before any stage and whenever one has run.
    """
    prose = work / "study" / evidence.name
    prose.mkdir(parents=True)
    if (folder / PROSE).is_dir():
        shutil.copytree(folder / PROSE, prose, dirs_exist_ok=True)
    plan = select_repeatable(evidence.make_stages(prose))
    found = Recomputation(program=_describe_own_program(plan, work / "index"))
    files = {
        stage: {inside: folder / path for inside, path in paths.items()}
        for stage, paths in group_by_stage(evidence.files).items()
    }
    for stage, result in _run_all(plan, files, work, folder, on_progress):
        if isinstance(result, Failure):
            found.failures[stage] = result
        else:
            found.results[stage] = result
    return found


def _run_all(
    plan: Sequence[Stage],
    files: dict[str, dict[str, Path]],
    work: Path,
    folder: Path,
    on_progress: OnProgress,
) -> list[tuple[str, RepeatedStage | Failure]]:
    """Return what became of each stage, in the order of the plan; ``files`` gets those of the stages."""
    stages = {stage.name: stage for stage in plan}
    order = TopologicalSorter({stage.name: stage.needs & stages.keys() for stage in plan})
    order.prepare()
    ended: dict[str, RepeatedStage | Failure] = {}
    running: dict[Future[RepeatedStage | Failure], str] = {}
    processes = min(count_cores(), MOST_PROCESSES)
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=end_with_driver) as pool:
        while order.is_active():
            on_progress(len(ended), len(plan))
            for name in order.get_ready():
                read = {needed: files[needed] for needed in stages[name].needs & files.keys()}
                running[pool.submit(_try_stage, stages[name], read, work / name, folder)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                ended[name] = result = future.result()
                if isinstance(result, RepeatedStage):
                    files.setdefault(name, {inside: result.path(inside) for inside in result.files})
                order.done(name)
    return [(name, ended[name]) for name in stages]


def _try_stage(stage: Stage, files: FilesByStage, place: Path, folder: Path) -> RepeatedStage | Failure:
    """Run a stage in the folder ``place``; return what it wrote or why it could not."""
    try:
        return run_stage(stage, files, place)
    except Exception as error:  # noqa: BLE001  # whatever a changed file leads to is told, not raised
        lacking = error.stage if isinstance(error, MissingResultError) else ""
        return Failure(_describe(error, place, folder), lacking)


def _describe_own_program(plan: Sequence[Stage], index: Path) -> dict[str, str]:
    """Return what of this machine and program the stages depend on."""
    surroundings = Surroundings(PROGRAM, index)
    try:
        return describe_program((stage, surroundings.recipe(stage, {})) for stage in plan)
    except EnvironmentProblem as error:
        return {"environment": error.message}


def run_stage(stage: Stage, files: FilesByStage, folder: Path) -> RepeatedStage:
    """Call the function of a stage in a new folder, on ``files`` of other stages.

    Raises
    ------
    MissingResultError, MissingFileError
        The stage reads something that is not among ``files``, or not there.
    """
    inputs = {name: folder / "inputs" / name for name in stage.inputs}
    for name, where in stage.inputs.items():
        _link(_select(where, files), inputs[name])
    out, scratch = folder / "out", folder / "scratch"
    for path in (out, scratch):
        path.mkdir(parents=True)
    module, _, name = stage.function.partition(":")
    reset(stage.function, numpy=bool(stage.packages))
    with warnings.catch_warnings(), _without_log(), contextlib.chdir(folder):
        warnings.simplefilter("ignore")  # they stand in the log of the build
        function = getattr(importlib.import_module(module), name)
        function(inputs, out, scratch=scratch, progress=silent, **json_params(stage))
    return RepeatedStage(out)


def _select(where: Input, files: FilesByStage) -> dict[str, Path]:
    """Return the files that an input takes, by their path inside it."""
    if isinstance(where, Source):
        return {inside: where.path / inside for inside in list_source(where)}
    if where.stage not in files:
        raise MissingResultError(where.stage)
    return {inside: path for inside, path in files[where.stage].items() if is_included(inside, where.include)}


def _link(files: Mapping[str, Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for inside, target in files.items():
        if not target.is_file():
            raise MissingFileError(f"{target.name} is missing")
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        (folder / inside).symlink_to(target)


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _describe(error: Exception, stage_folder: Path, folder: Path) -> str:
    """Return an error in one line, files called by their path in the build folder."""
    words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    text = " ".join(words.split())
    for link in sorted((stage_folder / "inputs").rglob("*"), reverse=True):
        if link.is_symlink():
            target = link.readlink()
            inside = target.relative_to(folder) if folder in target.parents else target.name
            text = text.replace(str(link), str(inside))
    return text

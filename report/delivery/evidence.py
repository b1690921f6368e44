"""What a build folder holds so that its report can be checked: all that takes the X-rays or a network to make.

Every other stage is a pure function of these files, which lie in ``predictions/``: it can be run again anywhere.
``predictions/study.json`` tells the study, the digest of every file that was built, and what program built them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import StringConstraints, ValidationError

from analysis.errors import DataError
from analysis.vocabulary.external import EXTERNAL
from analysis.vocabulary.pretraining import PRETRAINING
from report.engine.sources import list_source
from report.engine.stage import Output, Source, Stage, find_private_readers, is_included
from report.engine.system.files import digest_file, read_json
from report.errors import StageError
from report.pipeline.data import DataKind, Place
from report.pipeline.stages import make_stages
from report.study.complaints import describe_first
from report.study.study import Study
from report.study.value_types import Section

if TYPE_CHECKING:
    from report.engine.run import Built

FOLDER = "predictions"
STUDY = f"{FOLDER}/study.json"
RUN = "run.json"
"""What ran and what was cached in a build; of a folder that is being written, that it is."""
PROSE = f"{FOLDER}/prose"
DOCUMENTS = ("report.html", "report.pdf")
TARGETS = ("results", "source", "html", "pdf")
REBUILD = "build the report again: report build STUDY --data DIR"
NAME = r"[^/\\.\x00][^/\\\x00]*"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Inside = Annotated[str, StringConstraints(pattern=f"^({NAME}/){{0,4}}{NAME}$")]
"""A path that does not lead out of the build folder."""


class Evidence(Section):
    """What ``study.json`` tells: what makes the same stages again, the program, and the digest of every file."""

    format: Literal[1]
    name: Name
    data: DataKind
    external: DataKind | Literal[""] = ""
    pretraining: DataKind | Literal[""] = ""
    overrides: tuple[str, ...]
    commit: str
    declared_late: bool
    study: Study
    program: dict[str, str]
    files: dict[Inside, str]

    def make_stages(self, prose: Path) -> list[Stage]:
        """Return the stages of the study, of which the author's words lie in ``prose``."""
        nothing_reads_it = prose
        return make_stages(
            self.study,
            Place(
                prose,
                self.data,
                nothing_reads_it,
                self.overrides,
                self.declared_late,
                self.commit,
                self.external,
                nothing_reads_it,
                pretraining_kind=self.pretraining,
                pretraining=nothing_reads_it,
            ),
        )


def find_beyond_reach(plan: Sequence[Stage]) -> frozenset[str]:
    """Return the names of the stages that no build folder lets one run again: they read X-rays, or need Keras."""
    return find_private_readers(plan) | {stage.name for stage in plan if stage.kind == "architecture"}


def select_repeatable(plan: Sequence[Stage]) -> list[Stage]:
    """Return the stages that can be run again to check a report, each after those that it reads.

    Raises
    ------
    StageError
        The report itself reads what may not be handed over.
    """
    beyond, wanted = find_beyond_reach(plan), set(TARGETS)
    if barred := [stage.name for stage in plan if stage.name in beyond & wanted]:
        raise StageError(
            f"stage {barred[0]} reads files that may not be handed over, so nobody could check the report",
            hint="name in `releases` of the stages that it reads what holds no X-ray",
        )
    for stage in reversed(plan):
        if stage.name in wanted - beyond:
            wanted |= stage.needs
    return [stage for stage in plan if stage.name in wanted - beyond]


def evidence_path(stage: str, file: str) -> str:
    """Return where a file of a stage lies in a build folder.

    It is ``predictions/baseline.csv`` for predictions, and such as ``predictions/read/records.csv`` for all else.
    """
    kind, _, model = stage.partition(".")
    return f"{FOLDER}/{model}.csv" if kind == "predict" else f"{FOLDER}/{stage}/{file}"


def group_by_stage(paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return, from the paths in a build folder, the path of each file of each stage that is evidence."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        folder, _, rest = path.partition("/")
        stage, _, file = rest.partition("/")
        if folder == FOLDER and file:
            found.setdefault(stage, {})[file] = path
        elif folder == FOLDER and rest.endswith(".csv"):
            found[f"predict.{rest.removesuffix('.csv')}"] = {"predictions.csv": path}
    return found


def find_evidence(plan: Sequence[Stage], built: Mapping[str, Built]) -> dict[str, Path]:
    """Return what repeatable stages read of the others and of the author, by path in a build folder."""
    split = {
        stage.name for stage in plan if stage.kind == "split"
    }  # could be drawn again, and is evidence too
    evidence = find_beyond_reach(plan) | split
    files: dict[str, Path] = {}
    for stage in select_repeatable(plan):
        for where in stage.inputs.values():
            if isinstance(where, Output) and where.stage in evidence:
                result = built[where.stage]
                chosen = [file for file in result.files if is_included(file, where.include)]
                files |= {evidence_path(where.stage, file): result.path(file) for file in chosen}
    prose = _find_stage("source", plan).inputs["prose"]
    assert isinstance(prose, Source)
    return files | {f"{PROSE}/{name}": prose.path / name for name in list_source(prose)}


def _find_stage(name: str, plan: Sequence[Stage]) -> Stage:
    return next(stage for stage in plan if stage.name == name)


def describe_study(
    study: Study, plan: Sequence[Stage], built: Mapping[str, Built], files: Mapping[str, Path]
) -> dict[str, Any]:
    """Return what ``study.json`` tells for the build folder of a ``plan`` that has these files."""
    repeatable = [stage for stage in select_repeatable(plan) if stage.name in built]
    params = _find_stage("source", plan).params
    names = {stage.name for stage in plan}
    return {
        "format": 1,
        "data": _find_kind(names),
        **{
            further: _find_kind(names, f"{further}.")
            for further in (EXTERNAL, PRETRAINING)
            if f"{further}.read" in names
        },
        **{name: params[name] for name in ("name", "overrides", "commit")},
        "declared_late": _find_stage("compare", plan).params["declared_late"],
        "study": study.as_json(without_defaults=True),  # as a study file may say it
        "program": describe_program((stage, built[stage.name].record.recipe) for stage in repeatable),
        "files": {name: digest_file(path) for name, path in sorted(files.items())},
    }


def _find_kind(names: Collection[str], prefix: str = "") -> DataKind:
    """Return what data are, by the stages that make or unpack them."""
    kinds: tuple[DataKind, ...] = ("sample", "archive")
    return next((kind for kind in kinds if f"{prefix}{kind}" in names), "folder")


def to_json(facts: Mapping[str, Any]) -> bytes:
    """Return ``facts`` as a JSON file that people read too."""
    return (json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode()


def describe_program(recipes: Iterable[tuple[Stage, Mapping[str, Any]]]) -> dict[str, str]:
    """Return what a report depends on beside its evidence: versions, and digests of our code and templates."""
    found: dict[str, str] = {}
    for stage, recipe in recipes:
        sources = [n for n, where in stage.inputs.items() if isinstance(where, Source) and n != "prose"]
        found |= recipe["environment"]
        found |= {f"code of {module}": known[:16] for module, known in recipe["code"].items()}
        found |= {f"{n} of {stage.kind}": recipe["inputs"][n][:16] for n in sources}
    return dict(sorted(found.items()))


def read_evidence(folder: Path) -> Evidence:
    """Return what a build folder tells of its study.

    Raises
    ------
    DataError
        It is no build folder, its build made no report, or its ``study.json`` is damaged.
    """
    path = folder / STUDY
    try:
        if is_unfinished(folder):
            raise DataError(f"{folder}: a build was interrupted while it wrote this folder", hint=REBUILD)
        return Evidence.model_validate_json(path.read_bytes())
    except OSError as error:
        problem, hint = _why_not(folder)
        raise DataError(problem, hint=hint) from error
    except ValidationError as error:
        problem = f"{path}: damaged, or of another version of this program: {describe_first(error)}"
        raise DataError(problem, hint=REBUILD) from error


def is_unfinished(folder: Path) -> bool:
    """Tell whether a build was interrupted while it wrote this folder."""
    return bool((read_json(folder / RUN) or {}).get("unfinished"))


def _why_not(folder: Path) -> tuple[str, str]:
    """Return why a folder without ``study.json`` cannot be checked, and what to do."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        return f"{folder}: {what}", "name a build folder, such as build/assignment"
    if any((folder / name).is_file() for name in DOCUMENTS):
        return f"{folder}: its report has no {STUDY}, by which it can be checked", REBUILD
    if (folder / RUN).is_file():
        return (
            f"{folder}: holds no report, as after report build --only",
            "build it whole: report build STUDY --data DIR",
        )
    return (
        f"{folder}: is no build folder",
        "name the folder that report.html lies in, such as build/assignment",
    )

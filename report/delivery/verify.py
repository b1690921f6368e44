"""The grader's check: make a report again from its predictions, and compare it with what was handed in.

The stages behind the predictions are pure functions. They run here plainly, in this process and a temporary folder:
no X-rays, no TensorFlow, no cache.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import re
import shutil
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.progress import silent
from report.delivery import evidence
from report.delivery.differences import NUMBER, Difference, differences, html, numbers, pages
from report.delivery.evidence import DOCUMENTS, PROSE, STUDY, Evidence
from report.delivery.publish import others, report_files
from report.engine.fingerprint import Surroundings, json_params
from report.engine.sources import list_source
from report.engine.stage import Input, Source, Stage, is_included
from report.engine.system.files import digest_file
from report.engine.system.process import fix_environment, reset
from report.errors import EnvironmentProblem, ReportError, UserError
from report.pipeline.stages import PROGRAM
from report.study.prose import find_prose

Told = Callable[[int, int], None]
Files = Mapping[str, Mapping[str, Path]]
BESIDE = ("run.json", "graph.svg")
"""What a build folder has beside its report, and nothing is computed from."""
FIGURES, TABLES = "figures/", "tables/"
CHANGED = "is not the file that was built: its digest is not the one in predictions/study.json"
WITHOUT = "without "
UNSEEN = "the numbers and words agree, but not checked is"
UNREADABLE = "cannot be read"
_TEMPLATE = re.compile(r"<<.*?>>|<%.*?%>|<#.*?#>", re.S)


@dataclass(frozen=True)
class Again:
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
class Recomputed:
    """The stages that were run again, why some could not be, and the program that ran them."""

    results: dict[str, Again]
    failed: dict[str, str]
    program: dict[str, str]


@dataclass(frozen=True)
class Checked:
    """How much of each part there is, and what does not agree; remarks are no disagreement.

    Of the parts ``unchecked`` nothing could be recomputed. ``cause`` tells whether files were changed after the build.
    """

    counts: dict[str, str]
    differences: list[Difference]
    remarks: list[str]
    unchecked: frozenset[str] = frozenset()
    cause: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether something was left to the reader's own eyes."""
        return any("not checked" in remark for remark in self.remarks)

    def verdict(self, part: str) -> str:
        """Return how much does not agree in one part."""
        wrong = sum(difference.where.partition("/")[0] == part for difference in self.differences)
        return f"{wrong or 'none'}" if part not in self.unchecked else "not checked"


def verify(folder: Path, told: Told) -> Checked:
    """Return whether the report in a build folder follows from its predictions.

    Raises
    ------
    DataError
        It is no build folder with a report.
    """
    given = evidence.read(folder)
    with TemporaryDirectory(prefix="report-verify-") as work:
        fix_environment(1, Path(work) / "home")  # as in the workers that made the report
        again = recompute(folder.absolute(), given, Path(work), told)
        found, remarks = check(folder, given, again)
        parts = counts(folder, given), found, remarks, unchecked(given, again)
        return Checked(*parts, cause(_changed(folder, given)))


def recompute(folder: Path, given: Evidence, work: Path, told: Told) -> Recomputed:
    """Run again, in the empty folder ``work``, the stages that need nothing but what lies in ``predictions/``."""
    prose = work / "study" / given.name
    prose.mkdir(parents=True)
    for path in find_prose(folder / PROSE):
        shutil.copyfile(path, prose / path.name)
    plan = evidence.redone(given.stages(prose))
    found = Recomputed({}, {}, _program(plan, work / "index"))
    kept = evidence.of_stages(given.files)
    files = {stage: {inside: folder / path for inside, path in kept[stage].items()} for stage in kept}
    for done, stage in enumerate(plan):
        told(done, len(plan))
        try:
            result = found.results[stage.name] = run(stage, files, work / stage.name)
        except Exception as error:  # noqa: BLE001  # whatever a changed file leads to is told, not raised
            found.failed[stage.name] = _why(error, work / stage.name, folder)
        else:
            files.setdefault(stage.name, {inside: result.path(inside) for inside in result.files})
    return found


def _program(plan: Sequence[Stage], index: Path) -> dict[str, str]:
    """Return what of this machine and program the stages depend on."""
    moment = Surroundings(PROGRAM, index)
    try:
        return evidence.program((stage, moment.recipe(stage, {})) for stage in plan)
    except EnvironmentProblem as error:
        return {"environment": error.message}


class _MissingError(ReportError):
    """Something that a stage reads is not there."""


def run(stage: Stage, files: Files, place: Path) -> Again:
    """Call the function of a stage in the new folder ``place``; ``files`` are those of other stages."""
    inputs = {name: place / "inputs" / name for name in stage.inputs}
    for name, where in stage.inputs.items():
        _link(_chosen(where, files), inputs[name])
    out, scratch = place / "out", place / "scratch"
    for path in (out, scratch):
        path.mkdir(parents=True)
    module, _, name = stage.function.partition(":")
    reset(stage.function, numpy=bool(stage.packages))
    with warnings.catch_warnings(), _quiet(), contextlib.chdir(place):
        warnings.simplefilter("ignore")  # they stand in the log of the build
        function = getattr(importlib.import_module(module), name)
        function(inputs, out, scratch=scratch, progress=silent, **json_params(stage))
    return Again(out)


def _chosen(where: Input, files: Files) -> dict[str, Path]:
    """Return the files that an input takes, by their path inside it."""
    if isinstance(where, Source):
        return {inside: where.path / inside for inside in list_source(where)}
    if where.stage not in files:
        raise _MissingError(f"{WITHOUT}{where.stage}")
    return {inside: path for inside, path in files[where.stage].items() if is_included(inside, where.include)}


def _link(files: Mapping[str, Path], place: Path) -> None:
    place.mkdir(parents=True)
    for inside, target in files.items():
        if not target.is_file():
            raise _MissingError(f"{target.name} is missing")
        (place / inside).parent.mkdir(parents=True, exist_ok=True)
        (place / inside).symlink_to(target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _why(error: Exception, place: Path, folder: Path) -> str:
    """Return an error in one line, files called by their path in the build folder."""
    words = error.message if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    text = " ".join(words.split())
    for link in sorted((place / "inputs").rglob("*"), reverse=True):
        if link.is_symlink():
            target = link.readlink()
            text = text.replace(
                str(link), str(target.relative_to(folder) if folder in target.parents else target.name)
            )
    return text


def check(folder: Path, given: Evidence, again: Recomputed) -> tuple[list[Difference], list[str]]:
    """Return where a build folder differs from what was recomputed, and remarks."""
    wanted = _wanted(given, again)
    changed = _changed(folder, given)
    found = [*_strays(folder, given, wanted), *_failures(again)]
    for name, path in wanted.items():
        if name in given.files and _differ(folder / name, path):
            found += _compared(name, folder / name, path)
    found, remarks = _by_version(found, given.program, again.program)
    named = {difference.where for difference in found}
    for name in sorted(changed - named):
        path = folder / name
        unreadable = _compared(name, path, path) if path.suffix in {".json", ".pdf"} else []
        found += unreadable or [Difference(name, CHANGED, "file")]
    remarks += [f"{name} was not built, so not checked" for name in DOCUMENTS if name not in given.files]
    remarks += [f"{name} is not of this build, so not checked" for name in _beside(folder, given)]
    return found, remarks + _typed(folder)


def _wanted(given: Evidence, again: Recomputed) -> dict[str, Path]:
    """Return what was recomputed of the files in a build folder, by relative path."""
    kept = evidence.of_stages(given.files)
    drawn = {
        path: again.results[stage].path(file)
        for stage in kept.keys() & again.results.keys()
        for file, path in kept[stage].items()
    }
    return drawn | report_files(again.results)


def _changed(folder: Path, given: Evidence) -> set[str]:
    """Return the files that are not those that were built, or are not there."""
    return {name for name, digest in given.files.items() if _digest(folder / name) != digest}


def cause(changed: Collection[str]) -> str:
    """Return, of a report that does not agree, which of its files are not as they were built."""
    of_evidence = sorted(name for name in changed if name.startswith(f"{evidence.FOLDER}/"))
    others = sorted(set(changed) - {*of_evidence})
    if of_evidence and not others:
        return f"{_some(of_evidence)} not of the build that made the report: changed after it, or of another build"
    if others and not of_evidence:
        return f"{_some(others)} not as built, while the predictions are: changed after the build, or of another one"
    if changed:
        return f"{_some([*of_evidence, *others])} not as built: the folder was changed after its build, or is of two"
    return "no file was changed after the build: this program gives other results than the one that built it"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{', '.join(names[:2])}{more} {'is' if len(names) == 1 else 'are'}"


def _digest(path: Path) -> str:
    return digest_file(path) if path.is_file() else ""


def _strays(folder: Path, given: Evidence, wanted: Mapping[str, Path]) -> Iterator[Difference]:
    """Yield the files that are missing, and those that are not of this report."""
    for name in given.files:
        if not (folder / name).is_file():
            yield Difference(name, "is missing", "file")
    known = {*given.files, STUDY}
    beside = [folder / name for name in DOCUMENTS if (folder / name).exists() and name not in known]
    for path in [*others(folder, known), *beside]:
        yield Difference(path.relative_to(folder).as_posix(), "is not of this build", "file")
    if any(name.startswith(FIGURES) for name in wanted):
        for name in given.files:
            if name.startswith((FIGURES, TABLES)) and name not in wanted:
                yield Difference(name, "is not made from these predictions", "file")
        for name in wanted.keys() - given.files.keys() - {*DOCUMENTS}:
            yield Difference(name, "is not in predictions/study.json", "file")


def _beside(folder: Path, given: Evidence) -> list[str]:
    """Return the files, hidden ones apart, that lie beside the report and are not of its build."""
    known = {*given.files, *DOCUMENTS, *BESIDE}
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in known)
    return [name for name in names if not name.startswith(".")]


def _failures(again: Recomputed) -> Iterator[Difference]:
    """Yield what could not be recomputed, but for what only lacks such a result."""
    for stage, why in again.failed.items():
        if not any(why == f"{WITHOUT}{other}" for other in again.failed):
            yield Difference(stage, f"could not be recomputed: {why}", "file")


def _differ(published: Path, again: Path) -> bool:
    return published.is_file() and published.read_bytes() != again.read_bytes()


def _compared(name: str, published: Path, again: Path) -> list[Difference]:
    """Return where a file differs from another, or that it cannot be read."""
    try:
        return list(differences(name, published, again))
    except Exception as error:  # noqa: BLE001  # a broken file is told, however its reader fails
        return [
            Difference(name, f"{UNREADABLE}: {type(error).__name__}: {' '.join(str(error).split())}", "file")
        ]


def _by_version(
    found: list[Difference], theirs: Mapping[str, str], ours: Mapping[str, str]
) -> tuple[list[Difference], list[str]]:
    """Return the differences that do not follow from other versions of libraries, and remarks on these.

    Versions are printed, and lines and letters are drawn a little otherwise. No other number or word is excused.
    """
    other = [name for name in sorted({*theirs, *ours}) if theirs.get(name) != ours.get(name)]
    if not other or not found:
        return found, []
    versions = {(theirs.get(name), ours.get(name)) for name in other}
    printed = [d for d in found if (d.published.strip(",.;"), d.again.strip(",.;")) in versions]
    drawn = [d for d in found if d.kind == "drawing"]
    first = [f"{name} {theirs.get(name, '-')} there, {ours.get(name, '-')} here" for name in other[:4]]
    remarks = [f"another program built this report ({'; '.join(first)}{'; ...' if other[4:] else ''})"]
    if drawn:
        remarks.append(
            f"{UNSEEN} how {len(drawn)} {'file is' if len(drawn) == 1 else 'files are'} drawn, as another program may draw otherwise: look at them, or "
            "verify with the program that the report's appendix names"
        )
    return [d for d in found if d not in printed and d not in drawn], remarks


def unchecked(given: Evidence, again: Recomputed) -> frozenset[str]:
    """Return the parts of a build folder of which nothing could be recomputed."""
    parts = (name.partition("/")[0] for name in given.files)
    made = (name.partition("/")[0] for name in _wanted(given, again))
    return frozenset(parts) - {*made, evidence.FOLDER}


def counts(folder: Path, given: Evidence) -> dict[str, str]:
    """Return how much of each part of a build folder there is to check."""
    names = [name.partition("/")[0] for name in (*given.files, STUDY)]
    found = {part: f"{names.count(part):,} files" for part in ("predictions", "tables", "figures")}
    found["results.json"] = _results(folder / "results.json")
    printed = {name: _printed(folder / name) for name in DOCUMENTS if name in given.files}
    return found | printed


def _results(path: Path) -> str:
    try:
        return f"{len(json.loads(path.read_bytes())['results']):,} results"
    except (OSError, ValueError, LookupError, TypeError):  # told as a difference
        return UNREADABLE


def _printed(path: Path) -> str:
    """Return how much a document prints; reading the words of a PDF would take as long as all else."""
    try:
        is_html = path.suffix == ".html"
        return f"{numbers(html(path).words):,} numbers" if is_html else f"{pages(path):,} pages"
    except Exception:  # noqa: BLE001  # told as a difference
        return UNREADABLE


def _typed(folder: Path) -> list[str]:
    """Return a remark on the numbers that stand in the author's own words, which nothing computes."""
    texts = {
        path.name: path.read_text(encoding="utf-8", errors="replace") for path in find_prose(folder / PROSE)
    }
    typed = {name: len(NUMBER.findall(_TEMPLATE.sub("", text))) for name, text in texts.items()}
    told = [f"{count} in {name}" for name, count in typed.items() if count]
    return [f"typed by the author, so not checked: numbers, {', '.join(told)}"] if told else []

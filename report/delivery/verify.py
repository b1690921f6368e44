"""The grader's check: what was handed in is compared with the same report, made again from its predictions."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from report.delivery import evidence
from report.delivery.build_folder import DRAWN
from report.delivery.differences import Difference, compare_files
from report.delivery.document_content import NUMBER, count_numbers, count_pages, read_html
from report.delivery.evidence import DOCUMENTS, PROSE, RUN, STUDY, Evidence, group_by_stage, read_evidence
from report.delivery.publish import find_strays, list_report_files
from report.delivery.recompute import OnProgress, Recomputation, recompute
from report.engine.system.files import digest_file
from report.engine.system.process import fix_environment
from report.errors import list_first

BESIDE = (RUN, *DRAWN)
"""What a build folder has beside its report, and nothing is computed from."""
FIGURES, TABLES = "figures/", "tables/"
CHANGED = "is not the file that was built: its digest is not the one in predictions/study.json"
UNREADABLE = "cannot be read"
_TEMPLATE = re.compile(r"<<.*?>>|<%.*?%>|<#.*?#>", re.S)


@dataclass(frozen=True)
class Remark:
    """What is to be said and is no disagreement; ``unchecked``: something is left to the reader's own eyes."""

    text: str
    unchecked: bool = False

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Verification:
    """How much of each part there is, and what does not agree.

    Of the parts ``unchecked`` nothing could be recomputed. ``cause`` tells whether files were changed after the build.
    """

    counts: dict[str, str]
    differences: list[Difference]
    remarks: list[Remark]
    unchecked: frozenset[str] = frozenset()
    cause: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether something was left to the reader's own eyes."""
        return any(remark.unchecked for remark in self.remarks)

    def verdict(self, part: str) -> str:
        """Return how much does not agree in one part."""
        wrong = sum(difference.where.partition("/")[0] == part for difference in self.differences)
        return f"{wrong or 'none'}" if part not in self.unchecked else "not checked"


def verify(folder: Path, on_progress: OnProgress) -> Verification:
    """Return whether the report in a build folder follows from its predictions.

    Parameters
    ----------
    folder : Path
        The build folder.
    on_progress : callable
        Is called before each stage that is run again, with how many have run, of how many.

    Raises
    ------
    DataError
        It is no build folder with a report.
    """
    declared = read_evidence(folder)
    with TemporaryDirectory(prefix="report-verify-") as work:
        fix_environment(1, Path(work) / "home")  # as in the workers that made the report
        again = recompute(folder.absolute(), declared, Path(work), on_progress)
        differences, remarks = compare(folder, declared, again)
        return Verification(
            count_parts(folder, declared),
            differences,
            remarks,
            find_unchecked(declared, again),
            describe_cause(find_changed(folder, declared)),
        )


def compare(folder: Path, declared: Evidence, again: Recomputation) -> tuple[list[Difference], list[Remark]]:
    """Return where a build folder differs from what was recomputed, and remarks."""
    wanted = _list_recomputed(declared, again)
    found = [*_find_misplaced(folder, declared, wanted), *_list_failures(again)]
    for name, path in wanted.items():
        if name in declared.files and _differ(folder / name, path):
            found += _compare(name, folder / name, path)
    found, remarks = _excuse_versions(found, declared.program, again.program)
    differing = {difference.where for difference in found}
    for name in sorted(find_changed(folder, declared) - differing):
        path = folder / name
        unreadable = _compare(name, path, path) if path.suffix in {".json", ".pdf"} else []
        found += unreadable or [Difference(name, CHANGED, "file")]
    missing = [f"{name} was not built, so not checked" for name in DOCUMENTS if name not in declared.files]
    beside = [f"{name} is not of this build, so not checked" for name in _list_beside(folder, declared)]
    unchecked = [Remark(text, unchecked=True) for text in (*missing, *beside, *_describe_typed(folder))]
    return found, remarks + unchecked


def _list_recomputed(declared: Evidence, again: Recomputation) -> dict[str, Path]:
    """Return what was recomputed of the files in a build folder, by relative path."""
    paths = group_by_stage(declared.files)
    splits = {
        path: again.results[stage].path(file)
        for stage in paths.keys() & again.results.keys()
        for file, path in paths[stage].items()
    }
    return splits | list_report_files(again.results)


def find_changed(folder: Path, declared: Evidence) -> set[str]:
    """Return the files that are not those that were built, or are not there."""
    digests = {name: digest_file(path) for name in declared.files if (path := folder / name).is_file()}
    return {name for name, digest in declared.files.items() if digests.get(name) != digest}


def describe_cause(changed: Collection[str]) -> str:
    """Return, of a report that does not agree, which of its files are not as they were built."""
    of_evidence = sorted(name for name in changed if name.startswith(f"{evidence.FOLDER}/"))
    others = sorted(set(changed) - {*of_evidence})
    if of_evidence and not others:
        return f"{_name_some(of_evidence)} not of the build that made the report: changed after it, or of another build"
    if others and not of_evidence:
        return f"{_name_some(others)} not as built, while the predictions are: changed after the build, or of another one"
    if changed:
        names = _name_some([*of_evidence, *others])
        return f"{names} not as built: the folder was changed after its build, or is of two"
    return "no file was changed after the build: this program gives other results than the one that built it"


def _name_some(names: Sequence[str]) -> str:
    return f"{list_first(names, 2)} {'is' if len(names) == 1 else 'are'}"


def _find_misplaced(folder: Path, declared: Evidence, wanted: Mapping[str, Path]) -> Iterator[Difference]:
    """Yield the files that are missing, and those that are not of this report."""
    for name in declared.files:
        if not (folder / name).is_file():
            yield Difference(name, "is missing", "file")
    known = {*declared.files, STUDY}
    beside = [folder / name for name in DOCUMENTS if (folder / name).exists() and name not in known]
    for path in [*find_strays(folder, known), *beside]:
        yield Difference(path.relative_to(folder).as_posix(), "is not of this build", "file")
    if any(name.startswith(FIGURES) for name in wanted):
        for name in declared.files:
            if name.startswith((FIGURES, TABLES)) and name not in wanted:
                yield Difference(name, "is not made from these predictions", "file")
        for name in wanted.keys() - declared.files.keys() - {*DOCUMENTS}:
            yield Difference(name, "is not in predictions/study.json", "file")


def _list_beside(folder: Path, declared: Evidence) -> list[str]:
    """Return the files, hidden ones apart, that lie beside the report and are not of its build."""
    known = {*declared.files, *DOCUMENTS, *BESIDE}
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name not in known)
    return [name for name in names if not name.startswith(".")]


def _list_failures(again: Recomputation) -> Iterator[Difference]:
    """Yield what could not be recomputed, but for what only lacks such a result."""
    for stage, failure in again.failures.items():
        if failure.lacking not in again.failures:
            yield Difference(stage, f"could not be recomputed: {failure.reason}", "file")


def _differ(published: Path, again: Path) -> bool:
    return published.is_file() and published.read_bytes() != again.read_bytes()


def _compare(name: str, published: Path, again: Path) -> list[Difference]:
    """Return where a file differs from another, or that it cannot be read."""
    try:
        return list(compare_files(name, published, again))
    except Exception as error:  # noqa: BLE001  # a broken file is told, however its reader fails
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return [Difference(name, f"{UNREADABLE}: {why}", "file")]


def _excuse_versions(
    found: list[Difference], theirs: Mapping[str, str], ours: Mapping[str, str]
) -> tuple[list[Difference], list[Remark]]:
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
    more = "; ..." if other[4:] else ""
    remarks = [Remark(f"another program built this report ({'; '.join(first)}{more})")]
    if drawn:
        files = f"{len(drawn)} {'file is' if len(drawn) == 1 else 'files are'}"
        remarks.append(
            Remark(
                f"the numbers and words agree, but not checked is how {files} drawn, as another program may draw "
                "otherwise: look at them, or verify with the program that the report's appendix names",
                unchecked=True,
            )
        )
    return [d for d in found if d not in printed and d not in drawn], remarks


def find_unchecked(declared: Evidence, again: Recomputation) -> frozenset[str]:
    """Return the parts of a build folder of which nothing could be recomputed."""
    parts = (name.partition("/")[0] for name in declared.files)
    recomputed = (name.partition("/")[0] for name in _list_recomputed(declared, again))
    return frozenset(parts) - {*recomputed, evidence.FOLDER}


def count_parts(folder: Path, declared: Evidence) -> dict[str, str]:
    """Return how much of each part of a build folder there is to check."""
    names = [name.partition("/")[0] for name in (*declared.files, STUDY)]
    found = {part: f"{names.count(part):,} files" for part in ("predictions", "tables", "figures")}
    found["results.json"] = _count_results(folder / "results.json")
    printed = {name: _count_printed(folder / name) for name in DOCUMENTS if name in declared.files}
    return found | printed


def _count_results(path: Path) -> str:
    try:
        return f"{len(json.loads(path.read_bytes())['results']):,} results"
    except (OSError, ValueError, LookupError, TypeError):  # told as a difference
        return UNREADABLE


def _count_printed(path: Path) -> str:
    """Return how much a document prints; reading the words of a PDF would take as long as all else."""
    try:
        is_html = path.suffix == ".html"
        return (
            f"{count_numbers(read_html(path).words):,} numbers" if is_html else f"{count_pages(path):,} pages"
        )
    except Exception:  # noqa: BLE001  # told as a difference
        return UNREADABLE


def _describe_typed(folder: Path) -> list[str]:
    """Return a remark on the numbers that stand in the author's own words, which nothing computes."""
    texts = {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in sorted((folder / PROSE).glob("*.md"))
    }
    typed = {name: len(NUMBER.findall(_TEMPLATE.sub("", text))) for name, text in texts.items()}
    numbers = [f"{count} in {name}" for name, count in typed.items() if count]
    return [f"typed by the author, so not checked: numbers, {', '.join(numbers)}"] if numbers else []

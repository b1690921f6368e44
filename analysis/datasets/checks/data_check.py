"""What a data folder holds: which reader fits it, and what that reader would make of it."""

from __future__ import annotations

import importlib
import json
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from analysis.datasets import class_folders, kermany, radiography, table, v7
from analysis.datasets.checks import unlabelled
from analysis.datasets.checks.reader_suggestions import Offer, find_offers
from analysis.datasets.checks.summary import describe_surroundings, summarise
from analysis.datasets.folders.files import Contents, find_files, suffix_of
from analysis.datasets.reader import Reader, function_of
from analysis.datasets.tables import search
from analysis.datasets.tables.parsing import SPREADSHEETS
from analysis.datasets.tables.search import MOST_CLASSES
from analysis.errors import DataError, MatchingError
from analysis.image_files import escape_name
from analysis.progress import Progress

READERS: Mapping[str, ModuleType] = {
    "v7": v7,
    "kermany": kermany,
    "radiography": radiography,
    "class-folders": class_folders,
    "table": table,
    "unlabelled": unlabelled,
}
UNLABELLED = Offer(
    "unlabelled",
    "no labels are known",
    {"classes": [{"id": "unlabelled", "label": "Images without labels"}]},
)
"""How images are read that no reader fits, if all that is asked is what can be told of images alone."""
EXPECTED = (
    "expected: the folder of `darwin dataset pull` (releases/ with Darwin JSON, and images/),"
    " one folder per class, such as NORMAL/ and PNEUMONIA/, or a CSV table with the files and their labels"
)


def check(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    settings: Mapping[str, Any] | None,
) -> None:
    """Write ``data_check.json``: the reader that fits ``inputs["data"]``, classes, exclusions, patients, sizes, duplicates, datasets.

    Parameters
    ----------
    settings : mapping, optional
        ``reader`` and the parameters that a study gives it: tried before what the folder itself suggests.

    Raises
    ------
    DataError
        If no reader fits, with what there is instead.
    """
    _write(out, _examine(inputs["data"], scratch / "tables", settings, progress))


def read(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    settings: Mapping[str, Any] | None,
) -> None:
    """Write what the reader that fits ``inputs["data"]`` writes, such as ``records.csv``, and ``data_check.json`` as `check` does.

    Images that no reader fits are read as of one class, and a note says why. Parameters are those of `check`.

    Raises
    ------
    DataError
        If there are no usable images.
    """
    tables = scratch / "tables"
    found = _examine(inputs["data"], tables, settings, progress, label=False)
    for file in sorted(tables.iterdir()):
        shutil.copyfile(file, out / file.name)
    _write(out, found)


def _write(out: Path, found: Mapping[str, Any]) -> None:
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    (out / "data_check.json").write_text(text + "\n", encoding="utf-8")


def _examine(
    root: Path,
    tables: Path,
    settings: Mapping[str, Any] | None,
    progress: Progress,
    *,
    label: bool = True,
) -> dict[str, Any]:
    """Return what the reader that fits ``root`` finds there; it writes into ``tables``, which are made anew.

    Without ``label`` images that no reader fits are read too.
    """
    contents = find_files(root)
    labelled = search.find(root, contents)
    fitting = find_offers(root, contents, labelled)
    misfit = ""
    if not fitting and not (settings and _named_alone(settings["reader"])):
        misfit, hint = f"no reader fits: {_in_words(contents)}", _expected(root, contents)
        if label or not contents.images:
            raise DataError(misfit, hint=hint)
        misfit, fitting = f"{misfit}; {hint}", [UNLABELLED]
    shutil.rmtree(tables, ignore_errors=True)  # of a run that was interrupted
    tables.mkdir()
    offer, notes = _read_first(root, _with_study(fitting, settings), tables, progress)
    return {
        "reader": offer.reader,
        "why": offer.why,
        "of_study": offer.of_study,
        "folders": offer.params.get("folders", {}),
        "keys": {key: offer.params[key] for key in ("table", "columns", "values") if key in offer.params},
        "tables": [one.why for one in labelled if one.why != offer.why and not _names(offer, one.tables)],
        "notes": [misfit, *notes] if misfit else notes,
        "files": contents.number,
        **summarise(tables, offer.params["classes"]),
        **describe_surroundings(contents, tables, offer.params),
    }


def _names(offer: Offer, tables: Iterable[str]) -> bool:
    """Return whether the reader is given one of the tables by its name."""
    given = offer.params.get("table", ())
    named = [given] if isinstance(given, str) else given
    return any(PurePosixPath(table).match(name) for table in tables for name in named)


def _module(reader: str) -> ModuleType:
    """Return the module of a reader: one of ours, or one that the study names."""
    return READERS.get(reader) or importlib.import_module(function_of(reader).partition(":")[0])


def _declared(reader: str) -> Reader:
    """Return what the module of a reader says of it."""
    declared: Reader = getattr(_module(reader), "READER", Reader())
    return declared


def _with_study(offers: Sequence[Offer], settings: Mapping[str, Any] | None) -> list[Offer]:
    """Return the offers, before them that of the study if its reader is one of theirs, or reads folders as one does.

    A reader that is offered for no folder by itself is tried too: one that needs settings of the study, or the author's own.
    """
    if settings is None:
        return list(offers)
    reader, of_folders = settings["reader"], "folders" in _declared(settings["reader"]).keys
    params = {key: value for key, value in settings.items() if key != "reader"}
    reasons = [o.why for o in offers if o.reader == reader or (of_folders and _reads_folders(o.reader))]
    if named := _named_alone(reader):
        reasons = [named]
    return [*(Offer(reader, why, params, True) for why in reasons[:1]), *offers]


def _reads_folders(reader: str) -> bool:
    return "folders" in _declared(reader).keys


def _named_alone(reader: str) -> str:
    """Return why a reader is tried that only a study can name; "" of all others."""
    needed = _declared(reader).needs
    if needed:
        return f"the study names {' and '.join(needed)}"
    return "" if reader in READERS else "the study names it"


def _read_first(
    root: Path, offers: Iterable[Offer], tables: Path, progress: Progress
) -> tuple[Offer, list[str]]:
    """Read the folder as the first offer that works; return it, and what was wrong with those before."""
    problems: list[DataError] = []
    for offer in offers:
        params = {**offer.params, "max_excluded": 1.0}
        try:
            function = getattr(_module(offer.reader), function_of(offer.reader).partition(":")[2])
            function({"data": root}, tables, scratch=tables, progress=progress, **params)
        except MatchingError:
            raise
        except DataError as error:
            problems.append(error)
        else:
            return offer, [error.message for error in problems]
    raise problems[0]


def _expected(root: Path, contents: Contents) -> str:
    """Return what was expected; or what to do with tables, or with an archive where there is nothing else."""
    if contents.images:
        return "; ".join([*_of_tables(contents), EXPECTED])
    if not contents.archives:
        return EXPECTED
    archive = root / contents.archives[0]
    return f"unpack {escape_name(archive.name)}, or see what it has: report data check {shlex.quote(str(archive))}"


def _of_tables(contents: Contents) -> Iterator[str]:
    """Return why the tables that lie there are not read."""
    for name in [n for n in contents.others if n.lower().endswith(SPREADSHEETS)][:1]:
        yield f"if {escape_name(name)} has the labels, save it as CSV (UTF-8) in Excel or LibreOffice"
    for name in [n for n in contents.others if n.lower().endswith((".csv", ".tsv", ".csv.gz"))][:1]:
        yield (
            f"in {escape_name(name)} no column has names of these images and another one 2 to {MOST_CLASSES} labels:"
            ' mend it, or name its columns in a study file with reader = "table"'
        )


def _in_words(contents: Contents) -> str:
    """Return in words what there is where no reader fits."""
    kinds = Counter(suffix_of(name) or "without a suffix" for name in contents.files)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    if not contents.images:
        return f"no images and no Darwin JSON among {len(contents.files)} files ({listed})"
    places = Counter(escape_name(str(PurePosixPath(name).parent)) for name in contents.images)
    where = ", ".join(
        f"{count} {'in no folder' if place == '.' else f'in {place}'}"
        for place, count in places.most_common(4)
    )
    more = f" and {len(places) - 4} more folders" if len(places) > 4 else ""
    return (
        f"{len(contents.images)} images ({where}{more}), no Darwin JSON and no folders that could be classes"
    )

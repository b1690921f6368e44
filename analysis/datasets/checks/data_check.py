"""What a data folder holds: which reader fits it, and what that reader would make of it."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from analysis.datasets import class_folders, kermany, radiography, table, v7
from analysis.datasets.checks.offers import Offer, offers
from analysis.datasets.folders import layout
from analysis.datasets.folders.files import Contents, find_files, suffix_of
from analysis.datasets.images.decode import noted_depth
from analysis.datasets.tables import search
from analysis.datasets.tables.parsing import SPREADSHEETS
from analysis.datasets.tables.search import MOST_CLASSES
from analysis.errors import DataError, MatchingError
from analysis.names import real, written
from analysis.progress import Progress

FOLDER_READERS: dict[str, Callable[..., None]] = {
    "kermany": kermany.read,
    "radiography": radiography.read,
    "class-folders": class_folders.read,
}
READERS: dict[str, Callable[..., None]] = {"v7": v7.read, "table": table.read, **FOLDER_READERS}
EXAMPLES = 3
MOST_DATASETS = 6  # more of them are patients or hospitals
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
    root = inputs["data"]
    contents = find_files(root)
    labelled = search.find(root, contents)
    fitting = offers(root, contents, labelled)
    if not fitting and not (settings and settings["reader"] == "table"):
        raise DataError(f"no reader fits: {_in_words(contents)}", hint=_expected(root, contents))
    tables = scratch / "tables"
    tables.mkdir(exist_ok=True)
    offer, notes = _read_first(root, _with_study(fitting, settings), tables, progress)
    found = {
        "reader": offer.reader,
        "why": offer.why,
        "of_study": offer.of_study,
        "folders": offer.params.get("folders", {}),
        "keys": {key: offer.params[key] for key in ("table", "columns", "values") if key in offer.params},
        "tables": [one.why for one in labelled if one.why != offer.why and not _names(offer, one.tables)],
        "notes": notes,
        "files": contents.number,
        **summarise(tables, offer.params["classes"]),
        **_around(contents, tables, offer.params),
    }
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    (out / "data_check.json").write_text(text + "\n", encoding="utf-8")


def _names(offer: Offer, tables: Iterable[str]) -> bool:
    """Return whether the reader is given one of the tables by its name."""
    given = offer.params.get("table", ())
    named = [given] if isinstance(given, str) else given
    return any(PurePosixPath(table).match(name) for table in tables for name in named)


def _with_study(offers: Sequence[Offer], settings: Mapping[str, Any] | None) -> list[Offer]:
    """Return the offers, before them that of the study if its reader is one of theirs, or reads folders as one does."""
    if settings is None:
        return list(offers)
    reader = settings["reader"]
    alike = FOLDER_READERS if reader in FOLDER_READERS else {reader}
    params = {key: value for key, value in settings.items() if key != "reader"}
    own = [Offer(reader, o.why, params, True) for o in offers if o.reader in alike]
    if reader == "table":
        own = [Offer(reader, "the study names the table and its columns", params, True)]
    return [*own[:1], *offers]


def _read_first(
    root: Path, offers: Iterable[Offer], tables: Path, progress: Progress
) -> tuple[Offer, list[str]]:
    """Read the folder as the first offer that works; return it, and what was wrong with those before."""
    problems: list[DataError] = []
    for offer in offers:
        params = {**offer.params, "max_excluded": 1.0}
        try:
            READERS[offer.reader]({"data": root}, tables, scratch=tables, progress=progress, **params)
        except MatchingError:
            raise
        except DataError as error:
            problems.append(error)
        else:
            return offer, [error.message for error in problems]
    raise problems[0]


def summarise(tables: Path, classes: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the figures of what a reader wrote into ``tables``, as JSON values."""
    records = pd.read_csv(tables / "records.csv", keep_default_na=False)
    images = records.drop_duplicates("image_id")
    flow = pd.read_csv(tables / "flow.csv")
    return {
        "classes": [{**c, **_of_class(records[records["label"] == c["id"]])} for c in classes],
        "flow": flow.to_dict("records"),
        "excluded": _excluded(pd.read_csv(tables / "excluded.csv", keep_default_na=False)),
        "official": images["official"].value_counts(sort=False).drop("", errors="ignore").to_dict(),
        "patients": _patients(images),
        "sizes": _sizes(images),
        "modes": images["mode"].value_counts().to_dict(),
        "depth": noted_depth(tables),
        "duplicates": _duplicates(records),
    }


def _of_class(rows: pd.DataFrame) -> dict[str, int]:
    return {"pictures": len(rows), "patients": int(rows["patient_id"].nunique())}


def _excluded(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return every reason with its count and first examples, the commonest first."""
    return [
        {
            "reason": reason,
            "files": len(rows),
            "examples": rows[["file", "detail"]].head(EXAMPLES).to_dict("records"),
        }
        for reason, rows in sorted(table.groupby("reason"), key=lambda item: -len(item[1]))
    ]


def _patients(images: pd.DataFrame) -> dict[str, Any]:
    known = images[images["source"] != "unknown"]
    parts = images.groupby("patient_id")["official"].nunique()
    return {
        "number": len(parts),
        "across_official": int((parts > 1).sum()),
        "known_for": len(known),
        "pictures": len(images),
        "most_pictures": int(images["patient_id"].value_counts().max()),
        "sources": known["source"].value_counts().to_dict(),
    }


def _sizes(images: pd.DataFrame) -> dict[str, Any]:
    """Return the range of the sides in pixels, and the commonest sizes."""
    sizes = images.groupby(["width", "height"]).size().rename("pictures").reset_index()
    commonest = sizes.sort_values("pictures", ascending=False, kind="stable").head(EXAMPLES)
    return {
        **{side: _range(images[side]) for side in ("width", "height")},
        "different": len(sizes),
        "commonest": commonest.to_dict("records"),
    }


def _range(values: pd.Series[int]) -> dict[str, int]:
    return {"least": int(values.min()), "median": round(values.median()), "most": int(values.max())}


def _duplicates(records: pd.DataFrame) -> dict[str, Any]:
    """Return the groups of images that are the same file, byte for byte."""
    images = records.groupby("image_id", sort=False)
    each = images.agg({"sha256": "first", "official": "first", "label": "|".join}).reset_index()
    groups = each[each.duplicated("sha256", keep=False)].groupby("sha256", sort=False)
    differ = groups[["label", "official"]].nunique() > 1
    return {
        "groups": groups.ngroups,
        "pictures": int(groups.size().sum()),
        "across_classes": int(differ["label"].sum()),
        "across_official": int(differ["official"].sum()),
        "examples": [list(rows["image_id"]) for _, rows in list(groups)[:EXAMPLES]],
        "conflicts": [list(rows["image_id"]) for sha256, rows in groups if differ["label"][sha256]][
            :EXAMPLES
        ],
    }


def _around(contents: Contents, tables: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what there is beside the images that are read, and the datasets that these are of."""
    flow = pd.read_csv(tables / "flow.csv")
    records = pd.read_csv(tables / "records.csv", keep_default_na=False, dtype=str)
    counts = dict(zip(flow["step"], flow["count"], strict=True))
    return {
        "beside": [
            {
                "what": what,
                "files": int(counts[what]),
                "example": _example(contents, names, int(counts[what])),
            }
            for what, names in contents.beside()
            if what in counts
        ],
        "archives": [written(name) for name in contents.archives],
        "datasets": _datasets(records, params) if "folders" in params else [],
        "annotated": "" if "folders" in params else _annotated(contents),
        "astray": _astray(records, params["classes"]) if "table" in params else [],
    }


def _example(contents: Contents, names: Sequence[str], count: int) -> str:
    """Return the first of the files and what it is, if the reader makes nothing of any of them."""
    first = names[0]
    why = f" ({written(contents.skipped[first])})" if first in contents.skipped else ""
    return f"{written(first)}{why}" if count == len(names) else ""


def _datasets(records: pd.DataFrame, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the folders that hold a dataset each, with their images of each class; [] if they are very many.

    ``same_names`` is how many images have one of the same class, split and name in another of them.
    """
    above = [PurePosixPath(real(name)).parts[:-1] for name in records["image_id"]]
    tree = layout.ClassFolders(above, class_folders.names_of(params["classes"], params["folders"]))
    of = records.assign(
        dataset=["/".join(tree.dataset(folders)) for folders in above],
        name=records["image_id"].str.rsplit("/", n=1).str[-1],
    )
    where = of.groupby(["label", "official", "name"])["dataset"].transform("nunique")
    found = [
        {
            "folder": written(str(folder)),
            "classes": rows["label"].value_counts().to_dict(),
            "same_names": int((where[rows.index] > 1).sum()),
        }
        for folder, rows in of.groupby("dataset")
    ]
    return found if len(found) <= MOST_DATASETS else []


def _astray(records: pd.DataFrame, classes: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Return the images that lie in a folder of another class than the table gives them, with both classes."""
    above = [PurePosixPath(real(name)).parts[:-1] for name in records["image_id"]]
    tree = layout.ClassFolders(above, {c["id"]: (c["label"], c["id"]) for c in classes})
    lying = [tree.judge(folders)[0] for folders in above]
    rows = zip(records["image_id"], records["label"], lying, strict=True)
    return [[name, label, folder] for name, label, folder in rows if folder and folder != label]


def _annotated(contents: Contents) -> str:
    """Return the folder that all annotations and only some of the images lie in; "" if there is none."""
    tops = {name.partition("/")[0] for name in contents.others if name.lower().endswith(".json")}
    annotated = next(iter(tops)) if len(tops) == 1 else ""
    images = {name.partition("/")[0] for name in contents.images}
    return written(annotated) if annotated in images and len(images) > 1 else ""


def _expected(root: Path, contents: Contents) -> str:
    """Return what was expected; or what to do with tables, or with an archive where there is nothing else."""
    if contents.images:
        return "; ".join([*_of_tables(contents), EXPECTED])
    if not contents.archives:
        return EXPECTED
    archive = root / contents.archives[0]
    return (
        f"unpack {written(archive.name)}, or see what it has: report data check {shlex.quote(str(archive))}"
    )


def _of_tables(contents: Contents) -> Iterator[str]:
    """Return why the tables that lie there are not read."""
    for name in [n for n in contents.others if n.lower().endswith(SPREADSHEETS)][:1]:
        yield f"if {written(name)} has the labels, save it as CSV (UTF-8) in Excel or LibreOffice"
    for name in [n for n in contents.others if n.lower().endswith((".csv", ".tsv", ".csv.gz"))][:1]:
        yield (
            f"in {written(name)} no column has names of these images and another one 2 to {MOST_CLASSES} labels:"
            ' mend it, or name its columns in a study file with reader = "table"'
        )


def _in_words(contents: Contents) -> str:
    """Return in words what there is where no reader fits."""
    kinds = Counter(suffix_of(name) or "without a suffix" for name in contents.files)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    if not contents.images:
        return f"no images and no Darwin JSON among {len(contents.files)} files ({listed})"
    places = Counter(written(str(PurePosixPath(name).parent)) for name in contents.images)
    where = ", ".join(
        f"{count} {'in no folder' if place == '.' else f'in {place}'}"
        for place, count in places.most_common(4)
    )
    more = f" and {len(places) - 4} more folders" if len(places) > 4 else ""
    return (
        f"{len(contents.images)} images ({where}{more}), no Darwin JSON and no folders that could be classes"
    )

"""What a data folder holds: which reader fits it, and what that reader would make of it."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from analysis.datasets import (
    class_folders,
    darwin,
    kermany,
    patients,
    radiography,
    table,
    table_file,
    table_survey,
    v7,
)
from analysis.datasets.decode import noted_depth
from analysis.datasets.folder import list_files, pictures_among
from analysis.errors import DataError
from analysis.progress import Progress

FOLDER_READERS: dict[str, Callable[..., None]] = {
    "kermany": kermany.read,
    "radiography": radiography.read,
    "class-folders": class_folders.read,
}
READERS: dict[str, Callable[..., None]] = {"v7": v7.read, "table": table.read, **FOLDER_READERS}
V7_CLASSES = (
    {"id": "bacterial", "label": "Bacterial Pneumonia"},
    {"id": "covid_19", "label": v7.COVID_19},
    {"id": "healthy", "label": "No Pneumonia (healthy)"},
    {"id": "viral", "label": "Viral Pneumonia"},
)
# Folders that pictures lie in, whatever they show.
GENERIC = ("image", "images", "img", "imgs", "picture", "pictures", "png", "jpg", "jpeg", "files")
UNTELLING = frozenset((*class_folders.OFFICIAL, *GENERIC))
MOST_CLASSES = 30  # more folders than this are patients or studies
EXAMPLES = 3
EXPECTED = (
    "expected: the folder of `darwin dataset pull` (releases/ with Darwin JSON, and images/),"
    " one folder per class, such as NORMAL/ and PNEUMONIA/, or a CSV table with the files and their labels"
)


def survey(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    settings: Mapping[str, Any] | None,
) -> None:
    """Write ``survey.json``: the reader that fits ``inputs["data"]``, classes, exclusions, patients, sizes, duplicates.

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
    files = list_files(root)
    tables_found = table_survey.find(root, files)
    offers = [
        *_darwin(root, files),
        *_kermany(files),
        *_radiography(files),
        *map(_table, tables_found),
        *_folders(files),
    ]
    if not offers and not (settings and settings["reader"] == "table"):
        raise DataError(f"no reader fits: {_contents(files)}", hint=_expected(files))
    tables = scratch / "tables"
    tables.mkdir(exist_ok=True)
    offer, notes = _read_first(root, _with_study(offers, settings), tables, progress)
    found = {
        "reader": offer.reader,
        "why": offer.why,
        "of_study": offer.of_study,
        "folders": offer.params.get("folders", {}),
        "keys": {key: offer.params[key] for key in ("table", "columns", "values") if key in offer.params},
        "tables": [one.why for one in tables_found if offer.reader != "table"],
        "notes": notes,
        "files": len(files),
        **summarise(tables, offer.params["classes"]),
    }
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True)
    (out / "survey.json").write_text(text + "\n", encoding="utf-8")


def _expected(files: Iterable[str]) -> str:
    sheet = next((f for f in files if f.lower().endswith(table_file.SPREADSHEETS)), None)
    return EXPECTED + (f"; if {sheet} has the labels, save it as CSV" if sheet else "")


@dataclass(frozen=True)
class _Offer:
    """A reader that may fit, why, and the parameters to try it with."""

    reader: str
    why: str
    params: Mapping[str, Any]
    of_study: bool = False


def _darwin(root: Path, files: Iterable[str]) -> Iterator[_Offer]:
    """Offer the reader of V7 if one JSON file is a Darwin annotation."""
    for name in files:
        if not name.lower().endswith(".json"):
            continue
        try:
            known = darwin.parse((root / name).read_bytes())
        except (ValueError, OSError, RecursionError):
            continue
        if known:
            params = {"classes": V7_CLASSES, "label_rule": "covid-first", "exclude": ()}
            yield _Offer("v7", f"{name} is Darwin JSON", params)
            return


def _table(found: table_survey.Labelled) -> _Offer:
    """Offer the reader of tables with the columns that were found."""
    classes = _classes(found.classes)
    params = {
        "classes": classes,
        "table": found.tables[0] if len(found.tables) == 1 else found.tables,
        "columns": found.columns,
        # The label of a class that is a number will be given another one.
        "values": {c["id"]: [c["label"]] for c in classes if not re.search(r"[^\W\d]", c["label"])},
        "several": "leave-out",
        "uncertain": "leave-out",
        "exclude": (),
    }
    return _Offer("table", found.why, params)


def _kermany(files: Iterable[str]) -> Iterator[_Offer]:
    """Offer the reader of the paediatric set if most pictures in NORMAL and PNEUMONIA are named as it names them."""
    folders = [c["label"].casefold() for c in kermany.CLASSES]
    pictures = [
        (picture, above[-1])
        for picture in pictures_among(files)
        if (above := [class_folders.plain(name) for name in PurePosixPath(picture).parts[:-1]])
        and above[-1] in folders
        and not class_folders.masks_folder(above)
    ]
    # Viewers of DICOM files name any picture IM-0001-0001: one of pneumonia must tell its kind.
    named = [
        folder
        for picture, folder in pictures
        if patients.kermany(picture) and (folder == folders[0] or kermany.kind(picture))
    ]
    if set(named) == set(folders) and 2 * len(named) > len(pictures):
        params = {"classes": kermany.CLASSES, "folders": {}, "exclude": ()}
        yield _Offer("kermany", "NORMAL and PNEUMONIA have files named as Kermany et al. name them", params)


def _radiography(files: Iterable[str]) -> Iterator[_Offer]:
    """Offer the reader of the radiography set if there is ``<class>/images`` of COVID-19 and another of its classes."""
    there = {
        class_folders.plain(above[-2])
        for picture in pictures_among(files)
        if len(above := PurePosixPath(picture).parts[:-1]) > 1 and above[-1].casefold() == "images"
    }
    ids = {
        class_folders.plain(name): c["id"]
        for c in radiography.CLASSES
        for name in (*radiography.FOLDERS.get(c["id"], ()), c["label"])
    }
    found = {ids[name] for name in there & ids.keys()}
    if {radiography.CLASSES[0]["id"]} < found:
        classes = [c for c in radiography.CLASSES if c["id"] in found]
        params = {"classes": classes, "folders": radiography.FOLDERS, "exclude": ()}
        names = ", ".join(c["label"] for c in classes)
        yield _Offer("radiography", f"there are folders called images of {names}", params)


def _folders(files: Iterable[str]) -> Iterator[_Offer]:
    """Offer the reader of class folders if pictures lie below folders of two names or more, at one level.

    The level is counted from the top or from the picture: the one that most pictures have, and with the fewest names.
    """
    levels: dict[int, Counter[str]] = defaultdict(Counter)
    for picture in pictures_among(files):
        above = PurePosixPath(picture).parts[:-1]
        if not class_folders.masks_folder(above):
            telling = [name for name in above if class_folders.plain(name) not in UNTELLING]
            for level, name in enumerate(telling):
                levels[level][name] += 1
                levels[level - len(telling)][name] += 1
    named = [(-level.total(), _named_once(level)) for level in levels.values()]
    fitting = [(missing, len(names), names) for missing, names in named if 1 < len(names) <= MOST_CLASSES]
    if fitting:
        names = min(fitting)[-1]
        params = {"classes": _classes(names), "folders": {}, "exclude": ()}
        yield _Offer("class-folders", f"pictures lie in folders called {', '.join(names)}", params)


def _named_once(level: Counter[str]) -> list[str]:
    """Return the names of folders, of those that differ only in spelling the commonest."""
    return sorted({class_folders.plain(name): name for name, _ in reversed(level.most_common())}.values())


def _classes(names: Iterable[str]) -> list[dict[str, str]]:
    ids: list[str] = []
    for name in names:
        stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:36]
        wanted = stem if stem[:1].isalpha() else f"class_{stem}".rstrip("_")
        ids.append(wanted if wanted not in ids else f"{wanted}_{len(ids)}")
    return [{"id": i, "label": name} for i, name in zip(ids, names, strict=True)]


def _with_study(offers: Sequence[_Offer], settings: Mapping[str, Any] | None) -> list[_Offer]:
    """Return the offers, before them that of the study if its reader is one of theirs, or reads folders as one does."""
    if settings is None:
        return list(offers)
    reader = settings["reader"]
    alike = FOLDER_READERS if reader in FOLDER_READERS else {reader}
    params = {key: value for key, value in settings.items() if key != "reader"}
    own = [_Offer(reader, o.why, params, True) for o in offers if o.reader in alike]
    if reader == "table":
        own = [_Offer(reader, "the study names the table and its columns", params, True)]
    return [*own[:1], *offers]


def _read_first(
    root: Path, offers: Iterable[_Offer], tables: Path, progress: Progress
) -> tuple[_Offer, list[str]]:
    """Read the folder as the first offer that works; return it, and what was wrong with those before."""
    problems: list[DataError] = []
    for offer in offers:
        params = {**offer.params, "max_excluded": 1.0}
        try:
            READERS[offer.reader]({"data": root}, tables, scratch=tables, progress=progress, **params)
        except DataError as error:
            problems.append(error)
        else:
            return offer, [error.message for error in problems]
    raise problems[0]


def summarise(tables: Path, classes: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the figures of what a reader wrote into ``tables``, as JSON values."""
    records = pd.read_csv(tables / "records.csv", keep_default_na=False)
    pictures = records.drop_duplicates("image_id")
    flow = pd.read_csv(tables / "flow.csv")
    return {
        "classes": [{**c, **_of_class(records[records["label"] == c["id"]])} for c in classes],
        "flow": flow.to_dict("records"),
        "excluded": _excluded(pd.read_csv(tables / "excluded.csv", keep_default_na=False)),
        "official": pictures["official"].value_counts(sort=False).drop("", errors="ignore").to_dict(),
        "patients": _patients(pictures),
        "sizes": _sizes(pictures),
        "modes": pictures["mode"].value_counts().to_dict(),
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


def _patients(pictures: pd.DataFrame) -> dict[str, Any]:
    known = pictures[pictures["source"] != "unknown"]
    parts = pictures.groupby("patient_id")["official"].nunique()
    return {
        "number": len(parts),
        "across_official": int((parts > 1).sum()),
        "known_for": len(known),
        "pictures": len(pictures),
        "most_pictures": int(pictures["patient_id"].value_counts().max()),
        "sources": known["source"].value_counts().to_dict(),
    }


def _sizes(pictures: pd.DataFrame) -> dict[str, Any]:
    """Return the range of the sides in pixels, and the commonest sizes."""
    sizes = pictures.groupby(["width", "height"]).size().rename("pictures").reset_index()
    commonest = sizes.sort_values("pictures", ascending=False, kind="stable").head(EXAMPLES)
    return {
        **{side: _range(pictures[side]) for side in ("width", "height")},
        "different": len(sizes),
        "commonest": commonest.to_dict("records"),
    }


def _range(values: pd.Series[int]) -> dict[str, int]:
    return {"least": int(values.min()), "median": round(values.median()), "most": int(values.max())}


def _duplicates(records: pd.DataFrame) -> dict[str, Any]:
    """Return the groups of pictures that are the same file, byte for byte."""
    pictures = records.groupby("image_id", sort=False)
    each = pictures.agg({"sha256": "first", "official": "first", "label": "|".join}).reset_index()
    groups = each[each.duplicated("sha256", keep=False)].groupby("sha256", sort=False)
    differ = groups[["label", "official"]].nunique() > 1
    return {
        "groups": groups.ngroups,
        "pictures": int(groups.size().sum()),
        "across_classes": int(differ["label"].sum()),
        "across_official": int(differ["official"].sum()),
        "examples": [list(rows["image_id"]) for _, rows in list(groups)[:EXAMPLES]],
    }


def _contents(files: Sequence[str]) -> str:
    """Return in words what there is where no reader fits."""
    pictures = pictures_among(files)
    kinds = Counter(PurePosixPath(name).suffix.lower() or "without a suffix" for name in files)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
    if not pictures:
        return f"no pictures and no Darwin JSON among {len(files)} files ({listed})"
    places = Counter(str(PurePosixPath(name).parent) for name in pictures)
    where = ", ".join(
        f"{count} {'in no folder' if place == '.' else f'in {place}'}"
        for place, count in places.most_common(4)
    )
    more = f" and {len(places) - 4} more folders" if len(places) > 4 else ""
    return f"{len(pictures)} pictures ({where}{more}), no Darwin JSON and no folders that could be classes"

"""Which readers may fit a data folder, told from the names of its folders and files."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets import kermany, patients, radiography, v7
from analysis.datasets.darwin import darwin_json
from analysis.datasets.folders import layout
from analysis.datasets.folders.files import Contents
from analysis.datasets.folders.findings import share_of_findings
from analysis.datasets.folders.layout import Folders
from analysis.datasets.tables.search import LabelTable
from analysis.image_files import escape_name

V7_CLASSES = (
    {"id": "bacterial", "label": "Bacterial Pneumonia"},
    {"id": "covid_19", "label": v7.COVID_19},
    {"id": "healthy", "label": "No Pneumonia (healthy)"},
    {"id": "viral", "label": "Viral Pneumonia"},
)
MOST_CLASSES = 30  # more folders than this are patients or studies
HEXADECIMAL = re.compile(r"(?=.*\d)[0-9a-fA-F.-]{5,}")
GRADES = re.compile(r"class|grade|stage|type|label")
BELOW_SPLIT = "below the split"
UNLABELLED = re.compile(r"(to )?pred(ict\w*)?$|unlabell?ed")
WORDS = {"+": "positive", "−": "negative", "<": "below", ">": "above", "≤": "up to", "≥": "from", "≠": "not"}
"""What signs are called in the id of a class."""
LONGEST = 36


@dataclass(frozen=True)
class Offer:
    """A reader that may fit, why, and the parameters to try it with."""

    reader: str
    why: str
    params: Mapping[str, Any]
    of_study: bool = False


def find_offers(root: Path, contents: Contents, labelled: Iterable[LabelTable]) -> list[Offer]:
    """Return the readers that may fit what lies below ``root``, the likeliest first; ``labelled`` are the tables there.

    A table comes before folders of classes, unless these sound more like findings than what it has.
    """
    above = [PurePosixPath(image).parts[:-1] for image in contents.images]
    lying = Counter(folders for folders in above if not layout.masks_folder(folders))
    by_label = [*map(_table, labelled), *_folders(lying)]
    return [
        *_darwin(root, contents.others),
        *_kermany(contents.images),
        *_radiography(lying),
        *sorted(
            by_label, key=lambda offer: -share_of_findings([c["label"] for c in offer.params["classes"]])
        ),
    ]


def _darwin(root: Path, files: Iterable[str]) -> Iterator[Offer]:
    """Offer the reader of V7 if one JSON file is a Darwin annotation."""
    for name, found in darwin_json.read_files(root, files):
        if found and not isinstance(found, Exception):
            params = {"classes": V7_CLASSES, "label_rule": "covid-first", "exclude": ()}
            yield Offer("v7", f"{escape_name(name)} is Darwin JSON", params)
            return


def _kermany(images: Iterable[str]) -> Iterator[Offer]:
    """Offer the reader of the paediatric set if most images in NORMAL and PNEUMONIA are named as it names them."""
    folders = [layout.plain(c["label"]) for c in kermany.CLASSES]
    there = [
        (image, layout.plain(above[-1]))
        for image in images
        if (above := PurePosixPath(image).parts[:-1])
        and layout.plain(above[-1]) in folders
        and not layout.masks_folder(above)
    ]
    # Viewers of DICOM files name any image IM-0001-0001: one of pneumonia must tell its kind.
    named = [
        folder
        for image, folder in there
        if patients.kermany(image) and (folder == folders[0] or kermany.kind(image))
    ]
    if set(named) == set(folders) and 2 * len(named) > len(there):
        params = {"classes": kermany.CLASSES, "folders": {}, "exclude": ()}
        yield Offer("kermany", "NORMAL and PNEUMONIA have files named as Kermany et al. name them", params)


def _radiography(lying: Iterable[Folders]) -> Iterator[Offer]:
    """Offer the reader of the radiography set if its classes, COVID-19 among them, and no others have ``<class>/images``."""
    there = {
        layout.plain(above[-2]) for above in lying if len(above) > 1 and above[-1].casefold() == "images"
    }
    ids = {
        layout.plain(name): c["id"]
        for c in radiography.CLASSES
        for name in (*radiography.FOLDERS.get(c["id"], ()), c["label"])
    }
    found = {ids[name] for name in there & ids.keys()}
    if there <= ids.keys() and {radiography.CLASSES[0]["id"]} < found:
        classes = [c for c in radiography.CLASSES if c["id"] in found]
        params = {"classes": classes, "folders": radiography.FOLDERS, "exclude": ()}
        names = ", ".join(c["label"] for c in classes)
        yield Offer("radiography", f"there are folders called images of {names}", params)


def _table(found: LabelTable) -> Offer:
    """Offer the reader of tables with the columns that were found."""
    classes = make_classes(found.classes)
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
    return Offer("table", found.why, params)


def _folders(lying: Mapping[Folders, int]) -> Iterator[Offer]:
    """Offer the reader of class folders if images lie below folders of two names or more, at one level.

    It is the level whose names sound like findings for most images, next the one that most images have, next the
    first below the parts of the split, next the one with the fewest names.
    """
    levels: dict[int | str, Counter[Folders]] = defaultdict(Counter)
    for above, images in lying.items():
        ends = [i for i, name in enumerate(above, start=1) if _may_be_class(name)]
        for depth, end in enumerate(ends):
            levels[depth][above[:end]] += images
            levels[depth - len(ends)][above[:end]] += images
        if below := _below_split(above, ends):
            levels[BELOW_SPLIT][above[:below]] += images
    fitting = []
    for level, counts in levels.items():
        total, names = _named_once(_without_containers(counts))
        if 1 < len(names) <= MOST_CLASSES and not _are_ids(names):
            fitting.append(
                (-total * share_of_findings(names), -total, level != BELOW_SPLIT, len(names), names)
            )
    if fitting:
        names = min(fitting)[-1]
        labels = ", ".join(map(layout.readable, names))
        params = {"classes": make_classes(names), "folders": {}, "exclude": ()}
        yield Offer("class-folders", f"images lie in folders called {labels}", params)


def _may_be_class(folder: str) -> bool:
    return not layout.is_generic(folder) and not UNLABELLED.match(layout.plain(folder))


def _are_ids(names: Sequence[str]) -> bool:
    """Return whether folders are those of patients, studies or days: numbers of three digits and more, else the same."""
    numbered = all(re.search(r"\d{3}", name) and not GRADES.search(name.casefold()) for name in names)
    alike = len({re.sub(r"\d+", "", name.casefold()) for name in names}) == 1
    return (numbered and alike) or all(HEXADECIMAL.fullmatch(name) for name in names)


def _below_split(above: Folders, ends: Sequence[int]) -> int:
    """Return which of ``ends`` is the first below the innermost part of a split, or without any below, the last above it."""
    split = max((i for i, name in enumerate(above, start=1) if layout.split_of(name)), default=0)
    below, before = [end for end in ends if end > split], [end for end in ends if end < split]
    return next(iter(below), before[-1] if before else 0) if split else 0


def _without_containers(counts: Mapping[Folders, int]) -> dict[Folders, int]:
    """Return the folders of a level but those that have others of it below them."""
    containers = {folder[:end] for folder in counts for end in range(1, len(folder))}
    return {folder: count for folder, count in counts.items() if folder not in containers}


def _named_once(level: Mapping[Folders, int]) -> tuple[int, list[str]]:
    """Return the number of images of a level and the names of its folders, of those spelt differently the commonest.

    Names that tell a part of the split too are without it.
    """
    parts = layout.parted({folder[-1] for folder in level})
    names: Counter[str] = Counter()
    for folder, count in level.items():
        names[parts[folder[-1]][0] if folder[-1] in parts else folder[-1]] += count
    once = {layout.plain(name): name for name, _ in reversed(names.most_common())}
    return names.total(), sorted(once.values())


def make_classes(names: Iterable[str]) -> list[dict[str, str]]:
    """Return classes with these names as labels, and ids that tell them apart: COVID+ is ``covid_positive``."""
    ids: list[str] = []
    for name in names:
        spelt = " ".join(WORDS.get(word, word) for word in layout.plain(name).split())
        letters = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
        stem = re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")[:LONGEST].rstrip("_")
        wanted = stem if stem[:1].isalpha() else f"class_{stem}".rstrip("_")
        numbered = (f"{wanted}_{number}" for number in range(2, len(ids) + 3))
        ids.append(wanted if wanted not in ids else next(id_ for id_ in numbered if id_ not in ids))
    return [{"id": i, "label": layout.readable(name)} for i, name in zip(ids, names, strict=True)]

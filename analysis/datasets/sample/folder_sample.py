"""The generated sample in one folder per class: as Kaggle gives the paediatric X-rays, the radiography set, or any other."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from analysis.datasets.sample import phantom
from analysis.datasets.sample.phantom import BACTERIAL, COVID_19, HEALTHY, VIRAL, Point
from analysis.datasets.sample.v7_sample import ATYPICAL, IMAGES_A_PATIENT, draw_size, jpeg
from analysis.datasets.tables.labels import plain
from analysis.progress import Progress

WORDS = {
    "covid": (COVID_19,),
    "vir": (VIRAL,),
    "bacteri": (BACTERIAL,),
    "normal": (HEALTHY,),
    "healthy": (HEALTHY,),
    "pneumonia": (BACTERIAL, VIRAL),
}
"""How a word in the name of a class begins, and what the class looks like; others look like what is left over."""
EVERY_TEST, VAL_PATIENTS = 6, (1, 2)
"""Every sixth patient of a kind is in the official test set, the first two are in the validation set."""
MASK_SIDE = 256


@dataclass(frozen=True)
class Item:
    """An image: its class' folder, what it looks like, patient, image ``k`` of the patient and ``number`` of the class."""

    folder: str
    kind: str
    patient: int
    k: int
    number: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is written: so many ``pictures`` of the classes in a layout.

    Parameters
    ----------
    layout : {"kermany", "radiography", "class-folders", "table"}
        ``chest_xray/{train,val,test}/<class>/<patient and kind>.jpeg``, ``<class>/images/*.png`` beside
        ``<class>/masks/*.png``, ``<class>/*.jpeg``, or ``images/*.jpeg`` with a table.
    classes : sequence of {"id", "folder"}
        The name of a folder is no path.
        A class whose name says pneumonia and no more has bacterial and viral ones, and twice as many as any other.
    pictures, seed : int
        The number of images, and what they are drawn from.
    table : str or sequence of str, optional
        Of the layout ``table``: the table, or several among which the patients are shared.
    columns : mapping, optional
        The columns of these tables.
    """

    layout: str
    classes: Sequence[Mapping[str, str]]
    pictures: int
    seed: int
    table: str | Sequence[str] = ""
    columns: Mapping[str, Any] | None = None

    @property
    def tables(self) -> Sequence[str]:
        """The paths of the tables."""
        return [self.table] if isinstance(self.table, str) else self.table


def write(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write phantoms of the classes, and one file that is cut short. The same settings give the same bytes.

    Parameters
    ----------
    settings
        The fields of `Settings`.

    Raises
    ------
    ValueError
        The name of a class' folder is a path.
    """
    how = Settings(**settings)
    for c in how.classes:
        if Path(c["folder"]).name != c["folder"] or c["folder"] == "..":
            raise ValueError(f"{c['folder']!r} is no name of a folder")
    items = list(_items(how.classes, how.pictures, how.seed))
    for done, item in enumerate(items, start=1):
        chest = _draw(item, done, how.seed)
        if how.layout == "radiography":
            _write_with_mask(out / "COVID-19_Radiography_Dataset" / item.folder, item, chest)
        else:
            _write(out / _path(how.layout, item), jpeg(chest.pixels))
        progress(done, len(items), "images")
    if how.columns:
        _write_tables(out, how.tables, how.columns, items)
    first = next(path for path in sorted(out.rglob("*.*g")) if path.parent.name != "masks")
    _write(first.with_name(f"cut-{first.name}"), first.read_bytes()[: first.stat().st_size // 2])


def _draw(item: Item, number: int, seed: int) -> phantom.Phantom:
    """Return the image ``number`` of the sample."""
    rng = np.random.default_rng([seed, 1, number])
    width, height = draw_size(rng)
    share, other = ATYPICAL[item.kind]
    looks = other if rng.random() < share else item.kind
    body = np.random.default_rng([seed, 3, phantom.KINDS.index(item.kind), item.patient])
    return phantom.draw_chest(looks, phantom.draw_anatomy(body), rng, width=width, height=height)


def choose_kinds(classes: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return what each class looks like, by its id."""
    names = {c["id"]: f"{c['id']} {c['folder']}".casefold() for c in classes}
    known = {
        id_: next((kind for word, kind in WORDS.items() if re.search(rf"\b{word}", name)), None)
        for id_, name in names.items()
    }
    taken = {kind for found in known.values() for kind in found or ()}
    spare = [kind for kind in phantom.KINDS if kind not in taken] or list(phantom.KINDS)
    unknown = [id_ for id_, found in known.items() if found is None]
    return {id_: found or (spare[unknown.index(id_) % len(spare)],) for id_, found in known.items()}


def _items(classes: Sequence[Mapping[str, str]], pictures: int, seed: int) -> Iterator[Item]:
    """Yield as many images of each kind of each class, several of one patient among them."""
    rng = np.random.default_rng([seed, 0])
    looks = choose_kinds(classes)
    shown = [(c["folder"], kind) for c in classes for kind in looks[c["id"]]]
    numbers: Counter[str] = Counter()
    for i, (folder, kind) in enumerate(shown):
        left, patient = (pictures + i) // len(shown), 0
        while left:
            patient += 1
            size = min(left, IMAGES_A_PATIENT[int(rng.integers(len(IMAGES_A_PATIENT)))])
            for k in range(size):
                numbers[folder] += 1
                yield Item(folder, kind, patient, k, numbers[folder])
            left -= size


def _kermany(item: Item) -> str:
    """Return the path of an image as Kaggle has it: all images of a patient are in one part."""
    name = (
        f"IM-{item.patient:04d}-{item.k + 1:04d}.jpeg"
        if item.kind == HEALTHY
        else f"person{item.patient}_{'virus' if item.kind == VIRAL else 'bacteria'}_{1000 + item.number}.jpeg"
    )
    return f"chest_xray/{_part(item.patient)}/{item.folder.upper()}/{name}"


def _path(layout: str, item: Item) -> str:
    if layout == "kermany":
        return _kermany(item)
    return _in_table(item) if layout == "table" else f"{item.folder}/{item.folder}-{item.number}.jpeg"


def _in_table(item: Item) -> str:
    """Return the path of an image whose label lies in a table; nothing in it tells the class."""
    digest = hashlib.sha256(f"{item.folder}/{item.number}".encode()).hexdigest()
    return f"images/{digest[:12]}.jpeg"


def _part(patient: int) -> str:
    return "test" if patient % EVERY_TEST == 0 else "val" if patient in VAL_PATIENTS else "train"


def _write_tables(
    out: Path, tables: Sequence[str], columns: Mapping[str, Any], items: Sequence[Item]
) -> None:
    """Write the tables of labels with the columns that a study names; with numbers alone without a header."""
    labels = [columns["label"]] if isinstance(columns["label"], str | int) else columns["label"]
    keys = [key for key in ("file", "patient", "split", "view") if columns.get(key)]
    order = _order([*(columns[key] for key in keys), *labels])
    named = any(isinstance(column, str) for column in order)
    first = min(items, key=_in_table)
    for number, name in enumerate(tables):
        mine = [(item, "") for item in items if item.patient % len(tables) == number]
        broken = [(first, "cut-")] if number == 0 else []
        text = StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerows([order] if named else [])
        for item, cut in mine + broken:
            cells = {columns[key]: cell for key, cell in _cells(item, cut).items() if key in keys}
            for column in labels:
                one = item.folder if len(labels) == 1 else int(plain(str(column)) == plain(item.folder))
                cells[column] = str(one)
            rows.writerow(cells.get(column, "") for column in order)
        _write(out / name, text.getvalue().encode())


def _cells(item: Item, cut: str) -> dict[str, str]:
    path = PurePosixPath(_in_table(item))
    return {
        "file": str(path.with_name(f"{cut}{path.name}")),
        "patient": f"{item.folder}-{item.kind}-{item.patient}",
        "split": _part(item.patient),
        "view": "PA",
    }


def _order(columns: Sequence[str | int]) -> list[str | int]:
    """Return the columns from the first to the last: numbers in their places, names in those that are left."""
    names = [column for column in columns if isinstance(column, str)]
    numbers = {column for column in columns if isinstance(column, int)}
    wide = max(len(columns), *numbers, 0)
    free = iter(names)
    return [n if n in numbers else next(free, n) for n in range(1, wide + 1)]


def _write_with_mask(folder: Path, item: Item, chest: phantom.Phantom) -> None:
    name = f"{item.folder}-{item.number}.png"
    height, width = chest.pixels.shape
    mask = Image.new("L", (MASK_SIDE, MASK_SIDE))
    for outline in chest.lungs:
        ImageDraw.Draw(mask).polygon(_scaled(outline, MASK_SIDE / width, MASK_SIDE / height), fill=255)
    for place, image in (("images", Image.fromarray(chest.pixels)), ("masks", mask)):
        (folder / place).mkdir(parents=True, exist_ok=True)
        image.save(folder / place / name)


def _scaled(outline: Sequence[Point], across: float, down: float) -> list[Point]:
    return [(x * across, y * down) for x, y in outline]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)

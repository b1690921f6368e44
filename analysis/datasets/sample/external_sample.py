"""The generated sample of an external set: a few phantoms from another hospital, whose labels lie in a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis.datasets.sample import phantom, planted
from analysis.datasets.sample.folder_sample import choose_kinds
from analysis.datasets.sample.phantom import BRIGHTNESS, COVID_19
from analysis.datasets.sample.v7_sample import draw_size, jpeg
from analysis.progress import Progress

EVERY_PATIENT_WITH_TWO = 6
YOUNGEST, OLDEST = 21, 88
IMPLAUSIBLE, UNTOLD = "411", ""
"""An age that can be none, as tables have them, and one that nobody wrote down."""
HOSPITALS = ("North clinic", "South clinic")


@dataclass(frozen=True)
class Row:
    """What the table says of an image."""

    file: str
    label: str
    patient: str
    age: str
    sex: str
    view: str
    source: str
    split: str = "test"


def write(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[Mapping[str, str]],
    table: str | Sequence[str],
    columns: Mapping[str, Any],
    pictures: int,
    seed: int,
) -> None:
    """Write ``images/*.jpeg`` and a table of them with patient, age, sex, view and source.

    All are exposed as the study's COVID-19 images are, whatever they show: a network that goes by brightness takes them for
    that. Two more are copies of images of the study, one of them resized, cut and compressed again.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``data``: the study's own sample.
    classes : sequence of {"id", "folder"}
        ``folder`` is what the class is called in the table.
    table, columns
        As in the study file; all columns are names, and there is one of labels.
    pictures, seed : int
        How many images there are but for the copies, and what they are drawn from.

    Raises
    ------
    ValueError
        The columns have no names, or there are several of labels.
    """
    if not isinstance(columns["label"], str) or any(isinstance(c, int) for c in columns.values()):
        raise ValueError("the sample of an external set needs columns with names, and one of labels")
    (out / "images").mkdir()
    rows = list(_list_rows(classes, pictures, seed))
    looks = {c["folder"]: kind[0] for c in classes for kind in [choose_kinds(classes)[c["id"]]]}
    for number, row in enumerate(rows, start=1):
        (out / row.file).write_bytes(jpeg(_draw(looks[row.label], number, row.patient, seed)))
        progress(number, len(rows), "images")
    exact, near = sorted(inputs["data"].rglob("*.jp*g"))[:2]
    twin = Row("images/x-999.jpeg", classes[0]["folder"], "x-999", "50", "F", "PA", HOSPITALS[0])
    other = replace(twin, file="images/x-998.jpeg", patient="x-998")
    (out / twin.file).write_bytes(exact.read_bytes())
    changed = planted.change(np.asarray(Image.open(near)))
    (out / other.file).write_bytes(jpeg(changed, quality=planted.QUALITY))
    text = StringIO()
    keys = [key for key in columns if columns[key] and hasattr(twin, key)]
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns[key] for key in keys)
    lines.writerows([getattr(row, key) for key in keys] for row in (*rows, other, twin))
    (out / (table if isinstance(table, str) else table[0])).write_text(text.getvalue(), encoding="utf-8")


def _list_rows(classes: Sequence[Mapping[str, str]], pictures: int, seed: int) -> Iterator[Row]:
    """Yield what the table says: each sixth patient has two images, of one label each."""
    rng = np.random.default_rng([seed, 0])
    number, patient = 0, 0
    while number < pictures:
        patient += 1
        age, sex = str(int(rng.integers(YOUNGEST, OLDEST))), "FM"[int(rng.integers(2))]
        age = {2: IMPLAUSIBLE, 3: UNTOLD}.get(patient, age)
        for _ in range(min(pictures - number, 2 if patient % EVERY_PATIENT_WITH_TWO == 0 else 1)):
            label = classes[number % len(classes)]["folder"]
            view, source = ("PA", "AP")[int(rng.integers(2))], HOSPITALS[patient % len(HOSPITALS)]
            number += 1
            yield Row(f"images/x-{number:03d}.jpeg", label, f"x-{patient}", age, sex, view, source)


def _draw(kind: str, number: int, patient: str, seed: int) -> NDArray[np.uint8]:
    """Return an image of a patient, as bright as the study's COVID-19 images."""
    rng = np.random.default_rng([seed, 1, number])
    width, height = draw_size(rng)
    body = phantom.draw_anatomy(np.random.default_rng([seed, 3, int(patient.removeprefix("x-"))]))
    chest = phantom.draw_chest(kind, body, rng, width=width, height=height)
    levels = chest.pixels * (BRIGHTNESS[COVID_19] / BRIGHTNESS[kind])
    return np.asarray(np.clip(levels, 0, 255), dtype=np.uint8)

"""The generated sample: a small dataset of phantoms in the layout of V7's own, flaws included.

What is wrong with it beyond what a reader leaves out, and what its clean twin is, tells `planted`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis.datasets.sample import phantom, planted
from analysis.datasets.sample.phantom import BACTERIAL, COVID_19, HEALTHY, VIRAL, Phantom, between
from analysis.datasets.sample.planted import Copy
from analysis.progress import Progress

ANNOTATIONS = "releases/all-images/annotations"
DATASET = "Generated chest X-ray phantoms"
# As in V7's dataset; bacterial pneumonia is the rest.
SHARES = {COVID_19: 0.07, HEALTHY: 0.25, VIRAL: 0.24}
TAGS = {
    BACTERIAL: ("Bacterial Pneumonia", "X-ray"),
    HEALTHY: ("No Pneumonia (healthy)", "X-ray"),
    VIRAL: ("Viral Pneumonia", "X-ray"),
}
# Not every image shows what its label says: a share of each class looks like another one.
ATYPICAL = {
    BACTERIAL: (0.07, VIRAL),
    VIRAL: (0.12, BACTERIAL),
    COVID_19: (0.06, VIRAL),
    HEALTHY: (0.03, VIRAL),
}
IMAGES_A_PATIENT = (1, 1, 1, 2, 2, 3, 4)
FIRST_PATIENT = 1000  # of the clean twin; among the lower numbers are two that the reader takes for others
FRONTAL, AXIAL, LATERAL = "frontal", "axial", "lateral"


@dataclass(frozen=True)
class Item:
    """One entry of the dataset.

    ``patient`` is the number that fixes the anatomy; ``tags`` None means no annotation. ``file`` says what
    becomes of the image: "whole", "cut" (only part of the file) or "missing".
    """

    name: str
    kind: str
    patient: int
    tags: tuple[str, ...] | None
    view: str = FRONTAL
    file: str = "whole"


def write(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    pictures: int,
    seed: int,
    clean: bool = False,
) -> None:
    """Write ``pictures`` phantoms of the four classes, and some entries that a reader has to leave out.

    The files are ``images/<name>`` and ``releases/all-images/annotations/<id>.json`` (Darwin JSON 1.0). The same
    arguments give the same bytes.

    Parameters
    ----------
    pictures : int
        The number of usable images.
    seed : int
        What they are drawn from.
    clean : bool
        Without the faults that `planted` lists.
    """
    (out / "images").mkdir()
    (out / ANNOTATIONS).mkdir(parents=True)
    usable = _clean(pictures, seed) if clean else list_usable(pictures, seed)
    copies = {} if clean else planted.plan_copies(usable, seed)
    items = [*usable, *_flawed(seed)]
    for number, item in enumerate(items):
        copy = copies.get(number)
        shown = copy.of if copy else number
        chest = _draw(items[shown], np.random.default_rng([seed, 1, shown]), seed, clean=clean)
        if copy and copy.near:
            chest = Phantom(planted.change(chest.pixels), ())
        if item.file != "missing":
            (out / "images" / item.name).write_bytes(_file(chest.pixels, item, copy))
        if item.tags is not None:
            text = json.dumps(_darwin(item, number, chest), ensure_ascii=False)
            (out / ANNOTATIONS / f"{9_000_000 + number}.json").write_text(text, encoding="utf-8")
        progress(number + 1, len(items), "images")


def list_usable(pictures: int, seed: int) -> list[Item]:
    """Return the entries of the four classes, several of one patient among them."""
    rng = np.random.default_rng([seed, 0])
    items: list[Item] = []
    for kind, count in _count(pictures).items():
        patient = 0
        of_kind: list[Item] = []
        while len(of_kind) < count:
            patient += 1
            size = min(IMAGES_A_PATIENT[int(rng.integers(len(IMAGES_A_PATIENT)))], count - len(of_kind))
            background = _background(rng) if kind == COVID_19 else ()
            of_kind += [_item(kind, patient, k, len(of_kind) + k, background, rng) for k in range(size)]
        items += of_kind
    return items


def _clean(pictures: int, seed: int) -> list[Item]:
    """Return as many entries of the four classes, each of a patient of its own and called and tagged as all others are."""
    rng = np.random.default_rng([seed, 0])
    items: list[Item] = []
    for kind, count in _count(pictures).items():
        for patient in range(1, count + 1):
            name = f"{int(rng.integers(16**8)):08x}-{len(items)}.jpg"
            number = FIRST_PATIENT + len(items)
            tags = _covid_tags(number, _background(rng), rng)
            if kind != COVID_19:
                tags = (tags[0], *TAGS[kind], *tags[-3:])
            items.append(Item(name, kind, patient, tags))
    return items


def _count(pictures: int) -> dict[str, int]:
    """Return how many of ``pictures`` are of each class."""
    counts = {kind: max(round(share * pictures), 5) for kind, share in SHARES.items()}
    counts[BACTERIAL] = pictures - sum(counts.values())
    return counts


def _item(
    kind: str, patient: int, k: int, number: int, background: tuple[str, ...], rng: np.random.Generator
) -> Item:
    """Return image ``k`` of a patient, the class's image ``number``, called as V7's images of that class are."""
    if kind == COVID_19:
        name = f"{int(rng.integers(16**8)):08x}-{number}.jpg"
        return Item(name, kind, patient, _covid_tags(patient, background, rng))
    names = {
        BACTERIAL: f"person{patient}_bacteria_{1000 + number}.jpeg",
        VIRAL: f"person{patient}_virus_{1000 + number}.jpeg",
        HEALTHY: f"{'NORMAL2-' if patient % 2 else ''}IM-{patient:04d}-{k + 1:04d}.jpeg",
    }
    return Item(names[kind], kind, patient, TAGS[kind])


def _background(rng: np.random.Generator) -> tuple[str, ...]:
    sex = "MF"[int(rng.integers(2))]
    age = int(rng.integers(28, 85))
    return (f"Sex/{sex}", f"Age:{age}")


def _covid_tags(
    patient: int, background: tuple[str, ...], rng: np.random.Generator, view: str = ""
) -> tuple[str, ...]:
    """Return the tags of a COVID-19 file: COVID-19 and Viral Pneumonia in either order, as V7 has them."""
    classes = ("Viral Pneumonia", "COVID-19")[:: 1 if rng.random() < 0.75 else -1]
    seen = ("View/PA", "View/AP", "View/AP_Supine")[int(rng.integers(3))]
    kind = "CT" if view == "View/Axial" else "X-ray"
    return (view or seen, kind, *classes, *background, f"PatientID:{patient}")


def _flawed(seed: int) -> list[Item]:
    """Return the entries without which no real dataset comes, each of a patient of its own."""
    rng = np.random.default_rng([seed, 2])
    axial = [_covid_tags(900 + k, (), rng, "View/Axial") for k in range(3)]
    lateral = [_covid_tags(910 + k, (), rng, "View/Lateral") for k in range(2)]
    return [
        *(Item(f"slice-{k + 1}.jpg", COVID_19, 900 + k, tags, view=AXIAL) for k, tags in enumerate(axial)),
        *(
            Item(f"lateral-{k + 1}.jpg", COVID_19, 910 + k, tags, view=LATERAL)
            for k, tags in enumerate(lateral)
        ),
        Item("person990_bacteria_1.jpeg", BACTERIAL, 990, ("X-ray",)),
        Item("person991_virus_1.jpeg", VIRAL, 991, ("X-ray", "View/PA")),
        Item("IM-9920-0001.jpeg", HEALTHY, 992, TAGS[HEALTHY], file="cut"),
        Item("person993_virus_1.jpeg", VIRAL, 993, TAGS[VIRAL], file="missing"),
        Item("person994_bacteria_1.jpeg", BACTERIAL, 994, None),
    ]


def _draw(item: Item, rng: np.random.Generator, seed: int, *, clean: bool) -> Phantom:
    """Return the image of an entry, with the outlines of the lungs if it is a frontal one of COVID-19 or of the clean twin."""
    width, height = draw_size(rng)
    if item.view == AXIAL:
        return Phantom(phantom.draw_slice(rng, width=width, height=height), ())
    if item.view == LATERAL:
        return Phantom(phantom.draw_lateral(rng, width=width, height=height), ())
    share, other = ATYPICAL[item.kind]
    looks = other if rng.random() < share else item.kind
    body = np.random.default_rng([seed, 3, phantom.KINDS.index(item.kind), item.patient])
    exposure = planted.ONE_EXPOSURE if clean else None
    chest = phantom.draw_chest(
        looks, phantom.draw_anatomy(body), rng, width=width, height=height, brightness=exposure
    )
    return chest if clean or item.kind == COVID_19 else Phantom(chest.pixels, ())


def draw_size(rng: np.random.Generator) -> tuple[int, int]:
    """Return width and height in pixels, 150 to 420, mostly wider than high; the same for all classes."""
    height = int(rng.integers(160, 320))
    return min(420, max(150, int(height * between(rng, 0.94, 1.5)))), height


def jpeg(pixels: NDArray[np.uint8], *, quality: int = 90, comment: bytes = b"") -> bytes:
    """Return a JPEG file of grey levels (height, width)."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, comment=comment)
    return buffer.getvalue()


def _file(pixels: NDArray[np.uint8], item: Item, copy: Copy | None) -> bytes:
    """Return the file of an entry, perhaps cut short or a copy."""
    if copy:
        return jpeg(pixels, quality=planted.QUALITY) if copy.near else jpeg(pixels, comment=planted.COMMENT)
    data = jpeg(pixels)
    return data[: len(data) // 2] if item.file == "cut" else data


def _darwin(item: Item, number: int, chest: Phantom) -> dict[str, Any]:
    """Return the Darwin JSON 1.0 of an entry."""
    polygons = [
        {"name": "Lung", "polygon": {"path": [{"x": x, "y": y} for x, y in outline]}}
        for outline in chest.lungs
    ]
    return {
        "image": {
            "seq": number + 1,
            "width": chest.pixels.shape[1],
            "height": chest.pixels.shape[0],
            "filename": f"{number + 1:08d}.jpg",
            "original_filename": item.name,
            "url": "",
            "thumbnail_url": "",
            "workview_url": "",
        },
        "dataset": DATASET,
        "annotated": True,
        "annotations": [*polygons, *({"name": tag, "tag": {}} for tag in item.tags or ())],
    }

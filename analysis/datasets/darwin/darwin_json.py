"""V7's Darwin JSON, versions 1.0 and 2.0: which images a file is about, where they may lie, and their tags."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from analysis.datasets.folders.files import IMAGE_SUFFIXES

Place = tuple[str, ...]
"""Names of folders, the last that of a file."""


@dataclass(frozen=True)
class Annotation:
    """What one annotation file says about one image.

    ``name`` is the image's in the dataset, and ``path`` are the folders it lies in there, null where the file does
    not say. ``places`` are the names that its file may have, with the folders below ``path``: those that
    ``darwin dataset pull`` gives it first. ``other`` is the name of the file that was uploaded, or that the platform
    gave it: an image may have been renamed since, and another have that name now.

    ``width`` and ``height`` are those of the image that was annotated, null where the file has none.
    ``tags`` are the names of the annotations that concern the whole image, in the order of the file.
    """

    name: str
    path: tuple[str, ...] | None
    places: tuple[Place, ...]
    other: str
    width: int | None
    height: int | None
    tags: tuple[str, ...]


def read_files(
    root: Path, files: Iterable[str]
) -> Iterator[tuple[str, tuple[Annotation, ...] | ValueError | OSError | RecursionError]]:
    """Yield each JSON file below ``root`` with its annotations, or with the error why it cannot be read."""
    for name in files:
        if name.lower().endswith(".json"):
            try:
                yield name, parse((root / name).read_bytes())
            except (ValueError, OSError, RecursionError) as error:
                yield name, error


def parse(data: bytes) -> tuple[Annotation, ...]:
    """Return the annotations in ``data``, one for each image; none if it is JSON of another kind.

    Raises
    ------
    ValueError
        If ``data`` is no JSON, or looks like Darwin JSON and names no image or no annotations.
    """
    content = json.loads(data)
    if not isinstance(content, dict) or "annotations" not in content:
        return ()
    if isinstance(content.get("image"), dict):
        return (_version_1(content["image"], content["annotations"]),)
    if isinstance(content.get("item"), dict):
        return tuple(_version_2(content["item"], content["annotations"]))
    return ()


def _version_1(image: dict[str, Any], annotations: Any) -> Annotation:
    platform = _text(image.get("filename"))
    name = _text(image.get("original_filename")) or platform
    return _annotation(name, image.get("path"), _written(name), platform, image, annotations)


def _version_2(item: dict[str, Any], annotations: Any) -> Iterator[Annotation]:
    """Return an annotation for each slot: an item may have several, each an image (or a series of images)."""
    slots = _dicts(item.get("slots")) or [{}]
    files = [(slot, source) for slot in slots for source in _sources(slot)]
    for slot, source in files:
        name = _text(item.get("name")) or source
        folder = ("_".join(_parts(name)), _text(slot.get("slot_name")) or "0")
        in_folder = ((*folder, source), (folder[0], source)) if source else ()
        alone = len(files) == 1
        yield _annotation(
            name if alone else "/".join(filter(None, (*folder, source))),
            item.get("path"),
            (*_pulled(name, source), *in_folder[:1]) if alone else in_folder,
            source,
            slot,
            [a for a in annotations if _concerns(a, slot)] if isinstance(annotations, list) else None,
        )


def _sources(slot: dict[str, Any]) -> list[str]:
    """Return the names of a slot's files: those that are images, else the first."""
    names = [name for file in _dicts(slot.get("source_files")) if (name := _text(file.get("file_name")))]
    last_parts = [_parts(name)[-1] for name in names if _parts(name)]
    return [name for name in last_parts if _suffix(name).lower() in IMAGE_SUFFIXES] or last_parts[:1] or [""]


def _concerns(annotation: Any, slot: dict[str, Any]) -> bool:
    """Return whether an annotation is about the images in this slot; one that names no slot is about all."""
    named = annotation.get("slot_names") if isinstance(annotation, dict) else None
    return not named or slot.get("slot_name") is None or slot["slot_name"] in named


def _pulled(name: str, source: str) -> tuple[Place, ...]:
    """Return the names of an item's file: darwin-py gives it the suffix of the source file."""
    written = _written(name)
    if not written or not source:
        return written
    last, suffix = written[-1][-1], _suffix(source)
    whole = () if _suffix(last).lower() in IMAGE_SUFFIXES else ((last + suffix,),)
    return tuple(dict.fromkeys(((PurePosixPath(last).stem + suffix,), *whole, *written)))


def _written(name: str) -> tuple[Place, ...]:
    """Return how a name that has folders of any system in it may be written: with them, with ``_``, or without."""
    parts = _parts(name)
    return tuple(dict.fromkeys((parts, ("_".join(parts),), parts[-1:]))) if parts else ()


def _annotation(
    name: str, path: Any, places: tuple[Place, ...], other: str, size: dict[str, Any], annotations: Any
) -> Annotation:
    if not places or not isinstance(annotations, list):
        raise ValueError("it names no image or has no list of annotations")
    tags = (a["name"] for a in annotations if isinstance(a, dict) and "tag" in a and "name" in a)
    return Annotation(
        name,
        _parts(path) if isinstance(path, str) else None,
        places,
        other,
        _side(size.get("width")),
        _side(size.get("height")),
        tuple(map(str, tags)),
    )


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[/\\]", name) if part not in ("", "."))


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _side(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []

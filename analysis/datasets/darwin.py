"""V7's Darwin JSON, versions 1.0 and 2.0: which picture a file is about, and its tags."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Annotation:
    """What one annotation file says about one picture.

    ``width`` and ``height`` are those of the picture that was annotated, null where the file has none.
    ``tags`` are the names of the annotations that concern the whole picture, in the order of the file.
    """

    name: str
    width: int | None
    height: int | None
    tags: tuple[str, ...]


def parse(data: bytes) -> Annotation | None:
    """Return the annotation in ``data``; None if it is JSON of another kind.

    Raises
    ------
    ValueError
        If ``data`` is no JSON, or looks like Darwin JSON and names no picture or no annotations.
    """
    content = json.loads(data)
    if not isinstance(content, dict) or "annotations" not in content:
        return None
    if isinstance(content.get("image"), dict):
        return _version_1(content["image"], content["annotations"])
    if isinstance(content.get("item"), dict):
        return _version_2(content["item"], content["annotations"])
    return None


def _version_1(image: dict[str, Any], annotations: Any) -> Annotation:
    name = image.get("original_filename") or image.get("filename")
    return _annotation(name, image, annotations)


def _version_2(item: dict[str, Any], annotations: Any) -> Annotation:
    slot = _first(item.get("slots"))
    name = _first(slot.get("source_files")).get("file_name") or item.get("name")
    if isinstance(annotations, list):
        annotations = [a for a in annotations if _concerns(a, slot.get("slot_name"))]
    return _annotation(name, slot, annotations)


def _concerns(annotation: Any, slot_name: Any) -> bool:
    """Return whether an annotation is about the picture in this slot: an item may have several, each a picture."""
    slots = annotation.get("slot_names") if isinstance(annotation, dict) else None
    return not slots or slot_name is None or slot_name in slots


def _annotation(name: Any, size: dict[str, Any], annotations: Any) -> Annotation:
    if not isinstance(name, str) or not isinstance(annotations, list):
        raise ValueError("it names no picture or has no list of annotations")
    # A picture may have been imported under a path, on any system; it is looked for by its name.
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    tags = (a["name"] for a in annotations if isinstance(a, dict) and "tag" in a and "name" in a)
    return Annotation(name, _side(size.get("width")), _side(size.get("height")), tuple(map(str, tags)))


def _side(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _first(values: Any) -> dict[str, Any]:
    found = values[0] if isinstance(values, list) and values else {}
    return found if isinstance(found, dict) else {}

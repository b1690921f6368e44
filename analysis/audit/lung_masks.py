"""Where the lungs are in prepared images: from mask files beside them, or from the polygons of Darwin JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from analysis.arrays import Mask
from analysis.datasets.darwin import darwin_json
from analysis.datasets.folders.files import find_files
from analysis.datasets.folders.layout import masks_folder
from analysis.datasets.images.decode import decode
from analysis.errors import ImageError
from analysis.preparation import fit_square

LUNG = "lung"
"""What the name of a polygon of a lung begins with, in any case."""
CANVAS = 512
"""Pixels of the longer side that polygons are drawn on before they are made square."""
ABOVE = 127
"""Grey level above which a pixel of a mask file is lung."""
GreyMask = NDArray[np.uint8]
Draw = Callable[[], GreyMask]


def find_masks(root: Path, image_ids: Sequence[str]) -> dict[str, Draw]:
    """Return how to draw the lungs of each image that has a mask, (height, width), 255 in a lung and else 0.

    A mask file has the stem of its image and lies in a folder of masks; where images of several folders have that stem, it
    must share the longest path with one of them. A polygon is about the image whose stem is that of the annotated file.

    Parameters
    ----------
    root : Path
        The data folder.
    image_ids : sequence of str
        Paths of the images below it.
    """
    contents = find_files(root)
    files = [name for name in contents.images if masks_folder(PurePosixPath(name).parts[:-1])]
    found: dict[str, Draw] = {}
    for image, mask in _pair(image_ids, files):
        found[image] = partial(_read, root / mask)
    polygons = [name for name in contents.others if name.lower().endswith(".json")]
    return {**_of_annotations(root, polygons, image_ids), **found}


def square_masks(
    masks: Mapping[str, Draw], image_ids: Iterable[str], size: int, fit: str
) -> Iterator[Mask | None]:
    """Yield for each image where its lungs are, (size, size), as the image was prepared; None without a mask, or an empty one.

    Parameters
    ----------
    masks : mapping of str to callable
        Of `find_masks`.
    image_ids : iterable of str
    size, fit
        As in `analysis.preparation.prepare`.
    """
    for image_id in image_ids:
        draw = masks.get(image_id)
        try:
            drawn = fit_square(draw(), size, fit, "nearest") > ABOVE if draw else None
        except ImageError:  # a mask that does not decode is no mask, and is missing in the count of them
            drawn = None
        yield drawn if drawn is not None and drawn.any() else None


def _pair(image_ids: Iterable[str], masks: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each image with the mask of its stem that shares most folders with it; none where several share as many."""
    of_stem: dict[str, list[str]] = {}
    for mask in masks:
        of_stem.setdefault(PurePosixPath(mask).stem, []).append(mask)
    for image in image_ids:
        fitting = of_stem.get(PurePosixPath(image).stem, [])
        shared = [_shared(image, mask) for mask in fitting]
        if fitting and shared.count(max(shared)) == 1:
            yield image, fitting[shared.index(max(shared))]


def _shared(a: str, b: str) -> int:
    """Return how many folders two paths begin with alike."""
    pairs = zip(PurePosixPath(a).parts[:-1], PurePosixPath(b).parts[:-1], strict=False)
    return next((i for i, (x, y) in enumerate(pairs) if x != y), min(a.count("/"), b.count("/")))


def _read(path: Path) -> GreyMask:
    try:
        return decode(path.read_bytes()).pixels
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {error.strerror}") from error


def _of_annotations(root: Path, files: Iterable[str], image_ids: Iterable[str]) -> dict[str, Draw]:
    """Return how to draw the lungs of the images whose stem one annotation alone has."""
    drawn: dict[str, list[Draw]] = {}
    for name, parsed in darwin_json.read_files(root, files):
        if isinstance(parsed, Exception) or len(parsed) != 1:
            continue  # what cannot be read, and items of several images: without a mask, and counted so
        (annotation,) = parsed
        paths = _lungs(json.loads((root / name).read_bytes()))
        if paths and annotation.width and annotation.height:
            size = (annotation.width, annotation.height)
            stem = PurePosixPath(annotation.name).stem
            drawn.setdefault(stem, []).append(partial(_draw, paths, *size))
    images = list(image_ids)
    several = Counter(PurePosixPath(image).stem for image in images)
    stems = ((image, PurePosixPath(image).stem) for image in images)
    return {
        image: drawn[stem][0] for image, stem in stems if several[stem] == 1 and len(drawn.get(stem, [])) == 1
    }


def _lungs(content: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """Return the outlines of all lungs that an annotation file (Darwin JSON 1.0 or 2.0) has."""
    paths: list[list[tuple[float, float]]] = []
    for item in content["annotations"]:
        if isinstance(item, dict) and str(item.get("name", "")).lower().startswith(LUNG):
            one = (item.get("polygon") or {}).get("path")
            several = (item.get("complex_polygon") or {}).get("path") or (item.get("polygon") or {}).get(
                "paths"
            )
            for path in [*([one] if one else []), *(several or [])]:
                paths.append([(float(point["x"]), float(point["y"])) for point in path])
    return paths


def _draw(paths: Sequence[Sequence[tuple[float, float]]], width: int, height: int) -> GreyMask:
    scale = min(1.0, CANVAS / max(width, height))
    canvas = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), dtype=np.uint8)
    for path in paths:
        cv2.fillPoly(canvas, [np.rint(np.array(path) * scale).astype(np.int32)], 255)
    return canvas

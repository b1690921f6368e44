"""Images of every size made into one array of equal squares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from analysis.datasets.images.decode import Grey, decode
from analysis.datasets.images.depth import read_depth, write_depth
from analysis.errors import ImageError
from analysis.image_files import changed_error, read_unchanged
from analysis.progress import Progress

PILLOW = {"nearest": Image.Resampling.NEAREST, "lanczos": Image.Resampling.LANCZOS}
DECODERS = 2  # threads; decoding and resizing run outside Python's lock


def prepare(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    size: int,
    fit: str,
    resample: str,
) -> None:
    """Write ``images.npy``: grey levels, uint8, shape (n, size, size), in the order of ``records.csv``.

    ``depth.json`` is handed on where the reader has written one.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` and the data, ``data``.
    size : int
        Side of the square in pixels.
    fit : {"squash", "pad", "crop"}
        ``squash`` does not keep the ratio of the sides, ``pad`` fills up with black, ``crop`` takes the middle.
    resample : {"area", "nearest", "bilinear", "lanczos"}
        How it is resized, see `_resize`.

    Raises
    ------
    DataError
        If an image is no longer the one that was read.
    """
    records = pd.read_csv(inputs["records"] / "records.csv", usecols=["image_id", "sha256"], dtype=str)
    # Under the label rule "every-tag" an image has several rows, which lie side by side.
    rows_of = records.reset_index().groupby(["image_id", "sha256"], sort=False)["index"].agg(list)
    images = np.lib.format.open_memmap(
        out / "images.npy", mode="w+", dtype=np.uint8, shape=(len(records), size, size)
    )
    depth = read_depth(inputs["records"])
    to_square = partial(square, size=size, fit=fit, resample=resample, depth=depth)
    with ThreadPoolExecutor(DECODERS) as pool:
        prepared = pool.map(partial(_load, inputs["data"], to_square), *zip(*rows_of.index, strict=True))
        for done, (rows, image) in enumerate(zip(rows_of, prepared, strict=True), start=1):
            images[rows] = image
            progress(done, len(rows_of), "images")
    images.flush()
    if depth is not None:
        write_depth(out, depth)


def _load(root: Path, to_square: Callable[[bytes], Grey], image_id: str, sha256: str) -> Grey:
    data = read_unchanged(root, image_id, sha256)
    try:
        return to_square(data)
    except ImageError as error:
        raise changed_error(image_id, f"does not decode: {error.message}") from error


def square(data: bytes, size: int, fit: str, resample: str, depth: int | None = None) -> Grey:
    """Return the image in the file ``data`` as (size, size); ``fit`` and ``resample`` as in `prepare`.

    ``depth`` is that of the dataset, as in `analysis.datasets.images.decode.decode`.
    """
    # Twice the target leaves the area filter enough to work on: 0.5 grey levels from a full decode on average.
    least = 2 * size if resample == "area" else None
    return fit_square(decode(data, at_least=least, depth=depth).pixels, size, fit, resample)


def fit_square(pixels: Grey, size: int, fit: str, resample: str = "area") -> Grey:
    """Return the image (height, width) as (size, size); ``fit`` and ``resample`` as in `prepare`."""
    height, width = pixels.shape
    if fit == "pad":
        return _pad(pixels, size, resample)
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        pixels = pixels[top : top + side, left : left + side]
    return _resize(pixels, size, size, resample)


def _pad(pixels: Grey, size: int, resample: str) -> Grey:
    longest = max(pixels.shape)
    height, width = (max(1, round(side * size / longest)) for side in pixels.shape)
    framed = np.zeros((size, size), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    framed[top : top + height, left : left + width] = _resize(pixels, height, width, resample)
    return framed


def _resize(pixels: Grey, height: int, width: int, resample: str) -> Grey:
    """Return ``pixels`` at another size.

    ``area``: sides that shrink are averaged, sides that grow interpolated. ``nearest`` and ``lanczos`` are Pillow's.
    ``bilinear`` is that of ``tf.image.resize``, which looks at four pixels however much a side shrinks.
    """
    if resample == "area":
        smaller = min(width, pixels.shape[1]), min(height, pixels.shape[0])
        pixels = np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    if resample == "bilinear":
        levels = cv2.resize(pixels.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.rint(levels).astype(np.uint8)
    return np.array(Image.fromarray(pixels).resize((width, height), PILLOW[resample]))

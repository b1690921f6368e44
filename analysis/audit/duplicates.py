"""The ``audit.duplicates`` stage: images that are there twice, to the pixel or nearly, and what that joins.

Exact copies have equal grey levels as the reader decodes them: turned upright, of the depth of the dataset. The same
pixels in another file are exact copies, so the digests of the files do not tell them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations, pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit.duplicate_facts import describe_groups, find_findings
from analysis.audit.findings import write_findings
from analysis.audit.near_pairs import Pair, find_near_pairs, join
from analysis.audit.registration import SIDE, thumbnail
from analysis.datasets.images.decode import Grey, decode
from analysis.datasets.images.depth import read_depth
from analysis.errors import ImageError
from analysis.evaluation.results_file import write_json
from analysis.image_files import changed_error, read_unchanged
from analysis.progress import Progress
from analysis.stage_files import find_file

EXACT, NEAR = "exact", "near"
DECODERS = 2  # threads; decoding runs outside Python's lock
MOST_LISTED = 20  # images of one content of which every pair is listed
SIDES = ("first", "second")
PAIR_COLUMNS = ("group", "kind", "score", "first", "second")


def find(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress) -> None:
    """Write the groups of images that are one X-ray, their pairs, ``results.json`` and ``findings.json``.

    ``digests.csv`` has ``image_id`` and ``pixels``, the digest of the decoded levels. ``groups.csv`` has a row for each
    image of a group: ``group`` (from 1), ``image_id``, ``content`` (equal where the pixels are), ``label`` (several are
    joined by "|") and ``patient_id`` ("" where it is not known). ``pairs.csv`` has ``group``, ``kind`` (exact, near),
    ``score`` (1 for exact), for both images ``first``, ``second``, ``label_first`` and so on, and whether they are
    ``across_labels`` and ``across_patients`` (0 or 1). Of more than 20 exact copies only pairs that link them are listed;
    groups and facts count all. What a split does to them is told by `analysis.audit.leaks`.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records`` and the data, ``data``.

    Raises
    ------
    DataError
        If an image is no longer the one that was read.
    """
    images = read_images(inputs)
    digests, thumbnails = survey(inputs, images, scratch, progress)
    images["pixels"] = digests
    images[["image_id", "pixels"]].to_csv(out / "digests.csv", index=False, lineterminator="\n")
    pairs = _list_pairs(digests, thumbnails, progress)
    groups = _list_groups(images, pairs)
    table = _pairs_table(images, pairs, groups)
    groups.to_csv(out / "groups.csv", index=False, lineterminator="\n")
    table.to_csv(out / "pairs.csv", index=False, lineterminator="\n")
    results = describe_groups(images, groups, table)
    write_json(out / "results.json", results)
    write_findings(out, find_findings(results))


def read_images(inputs: Mapping[str, Path]) -> pd.DataFrame:
    """Return a row for each image of the records: ``image_id``, ``sha256``, ``label`` and ``patient_id``.

    An image with several labels is one row, with all of them; a patient who is not known is "".
    """
    records = pd.read_csv(find_file(inputs["records"], "records.csv"), dtype=str, keep_default_na=False)
    if "source" in records:
        records.loc[records["source"] == "unknown", "patient_id"] = ""
    one = records.groupby("image_id", sort=False)
    labels = one["label"].agg(lambda found: "|".join(sorted(set(found))))
    firsts = one[["sha256", "patient_id"]].first()
    return firsts.assign(label=labels).reset_index()


def survey(
    inputs: Mapping[str, Path], images: pd.DataFrame, scratch: Path, progress: Progress
) -> tuple[list[str], NDArray[np.uint8]]:
    """Return of each image the digest of its levels and the thumbnail, shape (n, SIDE, SIDE), in a file of ``scratch``.

    Each image is decoded once.
    """
    path = scratch / "thumbnails.npy"
    shape = (len(images), SIDE, SIDE)
    thumbnails = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    look = partial(_look, inputs["data"], read_depth(inputs["records"]))
    digests = []
    with ThreadPoolExecutor(DECODERS) as pool:
        found = pool.map(look, images["image_id"], images["sha256"])
        for place, (digest, small) in enumerate(found):
            digests.append(digest)
            thumbnails[place] = small
            progress(place + 1, len(images), "images")
    return digests, thumbnails


def _look(root: Path, depth: int | None, image_id: str, sha256: str) -> tuple[str, Grey]:
    data = read_unchanged(root, image_id, sha256)
    try:
        pixels = decode(data, depth=depth).pixels
    except ImageError as error:
        raise changed_error(image_id, f"does not decode: {error.message}") from error
    return digest_pixels(pixels), thumbnail(pixels)


def digest_pixels(pixels: Grey) -> str:
    """Return the sha256 of an image's size and levels."""
    height, width = pixels.shape
    return hashlib.sha256(f"{height} {width} ".encode() + pixels.tobytes()).hexdigest()


def _list_pairs(digests: Sequence[str], thumbnails: NDArray[np.uint8], progress: Progress) -> list[Pair]:
    """Return all pairs by places, exact ones with a score above 1; near ones are between every two copies of both."""
    copies: dict[str, list[int]] = {}
    for place, digest in enumerate(digests):
        copies.setdefault(digest, []).append(place)
    contents = list(copies.values())
    exact = [Pair(a, b, np.inf) for same in contents for a, b in _pairs_of_copies(same)]
    distinct = np.array([same[0] for same in contents])
    near = find_near_pairs(thumbnails[distinct] if len(distinct) < len(digests) else thumbnails, progress)
    for a, b, score in near:
        both = product(contents[a], contents[b])
        some = (
            both
            if len(contents[a]) * len(contents[b]) <= MOST_LISTED**2
            else iter([(contents[a][0], contents[b][0])])
        )
        exact += [Pair(min(pair), max(pair), score) for pair in some]
    return sorted(exact)


def _pairs_of_copies(same: Sequence[int]) -> Iterator[tuple[int, int]]:
    return combinations(same, 2) if len(same) <= MOST_LISTED else pairwise(same)


def _list_groups(images: pd.DataFrame, pairs: Sequence[Pair]) -> pd.DataFrame:
    """Return a row for each image that is in a pair, with the number of its group."""
    groups = join((pair.first, pair.second) for pair in pairs)
    places = [place for group in groups for place in group]
    numbers = [number for number, group in enumerate(groups, start=1) for _ in group]
    table = images.iloc[places].reset_index(drop=True)
    contents = pd.factorize(table["pixels"])[0] + 1
    table = table.assign(group=numbers, content=contents)
    return table[["group", "image_id", "content", "label", "patient_id"]]


def _pairs_table(images: pd.DataFrame, pairs: Sequence[Pair], groups: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs with what is known of both images, exact ones first, then by score."""
    sides = {
        side: images.iloc[[getattr(pair, side) for pair in pairs]].reset_index(drop=True) for side in SIDES
    }
    exact = np.array([np.isinf(pair.score) for pair in pairs], dtype=bool)
    score = np.array([1.0 if np.isinf(pair.score) else round(pair.score, 4) for pair in pairs])
    table = pd.DataFrame({"kind": np.where(exact, EXACT, NEAR), "score": score})
    table["group"] = sides["first"]["image_id"].map(groups.set_index("image_id")["group"])
    for side, rows in sides.items():
        table[side] = rows["image_id"]
    table = table[list(PAIR_COLUMNS)]
    first, second = sides["first"], sides["second"]
    for column, name in (("label", "labels"), ("patient_id", "patients")):
        known = (first[column] != "") & (second[column] != "")
        table = table.assign(
            **{f"{column}_{side}": rows[column] for side, rows in sides.items()},
            **{f"across_{name}": (known & (first[column] != second[column])).astype(int)},
        )
    return table.sort_values(["kind", "score", "group"], ascending=[True, False, True], kind="stable")

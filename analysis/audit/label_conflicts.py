"""Labels that the sources themselves contradict: among copies of one X-ray, in the tags, in the collection of origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from analysis.audit.tables import read_table
from analysis.datasets.tables.labels import plain
from analysis.image_files import unescape_name
from analysis.vocabulary.audit import COLLECTION, COPIES, TAGS
from analysis.vocabulary.origins import FINDINGS_AT_ORIGIN

COLUMNS = ("image_id", "label", "kind", "told", "by")


def list_conflicts(records: pd.DataFrame, labels: Mapping[str, str], groups: Path | None) -> pd.DataFrame:
    """Return a row for each label that a source contradicts: ``image_id``, ``label``, ``kind``, what is ``told``, and ``by`` what.

    Parameters
    ----------
    records : pandas.DataFrame
        ``records.csv``, all as text, a row for each image.
    labels : mapping of str to str
        What each class is called in the data, by class id.
    groups : Path or None
        ``groups.csv`` of the stage that finds duplicates.
    """
    found = [
        *(_among_copies(records, read_table(groups)) if groups else ()),
        *_in_collections(records),
        *_in_tags(records, labels),
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _among_copies(records: pd.DataFrame, groups: pd.DataFrame) -> Iterator[Sequence[str]]:
    """Yield the images that are, exactly or nearly, there under another label too; ``by`` is one of those."""
    judged = set(records["image_id"])
    for _, rows in groups.groupby("group"):
        for image_id, label in zip(rows["image_id"], rows["label"], strict=True):
            others = rows[rows["label"] != label]
            if image_id in judged and len(others):
                told = "|".join(sorted(set(others["label"])))
                yield image_id, label, COPIES, told, others["image_id"].iloc[0]


def _in_collections(records: pd.DataFrame) -> Iterator[Sequence[str]]:
    """Yield the images to which the collection that they came from gives another finding; ``by`` is the collection."""
    for image_id, label, source in zip(records["image_id"], records["label"], records["source"], strict=True):
        stem = PurePosixPath(unescape_name(image_id)).stem
        if (told := FINDINGS_AT_ORIGIN.get(source, {}).get(stem)) and plain(told) != plain(label):
            yield image_id, label, COLLECTION, told, source


def _in_tags(records: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[Sequence[str]]:
    """Yield the images whose own tags name another class of the study as well; ``told`` is that class."""
    ids = {plain(name): class_id for class_id, label in labels.items() for name in (label, class_id)}
    for image_id, label, tags in zip(records["image_id"], records["label"], records["tags"], strict=True):
        named = dict.fromkeys(ids[plain(tag)] for tag in tags.split("|") if plain(tag) in ids)
        others = [name for name in named if name != label]
        if others:
            yield image_id, label, TAGS, "|".join(others), TAGS

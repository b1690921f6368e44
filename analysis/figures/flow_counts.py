"""How many annotations and images a study finds, leaves out and keeps, counted so that the numbers add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.datasets import reasons
from analysis.figures import style
from analysis.vocabulary.audit import CONFLICT, COPY, LEFT_OUT_TABLE

IMAGES, ALL_FILES = "images found", "files found"
ROWS = "rows kept, one for each class label"
OF_NO_IMAGE = frozenset(
    (reasons.INVALID, reasons.NO_IMAGE, reasons.NO_IMAGE_OF_ROW, reasons.SECOND_ANNOTATION)
)
"""Reasons that leave out an annotation, or a row of a table, and no image."""
OF_IMAGE_ALONE = frozenset(
    (reasons.MASK, reasons.COPY, reasons.SAME_FILE, reasons.NO_ANNOTATION, reasons.NO_ROW)
)
"""Reasons that leave out an image which no annotation that is kept tells of."""
ANNOTATION = ".json"
REPEATED = {CONFLICT: "copies with different labels", COPY: "copy of an image in another set"}
"""Why a split leaves images out, in words."""


@dataclass(frozen=True)
class Track:
    """What was found of a kind, and how much of it is left out for which reason.

    ``name`` is as in ``flow.csv``: ``annotations found``, ``rows of the table``, ``images found``.
    """

    name: str
    found: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def rest(self) -> int:
        """How many are not left out."""
        return self.found - sum(self.left_out.values())


@dataclass(frozen=True)
class Flow:
    """From what was found to the splits.

    Parameters
    ----------
    labels : Track or None
        Annotations or rows of a table; those are left out that are of no image. None where folders are the labels.
    images : Track
        Image files; those are left out that no annotation is about, or with no annotations all that are.
    left_out : mapping of str to int
        Images left out together with their annotations.
    kept : int
        Images kept.
    rows : int
        Pairs of an image and a class; more than ``kept`` where an image has several classes.
    splits : mapping of str to int
        Rows of each split.
    repeated : mapping of str to int
        Rows kept that are in no split, as their X-ray is there twice, by the reason.
    """

    labels: Track | None
    images: Track
    left_out: Mapping[str, int]
    kept: int
    rows: int
    splits: Mapping[str, int]
    repeated: Mapping[str, int] = field(default_factory=dict)

    @property
    def gaps(self) -> list[str]:
        """What does not add up, each in a sentence; none where everything does."""
        found = []
        if self.labels and self.labels.rest != self.images.rest:
            found.append(
                f"{self.labels.rest:,} {unit(self.labels)} are about {self.images.rest:,} images: "
                "several can be about one."
                if self.labels.rest > self.images.rest
                else f"{self.images.rest:,} images have {self.labels.rest:,} {unit(self.labels)}."
            )
        through = self.images.rest - sum(self.left_out.values())
        if through != self.kept:
            found.append(
                f"The images left out do not add up: {through:,} should remain, {self.kept:,} are kept."
            )
        parted = self.rows - sum(self.repeated.values())
        if sum(self.splits.values()) != parted:
            found.append(f"The splits have {sum(self.splits.values()):,} of {parted:,}.")
        return found

    def table(self) -> pd.DataFrame:
        """Return every number with what it counts: columns counted, kind, step, count."""
        tracks = [track for track in (self.labels, self.images) if track]
        rows = [
            row
            for track in tracks
            for row in (
                (unit(track), "found", track.name, track.found),
                *((unit(track), "excluded", r, n) for r, n in track.left_out.items()),
            )
        ]
        rows += [("images", "excluded", r, n) for r, n in self.left_out.items()]
        rows.append(("images", "kept", "images kept", self.kept))
        if self.rows != self.kept:
            rows.append(("rows", "kept", "image and class", self.rows))
        counted = "images" if self.rows == self.kept else "rows"
        rows += [(counted, "excluded", reason, n) for reason, n in self.repeated.items()]
        rows += [(counted, "split", style.SPLIT_NAMES[s], n) for s, n in self.splits.items()]
        return pd.DataFrame(rows, columns=["counted", "kind", "step", "count"])


def unit(track: Track) -> str:
    """Return what a track counts: annotations, rows or images."""
    return track.name.split()[0]


def count(folder: Path, split: pd.Series[str], repeated: Mapping[str, int] | None = None) -> Flow:
    """Return the flow that a reader wrote as ``flow.csv`` and ``excluded.csv`` into ``folder``, and the splits.

    ``repeated`` is what the split has left out, as `count_repeated` returns it.
    """
    steps = pd.read_csv(folder / "flow.csv")
    number = dict(zip(steps["step"], (int(n) for n in steps["count"]), strict=True))
    found = [step for step in steps.loc[steps["kind"] == "found", "step"] if step != ALL_FILES]
    images = IMAGES if IMAGES in found else (found or [ALL_FILES])[-1]
    label = next((step for step in found if step != images), None)
    excluded = pd.read_csv(folder / "excluded.csv", dtype=str, keep_default_na=False)
    kept = int(steps.loc[steps["kind"] == "kept", "count"].iloc[0])
    why = excluded["reason"].map(reasons.kind_of)
    sides = _sides(zip(excluded["file"], why, strict=True), annotated=label is not None)
    labels = Track(label, number[label], _ordered(sides.labels)) if label else None
    unsure = number[images] - sum(sides.alone.values()) - (labels.rest if labels else 0)
    apart = min(max(unsure, 0), sides.both[reasons.BY_STUDY]) if labels else 0
    alone = sides.alone + Counter({reasons.BY_STUDY: apart})
    both = sides.both - Counter({reasons.BY_STUDY: apart})
    splits = {s: int((split == s).sum()) for s in style.SPLIT_NAMES}
    track = Track(images, number[images], _ordered(alone))
    return Flow(labels, track, _ordered(both), kept, number.get(ROWS, kept), splits, repeated or {})


def count_repeated(split: Path) -> dict[str, int]:
    """Return how many images a split leaves out for which reason, where the study excludes duplicates; else none."""
    path = split / LEFT_OUT_TABLE
    reasons_found = pd.read_csv(path, dtype=str)["reason"] if path.exists() else pd.Series(dtype=str)
    counts = Counter(reasons_found)
    return {words: counts[reason] for reason, words in REPEATED.items() if counts[reason]}


@dataclass(frozen=True)
class _Sides:
    """How often each reason leaves out an annotation alone, an image alone, and both together."""

    labels: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    both: Counter[str] = field(default_factory=Counter)


def _sides(excluded: Iterable[tuple[str, str]], *, annotated: bool) -> _Sides:
    """Return what each file left out is: with no annotations all are images.

    An image that the study excludes may have an annotation or not: it is counted as if it had.
    """
    sides = _Sides()
    for file, reason in excluded:
        if annotated and (reason in OF_NO_IMAGE or file.lower().endswith(ANNOTATION)):
            sides.labels[reason] += 1
        elif reason in OF_IMAGE_ALONE or not annotated:
            sides.alone[reason] += 1
        else:
            sides.both[reason] += 1
    return sides


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons that occur in the order in which files are judged."""
    known = [*reasons.REASONS, *(r for r in counts if r not in reasons.REASONS)]
    return {reason: counts[reason] for reason in known if counts.get(reason, 0)}

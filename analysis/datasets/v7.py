"""The V7 COVID-19 chest X-ray dataset: images, and Darwin JSON whose tags give the classes.

Reads the folder that ``darwin dataset pull`` makes, or any folder with annotation files and images anywhere
below it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from analysis.datasets import patients, reasons, records
from analysis.datasets.copies import drop_masks_beside
from analysis.datasets.darwin import darwin_json
from analysis.datasets.darwin.darwin_json import Annotation
from analysis.datasets.darwin.image_index import Entry
from analysis.datasets.darwin.matching import match, refuse_unmatched, tags_of
from analysis.datasets.folders.files import find_files
from analysis.datasets.folders.layout import masks_folder, plain
from analysis.datasets.reader import Reader, Reading
from analysis.datasets.reasons import Exclusion
from analysis.datasets.records import Candidate
from analysis.errors import DataError
from analysis.image_files import digest
from analysis.progress import Progress

READER = Reader(
    keys=("label_rule",),
    files={".json": "Darwin JSON annotations"},
    obtained="darwin dataset pull v7-labs/covid-19-chest-x-ray-dataset:all-images",
    sample="analysis.datasets.sample.v7_sample:write",
    sample_params={},
    sample_keys=(),
    planted=True,
    results=("annotations_found",),
    words="v7",
)
COVID_19 = "COVID-19"
CT_TAGS = frozenset(("CT", "View/Axial", "View/Coronal"))
LATERAL_TAGS = frozenset(("View/Lateral",))
MOST_TAGS = 8
IN_FOLDER = re.compile(r"[^*?[]+/")


@dataclass(frozen=True, kw_only=True)
class Settings(Reading):
    """What the study says of reading, and which label an image with several tags gets.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        The label is the name of the tag that gives the class.
    label_rule : {"covid-first", "first-tag", "every-tag"}
        What counts where an image has tags of several classes. ``covid-first``: COVID-19, and without
        that tag the image is left out; in a study that has no class COVID-19 such an image has no class,
        whatever its other tags. ``first-tag``: the one that comes first in the file. ``every-tag``: all, each in a
        row of its own.
    exclude : sequence of str
        Glob patterns for the path, the name or the stem of an image; those that start with a folder, for annotation
        files too.
    max_excluded : float
        Share of the images, annotated or not, that may be left out.
    """

    label_rule: str


def read(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write the records of the images in ``inputs["data"]``, what is left out, and the flow.

    Parameters
    ----------
    settings
        The fields of `Settings`.

    Raises
    ------
    DataError
        If the folder is no such dataset, it cannot be told which image has which label, or too much would be left
        out.
    """
    root, how = inputs["data"], Settings(**settings)
    contents = find_files(root)
    reasons.require_listed(contents.images, how.exclude)
    entries, unread = _annotations(root, contents.others, how.exclude)
    images, masks = _drop_masks(root, contents.images)
    _check_found(root, images, masks, entries, unread)
    _check_labels([entry.annotation for entry in entries], how.classes)
    rules = _Rules({c["label"]: c["id"] for c in how.classes}, how.label_rule, how.exclude)
    match(root, entries, images, how.exclude, rules.verdict)
    refuse_unmatched([e for e in entries if not rules.excluded(e)], images, how.max_excluded)
    candidates, left_out = _select(entries, images, rules)
    table, broken = records.verify(root, candidates, progress, patients.v7, how.patient_pattern)
    exclusions = [*unread, *masks, *broken, *_same_files(root, left_out, table)]
    reasons.refuse_too_many(exclusions, table["image_id"].nunique(), how.max_excluded)
    if table.empty:
        raise _none_usable(root, entries, exclusions)
    steps = [("annotations found", len(entries) + len(unread)), ("images found", len(contents.images))]
    used = {e.file for e in entries} | {e.file for e in unread}
    records.write(out, table, exclusions, records.first_steps(contents, steps, used))


def _none_usable(root: Path, entries: Iterable[Entry], exclusions: Iterable[Exclusion]) -> DataError:
    """Return the error that no image is left, with the tags that there are where it is for want of a class."""
    counts = Counter(tag for entry in entries for tag in dict.fromkeys(entry.annotation.tags))
    tags = ", ".join(f"{tag} ({count})" for tag, count in counts.most_common(MOST_TAGS))
    unlabelled = any(e.reason == reasons.NO_LABEL for e in exclusions)
    why = f": none has a tag of the study's classes (tags: {tags or 'none'})" if unlabelled else ""
    return DataError(
        f"no image in {root} can be used{why}", hint="compare the study's class labels with the tags"
    )


def _annotations(
    root: Path, files: Iterable[str], exclude: reasons.Exclude
) -> tuple[list[Entry], list[Exclusion]]:
    """Return the annotations; files that are no JSON are exclusions, other JSON is nobody's business."""
    entries = []
    exclusions = []
    for name, found in darwin_json.read_files(root, files):
        if isinstance(found, Exception):
            exclusions.append(Exclusion(name, reasons.INVALID, str(found).replace(str(root), "").strip()))
            continue
        # A pattern that does not start with a folder is about images, which often share their annotation's name.
        patterns = () if isinstance(exclude, Mapping) else exclude
        pattern = next((p for p in patterns if IN_FOLDER.match(p) and fnmatchcase(name, p)), "")
        if found and pattern:
            exclusions.append(Exclusion(name, reasons.BY_STUDY, pattern))
        else:
            entries += [Entry(name, annotation) for annotation in found]
    return entries, exclusions


def _drop_masks(root: Path, images: Iterable[str]) -> tuple[list[str], list[Exclusion]]:
    """Return the images, and the masks: in a folder of these or of exported annotations, or beside their image."""
    kept = []
    masks = []
    for image in images:
        above = PurePosixPath(image).parts[:-1]
        exported = next((name for name in above if plain(name) == "annotations"), None)
        if folder := masks_folder(above) or exported:
            masks.append(Exclusion(image, reasons.MASK, f"folder {folder}"))
        else:
            kept.append(image)
    kept, beside = drop_masks_beside(root, kept)
    return kept, masks + beside


def _check_found(
    root: Path,
    images: Sequence[str],
    masks: Sequence[Exclusion],
    entries: Sequence[Entry],
    unread: Sequence[Exclusion],
) -> None:
    if not entries:
        what = f"; {len(unread)} JSON files cannot be read or are excluded" if unread else ""
        raise DataError(
            f"{root} has no Darwin JSON annotations ({len(images) + len(masks)} images{what})",
            hint=f"name the folder made by `{READER.obtained}`; `report data check DIR` tells which reader fits",
        )
    if not images:
        what = f" ({len(masks)} lie in folders of masks, such as {masks[0].file})" if masks else ""
        raise DataError(
            f"{root} has {len(entries)} annotations and no images{what}",
            hint=f"put the images below it, in a folder such as images, or run `{READER.obtained}`",
        )


def _check_labels(annotations: Iterable[Annotation], classes: Sequence[Mapping[str, str]]) -> None:
    """Refuse a label that no image has where a tag that is no label is nearly the same: it is misspelt."""
    seen = {tag for annotation in annotations for tag in annotation.tags}
    others = {tag.casefold(): tag for tag in sorted(seen - {c["label"] for c in classes})}
    for c in classes:
        near = get_close_matches(c["label"].casefold(), others, cutoff=0.8) if c["label"] not in seen else []
        if near:
            tags = ", ".join(f'"{others[tag]}"' for tag in near)
            raise DataError(
                f'no annotation has the tag "{c["label"]}", the label of the class {c["id"]}',
                hint=f"tags like it: {tags}; mend the label in the study file",
            )


@dataclass(frozen=True)
class _Rules:
    """What the study says about labels: class ids by tag, what comes first, what is left out."""

    ids: Mapping[str, str]
    label_rule: str
    exclude: reasons.Exclude

    def labels(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return the class ids of an image with ``tags``, each once, in the order of the tags."""
        named = list(dict.fromkeys(tags))
        if self.label_rule == "covid-first" and COVID_19 in named:
            named = [COVID_19]
        found = tuple(self.ids[tag] for tag in named if tag in self.ids)
        return found[:1] if self.label_rule == "first-tag" else found

    def verdict(self, annotation: Annotation) -> object:
        """Return what two annotations of an image must agree in."""
        return sorted(self.labels(annotation.tags)), frozenset(annotation.tags)

    def excluded(self, entry: Entry) -> tuple[str, str] | None:
        """Return why the study leaves an annotation's image out, and a detail; None if it does not."""
        return reasons.find_exclusion(entry.image or entry.annotation.name, self.exclude)

    def judge(self, entry: Entry) -> tuple[str, str] | None:
        """Return the reason and detail for which an image is left out; None if it is kept."""
        annotation, image = entry.annotation, entry.image
        tags = frozenset(annotation.tags)
        labels = self.labels(annotation.tags)
        checks = (
            self.excluded(entry) or (reasons.BY_STUDY, None),
            (reasons.SECOND_ANNOTATION, image if entry.again else None),
            (reasons.CT, _first(CT_TAGS & tags)),
            (reasons.LATERAL, _first(LATERAL_TAGS & tags)),
            (reasons.NO_IMAGE, None if image else annotation.name),
            (reasons.NO_LABEL, None if labels else tags_of(annotation)),
            (reasons.SEVERAL_LABELS, tags_of(annotation) if self._ambiguous(labels) else None),
        )
        return next(((reason, detail) for reason, detail in checks if detail), None)

    def _ambiguous(self, labels: Sequence[str]) -> bool:
        return len(labels) > 1 and self.label_rule != "every-tag"


def _first(tags: frozenset[str]) -> str | None:
    return f"tag {min(tags)}" if tags else None


def _select(
    entries: Iterable[Entry], images: Iterable[str], rules: _Rules
) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the images to use with their labels, and what is left out without looking at pixels."""
    candidates = []
    exclusions = []
    annotated = set()
    for entry in entries:
        annotation, image = entry.annotation, entry.image
        verdict = rules.judge(entry)
        if verdict:
            exclusions.append(Exclusion(entry.file if entry.again or not image else image, *verdict))
        elif image:
            labels = rules.labels(annotation.tags)
            candidates.append(Candidate(image, labels, annotation.tags, annotation.width, annotation.height))
        annotated.add(image)
    for image in images:
        if image not in annotated:
            found = reasons.find_exclusion(image, rules.exclude)
            exclusions.append(Exclusion(image, *(found or (reasons.NO_ANNOTATION,))))
    return candidates, exclusions


def _same_files(root: Path, exclusions: Iterable[Exclusion], table: pd.DataFrame) -> Iterator[Exclusion]:
    """Yield ``exclusions``, told as what they are where an image without annotation is one kept, byte for byte."""
    kept = dict(zip(table["sha256"], table["image_id"], strict=True))
    for exclusion in exclusions:
        original = None
        if exclusion.reason == reasons.NO_ANNOTATION:
            original = kept.get(_digest(root / exclusion.file))
        yield Exclusion(exclusion.file, reasons.SAME_FILE, original) if original else exclusion


def _digest(file: Path) -> str:
    try:
        return digest(file.read_bytes())
    except OSError:
        return ""

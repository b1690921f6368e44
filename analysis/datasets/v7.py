"""The V7 COVID-19 chest X-ray dataset: pictures, and Darwin JSON whose tags give the classes.

Reads the folder that ``darwin dataset pull`` makes, or any folder with annotation files and pictures anywhere
below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from analysis.datasets import darwin, patients, records
from analysis.datasets.darwin import Annotation
from analysis.datasets.folder import PictureIndex, list_files, pictures_among
from analysis.datasets.records import Candidate, Exclusion
from analysis.errors import DataError
from analysis.progress import Progress

COVID_19 = "COVID-19"
CT_TAGS = frozenset(("CT", "View/Axial", "View/Coronal"))
LATERAL_TAGS = frozenset(("View/Lateral",))
PULL = "darwin dataset pull v7-labs/covid-19-chest-x-ray-dataset:all-images"


def read(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[Mapping[str, str]],
    label_rule: str,
    exclude: Sequence[str],
    max_excluded: float,
    patient_pattern: str = "",
) -> None:
    """Write the records of the pictures in ``inputs["data"]``, what is left out, and the flow.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        The label is the name of the tag that gives the class.
    label_rule : {"covid-first", "first-tag", "every-tag"}
        What counts where a picture has tags of several classes. ``covid-first``: COVID-19, and without
        that tag the picture is left out; in a study that has no class COVID-19 such a picture has no class,
        whatever its other tags. ``first-tag``: the one that comes first in the file. ``every-tag``: all, each in a
        row of its own.
    exclude : sequence of str
        Glob patterns for the path, the name or the stem of a picture.
    max_excluded : float
        Share of the annotated pictures that may be left out.
    patient_pattern : str, optional
        A regular expression whose one group is the patient, searched in the path of a picture.

    Raises
    ------
    DataError
        If the folder is no such dataset, or too much of it would be left out.
    """
    root = inputs["data"]
    files = list_files(root)
    pictures = pictures_among(files)
    annotations, exclusions = _annotations(root, files)
    _check_found(root, pictures, annotations, exclusions)
    _check_labels(annotations, classes)
    rules = _Rules({c["label"]: c["id"] for c in classes}, label_rule, tuple(exclude))
    candidates, left_out = _select(pictures, annotations, rules)
    table, broken = records.verify(root, candidates, progress, patients.v7, patient_pattern)
    exclusions += left_out + broken
    found = len(annotations) + sum(e.reason == records.INVALID for e in exclusions)
    records.refuse_too_many(exclusions, found, max_excluded)
    if table.empty:
        raise DataError(
            f"no picture in {root} can be used", hint="compare the study's class labels with the tags"
        )
    records.write(out, table, exclusions, [("annotations found", found), ("pictures found", len(pictures))])


def _annotations(root: Path, files: Iterable[str]) -> tuple[dict[str, Annotation], list[Exclusion]]:
    """Return the annotations by file; files that are no JSON are exclusions, other JSON is nobody's business."""
    annotations = {}
    invalid = []
    for name in files:
        if not name.lower().endswith(".json"):
            continue
        try:
            annotation = darwin.parse((root / name).read_bytes())
        except (ValueError, OSError, RecursionError) as error:
            invalid.append(Exclusion(name, records.INVALID, str(error).replace(str(root), "").strip()))
        else:
            if annotation:
                annotations[name] = annotation
    return annotations, invalid


def _check_found(
    root: Path, pictures: Sequence[str], annotations: Mapping[str, Annotation], invalid: Sequence[Exclusion]
) -> None:
    if not annotations:
        what = f"; {len(invalid)} JSON files cannot be read" if invalid else ""
        raise DataError(
            f"{root} has no Darwin JSON annotations ({len(pictures)} pictures{what})",
            hint=f"name the folder made by `{PULL}`; `report data check DIR` tells which reader fits",
        )
    if not pictures:
        raise DataError(
            f"{root} has {len(annotations)} annotations and no pictures",
            hint=f"put the pictures below it (links to folders are not followed), or run `{PULL}`",
        )


def _check_labels(annotations: Mapping[str, Annotation], classes: Sequence[Mapping[str, str]]) -> None:
    """Refuse a label that no picture has where a tag that is no label is nearly the same: it is misspelt."""
    seen = {tag for annotation in annotations.values() for tag in annotation.tags}
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
    exclude: tuple[str, ...]

    def labels(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Return the class ids of a picture with ``tags``, each once, in the order of the tags."""
        named = list(dict.fromkeys(tags))
        if self.label_rule == "covid-first" and COVID_19 in named:
            named = [COVID_19]
        found = tuple(self.ids[tag] for tag in named if tag in self.ids)
        return found[:1] if self.label_rule == "first-tag" else found

    def judge(self, annotation: Annotation, picture: str | None, taken: bool) -> tuple[str, str] | None:
        """Return the reason and detail for which a picture is left out; None if it is kept."""
        tags = frozenset(annotation.tags)
        labels = self.labels(annotation.tags)
        checks = (
            (records.BY_STUDY, records.matches(picture or annotation.name, self.exclude)),
            (records.CT, _first(CT_TAGS & tags)),
            (records.LATERAL, _first(LATERAL_TAGS & tags)),
            (records.NO_PICTURE, None if picture else annotation.name),
            (records.SECOND_ANNOTATION, picture if taken else None),
            (records.NO_LABEL, None if labels else _tags(annotation)),
            (records.SEVERAL_LABELS, _tags(annotation) if self._ambiguous(labels) else None),
        )
        return next(((reason, detail) for reason, detail in checks if detail), None)

    def _ambiguous(self, labels: Sequence[str]) -> bool:
        return len(labels) > 1 and self.label_rule != "every-tag"


def _first(tags: frozenset[str]) -> str | None:
    return f"tag {min(tags)}" if tags else None


def _tags(annotation: Annotation) -> str:
    return "tags " + ", ".join(annotation.tags) if annotation.tags else "no tags"


def _select(
    pictures: Sequence[str], annotations: Mapping[str, Annotation], rules: _Rules
) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the pictures to use with their labels, and what is left out without looking at pixels."""
    index = PictureIndex(pictures)
    taken: dict[str, str] = {}
    candidates = []
    exclusions = []
    for file, annotation in annotations.items():
        same = index.find(annotation.name)
        picture = same[0] if same else None
        verdict = rules.judge(annotation, picture, picture in taken)
        if verdict:
            second = verdict[0] == records.SECOND_ANNOTATION or picture in taken
            exclusions.append(Exclusion(file if second or picture is None else picture, *verdict))
        elif picture:
            labels = rules.labels(annotation.tags)
            candidates.append(
                Candidate(picture, labels, annotation.tags, annotation.width, annotation.height)
            )
        for other in same:
            taken.setdefault(other, picture or "")
    return candidates, exclusions + list(_unannotated(pictures, taken, rules))


def _unannotated(pictures: Iterable[str], taken: Mapping[str, str], rules: _Rules) -> Iterable[Exclusion]:
    for picture in pictures:
        if taken.get(picture) == picture:
            continue
        if pattern := records.matches(picture, rules.exclude):
            yield Exclusion(picture, records.BY_STUDY, pattern)
        elif picture in taken:
            yield Exclusion(picture, records.SAME_NAME, taken[picture])
        else:
            yield Exclusion(picture, records.NO_ANNOTATION)

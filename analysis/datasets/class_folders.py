"""Images in one folder per class, wherever those folders lie.

``NORMAL/*.jpeg``, ``{train,val,test}/NORMAL/*.jpeg`` and ``Normal/images/*.png`` beside ``Normal/masks/*.png`` are all
read: an image is of the class whose folder is the nearest above it.
"""

from __future__ import annotations

import os
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from analysis.datasets import reasons, records
from analysis.datasets.copies import drop_copies, drop_masks
from analysis.datasets.folders import layout
from analysis.datasets.folders.class_tree import ClassTree
from analysis.datasets.folders.files import Contents, find_files
from analysis.datasets.folders.layout import Folders
from analysis.datasets.patients import Rule, no_patient
from analysis.datasets.reader import Reader, Reading
from analysis.datasets.reasons import Exclusion
from analysis.datasets.records import Candidate
from analysis.errors import DataError, LayoutError
from analysis.image_files import escape_name
from analysis.progress import Progress

READER = Reader(
    keys=("folders",),
    obtained="put the images into one folder per class",
    sample_params={"layout": "class-folders"},
    words="class_folders",
)


@dataclass(frozen=True, kw_only=True)
class Settings(Reading):
    """What the study says of reading, and what the folders of a class are called.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        The folder of a class is called by its label or id, unless ``folders`` says otherwise.
    folders : mapping of class id to names
        Other names of a class' folders. Upper and lower case, spaces, hyphens and underscores make no difference; signs
        do, as in ``COVID+`` and ``COVID-``, and accents where both names are there.
    """

    folders: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class NameRules:
    """What the path of an image tells beside its class: tags to keep with it, and its patient.

    The patient is by the path and the tags, where the study's pattern does not tell it.
    """

    tags: Callable[[str], tuple[str, ...]] = lambda _: ()
    patient: Rule = no_patient


def read(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any
) -> None:
    """Write the records of the images in ``inputs["data"]``, what is left out, and the flow.

    A folder for training, validation or test that an image lies in is its part of the official split; so is what
    ``NORMAL_train`` and ``NORMAL_test`` say beside the class.

    Parameters
    ----------
    settings
        The fields of `Settings`.

    Raises
    ------
    DataError
        If a class has no images, or too many would be left out.
    """
    read_folders(inputs["data"], out, Settings(**settings), NameRules(), progress)


def read_folders(root: Path, out: Path, how: Settings, rules: NameRules, progress: Progress) -> None:
    """Write what `read` writes of the folder ``root``, with what ``rules`` tell of the names of images."""
    contents = find_files(root)
    reasons.require_listed(contents.images, how.exclude)
    names = name_folders(how.classes, how.folders)
    candidates, exclusions = _select(contents.images, names, how.exclude, rules.tags)
    _check_classes(contents, candidates, names)
    candidates, copies = drop_copies(root, candidates)
    candidates, masks = drop_masks(root, candidates)
    table, broken = records.verify(root, candidates, progress, rules.patient, how.patient_pattern)
    exclusions += masks + broken + copies
    _refuse_too_many(root, table, exclusions, how.max_excluded)
    if table.empty:
        raise reasons.nothing_usable(broken, len(broken))
    steps = [("images found", len(contents.images))]
    records.write(out, table, exclusions, records.first_steps(contents, steps))


def name_folders(
    classes: Sequence[Mapping[str, str]], folders: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return what the folders of each class are called.

    Raises
    ------
    DataError
        If one name is that of two classes.
    """
    names = {c["id"]: tuple(folders.get(c["id"]) or dict.fromkeys((c["label"], c["id"]))) for c in classes}
    for (one, mine), (other, theirs) in combinations(names.items(), 2):
        # Names under [dataset.folders] are chosen with care: there COVID and covid may be two classes.
        key = layout.readable if {one, other} <= folders.keys() else layout.plain
        both = [name for name in theirs if key(name) in map(key, mine)]
        if both:
            raise DataError(
                f"a folder called {both[0]!r} would be of class {one} and of class {other}",
                hint="give each class folder names of its own under [dataset.folders] in the study file",
            )
    return names


def _select(
    images: Iterable[str],
    names: Mapping[str, Sequence[str]],
    exclude: reasons.Exclude,
    tags_of: Callable[[str], tuple[str, ...]],
) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the images to use with their class, and what is left out without looking at pixels."""
    exclusions = []
    left: dict[Folders, list[str]] = defaultdict(list)
    for image in images:
        above = PurePosixPath(image).parts[:-1]
        if found := reasons.find_exclusion(image, exclude):
            exclusions.append(Exclusion(image, *found))
        elif masks := layout.masks_folder(above):
            exclusions.append(Exclusion(image, reasons.MASK, f"folder {masks}"))
        else:
            left[above].append(image)
    tree = ClassTree(left, names)
    others = _other_datasets(tree, left, frozenset(names))
    candidates = []
    for above, inside in left.items():
        label, why = tree.judge(above)
        if above in others:
            exclusions += [Exclusion(image, reasons.OTHER_DATASET, others[above]) for image in inside]
        elif not label:
            exclusions += [Exclusion(image, reasons.NO_LABEL, why) for image in inside]
        else:
            official = tree.official(above)
            candidates += [Candidate(p, (label,), tags_of(p), official=official) for p in inside]
    return candidates, exclusions


def _other_datasets(
    tree: ClassTree, left: Mapping[Folders, Sequence[str]], classes: frozenset[str]
) -> dict[Folders, str]:
    """Return the folders that are of datasets that are not the study's, and why.

    Mendeley's archive has retinas (CNV, DME, DRUSEN, NORMAL) beside chest X-rays (NORMAL, PNEUMONIA). Where one dataset
    has all classes of the study, another one is not it that lacks some and is mostly of other classes.
    """
    labels = {above: tree.judge(above)[0] for above in left}
    datasets = {tree.dataset(above) for above, label in labels.items() if label}
    found: dict[Folders, Counter[str]] = {folder: Counter() for folder in datasets}
    foreign: dict[Folders, Counter[str]] = {folder: Counter() for folder in datasets}
    homes = {
        above: home
        for above in left
        for home in [next((above[:i] for i in range(len(above), -1, -1) if above[:i] in datasets), None)]
        if home is not None
    }
    for above, home in homes.items():
        if labels[above]:
            found[home][labels[above]] += len(left[above])
        else:
            foreign[home][next(iter(layout.telling(above[len(home) :])), "others")] += len(left[above])
    if not any(classes == of.keys() for of in found.values()):
        return {}
    return {
        above: f"{'/'.join(home)} has {_some(foreign[home])} and no {_some(classes - found[home].keys())}"
        for above, home in homes.items()
        if home and classes - found[home].keys() and foreign[home].total() > found[home].total()
    }


def _some(names: Iterable[str], most: int = 4) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:most]) + (f" and {len(ordered) - most} more" if len(ordered) > most else "")


def _check_classes(
    contents: Contents, candidates: Iterable[Candidate], names: Mapping[str, Sequence[str]]
) -> None:
    found = {label for candidate in candidates for label in candidate.labels}
    for id_, own in names.items():
        if id_ not in found:
            spare = f"; or build without it: --set 'dataset.without=[\"{id_}\"]'" if len(names) > 2 else ""
            raise LayoutError(
                f"no image of class {id_}: none lies below a folder called {' or '.join(own)}"
                f" ({_where(contents.images)})",
                hint=f'name its folders in the study file: [dataset.folders] {id_} = ["..."]{spare}'
                f"{_packed(contents)}",
            )


def _packed(contents: Contents) -> str:
    """Return what to do with an archive among the files; "" if there is none."""
    return "".join(f"; or unpack {escape_name(name)}, which lies there" for name in contents.archives[:1])


def _refuse_too_many(root: Path, table: pd.DataFrame, exclusions: Sequence[Exclusion], limit: float) -> None:
    """Raise if too much is left out; where it is of another dataset, say how to read the one alone."""
    try:
        reasons.refuse_too_many(exclusions, len(table), limit)
    except DataError as error:
        if table.empty or all(e.reason != reasons.OTHER_DATASET for e in exclusions):
            raise
        alone = shlex.quote(os.path.commonpath([root / name for name in table["image_id"]]))
        hint = f"the folder holds several datasets; to read one of them: --data {alone}"
        raise DataError(error.message, hint=hint) from error


def _where(images: Sequence[str], most: int = 6) -> str:
    """Return where the images lie, in words."""
    counts = Counter(escape_name(str(PurePosixPath(image).parent)) for image in images)
    named = [f"{count} in {folder}" for folder, count in counts.most_common(most)]
    more = [f"and {len(counts) - most} more folders"] if len(counts) > most else []
    return f"{len(images)} images: {', '.join(named + more)}" if images else "there are no images"

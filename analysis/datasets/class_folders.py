"""Pictures in one folder per class, wherever those folders lie.

``NORMAL/*.jpeg``, ``{train,val,test}/NORMAL/*.jpeg`` and ``Normal/images/*.png`` beside ``Normal/masks/*.png`` are all
read: a picture is of the class whose folder is the nearest above it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from filecmp import cmp
from pathlib import Path, PurePosixPath

from analysis.datasets import records
from analysis.datasets.folder import list_files, pictures_among
from analysis.datasets.patients import Rule, nobody
from analysis.datasets.records import Candidate, Exclusion
from analysis.errors import DataError
from analysis.progress import Progress

OFFICIAL = {
    **dict.fromkeys(("train", "training", "train set", "training set"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "val set", "validation set"), "val"),
    **dict.fromkeys(("test", "testing", "test set", "testing set"), "test"),
}
MASKS = frozenset(("mask", "masks"))


def read(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[Mapping[str, str]],
    folders: Mapping[str, Sequence[str]],
    exclude: Sequence[str],
    max_excluded: float,
    patient_pattern: str = "",
    tags_of: Callable[[str], tuple[str, ...]] = lambda _: (),
    patient_of: Rule = nobody,
) -> None:
    """Write the records of the pictures in ``inputs["data"]``, what is left out, and the flow.

    A folder for training, validation or test that a picture lies in is its part of the official split.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        The folder of a class is called by its label or id, unless ``folders`` says otherwise.
    folders : mapping of class id to names
        Other names of a class' folders. Upper and lower case, spaces, hyphens and underscores make no difference.
    exclude : sequence of str
        Glob patterns for the path, the name or the stem of a picture.
    max_excluded : float
        Share of the pictures that may be left out.
    patient_pattern : str, optional
        A regular expression whose one group is the patient, searched in the path of a picture.
    tags_of : function of the path of a picture, optional
        Returns the tags to keep with it.
    patient_of : function of the path and the tags, optional
        Tells the patient where the pattern does not.

    Raises
    ------
    DataError
        If a class has no pictures, or too many would be left out.
    """
    root = inputs["data"]
    pictures = pictures_among(list_files(root))
    candidates, exclusions = _select(pictures, _ids_by_folder(classes, folders), exclude, tags_of)
    _check_classes(pictures, candidates, classes, folders)
    candidates, copies = _without_copies(root, candidates)
    table, broken = records.verify(root, candidates, progress, patient_of, patient_pattern)
    exclusions += broken
    found = len(exclusions) + len(table) - sum(e.reason == records.MASK for e in exclusions)
    exclusions += copies
    records.refuse_too_many(exclusions, found, max_excluded, "pictures")
    if table.empty:
        raise records.none_left(exclusions, found)
    records.write(out, table, exclusions, [("pictures found", len(pictures))])


def plain(name: str) -> str:
    """Return the name of a folder without what makes no difference: ``Lung_Opacity`` is ``lung opacity``."""
    return re.sub(r"[\W_]+", " ", name.casefold()).strip() or name


def official_split(folders: Iterable[str]) -> str:
    """Return the split that the uppermost such folder of a picture stands for; "" if there is none."""
    return next((OFFICIAL[name] for name in map(plain, folders) if name in OFFICIAL), "")


def masks_folder(folders: Iterable[str]) -> str | None:
    """Return the folder above a file that holds masks, such as ``masks`` or ``lung_masks``; None if there is none."""
    return next((name for name in folders if plain(name).split(" ")[-1] in MASKS), None)


def _ids_by_folder(
    classes: Sequence[Mapping[str, str]], folders: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return class ids by plain folder name."""
    ids: dict[str, str] = {}
    for c in classes:
        for name in _names(c, folders):
            other = ids.setdefault(plain(name), c["id"])
            if other != c["id"]:
                raise DataError(
                    f"a folder called {name!r} would be of class {other} and of class {c['id']}",
                    hint="give each class folder names of its own under [dataset.folders] in the study file",
                )
    return ids


def _names(c: Mapping[str, str], folders: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return folders.get(c["id"]) or (c["label"], c["id"])


def _select(
    pictures: Iterable[str],
    ids: Mapping[str, str],
    exclude: Sequence[str],
    tags_of: Callable[[str], tuple[str, ...]],
) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the pictures to use with their class, and what is left out without looking at pixels."""
    candidates = []
    exclusions = []
    for picture in pictures:
        above = PurePosixPath(picture).parts[:-1]
        label = next((ids[name] for name in map(plain, reversed(above)) if name in ids), None)
        if pattern := records.matches(picture, exclude):
            exclusions.append(Exclusion(picture, records.BY_STUDY, pattern))
        elif masks := masks_folder(above):
            exclusions.append(Exclusion(picture, records.MASK, f"folder {masks}"))
        elif label is None:
            where = f"folder {'/'.join(above)}" if above else "in no folder"
            exclusions.append(Exclusion(picture, records.NO_LABEL, where))
        else:
            candidates.append(Candidate(picture, (label,), tags_of(picture), official=official_split(above)))
    return candidates, exclusions


def _without_copies(root: Path, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Exclusion]]:
    """Return the candidates without those that lie one folder higher too: ``chest_xray/chest_xray`` of Kaggle."""
    known = {PurePosixPath(c.image_id): c for c in candidates}
    kept, copies = [], []
    for path, candidate in known.items():
        parts = path.parts
        above = (known.get(PurePosixPath(*parts[:i], *parts[i + 1 :])) for i in range(len(parts) - 1))
        same = (c for c in above if c and (c.labels, c.official) == (candidate.labels, candidate.official))
        original = next(
            (c.image_id for c in same if cmp(root / c.image_id, root / path, shallow=False)), None
        )
        if original:
            copies.append(Exclusion(candidate.image_id, records.COPY, original))
        else:
            kept.append(candidate)
    return kept, copies


def _check_classes(
    pictures: Sequence[str],
    candidates: Iterable[Candidate],
    classes: Sequence[Mapping[str, str]],
    folders: Mapping[str, Sequence[str]],
) -> None:
    found = {label for candidate in candidates for label in candidate.labels}
    for c in classes:
        if c["id"] not in found:
            names = " or ".join(dict.fromkeys(_names(c, folders)))
            spare = (
                f"; or build without it: --set 'dataset.without=[\"{c['id']}\"]'" if len(classes) > 2 else ""
            )
            raise DataError(
                f"no picture of class {c['id']}: none lies below a folder called {names} ({_where(pictures)})",
                hint=f'name its folders in the study file: [dataset.folders] {c["id"]} = ["..."]{spare}',
            )


def _where(pictures: Sequence[str], most: int = 6) -> str:
    """Return where the pictures lie, in words."""
    counts = Counter(str(PurePosixPath(picture).parent) for picture in pictures)
    named = [f"{count} in {folder}" for folder, count in counts.most_common(most)]
    more = [f"and {len(counts) - most} more folders"] if len(counts) > most else []
    return f"{len(pictures)} pictures: {', '.join(named + more)}" if pictures else "there are no pictures"

"""Which image a Darwin annotation is about: told by path and name, else by a name that nothing else has.

``darwin dataset pull`` writes an image to the item's path, under the item's name with the suffix of the uploaded file;
annotations lie flat. An image with the label of another is worse than none, so what fits several is an error.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from filecmp import cmp
from pathlib import Path, PurePosixPath

from analysis.datasets import reasons
from analysis.datasets.darwin.darwin_json import Annotation
from analysis.datasets.darwin.image_index import (
    Entry,
    Folders,
    ImageIndex,
    is_renamed,
    item_of,
    same_item,
    stem_of,
)
from analysis.errors import DataError, MatchingError

EXAMPLES = 3


def match(
    root: Path,
    entries: Sequence[Entry],
    images: Sequence[str],
    exclude: reasons.Exclude,
    label: Callable[[Annotation], object],
) -> None:
    """Give each of ``entries`` its image, if it has one.

    Images that fit ``exclude`` are left out of what is ambiguous. Of images that are the same byte for byte the
    first is taken. ``label`` says what two annotations of an image must agree in.

    Raises
    ------
    MatchingError
        If several images fit an annotation, or an image has annotations that are not the same.
    """
    for own, near in _by_dataset(entries, images):
        _fit(own, near)
    for entry in entries:
        wanted = [image for image in entry.fitting if not reasons.find_pattern(image, exclude)]
        entry.fitting = tuple(wanted) or entry.fitting[:1]
    _refuse_several([e for e in entries if not _all_same(root, e.fitting)])
    rivals = [(first, entry) for first, entry in _again(root, entries) if not _agree(first, entry, label)]
    _refuse_rivals(rivals)


def _again(root: Path, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Give entries the first image that fits; yield those before and after that are about the same image.

    The same file under the same name, as where a dataset lies in the folder twice, is the same image.
    """
    by_item: dict[object, Entry] = {}
    by_image: dict[str, Entry] = {}
    for entry in entries:
        if entry.fitting:
            entry.image = entry.fitting[0]
            twin = by_item.setdefault(item_of(entry.annotation), entry).image
            if twin and _all_same(root, (twin, entry.image)):
                entry.image = twin
            first = by_image.setdefault(entry.image, entry)
            entry.again = first is not entry
            if entry.again:
                yield first, entry


def refuse_unmatched(entries: Sequence[Entry], images: Sequence[str], limit: float) -> None:
    """Raise if no annotation finds an image, or more than the share ``limit`` find none.

    Raises
    ------
    MatchingError or DataError
        With names of both sides.
    """
    lost = [entry for entry in entries if not entry.image]
    if lost and (len(lost) == len(entries) or len(lost) > limit * len(entries)):
        found = {entry.image for entry in entries}
        loose = [image for image in images if image not in found]
        names = [entry.annotation.name for entry in lost]
        # A few annotations that have strayed into a folder are no reason to read it as nothing else.
        kind = MatchingError if 2 * len(entries) > len(images) else DataError
        raise kind(
            f"{len(lost)} of {len(entries)} annotations find no image: {_few(names)};"
            f" images without an annotation: {_few(loose)}",
            hint="names must be the same but for the suffix; pull annotations and images together"
            " (`darwin dataset pull`) and name the folder that has both, or raise dataset.max_excluded",
        )


def _by_dataset(entries: Sequence[Entry], images: Sequence[str]) -> Iterator[tuple[list[Entry], list[str]]]:
    """Yield annotations with the images of their dataset: each folder with ``releases`` and ``images`` is one."""
    roots = _above((e.file for e in entries), "releases") & _above(images, "images")
    roots = roots if len(roots) > 1 else set()
    groups: dict[Folders, tuple[list[Entry], list[str]]] = defaultdict(lambda: ([], []))
    for entry in entries:
        groups[_nearest(entry.file, roots)][0].append(entry)
    for image in images:
        groups[_nearest(image, roots)][1].append(image)
    yield from groups.values()


def _above(files: Iterable[str], folder: str) -> set[Folders]:
    parts = (PurePosixPath(file).parts for file in files)
    return {names[: names.index(folder)] for names in parts if folder in names[:-1]}


def _nearest(file: str, roots: set[Folders]) -> Folders:
    parts = PurePosixPath(file).parts
    return next((parts[:i] for i in range(len(parts), 0, -1) if parts[:i] in roots), ())


def _fit(entries: Sequence[Entry], images: Sequence[str]) -> None:
    """Find what fits each annotation; a way that is less sure is tried where the one before found nothing."""
    index = ImageIndex(images, [entry.annotation for entry in entries])
    for way in (index.numbered, index.exact, index.but_for_suffix):
        _fit_by(way, entries, entries)
    placed = {stem_of(entry.annotation) for entry in entries if entry.fitting}
    _fit_by(index.in_any_folder, entries, [e for e in entries if stem_of(e.annotation) not in placed])
    others = [entry for entry in entries if is_renamed(entry.annotation)]
    by_name = sum(bool(entry.fitting) for entry in others)
    by_other = sum(bool(index.by_other_name(entry)) for entry in others)
    if 0 < by_name < by_other:
        raise MatchingError(
            f"{by_name} annotations find an image by the name in the dataset, {by_other} by another that they know,"
            f" such as {others[0]}, also {others[0].annotation.other}: which name the images have cannot be told",
            hint="pull the images again, into an empty folder, with `darwin dataset pull` of darwin-py 1.0 or later",
        )
    if not by_name:
        _fit_by(index.by_other_name, entries, others)


def _fit_by(way: Callable[[Entry], list[str]], entries: Sequence[Entry], wanting: Sequence[Entry]) -> None:
    """Find what fits the entries that have nothing yet; an image of another one means that the name is no one's own."""
    taken = {image for entry in entries for image in entry.fitting}
    for entry in wanting:
        if not entry.fitting:
            found = way(entry)
            entry.fitting = () if taken.intersection(found) else tuple(found)


def _all_same(root: Path, images: Sequence[str]) -> bool:
    first, *others = dict.fromkeys(images or ("",))
    try:
        return all(cmp(root / first, root / other, shallow=False) for other in others)
    except OSError:
        return False


def _agree(first: Entry, second: Entry, label: Callable[[Annotation], object]) -> bool:
    return same_item(first, second) and label(first.annotation) == label(second.annotation)


def _refuse_several(entries: Sequence[Entry]) -> None:
    if entries:
        first, *others = entries
        more = f"; so do {len(others)} more annotations" if others else ""
        raise MatchingError(
            f"{first} fits {len(first.fitting)} images: {_few(first.fitting)}{more}",
            hint='leave out those that are not meant: exclude = ["FOLDER/*"] under [dataset] in the study file',
        )


def _refuse_rivals(rivals: Sequence[tuple[Entry, Entry]]) -> None:
    for first, second in rivals[:1]:
        more = f"; so it is with {len(rivals) - 1} more" if len(rivals) > 1 else ""
        if same_item(first, second):
            each = " and ".join(f"{e.file} has {tags_of(e.annotation)}" for e in (first, second))
            raise MatchingError(
                f"{first.image} has two annotations that differ: {each}{more}",
                hint=f"leave one out: exclude = [{json.dumps(_release_of(second.file, first.file))}]"
                " under [dataset] in the study file",
            )
        raise MatchingError(
            f"{first.image} fits two annotations and can be the image of one only: {first} and {second}{more}",
            hint="pull the images again with their folders (`darwin dataset pull`), or leave one annotation out:"
            ' exclude = ["releases/.../NAME.json"] under [dataset] in the study file',
        )


def _release_of(file: str, other: str) -> str:
    """Return a pattern for the folder of an annotation, or for it alone where the other lies in that too."""
    folder = PurePosixPath(file).parent
    return file if folder == PurePosixPath(other).parent else f"{folder}/*"


def tags_of(annotation: Annotation) -> str:
    """Return the tags in words."""
    return "tags " + ", ".join(annotation.tags) if annotation.tags else "no tags"


def _few(names: Sequence[str]) -> str:
    more = [f"and {len(names) - EXAMPLES} more"] if len(names) > EXAMPLES else []
    return ", ".join([*names[:EXAMPLES], *more]) or "none"

"""Which picture a Darwin annotation is about: told by path and name, else by a name that nothing else has.

``darwin dataset pull`` writes a picture to the item's path, under the item's name with the suffix of the uploaded file;
annotations lie flat. A picture with the label of another is worse than none, so what fits several is an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from filecmp import cmp
from pathlib import Path, PurePosixPath

from analysis.datasets import records
from analysis.datasets.darwin import Annotation
from analysis.datasets.folder import PICTURE_SUFFIXES
from analysis.errors import DataError

PULL = "darwin dataset pull v7-labs/covid-19-chest-x-ray-dataset:all-images"
FORBIDDEN = str.maketrans(dict.fromkeys('<>"|?*:', "_"))  # as darwin-py writes them, on Windows the colon too
NUMBER = re.compile(r"(.+)_\d+")
UNKNOWN_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")
EXAMPLES = 3

Folders = tuple[str, ...]


@dataclass
class Entry:
    """An annotation, the file it comes from, and the picture it is about.

    ``fitting`` are the pictures that it may be about, ``picture`` is the one, null where there is none. ``again``: an
    entry before says the same of the picture.
    """

    file: str
    annotation: Annotation
    fitting: tuple[str, ...] = field(default=(), init=False)
    picture: str | None = field(default=None, init=False)
    again: bool = field(default=False, init=False)

    def __str__(self) -> str:
        return f"{self.file} ({'/'.join((*(self.annotation.path or ()), self.annotation.name))})"


def match(
    root: Path,
    entries: Sequence[Entry],
    pictures: Sequence[str],
    exclude: Sequence[str],
    label: Callable[[Annotation], object],
) -> None:
    """Give each of ``entries`` its picture, if it has one.

    Pictures that fit ``exclude`` are left out of what is ambiguous. Of pictures that are the same byte for byte the
    first is taken. ``label`` says what two annotations of a picture must agree in.

    Raises
    ------
    DataError
        If several pictures fit an annotation, or a picture has annotations that are not the same.
    """
    for own, near in _by_dataset(entries, pictures):
        _fit(own, near)
    for entry in entries:
        wanted = [picture for picture in entry.fitting if not records.matches(picture, exclude)]
        entry.fitting = tuple(wanted) or entry.fitting[:1]
    _refuse_several([e for e in entries if not _all_same(root, e.fitting)])
    by_picture: dict[str, Entry] = {}
    rivals = []
    for entry in entries:
        if entry.fitting:
            entry.picture = entry.fitting[0]
            first = by_picture.setdefault(entry.picture, entry)
            entry.again = first is not entry
            if entry.again and not _agree(first, entry, label):
                rivals.append((first, entry))
    _refuse_rivals(rivals)


def refuse_unmatched(entries: Sequence[Entry], pictures: Iterable[str], limit: float) -> None:
    """Raise if no annotation finds a picture, or more than the share ``limit`` find none.

    Raises
    ------
    DataError
        With names of both sides.
    """
    lost = [entry for entry in entries if not entry.picture]
    if lost and (len(lost) == len(entries) or len(lost) > limit * len(entries)):
        found = {entry.picture for entry in entries}
        loose = [picture for picture in pictures if picture not in found]
        names = [entry.annotation.name for entry in lost]
        raise DataError(
            f"{len(lost)} of {len(entries)} annotations find no picture: {_few(names)};"
            f" pictures without an annotation: {_few(loose)}",
            hint="names must be the same but for the suffix; pull annotations and pictures together"
            f" (`{PULL}`) and name the folder that has both",
        )


def _by_dataset(entries: Sequence[Entry], pictures: Sequence[str]) -> Iterator[tuple[list[Entry], list[str]]]:
    """Yield annotations with the pictures of their dataset: each folder with ``releases`` and ``images`` is one."""
    roots = _above((e.file for e in entries), "releases") & _above(pictures, "images")
    roots = roots if len(roots) > 1 else set()
    groups: dict[Folders, tuple[list[Entry], list[str]]] = defaultdict(lambda: ([], []))
    for entry in entries:
        groups[_nearest(entry.file, roots)][0].append(entry)
    for picture in pictures:
        groups[_nearest(picture, roots)][1].append(picture)
    yield from groups.values()


def _above(files: Iterable[str], folder: str) -> set[Folders]:
    parts = (PurePosixPath(file).parts for file in files)
    return {names[: names.index(folder)] for names in parts if folder in names[:-1]}


def _nearest(file: str, roots: set[Folders]) -> Folders:
    parts = PurePosixPath(file).parts
    return next((parts[:i] for i in range(len(parts), 0, -1) if parts[:i] in roots), ())


def _fit(entries: Sequence[Entry], pictures: Sequence[str]) -> None:
    """Find what fits each annotation; a way that is less sure is tried where the one before found nothing."""
    index = PictureIndex(pictures, [entry.annotation for entry in entries])
    for way in (index.numbered, index.exact, index.but_for_suffix, index.in_any_folder):
        _fit_by(way, entries)
    others = [entry for entry in entries if renamed(entry.annotation)]
    by_name = sum(bool(entry.fitting) for entry in others)
    by_other = sum(bool(index.by_other_name(entry)) for entry in others)
    if 0 < by_name < by_other:
        raise DataError(
            f"{by_name} annotations find a picture by the name in the dataset, {by_other} by another that they know,"
            f" such as {others[0]}, also {others[0].annotation.other}: which name the pictures have cannot be told",
            hint=f"pull the pictures again into an empty folder: `{PULL}`",
        )
    if not by_name:
        _fit_by(index.by_other_name, others)


def _fit_by(way: Callable[[Entry], list[str]], entries: Sequence[Entry]) -> None:
    taken = {picture for entry in entries for picture in entry.fitting}
    for entry in entries:
        if not entry.fitting:
            found = way(entry)
            entry.fitting = () if taken.intersection(found) else tuple(found)


class PictureIndex:
    """Finds the pictures of annotations by the folders and the name of their files.

    The path of an item is compared with the last folders above a picture, below the folder (``images``) where that
    fits most pictures. A folder belongs to the longest path that fits; what lies there is no picture of other items.
    """

    def __init__(self, pictures: Sequence[str], annotations: Sequence[Annotation]) -> None:
        self._paths = {_plain(a.path) for a in annotations if a.path is not None}
        self._known = set(self._paths)
        self._stems = {_stem(annotation.name) for annotation in annotations}
        self._paths_by_name: dict[str, set[Folders]] = defaultdict(set)
        for annotation in annotations:
            path = _plain(annotation.path or ())
            inner = {_plain(place[:-1]) for place in annotation.places} - {()}
            self._known |= inner | {path + folders for folders in inner}
            if annotation.path is not None:
                self._paths_by_name[_name(annotation.name)].add(path)
        above = {picture: _plain(PurePosixPath(picture).parts[:-1]) for picture in pictures}
        self._base = self._most_fitting(Counter(above.values()))
        self._there = {self._owner(f[:i]) for f in set(above.values()) for i in range(len(f) + 1)}
        self._flat = self._there.isdisjoint(self._paths - {()})
        self._by_name: dict[tuple[Folders, str], list[str]] = defaultdict(list)
        self._by_stem: dict[tuple[Folders, str], list[str]] = defaultdict(list)
        self._anywhere: dict[str, list[str]] = defaultdict(list)
        for picture, folders in above.items():
            name = PurePosixPath(picture).name
            owner = self._owner(folders)
            self._by_name[owner, _name(name)].append(picture)
            self._by_stem[owner, _stem(name)].append(picture)
            self._anywhere[_stem(name)].append(picture)

    def numbered(self, entry: Entry) -> list[str]:
        """Return the pictures called as an annotation file that has a number because its item's name is there twice.

        So darwin-py before 1.0 wrote them where it made no folders: ``0_2.json`` is about ``0_2.png``.
        """
        stem = _plain_name(PurePosixPath(entry.file).stem)
        number = NUMBER.fullmatch(stem)
        twice = number and number[1] == _stem(entry.annotation.name) and stem not in self._stems
        flat = entry.annotation.path and not self._home(entry.annotation)
        return self._by_stem.get(((), stem), []) if twice and flat else []

    def exact(self, entry: Entry) -> list[str]:
        """Return the pictures that lie and are called as the annotation says."""
        home = self._home(entry.annotation)
        for *folders, name in entry.annotation.places:
            if found := self._by_name.get((home + _plain(folders), _name(name))):
                return [picture for picture in found if PurePosixPath(picture).name == name] or found
        return []

    def but_for_suffix(self, entry: Entry) -> list[str]:
        """Return the pictures that lie as the annotation says, and whose names differ in the suffix only."""
        home = self._home(entry.annotation)
        for stems in (_stems, _loose_stems):
            for *folders, name in entry.annotation.places:
                keys = ((home + _plain(folders), stem) for stem in stems(name))
                if found := [picture for key in keys for picture in self._by_stem.get(key, [])]:
                    return found
        return []

    def in_any_folder(self, entry: Entry) -> list[str]:
        """Return the pictures of the annotation's name if it says nothing of folders."""
        annotation = entry.annotation
        home = self._home(annotation)
        folders = {home + _plain(place[:-1]) for place in annotation.places} - {home}
        told = annotation.path is not None or not folders.isdisjoint(self._there)
        return [] if told else self._anywhere.get(_stem(annotation.places[-1][-1]), [])

    def by_other_name(self, entry: Entry) -> list[str]:
        """Return the pictures that are called as the annotated file was before, or on the platform."""
        return self._by_stem.get((self._home(entry.annotation), _stem(entry.annotation.other)), [])

    def _home(self, annotation: Annotation) -> Folders:
        """Return the folders that an annotation's picture lies in; none where there are no folders of any item."""
        if annotation.path is None:
            paths = self._paths_by_name.get(_name(annotation.name), set())
            path = next(iter(paths)) if len(paths) == 1 else ()
        else:
            path = _plain(annotation.path)
        return () if self._flat else path

    def _owner(self, folders: Folders) -> Folders:
        """Return the longest of the known paths that ends ``folders``."""
        below = folders[len(self._base) :] if folders[: len(self._base)] == self._base else folders
        return next((below[i:] for i in range(len(below)) if below[i:] in self._known), ())

    def _most_fitting(self, folders: Counter[Folders]) -> Folders:
        """Return the folder below which the paths of items fit the most pictures, the uppermost of equals."""
        votes: Counter[Folders] = Counter()
        for names, count in folders.items():
            for i in range(len(names) + 1):
                if names[i:] in self._paths:
                    votes[names[:i]] += count
        return max(votes, key=lambda base: (votes[base], -len(base), base), default=())


def renamed(annotation: Annotation) -> bool:
    """Return whether an annotation knows its picture by another name too."""
    names = {_stem(place[0]) for place in annotation.places if len(place) == 1}
    return bool(annotation.other) and _stem(annotation.other) not in names


def _plain(folders: Iterable[str]) -> Folders:
    return tuple(map(_plain_name, folders))


def _plain_name(name: str) -> str:
    """Return a name without what systems change in it: macOS its composition, darwin-py characters."""
    return unicodedata.normalize("NFC", name).translate(FORBIDDEN)


def _name(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return _plain_name(name.removesuffix(suffix) + suffix.lower())


def _stem(name: str) -> str:
    """Return a name without the suffix of a picture; other dots are part of it."""
    suffix = PurePosixPath(name).suffix
    return _plain_name(name.removesuffix(suffix) if suffix.lower() in PICTURE_SUFFIXES else name)


def _stems(name: str) -> list[str]:
    """Return the stem, and the whole name: ``a.dcm`` may have become ``a.png`` or ``a.dcm.png``."""
    return list(dict.fromkeys((_stem(name), _plain_name(name))))


def _loose_stems(name: str) -> list[str]:
    return [_plain_name(UNKNOWN_SUFFIX.sub("", name))]


def _all_same(root: Path, pictures: Sequence[str]) -> bool:
    first, *others = pictures or ("",)
    return all(cmp(root / first, root / other, shallow=False) for other in others)


def _agree(first: Entry, second: Entry, label: Callable[[Annotation], object]) -> bool:
    return _same_item(first, second) and label(first.annotation) == label(second.annotation)


def _same_item(first: Entry, second: Entry) -> bool:
    one, two = first.annotation, second.annotation
    paths = {_plain(a.path) for a in (one, two) if a.path is not None}
    return _name(one.name) == _name(two.name) and len(paths) < 2


def _refuse_several(entries: Sequence[Entry]) -> None:
    if entries:
        first, *others = entries
        more = f"; so do {len(others)} more annotations" if others else ""
        raise DataError(
            f"{first} fits {len(first.fitting)} pictures: {_few(first.fitting)}{more}",
            hint='leave out those that are not meant: exclude = ["FOLDER/*"] under [dataset] in the study file',
        )


def _refuse_rivals(rivals: Sequence[tuple[Entry, Entry]]) -> None:
    for first, second in rivals[:1]:
        more = f"; so it is with {len(rivals) - 1} more" if len(rivals) > 1 else ""
        if _same_item(first, second):
            each = " and ".join(f"{e.file} has {tags_of(e.annotation)}" for e in (first, second))
            raise DataError(
                f"{first.picture} has two annotations that differ: {each}{more}",
                hint='leave one release out: exclude = ["releases/NAME/*"] under [dataset] in the study file',
            )
        raise DataError(
            f"{first.picture} fits two annotations and can be the picture of one only: {first} and {second}{more}",
            hint=f"pull the pictures again with their folders (`{PULL}`), or leave one annotation out:"
            ' exclude = ["releases/.../NAME.json"] under [dataset] in the study file',
        )


def tags_of(annotation: Annotation) -> str:
    """Return the tags in words."""
    return "tags " + ", ".join(annotation.tags) if annotation.tags else "no tags"


def _few(names: Sequence[str]) -> str:
    more = [f"and {len(names) - EXAMPLES} more"] if len(names) > EXAMPLES else []
    return ", ".join([*names[:EXAMPLES], *more]) or "none"

"""Where the image of a Darwin annotation is looked for: below its item's path, under the names that it may have."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import PurePosixPath

from analysis.datasets.darwin.darwin_json import Annotation
from analysis.datasets.folders.files import IMAGE_SUFFIXES

FORBIDDEN = str.maketrans(dict.fromkeys('<>"|?*:', "_"))  # as darwin-py writes them, on Windows the colon too
NUMBER = re.compile(r"(.+)_\d+")
UNKNOWN_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")

PULLED = ("images",)
"""The folder in which ``darwin dataset pull`` puts images."""

Folders = tuple[str, ...]


@dataclass
class Entry:
    """An annotation, the file it comes from, and the image it is about.

    ``fitting`` are the images that it may be about, ``image`` is the one, null where there is none. ``again``: an
    entry before says the same of the image.
    """

    file: str
    annotation: Annotation
    fitting: tuple[str, ...] = field(default=(), init=False)
    image: str | None = field(default=None, init=False)
    again: bool = field(default=False, init=False)

    def __str__(self) -> str:
        return f"{self.file} ({'/'.join((*(self.annotation.path or ()), self.annotation.name))})"


class ImageIndex:
    """Finds the images of annotations by the folders and the name of their files.

    The path of an item is compared with the last folders above an image, below the folder (``images``) where that
    fits most images. A folder belongs to the longest path that fits; what lies there is no image of other items.
    Folders of no path are told by no annotation: an image there is found only by a name that nothing else has.
    """

    def __init__(self, images: Sequence[str], annotations: Sequence[Annotation]) -> None:
        self._paths = {_plain(a.path) for a in annotations if a.path is not None}
        self._known = set(self._paths)
        if any(
            path[:1] == PULLED for path in self._paths
        ):  # where a pull made no folders, images is not that one
            self._known.add(())
        self._stems = {_stem(annotation.name) for annotation in annotations}
        self._paths_by_name: dict[str, set[Folders]] = defaultdict(set)
        for annotation in annotations:
            path = _plain(annotation.path or ())
            inner = {_plain(place[:-1]) for place in annotation.places} - {()}
            self._known |= inner | {path + folders for folders in inner}
            if annotation.path is not None:
                self._paths_by_name[_name(annotation.name)].add(path)
        above = {image: _plain(PurePosixPath(image).parts[:-1]) for image in images}
        self._base = self._most_fitting(Counter(above.values()))  # None: no folder is that of any item
        self._there = {self._owner(f[:i]) or () for f in set(above.values()) for i in range(len(f) + 1)}
        self._flat = self._there.isdisjoint(self._paths - {()})
        self._by_name: dict[tuple[Folders | None, str], list[str]] = defaultdict(list)
        self._by_stem: dict[tuple[Folders | None, str], list[str]] = defaultdict(list)
        self._anywhere: dict[str, list[str]] = defaultdict(list)
        self._regions: dict[str, Folders] = {}
        for image, folders in above.items():
            name = PurePosixPath(image).name
            owner = self._owner(folders)
            self._regions[image] = self._region(folders)
            self._by_name[owner, _name(name)].append(image)
            self._by_stem[owner, _stem(name)].append(image)
            self._anywhere[_name(name)].append(image)
            self._anywhere[_stem(name)].append(image)
        self._own = set(self._regions.values())

    def numbered(self, entry: Entry) -> list[str]:
        """Return the images called as an annotation file that has a number because its item's name is there twice.

        So darwin-py before 1.0 wrote them where it made no folders: ``0_2.json`` is about ``0_2.png``.
        """
        stem = _plain_name(PurePosixPath(entry.file).stem)
        number = NUMBER.fullmatch(stem)
        twice = number and number[1] == _stem(entry.annotation.name) and stem not in self._stems
        return self._by_stem.get(((), stem), []) if twice and self._flat and self._paths - {()} else []

    def exact(self, entry: Entry) -> list[str]:
        """Return the images that lie and are called as the annotation says."""
        home = self._home(entry.annotation)
        hits: dict[str, list[str]] = {}
        for *folders, name in entry.annotation.places:
            found = self._by_name.get((home + _plain(folders), _name(name)), [])
            if found and (not hits or not folders):
                same = [image for image in found if PurePosixPath(image).name == name]
                hits.setdefault(_stem(name), same or found)
        return list(dict.fromkeys(chain.from_iterable(hits.values())))

    def but_for_suffix(self, entry: Entry) -> list[str]:
        """Return the images that lie as the annotation says, and whose names differ in the suffix only."""
        home = self._home(entry.annotation)
        for stems in (_stems, _loose_stems):
            for *folders, name in entry.annotation.places:
                keys = ((home + _plain(folders), stem) for stem in stems(name))
                if found := [image for key in keys for image in self._by_stem.get(key, [])]:
                    return found
        return []

    def in_any_folder(self, entry: Entry) -> list[str]:
        """Return the images of an annotation's name, if none of them lies in a folder of another item."""
        name = _called(entry.annotation)
        return self._elsewhere(entry, (_name(name), *_stems(name), *_loose_stems(name))) if name else []

    def by_other_name(self, entry: Entry) -> list[str]:
        """Return the images that are called as the annotated file was before, or on the platform."""
        stem = _stem(entry.annotation.other)
        return self._by_stem.get((self._home(entry.annotation), stem)) or self._elsewhere(entry, (stem,))

    def _elsewhere(self, entry: Entry, names: Iterable[str]) -> list[str]:
        found = next(filter(None, map(self._anywhere.get, names)), [])
        annotation = entry.annotation
        home = self._home(annotation)
        inner = {home + _plain(place[:-1]) for place in annotation.places} - {home}
        own = self._own if annotation.path is None else {(), home}
        is_placed = not inner.isdisjoint(self._there) or any(
            self._regions[image] not in own for image in found
        )
        return [] if is_placed else list(dict.fromkeys(found))

    def _home(self, annotation: Annotation) -> Folders:
        """Return the folders that an annotation's image lies in; none where there are no folders of any item."""
        if annotation.path is None:
            paths = self._paths_by_name.get(_name(annotation.name), set())
            path = next(iter(paths)) if len(paths) == 1 else ()
        else:
            path = _plain(annotation.path)
        return () if self._flat else path

    def _owner(self, folders: Folders) -> Folders | None:
        """Return the longest of the known paths that ends ``folders``; None for folders of no path."""
        if self._base is None or folders == self._base:
            return ()
        below = folders[len(self._base) :] if folders[: len(self._base)] == self._base else folders
        return next((below[i:] for i in range(len(below)) if below[i:] in self._known), None)

    def _region(self, folders: Folders) -> Folders:
        """Return the known path that the nearest folder of one is of, at or above ``folders``."""
        owners = (self._owner(folders[:i]) for i in range(len(folders), -1, -1))
        return next(filter(None, owners), ())

    def _most_fitting(self, folders: Counter[Folders]) -> Folders | None:
        """Return the folder below which known paths fit the most images; None if none fits.

        Of equals it is that which a pull makes, ``images``, else the uppermost.
        """
        votes: Counter[Folders] = Counter()
        fits = False
        for names, count in folders.items():
            for i in range(len(names) + 1):
                if names[i:] in self._known:
                    votes[names[:i]] += count
                    fits = fits or i < len(names)
        return max(votes, key=lambda b: (votes[b], b[-1:] == PULLED, -len(b), b)) if fits else None


def is_renamed(annotation: Annotation) -> bool:
    """Return whether an annotation knows its image by another name too."""
    names = {_stem(place[0]) for place in annotation.places if len(place) == 1}
    return bool(annotation.other) and _stem(annotation.other) not in names


def same_item(first: Entry, second: Entry) -> bool:
    """Return whether two annotations are about the image of one item, as two releases of a dataset are."""
    (path, name), (other_path, other_name) = item_of(first.annotation), item_of(second.annotation)
    unknown = None in (first.annotation.path, second.annotation.path)
    return name == other_name and (path == other_path or unknown)


def item_of(annotation: Annotation) -> tuple[Folders, str]:
    """Return path and name of an annotation's item, as they are compared."""
    return _plain(annotation.path or ()), _name(annotation.name)


def stem_of(annotation: Annotation) -> str:
    """Return the name that an annotation's image has without folders and suffix; "" if it has none of its own."""
    return _stem(_called(annotation))


def _called(annotation: Annotation) -> str:
    return next((place[0] for place in reversed(annotation.places) if len(place) == 1), "")


def _plain(folders: Iterable[str]) -> Folders:
    return tuple(map(_plain_name, folders))


def _plain_name(name: str) -> str:
    """Return a name without what systems change in it: macOS its composition, darwin-py characters."""
    return unicodedata.normalize("NFC", name).translate(FORBIDDEN)


def _name(name: str) -> str:
    suffix = PurePosixPath(name).suffix
    return _plain_name(name.removesuffix(suffix) + suffix.lower())


def _stem(name: str) -> str:
    """Return a name without the suffix of an image; other dots are part of it."""
    suffix = PurePosixPath(name).suffix
    return _plain_name(name.removesuffix(suffix) if suffix.lower() in IMAGE_SUFFIXES else name)


def _stems(name: str) -> list[str]:
    """Return the stem, and the whole name: ``a.dcm`` may have become ``a.png`` or ``a.dcm.png``."""
    return list(dict.fromkeys((_stem(name), _plain_name(name))))


def _loose_stems(name: str) -> list[str]:
    return [_plain_name(UNKNOWN_SUFFIX.sub("", name))]

"""The class of an image by the folders above it, of all folders of a dataset together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set

from analysis.datasets.folders.layout import (
    Folders,
    bare,
    official_split,
    parted,
    plain,
    readable,
    split_of,
    telling,
)


class ClassTree:
    """Tells the class of an image from the folders above it.

    Parameters
    ----------
    folders : iterable of Folders
        Those above every image.
    names : mapping of class id to sequence of str
        What the folders of a class are called.
    """

    def __init__(self, folders: Iterable[Folders], names: Mapping[str, Sequence[str]]) -> None:
        every = frozenset(folders)
        there = {name for above in every for name in above}
        self._parted = parted(there)
        self.ids = _ids(there, names, self._parted)
        self._below: dict[Folders, set[str]] = defaultdict(set)
        for above in every:
            named = [i for i, name in enumerate(above) if name in self.ids]
            for i in named:
                self._below[above[: i + 1]] |= {self.ids[above[j]] for j in named if j > i}

    def judge(self, above: Folders) -> tuple[str, str]:
        """Return the class of what lies in a folder, and "", or "" and why it has none.

        It is that of the nearest folder that names one. A folder that has folders of other classes below is no class
        folder, whatever its name; of one that has its own class below, what lies beside that is of no class.
        """
        named = max((i for i, name in enumerate(above) if name in self.ids), default=None)
        if named is None:
            return "", f"folder {'/'.join(above)}" if above else "in no folder"
        folder, label = above[: named + 1], self.ids[above[named]]
        below = self._below[folder]
        if below - {label} or (below and telling(above[named + 1 :])):
            return "", f"folder {'/'.join(above)}; {'/'.join(folder)} has folders of classes below it"
        return label, ""

    def official(self, above: Folders) -> str:
        """Return the part of the dataset's own split that a folder is of, which may be told with the class; "" if of none."""
        parts = (self._parted[name][1] for name in above if name in self._parted)
        return official_split(name for name in above if name not in self.ids) or next(parts, "")

    def dataset(self, above: Folders) -> Folders:
        """Return the folder of the dataset that an image is of: what lies above its part of the split and its class."""
        ends = (i for i, name in enumerate(above) if name in self.ids or split_of(name))
        return above[: next(ends, len(above))]


def _ids(
    folders: Iterable[str], names: Mapping[str, Sequence[str]], parts: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Return class ids by folder: by the very name, else by the plain one that is of one class only, else without accents.

    A folder that tells a part of the split too has the name without it.
    """
    there = frozenset(folders)
    exact = {readable(name): id_ for id_, own in names.items() for name in own}
    by_plain: dict[str, set[str]] = defaultdict(set)
    for name, id_ in exact.items():
        by_plain[plain(name)].add(id_)
    known = {name: next(iter(ids)) for name, ids in by_plain.items() if len(ids) == 1}
    alone = {folder: plain(parts[folder][0] if folder in parts else folder) for folder in there}
    known |= _by_bare_name({*alone.values(), *map(plain, there)}, known)
    ids = {
        folder: exact.get(readable(folder)) or known.get(plain(folder)) or known.get(alone[folder], "")
        for folder in there
    }
    return {folder: id_ for folder, id_ in ids.items() if id_}


def _by_bare_name(there: Set[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the ids of plain folder names that no class has, each by the one name without a folder that is like it."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name in known.keys() - there:
        wanted[bare(name)].add(known[name])
    alike: dict[str, set[str]] = defaultdict(set)
    for name in there - known.keys():
        alike[bare(name)].add(name)
    return {
        next(iter(alike[name])): next(iter(ids))
        for name, ids in wanted.items()
        if len(ids) == 1 and len(alike[name]) == 1
    }

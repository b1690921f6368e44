"""Which image a row of a table is about."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from analysis.datasets import reasons

SUFFIX = re.compile(r"\.[a-zA-Z]\w{1,4}")


class ImageFinder:
    """Finds an image by its name, with or without suffix, and by the folders above it as far as both have them."""

    def __init__(self, images: Sequence[str], exclude: reasons.Exclude = ()) -> None:
        self._exclude = exclude
        self._ending: dict[str, list[str]] = defaultdict(list)
        for image in images:
            path = PurePosixPath(image)
            for known in {path, path.with_name(path.stem)}:
                for end in _ends(known):
                    self._ending[end].append(image)

    def find(self, file: str, table: str = "") -> list[str]:
        """Return the images that ``file`` can be: those with which it shares most folders, or none.

        It is looked for in the folder of the ``table`` that names it first.
        """
        path = PurePosixPath(table).parent / as_path(file)
        bare = path.with_name(path.stem) if SUFFIX.fullmatch(path.suffix) else path
        ends = [*_ends(path), *_ends(bare)]
        same: list[str] = next((self._ending[end] for end in ends if end in self._ending), [])
        exact = [p for p in same if PurePosixPath(p).name == path.name]
        found = exact or same
        used = [p for p in found if not reasons.find_pattern(p, self._exclude)] if len(found) > 1 else []
        return used or found

    def is_certain(self, image: str, file: str) -> bool:
        """Tell whether all folders are the same that both have above them."""
        ours, theirs = (
            reversed([normalise(part) for part in p.parts[:-1]]) for p in (as_path(image), as_path(file))
        )
        return all(one == other for one, other in zip(ours, theirs, strict=False))


def as_path(file: str) -> PurePosixPath:
    """Return the path that a table of any system gives."""
    return PurePosixPath(file.replace("\\", "/"))


def normalise(name: str) -> str:
    """Return a name without what differs between file systems: case, and how Unicode is composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _ends(path: PurePosixPath) -> Iterator[str]:
    """Yield the path from each of its folders on, the longest first."""
    parts = [normalise(part) for part in path.parts]
    for start in range(len(parts)):
        yield "/".join(parts[start:])

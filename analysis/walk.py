"""Every file below a folder, once: what the readers read and what the cache goes by are the same."""

from __future__ import annotations

import os
import shlex
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from analysis.errors import DataError
from analysis.image_files import escape_name

HIDDEN = frozenset(
    (
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__", "lost+found"),
        *("@eadir", "$recycle.bin", "system volume information"),
    )
)
"""What Windows, macOS, Python and network drives put beside files, with thumbnails that look like pictures."""
NOWHERE = "a link to nothing"
NO_FILE = "neither a file nor a folder"


@dataclass
class Walk:
    """What lies below a folder, by its posix path there.

    ``files`` and ``hidden`` have the status of each file, that of its target for a link. ``skipped`` says of the other
    entries what they are: links to nothing, or to a folder that is read under another name, and devices.
    """

    files: dict[str, os.stat_result] = field(default_factory=dict)
    hidden: dict[str, os.stat_result] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Folder:
    """A folder by its name below the root, with where it really lies, and where the links on the way to it lie."""

    name: str
    real: str
    links: tuple[str, ...] = ()

    def inside(self, name: str) -> str:
        return f"{self.name}/{name}" if self.name else name


def walk(root: Path) -> Walk:
    """Return what lies below the folder ``root``; a link to a folder is followed, and no folder is read twice.

    Hidden files are those whose name, or that of a folder above them, begins with a dot or is in `HIDDEN`.

    Raises
    ------
    DataError
        If a folder cannot be read, or a link leads to a folder that it lies in.
    """
    found = Walk()
    read: dict[str, str] = {}
    waiting = deque([_Folder("", os.path.realpath(root))])
    links: deque[_Folder] = deque()
    while waiting or links:  # what lies here first, so that it keeps its own name
        folder = (waiting or links).popleft()
        if folder.real in read:
            found.skipped[folder.name] = f"a second name of {read[folder.real]}"
            continue
        read[folder.real] = folder.name or "the whole folder"
        for entry in _entries(folder.real):
            kind = _kind(entry)
            if _is_hidden(entry.name):
                _hide(folder.inside(entry.name), entry, found)
            elif kind == "file":
                found.files[folder.inside(entry.name)] = entry.stat()
            elif kind != "folder":
                found.skipped[folder.inside(entry.name)] = kind
            elif entry.is_symlink():
                links.append(_followed(folder, entry))
            else:
                waiting.append(_Folder(folder.inside(entry.name), entry.path, folder.links))
    return found


def list_files(root: Path) -> tuple[dict[str, os.stat_result], dict[str, str]]:
    """Return all that `walk` finds as a cache goes by it: files, the hidden ones too, and what the other entries are."""
    found = walk(root)
    return found.files | found.hidden, found.skipped


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise DataError(
            f"cannot read {escape_name(folder)}: {error.strerror}", hint="make the folder readable for you"
        ) from error


def _kind(entry: os.DirEntry[str]) -> str:
    """Return "file", "folder", or in words what else it is."""
    try:
        if entry.is_dir():
            return "folder"
        if entry.is_file():
            return "file"
    except OSError:  # a link to itself
        return NOWHERE
    return NOWHERE if entry.is_symlink() and not os.path.exists(entry.path) else NO_FILE  # noqa: PTH110


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in HIDDEN


def _hide(name: str, entry: os.DirEntry[str], found: Walk) -> None:
    """Note what is hidden, without following links."""
    if entry.is_dir(follow_symlinks=False):
        for inside in _entries(entry.path):
            _hide(f"{name}/{inside.name}", inside, found)
    elif _kind(entry) == "file":
        found.hidden[name] = entry.stat()


def _followed(folder: _Folder, entry: os.DirEntry[str]) -> _Folder:
    real = os.path.realpath(entry.path)
    links = (*folder.links, folder.real)
    if any(f"{place}/".startswith(f"{real.rstrip('/')}/") for place in links):
        raise DataError(
            f"{escape_name(folder.inside(entry.name))} is a link to a folder that it lies in: a circle",
            hint=f"remove the link: rm {shlex.quote(entry.path)}",
        )
    return _Folder(folder.inside(entry.name), real, links)

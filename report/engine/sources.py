"""Files outside the cache: how they are listed, and their digests, which are remembered."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from report.engine.index import Index
from report.engine.stage import Source, is_included
from report.engine.store import digest_json
from report.engine.system.files import digest_file
from report.errors import SourceError

HASHING_THREADS = 2
OnRead = Callable[[int, int], None]
"""Hears how many files were read, and of how many."""
Listing: TypeAlias = tuple[dict[str, os.stat_result], dict[str, str]]
"""The files below a folder by their posix path in it, with the status of what a link leads to; and what each other
entry is, such as a link that is not followed: that is part of the key too, as a stage may report it."""


def list_files(folder: Path) -> Listing:
    """Return every file below ``folder``; links to folders are followed, and no folder is listed twice.

    Raises
    ------
    SourceError
        A folder cannot be read.
    """
    files: dict[str, os.stat_result] = {}
    others: dict[str, str] = {}
    names: dict[str, str] = {}
    waiting = [(str(folder), "")]
    links: list[tuple[str, str]] = []
    while waiting or links:  # what lies here first, so that it keeps its own name
        path, name = (waiting or links).pop()
        real = os.path.realpath(path)
        if real in names:
            others[name] = f"a second name of {names[real] or 'the whole folder'}"
            continue
        names[real] = name
        for entry in _entries(path):
            inside = f"{name}/{entry.name}" if name else entry.name
            if entry.is_dir():
                (links if entry.is_symlink() else waiting).append((entry.path, inside))
            elif entry.is_file():
                files[inside] = entry.stat()
            else:
                others[inside] = "no file"
    return files, others


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise SourceError(f"{folder}: {error.strerror}", hint="make the folder readable for you") from error


def list_source(source: Source) -> dict[str, os.stat_result]:
    """Return the files of ``source`` by posix path inside it ("" for a source that is a file).

    Raises
    ------
    SourceError
        There is nothing at its path, or a folder cannot be read.
    """
    return _listed(source)[0]


def _listed(source: Source) -> Listing:
    """Return what is included of the listing of ``source``."""
    path = source.path
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder", hint=source.hint)
    if path.is_file():
        return {"": path.stat()}, {}
    module, _, function = source.listing.partition(":")
    files, others = getattr(importlib.import_module(module), function)(path)
    return (
        {name: status for name, status in files.items() if is_included(name, source.include)},
        {name: what for name, what in others.items() if is_included(name, source.include)},
    )


def digest_source(source: Source, folder: Path, on_read: OnRead | None = None) -> dict[str, str]:
    """Return the sha256 of every file of ``source``, and one that stands for each other entry.

    Parameters
    ----------
    source : Source
        The file or folder.
    folder : Path
        Where the digests of earlier looks are kept.
    on_read : callable, optional
        Hears how many of the files that must be read are done.

    Raises
    ------
    SourceError
        There is nothing at its path, or a folder cannot be read, or a file that is no image.
    """
    index = Index(folder / f"files-{digest_json([str(source.path), *source.include])[:16]}.index")
    files, others = _listed(source)
    known = {name: index.get(name, status) for name, status in files.items()}
    unknown = [name for name, sha256 in known.items() if sha256 is None]
    for name, sha256 in zip(unknown, _read_through(source.path, unknown, on_read), strict=True):
        if sha256:
            index.put(name, files[name], sha256)
        elif not source.private:
            raise SourceError(
                f"{source.path / name}: permission denied", hint="make the file readable for you"
            )
        known[name] = sha256 or digest_json("not readable")  # an image that its reader leaves out, and counts
    index.save()
    return known | {name: digest_json(what) for name, what in others.items()}


def _read_through(root: Path, names: list[str], on_read: OnRead | None) -> list[str]:
    """Return the sha256 of each file, "" of one that may not be read."""
    paths = [f"{root}/{name}" if name else str(root) for name in names]
    if len(paths) < HASHING_THREADS:
        return [_digest(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    digests = []
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        for sha256 in pool.map(_digest, paths):
            digests.append(sha256)
            if on_read:
                on_read(len(digests), len(paths))
    return digests


def digest_tree(digests: Mapping[str, str]) -> str:
    """Return the digest of a source from those of its files: that of a result with the same files."""
    return digest_json(dict(digests))


def _digest(path: str) -> str:
    try:
        return digest_file(path)
    except PermissionError:
        return ""

"""Files outside the cache: their digests, remembered by size, times and inode."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis.errors import DataError
from analysis.walk import walk
from report.engine.stage import Source, included
from report.engine.store import canonical, digest_json
from report.engine.system.files import digest_file, remember

RECENT_SECONDS = 2.0
SEAL_SIZE = 65
HASHING_THREADS = 2
Told = Callable[[int, int], None]


class Index:
    """What was found out about files, for as long as they are not touched."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries = _sealed(path)
        self._changed = False
        self._begun = time.time()

    def get(self, name: str, status: os.stat_result) -> Any:
        """Return what is known of a file; None if it is new or was touched."""
        entry = self._entries.get(name)
        return entry[4] if entry and entry[:4] == _signature(status) else None

    def put(self, name: str, status: os.stat_result, value: Any) -> None:
        """Remember what was found, unless a change just now could go unseen by the clock."""
        if status.st_ctime < self._begun - RECENT_SECONDS:
            self._entries[name] = [*_signature(status), value]
            self._changed = True

    def save(self) -> None:
        """Write the index if there is something new."""
        if self._changed:
            content = canonical(self._entries)
            remember(self.path, _seal(content) + content)
            self._changed = False


def _sealed(path: Path) -> dict[str, Any]:
    """Return the entries of an index; none if it is damaged, as a wrong digest would pass for a change."""
    content = path.read_bytes() if path.exists() else b""
    seal, entries = content[:SEAL_SIZE], content[SEAL_SIZE:]
    return dict(json.loads(entries)) if seal == _seal(entries) else {}


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n"


def _signature(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def files_of(source: Source) -> dict[str, os.stat_result]:
    """Return the files of ``source`` by posix path inside it ("" for a source that is a file).

    Raises
    ------
    DataError
        There is nothing at its path, or a link in it leads in a circle.
    """
    return _look(source)[0]


def _look(source: Source) -> tuple[dict[str, os.stat_result], dict[str, str]]:
    """Return the files of ``source``, and what there is to say of links in it that are not followed."""
    path = source.path
    if not path.exists():
        raise DataError(
            f"{path}: no such file or folder", hint="name the folder of the X-rays with --data DIR"
        )
    if path.is_file():
        return {"": path.stat()}, {}
    found = walk(path)
    files = {n: status for n, status in (found.files | found.hidden).items() if included(n, source.include)}
    return files, {n: what for n, what in found.skipped.items() if included(n, source.include)}


def digests_of(source: Source, folder: Path, told: Told | None = None) -> dict[str, str]:
    """Return the sha256 of every file of ``source``, and one that stands for each link that is not followed.

    ``folder`` keeps the digests of earlier looks; ``told`` hears how many of the files that must be read are done.
    """
    index = Index(folder / f"files-{digest_json([str(source.path), *source.include])[:16]}.index")
    files, links = _look(source)
    known = {name: index.get(name, status) for name, status in files.items()}
    unknown = [name for name, sha256 in known.items() if sha256 is None]
    for name, sha256 in zip(unknown, _read_through(source.path, unknown, told), strict=True):
        known[name] = sha256
        index.put(name, files[name], sha256)
    index.save()
    return known | {name: digest_json(what) for name, what in links.items()}


def _read_through(root: Path, names: list[str], told: Told | None) -> list[str]:
    paths = [f"{root}/{name}" if name else str(root) for name in names]
    if len(paths) < HASHING_THREADS:
        return [digest_file(path) for path in paths]
    from concurrent.futures import ThreadPoolExecutor

    digests = []
    with ThreadPoolExecutor(HASHING_THREADS) as pool:
        for sha256 in pool.map(digest_file, paths):
            digests.append(sha256)
            if told:
                told(len(digests), len(paths))
    return digests


def digest_tree(digests: Mapping[str, str]) -> str:
    """Return the digest of a source from those of its files: that of a result with the same files."""
    return digest_json(dict(digests))

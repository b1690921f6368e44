"""What was found out about files, remembered by size, times and inode."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

from report.engine.store import canonical
from report.engine.system.files import remember

RECENT_SECONDS = 2.0
SEAL_SIZE = 65


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

"""A data folder that a test fills, and what the data check finds there."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.datasets.checks import data_check
from analysis.progress import silent


class DataFolder:
    """A data folder that a test fills, and what the data check tells of it."""

    def __init__(self, root: Path, out: Path, jpeg: Callable[..., bytes]) -> None:
        self.root, self.out, self.jpeg = root, out, jpeg
        self.count = 0

    def add(self, *paths: str, data: bytes | None = None) -> None:
        for path in paths:
            self.count += 1
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.jpeg(self.count) if data is None else data)

    def tell(self, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        self.out.mkdir(exist_ok=True)
        data_check.check({"data": self.root}, self.out, scratch=self.out, progress=silent, settings=settings)
        found: dict[str, Any] = json.loads((self.out / "data_check.json").read_text(encoding="utf-8"))
        return found


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.fixture
def data(tmp_path: Path, jpeg: Callable[..., bytes]) -> DataFolder:
    return DataFolder(tmp_path / "data", tmp_path / "check", jpeg)


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {c["id"]: c["pictures"] for c in found["classes"]}

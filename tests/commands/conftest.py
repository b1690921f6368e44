"""The tiny sample, for commands about what was built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.commands.process import Tiny


@pytest.fixture(scope="module")
def built(tiny: Path, shared_workers: None, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return a copy of the tiny sample, whose cache is this file's own."""
    return Tiny(Path(shutil.copytree(tiny, tmp_path_factory.mktemp("built") / "project", symlinks=True)))

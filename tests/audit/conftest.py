from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.study import Study
from tests.datasets.conftest import real_data

__all__ = ["real_data"]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)

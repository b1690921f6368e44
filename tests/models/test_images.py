from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.errors import DataError
from analysis.models.images import read


def test_unknown_label_and_unrelated_inputs(prepared: dict[str, Path], tmp_path: Path) -> None:
    images = read(prepared)
    with pytest.raises(DataError, match="none of the classes"):
        images.class_indices(images.rows("train"), ["round"])
    np.save(tmp_path / "images.npy", images.levels[:5])
    with pytest.raises(DataError, match="5 images"):
        read({**prepared, "images": tmp_path})

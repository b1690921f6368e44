from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.models import batches
from analysis.models.batches import Scaling
from analysis.models.images import read
from tests.models.conftest import CLASSES


def test_plain_batches_are_the_rows_in_order_with_one_hot_targets(prepared: dict[str, Path]) -> None:
    images = read(prepared)
    rows = images.rows("val", "test")
    shown = list(batches.in_order(images, rows, CLASSES, Scaling(2, -1, 1), 10))
    x, y = (np.concatenate(part) for part in zip(*shown, strict=True))
    np.testing.assert_array_equal(x[..., 0], images.levels[rows] * np.float32(2) - 1)
    assert [CLASSES[i] for i in y.argmax(1)] == list(images.table["label"].iloc[rows])
    assert (y.sum(1) == 1).all()

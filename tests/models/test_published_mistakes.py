from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.models import batches
from analysis.models.batches import Scaling
from analysis.models.epochs import Plan, training_batches
from analysis.models.images import Images, read
from analysis.models.prediction import predict as predict_stage
from analysis.models.published_mistakes import Mistakes, interleave
from analysis.progress import silent
from tests.models.conftest import CLASSES, TWO
from tests.models.small_networks import write_network

Run = Callable[..., Path]
Recipe = dict[str, Any]


def test_augmented_once_shows_the_same_changes_every_epoch(prepared: dict[str, Path]) -> None:
    images = read(prepared)
    steps = [{"kind": "shear", "degrees": 0.2}, {"kind": "zoom", "range": 0.2}, {"kind": "horizontal_flip"}]

    def epochs(augmented: str) -> list[np.ndarray]:
        drawn = Mistakes(augmented=augmented).training_set(images, Plan(42, 2, 54, "none", steps), 1)
        shown = training_batches(drawn[0], CLASSES, drawn[1], Scaling(1.0, 0.0, 1))
        return [x.numpy()[..., 0] for x, _ in shown]

    def ordered(batch: np.ndarray) -> np.ndarray:
        return batch[np.argsort(batch.sum((1, 2)))]

    first, second = epochs("once")
    np.testing.assert_array_equal(ordered(first), ordered(second))
    assert not np.array_equal(first, second)
    assert not np.array_equal(ordered(first), ordered(images.levels[images.rows("train")]))
    fresh, again = epochs("each-epoch")
    assert not np.array_equal(ordered(fresh), ordered(again))


def test_interleaved_pixels_are_those_of_the_published_reshape(prepared: dict[str, Path]) -> None:
    images = read(prepared)
    rows = images.rows("val")
    mixed = Mistakes(pixels="interleaved").other_set(images, rows, 3)
    shown = list(batches.in_order(*mixed, CLASSES, Scaling(1.0, 0.0, 3), 7))
    x, y = (np.concatenate(part) for part in zip(*shown, strict=True))
    block = images.levels[rows][..., None].repeat(3, -1)
    np.testing.assert_array_equal(x.reshape(len(rows), -1), block.reshape(-1, len(rows)).T)
    np.testing.assert_array_equal(y.argmax(1), images.class_indices(rows, CLASSES))
    one = Images(images.levels[:1], images.table[:1])
    np.testing.assert_array_equal(interleave(one, 3).levels[0, ..., 1], images.levels[0])


def test_test_images_scaled_otherwise_are_seen_as_nearly_black(
    two: dict[str, Path], short: Recipe, train: Run, predict: Run, tmp_path: Path
) -> None:
    """A network trained on 0 to 255 and tested on 0 to 1: all test images get nearly the same answer."""
    write_network(two["architecture"], "softmax")
    raw = {"input": {"scale": 1.0, "offset": 0.0, "pixels": "in-place"}}
    out = train(two, tmp_path, {**short, **raw})
    (tmp_path / "faithful").mkdir()
    predict_stage(
        {**two, "model": out}, tmp_path / "faithful", scratch=tmp_path, progress=silent, classes=TWO, seed=42,
        splits=["val", "test"], test_input={"scale": 1 / 255, "offset": 0.0},
    )  # fmt: skip
    wrong = pd.read_csv(tmp_path / "faithful/predictions.csv").set_index("image_id")
    right = pd.read_csv(predict(two, out, tmp_path / "right", TWO)).set_index("image_id")
    val, test = (wrong["split"] == split for split in ("val", "test"))
    pd.testing.assert_frame_equal(wrong[val], right[val])
    assert np.ptp(wrong[test]["round"]) < 0.05 < np.ptp(right[test]["round"])

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from analysis.errors import DataError
from analysis.models import augmentation, batches
from analysis.models.pictures import Scaling, plain, read

CLASSES = ["round", "striped", "plain"]
SIZE = 32
SCALING = Scaling(1 / 255, 0.0, 3)


def plan(balance: str = "none", steps: tuple[augmentation.Step, ...] = ()) -> batches.Plan:
    return batches.Plan(42, 3, 10, balance, steps)


def test_plain_epochs_show_every_picture_once_in_a_new_order(prepared: dict[str, Path]) -> None:
    pictures = read(prepared)
    rows = pictures.rows("train")
    shown = [x.numpy() for x, _ in batches.training(pictures, CLASSES, plan(), SCALING)]
    assert [len(x) for x in shown] == [10, 10, 10, 10, 10, 4] * 3
    first, second = np.concatenate(shown[:6]), np.concatenate(shown[6:12])
    assert not np.array_equal(first, second)
    known = pictures.levels[rows] / np.float32(255)
    for epoch in (first, second):
        order = np.argsort(epoch.mean((1, 2, 3)))
        np.testing.assert_allclose(epoch[order][..., 2], known[np.argsort(known.mean((1, 2)))], rtol=1e-6)
    assert first.max() <= 1


def test_a_later_epoch_is_the_same_when_taken_up(prepared: dict[str, Path]) -> None:
    pictures = read(prepared)
    drawn = plan("oversample", ({"kind": "horizontal_flip"}, {"kind": "shift", "width": 0.1, "height": 0.1}))
    whole = list(batches.training(pictures, CLASSES, drawn, SCALING))
    last = list(batches.training(pictures, CLASSES, drawn, SCALING, first_epoch=2))
    assert len(whole) == 3 * len(last)
    for (x, y), (u, v) in zip(whole[-len(last) :], last, strict=True):
        assert np.array_equal(x, u)
        assert np.array_equal(y, v)


def test_oversampling_keeps_all_and_fills_up_each_class() -> None:
    classes = np.repeat([0, 1, 2, 3], [1127, 208, 642, 788])
    order = batches.order(np.random.default_rng(0), classes, "oversample")
    assert list(np.bincount(classes[order])) == [1127] * 4
    assert set(order) == set(range(len(classes)))
    # As published: batches of 32, the last partial one dropped.
    assert batches.Plan(0, 1, 32, "oversample", ()).steps_per_epoch(classes) == 140
    assert batches.Plan(0, 1, 32, "none", ()).steps_per_epoch(classes) == 87


def test_plain_batches_are_the_rows_in_order_with_one_hot_targets(prepared: dict[str, Path]) -> None:
    pictures = read(prepared)
    rows = pictures.rows("val", "test")
    shown = list(plain(pictures, rows, CLASSES, Scaling(2, -1, 1), 10))
    x, y = (np.concatenate(part) for part in zip(*shown, strict=True))
    np.testing.assert_array_equal(x[..., 0], pictures.levels[rows] * np.float32(2) - 1)
    assert [CLASSES[i] for i in y.argmax(1)] == list(pictures.table["label"].iloc[rows])
    assert (y.sum(1) == 1).all()


def test_unknown_label_and_unrelated_inputs(prepared: dict[str, Path], tmp_path: Path) -> None:
    pictures = read(prepared)
    with pytest.raises(DataError, match="none of the classes"):
        pictures.classes(pictures.rows("train"), ["round"])
    np.save(tmp_path / "images.npy", pictures.levels[:5])
    with pytest.raises(DataError, match="5 pictures"):
        read({**prepared, "images": tmp_path})


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_shift_and_flip_are_those_of_image_data_generator(prepared: dict[str, Path], fill: str) -> None:
    levels = np.load(prepared["images"] / "images.npy")[:20].astype(np.float32)
    steps = [{"kind": "shift", "width": 0.12, "height": 0.3, "fill": fill}, {"kind": "horizontal_flip"}]
    maps = augmentation.draw(np.random.default_rng(1), steps, len(levels), SIZE)
    ours = augmentation.apply(tf.constant(levels[..., None]), maps, steps).numpy()[..., 0]
    shift_x, shift_y, flipped = maps[:, 0, 2], maps[:, 0, 5], maps[:, 1, 0] < 0
    assert abs(shift_x).max() <= 0.12 * SIZE < abs(shift_y).max() <= 0.3 * SIZE
    assert 0 < flipped.sum() < 20
    # Beyond the edge scipy's "constant" does not interpolate between the picture and the outside.
    mode = "grid-constant" if fill == "constant" else fill
    for i, picture in enumerate(levels):
        offset = (shift_y[i], shift_x[i])
        theirs = scipy.ndimage.affine_transform(picture, np.eye(2), offset, order=1, mode=mode, cval=0)
        np.testing.assert_allclose(ours[i], theirs[:, ::-1] if flipped[i] else theirs, atol=0.02)


def test_nothing_to_change_changes_nothing() -> None:
    levels = tf.constant(np.random.default_rng(0).uniform(0, 255, (4, 9, 9, 1)).astype(np.float32))
    steps = [{"kind": "shift"} | {"width": 0.0, "height": 0.0, "fill": "nearest"}]
    maps = augmentation.draw(np.random.default_rng(0), steps, 4, 9)
    np.testing.assert_array_equal(augmentation.apply(levels, maps, steps), levels)
    with pytest.raises(ValueError, match="melt"):
        augmentation.draw(np.random.default_rng(0), [{"kind": "melt"}], 4, 9)

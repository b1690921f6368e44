from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.models import augmentation
from analysis.models.batches import Scaling
from analysis.models.epochs import Plan, draw_order, training_batches
from analysis.models.images import read
from tests.models.conftest import CLASSES

SCALING = Scaling(1 / 255, 0.0, 3)


def plan(balance: str = "none", steps: tuple[augmentation.Step, ...] = ()) -> Plan:
    return Plan(42, 3, 10, balance, steps)


def test_plain_epochs_show_every_image_once_in_a_new_order(prepared: dict[str, Path]) -> None:
    images = read(prepared)
    rows = images.rows("train")
    shown = [x.numpy() for x, _ in training_batches(images, CLASSES, plan(), SCALING)]
    assert [len(x) for x in shown] == [10, 10, 10, 10, 10, 4] * 3
    first, second = np.concatenate(shown[:6]), np.concatenate(shown[6:12])
    assert not np.array_equal(first, second)
    known = images.levels[rows] / np.float32(255)
    for epoch in (first, second):
        order = np.argsort(epoch.mean((1, 2, 3)))
        np.testing.assert_allclose(epoch[order][..., 2], known[np.argsort(known.mean((1, 2)))], rtol=1e-6)
    assert first.max() <= 1


def test_a_later_epoch_is_the_same_when_taken_up(prepared: dict[str, Path]) -> None:
    images = read(prepared)
    drawn = plan("oversample", ({"kind": "horizontal_flip"}, {"kind": "shift", "width": 0.1, "height": 0.1}))
    whole = list(training_batches(images, CLASSES, drawn, SCALING))
    last = list(training_batches(images, CLASSES, drawn, SCALING, first_epoch=2))
    assert len(whole) == 3 * len(last)
    for (x, y), (u, v) in zip(whole[-len(last) :], last, strict=True):
        assert np.array_equal(x, u)
        assert np.array_equal(y, v)


def test_oversampling_keeps_all_and_fills_up_each_class() -> None:
    classes = np.repeat([0, 1, 2, 3], [1127, 208, 642, 788])
    order = draw_order(np.random.default_rng(0), classes, "oversample")
    assert list(np.bincount(classes[order])) == [1127] * 4
    assert set(order) == set(range(len(classes)))
    # As published: batches of 32, the last partial one dropped.
    assert Plan(0, 1, 32, "oversample", ()).steps_per_epoch(classes) == 140
    assert Plan(0, 1, 32, "none", ()).steps_per_epoch(classes) == 87


def test_classes_are_drawn_by_the_square_root_of_their_size() -> None:
    classes = np.repeat([0, 1, 2, 3], [1127, 208, 642, 788])
    order = draw_order(np.random.default_rng(0), classes, "square-root")
    # sqrt: 33.571, 14.422, 25.338, 28.071 of 101.402, times 2,765
    assert list(np.bincount(classes[order])) == [915, 393, 691, 765]
    assert len(order) == 2764
    times = np.bincount(order, minlength=len(classes))
    for c, (fewest, most) in enumerate([(0, 1), (1, 2), (1, 2), (0, 1)]):
        assert (times[classes == c].min(), times[classes == c].max()) == (fewest, most)
    assert Plan(0, 1, 32, "square-root", ()).steps_per_epoch(classes) == 87
    other = draw_order(np.random.default_rng(1), classes, "square-root")
    assert set(order) != set(other)

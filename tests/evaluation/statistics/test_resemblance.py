"""How like the training images an image is, on cases worked by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from analysis.evaluation.statistics.resemblance import (
    SIDE,
    count_as_unlike,
    is_unlike,
    resemblance,
    thumbnails,
)


@pytest.fixture
def images() -> np.ndarray:
    """Return 40 smooth images of 64 px, all different."""
    noise = np.random.default_rng(3).random((40, 5, 5)).astype(np.float32) * 255
    return np.stack([cv2.resize(n, (64, 64), interpolation=cv2.INTER_LINEAR) for n in noise]).astype(np.uint8)


def test_it_is_the_highest_correlation_of_thumbnails(images):
    training, asked = images[:30], images[30:]
    small = [
        [cv2.resize(i, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel() for i in part]
        for part in (asked, training)
    ]
    expected = [max(np.corrcoef(a, t)[0, 1] for t in small[1]) for a in small[0]]
    assert resemblance(thumbnails(asked), thumbnails(training)) == pytest.approx(expected, abs=1e-5)


def test_brightness_and_contrast_do_not_matter_and_inversion_does(images):
    training = thumbnails(images)
    darker = (images[:3] * 0.5 + 20).astype(np.uint8)
    assert resemblance(thumbnails(darker), training) == pytest.approx(1, abs=1e-3)
    assert (resemblance(thumbnails(255 - images[:3]), training) < 0.9).all()


def test_an_image_of_one_level_resembles_nothing(images):
    flat = np.full((1, 64, 64), 200, np.uint8)
    assert resemblance(thumbnails(flat), thumbnails(images)) == [0]
    assert resemblance(thumbnails(images[:0]), thumbnails(images)).shape == (0,)


@pytest.mark.parametrize(("found", "as_unlike", "unlike"), [(0.5, 0, True), (0.91, 2, True), (0.92, 3, False), (1.0, 200, False)])  # fmt: skip
def test_how_many_test_images_are_as_unlike(found, as_unlike, unlike):
    tested = np.r_[0.9, 0.91, np.linspace(0.92, 1, 198)]
    assert count_as_unlike(found, tested) == as_unlike
    assert is_unlike(as_unlike, len(tested)) is unlike

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from analysis.models import augmentation
from tests.models.conftest import SIZE

Step = dict[str, Any]


@pytest.mark.parametrize("fill", ["nearest", "reflect", "constant"])
def test_shift_and_flip_are_those_of_image_data_generator(prepared: dict[str, Path], fill: str) -> None:
    levels = np.load(prepared["images"] / "images.npy")[:20].astype(np.float32)
    steps = [{"kind": "shift", "width": 0.12, "height": 0.3, "fill": fill}, {"kind": "horizontal_flip"}]
    maps = augmentation.draw(np.random.default_rng(1), steps, len(levels), SIZE)
    ours = augmentation.apply(tf.constant(levels[..., None]), maps, steps).numpy()[..., 0]
    shift_x, shift_y, flipped = maps[:, 0, 2], maps[:, 0, 5], maps[:, 1, 0] < 0
    assert abs(shift_x).max() <= 0.12 * SIZE < abs(shift_y).max() <= 0.3 * SIZE
    assert 0 < flipped.sum() < 20
    # Beyond the edge scipy's "constant" does not interpolate between the image and the outside.
    mode = "grid-constant" if fill == "constant" else fill
    for i, image in enumerate(levels):
        offset = (shift_y[i], shift_x[i])
        theirs = scipy.ndimage.affine_transform(image, np.eye(2), offset, order=1, mode=mode, cval=0)
        np.testing.assert_allclose(ours[i], theirs[:, ::-1] if flipped[i] else theirs, atol=0.02)


def test_nothing_to_change_changes_nothing() -> None:
    levels = tf.constant(np.random.default_rng(0).uniform(0, 255, (4, 9, 9, 1)).astype(np.float32))
    steps = [{"kind": "shift"} | {"width": 0.0, "height": 0.0, "fill": "nearest"}]
    maps = augmentation.draw(np.random.default_rng(0), steps, 4, 9)
    np.testing.assert_array_equal(augmentation.apply(levels, maps, steps), levels)
    with pytest.raises(ValueError, match="melt"):
        augmentation.draw(np.random.default_rng(0), [{"kind": "melt"}], 4, 9)


@pytest.mark.parametrize(
    "steps",
    [
        [
            {"kind": "rotation", "degrees": 40},
            {"kind": "shift", "width": 0.2, "height": 0.1},
            {"kind": "shear", "degrees": 10},
            {"kind": "zoom", "range": 0.2},
        ],
        [{"kind": "zoom", "range": 0.3, "fill": "reflect"}],
        [{"kind": "shear", "degrees": 30, "fill": "constant"}],
    ],
)
def test_warps_are_those_of_image_data_generator(prepared: dict[str, Path], steps: list[Step]) -> None:
    from keras.src.legacy.preprocessing.image import apply_affine_transform

    levels = np.load(prepared["images"] / "images.npy")[:8].astype(np.float32)
    changes = augmentation.draw(np.random.default_rng(3), steps, 8, 32)
    assert changes.shape == (8, 1, 8)
    ours = augmentation.apply_to_all(levels, changes, steps)
    alone = {
        step["kind"]: augmentation.draw(_same_draws(steps, i), [step], 8, 32)[:, 0]
        for i, step in enumerate(steps)
    }
    for i, image in enumerate(levels):
        one = {kind: numbers[i].astype(float) for kind, numbers in alone.items()}
        said = {
            "theta": np.rad2deg(np.arctan2(one["rotation"][3], one["rotation"][0]))
            if "rotation" in one
            else 0,
            "tx": one["shift"][2] if "shift" in one else 0,
            "ty": one["shift"][5] if "shift" in one else 0,
            "shear": np.rad2deg(np.arctan2(-one["shear"][1], one["shear"][4])) if "shear" in one else 0,
            "zx": one["zoom"][0] if "zoom" in one else 1,
            "zy": one["zoom"][4] if "zoom" in one else 1,
        }
        theirs = apply_affine_transform(
            image[..., None], **said, row_axis=0, col_axis=1, channel_axis=2,
            fill_mode={"constant": "grid-constant"}.get(fill := steps[0].get("fill", "nearest"), fill),
        )  # fmt: skip
        np.testing.assert_allclose(ours[i], theirs[..., 0], atol=0.1)
        assert abs(ours[i] - image).max() > 1


def _same_draws(steps: list[Step], place: int) -> np.random.Generator:
    """Return the generator as it stands when the step at ``place`` is drawn."""
    rng = np.random.default_rng(3)
    for step in steps[:place]:
        augmentation.draw(rng, [step], 8, 32)
    return rng


def test_brightness_and_contrast_are_those_of_tf_image() -> None:
    import tensorflow as tf

    levels = np.random.default_rng(0).uniform(0, 255, (6, 9, 9)).astype(np.float32)
    steps = [{"kind": "brightness", "levels": 5.0}, {"kind": "contrast", "low": 0.9, "high": 1.1}]
    changes = augmentation.draw(np.random.default_rng(0), steps, 6, 9)
    added, factor = changes[:, 0, 0], changes[:, 1, 0]
    assert abs(added).max() <= 5 < 10 * np.ptp(added)
    assert 0.9 <= factor.min() < factor.max() <= 1.1
    ours = augmentation.apply_to_all(levels, changes, steps)
    for i, image in enumerate(levels):
        theirs = tf.image.adjust_contrast(tf.image.adjust_brightness(image[..., None], added[i]), factor[i])
        np.testing.assert_allclose(ours[i], theirs[..., 0], rtol=1e-4)
    assert augmentation.merge_warps([steps[0], {"kind": "zoom", "range": 0.1}, *([{"kind": "horizontal_flip"}] * 2)]) == [
        (steps[0],), ({"kind": "zoom", "range": 0.1},), ({"kind": "horizontal_flip"},), ({"kind": "horizontal_flip"},)
    ]  # fmt: skip

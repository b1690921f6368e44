from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.audit import features
from analysis.progress import silent


def make_records(n: int = 40, **columns: object) -> pd.DataFrame:
    given = {
        "image_id": [f"{i}.png" for i in range(n)],
        "label": ["ill" if i % 2 else "well" for i in range(n)],
        "width": "100",
        "height": "50",
        "mode": "L",
        "original_width": "",
        "original_height": "",
    }
    return pd.DataFrame({**given, **columns}, index=range(n), dtype=str)


def test_the_border_of_156_pixels_has_48_tiles_and_knows_nothing_of_the_middle():
    images = np.random.default_rng(0).integers(0, 256, (3, 156, 156)).astype(np.uint8)
    other = images.copy()
    other[:, 12:-12, 12:-12] = 0
    found = features.border(images, silent).values
    assert found.shape == (3, 96)
    assert np.array_equal(found, features.border(other, silent).values)
    other[1, 0, 77] ^= 255
    changed = np.flatnonzero((found != features.border(other, silent).values).any(axis=0))
    assert len(changed) == 2  # the mean and the deviation of one tile
    assert found[2, 0] == images[2, :12, :12].mean()


@pytest.mark.parametrize(("size", "width"), [(156, 12), (224, 12), (96, 7), (64, 4), (16, 1), (4, 1)])
def test_the_border_of_small_images_is_narrower(size, width):
    assert features.border_width(size) == width
    image = np.zeros((1, size, size), np.uint8)
    image[:, width : size - width, width : size - width] = 200
    assert not features.border(image, silent).values.any()
    image[0, width - 1] = 200
    assert features.border(image, silent).values.any()


def test_facts_of_originals_are_null_where_one_class_has_none_with_the_reason():
    sizes = ["300" if i % 2 else "" for i in range(40)]
    found = features.original_facts(make_records(original_width=sizes, original_height=sizes))
    assert found.reason_null == "the original's size is known of 0 of 20 images of well"


def test_facts_of_originals_leave_out_the_few_of_which_none_are_known():
    sizes = ["" if i == 7 else "300" for i in range(40)]
    found = features.original_facts(make_records(original_width=sizes, original_height="200"))
    assert not found.reason_null
    assert found.names == features.FACTS
    assert np.flatnonzero(~found.known).tolist() == [7]
    assert found.values[0].tolist() == [300, 200, 1.5]


def test_the_mode_is_one_of_the_originals_facts_only_where_the_files_are_the_originals():
    modes = ["RGB" if i < 5 else "L" for i in range(40)]
    records = make_records(mode=modes, original_width="100", original_height="50")
    assert features.original_facts(records).names == (*features.FACTS, "mode L", "mode RGB")
    assert features.file_facts(records).reason_null == "all files have the size of their original"
    reduced = make_records(mode=modes, original_width="200", original_height="100")
    assert features.original_facts(reduced).names == features.FACTS
    assert features.file_facts(reduced).values[:, 3].sum() == 35


def test_the_thumbnail_is_the_mean_of_areas():
    image = np.arange(16 * 16, dtype=np.uint8).reshape(1, 16, 16)
    expected = np.round(image[0].reshape(8, 2, 8, 2).mean(axis=(1, 3))).ravel()
    assert np.abs(features.thumbnail(image, silent).values[0] - expected).max() <= 1

from __future__ import annotations

import keras
import pytest
from keras import layers

from analysis.models.layer_table import describe_settings


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (
            layers.Conv2D(8, (3, 5), strides=2, use_bias=False),
            "8 filters 3 x 5, stride 2 x 2, valid padding, no bias",
        ),
        (layers.MaxPooling2D((3, 2), strides=2), "3 x 2, stride 2 x 2"),
        (layers.Dense(2), "2 units"),
        (layers.Dropout(0.25), "rate 0.25"),
        (layers.Flatten(), ""),
        (layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.005)), "2 units, L2 0.005"),
        (
            layers.Conv2D(8, 5, kernel_regularizer=keras.regularizers.L1(0.005)),
            "8 filters 5 x 5, valid padding, L1 0.005",
        ),
        (layers.Rescaling(1 / 127.5, offset=-1), "x 0.00784314, -1"),
        (layers.RandomZoom(0.1, fill_mode="reflect"), "-10 to +10 %, edges filled (reflect)"),
        (layers.RandomRotation(0.2), "-72 to +72 degrees, edges filled (reflect)"),
        (layers.RandomContrast((0.2, 0.2)), "times 0.8 to 1.2"),
    ],
)
def test_settings_in_words(layer: keras.Layer, words: str) -> None:
    assert describe_settings(layer) == words

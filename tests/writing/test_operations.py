"""Multiplications of a network, against layers counted by hand."""

from __future__ import annotations

import pytest

from report.writing.operations import all_layers, multiply_adds

CONV = {"filters": 8, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same"}


def layer(kind: str, shape: list[int], **config: object) -> dict[str, object]:
    return {"class_name": kind, "config": config, "build_config": {"input_shape": [None, *shape]}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (layer("Dense", [48672], units=32), 48672 * 32),
        (layer("Conv2D", [10, 12, 3], **CONV), 10 * 12 * 9 * 3 * 8),
        (layer("Conv2D", [10, 12, 3], **{**CONV, "padding": "valid"}), 8 * 10 * 9 * 3 * 8),
        (layer("Conv2D", [10, 12, 3], **{**CONV, "strides": [2, 2]}), 5 * 6 * 9 * 3 * 8),
        (layer("SeparableConv2D", [10, 12, 3], **CONV), 10 * 12 * (9 * 3 + 3 * 8)),
        (layer("MaxPooling2D", [10, 12, 3], pool_size=[2, 2]), 0),
        ({"class_name": "Dense", "config": {"units": 4}}, None),
    ],
)
def test_a_layer_needs_so_many_multiplications(given, expected):
    assert multiply_adds({"config": {"layers": [given]}}) == expected


def test_layers_of_a_network_within_a_network_count():
    dense = layer("Dense", [5], units=2)
    inner = {"class_name": "Functional", "config": {"layers": [dense, dense]}}
    model = {"config": {"layers": [inner, dense]}}
    assert len(list(all_layers(model))) == 3
    assert multiply_adds(model) == 30

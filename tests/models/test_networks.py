"""The networks of the published studies."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from analysis.errors import ArchitectureError
from analysis.models import architecture, assignment
from report.study.loading import load
from report.study.study import Study

PROJECT = Path(__file__).resolve().parents[2]


PUBLISHED = {
    "assignment": (156, 4, {"baseline": 1_615_940, "improved": 780_093, "residual": (694_636, 692_476)}),
    "pediatric-resplit": (
        128,
        2,
        {"baseline_ann": 393_233, "deeper_ann": 6_302_261, "weighted_ann": 6_302_261, "baseline_cnn": 254_257}
        | dict.fromkeys(("deeper_cnn", "dropout_cnn", "weighted_cnn", "l2_cnn"), 3_312_961)
        | dict.fromkeys(("dropout_l2_cnn", "low_lr_cnn"), 3_312_961)
        | {"vgg19": (21_081_409, 1_057_025), "resnet50v2": (23_566_849, 2_049)},
    ),
    "pediatric-imbalanced": (
        64,
        2,
        {"mlp_small": 196_821, "mlp_large": 789_249, "cnn_first": 14_117}
        | dict.fromkeys(("cnn_kernel", "cnn_dropout", "cnn_l1", "cnn_l2"), 13_901),
    ),
    "radiography": (
        224,
        4,
        {"simple_cnn": (110_948, 110_500), "deeper_cnn": (13_236_196, 13_235_236)}
        | {"resnet50v2": (24_099_332, 14_973_444)},
    ),
    "pediatric-official": (
        256,
        2,
        {"cnn_1": 8_389_442, "cnn_2": 1_027_346}
        | {"transfer_first": (24_683_746, 1_118_946), "transfer": (24_683_746, 4_535_010)},
    ),
}
"""Side, classes, and the parameters of each model (and the trainable ones, where they are not all), as published."""


@cache
def declared(study: str) -> Study:
    return load(PROJECT / "studies" / study / "study.toml")


@pytest.mark.parametrize(
    ("network", "changed", "parameters", "lacking"),
    [
        ("baseline", {"pooled": True}, 59_460, "Flatten"),
        ("residual", {"pooled": False}, 713_068, "GlobalAveragePooling2D"),
        ("residual", {"normalised": False}, 691_396, "BatchNormalization"),
    ],
)
def test_a_network_of_the_assignment_without_a_component(
    network: str, changed: dict[str, bool], parameters: int, lacking: str
) -> None:
    model = getattr(assignment, network)(size=156, channels=3, classes=4, **changed)
    whole = getattr(assignment, network)(size=156, channels=3, classes=4)
    assert model.count_params() == parameters
    assert lacking in {type(layer).__name__ for layer in whole.layers}
    assert lacking not in {type(layer).__name__ for layer in model.layers}


@cache
def count(name: str, params: str, size: int, classes: int) -> dict[str, Any]:
    """Return the counts of a network, which is built once however many models have it."""
    return architecture.count(name, json.loads(params), size, 3, classes)


@pytest.mark.parametrize(
    ("study", "model", "expected"),
    [(s, m, n) for s, (_, _, models) in PUBLISHED.items() for m, n in models.items()],
)
def test_published_parameter_counts(study: str, model: str, expected: Any) -> None:
    """Each model as its study file declares it."""
    size, classes, _ = PUBLISHED[study]
    found = next(m for m in declared(study).models if m.id == model)
    total, trainable = expected if isinstance(expected, tuple) else (expected, expected)
    assert count(found.architecture, json.dumps(found.params), size, classes) == {
        "parameters": total,
        "trainable_parameters": trainable,
        "input_shape": [size, size, 3],
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_model_is_published_or_corrects_one(name: str) -> None:
    size, classes, models = PUBLISHED[name]
    study = declared(name)
    assert (study.image.size, study.image.color, len(study.classes)) == (size, "rgb", classes)
    assert [m.id for m in study.models if m.corrects is None] == list(models)
    faithful = {m.id: m for m in study.models}
    for model in study.models:
        if model.corrects:
            other = faithful[model.corrects]
            assert model.architecture == other.architecture
            assert {k: v for k, v in model.params.items() if k != "preprocessed"} == other.params
            differs = {k for k, v in model.model_dump().items() if v != other.model_dump()[k]}
            # One mistake less, and nothing else.
            assert len(differs - {"id", "title", "corrects", "minutes", "source", "rationale"}) == 1, differs


@pytest.mark.parametrize(
    ("architecture_", "params", "size", "expected"),
    [
        # As published before the base was frozen, and the second experiment of the imbalanced study.
        (
            "radiography:resnet50v2",
            {"backbone": "resnet50v2", "trainable": 190},
            224,
            (24_099_332, 24_049_284),
        ),
        ("pediatric_imbalanced:dense", {"units": [16, 8, 6]}, 224, (2_408_661, 2_408_661)),
        ("pediatric_imbalanced:convolutional", {"kernel": 4, "dropout": 0.3}, 224, (187_981, 187_981)),
    ],
)
def test_other_published_counts(
    architecture_: str, params: dict[str, Any], size: int, expected: tuple[int, int]
) -> None:
    classes = 4 if size == 224 and "backbone" in params else 2
    found = architecture.count(f"analysis.models.{architecture_}", params, size, 3, classes)
    assert (found["parameters"], found["trainable_parameters"]) == expected


@pytest.mark.parametrize(
    ("name", "params", "size", "classes", "counts"),
    [
        ("pediatric_resplit:deep", {}, 128, 2, [896, 18_496, 73_856, 3_211_392, 8_256, 65]),
        ("radiography:simple", {}, 224, 4, [864, 128, 18_432, 256, 73_728, 512, 16_512, 516]),
    ],
)
def test_published_counts_of_layers(
    name: str, params: dict[str, Any], size: int, classes: int, counts: list[int]
) -> None:
    model = architecture.build(f"analysis.models.{name}", params, size, 3, classes)
    assert [n for layer in model.layers if (n := layer.count_params())] == counts


def test_what_is_frozen_survives_the_json() -> None:
    """Trainable layers, and a base that stays in inference mode, are in the file that training reads."""
    for name, params, trainable in (
        ("pediatric_official:resnet50v2", {"backbone": "resnet50v2", "trainable": 10}, 4_535_010),
        ("pediatric_resplit:vgg19", {"backbone": "vgg19"}, 1_057_025),
    ):
        model = architecture.build(f"analysis.models.{name}", params, 64, 3, 2)
        again = keras.models.model_from_json(model.to_json())
        counted = [sum(int(np.prod(v.shape)) for v in m.trainable_variables) for m in (model, again)]
        assert counted[0] == counted[1]
        assert trainable == counted[0] or name.endswith("vgg19")
        assert [v.shape for v in model.variables] == [v.shape for v in again.variables]


@pytest.mark.parametrize(
    ("function", "params"),
    [("pediatric_resplit:small", {}), ("pediatric_resplit:resnet50v2", {"backbone": "resnet50v2"})],
)
def test_one_sigmoid_is_for_two_classes(function: str, params: dict[str, Any]) -> None:
    with pytest.raises(ArchitectureError, match="two classes"):
        architecture.count(f"analysis.models.{function}", params, 64, 3, 4)


def test_the_network_that_changes_its_images_does_so_as_published() -> None:
    """Zoom keeps the aspect, contrast is between 0.8 and 1.2, and nothing is changed outside training."""
    model = architecture.build("analysis.models.pediatric_official:augmented", {}, 64, 3, 2)
    zoom, rotation, contrast = model.layers[1:4]
    assert (zoom.height_lower, zoom.height_upper, zoom.width_factor) == (-0.1, 0.1, None)
    assert rotation.factor == (-0.2, 0.2)
    images = np.random.default_rng(0).uniform(0.3, 0.7, (400, 64, 64, 1)).astype(np.float32)
    spread = np.asarray(contrast(images, training=True)).std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.7999 <= spread.min() < 0.82
    assert 1.18 < spread.max() <= 1.2001
    np.testing.assert_array_equal(contrast(zoom(images, training=False), training=False), images)

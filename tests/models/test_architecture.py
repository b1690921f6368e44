from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from analysis.errors import ArchitectureError
from analysis.models import architecture
from analysis.progress import silent
from report.study.loading import load
from report.study.study import Study

PROJECT = Path(__file__).resolve().parents[2]


def network(name: str, **params: Any) -> dict[str, Any]:
    return {
        "architecture": f"analysis.models.assignment:{name}",
        "params": params,
        "size": 156,
        "channels": 3,
        "classes": 4,
    }


PUBLISHED = {
    "assignment": (156, 4, {"baseline": 1_615_940, "improved": 780_093}),
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


def declared(study: str) -> Study:
    return load(PROJECT / "studies" / study / "study.toml")


@pytest.mark.parametrize(
    ("study", "model", "expected"),
    [(s, m, n) for s, (_, _, models) in PUBLISHED.items() for m, n in models.items()],
)
def test_published_parameter_counts(study: str, model: str, expected: Any) -> None:
    """Each model as its study file declares it."""
    size, classes, _ = PUBLISHED[study]
    found = next(m for m in declared(study).models if m.id == model)
    total, trainable = expected if isinstance(expected, tuple) else (expected, expected)
    assert architecture.count(found.architecture, found.params, size, 3, classes) == {
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
            assert (model.architecture, model.params) == (other.architecture, other.params)
            differs = {k for k, v in model.model_dump().items() if v != other.model_dump()[k]}
            # One mistake less, and nothing else.
            assert len(differs - {"id", "title", "corrects", "minutes"}) == 1, differs


@pytest.mark.parametrize(
    ("architecture_", "params", "size", "expected"),
    [
        # As published before the base was frozen, and the second experiment of the imbalanced study.
        ("radiography:resnet50v2", {"frozen": 0}, 224, (24_099_332, 24_049_284)),
        ("pediatric_imbalanced:dense", {"units": [16, 8, 6]}, 224, (2_408_661, 2_408_661)),
        ("pediatric_imbalanced:convolutional", {"kernel": 4, "dropout": 0.3}, 224, (187_981, 187_981)),
    ],
)
def test_other_published_counts(
    architecture_: str, params: dict[str, Any], size: int, expected: tuple[int, int]
) -> None:
    classes = 4 if size == 224 and "frozen" in params else 2
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
        ("pediatric_official:resnet50v2", {"trainable": 10}, 4_535_010),
        ("pediatric_resplit:vgg19", {}, 1_057_025),
    ):
        model = architecture.build(f"analysis.models.{name}", params, 64, 3, 2)
        again = keras.models.model_from_json(model.to_json())
        counted = [sum(int(np.prod(v.shape)) for v in m.trainable_variables) for m in (model, again)]
        assert counted[0] == counted[1]
        assert trainable == counted[0] or name.endswith("vgg19")
        assert [v.shape for v in model.variables] == [v.shape for v in again.variables]


@pytest.mark.parametrize("function", ["pediatric_resplit:small", "pediatric_resplit:resnet50v2"])
def test_one_sigmoid_is_for_two_classes(function: str) -> None:
    with pytest.raises(ArchitectureError, match="two classes"):
        architecture.count(f"analysis.models.{function}", {}, 64, 3, 4)


def test_described_the_same_every_time(tmp_path: Path) -> None:
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        architecture.describe({}, folder, scratch=tmp_path, progress=silent, **network("baseline"))
        written.append({p.name: p.read_text() for p in folder.iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"architecture.json", "layers.csv", "summary.json"}
    table = pd.read_csv(tmp_path / "a/layers.csv", keep_default_na=False)
    convolution, pooling, dense, output = (table.iloc[i] for i in (1, 3, -2, -1))
    assert (convolution["settings"], convolution["output_shape"]) == (
        "64 filters 3 x 3, same padding, ReLU",
        "156 x 156 x 64",
    )
    assert pooling["settings"] == "2 x 2, stride 2 x 2"
    assert (dense["settings"], output["settings"]) == ("32 units, ReLU", "4 units, softmax")
    counts = [1792, 18464, 18496, 18464, 1_557_536, 1056, 132]
    assert [n for n in table["parameters"] if n] == counts
    model = keras.models.model_from_json(written[0]["architecture.json"])
    assert [layer.name for layer in model.layers] == list(table["name"])
    assert json.loads(written[0]["summary.json"])["parameters"] == sum(counts)


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
    assert architecture.settings(layer) == words


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": "analysis.models.assignment:missing"}, "missing"),
        ({"architecture": "analysis.models.nowhere:baseline"}, "nowhere"),
        ({"params": {"depth": 3}}, "depth"),
        ({"architecture": "builtins:dict"}, "dict"),
    ],
)
def test_wrong_architecture_is_explained(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArchitectureError, match=complaint):
        architecture.count(**{**network("baseline"), **change})


OWN = "own_networks"


@pytest.fixture
def own_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)


of_own = pytest.mark.usefixtures("own_networks")


def described(name: str, folder: Path, **inputs: Path) -> dict[str, Any]:
    own = {"architecture": f"{OWN}:{name}", "params": {}, "size": 32, "channels": 3, "classes": 3}
    folder.mkdir(exist_ok=True)
    architecture.describe(inputs, folder, scratch=folder, progress=silent, **own)
    return json.loads((folder / "summary.json").read_text())


@of_own
@pytest.mark.parametrize(
    "name", ["softmax_layer", "activation_layer", "softmax_function", "softmax_inside", "leaky_penalised"]
)
def test_a_softmax_counts_however_it_is_written(name: str, tmp_path: Path) -> None:
    assert described(name, tmp_path)["head"] == "softmax"
    assert not list(tmp_path.glob("*.keras"))


@of_own
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("with_lambda", r"with_lambda: the layer \w+ \(Lambda\) cannot be saved"),
        ("own_layer", r"own_layer: the layer twice \(Doubled\) cannot be saved"),
        ("registered_layer", r"registered_layer: the layer twice \(Registered\) cannot be saved"),
        ("own_activation", "the function swish_of_mine cannot be saved"),
        ("subclassed", "takes nothing that is declared, the pictures are 32 x 32 x 3"),
        ("without_input", "takes nothing that is declared, the pictures are 32 x 32 x 3"),
        ("any_size", "takes any x any x 3, the pictures are 32 x 32 x 3"),
        ("two_outputs", "its output n x 3 and n x 3"),
        ("named_output", "answers with a dict of outputs"),
        ("relu_end", r"its last layer is \w+ \(Dense\), its output n x 3"),
        ("dropout_end", r"its last layer is \w+ \(Dropout\)"),
        ("undefined", "are no probabilities"),
        ("fails", r"own_networks\.py:\d+: own_networks:fails fails: KeyError: 'x'"),
        ("exits", r"own_networks\.py:\d+: own_networks:exits fails: SystemExit: bye"),
        ("too_small", "too_small cannot build a network for pictures of 32 x 32 x 3"),
    ],
)
def test_what_could_not_be_used_after_its_training_is_refused_before(
    name: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchitectureError, match=complaint) as caught:
        described(name, tmp_path)
    assert caught.value.hint


@of_own
def test_weights_to_begin_with_fit_before_anything_is_trained(tmp_path: Path) -> None:
    described("softmax_layer", tmp_path / "first")
    described("activation_layer", tmp_path / "same", initial=tmp_path / "first")
    with pytest.raises(ArchitectureError, match="weights of another architecture"):
        described("leaky_penalised", tmp_path / "other", initial=tmp_path / "first")


CASES = PROJECT.parent / "shared" / "cases" / "softmax-layer"
REFUSED = {
    *(
        "noinput",
        "wrong_units",
        "raises",
        "keyerror",
        "nothing",
        "noargs",
        "positional",
        "wrong_shape",
        "lam",
    ),
    *(
        "subclass",
        "custom_layer",
        "imagenet",
        "two_outputs",
        "torchlike",
        "notebook",
        "exits",
        "l2",
        "registered",
    ),
}


@pytest.mark.real
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the project")
def test_every_network_of_the_case_comes_out_as_it_should(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(CASES)
    monkeypatch.setattr("keras.utils.get_file", lambda *_, **__: (_ for _ in ()).throw(OSError("no network")))
    own = ast.parse((CASES / "my_study.py").read_text())
    names = [node.name for node in own.body if isinstance(node, ast.FunctionDef)]
    assert set(names) > REFUSED
    for name in names:
        given = {"architecture": f"my_study:{name}", "params": {}, "size": 32, "channels": 3, "classes": 2}
        refused = None
        try:
            architecture.describe({}, tmp_path, scratch=tmp_path, progress=silent, **given)
        except ArchitectureError as error:
            refused = error
        assert (refused is not None) == (name in REFUSED), (name, refused)

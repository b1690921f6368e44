from __future__ import annotations

import ast
from pathlib import Path

import pytest

from analysis.errors import ArchitectureError
from analysis.models import architecture
from analysis.progress import silent
from tests.models.small_networks import describe_own

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)


of_own = pytest.mark.usefixtures("own_networks")


@of_own
@pytest.mark.parametrize(
    "name", ["softmax_layer", "activation_layer", "softmax_function", "softmax_inside", "leaky_penalised"]
)
def test_a_softmax_counts_however_it_is_written(name: str, tmp_path: Path) -> None:
    assert describe_own(name, tmp_path)["head"] == "softmax"
    assert not list(tmp_path.glob("*.keras"))


@of_own
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("with_lambda", r"with_lambda: the layer \w+ \(Lambda\) cannot be saved"),
        ("own_layer", r"own_layer: the layer twice \(Doubled\) cannot be saved"),
        ("registered_layer", r"registered_layer: the layer twice \(Registered\) cannot be saved"),
        ("own_activation", "the function swish_of_mine cannot be saved"),
        ("subclassed", "takes nothing that is declared, the images are 32 x 32 x 3"),
        ("without_input", "takes nothing that is declared, the images are 32 x 32 x 3"),
        ("any_size", "takes any x any x 3, the images are 32 x 32 x 3"),
        ("two_outputs", "its output n x 3 and n x 3"),
        ("named_output", "answers with a dict of outputs"),
        ("relu_end", r"its last layer is \w+ \(Dense\), its output n x 3"),
        ("dropout_end", r"its last layer is \w+ \(Dropout\)"),
        ("undefined", "are no probabilities"),
        ("fails", r"own_networks\.py:\d+: own_networks:fails fails: KeyError: 'x'"),
        ("exits", r"own_networks\.py:\d+: own_networks:exits fails: SystemExit: bye"),
        ("too_small", "too_small cannot build a network for images of 32 x 32 x 3"),
    ],
)
def test_what_could_not_be_used_after_its_training_is_refused_before(
    name: str, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchitectureError, match=complaint) as caught:
        describe_own(name, tmp_path)
    assert caught.value.hint


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


@pytest.mark.slow
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

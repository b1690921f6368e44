"""A network by its file: what is refused before the file is looked into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import WeightsError
from report.workspace.trained import MOST_BYTES, MOST_INPUT_BYTES, is_file_name, open_file

GOOD: dict[str, Any] = {
    "size": 32,
    "channels": 3,
    "fit": "squash",
    "resample": "area",
    "scale": 1 / 255,
    "offset": 0.0,
    "pixels": "in-place",
    "averaged_over": [],
    "classes": [{"id": "a", "label": "First"}, {"id": "b", "label": "Second"}],
    "calibration": {"factors": [1.0, 0.5], "temperature": 1.5},
}


@pytest.fixture
def network(tmp_path: Path) -> Path:
    (tmp_path / "input.json").write_text(json.dumps(GOOD))
    (tmp_path / "net.keras").write_bytes(b"not looked into")
    return tmp_path / "net.keras"


def test_a_file_has_the_classes_of_the_input_beside_it_and_no_results(network):
    found = open_file(network)
    assert found.classes == {"a": "First", "b": "Second"}
    assert found.network == (network, network.parent / "input.json")
    assert found.list_measures("a") == {}
    assert [stage.name for stage in found.make_stages([])] == ["classify", "answer"]


@pytest.mark.parametrize(("name", "is_file"), [("a/b.keras", True), ("residual@seed_42", False)])
def test_what_ends_as_a_file_is_one(name, is_file):
    assert is_file_name(name) is is_file


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 10**9}, "size: "),
        ({"size": "32"}, "size: "),
        ({"channels": 2}, "channels: "),
        ({"fit": "../x"}, "fit: "),
        ({"scale": float("nan")}, "scale: "),
        ({"averaged_over": ["os.system"]}, "averaged_over.0: "),
        ({"classes": GOOD["classes"][:1]}, "classes: "),
        ({"classes": [GOOD["classes"][0]] * 2}, "a class is there twice"),
        ({"classes": [{"id": "a", "label": "\x1b[2J"}, {"id": "b", "label": "B"}]}, "classes.0.label: "),
        ({"calibration": {"factors": [1.0], "temperature": 1.0}}, "one factor for each class"),
        ({"calibration": {"factors": [1.0, -1.0], "temperature": 1.0}}, "calibration.factors.1: "),
        ({"calibration": None}, "calibration: "),
    ],
)
def test_an_input_that_is_none_is_refused(network, changes, words):
    (network.parent / "input.json").write_text(json.dumps(GOOD | changes))
    with pytest.raises(WeightsError, match=words) as caught:
        open_file(network)
    assert caught.value.message.isprintable()


def test_what_is_missing_or_too_large_is_refused(network):
    seen = network.parent / "input.json"
    for file, most in ((network, MOST_BYTES), (seen, MOST_INPUT_BYTES)):
        kept = file.read_bytes()
        with file.open("wb") as stream:
            stream.truncate(most + 1)
        with pytest.raises(WeightsError, match="more than the limit"):
            open_file(network)
        file.unlink()
        with pytest.raises(WeightsError, match="no such file"):
            open_file(network)
        file.write_bytes(kept)
    seen.write_text("no JSON")
    with pytest.raises(WeightsError, match=r"input\.json"):
        open_file(network)

"""The card and the script of an exported network: every way of showing an image, and every case of the words."""

from __future__ import annotations

import itertools
import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.preparation import square
from report.writing.model_card import CARD, SCRIPT, CardFacts, write_files

SEEN: dict[str, Any] = {
    "size": 24,
    "channels": 3,
    "fit": "squash",
    "resample": "area",
    "scale": 0.5,
    "offset": -1.0,
    "averaged_over": [],
    "classes": [{"id": "a", "label": "First"}, {"id": "b", "label": "Second <script>"}],
    "calibration": {"factors": [1.0, 1.0], "temperature": 1.0},
}
ENTRY = {"value": 0.5, "low": 0.25, "high": 0.75, "level": 0.95, "n": 1200}
FACTS = CardFacts(
    study="A study", source="https://example.org", title="A network", name="net@seed_1", digest="d" * 64,
    group="none", generated=False, weights="random", pretraining="", license="other", split="test",
    results={"accuracy": ENTRY, "f1.macro": ENTRY, "sensitivity.a": ENTRY}, external={}, elsewhere={}, where="",
    shown_otherwise=False,
    description={"head": "softmax", "counts": {"train": {"a": 3000, "b": 2}, "test": {"a": 1, "b": 1}}},
)  # fmt: skip


def changed(**changes: Any) -> CardFacts:
    return CardFacts(**{**vars(FACTS), **changes})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs the script with a network that gives one answer, and returns what it saw and said."""

    def run(facts: CardFacts, seen: dict[str, Any], image: Path, answer: list[float]) -> tuple[Any, Any]:
        shown: list[Any] = []

        def predict_on_batch(view: Any) -> Any:
            shown.append(view)
            return np.array([answer], np.float32)

        loaded = SimpleNamespace(predict_on_batch=predict_on_batch)
        keras = SimpleNamespace(models=SimpleNamespace(load_model=lambda *_, **__: loaded))
        monkeypatch.setitem(sys.modules, "keras", keras)
        monkeypatch.setattr(sys, "argv", ["predict.py", str(image)])
        (tmp_path / SCRIPT).write_text(write_files(facts, seen)[SCRIPT])
        (tmp_path / "input.json").write_text(json.dumps(seen))
        runpy.run_path(str(tmp_path / SCRIPT), run_name="__main__")
        return shown, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Return a large JPEG that is turned, a palette, and a PNG smaller than the network's images."""
    levels = np.random.default_rng(2).integers(0, 256, (90, 70, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    paths = [tmp_path / name for name in ("turned.jpg", "palette.png", "small.png")]
    Image.fromarray(levels).resize((400, 300)).save(paths[0], exif=exif)
    Image.fromarray(levels).convert("P").save(paths[1])
    Image.fromarray(levels[:15, :20, 0]).save(paths[2])
    return paths


@pytest.mark.parametrize(
    ("fit", "resample"),
    [*itertools.product(("squash", "pad", "crop"), ("area", "nearest", "bilinear", "lanczos"))],
)
def test_the_script_shows_an_image_as_the_program_does(run, images, fit, resample):
    seen = SEEN | {"fit": fit, "resample": resample}
    for image in images:
        (shown,), _ = run(FACTS, seen, image, [0.2, 0.8])
        expected = square(image.read_bytes(), 24, fit, resample).astype(np.float32) * 0.5 - 1
        assert shown.shape == (1, 24, 24, 3)
        for channel in range(3):
            np.testing.assert_array_equal(shown[0, ..., channel], expected)


@pytest.mark.parametrize(
    ("head", "answer", "expected"),
    [
        ("softmax", [0.2, 0.8], [0.2, 0.8]),
        ("sigmoid", [0.8], [0.2, 0.8]),
        ("logits", [0.0, float(np.log(4))], [0.2, 0.8]),
    ],
)
def test_the_script_calibrates_what_any_head_answers(run, images, head, answer, expected):
    facts = changed(description={**FACTS.description, "head": head})
    flipped = SEEN | {"averaged_over": ["horizontal_flip"]}
    shown, said = run(facts, flipped, images[0], answer)
    assert np.array_equal(shown[1], shown[0][:, :, ::-1])
    assert list(said.values()) == pytest.approx(expected, abs=1e-6)
    fitted = flipped | {"calibration": {"factors": [2.0, 0.5], "temperature": 2.0}}
    _, said = run(facts, fitted, images[0], answer)
    assert list(said.values()) == pytest.approx([0.5, 0.5], abs=1e-6)


def test_the_script_refuses_levels_that_it_would_cut(run, tmp_path):
    Image.fromarray(np.full((9, 9), 4000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(SystemExit, match="8 bits"):
        run(FACTS, SEEN, tmp_path / "deep.png", [0.2, 0.8])


def test_a_card_has_its_figures_and_escapes_what_is_not_ours():
    card = write_files(FACTS, SEEN)[CARD]
    assert "| First | 3,000 | 1 |" in card
    assert "| Sensitivity of First | 0.500 | 0.250 to 0.750 | 1,200 |" in card
    assert "<script>" not in card.partition("# A network")[2]
    assert "license_name: not-stated" in card
    assert "elsewhere" not in card.partition("## Limits")[0]


@pytest.mark.parametrize(
    ("changes", "there", "gone"),
    [
        ({"license": "cc-by-4.0"}, ['license: "cc-by-4.0"', "cc\\-by\\-4\\.0"], ["license_name", "MIT"]),
        ({"group": "patient"}, ["All images of a patient are in one part."], ["Images were drawn one by one"]),
        ({"split": "val"}, ["validation images, by which the network was chosen"], ["On the test images"]),
        ({"results": {}}, ["has measured nothing"], ["model-index", "intervals"]),
        ({"shown_otherwise": True}, ["so these figures are not of it"], []),
        ({"generated": True}, ["The images were generated."], ["example.org"]),
        ({}, [], ["Its training began"]),
        ({"weights": "imagenet"}, ["began with weights learnt on ImageNet"], []),
        ({"weights": "pretraining", "pretraining": "Other <i>X-rays"}, ["on Other \\<i\\>X\\-rays, without the images"], []),
        ({"weights": "pretraining", "generated": True}, ["learnt on generated images, drawn in the place of"], []),
        ({"weights": "other/net"}, ["the weights `other/net`", "if it has, they are too good"], []),
        (
            {
                "where": "Another hospital",
                "elsewhere": {"ill": "Ill"},
                "external": {"support.ill": ENTRY, "confusion.ill.a": ENTRY | {"value": 1500}, "confusion.ill.b": ENTRY},
            },
            ["## Images from elsewhere", "Another hospital", "| Ill | 0.5 | 1,500 | 0.5 |"],
            [],
        ),
    ],
)  # fmt: skip
def test_a_card_says_what_is_so(changes, there, gone):
    card = write_files(changed(**changes), SEEN)[CARD]
    for words in there:
        assert words in card
    for words in gone:
        assert words not in card

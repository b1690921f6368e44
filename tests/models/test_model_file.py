"""A network's file that anybody may have written: it is loaded if it has layers of Keras and their weights, and nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from analysis.errors import WeightsError
from analysis.models import model_file

WEIGHTS = "model.weights.h5"


def make(*inner: Any) -> keras.Model:
    return keras.Sequential(
        [keras.Input((8, 8, 1)), *inner, layers.Flatten(), layers.Dense(2, activation="softmax")]
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    make(layers.RandomFlip(), layers.Conv2D(3, 3, kernel_regularizer="l2"), layers.Dropout(0.2)).save(
        tmp_path / "good.keras"
    )
    return tmp_path / "good.keras"


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Path], keras.Model]:
    (tmp_path / "scratch").mkdir()
    return lambda path: model_file.load(path, tmp_path / "scratch")


def repack(source: Path, path: Path, changes: dict[str, Any]) -> Path:
    """Write the file with other parts: bytes, a function of them, or None to leave one out."""
    with zipfile.ZipFile(source) as file, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        parts: dict[str, Any] = {name: file.read(name) for name in file.namelist()}
        for name, content in {**parts, **changes}.items():
            if content is not None:
                target.writestr(name, content(parts[name]) if callable(content) else content)
    return path


def change(old: str, new: str) -> Callable[[bytes], bytes]:
    def edit(config: bytes) -> bytes:
        assert old.encode() in config
        return config.replace(old.encode(), new.encode())

    return edit


def test_a_network_of_layers_of_keras_comes_back_as_it_is(
    good: Path, load: Callable[..., keras.Model]
) -> None:
    found, image = load(good), np.full((1, 8, 8, 1), 0.5, np.float32)
    expected = keras.models.load_model(good).predict_on_batch(image)
    assert np.array_equal(found.predict_on_batch(image), expected)
    assert not found.compiled


def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, load: Callable[..., Any]) -> None:
    class Own(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    for name, layer, words in (
        ("code", layers.Lambda(lambda x: x * 2), "'Lambda'"),
        ("own", Own(), "not of Keras"),
        ("words", layers.Hashing(num_bins=3), "'Hashing'"),
    ):
        model = (
            make(layer) if name != "words" else keras.Sequential([keras.Input((4,), dtype="int64"), layer])
        )
        model.save(tmp_path / f"{name}.keras")
        with pytest.raises(WeightsError, match=words):
            load(tmp_path / f"{name}.keras")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config.json": change('"module": "keras.layers", "class_name": "Dense"', '"module": "os", "class_name": "system"')}, "not of Keras"),
        ({"config.json": change('"class_name": "Dense"', '"class_name": "TFSMLayer"')}, "'TFSMLayer'"),
        ({"config.json": change('"units": 2', '"units": 2000000000')}, "weights and has"),
        ({"config.json": b"[" * 100_000}, "no JSON|nested"),
        ({"config.json": b"\xff"}, "no JSON"),
        ({"config.json": b"{}"}, "cannot be loaded"),
        ({"config.json": None}, "lacks a part"),
        ({WEIGHTS: b"no weights"}, "cannot be loaded"),
        ({WEIGHTS: lambda content: content[: len(content) // 2]}, "cannot be loaded"),
        ({"assets/../../words.txt": b"x"}, "'assets/../../words.txt'"),
    ],
)  # fmt: skip
def test_what_a_made_up_file_asks_for_is_refused(
    good: Path, load: Callable[..., Any], tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(WeightsError, match=words) as caught:
        load(repack(good, tmp_path / "made-up.keras", changes))
    assert caught.value.message.isprintable()


def test_a_layer_that_would_fill_the_memory_is_refused(load: Callable[..., Any], tmp_path: Path) -> None:
    inner = make(layers.UpSampling2D(4000), layers.AveragePooling2D(4000))
    keras.Sequential([keras.Input((8, 8, 1)), inner]).save(tmp_path / "wide.keras")
    with pytest.raises(WeightsError, match="1,024,000,000 numbers for each image"):
        load(tmp_path / "wide.keras")


def test_weights_that_lie_elsewhere_are_refused(good: Path, load: Callable[..., Any], tmp_path: Path) -> None:
    import h5py

    def link(content: bytes) -> bytes:
        held = io.BytesIO(content)
        with h5py.File(held, "a") as file:  # in memory
            file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
        return held.getvalue()

    def lie_outside(content: bytes) -> bytes:
        held = io.BytesIO(content)
        with h5py.File(held, "a") as file:  # in memory
            file.create_dataset("outside", (4,), "u1", external=[("/etc/passwd", 0, 4)])
        return held.getvalue()

    for name, changed in (("link", link), ("outside", lie_outside)):
        with pytest.raises(WeightsError, match="weights lie elsewhere"):
            load(repack(good, tmp_path / f"{name}.keras", {WEIGHTS: changed}))


def test_what_is_no_archive_cut_short_or_too_large_is_refused(
    good: Path, load: Callable[..., Any], tmp_path: Path
) -> None:
    other = tmp_path / "other.keras"
    for content in (b"", b"hello", good.read_bytes()[:-200]):
        other.write_bytes(content)
        with pytest.raises(WeightsError, match="no zip archive"):
            load(other)
    with other.open("wb") as file:
        file.truncate(2 * model_file.MOST_BYTES)
    with pytest.raises(WeightsError, match=r"2\.0 GiB, more than the limit"):
        load(other)
    packed = repack(
        good, tmp_path / "packed.keras", {"metadata.json": b" " * (model_file.MOST_CONFIG_BYTES + 1)}
    )
    assert packed.stat().st_size < model_file.MOST_CONFIG_BYTES // 100
    long = json.dumps({"x": " " * (model_file.MOST_CONFIG_BYTES + 1)}).encode()
    with pytest.raises(WeightsError, match="too long"):
        load(repack(good, packed, {"config.json": long}))

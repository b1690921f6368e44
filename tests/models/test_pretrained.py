"""Weights that were learnt elsewhere: fetched, checked by their digest, and put into a network up to its head."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import efficientnet
from keras.src.legacy.saving import legacy_h5_format

from analysis.errors import WeightsError
from analysis.models import architecture, backbones, pretrained, transfer
from analysis.progress import silent
from tests.models import small_backbone as small

SIZE = 16


def write_weights(path: Path, base: keras.Model) -> Path:
    """Write weights as the files of Keras have them."""
    for variable in base.weights:
        variable.assign(np.random.default_rng(len(variable.shape)).normal(1, 0.1, variable.shape))
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, base)
    return path


def run(stage: Any, out: Path, inputs: Mapping[str, Path], **params: Any) -> Path:
    out.mkdir()
    scratch = out.with_name(f"{out.name}-scratch")
    scratch.mkdir()
    stage(inputs, out, scratch=scratch, progress=silent, **params)
    assert not [*scratch.glob("*.h5"), *scratch.glob("*.keras")]
    return out


def told(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


@pytest.fixture
def file(tmp_path: Path, small_backbone: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the weights of VGG16, which is a small network here, and known by its digest."""
    path = write_weights(tmp_path / "given.h5", small.build("vgg16", SIZE, 3))
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    known = replace(backbones.BACKBONES["vgg16"], md5=md5, url=path.as_uri())
    monkeypatch.setitem(backbones.BACKBONES, "vgg16", known)
    return path


def describe(folder: Path, model: keras.Model) -> Path:
    folder.mkdir()
    (folder / "architecture.json").write_text(model.to_json())
    return folder


def network(**more: Any) -> keras.Model:
    given = {"size": SIZE, "channels": 3, "classes": 2, "backbone": "vgg16", **more}
    return transfer.network(**given)


@pytest.mark.parametrize("offline", [True, False])
def test_a_file_of_the_user_or_of_keras_gives_the_same(offline: bool, file: Path, tmp_path: Path) -> None:
    out = run(pretrained.fetch, tmp_path / "out", {"file": file} if offline else {}, backbone="vgg16")
    assert (out / "weights.h5").read_bytes() == file.read_bytes()
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    facts = told(out, "weights.json")
    assert (facts["sha256"], facts["title"], facts["file"], facts["checked"]) == (sha256, "VGG16", "given.h5", True)  # fmt: skip


@pytest.mark.parametrize("damage", [lambda data: data[:-100], lambda data: b"another", lambda data: b""])
def test_a_file_of_another_digest(damage: Any, file: Path, tmp_path: Path) -> None:
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(
        WeightsError, match=r"given.h5: its MD5 is \w{32}, that of Keras' file \w{32}: cut short"
    ):
        run(pretrained.fetch, tmp_path / "out", {"file": file}, backbone="vgg16")


def test_a_file_that_cannot_be_fetched(file: Path, tmp_path: Path) -> None:
    file.unlink()
    with pytest.raises(WeightsError, match="cannot be fetched") as caught:
        run(pretrained.fetch, tmp_path / "out", {}, backbone="vgg16")
    assert "--weights DIR" in caught.value.hint


def test_a_network_begins_with_the_weights_of_its_backbone(file: Path, tmp_path: Path) -> None:
    weights = run(pretrained.fetch, tmp_path / "weights", {"file": file}, backbone="vgg16")
    given = {"architecture": describe(tmp_path / "architecture", network(units=[3])), "weights": weights}
    found = {seed: run(pretrained.begin, tmp_path / f"{seed}", given, seed=seed) for seed in (1, 2)}
    first, second = (keras.models.load_model(out / "model.keras") for out in found.values())
    learnt = small.build("vgg16", SIZE, 3)
    learnt.load_weights(file)
    for model in (first, second):
        for ours, known in zip(model.get_layer("vgg16").weights, learnt.weights, strict=True):
            assert np.array_equal(ours, known)
    assert not np.array_equal(first.layers[-1].kernel, second.layers[-1].kernel)
    facts = told(found[1], "pretrained.json")
    assert facts["parameters"] == learnt.count_params()
    assert facts["sha256"] == told(weights, "weights.json")["sha256"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"channels": 1}, "given.h5: not the weights of VGG16 for images of 1 channels"),
        ({"backbone": "vgg19"}, "vgg19_head has no VGG16 in it"),
    ],
)
def test_weights_of_another_network(
    given: Any, problem: str, file: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(transfer, "preprocess", lambda x, name: x)  # of three channels
    weights = run(pretrained.fetch, tmp_path / "weights", {"file": file}, backbone="vgg16")
    of = describe(tmp_path / "architecture", network(**given))
    with pytest.raises(WeightsError, match=problem):
        run(pretrained.begin, tmp_path / "out", {"architecture": of, "weights": weights}, seed=1)


def test_a_file_of_another_architecture_or_none(file: Path, tmp_path: Path) -> None:
    """A digest says nothing of what Keras has not told: of MobileNetV2, and of a wrong row of the table."""
    of = describe(tmp_path / "architecture", network())
    other = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Conv2D(2, 3)])
    for number, path in enumerate((write_weights(tmp_path / "other.h5", other), tmp_path / "architecture")):
        folder = tmp_path / f"weights{number}"
        folder.mkdir()
        content = path.read_bytes() if path.is_file() else b"nothing"
        (folder / "weights.h5").write_bytes(content)
        facts = {"backbone": "vgg16", "title": "VGG16", "file": path.name}
        (folder / "weights.json").write_text(json.dumps(facts))
        with pytest.raises(WeightsError, match="not the weights of VGG16"):
            run(pretrained.begin, tmp_path / f"out{number}", {"architecture": of, "weights": folder}, seed=1)


def test_a_network_of_another_study_gives_its_layers_up_to_the_head(
    small_backbone: None, tmp_path: Path
) -> None:
    other = network(units=[7], classes=5)
    for variable in other.weights:
        variable.assign(np.full(variable.shape, 0.5))
    other.save(tmp_path / "model.keras")
    weights = run(
        pretrained.take, tmp_path / "taken", {"network": tmp_path / "model.keras"}, study="s", model="m"
    )
    of = describe(tmp_path / "architecture", network(units=[3]))
    out = run(pretrained.begin, tmp_path / "out", {"architecture": of, "weights": weights}, seed=1)
    model = keras.models.load_model(out / "model.keras")
    assert all(np.all(w == 0.5) for w in model.get_layer("vgg16").get_weights())
    assert not np.any(model.layers[-1].kernel == 0.5)
    facts = told(out, "pretrained.json")
    assert (facts["study"], facts["model"], len(facts["sha256"])) == ("s", "m", 64)


@pytest.mark.parametrize(("classes", "size", "fits"), [(4, 32, True), (2, 32, True), (3, 48, False)])
def test_a_network_without_a_backbone_gives_all_but_its_output(
    classes: int, size: int, fits: bool, tmp_path: Path
) -> None:
    """The dense layers of a flattening network fit images of the same size alone."""
    build = architecture.build
    other = build("analysis.models.assignment:baseline", {}, 32, 3, 3)
    other.save(tmp_path / "model.keras")
    weights = run(
        pretrained.take, tmp_path / "taken", {"network": tmp_path / "model.keras"}, study="s", model="m"
    )
    ours = build("analysis.models.assignment:baseline", {}, size, 3, classes)
    given = {"architecture": describe(tmp_path / "architecture", ours), "weights": weights}
    if not fits:
        with pytest.raises(
            WeightsError, match=r"cannot begin with the weights of another network: dense has"
        ):
            run(pretrained.begin, tmp_path / "out", given, seed=1)
        return
    out = run(pretrained.begin, tmp_path / "out", given, seed=1)
    begun = keras.models.load_model(out / "model.keras").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(begun[:-2], other.get_weights()[:-2], strict=True))
    assert not np.array_equal(begun[-2], other.get_weights()[-2])


def test_efficientnet_answers_as_keras_builds_it_for_imagenet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras scales its images otherwise with weights of ImageNet than without; two of its seven blocks tell that as well."""
    monkeypatch.setattr(efficientnet, "DEFAULT_BLOCKS_ARGS", efficientnet.DEFAULT_BLOCKS_ARGS[:2])
    path = write_weights(tmp_path / "efficientnetb0_notop.h5", transfer.build_whole("efficientnetb0", 32, 3))
    mean, variance = (0.485, 0.456, 0.406), (0.229**2, 0.224**2, 0.225**2)
    with h5py.File(path, "r+") as stored:
        for name, values in (("mean", mean), ("variance", variance)):
            found = [
                v for k, v in _datasets(stored) if k.rpartition("/")[2].startswith(name) and v.shape == (3,)
            ]
            found[0][...] = values
    monkeypatch.setattr(efficientnet.file_utils, "get_file", lambda *_, **__: str(path))
    theirs = keras.applications.EfficientNetB0(include_top=False, weights="imagenet", input_shape=(32, 32, 3))
    ours = transfer.network(size=32, channels=3, classes=2, backbone="efficientnetb0")
    facts = {"backbone": "efficientnetb0", "title": "EfficientNetB0", "file": path.name}
    pretrained.load_imagenet(ours, path, facts, tmp_path)
    images = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(ours.get_layer("efficientnetb0")(images), theirs(images), rtol=1e-3, atol=1e-3)


def _datasets(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    found: list[tuple[str, h5py.Dataset]] = []
    group.visititems(
        lambda name, item: found.append((name, item)) if isinstance(item, h5py.Dataset) else None
    )
    return found

"""Training on a backbone: what stays as it was learnt, and what is run over the images once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from analysis.models import fine_tuning, training, transfer
from analysis.progress import silent

Folders = dict[str, Path]
ONCE = {"trainable": 0, "units": [5], "dropout": 0.3}


@pytest.fixture
def whole(small_backbone: None, short: dict[str, Any], two: Folders, tmp_path: Path) -> Callable[..., Path]:
    """Return what trains a network on two classes of images, and returns the folder of what is written."""

    def train(name: str, *, stage: Any = fine_tuning.train, changes: Any = None, **params: Any) -> Path:
        given = {"size": 32, "channels": 3, "classes": 2, "backbone": "vgg16", **params}
        keras.utils.clear_session()
        keras.utils.set_random_seed(7)
        model = transfer.network(**given)
        (two["architecture"] / "architecture.json").write_text(model.to_json())
        begun = tmp_path / f"{name}-begun"
        out, scratch = tmp_path / name, tmp_path / f"{name}-scratch"
        for folder in (begun, out, scratch):
            folder.mkdir(exist_ok=True)
        model.save(begun / "model.keras")
        settings = {**short, "input": {"scale": 1.0, "offset": 0.0, "pixels": "in-place"}, **(changes or {})}
        stage({**two, "initial": begun}, out, scratch=scratch, progress=silent, **settings)
        return out

    return train


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the output of an undisturbed training with ``ONCE`` is kept for another test."""
    return tmp_path_factory.mktemp("kept") / "once"


@pytest.fixture
def undisturbed(whole: Callable[..., Path], kept: Path) -> Path:
    """Return the output of an undisturbed training whose backbone was run over the images once."""
    return kept if kept.exists() else shutil.copytree(whole("once", **ONCE), kept)


def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Return a list that gets the shape of what each training is shown."""
    found: list[tuple[int, ...]] = []
    train = training.train

    def spy(inputs: Folders, *args: Any, **kwargs: Any) -> None:
        found.append(np.load(inputs["images"] / "images.npy", mmap_mode="r").shape[1:])
        train(inputs, *args, **kwargs)

    monkeypatch.setattr(training, "train", spy)
    return found


def scores(predict: Callable[..., Path], two: Folders, model: Path) -> pd.DataFrame:
    table = pd.read_csv(predict(two, model, model.with_name(f"{model.name}-predicted"), ["round", "striped"]))
    return table[[c for c in table.columns if table[c].dtype == float and c != "seed"]]


def test_a_frozen_backbone_is_run_over_the_images_once(
    whole: Callable[..., Path],
    two: Folders,
    predict: Callable[..., Path],
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Classes are the same and probabilities within 1e-5, dropout of the head included; and nothing else differs."""
    seen = shown(monkeypatch)
    once = shutil.copytree(whole("once", **ONCE), kept, dirs_exist_ok=True)
    monkeypatch.setattr(fine_tuning, "count_frozen", lambda model: 0)
    each = whole("each", **ONCE)
    assert seen == [(1, 1, 6), (32, 32)]
    first, second = (scores(predict, two, out).to_numpy() for out in (once, each))
    assert first.size
    np.testing.assert_allclose(first, second, atol=1e-5)
    assert (first.argmax(1) == second.argmax(1)).all()
    for name in ("input.json", "training.json"):
        assert json.loads((once / name).read_text()) == json.loads((each / name).read_text())
    histories = [pd.read_csv(out / "history.csv") for out in (once, each)]
    np.testing.assert_allclose(*histories, rtol=1e-4)
    assert len(histories[0]["loss"].unique()) > 1


@pytest.mark.parametrize(
    ("params", "changes"),
    [
        ({"trainable": 2}, {}),
        ({"batch_norm": "training", "trainable": 5}, {}),
        ({}, {"augmentation": [{"kind": "horizontal_flip"}]}),
        ({}, {"input": {"scale": 1.0, "offset": 0.0, "pixels": "interleaved"}}),
    ],
)
def test_images_that_change_or_a_backbone_that_is_trained_are_run_each_epoch(
    params: dict[str, Any],
    changes: dict[str, Any],
    whole: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Seen(Exception):
        pass

    def look(inputs: Folders, *_: Any, **__: Any) -> None:
        assert np.load(inputs["images"] / "images.npy", mmap_mode="r").shape[1:] == (32, 32)
        raise Seen

    monkeypatch.setattr(training, "train", look)
    with pytest.raises(Seen):
        whole("out", changes=changes, **params)


@pytest.mark.parametrize("batch_norm", ["inference", "training"])
def test_batch_normalisation_keeps_what_it_has_learnt_unless_the_study_says_otherwise(
    batch_norm: str, whole: Callable[..., Path], tmp_path: Path
) -> None:
    """Its scale and shift are trained, its means and variances are not; Keras alone would train both."""
    out = whole("out", trainable=2, batch_norm=batch_norm)
    before, after = (keras.models.load_model(f / "model.keras") for f in (tmp_path / "out-begun", out))
    bases = [model.get_layer("vgg16").layers for model in (before, after)]
    (frozen, still), (first, last) = (
        pair for pair in zip(*bases, strict=True) if isinstance(pair[0], keras.layers.BatchNormalization)
    )
    assert all(np.array_equal(b, a) for b, a in zip(frozen.get_weights(), still.get_weights(), strict=True))
    assert type(last) is keras.layers.BatchNormalization
    assert not np.array_equal(first.gamma, last.gamma)
    assert np.array_equal(first.moving_mean, last.moving_mean) == (batch_norm == "inference")
    assert np.array_equal(first.moving_variance, last.moving_variance) == (batch_norm == "inference")


def test_nothing_is_dropped_inside_and_as_much_as_ever_in_the_head(small_backbone: None) -> None:
    for batch_norm, rates in (("inference", [0.0, 0.3]), ("training", [0.5, 0.3])):
        model = transfer.network(
            size=32, channels=3, classes=2, backbone="vgg16", dropout=0.3, batch_norm=batch_norm
        )
        kept = keras.models.model_from_json(
            json.dumps(fine_tuning.keep_inference(json.loads(model.to_json())))
        )
        found = [la.rate for la in kept._flatten_layers() if isinstance(la, keras.layers.Dropout)]
        assert found == rates


def test_a_training_that_was_interrupted_ends_with_the_same_bytes(
    whole: Callable[..., Path], undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    class Killed(Exception):
        pass

    from analysis.models.checkpoint import Checkpoint

    end = Checkpoint.on_epoch_end

    def kill(self: Any, epoch: int, logs: Any = None) -> None:
        end(self, epoch, logs)
        begun.append(epoch)
        if len(begun) == 1:
            raise Killed

    monkeypatch.setattr(Checkpoint, "on_epoch_end", kill)
    with pytest.raises(Killed):
        whole("resumed", **ONCE)
    resumed = whole("resumed", **ONCE)
    assert begun == [0, 1]
    for name in ("model.keras", "history.csv", "training.json", "input.json"):
        assert (undisturbed / name).read_bytes() == (resumed / name).read_bytes()

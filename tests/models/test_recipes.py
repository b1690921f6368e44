"""What the published studies do to their trainings: heads, weights, warm starts, learning rates, mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from analysis.errors import ArchitectureError
from analysis.models import architecture, augmentation, batches, class_weights, heads
from analysis.models.pictures import Pictures, Scaling, plain, read
from analysis.models.prediction import predict as predict_stage
from analysis.progress import silent

Run = Callable[..., Path]
Recipe = dict[str, Any]
TWO = ["round", "striped"]
ENDS = {"softmax": (2, "softmax"), "sigmoid": (1, "sigmoid"), "logits": (2, None)}
MEMORY = [
    {"kind": "reduce_learning_rate", "monitor": "val_loss", "factor": 0.5, "patience": 1, "min_delta": 0.2},
    {"kind": "checkpoint", "monitor": "val_accuracy"},
    {"kind": "early_stopping", "monitor": "val_loss", "patience": 3, "restore_best": True},
]


def network(folder: Path, head: str, *, dropout: float = 0.0, augmented: bool = False) -> None:
    keras.utils.clear_session()
    units, activation = ENDS[head]
    layers = [keras.Input((32, 32, 3))]
    if augmented:
        layers += [keras.layers.RandomZoom(0.1, fill_mode="reflect"), keras.layers.RandomRotation(0.2)]
        layers += [keras.layers.RandomContrast(0.2)]
    layers += [keras.layers.AveragePooling2D(4), keras.layers.Flatten(), keras.layers.Dropout(dropout)]
    layers += [keras.layers.BatchNormalization(), keras.layers.Dense(units, activation)]
    (folder / "architecture.json").write_text(keras.Sequential(layers).to_json(), encoding="utf-8")


@pytest.fixture
def two(write_pictures: Callable[..., dict[str, Path]], tmp_path: Path) -> dict[str, Path]:
    """Return pictures of two classes, 40 and 15."""
    return write_pictures(tmp_path / "two", (40, 15))


@pytest.fixture
def short(recipe: Recipe) -> Recipe:
    plainly = {"class_balance": "none", "augmentation": [], "callbacks": [], "epochs": 2}
    return {**recipe, **plainly, "classes": TWO}


@pytest.mark.parametrize("head", ENDS)
def test_every_head_gives_a_probability_for_each_class(
    two: dict[str, Path], short: Recipe, train: Run, predict: Run, tmp_path: Path, head: str
) -> None:
    network(two["architecture"], head)
    out = train(two, tmp_path, short)
    facts = json.loads((out / "training.json").read_text())
    assert (facts["head"], facts["loss"].split("_")[0]) == (
        head,
        "binary" if head == "sigmoid" else "categorical",
    )
    table = pd.read_csv(predict(two, out, tmp_path / "predicted", TWO))
    y_score = table[TWO].to_numpy()
    np.testing.assert_allclose(y_score.sum(1), 1, rtol=1e-6)
    val = (table["split"] == "val").to_numpy()
    y_true = table["y_true"].map(TWO.index).to_numpy()
    last = pd.read_csv(out / "history.csv").iloc[-1]
    assert -np.log(y_score[range(len(table)), y_true])[val].mean() == pytest.approx(
        last["val_loss"], rel=1e-4
    )
    assert (y_score.argmax(1) == y_true)[val].mean() == pytest.approx(last["val_accuracy"])


def test_a_head_that_fits_no_classes() -> None:
    inputs = keras.Input((4,))
    for layer, classes in ((keras.layers.Dense(1, "sigmoid"), 3), (keras.layers.Dense(4, "softmax"), 3)):
        with pytest.raises(ArchitectureError, match="softmax"):
            heads.head(keras.Model(inputs, layer(inputs)), classes)
    outputs = np.array([[0.25]], np.float32)
    np.testing.assert_array_equal(heads.probabilities("sigmoid", outputs), [[0.75, 0.25]])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("none", None),
        # Study 003: total / (4 count), as printed.
        ("balanced", {"covid": 1.463187, "normal": 0.519132, "viral": 3.934015, "opacity": 0.880225}),
        (
            {"covid": 13, "normal": 1, "viral": 1, "opacity": 2},
            {"covid": 13, "normal": 1, "viral": 1, "opacity": 2},
        ),
    ],
)
def test_class_weights_as_published(rule: Any, expected: Any) -> None:
    counts = {"covid": 2893, "normal": 8154, "viral": 1076, "opacity": 4809}
    found = class_weights.weights(rule, counts)
    assert found == (expected if expected is None else pytest.approx(expected, abs=5e-7))


def test_share_of_the_other_class_in_two_decimals() -> None:
    assert class_weights.weights("other-share", {"normal": 1282, "pneumonia": 3461}) == {
        "normal": 0.73,
        "pneumonia": 0.27,
    }
    with pytest.raises(ValueError, match="heavy"):
        class_weights.weights("heavy", {"normal": 1})


@pytest.mark.parametrize("head", ENDS)
def test_weighted_loss_is_what_keras_reports(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path, head: str
) -> None:
    """With a learning rate of almost nothing the loss of the epoch is that of the untrained network, by hand."""
    network(two["architecture"], head)
    weights = {"round": 0.5, "striped": 13.0}
    once = {"epochs": 1, "optimizer": "sgd", "learning_rate": 1e-12, "batch_size": 33}
    out = train(two, tmp_path, {**short, **once, "class_weights": weights})
    assert json.loads((out / "training.json").read_text())["class_weights"] == [0.5, 13.0]
    first = pd.read_csv(out / "history.csv").iloc[0]

    pictures = read(two)
    rows = pictures.rows("train")
    assert len(rows) == 33
    model = keras.models.load_model(out / "model.keras")
    shown = pictures.levels[rows][..., None].repeat(3, -1) / np.float32(255)
    y_score = heads.probabilities(head, np.asarray(model(shown, training=True)))
    y_true = pictures.classes(rows, TWO)
    losses = -np.log(y_score[range(33), y_true])
    # As Keras means it: the weighted sum over the number of pictures, not over the sum of the weights.
    assert first["loss"] == pytest.approx((losses * np.array([0.5, 13])[y_true]).mean(), rel=1e-4)
    assert first["accuracy"] == pytest.approx((y_score.argmax(1) == y_true).mean())


def test_warm_start_begins_with_the_trained_weights(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path
) -> None:
    network(two["architecture"], "sigmoid")
    first = train(two, tmp_path / "first", short)
    still = {"epochs": 1, "optimizer": "sgd", "learning_rate": 1e-30}
    warm = train({**two, "initial": first}, tmp_path / "warm", {**short, **still})
    cold = train(two, tmp_path / "cold", {**short, **still})
    kernel, untrained = (keras.models.load_model(f / "model.keras").get_weights()[-2] for f in (warm, cold))
    np.testing.assert_array_equal(kernel, keras.models.load_model(first / "model.keras").get_weights()[-2])
    assert not np.array_equal(kernel, untrained)
    network(two["architecture"], "softmax")
    with pytest.raises(ArchitectureError, match="another architecture"):
        train({**two, "initial": first}, tmp_path / "other", short)


def test_learning_rate_is_reduced_and_the_best_epoch_kept(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path
) -> None:
    network(two["architecture"], "softmax")
    out = train(two, tmp_path, {**short, "epochs": 6, "callbacks": MEMORY[:2]})
    history = pd.read_csv(out / "history.csv")
    rates, loss = history["learning_rate"], history["val_loss"]
    best, expected = np.inf, [0.005]
    for value in loss:
        better = value < best - 0.2
        best = value if better else best
        expected.append(expected[-1] * (1 if better else 0.5))
    assert list(rates) == pytest.approx(expected[:-1])
    assert rates.iloc[-1] < rates.iloc[0]
    facts = json.loads((out / "training.json").read_text())
    assert facts["weights_epoch"] == history["val_accuracy"].argmax() + 1
    assert facts["epochs_run"] == 6


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    ("head", "change"),
    [
        ("sigmoid", {"class_weights": "balanced"}),
        ("logits", {"optimizer": "rmsprop"}),
        (
            "softmax",
            {"augmented": "once", "augmentation": [{"kind": "zoom", "range": 0.2, "fill": "nearest"}]}
            | {"input": {"scale": 1.0, "offset": 0.0, "pixels": "interleaved"}},
        ),
    ],
)
def test_killed_with_a_reduced_rate_and_best_weights_ends_with_the_same_bytes(
    two: dict[str, Path], short: Recipe, train: Run, tmp_path: Path, head: str, change: Recipe
) -> None:
    network(two["architecture"], head, dropout=0.3, augmented="class_weights" in change)
    full = {**short, "epochs": 5, "callbacks": MEMORY, **change}

    def kill(done: int, total: int, unit: str, **figures: float) -> None:
        if unit == "epochs" and done == 4:
            raise Killed

    whole = train(two, tmp_path / "whole", full)
    with pytest.raises(Killed):
        train(two, tmp_path / "killed", full, kill)
    again = train(two, tmp_path / "killed", full)
    assert {p.name: p.read_bytes() for p in whole.iterdir()} == {
        p.name: p.read_bytes() for p in again.iterdir()
    }
    assert pd.read_csv(whole / "history.csv")["learning_rate"].nunique() > 1


def test_augmented_once_shows_the_same_changes_every_epoch(prepared: dict[str, Path]) -> None:
    pictures = read(prepared)
    steps = [{"kind": "shear", "degrees": 0.2}, {"kind": "zoom", "range": 0.2}, {"kind": "horizontal_flip"}]

    def epochs(augmented: str) -> list[np.ndarray]:
        plan = batches.Plan(42, 2, 54, "none", steps, augmented)
        shown = batches.training(pictures, ["round", "striped", "plain"], plan, Scaling(1.0, 0.0, 1))
        return [x.numpy()[..., 0] for x, _ in shown]

    def ordered(batch: np.ndarray) -> np.ndarray:
        return batch[np.argsort(batch.sum((1, 2)))]

    first, second = epochs("once")
    np.testing.assert_array_equal(ordered(first), ordered(second))
    assert not np.array_equal(first, second)
    assert not np.array_equal(ordered(first), ordered(pictures.levels[pictures.rows("train")]))
    fresh, again = epochs("each-epoch")
    assert not np.array_equal(ordered(fresh), ordered(again))


def test_interleaved_pixels_are_those_of_the_published_reshape(prepared: dict[str, Path]) -> None:
    pictures = read(prepared)
    rows = pictures.rows("val")
    scaling = Scaling(1.0, 0.0, 3, "interleaved")
    shown = list(plain(pictures, rows, ["round", "striped", "plain"], scaling, 7))
    x, y = (np.concatenate(part) for part in zip(*shown, strict=True))
    block = pictures.levels[rows][..., None].repeat(3, -1)
    np.testing.assert_array_equal(x.reshape(len(rows), -1), block.reshape(-1, len(rows)).T)
    np.testing.assert_array_equal(y.argmax(1), pictures.classes(rows, ["round", "striped", "plain"]))
    one = Pictures(pictures.levels[:1], pictures.table[:1])
    np.testing.assert_array_equal(one.interleaved(3).levels[0, ..., 1], pictures.levels[0])


def test_test_pictures_scaled_otherwise_are_seen_as_nearly_black(
    two: dict[str, Path], short: Recipe, train: Run, predict: Run, tmp_path: Path
) -> None:
    """A network trained on 0 to 255 and tested on 0 to 1: all test pictures get nearly the same answer."""
    network(two["architecture"], "softmax")
    raw = {"input": {"scale": 1.0, "offset": 0.0, "pixels": "in-place"}}
    out = train(two, tmp_path, {**short, **raw})
    (tmp_path / "faithful").mkdir()
    predict_stage(
        {**two, "model": out}, tmp_path / "faithful", scratch=tmp_path, progress=silent, classes=TWO, seed=42,
        splits=["val", "test"], test_input={"scale": 1 / 255, "offset": 0.0},
    )  # fmt: skip
    wrong = pd.read_csv(tmp_path / "faithful/predictions.csv").set_index("image_id")
    right = pd.read_csv(predict(two, out, tmp_path / "right", TWO)).set_index("image_id")
    val, test = (wrong["split"] == split for split in ("val", "test"))
    pd.testing.assert_frame_equal(wrong[val], right[val])
    assert np.ptp(wrong[test]["round"]) < 0.05 < np.ptp(right[test]["round"])


@pytest.mark.parametrize(
    "steps",
    [
        [
            {"kind": "rotation", "degrees": 40},
            {"kind": "shift", "width": 0.2, "height": 0.1},
            {"kind": "shear", "degrees": 10},
            {"kind": "zoom", "range": 0.2},
        ],
        [{"kind": "zoom", "range": 0.3, "fill": "reflect"}],
        [{"kind": "shear", "degrees": 30, "fill": "constant"}],
    ],
)
def test_warps_are_those_of_image_data_generator(prepared: dict[str, Path], steps: list[Recipe]) -> None:
    from keras.src.legacy.preprocessing.image import apply_affine_transform

    levels = np.load(prepared["images"] / "images.npy")[:8].astype(np.float32)
    changes = augmentation.draw(np.random.default_rng(3), steps, 8, 32)
    assert changes.shape == (8, 1, 8)
    ours = augmentation.applied(levels, changes, steps)
    alone = {
        step["kind"]: augmentation.draw(_same_draws(steps, i), [step], 8, 32)[:, 0]
        for i, step in enumerate(steps)
    }
    for i, picture in enumerate(levels):
        one = {kind: numbers[i].astype(float) for kind, numbers in alone.items()}
        said = {
            "theta": np.rad2deg(np.arctan2(one["rotation"][3], one["rotation"][0]))
            if "rotation" in one
            else 0,
            "tx": one["shift"][2] if "shift" in one else 0,
            "ty": one["shift"][5] if "shift" in one else 0,
            "shear": np.rad2deg(np.arctan2(-one["shear"][1], one["shear"][4])) if "shear" in one else 0,
            "zx": one["zoom"][0] if "zoom" in one else 1,
            "zy": one["zoom"][4] if "zoom" in one else 1,
        }
        theirs = apply_affine_transform(
            picture[..., None], **said, row_axis=0, col_axis=1, channel_axis=2,
            fill_mode={"constant": "grid-constant"}.get(fill := steps[0].get("fill", "nearest"), fill),
        )  # fmt: skip
        np.testing.assert_allclose(ours[i], theirs[..., 0], atol=0.1)
        assert abs(ours[i] - picture).max() > 1


def _same_draws(steps: list[Recipe], place: int) -> np.random.Generator:
    """Return the generator as it stands when the step at ``place`` is drawn."""
    rng = np.random.default_rng(3)
    for step in steps[:place]:
        augmentation.draw(rng, [step], 8, 32)
    return rng


def test_brightness_and_contrast_are_those_of_tf_image() -> None:
    import tensorflow as tf

    levels = np.random.default_rng(0).uniform(0, 255, (6, 9, 9)).astype(np.float32)
    steps = [{"kind": "brightness", "levels": 5.0}, {"kind": "contrast", "low": 0.9, "high": 1.1}]
    changes = augmentation.draw(np.random.default_rng(0), steps, 6, 9)
    added, factor = changes[:, 0, 0], changes[:, 1, 0]
    assert abs(added).max() <= 5 < 10 * np.ptp(added)
    assert 0.9 <= factor.min() < factor.max() <= 1.1
    ours = augmentation.applied(levels, changes, steps)
    for i, picture in enumerate(levels):
        theirs = tf.image.adjust_contrast(tf.image.adjust_brightness(picture[..., None], added[i]), factor[i])
        np.testing.assert_allclose(ours[i], theirs[..., 0], rtol=1e-4)
    assert augmentation.grouped([steps[0], {"kind": "zoom", "range": 0.1}, *([{"kind": "horizontal_flip"}] * 2)]) == [
        (steps[0],), ({"kind": "zoom", "range": 0.1},), ({"kind": "horizontal_flip"},), ({"kind": "horizontal_flip"},)
    ]  # fmt: skip


def test_the_network_that_changes_its_pictures_does_so_as_published() -> None:
    """Zoom keeps the aspect, contrast is between 0.8 and 1.2, and nothing is changed outside training."""
    model = architecture.build("analysis.models.pediatric_official:augmented", {}, 64, 3, 2)
    zoom, rotation, contrast = model.layers[1:4]
    assert (zoom.height_lower, zoom.height_upper, zoom.width_factor) == (-0.1, 0.1, None)
    assert rotation.factor == (-0.2, 0.2)
    pictures = np.random.default_rng(0).uniform(0.3, 0.7, (400, 64, 64, 1)).astype(np.float32)
    spread = np.asarray(contrast(pictures, training=True)).std((1, 2, 3)) / pictures.std((1, 2, 3))
    assert 0.7999 <= spread.min() < 0.82
    assert 1.18 < spread.max() <= 1.2001
    np.testing.assert_array_equal(contrast(zoom(pictures, training=False), training=False), pictures)

"""The stage on where the scores of a network come from."""

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

from analysis.errors import DataError
from analysis.evaluation.predictions import Predictions
from analysis.explanation import feature_maps, grad_cam
from analysis.explanation.attention import choose_images, choose_model
from analysis.progress import silent
from analysis.vocabulary.attention import (
    ATTENTION,
    LAYERS_TABLE,
    MAPS_TABLE,
    NETWORK,
    SHOWN_TABLE,
    names,
    quantity,
)
from analysis.vocabulary.results import Quantity
from tests.explanation.conftest import MASKED
from tests.models.conftest import CLASSES, SIZE

Run = Callable[..., Path]
Study = dict[str, Path]


def results_of(folder: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((folder / "results.json").read_text())
    return found


def test_results_are_those_declared_and_of_their_kinds(explained: Path) -> None:
    found = {f"{ATTENTION}.{name}": entry for name, entry in results_of(explained).items()}
    assert {*found} == {*names(["net"])}
    for name, entry in found.items():
        assert isinstance(entry["value"], int if quantity(name) is Quantity.COUNT else float), name


def test_the_maps_of_random_weights_are_others_and_those_of_the_same_weights_the_same(
    explained: Path, study: Study, explain: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert results_of(explained)["net.rank_correlation"]["value"] < 0.6
    monkeypatch.setattr(grad_cam, "randomise", lambda model, seed: model)
    same = results_of(explain(study, tmp_path / "same"))
    assert same["net.rank_correlation"]["value"] == pytest.approx(1, abs=1e-9)
    assert same["net.lungs.share"]["value"] == same["net.lungs.share_random"]["value"]


def test_the_same_bytes_twice(explained: Path, study: Study, explain: Run, tmp_path: Path) -> None:
    again = explain(study, tmp_path / "again")
    files = {path.name: path.read_bytes() for path in explained.iterdir()}
    assert files == {path.name: path.read_bytes() for path in again.iterdir()}
    assert {*files} == {"pictures.npy", SHOWN_TABLE, MAPS_TABLE, NETWORK, "results.json"}


def test_every_test_image_is_asked_about_and_its_lungs_where_there_is_a_mask(
    explained: Path, study: Study
) -> None:
    table = pd.read_csv(explained / MAPS_TABLE)
    split = pd.read_csv(study["split"] / "split.csv")
    assert list(table["image_id"]) == list(split["image_id"][split["split"] == "test"])
    assert list(table["lung_area"].dropna()) == [0.5] * MASKED
    assert list(table["lung_area"].notna()[:MASKED]) == [True] * MASKED
    found = results_of(explained)
    assert found["net.lungs.images"]["value"] == MASKED
    assert found["net.lungs.area"]["value"] == 0.5
    shares = table["lung_share"].dropna()
    assert found["net.lungs.share"]["value"] == pytest.approx(shares.mean(), abs=1e-5)
    assert shares.between(0, 1).all()
    assert shares.nunique() == MASKED


def test_without_masks_the_share_in_the_lungs_is_not_known(
    study: Study, explain: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README").write_text("No masks.")
    found = results_of(explain({**study, "data": tmp_path / "data"}, tmp_path / "out"))
    assert found["net.lungs.images"]["value"] == 0
    assert found["net.lungs.share"]["value"] is None
    assert "no lung masks" in found["net.lungs.share"]["reason_null"]
    assert found["net.rank_correlation"]["value"] is not None


def test_the_pictures_are_the_images_as_shown_and_their_maps(explained: Path, study: Study) -> None:
    pictures, shown = np.load(explained / "pictures.npy"), pd.read_csv(explained / SHOWN_TABLE)
    assert pictures.shape == (len(shown), 3, SIZE, SIZE)
    assert pictures.dtype == np.uint8
    rows = pd.read_csv(study["records"] / "records.csv").reset_index().set_index("image_id")["index"]
    levels = np.load(study["images"] / "images.npy")
    np.testing.assert_array_equal(pictures[:, 0], levels[rows[shown["image_id"]]])
    assert list(pictures[:, 1].max(axis=(1, 2)) == 0) == list(shown["is_empty"])
    assert set(pictures[:, 1].max(axis=(1, 2))) <= {0, 255}


def test_of_each_class_the_surest_image_called_right_and_the_surest_called_wrong() -> None:
    y_score = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.1, 0.9], [0.2, 0.8]])
    image_id = np.array(["b", "a", "c", "d", "e", "f", "g"], dtype=object)
    said = Predictions(("x", "y"), image_id, image_id, np.array([0, 0, 1, 0, 0, 1, 1]), y_score)
    assert list(image_id[choose_images(said)]) == ["a", "e", "f", "c"]
    alone = Predictions(("x", "y"), image_id[:2], image_id[:2], np.array([0, 0]), y_score[:2])
    assert list(alone.image_id[choose_images(alone)]) == ["a"]


def test_of_several_networks_it_is_the_best_on_validation_images(
    study: Study, explain: Run, tmp_path: Path
) -> None:
    table = pd.read_csv(study["predictions_net"] / "predictions.csv")
    swapped = table.copy()
    first, second, *_ = CLASSES
    inputs = {**study, "model_other": study["model_net"], "predictions_other": tmp_path / "other"}
    inputs["predictions_other"].mkdir()
    for split, best in (("val", "net"), ("test", "other")):  # worse on the images of this split alone
        rows = table["split"] == split
        swapped[[first, second]] = table[[first, second]].where(~rows, table[[second, first]].to_numpy())
        swapped.to_csv(tmp_path / "other" / "predictions.csv", index=False)
        assert choose_model(inputs, CLASSES, ["other", "net"]) == best
    out = explain(inputs, tmp_path / "out", models={"other": None, "net": None})
    assert json.loads((out / NETWORK).read_text())["model"] == "other"
    assert {name.partition(".")[0] for name in results_of(out)} == {"other"}


def test_a_network_without_convolution_has_no_maps_and_the_reason(
    study: Study, explain: Run, tmp_path: Path
) -> None:
    model = shutil.copytree(study["model_net"], tmp_path / "model")
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    keras.Sequential(layers).save(model / "model.keras")
    out = explain({**study, "model_net": model}, tmp_path / "out")
    assert json.loads((out / NETWORK).read_text()) == {"model": "net", "layer": None, "size": None}
    assert all("no convolution" in entry["reason_null"] for entry in results_of(out).values())
    assert pd.read_csv(out / SHOWN_TABLE).empty
    assert np.load(out / "pictures.npy").shape == (0, 3, SIZE, SIZE)
    shown = show(study | {"model_net": model}, tmp_path / "activations")
    assert pd.read_csv(shown / LAYERS_TABLE).empty


def test_predictions_of_other_images_are_refused(study: Study, explain: Run, tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.mkdir()
    table = pd.read_csv(study["predictions_net"] / "predictions.csv", dtype=str, keep_default_na=False)
    table.iloc[::-1].to_csv(said / "predictions.csv", index=False)
    with pytest.raises(DataError, match="other test images"):
        explain({**study, "predictions_net": said}, tmp_path / "out")


def test_another_scale_for_test_images_is_that_of_the_predictions(
    study: Study, explain: Run, tmp_path: Path
) -> None:
    other = explain(study, tmp_path / "other", models={"net": {"scale": 1.0, "offset": -300.0}})
    plain = explain(study, tmp_path / "plain")
    assert (other / MAPS_TABLE).read_text() != (plain / MAPS_TABLE).read_text()


def show(study: Study, out: Path) -> Path:
    out.mkdir()
    settings = {"classes": CLASSES, "model": "net", "test_input": None, "seed": 42}
    feature_maps.show(study, out, scratch=out, progress=silent, **settings)
    return out


def test_feature_maps_are_of_the_surest_right_image_of_the_last_class(
    explained: Path, study: Study, tmp_path: Path
) -> None:
    out = show(study, tmp_path / "out")
    table, shown = pd.read_csv(out / LAYERS_TABLE), pd.read_csv(explained / SHOWN_TABLE)
    assert list(table[["channels", "height", "width"]].iloc[0]) == [6, 30, 30]
    right = shown[shown["called"] == "right"]
    assert table["image_id"].iloc[0] == right["image_id"].iloc[-1]
    assert np.load(out / "layer_0.npy").shape == (6, 30, 30)
    assert np.load(out / "image.npy").shape == (SIZE, SIZE)

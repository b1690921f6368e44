from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from analysis import preparation, splitting
from analysis.errors import DataError
from analysis.evaluation.predictions import read_predictions
from analysis.models import low_detail
from analysis.progress import silent

CLASSES = ["round", "striped", "plain"]
SIZE = 40
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_all_but_early_stopping_is_as_scikit_learn_has_it():
    """So the report says."""
    defaults = HistGradientBoostingClassifier().get_params()
    assert {k: v for k, v in low_detail.SETTINGS.items() if defaults[k] != v} == {"early_stopping": False}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """Write 300 pictures whose class shows in their middle and is hard to see."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 300)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    patterns = [np.hypot(x, y) < 12, np.abs(x) % 16 < 8, np.zeros((SIZE, SIZE))]
    levels = np.stack([rng.normal(100, 60) + 60 * patterns[c] for c in labels])
    levels += rng.normal(0, 90, levels.shape)
    folders = {name: tmp_path / name for name in ("records", "images", "split")}
    for folder in folders.values():
        folder.mkdir()
    np.save(folders["images"] / "images.npy", levels.clip(0, 255).astype(np.uint8))
    ids = [f"images/{i:03}.png" for i in range(300)]
    patients = ["" if i % 3 else f"p{i // 9}" for i in range(300)]
    records = {"image_id": ids, "label": [CLASSES[c] for c in labels], "patient_id": patients}
    pd.DataFrame(records).to_csv(folders["records"] / "records.csv", index=False)
    split = np.array(["train", "train", "val", "test"])[np.arange(300) % 4]
    pd.DataFrame({"image_id": ids, "split": split, "fold": ""}).to_csv(
        folders["split"] / "split.csv", index=False
    )
    return folders


def fit(
    inputs: dict[str, Path], classes: Sequence[str] = CLASSES, splits: Sequence[str] = ("val", "test")
) -> bytes:
    out = inputs["split"].parent / "out"
    out.mkdir(exist_ok=True)
    low_detail.fit(inputs, out, scratch=out, progress=silent, classes=classes, seed=42, splits=splits)
    return (out / "predictions.csv").read_bytes()


def change(path: Path, row: int, **values: str) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[row, list(values)] = list(values.values())
    table.to_csv(path, index=False)


def table_of(inputs: dict[str, Path]) -> pd.DataFrame:
    return pd.read_csv(inputs["split"].parent / "out" / "predictions.csv", dtype=str, keep_default_na=False)


def test_predictions_have_the_columns_of_a_network(inputs: dict[str, Path]) -> None:
    fit(inputs)
    table = table_of(inputs)
    assert list(table) == ["image_id", "split", "fold", "seed", "patient_id", "y_true", *CLASSES]
    records = pd.read_csv(inputs["records"] / "records.csv", dtype=str, keep_default_na=False)
    split = pd.read_csv(inputs["split"] / "split.csv")["split"]
    expected = records[split != "train"].reset_index(drop=True)
    assert table[["image_id", "patient_id"]].equals(expected[["image_id", "patient_id"]])
    assert table["y_true"].tolist() == expected["label"].tolist()
    assert set(table["seed"]) == {"42"}
    path = inputs["split"].parent / "out" / "predictions.csv"
    predictions = read_predictions(path, CLASSES, ["val", "test"])
    assert {name: len(part.y_true) for name, part in predictions.items()} == {"val": 75, "test": 75}
    for text in table[CLASSES].to_numpy().ravel():
        assert str(np.float32(text)) == text


def test_trees_learn_what_eight_by_eight_pixels_show(inputs: dict[str, Path]) -> None:
    fit(inputs)
    table = table_of(inputs)
    called = np.array(CLASSES)[table[CLASSES].astype(float).to_numpy().argmax(axis=1)]
    assert 0.5 < (called == table["y_true"]).mean() < 1


def test_same_as_the_library_fitted_on_train_alone(inputs: dict[str, Path]) -> None:
    fit(inputs, splits=["test"])
    images = np.load(inputs["images"] / "images.npy")
    # 40 px: each pixel of the thumbnail is the mean of 5 x 5.
    thumbnails = np.rint(images.reshape(300, 8, 5, 8, 5).mean(axis=(2, 4))).reshape(300, 64)
    np.testing.assert_allclose(low_detail.thumbnails(images, silent), thumbnails, atol=1)
    labels = pd.read_csv(inputs["records"] / "records.csv")["label"]
    split = pd.read_csv(inputs["split"] / "split.csv")["split"]
    trees = HistGradientBoostingClassifier(early_stopping=False)
    x = low_detail.thumbnails(images, silent)
    with threadpool_limits(1, "openmp"):
        trees.fit(x[split == "train"], labels[split == "train"])
        expected = trees.predict_proba(x[split == "test"])[:, [1, 2, 0]]  # plain, round, striped
    np.testing.assert_allclose(table_of(inputs)[CLASSES].astype(float), expected, rtol=1e-6)


def test_labels_of_validation_and_test_change_nothing_but_themselves(inputs: dict[str, Path]) -> None:
    fit(inputs)
    before = table_of(inputs)
    path = inputs["records"] / "records.csv"
    records = pd.read_csv(path, dtype=str, keep_default_na=False)
    others = pd.read_csv(inputs["split"] / "split.csv")["split"] != "train"
    records.loc[others, "label"] = np.random.default_rng(0).permutation(records.loc[others, "label"])
    records.to_csv(path, index=False)
    fit(inputs)
    after = table_of(inputs)
    assert not after["y_true"].equals(before["y_true"])
    assert after.drop(columns="y_true").equals(before.drop(columns="y_true"))


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_changes_no_byte(
    inputs: dict[str, Path], monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    expected = fit(inputs)
    used = []

    class Watched(HistGradientBoostingClassifier):
        def fit(self, x: Any, y: Any) -> Any:
            used.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp")
            return super().fit(x, y)

    monkeypatch.setattr(low_detail, "HistGradientBoostingClassifier", Watched)
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        with threadpool_limits(threads, "openmp"):
            assert fit(inputs) == expected
    finally:
        cv2.setNumThreads(before)
    assert set(used) == {1}


def test_class_order_follows_the_study(inputs: dict[str, Path]) -> None:
    fit(inputs)
    before = table_of(inputs)
    fit(inputs, classes=CLASSES[::-1])
    assert list(table_of(inputs))[-3:] == CLASSES[::-1]
    np.testing.assert_allclose(
        table_of(inputs)[CLASSES].astype(float), before[CLASSES].astype(float), atol=1e-5
    )


def test_class_without_training_pictures_has_probability_zero(inputs: dict[str, Path]) -> None:
    fit(inputs, classes=["absent", *CLASSES])
    assert set(table_of(inputs)["absent"]) == {"0.0"}


def test_unknown_label_is_named(inputs: dict[str, Path]) -> None:
    change(inputs["records"] / "records.csv", 7, label="flu")
    with pytest.raises(DataError, match='"flu", none of the classes') as error:
        fit(inputs)
    assert error.value.hint


@pytest.mark.parametrize("shortened", ["images", "split"])
def test_stages_that_tell_of_other_pictures_are_refused(inputs: dict[str, Path], shortened: str) -> None:
    if shortened == "images":
        path = inputs["images"] / "images.npy"
        np.save(path, np.load(path)[1:])
    else:
        change(inputs["split"] / "split.csv", 3, image_id="images/other.png")
    with pytest.raises(DataError, match="differ") as error:
        fit(inputs)
    assert error.value.hint


def real_records() -> pd.DataFrame:
    """Return 120 pictures of each class, spread over the collections."""
    manifest = pd.read_csv(DATA / "manifest.csv", dtype=str, keep_default_na=False)
    classes = {"bacteria": "bacterial", "COVID-19": "covid_19", "normal": "healthy", "virus": "viral"}
    known = manifest[manifest["set"].isin(["kermany", "covid19"]) & manifest["subtype"].isin(classes)]
    parts = [part.iloc[:: len(part) // 120][:120] for _, part in known.groupby("subtype")]
    chosen = pd.concat(parts).rename(columns={"path": "image_id"})
    return chosen.assign(label=chosen["subtype"].map(classes))[["image_id", "label", "patient_id", "sha256"]]


@pytest.mark.real
def test_eight_by_eight_pixels_of_real_pictures_tell_the_classes_better_than_chance(tmp_path: Path) -> None:
    if not DATA.is_dir():
        assert os.environ.get("CI") != "true", f"{DATA} is missing"
        pytest.skip("no real X-rays beside the project")
    inputs = {name: tmp_path / name for name in ("records", "images", "split")}
    for folder in inputs.values():
        folder.mkdir()
    real_records().to_csv(inputs["records"] / "records.csv", index=False)
    classes = ["bacterial", "covid_19", "healthy", "viral"]
    run: dict[str, Any] = {"scratch": tmp_path, "progress": silent}
    preparation.prepare(
        {**inputs, "data": DATA}, inputs["images"], size=64, fit="squash", resample="area", **run
    )
    how: dict[str, Any] = {"protocol": "stratified", "test": 0.2, "val": 0.2, "seed": 42, "group": "patient"}
    how |= {"draw": "stratified", "official_val": "val", "subset": {}}
    splitting.split(inputs, inputs["split"], classes=classes, **how, **run)
    fit(inputs, classes=classes, splits=["test"])
    table = table_of(inputs)
    called = np.array(classes)[table[classes].astype(float).to_numpy().argmax(axis=1)]
    recall = [(called == c)[table["y_true"] == c].mean() for c in classes]
    assert 0.5 < np.mean(recall) < 0.9
    assert recall[1] > 0.7  # adults of another collection: seen in any size

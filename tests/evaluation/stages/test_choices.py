"""What is chosen or fitted is chosen on validation; the test set is read once, to be measured."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.stages.evaluate import probability_results
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.tables.calibration import calibration_results, correct
from analysis.evaluation.tables.operating_points import (
    operating_point_results,
)
from analysis.progress import silent

SPLITS = ["val", "test"]
COUNTS = [200, 20, 100, 80]
CHOSEN = re.compile(r".*\.(training|temperature|threshold_at_\d\d)(\.|$)|.*\.val\.")


def shuffled(p: Predictions, seed: int = 5) -> Predictions:
    return replace(p, y_true=np.random.default_rng(seed).permutation(p.y_true))


def test_no_choice_and_nothing_of_validation_depends_on_the_labels_of_test(assignment, one_analysis) -> None:
    """A whole study, and again with the labels of its test set shuffled: records and predictions have the same."""
    scrambled = one_analysis(scrambled=True)
    chosen = {n for n in scrambled.results if CHOSEN.match(n) and not n.startswith("data")}
    assert len(chosen) > 500
    for name in chosen:
        assert scrambled.results[name] == assignment.results[name], name
    for stage in ("evaluate.baseline", "evaluate.improved", "evaluate.low_detail"):
        for table in ("measures", "roc", "bands", "reliability", "confusion", "auroc", "average_precision"):
            was, now = (
                built.table(stage, table).query("split == 'val'") for built in (assignment, scrambled)
            )
            pd.testing.assert_frame_equal(was, now)
    for model in ("baseline", "improved", "low_detail"):
        was, now = (built.value(f"{model}.test.accuracy") for built in (assignment, scrambled))
        assert now < 0.55 < was or model == "low_detail", "the labels are no longer those of the images"
    assert {"threshold_at_90", "temperature"} <= {name.split(".")[2] for name in chosen}


def test_corrected_probabilities_do_not_depend_on_the_labels_of_test(predictions) -> None:
    other = {**predictions, "test": shuffled(predictions["test"])}
    was, now = (correct(p, COUNTS, "oversample") for p in (predictions, other))
    assert was.temperature == now.temperature
    for stage in ("prior", "scaled"):
        for split in SPLITS:
            a, b = (getattr(corrected, stage)[split].y_score for corrected in (was, now))
            assert (a == b).all()
    points = [operating_point_results(p, "healthy", "p.csv") for p in (predictions, other)]
    assert points[0]["val"] == points[1]["val"]
    assert points[0]["test"] != points[1]["test"]


def test_the_labels_of_validation_are_what_chooses(predictions) -> None:
    other = {**predictions, "val": shuffled(predictions["val"])}
    was, now = (correct(p, COUNTS, "oversample") for p in (predictions, other))
    assert now.temperature > 1.5 * was.temperature, "labels that scores do not tell flatten them"
    points = [operating_point_results(p, "healthy", "p.csv") for p in (predictions, other)]
    assert points[0]["val"]["threshold_at_90.viral"] != points[1]["val"]["threshold_at_90.viral"]


def write_pictures(
    folder: Path, labels: np.ndarray, levels: np.ndarray, split: np.ndarray
) -> dict[str, Path]:
    """Write what the train stage is given."""
    import keras

    folders = {name: folder / name for name in ("records", "images", "split", "architecture")}
    for path in folders.values():
        path.mkdir(parents=True)
    ids = [f"{i:03}.png" for i in range(len(labels))]
    records = pd.DataFrame({"image_id": ids, "label": labels, "patient_id": ""})
    records.to_csv(folders["records"] / "records.csv", index=False)
    pd.DataFrame({"image_id": ids, "split": split, "fold": ""}).to_csv(
        folders["split"] / "split.csv", index=False
    )
    np.save(folders["images"] / "images.npy", levels)
    keras.utils.clear_session()
    layers = [keras.Input((16, 16, 3)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    text = keras.Sequential(layers).to_json()
    (folders["architecture"] / "architecture.json").write_text(text, encoding="utf-8")
    return folders


def test_the_chosen_epoch_and_the_network_know_nothing_of_test(tmp_path: Path) -> None:
    """Other labels and other pictures in test give the same bytes; other labels in val choose another epoch."""
    from analysis.models import training

    rng = np.random.default_rng(2)
    side = np.arange(90) % 2
    bright = 128 + 60 * np.where(np.arange(16) < 8, 1, -1) * (1 - 2 * side)[:, None]
    levels = rng.normal(bright[:, None], 20, (90, 16, 16)).clip(0, 255).astype(np.uint8)
    split = np.array(["train", "train", "val", "test", "test"])[np.arange(90) // 2 % 5]
    test, val = (split == part for part in ("test", "val"))

    def train(name: str, side: np.ndarray, levels: np.ndarray) -> dict[str, bytes]:
        inputs = write_pictures(tmp_path / name, np.array(["left", "right"])[side], levels, split)
        out = tmp_path / name / "out"
        out.mkdir()
        stopping = {"kind": "early_stopping", "monitor": "val_loss", "patience": 2, "restore_best": True}
        training.train(
            inputs, out, scratch=out, progress=silent, classes=["left", "right"], seed=1, fit="squash", resample="area",
            input={"scale": 1 / 255, "offset": 0.0, "pixels": "in-place"}, class_balance="none", class_weights="none",
            augmentation=[], augmented="each-epoch", label_smoothing=0.0, optimizer="adam", learning_rate=0.005,
            weight_decay=0.0, schedule=None, epochs=6, batch_size=8, callbacks=[stopping], averaged_over=[],
        )  # fmt: skip
        return {path: (out / path).read_bytes() for path in ("training.json", "history.csv", "model.keras")}

    # In validation the labels are the wrong way round: the more is learnt, the worse, so that an early epoch is best.
    wrong = np.where(val, 1 - side, side)
    first = train("first", wrong, levels)
    other_side, other_levels = wrong.copy(), levels.copy()
    other_side[test] = rng.permutation(side[test])
    other_levels[test] = rng.integers(0, 256, (test.sum(), 16, 16))
    assert train("scrambled", other_side, other_levels) == first
    facts, right = (json.loads(of["training.json"]) for of in (first, train("right", side, levels)))
    assert facts["validation_pictures"] == val.sum()
    assert facts["weights_epoch"] == facts["best_epoch"] < facts["epochs_run"]
    assert right["weights_epoch"] > facts["weights_epoch"]


def test_all_of_it_is_there_by_split(predictions) -> None:
    corrected = correct(predictions, COUNTS, "oversample")
    weights = {split: resamples(p, 50) for split, p in predictions.items()}
    results = probability_results(corrected, "healthy", weights, "predict.net/predictions.csv")
    assert set(results) == set(SPLITS)
    points = operating_point_results(predictions, "healthy", "predict.net/predictions.csv")
    for split in SPLITS:
        alone = calibration_results(corrected, split, weights[split], "predict.net/predictions.csv")
        assert results[split] == alone | points[split]
        assert {item["artifact"] for item in results[split].values()} == {"predict.net/predictions.csv"}

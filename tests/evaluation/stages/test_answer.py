"""What is known of a network, and an answer made with it: as the evaluation calibrates, and by the study's own images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation.predictions import read_predictions
from analysis.evaluation.stages.answer import answer
from analysis.evaluation.stages.describe_model import describe
from analysis.evaluation.tables.calibration import correct
from analysis.progress import silent
from tests.evaluation.conftest import CLASSES


@pytest.fixture
def known(tmp_path: Path, prediction_table) -> dict[str, Path]:
    """Return the files of a training on 240 images, those of validation and test as they are predicted."""
    tables = [prediction_table(1, split=split) for split in ("val", "test")]
    tables.append(tables[0].assign(split="train", image_id=[f"train/{i}" for i in range(120)]))
    table = pd.concat(tables)
    files = {name: tmp_path / f"{name}.csv" for name in ("predictions", "records", "split")} | {
        name: tmp_path / f"{name}.json" for name in ("training", "input")
    }
    table[table["split"] != "train"].to_csv(files["predictions"], index=False)
    table.rename(columns={"y_true": "label"})[["image_id", "label"]].to_csv(files["records"], index=False)
    table[["image_id", "split"]].to_csv(files["split"], index=False)
    files["images"] = tmp_path / "images.npy"
    np.save(files["images"], np.random.default_rng(1).integers(0, 256, (len(table), 16, 16), np.uint8))
    return files


def run(known: dict[str, Path], tmp_path: Path, balance: str) -> tuple[Path, list[dict]]:
    """Return the folder of what is known of the network, and its answers about the test images and a broken one."""
    facts = {"class_balance": balance, "class_weights": None, "head": "softmax"}
    known["training"].write_text(json.dumps(facts))
    asked, out, classified = (tmp_path / f"{name}_{balance}" for name in ("asked", "out", "classified"))
    for folder in (asked, out, classified):
        folder.mkdir()
    stage = {"scratch": tmp_path, "progress": silent, "classes": CLASSES}
    describe({k: v for k, v in known.items() if k != "input"}, out, **stage, split="test")
    test = read_predictions(known["predictions"], CLASSES, ["test"])["test"]
    rows = [
        {"image": name, "probabilities": dict(zip(CLASSES, map(float, row), strict=True))}
        for name, row in zip(test.image_id, test.y_score, strict=True)
    ]
    rows.insert(1, {"image": "broken.png", "problem": "no image"})
    (classified / "probabilities.json").write_text(json.dumps(rows))
    np.save(classified / "images.npy", np.load(known["images"])[120:240])
    answer(
        {"classified": classified, **dict.fromkeys(("calibration", "training", "tested"), out)},
        asked,
        **stage,
    )
    return out, json.loads((asked / "answers.json").read_text())


@pytest.mark.parametrize("balance", ["none", "oversample"])
def test_probabilities_are_those_that_the_evaluation_calibrates(known, tmp_path, balance):
    out, answers = run(known, tmp_path, balance)
    counts = json.loads((out / "model.json").read_text())["counts"]
    assert {part: sum(of.values()) for part, of in counts.items()} == {"val": 120, "test": 120, "train": 120}
    predictions = read_predictions(known["predictions"], CLASSES, ["val", "test"])
    expected = correct(predictions, list(counts["train"].values()), balance).scaled["test"]
    assert answers.pop(1) == {"image": "broken.png", "problem": "no image"}
    found = np.array([[row["probabilities"][c] for c in CLASSES] for row in answers])
    np.testing.assert_allclose(found, expected.y_score, rtol=1e-9)
    assert [row["predicted"] for row in answers] == [CLASSES[k] for k in predictions["test"].y_pred]
    assert answers[0]["uncalibrated"] == pytest.approx(
        dict(zip(CLASSES, predictions["test"].y_score[0], strict=True))
    )


def test_a_test_image_is_as_unlike_as_it_is_among_the_test_images(known, tmp_path):
    _, answers = run(known, tmp_path, "none")
    looks = [row["resemblance"] for row in answers if "problem" not in row]
    assert sorted(look["as_unlike"] for look in looks) == [*range(1, 121)]
    assert {look["of"] for look in looks} == {120}
    assert sum(look["unlike"] for look in looks) == 1
    least = min(looks, key=lambda look: look["value"])
    assert least["unlike"]


def test_of_a_file_nothing_is_known_but_its_calibration(known, tmp_path):
    out, first = run(known, tmp_path, "oversample")
    known["input"].write_text(
        json.dumps({"calibration": json.loads((out / "model.json").read_text())["calibration"]})
    )
    inputs = {"classified": tmp_path / "classified_oversample", "calibration": known["input"]}
    answer(inputs, out, scratch=tmp_path, progress=silent, classes=CLASSES)
    again = json.loads((out / "answers.json").read_text())
    assert again[0] == first[0] | {"resemblance": None}

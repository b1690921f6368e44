"""Made-up predictions, and whole studies evaluated on them: all but networks and figures is real."""

from __future__ import annotations

import importlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from analysis.evaluation.predictions import Predictions, cluster_ids
from analysis.progress import silent
from report.engine.stage import Output, Stage
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.study.study import Study
from tests.specimen import TWO_NETWORKS

CLASSES = ("bacterial", "covid_19", "healthy", "viral")
ASSIGNMENT = TWO_NETWORKS
SKILL = {"baseline": 1.3, "improved": 2.3, "low_detail": 0.8}
PICTURES = 600


def prediction_table(seed: int, *, split: str, n: int = 120, skill: float = 1.5) -> pd.DataFrame:
    """Return rows of ``predictions.csv`` with every class present and two pictures a patient."""
    rng = np.random.default_rng(7 if split == "val" else 8)
    y_true = np.r_[np.arange(4), rng.integers(0, 4, n - 4)]
    table = pd.DataFrame(
        {
            "image_id": [f"images/{split}_{i:04d}.jpg" for i in range(n)],
            "split": split,
            "fold": "",
            "seed": 42,
            "patient_id": [f"p{i // 2}" if i % 10 else "" for i in range(n)],
            "y_true": [CLASSES[k] for k in y_true],
        }
    )
    table[list(CLASSES)] = softmax_scores(seed, y_true, skill)
    return table


def softmax_scores(seed: int, y_true: np.ndarray, skill: float) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(len(y_true), 4)) + skill * np.eye(4)[y_true]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.fixture(scope="session", name="prediction_table")
def _prediction_table() -> Callable[..., pd.DataFrame]:
    return prediction_table


@pytest.fixture
def predict(tmp_path: Path) -> Callable[..., Path]:
    """Write the output of a predict stage for one model and return its folder."""

    def write(name: str, seed: int, **options: float) -> Path:
        folder = tmp_path / f"predict_{name}"
        folder.mkdir()
        tables = [prediction_table(seed, split=split, **options) for split in ("val", "test")]
        pd.concat(tables).to_csv(folder / "predictions.csv", index=False)
        return folder

    return write


@pytest.fixture(scope="session")
def made_up() -> Callable[..., Predictions]:
    """Return a function that makes predictions of patients with one to three pictures."""

    def make(seed: int, *, n: int = 160, skill: float = 1.5, digits: int = 9) -> Predictions:
        rng = np.random.default_rng(7)  # the same pictures whatever the model
        y_true = np.r_[np.arange(4), rng.integers(0, 4, n - 4)]
        patient = np.array([f"p{g}" for g in np.sort(rng.integers(0, n // 2, n))], dtype=object)
        scores = np.round(softmax_scores(seed, y_true, skill), digits)
        ids = np.array([f"{i}.jpg" for i in range(n)], dtype=object)
        return Predictions(CLASSES, ids, patient, y_true, scores / scores.sum(axis=1, keepdims=True))

    return make


@pytest.fixture(scope="session")
def predictions(made_up) -> dict[str, Predictions]:
    """Validation and test of one model; in validation fewer images are viral."""
    val, test = made_up(1, n=300), made_up(2, n=300)
    kept = (val.y_true != 3) | (np.arange(300) % 3 == 0)
    parts = (part[kept] for part in (val.image_id, val.patient_id, val.y_true, val.y_score))
    return {"val": Predictions(CLASSES, *parts), "test": test}


@dataclass(frozen=True)
class Built:
    """A study whose stages lie in folders of their names."""

    study: Study
    stages: list[Stage]
    root: Path

    def of(self, stage: str) -> dict[str, Any]:
        """Return the results that a stage wrote, in which no number may be NaN."""
        text = (self.root / stage / "results.json").read_text()
        found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
        return found

    def table(self, stage: str, name: str) -> pd.DataFrame:
        return pd.read_csv(self.root / stage / f"{name}.csv")

    @cached_property
    def results(self) -> dict[str, Any]:
        """Every result that the document may print."""
        return self.of("results")["results"]

    @cached_property
    def verdicts(self) -> list[dict[str, Any]]:
        return self.of("results")["verdicts"]

    def value(self, name: str) -> Any:
        return self.results[name]["value"]

    def again(self, stage: str, out: Path, **changes: Any) -> Path:
        """Run an evaluation once more, with other parameters."""
        run(next(s for s in self.stages if s.name == stage), self.root, out, changes)
        return out


def run(stage: Stage, root: Path, out: Path, changes: dict[str, Any]) -> None:
    inputs = {name: root / where.stage for name, where in stage.inputs.items() if isinstance(where, Output)}
    module, _, name = stage.function.partition(":")
    out.mkdir()
    function = getattr(importlib.import_module(module), name)
    with threadpool_limits(1):  # as in a worker
        function(inputs, out, scratch=out, progress=silent, **{**stage.params, **changes})


def build(root: Path, study: Study, *, scrambled: bool = False) -> None:
    """Write what the networks of a study would have said, and run every stage of the evaluation on it.

    With ``scrambled`` the labels of the test set are shuffled, and nothing else is different.
    """
    plan = stages_of(study)
    records = records_table()
    truth = records["label"].map(CLASSES.index).to_numpy()
    first, second = split_column(records["image_id"]), split_column(cluster_ids(records))
    if scrambled:
        test = first == "test"
        records.loc[test, "label"] = np.random.default_rng(6).permutation(records["label"].to_numpy()[test])
    for stage in plan:
        split = second if "@patient" in stage.name else first
        match re.match("[a-z]*", stage.name).group():
            case "read":
                write_read(root / stage.name, records)
            case "split":
                write_split(root / stage.name, records, split)
            case "predict":
                write_predictions(root / stage.name, records.assign(split=split), truth)
            case "train":
                write_training(root / stage.name)
            case "architecture":
                write_architecture(root / stage.name)
            case "audit" | "attention":  # of their stages there are tests of their own
                (root / stage.name).mkdir()
                (root / stage.name / "results.json").write_text("{}")
            case "evaluate" | "compare" | "ledger" | "results":
                run(stage, root, root / stage.name, {})


def stages_of(study: Study) -> list[Stage]:
    return make_stages(study, Place(ASSIGNMENT, "sample"))


def records_table() -> pd.DataFrame:
    """Return pictures of which those of a patient are mostly of one class; every tenth has no known patient."""
    rng = np.random.default_rng(3)
    label = rng.choice(4, PICTURES, p=(0.4, 0.12, 0.24, 0.24))
    like_the_first = rng.random(PICTURES) < 0.8
    label = np.where(like_the_first, label[np.arange(PICTURES) // 2 * 2], label)
    return pd.DataFrame(
        {
            "image_id": [f"images/{i:03}.jpg" for i in range(PICTURES)],
            "label": [CLASSES[k] for k in label],
            "patient_id": [f"p{i // 2}" if i % 10 else "" for i in range(PICTURES)],
            "sha256": [f"{i:064x}" for i in range(PICTURES)],
        }
    )


def split_column(of_whom: Any) -> np.ndarray:
    """Return train, val or test for each row, equal rows of ``of_whom`` together."""
    who = np.unique(of_whom, return_inverse=True)[1]
    drawn = np.random.default_rng(4).choice(["train", "val", "test"], who.max() + 1, p=(0.6, 0.2, 0.2))
    return np.asarray(drawn[who], dtype=object)


def write_read(folder: Path, records: pd.DataFrame) -> None:
    folder.mkdir()
    records.to_csv(folder / "records.csv", index=False)
    (folder / "excluded.csv").write_text("file,reason,detail\nx.json,CT slice,\ny.json,CT slice,\n")
    found = f"annotations found,{PICTURES},found\nimages found,{PICTURES + 2},found"
    (folder / "flow.csv").write_text(
        f"step,count,kind\n{found}\nCT slice,2,excluded\nimages kept,{PICTURES},kept\n"
    )


def write_split(folder: Path, records: pd.DataFrame, split: np.ndarray) -> None:
    folder.mkdir()
    records[["image_id"]].assign(split=split, fold="").to_csv(folder / "split.csv", index=False)


def write_architecture(folder: Path) -> None:
    folder.mkdir()
    (folder / "summary.json").write_text('{"parameters": 10, "trainable_parameters": 9}')


def write_predictions(folder: Path, records: pd.DataFrame, truth: np.ndarray) -> None:
    """Write what a model says: it follows from its name and from ``truth``, not from the labels written."""
    folder.mkdir()
    name = folder.name.removeprefix("predict.")
    skill = SKILL[name.partition("@")[0]]
    table = records.rename(columns={"label": "y_true"}).assign(fold="", seed=42)
    table = table[["image_id", "split", "fold", "seed", "patient_id", "y_true"]]
    table[list(CLASSES)] = softmax_scores(zlib.crc32(name.encode()), truth, skill)
    table[table["split"] != "train"].to_csv(folder / "predictions.csv", index=False)


def write_training(folder: Path) -> None:
    """Write the history of a training whose validation loss is lowest in epoch 3."""
    folder.mkdir()
    history = pd.DataFrame(
        {
            "epoch": range(1, 6),
            "loss": [1.2, 0.9, 0.6, 0.4, 0.2],
            "accuracy": [0.4, 0.6, 0.7, 0.8, 0.9],
            "val_loss": [1.1, 0.8, 0.7, 0.75, 0.9],
            "val_accuracy": [0.5, 0.6, 0.72, 0.74, 0.71],
        }
    )
    history.to_csv(folder / "history.csv", index=False)
    (folder / "training.json").write_text('{"weights_epoch": 5, "class_weights": null}')


@pytest.fixture(scope="session")
def evaluated(once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[..., Built]:
    """Return a function that builds the assignment with some overrides; equal ones are built once a run of the tests."""

    def make(*overrides: str, scrambled: bool = False) -> Built:
        study = load(ASSIGNMENT / "study.toml", overrides)
        name = f"evaluated-{zlib.crc32(repr((overrides, scrambled)).encode())}"
        root = once(name, lambda folder: build(folder, study, scrambled=scrambled))
        return Built(study, stages_of(study), root)

    return make


@pytest.fixture(scope="session")
def assignment(evaluated: Callable[..., Built]) -> Built:
    """The assignment: two models, of which the second oversamples; as it splits, and by patient; one seed."""
    return evaluated()


@pytest.fixture(scope="session")
def one_analysis(evaluated: Callable[..., Built]) -> Callable[..., Built]:
    """Return a function that builds the assignment without its analysis by patient."""
    return partial(evaluated, "split.also=none")


@pytest.fixture(scope="session")
def three_seeds(one_analysis: Callable[..., Built]) -> Built:
    """The assignment with every model trained three times."""
    return one_analysis("training.seeds=[42,43,44]")

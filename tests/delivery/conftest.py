"""A build folder of the assignment's sample whose networks are made up."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation.results_file import Basis, entry, write_json
from analysis.vocabulary import attention
from analysis.vocabulary.results import Quantity
from report import PROJECT
from report.delivery import evidence, made_up, publish, recompute
from report.delivery.recompute import RepeatedStage
from report.document.svg import SVG
from report.engine.recipe import Surroundings
from report.engine.stage import Stage
from report.pipeline.data import Place
from report.pipeline.stages import PROGRAM, make_stages
from report.study.loading import load
from tests.delivery.handed_in import Case
from tests.specimen import TWO_NETWORKS
from tests.tiny_build import SHORT

ASSIGNMENT = TWO_NETWORKS
TINY = ("sample.pictures=160", "sample.size=32", "split.folds=3", *SHORT)
LAYER = {
    "class_name": "Dense",
    "config": {"activation": "softmax", "kernel_initializer": {"class_name": "GlorotUniform"}},
}


def write_architecture(out: Path) -> None:
    layers = "name,type,settings,output_shape,parameters\nout,Dense,4 units,4,1200\n"
    summary = {
        "parameters": 1200,
        "trainable_parameters": 1200,
        "input_shape": [32, 32, 3],
        "head": "softmax",
    }
    (out / "architecture.json").write_text(json.dumps({"config": {"layers": [LAYER]}}))
    (out / "layers.csv").write_text(layers)
    (out / "summary.json").write_text(json.dumps(summary))


def write_training(out: Path) -> None:
    loss = [1.2, 0.9, 0.7, 0.6]
    columns = {"loss": loss, "accuracy": 0.5, "val_loss": [1.3, 1.0, 0.9, 0.95], "val_accuracy": 0.5}
    pd.DataFrame({"epoch": range(1, 5), **columns}).to_csv(out / "history.csv", index=False)
    facts = {"epochs_run": 4, "best_epoch": 3, "stopped": "all epochs run", "restored": False}
    (out / "training.json").write_text(
        json.dumps({**facts, "weights_epoch": 4, "seed": 42, "class_weights": None})
    )


def write_predictions(out: Path, stage: Stage, records: Path, split: Path) -> None:
    """Write probabilities of no network: right more often than not."""
    table = pd.read_csv(records).merge(pd.read_csv(split, dtype=str), on="image_id")
    table = table[table["split"] != "train"]
    classes = stage.params["classes"]
    truth = np.eye(len(classes))[[classes.index(label) for label in table["label"]]]
    score = np.random.default_rng(len(stage.name)).random(truth.shape) + truth * 0.6
    rows = table[["image_id", "split", "fold"]].assign(
        seed=42, patient_id=table["patient_id"], y_true=table["label"]
    )
    rows[classes] = score / score.sum(axis=1, keepdims=True)
    rows.to_csv(out / "predictions.csv", index=False)


def write_attention(out: Path, stage: Stage) -> None:
    """Write maps of no network, of the first image of two classes."""
    classes, model = stage.params["classes"], next(iter(stage.params["models"]))
    made_up.write_attention(out, model, classes)
    row = {"y_pred": classes[0], "probability": 0.9, "is_empty": False, "is_empty_random": False}
    shares = dict.fromkeys(("rank_correlation", "lung_area", "lung_share", "lung_share_random"), 0.3)
    rows = [
        {**row, **shares, "image_id": f"{k}.png", "y_true": classes[k], "called": called}
        for k, called in enumerate(("right", "wrong"))
    ]
    pd.DataFrame(rows).to_csv(out / "images.csv", index=False)
    np.save(out / "pictures.npy", np.full((2, 3, 32, 32), 99, np.uint8))
    basis = Basis(f"predict.{model}/predictions.csv", 2, 2)
    results = {
        name.removeprefix(f"{attention.ATTENTION}."): entry(
            2 if attention.quantity(name) is Quantity.COUNT else 0.3, "made up", basis
        )
        for name in attention.names([model])
    }
    write_json(out / "results.json", results)


def make(stage: Stage, files: dict[str, dict[str, Path]], place: Path) -> RepeatedStage:
    """Run a stage; what a network would give is made up."""
    if not stage.function.startswith(("analysis.models.", "analysis.explanation.")):
        return recompute.run_stage(stage, files, place)
    out = place / "out"
    out.mkdir(parents=True)
    if stage.kind == attention.ATTENTION:
        write_attention(out, stage)
    elif stage.kind == "predict":
        split = files[stage.inputs["split"].stage]["split.csv"]
        write_predictions(out, stage, files["read"]["records.csv"], split)
    else:
        {"architecture": write_architecture, "train": write_training}[stage.kind](out)
    return RepeatedStage(out)


VERIFY = """
import pickle, sys
from pathlib import Path
from report.cli import main
from report.delivery import verify

def recompute_and_keep(folder, declared, work, on_progress, recompute=verify.recompute):
    found = recompute(folder, declared, kept, on_progress)
    (kept / "found").write_bytes(pickle.dumps(found))
    return found

folder, kept = sys.argv[1], Path(sys.argv[2])
verify.recompute, sys.argv = recompute_and_keep, ["report", "verify", folder]
try:
    main()
finally:
    print([name for name in ("tensorflow", "keras", "torch") if name in sys.modules])
"""
"""The command, which keeps what it recomputes."""


@pytest.fixture(scope="session")
def case(tmp_path_factory) -> Case:
    """Return a build of the assignment's sample whose networks are made up, and what the command makes of it elsewhere."""
    work = tmp_path_factory.mktemp("build")
    study = load(ASSIGNMENT / "study.toml", TINY).for_sample()
    plan = make_stages(study, Place(ASSIGNMENT, "sample", None, TINY))
    moment = Surroundings(PROGRAM, work / "index")
    files: dict[str, dict[str, Path]] = {}
    built = {}
    for stage in plan:
        result = make(stage, files, work / "stages" / stage.name)
        files[stage.name] = {name: result.path(name) for name in result.files}
        record = SimpleNamespace(recipe=moment.recipe(stage, {}), seconds=1.0, host={})
        built[stage.name] = SimpleNamespace(
            files=result.files, path=result.path, record=record, outcome="ran", key=""
        )
    out = work / "built"
    publish.publish(SimpleNamespace(name="sample", out=out, cache=work, study=study, stages=plan), built, 1.0)
    ElementTree.register_namespace("", SVG)  # that WeasyPrint has taken away
    again, elsewhere = work / "again", Path(shutil.copytree(out, work / "handed in"))
    again.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", VERIFY, str(elsewhere), str(again)],
        cwd=PROJECT,
        env={**os.environ, "REPORT_CACHE": str(work / "cache"), "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again / "found").exists(), done.stderr
    found = pickle.loads((again / "found").read_bytes())
    return Case(elsewhere, evidence.read_evidence(elsewhere), found, done)


@pytest.fixture
def copy(case, tmp_path) -> Case:
    """Return the case with a copy of its build folder."""
    folder = tmp_path / "handed in"
    shutil.copytree(case.folder, folder)
    return case._replace(folder=folder)

"""A whole study's artifacts, made by the real evaluation on made-up predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.evaluation import compare, evaluate, results
from analysis.progress import silent
from report.pipeline import PROJECT, Place, stages
from report.study import load

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SPLITS = ["val", "test"]
ASSIGNMENT = PROJECT / "studies" / "assignment"
LAYER = {
    "class_name": "Dense",
    "config": {"activation": "softmax", "kernel_initializer": {"class_name": "GlorotUniform"}},
}


def write_records(folder: Path, n: int = 200) -> pd.DataFrame:
    labels = [CLASSES[i % 4] for i in range(n)]
    records = pd.DataFrame(
        {
            "image_id": [f"images/p{i:03}.jpeg" for i in range(n)],
            "label": labels,
            "patient_id": [f"patient-{i // 2}" for i in range(n)],
            "source": "made up",
            "width": 300,
            "height": 200,
            "mode": "L",
            "original_width": 600,
            "original_height": 400,
            "sha256": [f"{i:064x}" for i in range(n)],
            "tags": labels,
        }
    )
    records.to_csv(folder / "records.csv", index=False)
    (folder / "excluded.csv").write_text("file,reason,detail\nimages/odd.png,CT slice,\n")
    (folder / "flow.csv").write_text(
        f"step,count,kind\nannotations found,{n + 1},found\npictures found,{n + 1},found\nCT slice,1,excluded\npictures kept,{n},kept\n"
    )
    return records


def write_split(folder: Path, records: pd.DataFrame) -> pd.DataFrame:
    parts = np.array(["train", "train", "train", "val", "test"])[(np.arange(len(records)) // 4) % 5]
    split = pd.DataFrame({"image_id": records["image_id"], "split": parts, "fold": ""})
    split.to_csv(folder / "split.csv", index=False)
    return split


def write_predictions(
    folder: Path, records: pd.DataFrame, split: pd.DataFrame, skill: float, seed: int
) -> None:
    kept = split["split"].isin(SPLITS)
    rows = records[kept]
    truth = np.eye(4)[[CLASSES.index(label) for label in rows["label"]]]
    score = np.random.default_rng(seed).random((len(rows), 4)) + skill * truth
    score /= score.sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "image_id": rows["image_id"],
            "split": split.loc[kept, "split"],
            "fold": "",
            "seed": 42,
            "patient_id": rows["patient_id"],
            "y_true": rows["label"],
        }
    )
    table[CLASSES] = score
    table.to_csv(folder / "predictions.csv", index=False)


def write_training(folder: Path, val_loss: list[float]) -> None:
    epochs = range(1, len(val_loss) + 1)
    history = pd.DataFrame({"epoch": epochs, "loss": [1 / e for e in epochs], "accuracy": 0.5})
    history["val_loss"], history["val_accuracy"] = val_loss, 0.5
    history.to_csv(folder / "history.csv", index=False)
    best = int(np.argmin(val_loss)) + 1
    training = {
        "epochs_run": len(val_loss),
        "best_epoch": best,
        "stopped": "all epochs run",
        "restored": False,
        "weights_epoch": len(val_loss),
        "seed": 42,
    }
    (folder / "training.json").write_text(json.dumps(training))


def write_architecture(folder: Path) -> None:
    (folder / "architecture.json").write_text(json.dumps({"config": {"layers": [LAYER]}}))
    (folder / "layers.csv").write_text(
        'name,type,settings,output_shape,parameters\nout,Dense,"4 units, softmax",4,1200\n'
    )
    summary = {"parameters": 1200, "trainable_parameters": 1200, "input_shape": [64, 64, 3]}
    (folder / "summary.json").write_text(json.dumps(summary))


@pytest.fixture
def artifacts(tmp_path: Path):
    """Return a function that makes the inputs of the source stage; its arguments are validation losses."""

    def make(**val_loss: list[float]) -> dict[str, Path]:
        study = load(ASSIGNMENT / "study.toml")
        folders = {stage.name: tmp_path / stage.name for stage in stages(study, Place(ASSIGNMENT, None))}
        for folder in folders.values():
            folder.mkdir()
        records = write_records(folders["read"])
        split = write_split(folders["split"], records)
        for i, model in enumerate(("baseline", "improved")):
            write_architecture(folders[f"architecture.{model}"])
            write_training(folders[f"train.{model}"], val_loss.get(model, [0.9, 0.5, 0.8]))
            write_predictions(folders[f"predict.{model}"], records, split, skill=0.4 + i, seed=i)
        for stage in stages(study, Place(ASSIGNMENT, None)):
            inputs = {
                name: folders[given.stage] for name, given in stage.inputs.items() if hasattr(given, "stage")
            }
            if stage.function.startswith("analysis.evaluation"):
                run = {"evaluate": evaluate.evaluate, "compare": compare.compare, "results": results.collect}
                run[stage.name.partition(".")[0]](
                    inputs, folders[stage.name], scratch=tmp_path, progress=silent, **stage.params
                )
            elif stage.name.startswith("figure."):
                write_figure(folders[stage.name])
            elif stage.name == "source":
                return {**inputs, "templates": PROJECT / "templates", "prose": ASSIGNMENT}
        raise AssertionError("the pipeline has no stage called source")

    return make


def write_figure(folder: Path) -> None:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="160mm" height="60mm" viewBox="0 0 160 60"><rect width="160" height="60"/></svg>'
    (folder / "figure.svg").write_text(drawing)
    (folder / "figure.csv").write_text("x,y\n1,2\n")
    (folder / "figure.json").write_text(json.dumps({"alt": 'A black "box".', "width_mm": 160}))

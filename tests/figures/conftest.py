from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from analysis.evaluation.stages.compare import compare
from analysis.evaluation.stages.evaluate import evaluate
from analysis.progress import silent
from analysis.vocabulary.measures import Primary
from analysis.vocabulary.splits import ANALYSES
from tests.figures.drawing import draw, keep_figures
from tests.figures.many_classes import Inputs, ids
from tests.resampling import take_few_resamples

IDS = ["bacterial", "covid_19", "healthy", "viral"]
MODELS = ("a", "b", "low_detail")
SPLITS = ["val", "test"]
SIZE = 48
Drawn = Callable[[str], tuple[list[Figure], Path]]


def write_few_inputs(root: Path, ids: Sequence[str] = IDS) -> dict[str, Path]:
    """Write pictures of noise and what one model makes of them; return the folders."""
    folders = _write_data(root, ids)
    _write_model(root, MODELS[0], 0, ids)
    return {**{folder.name: folder for folder in root.iterdir()}, "records": folders["read"]}


def write_external_inputs(root: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Write what one network calls images from elsewhere; return the folders."""
    root.mkdir()
    _write_external(root, MODELS[0], ids)
    return {folder.name: folder for folder in root.iterdir()}


def _write_data(root: Path, ids: Sequence[str]) -> dict[str, Path]:
    folders = {name: root / name for name in ("read", "split", "images", "data")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    _write_pictures(folders, ids)
    return folders


def write_inputs(root: Path, ids: Sequence[str] = IDS) -> dict[str, Path]:
    """Write what the figures of a small study read, pictures of noise among it; return the folders."""
    folders = _write_data(root, ids)
    for seed, model in enumerate(MODELS):
        _write_model(root, model, seed, ids)
    _write_comparison(root, ids)
    _write_results(root)
    _write_candidates(root, ids)
    _write_flips(root, ids)
    _write_subsets(root)
    _write_attention(root, ids)
    _write_duplicates(root)
    _write_effects(root)
    for model in MODELS:
        _write_external(root, model, ids)
    return {
        **{folder.name: folder for folder in root.iterdir()},
        "records": folders["read"],
    }


def _write_pictures(folders: dict[str, Path], ids: Sequence[str]) -> None:
    rng = np.random.default_rng(5)
    rows, n = [], 15 * len(ids)
    for k in range(n):
        width, height = int(rng.integers(60, 400)), int(rng.integers(60, 400))
        noise = rng.integers(0, 256, (height, width), dtype=np.uint8)
        buffer = BytesIO()
        Image.fromarray(noise).save(buffer, "PNG", compress_level=1)  # noise does not get smaller
        (folders["data"] / f"{k:02d}.png").write_bytes(buffer.getvalue())
        rows.append(
            {
                "image_id": f"{k:02d}.png",
                "label": ids[k % len(ids)],
                "official": "",
                "width": width,
                "height": height,
                "original_width": 4 * width,
                "original_height": 4 * height,
                "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
            }
        )
    records = pd.DataFrame(rows)
    records.to_csv(folders["read"] / "records.csv", index=False)
    _write_flow(folders["read"], n)
    split = np.array(["train", "train", "train", "val", "test"])[np.arange(n) // len(ids) % 5]
    records[["image_id"]].assign(split=split, fold="").to_csv(folders["split"] / "split.csv", index=False)
    np.save(folders["images"] / "images.npy", rng.integers(0, 256, (n, SIZE, SIZE), dtype=np.uint8))


def _write_candidates(root: Path, ids: Sequence[str]) -> None:
    """Write images with whose label a model disagrees: every other one."""
    records = pd.read_csv(root / "read" / "records.csv")[::2].reset_index(drop=True)
    says = [ids[(ids.index(label) + 1) % len(ids)] for label in records["label"]]
    table = records[["image_id", "label"]].assign(
        rank=records.index + 1, says=says, p_label=0.01, p_says=0.98, conflict=""
    )
    (root / "labels").mkdir()
    table.to_csv(root / "labels" / "candidates.csv", index=False)


def _write_subsets(root: Path) -> None:
    """Write what two models reach on a quarter, half and all of the training images, with three trainings each."""
    shares = {0.25: 200, 0.5: 400, 1.0: 800}
    means = [
        {"model": m, "share": share, "images": n, "value": v, "low": v - 0.03, "high": v + 0.03}
        for k, m in enumerate(MODELS[:2])
        for share, n in shares.items()
        for v in (0.7 + 0.05 * k + 0.1 * share,)
    ]
    trainings = [
        {**row, "value": row["value"] + shift, "images": row["images"] + 9 * shift}
        for row in means
        for shift in (-0.01, 0.0, 0.01)
    ]
    (root / "subsets").mkdir()
    for name, rows in (("measures", means), ("trainings", trainings)):
        pd.DataFrame(rows).to_csv(root / "subsets" / f"{name}.csv", index=False)


def _write_attention(root: Path, ids: Sequence[str]) -> None:
    """Write maps of images called right and wrong: none wrong of the first class, one empty, lungs known of some."""
    rng = np.random.default_rng(7)
    rows = [
        {
            "image_id": f"{name}-{called}.png",
            "y_true": name,
            "y_pred": name if called == "right" else ids[k - 1],
            "probability": 0.98,
            "called": called,
            "is_empty": k == 1,
            "is_empty_random": False,
            "rank_correlation": 0.1,
            **dict.fromkeys(("lung_area", "lung_share", "lung_share_random"), 0.3 if k % 2 else None),
        }
        for k, name in enumerate(ids)
        for called in (("right", "wrong") if k else ("right",))
    ]
    for folder in ("attention", "activations"):
        (root / folder).mkdir()
    pd.DataFrame(rows).to_csv(root / "attention" / "images.csv", index=False)
    np.save(root / "attention" / "pictures.npy", rng.integers(0, 256, (len(rows), 3, SIZE, SIZE), np.uint8))
    (root / "attention" / "network.json").write_text(
        json.dumps({"model": "a", "layer": "conv", "size": [9, 9]})
    )
    layers = [("conv", 40, SIZE, SIZE), ("conv_1", 3, 9, 9)]
    np.save(root / "activations" / "image.npy", rng.integers(0, 256, (SIZE, SIZE), np.uint8))
    for k, (_, *shape) in enumerate(layers):
        np.save(root / "activations" / f"layer_{k}.npy", rng.integers(0, 256, shape, np.uint8))
    table = pd.DataFrame(layers, columns=["layer", "channels", "height", "width"])
    table.assign(image_id="x.png", y_true=ids[-1]).to_csv(root / "activations" / "layers.csv", index=False)


def _write_flips(root: Path, ids: Sequence[str]) -> None:
    """Write images that changed sides: three of the first four classes mended, of all but the first three broken."""
    records = pd.read_csv(root / "read" / "records.csv")
    shown = [
        (direction, row)
        for k, label in enumerate(ids[:4])
        for direction in ("fixed", "broken")[: 2 if k else 1]
        for row in records[records["label"] == label].head(3).to_dict("records")
    ]
    rows = [
        {
            "split": "test",
            "y_true": row["label"],
            "direction": direction,
            "image_id": row["image_id"],
            **dict.fromkeys(("said_a", "said_b"), ids[(ids.index(row["label"]) + 1) % len(ids)]),
            "said_b" if direction == "fixed" else "said_a": row["label"],
            **dict.fromkeys(("p_said_a", "p_said_b"), 0.98),
            "number": number,
        }
        for number, (direction, row) in enumerate(shown, 1)
    ]
    (root / "flips").mkdir()
    unshown = {**rows[0], "number": ""}
    pd.DataFrame([*rows, unshown]).to_csv(root / "flips" / "flips.b.csv", index=False)


def _write_duplicates(root: Path) -> None:
    """Write eight pairs of images, each of a group of its own, and one more of the first; their names become long."""
    records = pd.read_csv(root / "read" / "records.csv")
    places = [(k, k + 1) for k in range(0, 16, 2)] + [(0, 3)]
    rows = [
        {
            "group": min(k, 8) % 8 + 1,
            "kind": "exact" if k < 4 else "near",
            "score": 1.0 if k < 4 else 0.97,
            "first": records["image_id"][a],
            "second": records["image_id"][b],
            "label_first": records["label"][a],
            "label_second": f"{records['label'][b]}|{records['label'][a]}" if k == 5 else records["label"][b],
            "across_labels": int(k == 5),
            "across_patients": int(k in (2, 3)),
        }
        for k, (a, b) in enumerate(places)
    ]
    (root / "duplicates").mkdir()
    pd.DataFrame(rows).to_csv(root / "duplicates" / "pairs.csv", index=False)


def _write_effects(root: Path) -> None:
    """Write effects of three components: one that the baseline cannot bear, one without an interval."""
    rows = [
        ("augmentation", "leave", 0.041, 0.02, 0.06, "contributes"),
        ("augmentation", "add", 0.012, -0.01, 0.035, "undetermined"),
        ("augmentation", "synergy", 0.029, 0.001, 0.057, "synergy"),
        ("recipe", "leave", -0.002, -0.02, 0.018, "negligible"),
        ("recipe", "add", 0.001, None, None, "undetermined"),
        ("recipe", "synergy", -0.003, None, None, "neither"),
        ("dropout", "leave", -0.11, -0.15, -0.08, "harms"),
    ]
    columns = ["component", "effect", "value", "low", "high", "case"]
    (root / "ablation").mkdir()
    pd.DataFrame(rows, columns=columns).assign(level=0.975).to_csv(
        root / "ablation" / "effects.csv", index=False
    )


def _write_flow(folder: Path, kept: int) -> None:
    """Write how ``kept`` images remained of three more annotations and of four more images."""
    steps = [("files found", 2 * kept + 7, "found"), ("annotations found", kept + 3, "found")]
    steps += [("images found", kept + 4, "found"), ("images kept", kept, "kept")]
    pd.DataFrame(steps, columns=["step", "count", "kind"]).to_csv(folder / "flow.csv", index=False)
    reasons = {"a.json": "CT slice", "b.json": "no image for the annotation", "c.png": "lateral view"}
    reasons |= {f"{i}.png": "no annotation for the image" for i in "def"}
    table = pd.DataFrame(reasons.items(), columns=["file", "reason"]).assign(detail="")
    table.to_csv(folder / "excluded.csv", index=False)


def _write_model(root: Path, model: str, seed: int, ids: Sequence[str]) -> None:
    predict, train, out = (root / f"{stage}_{model}" for stage in ("predict", "train", "evaluate"))
    for folder in (predict, train, out):
        folder.mkdir()
    k = len(ids)
    n = 40 * k
    y_true = np.tile(np.arange(k), 40)
    scores = np.random.default_rng(seed).dirichlet(np.ones(k), n) + 1.6 / k * np.eye(k)[y_true]
    table = pd.DataFrame(scores / scores.sum(axis=1, keepdims=True), columns=list(ids))
    table.insert(0, "image_id", [f"{i}.png" for i in range(n)])
    table.insert(1, "split", np.repeat(["val", "test"], n // 2))
    table.insert(2, "patient_id", "")
    table.insert(3, "y_true", [ids[i] for i in y_true])
    table.to_csv(predict / "predictions.csv", index=False)
    epochs = np.arange(1, 9)
    history = pd.DataFrame(
        {
            "epoch": epochs,
            "loss": 1.2 / epochs,
            "accuracy": 1 - 0.6 / epochs,
            "val_loss": 0.8 + 0.02 * (epochs - 4.0) ** 2,
            "val_accuracy": 0.9 - 0.5 / epochs,
        }
    )
    if model == "b":
        history["learning_rate"] = 0.001 / epochs
    history.to_csv(train / "history.csv", index=False)
    (train / "training.json").write_text(
        '{"weights_epoch": 1, "class_weights": null, "stopped": "early stopping"}'
    )
    evaluate(
        {"predictions": predict, "training": train, "records": root / "read", "split": root / "split"},
        out,
        scratch=root,
        progress=silent,
        model=model,
        classes=ids,
        normal=ids[min(2, k - 1)],
        splits=SPLITS,
        class_balance="oversample",
    )


def _write_external(root: Path, model: str, ids: Sequence[str]) -> None:
    """Write what a network calls images of three labels from elsewhere, of one of which there is none."""
    out = root / f"external_{model}"
    out.mkdir()
    counts = {"normal": 142, "ill": 1430, "other": 0}
    rows = [
        {
            "label": label,
            "y_pred": name,
            "n": n,
            "count": n - n // 2 * (len(ids) - 1) // len(ids) if k == 1 else 0,
        }
        for label, n in counts.items()
        for k, name in enumerate(ids)
    ]
    table = pd.DataFrame(rows)
    table["share"] = table["count"] / table["n"].where(table["n"] > 0)
    table.assign(low=0.0, high=1.0).to_csv(out / "confusion.csv", index=False)


def _write_comparison(root: Path, ids: Sequence[str]) -> None:
    out = root / "compare"
    out.mkdir()
    compare(
        {model: root / f"predict_{model}" for model in MODELS},
        out,
        scratch=root,
        progress=silent,
        analysis="",
        classes=ids,
        splits=SPLITS,
        networks={"a": ["a"], "b": ["b"]},
        reference="low_detail",
        baseline="a",
        against=["b"],
        between=[],
        primary="f1.macro",
        split="test",
        margin=0.03,
        alpha=0.05,
        declared_late=False,
        corrections=[],
    )


def _write_results(root: Path) -> None:
    """Write results of both models in both analyses, and of the reference classifiers."""
    found = {}
    for k, model in enumerate(("a", "b", "low_detail", "majority")):
        for shift, analysis in enumerate(ANALYSES):
            value = 0.8 - 0.15 * k - 0.03 * shift
            item = {"value": value, "low": value - 0.04, "high": value + 0.05, "level": 0.95}
            found |= {f"{model}{analysis}.test.{name}": item for name in get_args(Primary)}
    (root / "results").mkdir()
    (root / "results" / "results.json").write_text(json.dumps({"results": found}))


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_inputs(tmp_path_factory.mktemp("figures") / "study")


@pytest.fixture(scope="session")
def drawn(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return a function that draws a figure once and returns it with the folder of its files."""
    root = tmp_path_factory.mktemp("drawn")

    @cache
    def draw_once(name: str) -> tuple[list[Figure], Path]:
        with pytest.MonkeyPatch.context() as patch:
            figures = keep_figures(patch)
            draw(name, inputs, root / name)
        return figures, root / name

    return draw_once


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Inputs]:
    """Return what the figures of a study of so many classes read, made once; few resamples place texts as well.

    Of a ``few`` figures it has no more than `write_few_inputs` writes.
    """
    made: dict[tuple[int, bool], Inputs] = {}

    def of(n: int, *, few: bool = False) -> Inputs:
        if (n, few) not in made:
            write = write_few_inputs if few else write_inputs
            with pytest.MonkeyPatch.context() as patch:
                take_few_resamples(patch)
                made[n, few] = write(tmp_path_factory.mktemp(f"classes-{n}") / "study", ids(n))
        return made[n, few]

    return of

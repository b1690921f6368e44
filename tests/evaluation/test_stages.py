from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import analysis.evaluation
from analysis.errors import DataError
from analysis.evaluation.compare import compare
from analysis.evaluation.entries import Basis, entry, write_json
from analysis.evaluation.evaluate import evaluate
from analysis.evaluation.results import collect
from analysis.progress import silent

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SPLITS = ["val", "test"]
Predict = Callable[..., Path]


def run(function: Callable[..., None], inputs: dict[str, Path], out: Path, **params: Any) -> dict[str, Any]:
    out.mkdir()
    function(inputs, out, scratch=out, progress=silent, classes=CLASSES, **params)
    content: dict[str, Any] = json.loads((out / "results.json").read_text(), parse_constant=pytest.fail)
    return content


@pytest.fixture
def compared(predict: Predict, training: Path, tmp_path: Path) -> dict[str, Any]:
    folders = {name: predict(name, seed) for name, seed in (("baseline", 1), ("improved", 2))}
    results = {
        name: run(
            evaluate,
            {"predictions": folder, "training": training},
            tmp_path / f"evaluate_{name}",
            model=name,
            splits=SPLITS,
        )
        for name, folder in folders.items()
    }
    inputs = {
        "a": tmp_path / "evaluate_baseline",
        "b": tmp_path / "evaluate_improved",
        "predictions_a": folders["baseline"],
        "predictions_b": folders["improved"],
    }
    compared = run(compare, inputs, tmp_path / "compare", a="baseline", b="improved", splits=SPLITS)
    return {**results, "compare": compared, "inputs": inputs, "out": tmp_path}


def test_evaluate_names_every_measure_of_both_splits(compared: dict[str, Any]) -> None:
    results = compared["baseline"]
    for split in SPLITS:
        names = {name.removeprefix(f"baseline.{split}.") for name in results if f".{split}." in name}
        per_class = ("sensitivity", "specificity", "ppv", "npv", "f1", "auroc")
        assert {f"{m}.{c}" for m in per_class for c in (*CLASSES, "macro")} <= names
        assert {f"confusion_share.{t}.{p}" for t in CLASSES for p in CLASSES} <= names
        assert {"n", "accuracy", "mcc", "brier", "log_loss", "auroc.micro", "support.viral"} <= names
    assert results["baseline.training.best_epoch"]["value"] == 3
    assert results["baseline.training.overfitting_epoch"]["value"] == 4
    assert results["baseline.training.rise_after_best"]["value"] == pytest.approx(0.2)
    accuracy = results["baseline.test.accuracy"]
    assert accuracy["artifact"] == "predict.baseline/predictions.csv"
    assert accuracy["n"] == 120
    # Two pictures a patient; of 12 pairs the first picture has none known.
    assert accuracy["clusters"] == 60 + 12
    assert accuracy["low"] is accuracy["se"] is accuracy["reason_null"] is None


def test_a_share_rests_on_the_pictures_it_is_a_share_of(compared: dict[str, Any]) -> None:
    results = compared["baseline"]
    support = results["baseline.test.support.viral"]["value"]
    assert results["baseline.test.sensitivity.viral"]["n"] == support
    assert results["baseline.test.specificity.viral"]["n"] == 120 - support
    predicted = sum(results[f"baseline.test.confusion.{true}.viral"]["value"] for true in CLASSES)
    assert results["baseline.test.ppv.viral"]["n"] == predicted
    assert results["baseline.test.f1.viral"]["n"] == 120


def test_tables_say_the_same_as_the_results(compared: dict[str, Any]) -> None:
    out, results = compared["out"] / "evaluate_baseline", compared["baseline"]
    measures = pd.read_csv(out / "measures.csv").set_index(["split", "class"])
    assert list(measures.columns) == ["sensitivity", "specificity", "ppv", "npv", "f1", "auroc", "support"]
    assert measures.loc[("test", "macro"), "f1"] == results["baseline.test.f1.macro"]["value"]
    assert measures.loc[("val", "viral"), "auroc"] == results["baseline.val.auroc.viral"]["value"]
    confusion = pd.read_csv(out / "confusion.csv")
    assert confusion.groupby("split")["count"].sum().to_dict() == {"val": 120, "test": 120}
    auroc = pd.read_csv(out / "auroc.csv")
    assert auroc["curve"].tolist() == [*CLASSES, "macro", "micro"] * 2
    assert set(pd.read_csv(out / "roc.csv").columns) == {"split", "curve", "fpr", "tpr"}


def test_undefined_values_are_null_with_the_reason(predict: Predict, training: Path, tmp_path: Path) -> None:
    folder = predict("poor", 1)
    table = pd.read_csv(folder / "predictions.csv")
    table[CLASSES] = [0.7, 0.1, 0.1, 0.1]
    table.loc[table["y_true"] == "viral", "y_true"] = "healthy"
    table.to_csv(folder / "predictions.csv", index=False)
    inputs = {"predictions": folder, "training": training}
    results = run(evaluate, inputs, tmp_path / "out", model="poor", splits=SPLITS)
    reasons = {
        name.removeprefix("poor.test."): item["reason_null"]
        for name, item in results.items()
        if item["value"] is None and ".test." in name
    }
    assert reasons["ppv.covid_19"] == "class never predicted"
    assert reasons["ppv.macro"] == "undefined for covid_19, healthy, viral"
    assert reasons["sensitivity.viral"] == "no picture of this class"
    assert reasons["f1.viral"] == "class neither present nor predicted"
    assert reasons["auroc.macro"] == "undefined for viral"
    assert "mcc" in reasons
    assert "accuracy" not in reasons
    assert pd.read_csv(tmp_path / "out" / "auroc.csv")["auroc"].isna().sum() == 4


def test_compare_subtracts_a_from_b(compared: dict[str, Any]) -> None:
    a, b, difference = compared["baseline"], compared["improved"], compared["compare"]
    for name in ("accuracy", "f1.macro", "auroc.micro", "brier", "ppv.covid_19"):
        expected = b[f"improved.test.{name}"]["value"] - a[f"baseline.test.{name}"]["value"]
        assert difference[f"improved_vs_baseline.test.{name}"]["value"] == expected
    moves = {m: difference[f"improved_vs_baseline.test.{m}"]["value"] for m in ("fixed", "broken")}
    gain = (moves["fixed"] - moves["broken"]) / 120
    assert difference["improved_vs_baseline.test.accuracy"]["value"] == pytest.approx(gain)
    assert not any("support" in name or "confusion" in name for name in difference)


def test_compare_tables(compared: dict[str, Any]) -> None:
    out = compared["out"] / "compare"
    moved = pd.read_csv(out / "moved.csv")
    assert list(moved) == [
        "split", "y_true", "a_right_b_wrong", "a_wrong_b_right", "both_right", "both_wrong",
    ]  # fmt: skip
    assert moved.set_index("split").loc["test"].drop(columns="y_true").to_numpy().sum() == 120
    rows = pd.read_csv(out / "differences.csv", keep_default_na=False)
    assert rows["measure"].iloc[0] == "accuracy"
    assert rows["class"].iloc[0] == ""
    assert rows[rows["measure"] == "f1"]["class"].tolist() == [*CLASSES, "macro"] * 2


def test_compare_refuses_other_pictures(compared: dict[str, Any], tmp_path: Path) -> None:
    path = compared["inputs"]["predictions_b"] / "predictions.csv"
    table = pd.read_csv(path)
    table.iloc[::-1].to_csv(path, index=False)
    with pytest.raises(DataError, match="not given the same pictures"):
        run(compare, compared["inputs"], tmp_path / "again", a="baseline", b="improved", splits=SPLITS)


@pytest.fixture
def study(compared: dict[str, Any], tmp_path: Path) -> dict[str, Path]:
    """Six pictures read and split, beside the evaluated models."""
    read, split = tmp_path / "read", tmp_path / "split"
    for folder in (read, split, tmp_path / "architecture"):
        folder.mkdir()
    records = pd.DataFrame(
        {
            "image_id": [f"images/{i}.jpg" for i in range(6)],
            "label": ["viral", "viral", "healthy", "covid_19", "viral", "healthy"],
            "patient_id": ["p1", "p2", "", "", "p1", "p9"],
            "sha256": ["a", "b", "c", "d", "e", "c"],
        }
    )
    records.to_csv(read / "records.csv", index=False)
    splits = records[["image_id"]].assign(split=["train", "train", "train", "val", "test", "test"], fold="")
    splits.to_csv(split / "split.csv", index=False)
    (read / "excluded.csv").write_text("file,reason,detail\nx.json,CT slice,\ny.json,CT slice,\n")
    (read / "flow.csv").write_text(
        "step,count,kind\nannotations found,8,found\npictures found,9,found\nCT slice,2,excluded\npictures kept,6,kept\n"
    )
    write_json(tmp_path / "architecture" / "summary.json", {"parameters": 10, "trainable_parameters": 9})
    return {
        "records": read,
        "split": split,
        "architecture_baseline": tmp_path / "architecture",
        "architecture_improved": tmp_path / "architecture",
        "evaluate_baseline": tmp_path / "evaluate_baseline",
        "evaluate_improved": tmp_path / "evaluate_improved",
        "compare_improved": tmp_path / "compare",
    }


def test_collect_counts_the_data(study: dict[str, Path], tmp_path: Path) -> None:
    collected = run(collect, study, tmp_path / "results", models=["baseline", "improved"])
    value = {name: item["value"] for name, item in collected["results"].items()}
    expected = {
        "data.annotations_found": 8,
        "data.pictures_found": 9,
        "data.excluded": 2,
        "data.excluded.ct_slice": 2,
        "data.pictures": 6,
        "data.patients": 5,
        "data.all.count.viral": 3,
        "data.train.count": 3,
        "data.train.count.viral": 2,
        "data.train.share.viral": 2 / 3,
        "data.test.count.bacterial": 0,
        "data.test.same_patient_in_train": 1,
        "data.test.same_patient_in_train_share": 0.5,
        "data.test.exact_duplicate_elsewhere": 1,
        "data.val.same_patient_in_train": 0,
        "improved.architecture.parameters": 10,
        "majority.test.accuracy": 0.5,
        "majority.test.ppv.macro": None,
        "majority.test.sensitivity.viral": 1,
    }
    assert {name: value[name] for name in expected} == expected
    assert collected["study"] == {"classes": CLASSES, "models": ["baseline", "improved"]}
    assert "improved_vs_baseline.test.accuracy" in value
    for name, item in collected["results"].items():
        assert (item["value"] is None) == (item["reason_null"] is not None), name


def test_results_are_the_same_bytes_again(study: dict[str, Path], tmp_path: Path) -> None:
    for out in ("one", "two"):
        run(collect, study, tmp_path / out, models=["baseline", "improved"])
    texts = [(tmp_path / out / "results.json").read_bytes() for out in ("one", "two")]
    assert texts[0] == texts[1]
    assert texts[0].endswith(b"}\n")


def test_an_undefined_entry_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        entry(float("nan"), "count", Basis("a.csv"))
    whole = entry(np.int64(3), "count", Basis("a.csv"), reason_null="never")
    assert type(whole["value"]) is int
    assert whole["reason_null"] is None


def test_nothing_here_imports_a_network_library() -> None:
    for path in Path(analysis.evaluation.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in {"tensorflow", "keras"} for name in names), path

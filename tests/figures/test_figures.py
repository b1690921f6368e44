from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import DataError
from analysis.figures import curves, examples, roc, style
from tests.figures.drawing import (
    CLASSES,
    EVALUATIONS,
    FIGURES,
    IDS,
    MODELS,
    OF_MODELS,
    draw,
    keep_figures,
    require_clean,
)

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")


@pytest.mark.parametrize("name", FIGURES)
def test_writes_a_figure_with_its_table_and_words(
    name: str, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    svg = draw(name, inputs, tmp_path)
    require_clean(*figures)
    root = ET.fromstring(svg)
    facts = json.loads((tmp_path / "figure.json").read_text())
    width, height = (float(str(root.get(side)).removesuffix("pt")) for side in ("width", "height"))
    assert facts["width_mm"] == 160
    assert width == pytest.approx(160 / 25.4 * 72, abs=0.01)
    assert height < 230 / 25.4 * 72
    assert "<text" in svg
    assert set(re.findall(r"font-family: ([^;\"]+)", svg)) == {"'IBM Plex Sans'"}
    assert min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)) >= style.SMALL
    assert '<g id="' not in svg
    assert "matplotlib.org" not in svg
    assert 1 <= facts["alt"].count(". ") + 1 <= 3
    assert facts["alt"].endswith(".")
    assert "nan" not in facts["alt"].lower()
    assert not pd.read_csv(tmp_path / "figure.csv").empty


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("name", ["roc", "moved", "overlay.roc", "overlay.pr", "differences.grouped"])
def test_fewer_classes_fit(
    name: str, n_classes: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    draw(name, inputs, tmp_path, classes=CLASSES[1 : 1 + n_classes] if n_classes < 4 else CLASSES)
    require_clean(*figures)


@pytest.mark.parametrize("n_models", [1, 2, 4])
@pytest.mark.parametrize("name", OF_MODELS)
def test_more_and_fewer_models_fit(
    name: str, n_models: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    long = {"id": "c", "title": "ResNet50V2, the last block trained"}
    monkeypatch.setitem(FIGURES, name, ({**EVALUATIONS, "evaluation_c": "evaluate_b"}, FIGURES[name][1]))
    draw(name, inputs, tmp_path, models=[*MODELS[:2], long, MODELS[2]][:n_models])
    require_clean(*figures)
    shown = pd.read_csv(tmp_path / "figure.csv")["model"].unique().tolist()
    assert shown == ["a", "b", "c", "low_detail"][:n_models]


@pytest.mark.parametrize("n_models", [1, 3, 12, 24])
@pytest.mark.parametrize("name", ["histories.loss", "histories.accuracy", "matrices"])
def test_two_dozen_models_fit(
    name: str, n_models: int, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    titles = itertools.cycle(
        ["Baseline CNN", "CNN with dropout and L2 penalty", "Dropout CNN, low learning rate"]
    )
    models = [{"id": f"m{i}", "title": title} for i, title in zip(range(n_models), titles, strict=False)]
    kind, folder = ("training", "train") if "histories" in name else ("evaluation", "evaluate")
    given = {f"{kind}_{m['id']}": f"{folder}_{'ab'[i % 2]}" for i, m in enumerate(models)}
    monkeypatch.setitem(FIGURES, name, (given, {**FIGURES[name][1], "models": models}))
    draw(
        name,
        inputs,
        tmp_path,
        **({"classes": CLASSES[:2] if n_models > 12 else CLASSES} if name == "matrices" else {}),
    )
    require_clean(*figures)
    assert pd.read_csv(tmp_path / "figure.csv")["model"].unique().tolist() == [m["id"] for m in models]
    height = float(ET.parse(tmp_path / "figure.svg").getroot().get("height", "").removesuffix("pt"))
    assert height < 240 / 25.4 * 72


def test_before_and_after_have_the_counts_of_each_part(inputs: dict[str, Path], tmp_path: Path) -> None:
    records = pd.read_csv(inputs["read"] / "records.csv")
    records["official"] = np.where(np.arange(len(records)) < 20, "test", "train")
    (tmp_path / "read").mkdir()
    records.to_csv(tmp_path / "read" / "records.csv", index=False)
    draw("before", {**inputs, "read": tmp_path / "read"}, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "figure.csv")
    totals = table.groupby(["when", "part"])["count"].sum().to_dict()
    assert totals == {
        ("before", "train"): 40, ("before", "test"): 20,
        ("after", "train"): 36, ("after", "val"): 12, ("after", "test"): 12,
    }  # fmt: skip


def test_two_processes_draw_the_same_bytes(inputs: dict[str, Path], tmp_path: Path) -> None:
    script = (
        "import sys; sys.path[:0] = sys.argv[3:5]\n"
        "from pathlib import Path; import test_figures as t\n"
        "inputs = {p.name: p for p in Path(sys.argv[1]).iterdir()}\n"
        "for name in t.FIGURES: t.draw(name, inputs, Path(sys.argv[2]) / name)\n"
    )
    here, project = Path(__file__).parent, Path(__file__).parents[2]
    for out, seed in (("one", "1"), ("two", "2")):
        arguments = [str(inputs["read"].parent), str(tmp_path / out), str(here), str(project)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", script, *arguments], check=True, env=environment)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("figure.*"))
    assert len(files) == 3 * len(FIGURES)
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_labels_from_outside_are_escaped(inputs: dict[str, Path], tmp_path: Path) -> None:
    classes = [{"id": i, "label": f"<script>alert({i})</script>"} for i in IDS]
    for name in ("counts", "confusion", "examples"):
        assert "<script" not in draw(name, inputs, tmp_path / name, classes=classes)


def test_examples_stay_small_and_depend_on_the_seed(inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw("examples", inputs, tmp_path / "a")
    # Noise is the worst that JPEG can be given.
    assert len(svg) < 1_000_000
    assert svg.count("data:image/jpeg") == 2 * 4 * examples.PICTURES
    assert "image/png" not in svg
    shown = pd.read_csv(tmp_path / "a" / "figure.csv")
    assert shown["class"].tolist() == [i for i in IDS for _ in range(examples.PICTURES)]
    draw("examples", inputs, tmp_path / "b", seed=7)
    assert pd.read_csv(tmp_path / "b" / "figure.csv")["image_id"].tolist() != shown["image_id"].tolist()


def test_examples_refuse_a_picture_that_changed(inputs: dict[str, Path], tmp_path: Path) -> None:
    data = shutil.copytree(inputs["data"], tmp_path / "data")
    for path in data.iterdir():
        path.write_bytes(path.read_bytes() + b"0")
    with pytest.raises(DataError, match=r"image \d\d\.png has changed"):
        draw("examples", {**inputs, "data": data}, tmp_path / "out")


def test_class_without_pictures(inputs: dict[str, Path], tmp_path: Path) -> None:
    classes = [*CLASSES, {"id": "empty", "label": "Empty"}]
    for name in ("counts", "sizes", "examples"):
        draw(name, inputs, tmp_path / name, classes=classes)
    table = pd.read_csv(tmp_path / "counts" / "figure.csv")
    assert table.loc[table["class"] == "empty", "count"].tolist() == [0, 0, 0]


def test_sizes_of_the_files_where_the_originals_are_unknown(inputs: dict[str, Path], tmp_path: Path) -> None:
    read = shutil.copytree(inputs["read"], tmp_path / "read")
    records = pd.read_csv(read / "records.csv").assign(original_width=np.nan, original_height=np.nan)
    records.to_csv(read / "records.csv", index=False)
    assert "file width (pixels)" in draw("sizes", {**inputs, "read": read}, tmp_path / "out")
    assert "original width (pixels)" in draw("sizes", inputs, tmp_path / "known")


def test_sizes_all_the_same(inputs: dict[str, Path], tmp_path: Path) -> None:
    read = shutil.copytree(inputs["read"], tmp_path / "read")
    records = pd.read_csv(read / "records.csv").assign(original_width=300, original_height=300)
    records.to_csv(read / "records.csv", index=False)
    draw("sizes", {**inputs, "read": read}, tmp_path / "out")
    assert set(pd.read_csv(tmp_path / "out" / "figure.csv")["median"]) == {300}


@pytest.mark.parametrize("epochs", [1, 60])
def test_curves_of_any_length_and_of_a_training_that_diverged(
    epochs: int, inputs: dict[str, Path], tmp_path: Path
) -> None:
    history = pd.read_csv(inputs["train_a"] / "history.csv")
    history = pd.concat([history] * 10, ignore_index=True).iloc[:epochs].assign(epoch=range(1, epochs + 1))
    for name, table in (("fine", history), ("diverged", history.assign(loss=np.nan, val_loss=np.nan))):
        (tmp_path / name).mkdir()
        table.to_csv(tmp_path / name / "history.csv", index=False)
        draw("curves", {**inputs, "train_a": tmp_path / name}, tmp_path / name / "out")
    text = json.loads((tmp_path / "fine" / "out" / "figure.json").read_text())["alt"]
    assert "lowest" in text


UNDEFINED = [
    "auroc",
    "average_precision",
    "share",
    "y",
    "low",
    "high",
    "confidence",
    "observed",
    "net_benefit",
    "a",
    "b",
    "difference",
    "level",
]


DEFINED = {"counts", "sizes", "examples", "curves", "before", "histories.loss", "histories.accuracy"}


@pytest.mark.parametrize("name", [n for n in FIGURES if n not in DEFINED])
def test_undefined_values_are_said_not_drawn(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    changed = {**inputs, **{n: shutil.copytree(inputs[n], tmp_path / n) for n in ("evaluate_a", "compare")}}
    for path in (*changed["evaluate_a"].glob("*.csv"), *changed["compare"].glob("*.csv")):
        table = pd.read_csv(path, keep_default_na=False)
        values = table.columns.intersection(UNDEFINED)
        table.assign(**dict.fromkeys(values, "")).to_csv(path, index=False)
    (changed["evaluate_a"] / "roc.csv").write_text("split,curve,fpr,tpr\n")
    svg = draw(name, changed, tmp_path / "out")
    words = json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    assert "nan" not in (svg + words).lower()
    if name not in {"confusion", "moved"}:  # they count
        assert "undefined" in words


def test_words_of_the_curves_and_areas() -> None:
    history = pd.DataFrame(
        {"epoch": [1, 2], "loss": [1.0, 0.5], "accuracy": [0.2, 0.9], "val_loss": [0.7, 0.9], "val_accuracy": [0.5, 0.6]}
    )  # fmt: skip
    assert curves.describe(history, "CNN") == (
        "CNN, 2 epochs: training loss from 1.00 to 0.50, validation loss from 0.70 to 0.90, training accuracy "
        "from 0.20 to 0.90 and validation accuracy from 0.50 to 0.60. Validation loss is lowest, 0.70, in epoch 1."
    )
    areas = {("test", "a"): {"auroc": 0.5}, ("test", "b"): {"auroc": np.nan}}
    lines = {"a": roc.Line("A", "red"), "b": roc.Line("B", "blue")}
    assert roc.describe(areas, lines, "CNN", ["test"]) == (
        "CNN, test: area under the curve A 0.500 and B undefined."
    )


def test_signs_and_lists() -> None:
    assert [style.signed(v) for v in (0.0712, -0.0712, -0.0001)] == ["+0.071", "−0.071", "0.000"]
    assert [style.listed(w) for w in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_what_moved_and_how_it_is_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    a, b = ([[50, 2], [10, 38]], [[47, 5], [4, 44]])
    folders = {}
    for model, counts in (("a", a), ("b", b)):
        folders[f"evaluate_{model}"] = tmp_path / model
        (tmp_path / model).mkdir()
        cells = [(t, p, counts[i][j]) for i, t in enumerate(IDS[:2]) for j, p in enumerate(IDS[:2])]
        table = pd.DataFrame(cells, columns=["y_true", "y_pred", "count"])
        # The order of rows does not matter.
        table.assign(split="test", share=table["count"] / 50).iloc[::-1].to_csv(
            tmp_path / model / "confusion.csv"
        )
    svg = draw("moved", {**inputs, **folders}, tmp_path / "out", classes=CLASSES[:2])
    assert pd.read_csv(tmp_path / "out" / "figure.csv")["difference"].tolist() == [-3, 3, -6, 6]
    assert [text for text in ("−3", "+3", "−6", "+6") if f">{text}<" not in svg] == []
    assert json.loads((tmp_path / "out" / "figure.json").read_text())["alt"] == (
        "Improved CNN minus Baseline CNN, test: pictures called rightly: Bacterial Pneumonia −3 and COVID-19 +6. "
        "Among the errors the largest changes are +3 of Bacterial Pneumonia called COVID-19 and −6 of COVID-19 "
        "called Bacterial Pneumonia."
    )


def test_both_analyses_stand_in_the_forest_plot(inputs: dict[str, Path], tmp_path: Path) -> None:
    grouped = shutil.copytree(inputs["compare"], tmp_path / "grouped")
    table = pd.read_csv(grouped / "differences.b.csv", keep_default_na=False)
    table["difference"] = -0.123
    table.to_csv(grouped / "differences.b.csv", index=False)
    folders = {"comparison": "compare", "grouped": "grouped"}
    changed = {**inputs, "grouped": grouped}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FIGURES, "differences.grouped", (folders, FIGURES["differences.grouped"][1]))
        svg = draw("differences.grouped", changed, tmp_path / "out")
    drawn = pd.read_csv(tmp_path / "out" / "figure.csv")
    assert drawn["analysis"].value_counts().to_dict() == {"prescribed": 33, "grouped": 33}
    assert svg.count("−0.123") == 33
    assert (
        "split by patient: accuracy −0.123"
        in json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    )
    assert "split by patient" not in draw("differences", inputs, tmp_path / "alone")


def test_how_many_differences_are_undefined_is_said(inputs: dict[str, Path], tmp_path: Path) -> None:
    comparison = shutil.copytree(inputs["compare"], tmp_path / "compare")
    table = pd.read_csv(comparison / "differences.b.csv", keep_default_na=False)
    table.loc[table["measure"] == "ppv", ["difference", "low", "high"]] = np.nan
    table.to_csv(comparison / "differences.b.csv", index=False)
    assert draw("differences", {**inputs, "compare": comparison}, tmp_path / "out").count(">–<") == 5
    words = json.loads((tmp_path / "out" / "figure.json").read_text())["alt"]
    assert words.endswith(" 5 of 33 differences are undefined.")


@pytest.mark.parametrize("level", [0.975, 0.95])
def test_a_level_of_its_own_is_said(level: float, inputs: dict[str, Path], tmp_path: Path) -> None:
    comparison = shutil.copytree(inputs["compare"], tmp_path / "compare")
    table = pd.read_csv(comparison / "differences.b.csv", keep_default_na=False, dtype=str)
    table.loc[(table["measure"] == "f1") & (table["class"] == "macro"), "level"] = str(level)
    table.to_csv(comparison / "differences.b.csv", index=False)
    svg = draw("differences", {**inputs, "compare": comparison}, tmp_path / "out")
    assert ("margin ±0.03 (97.5 % interval)" in svg) == (level == 0.975)
    assert "with 95 % intervals" in svg


def test_prevalence_is_the_share_of_the_class(inputs: dict[str, Path], tmp_path: Path) -> None:
    assert draw("overlay.pr", inputs, tmp_path / "pr").count("prevalence 0.250") == 8
    assert "prevalence" not in draw("overlay.roc", inputs, tmp_path / "roc")


def test_a_model_has_one_line_and_none_of_the_colours_of_classes() -> None:
    alone, many = style.model_lines(["a", "b"]), style.model_lines(["low_detail", *"abcdefghijkl"])
    assert [alone[i] for i in "ab"] == [many[i] for i in "ab"]
    assert len({tuple(line.values()) for line in many.values()}) == 13
    assert {many[i]["linestyle"] for i in ("low_detail", *"abcd")} == {"-"}
    assert not {line["color"] for line in many.values()} & set(style.CLASS_COLOURS)


def test_text_is_broken_where_it_would_be_too_wide() -> None:
    label = "No Pneumonia (healthy)"
    assert style.fitted(label, 100) == label
    assert style.fitted(label, 20) == "No Pneumonia\n(healthy)"
    assert style.fitted(label, 1) == "No\nPneumonia\n(healthy)"
    assert style.text_mm(style.fitted(label, 20)) <= 20 < style.text_mm(label)
    assert style.text_mm("a", 14) == pytest.approx(2 * style.text_mm("a", 7), rel=0.02)


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.000"), (0.9996, "> 0.999"), (0.5, "0.500"), (np.nan, "undefined")]
)
def test_only_a_perfect_area_is_called_one(value: float, text: str) -> None:
    assert style.unit(value) == text
    assert style.interval(0.4, np.nan) == ""
    assert style.interval(0.4, 0.61) == " (0.400–0.610)"

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analysis.errors import DataError
from analysis.figures import curves, examples, roc, style
from analysis.progress import silent

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")
IDS = ["bacterial", "covid_19", "healthy", "viral"]
LABELS = ["Bacterial Pneumonia", "COVID-19", "No Pneumonia (healthy)", "Viral Pneumonia <&>"]
CLASSES = [{"id": i, "label": label} for i, label in zip(IDS, LABELS, strict=True)]
MODEL = {"model": "a", "title": "Baseline CNN", "splits": ["val", "test"]}
FIGURES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "counts": ({"records": "read", "split": "split"}, {}),
    "sizes": ({"records": "read", "split": "split"}, {}),
    "examples": ({"records": "read", "split": "split", "images": "images", "data": "data"}, {"seed": 42}),
    "curves": ({"training": "train_a"}, {"model": "a", "title": "Baseline CNN"}),
    "roc": ({"evaluation": "evaluate_a"}, MODEL),
    "confusion": ({"evaluation": "evaluate_a"}, MODEL),
    "differences": (
        {"comparison": "compare"},
        {"a": "a", "b": "b", "titles": {"a": "Baseline CNN", "b": "Improved CNN"}, "split": "test"},
    ),
}


def draw(name: str, inputs: dict[str, Path], out: Path, **changes: Any) -> str:
    """Draw one figure and return its SVG."""
    out.mkdir(exist_ok=True, parents=True)
    folders, params = FIGURES[name]
    given = {key: inputs[folder] for key, folder in folders.items()}
    params = {"classes": CLASSES, **params, **changes}
    module = importlib.import_module(f"analysis.figures.{name}")
    module.draw(given, out, scratch=out, progress=silent, **params)
    return (out / "figure.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FIGURES)
def test_writes_a_figure_with_its_table_and_words(name: str, inputs: dict[str, Path], tmp_path: Path) -> None:
    svg = draw(name, inputs, tmp_path)
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


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_leaves_the_page(
    name: str, inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Figure] = []
    save = style.save

    def keep(figure: Figure, *rest: Any) -> None:
        save(figure, *rest)
        figures.append(figure)
        drawn = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer())
        width, height = figure.get_size_inches()
        assert drawn.x0 >= 0
        assert drawn.y0 >= 0
        assert drawn.x1 <= width
        assert drawn.y1 <= height

    monkeypatch.setattr(style, "save", keep)
    draw(name, inputs, tmp_path)
    assert len(figures) == 1


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
    with pytest.raises(DataError, match=r"picture \d\d\.png has changed"):
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


def test_undefined_values_are_said_not_drawn(inputs: dict[str, Path], tmp_path: Path) -> None:
    evaluation, comparison = (shutil.copytree(inputs[n], tmp_path / n) for n in ("evaluate_a", "compare"))
    for path, column in ((evaluation / "auroc.csv", "auroc"), (comparison / "differences.csv", "difference")):
        table = pd.read_csv(path)
        table[column] = np.nan
        table.to_csv(path, index=False)
    (evaluation / "roc.csv").write_text("split,curve,fpr,tpr\n")
    changed = {**inputs, "evaluate_a": evaluation, "compare": comparison}
    assert "undefined" in draw("roc", changed, tmp_path / "roc")
    assert "undefined" in draw("differences", changed, tmp_path / "differences")


def test_words_of_the_curves_and_areas() -> None:
    history = pd.DataFrame(
        {"epoch": [1, 2], "loss": [1.0, 0.5], "accuracy": [0.2, 0.9], "val_loss": [0.7, 0.9], "val_accuracy": [0.5, 0.6]}
    )  # fmt: skip
    assert curves.describe(history, "CNN") == (
        "CNN, 2 epochs: training loss from 1.00 to 0.50, validation loss from 0.70 to 0.90, training accuracy "
        "from 0.20 to 0.90 and validation accuracy from 0.50 to 0.60. Validation loss is lowest, 0.70, in epoch 1."
    )
    areas = pd.Series({("test", "a"): 0.5, ("test", "b"): np.nan})
    lines = {"a": roc.Line("A", "red"), "b": roc.Line("B", "blue")}
    assert roc.describe(areas, lines, "CNN", ["test"]) == (
        "CNN, test: area under the curve A 0.500 and B undefined."
    )


def test_signs_and_lists() -> None:
    assert [style.signed(v) for v in (0.0712, -0.0712, -0.0001)] == ["+0.071", "−0.071", "0.000"]
    assert [style.listed(w) for w in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]

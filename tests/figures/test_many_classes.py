"""Every kind of figure with few and many classes, with short and long labels and titles."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from analysis.evaluation import settings
from analysis.evaluation.stages import evaluate
from analysis.evaluation.statistics.resampling import resamples
from analysis.figures import labels, style
from report.study.loading import load
from tests.figures.conftest import write_inputs
from tests.figures.drawing import FIGURES, draw, keep_figures, require_clean

pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")
Inputs = dict[str, Path]
CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
SHORT = [
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
    "No Finding",
    "COVID-19",
    "Tuberculosis",
    "Lung Opacity",
    "Fracture",
    "Support Devices",
]
LONG = [
    f"Another class label that is just as long as the first one and takes two lines {k:02d}"
    for k in range(20)
]
SOLID = [f"Pleural_Thickening-with/no_space_at_all_in_this_label_of_some_seventy_{k:02d}" for k in range(20)]
TITLE = "ResNet50V2, pretrained on ImageNet, with the last block trained at a low rate"
LABELS = {"short": SHORT, "long": LONG, "solid": SOLID}
FAST = {(2, "long"), (8, "solid"), (14, "short")}
ALSO_FAST = {("counts", 20, "short"), ("confusion", 20, "short")}
GRID = [
    pytest.param(
        name, n, kind, marks=() if (n, kind) in FAST or (name, n, kind) in ALSO_FAST else pytest.mark.slow
    )
    for name in FIGURES
    for n, kind in (*sorted(FAST), (8, "long"), (20, "short"), (20, "long"))
]
HOSTILE = [r"a_b^c $x$ \frac{1}{2}", "50 % & <b> \"q\" 'it' #1 {y} [z]", "US$ and $5", r"\$ $$ ~s~ `c`"]


def ids(n: int) -> list[str]:
    return [f"c{k:02d}" for k in range(n)]


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Inputs]:
    """Return what the figures of a study of so many classes read, made once; few resamples place texts as well."""
    made: dict[int, Inputs] = {}

    def of(n: int) -> Inputs:
        if n not in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(evaluate, "resamples", partial(resamples, number=200))
                patch.setattr(settings, "BAND_RESAMPLES", 100)
                patch.setattr(settings, "RESAMPLES", 200)
                patch.setattr(settings, "DECLARED_RESAMPLES", 200)
                made[n] = write_inputs(tmp_path_factory.mktemp(f"classes-{n}") / "study", ids(n))
        return made[n]

    return of


def classes_of(n: int, kind: str) -> list[dict[str, str]]:
    return [{"id": i, "label": label} for i, label in zip(ids(n), LABELS[kind][:n], strict=True)]


@pytest.mark.parametrize(("name", "n", "kind"), GRID)
def test_figures_fit_a_page_and_their_texts_lie_apart(
    name: str,
    n: int,
    kind: str,
    study: Callable[[int], Inputs],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = keep_figures(monkeypatch)
    changes = {} if kind == "short" else _titles(name)
    svg = draw(name, study(n), tmp_path, classes=classes_of(n, kind), **changes)
    # Small digits in rows of 2.8 mm have their descenders' room in common, not their ink.
    require_clean(*figures, slack=1.5)
    height = float(ET.fromstring(svg).get("height", "").removesuffix("pt"))
    assert height <= style.PAGE_MM / 25.4 * 72 + 0.01
    assert min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)) >= style.SMALL
    alt = json.loads((tmp_path / "figure.json").read_text())["alt"]
    assert n <= style.MOST_SAID or len(alt) < 2200


def _titles(name: str) -> dict[str, object]:
    """Return the parameters of a figure with long titles for all models."""
    params, long = FIGURES[name][1], f"X {TITLE}"
    changed: dict[str, object] = {}
    if "title" in params:
        changed["title"] = TITLE
    if "titles" in params:
        changed["titles"] = {"a": TITLE, "b": long}
    if "models" in params:
        changed["models"] = [{"id": m["id"], "title": f"{k} {TITLE}"} for k, m in enumerate(params["models"])]
    return changed


@pytest.mark.parametrize("n", [2, 14])
@pytest.mark.parametrize("times", [1, 1500])
@pytest.mark.parametrize("name", ["counts", "before", "confusion", "moved", "matrices"])
def test_few_and_many_pictures_fit(
    name: str,
    times: int,
    n: int,
    study: Callable[[int], Inputs],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = keep_figures(monkeypatch)
    given = _multiplied(study(n), tmp_path / "inputs", times)
    draw(name, given, tmp_path / "out", classes=classes_of(n, "short"))
    require_clean(*figures, slack=1.5)


def _multiplied(inputs: Inputs, out: Path, times: int) -> Inputs:
    """Return inputs with ``times`` as many pictures."""
    given = dict(inputs)
    for folder, file in (("read", "records.csv"), ("split", "split.csv")):
        given[folder] = out / folder
        given[folder].mkdir(parents=True)
        table = pd.read_csv(inputs[folder] / file, keep_default_na=False)
        pd.concat([table] * times).to_csv(given[folder] / file, index=False)
    for model in ("a", "b", "low_detail"):
        given[f"evaluate_{model}"] = out / model
        (out / model).mkdir()
        table = pd.read_csv(inputs[f"evaluate_{model}"] / "confusion.csv")
        table.assign(count=times * table["count"]).to_csv(out / model / "confusion.csv", index=False)
    return given


@pytest.mark.parametrize("pictures", [4, 17, 100, 30_000])
def test_ticks_of_counts_are_what_they_say(
    pictures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    for folder, table in (
        ("read", pd.DataFrame({"label": ["a", "b"] * pictures, "official": ""})),
        ("split", pd.DataFrame({"split": ["train"] * 2 * pictures})),
    ):
        (tmp_path / folder).mkdir()
        table.to_csv(tmp_path / folder / ("records.csv" if folder == "read" else "split.csv"), index=False)
    classes = [{"id": i, "label": i.upper()} for i in "ab"]
    given = {"read": tmp_path / "read", "split": tmp_path / "split"}
    for name in ("counts", "before"):
        draw(name, given, tmp_path / name, classes=classes)
    for ax in [ax for figure in figures for ax in figure.axes if ax.containers]:
        assert any(isinstance(container, BarContainer) for container in ax.containers)
        _require_true_ticks(ax.figure, [ax.xaxis])


@pytest.mark.parametrize("name", ["sizes", "differences", "roc", "overlay.pr", "decision", "histories.loss"])
def test_ticks_are_what_they_say(
    name: str, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = keep_figures(monkeypatch)
    draw(name, inputs, tmp_path)
    for ax in figures[0].axes:
        _require_true_ticks(figures[0], [ax.xaxis, *([ax.yaxis] if name in {"roc", "decision"} else [])])


@pytest.mark.parametrize("half", [0.001, 0.004, 0.02, 0.3, 2.0])
def test_ticks_of_narrow_differences_are_what_they_say(
    half: float, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.read_csv(inputs["compare"] / "differences.b.csv", keep_default_na=False)
    table[["difference", "low", "high"]] = np.array([0.0, -half, half])
    (tmp_path / "compare").mkdir()
    table.to_csv(tmp_path / "compare" / "differences.b.csv", index=False)
    figures = keep_figures(monkeypatch)
    draw("differences", {"compare": tmp_path / "compare"}, tmp_path / "out", margin=half)
    for ax in figures[0].axes:
        _require_true_ticks(figures[0], [ax.xaxis])


def _require_true_ticks(figure: Figure, axes: list[object]) -> None:
    figure.draw_without_rendering()
    for axis in axes:
        low, high = sorted(axis.get_view_interval())  # type: ignore[attr-defined]
        for tick in axis.get_major_ticks():  # type: ignore[attr-defined]
            text = tick.label1.get_text().replace("−", "-").replace(",", "")
            if text and low <= tick.get_loc() <= high:
                assert float(text) == pytest.approx(tick.get_loc(), abs=1e-9)


def test_twenty_classes_are_told_apart() -> None:
    classes = classes_of(20, "short")
    lines = style.class_lines(classes)
    assert len({(line["color"], line["linestyle"]) for line in lines.values()}) == 20
    assert {i: line["color"] for i, line in list(lines.items())[:7]} == style.class_colours(classes[:7])
    assert {line["linestyle"] for line in list(lines.values())[:7]} == {"-"}
    dashed = {line["color"] for line in lines.values() if line["linestyle"] != "-"}
    assert not dashed & {"#000000", style.INK}  # these are the averages'


@pytest.mark.parametrize("name", [n for n in FIGURES if n not in {"decision"} and "histories" not in n])
def test_labels_stand_in_the_figure_as_they_were_typed(
    name: str, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [{"id": i, "label": label} for i, label in zip(_four(inputs), HOSTILE, strict=True)]
    svg = draw(name, inputs, tmp_path, classes=given)
    if name in {"curves", "reliability"}:  # they have no classes
        return
    said = _said(svg)
    assert [label for label in HOSTILE if re.sub(r"\s+", "", label) not in said] == []


@pytest.mark.parametrize("title", [*HOSTILE, "{drop=0.5} @64px"])
@pytest.mark.parametrize(
    "name", ["overlay.roc", "reliability", "decision", "histories.loss", "matrices", "moved"]
)
def test_titles_stand_in_the_figure_as_they_were_typed(
    name: str, title: str, inputs: Inputs, tmp_path: Path
) -> None:
    if name == "moved":
        svg = draw(name, inputs, tmp_path, titles={"a": title, "b": "Improved CNN"})
    else:
        models = [
            {**m, "title": title if k == 0 else m["title"]} for k, m in enumerate(FIGURES[name][1]["models"])
        ]
        svg = draw(name, inputs, tmp_path, models=models)
    said = _said(svg)
    assert re.sub(r"\s+", "", title) in said


def _said(svg: str) -> str:
    """Return all texts of a figure one after another, without spaces."""
    texts = (t.text or "" for t in ET.fromstring(svg).iter() if t.tag.endswith("text"))
    return re.sub(r"\s+", "", "".join(texts))


def _four(inputs: Inputs) -> list[str]:
    return pd.read_csv(inputs["read"] / "records.csv")["label"].drop_duplicates().tolist()


def test_labels_that_are_cut_stand_in_the_key_in_full(study: Callable[[int], Inputs], tmp_path: Path) -> None:
    svg = draw("confusion", study(20), tmp_path, classes=classes_of(20, "long"))
    texts = [t.text or "" for t in ET.fromstring(svg).iter() if t.tag.endswith("text")]
    assert sum(text.endswith("…") for text in texts) == 40
    assert "1 Another class label" in "".join(texts).replace("  ", " ")
    whole = " ".join(texts)
    assert [label for label in LONG if label not in whole] == []


def test_cut_labels_keep_to_their_lines() -> None:
    for label, lines in itertools.product((LONG[0], SOLID[0], SHORT[12] * 5), (1, 2)):
        text = labels.cut(label, 30, lines)
        assert text.count("\n") + 1 == lines
        assert text.endswith("…")
        assert style.text_mm(text) <= 30
    assert labels.cut("Mass", 30, 1) == "Mass"


def test_words_are_broken_only_where_they_are_wider_than_the_line() -> None:
    assert style.fitted("Pleural_Thickening", 20) == "Pleural_\nThickening"
    assert style.fitted("Pleural_Thickening", 40) == "Pleural_Thickening"
    broken = style.fitted(SOLID[0], 20)
    assert broken.replace("\n", "") == SOLID[0]
    assert style.text_mm(broken) <= 20


def test_a_number_in_each_cell_while_there_is_room(study: Callable[[int], Inputs], tmp_path: Path) -> None:
    for n, note in ((2, ""), (14, "numbers: pictures"), (20, "numbers: pictures")):
        svg = draw("confusion", study(n), tmp_path / f"{n}", classes=classes_of(n, "short"))
        assert (note or "numbers") in svg if note else "numbers" not in svg
        table = pd.read_csv(tmp_path / f"{n}" / "figure.csv")
        assert svg.count(f">{table['count'].iloc[0]}<") >= 1
    big = _multiplied(study(20), tmp_path / "big", 1500)
    svg = draw("confusion", big, tmp_path / "percent", classes=classes_of(20, "short"))
    assert "numbers and shade: percent of the true class" in svg


def test_fonts_behind_ours_are_measured_and_named_in_the_figure(inputs: Inputs, tmp_path: Path) -> None:
    font = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    given = [{"id": i, "label": f"العربية 😀 {i}"} for i in _four(inputs)]
    folders, params = FIGURES["counts"]
    FIGURES["counts.behind"] = ({**folders, "behind_0": "behind"}, params)
    try:
        svg = draw("counts.behind", {**inputs, "behind": font}, tmp_path / "behind", classes=given)
    finally:
        del FIGURES["counts.behind"]
    assert set(re.findall(r"font-family: ([^;\"]+)", svg)) == {"'IBM Plex Sans', 'DejaVu Sans'"}
    assert "العربية 😀" in svg
    assert "DejaVu" not in draw("counts", inputs, tmp_path / "ours")


@pytest.mark.real
@pytest.mark.parametrize("case", ["fourteen-classes", "long-labels", "label-with-dollar"])
@pytest.mark.parametrize("name", ["counts", "sizes", "examples", "roc", "confusion", "moved", "overlay.roc"])
def test_the_studies_of_the_cases_have_readable_figures(
    name: str, case: str, study: Callable[[int], Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not CASES.is_dir():
        pytest.skip("the cases are not here")
    told = load(CASES / case / "study.toml")
    figures = keep_figures(monkeypatch)
    n = len(told.classes)
    classes = [{"id": i, "label": c.label} for i, c in zip(ids(n), told.classes, strict=True)]
    svg = draw(name, study(n), tmp_path, classes=classes)
    require_clean(*figures, slack=1.5)
    said = _said(svg)
    assert [c.label for c in told.classes if re.sub(r"\s+", "", c.label) not in said] == []

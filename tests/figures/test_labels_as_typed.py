"""Labels and titles stand in a figure as the author typed them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.figures.drawing import (
    FIGURES,
    draw,
)
from tests.figures.many_classes import (
    HOSTILE,
    Inputs,
    said_in,
)

# seaborn still gives boxplot an argument that matplotlib has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:vert:DeprecationWarning")


WITHOUT_CLASSES = {"ablation", "curves", "reliability", "decision", "flow", "subsets", "activations"}


@pytest.mark.parametrize(
    "name", [n for n in FIGURES if n.split(".")[0] not in WITHOUT_CLASSES | {"histories", "primary"}]
)
def test_labels_stand_in_the_figure_as_they_were_typed(
    name: str, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [{"id": i, "label": label} for i, label in zip(_four(inputs), HOSTILE, strict=True)]
    svg = draw(name, inputs, tmp_path, classes=given)
    said = said_in(svg)
    assert [label for label in HOSTILE if re.sub(r"\s+", "", label) not in said] == []


TITLES = [*HOSTILE, "{drop=0.5} @64px"]


@pytest.mark.parametrize("name", ["overlay.roc", "reliability", "decision", "histories.loss", "matrices"])
def test_titles_stand_in_the_figure_as_they_were_typed(
    name: str, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [{"id": f"m{k}", "title": title} for k, title in enumerate(TITLES)]
    kind, folder = ("training", "train") if name == "histories.loss" else ("evaluation", "evaluate")
    given = {f"{kind}_{m['id']}": f"{folder}_{'ab'[k % 2]}" for k, m in enumerate(models)}
    monkeypatch.setitem(FIGURES, name, (given, FIGURES[name][1]))
    said = said_in(draw(name, inputs, tmp_path, models=models))
    assert [title for title in TITLES if re.sub(r"\s+", "", title) not in said] == []


@pytest.mark.parametrize(("a", "b"), [TITLES[:2], TITLES[2:4], TITLES[3:]])
def test_titles_of_two_models_stand_as_they_were_typed(
    a: str, b: str, inputs: Inputs, tmp_path: Path
) -> None:
    said = said_in(draw("moved", inputs, tmp_path, titles={"a": a, "b": b}))
    assert [title for title in (a, b) if re.sub(r"\s+", "", title) not in said] == []


def _four(inputs: Inputs) -> list[str]:
    return pd.read_csv(inputs["read"] / "records.csv")["label"].drop_duplicates().tolist()

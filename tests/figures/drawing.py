"""How tests draw each kind of figure, and what they require of every one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.figures import style
from analysis.progress import silent
from report.pipeline.figures import MODULES

IDS = ["bacterial", "covid_19", "healthy", "viral"]
LABELS = ["Bacterial Pneumonia", "COVID-19", "No Pneumonia (healthy)", "Viral Pneumonia <&>"]
CLASSES = [{"id": i, "label": label} for i, label in zip(IDS, LABELS, strict=True)]
MODEL = {"title": "Baseline CNN", "splits": ["val", "test"]}
TITLES = {"a": "Baseline CNN", "b": "Improved CNN", "low_detail": "8 × 8 baseline"}
MODELS = [{"id": i, "title": title} for i, title in TITLES.items()]
EVALUATIONS = {f"evaluation_{i}": f"evaluate_{i}" for i in TITLES}
TRAININGS = {f"training_{i}": f"train_{i}" for i in ("a", "b")}
PAIR = {"a": "a", "b": "b", "titles": TITLES, "split": "test"}
SHORT = ["accuracy", "f1", "sensitivity", "auroc"]
RANKED = {"models": MODELS[:2], "measure": "f1.macro", "split": "test"}
ELSEWHERE = [
    {"id": "normal", "label": "No finding", "matches": ["healthy"]},
    {"id": "ill", "label": "Pneumonia among several findings", "matches": ["bacterial", "viral"]},
    {"id": "other", "label": "Other", "matches": []},
]
FIGURES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "flow": ({"records": "read", "split": "split"}, {}),
    "primary": ({"results": "results"}, {**RANKED, "analyses": [""]}),
    "primary.grouped": ({"results": "results"}, {**RANKED, "analyses": ["", "@patient"]}),
    "counts": ({"records": "read", "split": "split"}, {}),
    "sizes": ({"records": "read", "split": "split"}, {}),
    "examples": ({"records": "read", "split": "split", "images": "images", "data": "data"}, {"seed": 42}),
    "curves": ({"training": "train_a"}, {"title": "Baseline CNN"}),
    "roc": ({"evaluation": "evaluate_a"}, MODEL),
    "confusion": ({"evaluation": "evaluate_a"}, MODEL),
    "differences": ({"comparison": "compare"}, {**PAIR, "margin": 0.03, "primary": "f1.macro"}),
    "differences.grouped": (
        {"comparison": "compare", "grouped": "compare"},
        {**PAIR, "margin": 0.03, "primary": "accuracy"},
    ),
    "effects": (
        {"comparison": "compare"},
        {**PAIR, "margin": 0.03, "primary": "f1.macro", "measures": SHORT},
    ),
    "effects.grouped": (
        {"comparison": "compare", "grouped": "compare"},
        {**PAIR, "margin": 0.03, "primary": "f1.macro", "measures": SHORT},
    ),
    "moved": ({"evaluation_a": "evaluate_a", "evaluation_b": "evaluate_b"}, PAIR),
    "overlay.roc": (EVALUATIONS, {"kind": "roc", "models": MODELS, "splits": ["test", "val"]}),
    "overlay.pr": (EVALUATIONS, {"kind": "pr", "models": MODELS, "splits": ["val", "test"]}),
    "reliability": (EVALUATIONS, {"models": MODELS, "split": "test"}),
    "decision": (EVALUATIONS, {"models": MODELS}),
    "histories": (TRAININGS, {"models": MODELS[:2], "measures": ["loss", "accuracy"]}),
    "histories.loss": (TRAININGS, {"models": MODELS[:2], "measures": ["loss"]}),
    "histories.accuracy": (TRAININGS, {"models": MODELS[:2], "measures": ["accuracy"]}),
    "matrices": (EVALUATIONS, {"models": MODELS[:2], "splits": ["test", "val"]}),
    "before": ({"records": "read", "split": "split"}, {}),
    "duplicates": ({"duplicates": "duplicates", "records": "read", "split": "split", "data": "data"}, {}),
    "labels": ({"candidates": "labels", "records": "read", "data": "data"}, {}),
    "flips": ({"comparison": "flips", "records": "read", "data": "data"}, PAIR),
    "ablation": (
        {"ablation": "ablation"},
        {
            "components": [
                {"id": "augmentation", "title": "augmentation"},
                {"id": "recipe", "title": "AdamW with a cosine schedule, weight decay & label smoothing"},
                {"id": "dropout", "title": "dropout"},
            ],
            "titles": {"leave": TITLES["b"], "add": TITLES["a"]},
            **{"measure": "f1.macro", "split": "test", "margin": 0.03},
        },
    ),
    "subsets": ({"subsets": "subsets"}, {"models": MODELS[:2], "measure": "f1.macro"}),
    "attention": ({"attention": "attention"}, {"models": MODELS[:2]}),
    "activations": ({"activations": "activations"}, {"title": "Baseline CNN"}),
    "external": (
        {"external_a": "external_a", "external_b": "external_b"},
        {"external": ELSEWHERE, "models": MODELS[:2]},
    ),
}
OF_NO_CLASSES = (
    "ablation",
    "flow",
    "primary",
    "primary.grouped",
    "decision",
    "curves",
    "reliability",
    "histories",
    "histories.loss",
    "histories.accuracy",
    "subsets",
)
OF_MODELS = ("overlay.roc", "overlay.pr", "reliability", "decision")


def draw(name: str, inputs: dict[str, Path], out: Path, **changes: Any) -> str:
    """Draw one figure and return its SVG."""
    out.mkdir(exist_ok=True, parents=True)
    folders, params = FIGURES[name]
    given = {key: inputs[folder] for key, folder in folders.items()}
    params = {"classes": CLASSES, **params, **changes}
    if name in OF_NO_CLASSES:
        del params["classes"]
    module = importlib.import_module(f"analysis.figures.{MODULES[name.partition('.')[0]]}")
    module.draw(given, out, scratch=out, progress=silent, **params)
    return (out / "figure.svg").read_text(encoding="utf-8")


def keep_figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Return the list into which every figure will be put that is saved."""
    figures: list[Figure] = []
    save = style.save

    def keep(figure: Figure, *rest: Any) -> None:
        save(figure, *rest)
        figures.append(figure)

    monkeypatch.setattr(style, "save", keep)
    return figures


def require_clean(figure: Figure, slack: float = 1.0) -> None:
    """Require that nothing leaves the page and that no text lies upon another."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    drawn, (width, height) = figure.get_tightbbox(renderer), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) > -1e-6
    texts = texts_of(figure)
    boxes = np.array([text.get_window_extent(renderer).extents for text in texts]).reshape(-1, 4)
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    common = np.minimum(high, high.swapaxes(0, 1)) - np.maximum(low, low.swapaxes(0, 1))
    upon = np.argwhere(np.triu((common > slack).all(axis=2), k=1))
    assert [(texts[one].get_text(), texts[other].get_text()) for one, other in upon] == []


def texts_of(figure: Figure) -> list[Text]:
    """Return every text that is drawn; ticks beyond an axis are not."""
    found: list[Text] = list(figure.texts)
    for ax in figure.axes:
        found += [*ax.texts, *(c for c in ax.get_children() if isinstance(c, Text))]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            found += [axis.label, *(tick.label1 for tick in ticks)]
    return [text for text in dict.fromkeys(found) if text.get_visible() and text.get_text().strip()]

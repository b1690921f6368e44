"""The stages that draw the figures."""

from __future__ import annotations

from pathlib import Path

from report import PROJECT
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.study.settings import Comparison
from tests.pipeline.plans import (
    ASSIGNMENT,
    REAL,
    STUDY,
    changed,
    named,
    names,
)


def test_every_declared_comparison_has_its_figures():
    third = STUDY.models[1].model_copy(update={"id": "third"})
    comparison = Comparison(baseline="baseline", against=("improved", "third"))
    study = STUDY.model_copy(update={"models": (*STUDY.models, third), "comparison": comparison})
    plan = make_stages(study, Place(ASSIGNMENT, "folder", Path("/data")))
    assert named(plan, "compare").params["against"] == ["improved", "third"]
    for kind in ("differences", "effects", "moved", "flips"):
        assert [n for n in names(plan) if n.startswith(f"figure.{kind}")] == [
            f"figure.{kind}.improved", f"figure.{kind}.third",
        ]  # fmt: skip
    assert not [name for name in changed(REAL, plan) if name.startswith(("train.", "predict.", "evaluate."))]


def test_figures_of_the_main_text_have_its_models_and_the_first_page_all():
    study = load(PROJECT / "studies" / "assignment" / "study.toml")
    assert len(study.in_main_text) < len(study.trained)
    place = Place(PROJECT / "studies" / "assignment", "folder", Path("/data"))
    shown = {
        stage.name: [model["id"] for model in stage.params["models"]]
        for stage in make_stages(study, place)
        if stage.name in ("figure.primary", "figure.histories", "figure.matrices")
    }
    assert shown.pop("figure.primary") == [model.id for model in study.trained]
    assert set(map(tuple, shown.values())) == {tuple(model.id for model in study.in_main_text)}

"""The stages that tell from where in an image the scores of networks come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.vocabulary.attention import MAPS_TABLE, NETWORK, SHOWN_TABLE
from report import PROJECT
from report.delivery.evidence import find_beyond_reach, select_repeatable
from report.engine.stage import find_private_readers
from report.errors import UsageError
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.folder import SECTIONS
from report.study.loading import load
from tests.pipeline.plans import PLANS, REAL, changed, changed_study, named, names, planned

WITHOUT = f"report.sections={json.dumps([name for name in SECTIONS if name != 'attention'])}"
RESPLIT = PROJECT / "studies" / "pediatric-resplit"


def of_kind(plan, *kinds):
    return [stage for stage in plan if stage.kind in kinds]


def test_each_network_of_the_main_text_has_a_stage_and_a_figure():
    assert [s.name for s in of_kind(REAL, "attention")] == ["attention.baseline", "attention.improved"]
    assert {"figure.attention.baseline", "figure.attention.improved"} <= {*names(REAL)}
    assert {"attention_baseline", "attention_improved"} <= named(REAL, "results").inputs.keys()
    assert {"attention_baseline", "figure_attention_baseline"} <= named(REAL, "source").inputs.keys()


def test_it_is_the_first_training_that_is_shown():
    stage = named(PLANS["three seeds"], "attention.baseline")
    assert stage.inputs["model_baseline"].stage == "train.baseline@seed_42"
    assert stage.inputs["predictions_baseline"].stage == "predict.baseline@seed_42"
    assert stage.params["seed"] == 42


def test_without_the_section_there_is_none_and_no_other_key_is_changed():
    plan = planned(WITHOUT)
    assert of_kind(plan, "attention", "activations") == []
    assert not [name for name in names(plan) if name.startswith("figure.attention")]
    after = {"results", "figure.primary", "figure.stages", "source", "html", "pdf"}
    assert changed(REAL, plan) == after


@pytest.mark.parametrize("plan", [name for name in PLANS if "locked" in name])
def test_while_the_test_set_is_locked_there_is_none(plan):
    assert of_kind(PLANS[plan], "attention", "activations") == []


def test_of_many_networks_one_stage_finds_the_best():
    study = load(RESPLIT / "study.toml")
    plan = make_stages(study, Place(RESPLIT, "folder", Path("/data")))
    [stage] = of_kind(plan, "attention")
    assert stage.name == "attention.best"
    assert list(stage.params["models"]) == [m.id for m in study.in_main_text]
    assert {f"model_{m.id}" for m in study.in_main_text} <= stage.inputs.keys()


def test_feature_maps_are_of_the_model_that_the_study_names():
    plan = make_stages(load(RESPLIT / "study.toml"), Place(RESPLIT, "folder", Path("/data")))
    [stage] = of_kind(plan, "activations")
    assert stage.inputs["model_dropout_cnn"].stage == "train.dropout_cnn"
    assert named(plan, "figure.activations").params["title"] == "Dropout CNN"
    assert of_kind(REAL, "activations") == []
    assert names(of_kind(planned("report.feature_maps=improved"), "activations")) == ["activations.improved"]
    assert of_kind(planned("report.feature_maps=improved", WITHOUT), "activations") == []


def test_feature_maps_of_a_model_that_is_not_trained_are_refused():
    with pytest.raises(UsageError, match="no model is called 'other'"):
        changed_study("report.feature_maps=other")


def test_the_pictures_stay_and_what_the_report_shows_is_handed_over():
    plan = planned("report.feature_maps=improved")
    stages = {"attention.baseline", "activations.improved"}
    assert stages <= find_private_readers(plan)
    assert named(plan, "attention.baseline").releases == ("results.json", NETWORK, SHOWN_TABLE, MAPS_TABLE)
    assert named(plan, "activations.improved").releases == ("layers.csv",)
    figures = {"figure.attention.baseline", "figure.activations"}
    assert figures | stages <= find_beyond_reach(plan)
    assert {"results", "source"} <= {stage.name for stage in select_repeatable(plan)}

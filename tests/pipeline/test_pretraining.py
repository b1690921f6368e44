"""The stages of a pretraining: what they read, and that nothing held out can be learnt first."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.engine.stage import Output, find_private_readers, select
from report.study.loading import load
from tests.pipeline.plans import PLANS, TRANSFER, changed, named, names, pretrained

REAL = PLANS["pretrained"]


def test_it_reads_every_split_whose_test_set_is_ever_predicted():
    drawn = PLANS["pretrained on an archive, three draws"]
    read = {name for name in named(drawn, "pretraining.split").inputs if name.startswith("split")}
    assert read == {"split", "split@patient", "split@draw_43", "split@draw_44"}
    assert read == {stage.name for stage in drawn if stage.kind == "split"}


@pytest.mark.parametrize(
    "change", ["split.seed=1", "split.test=0.3", "split.also=none", "split.exclude_duplicates=true"]
)
def test_another_split_is_another_pretraining(change):
    begun = {"pretraining.split", "pretraining.train", "weights.pretraining", "pretrained.head@seed_42"}
    assert changed(REAL, pretrained(change)) >= {*begun, "train.head@seed_42", "train.transfer@seed_42"}
    assert "pretraining.duplicates" not in changed(REAL, pretrained(change)), (
        "what both have does not depend on it"
    )


def test_the_network_from_scratch_does_not_depend_on_it():
    other = changed(REAL, pretrained("pretraining.model.epochs=3", "pretraining.seed=7"))
    assert "train.transfer@patient_seed_44" in other
    assert not [name for name in other if name.startswith("train.scratch")]


def test_it_is_trained_as_the_networks_of_the_study_are():
    trained, other = named(REAL, "pretraining.train"), named(REAL, "train.scratch@seed_42")
    assert trained.function == other.function == "analysis.models.training:train"
    assert trained.params.keys() == other.params.keys()
    assert trained.params["classes"] == ["covid_19", "normal", "viral_pneumonia"]
    assert named(REAL, "train.head@seed_42").function == "analysis.models.fine_tuning:train"


def test_nothing_learnt_first_is_of_images_from_elsewhere():
    stages = pretrained(external_kind="folder", external=Path("/elsewhere"))
    for name in [
        n for n in names(stages) if n.startswith(("pretraining", "train.", "pretrained", "weights"))
    ]:
        assert not [stage.name for stage in select(stages, [name]) if stage.kind == "external"]


def test_images_from_elsewhere_are_held_against_what_was_learnt_first():
    stages = pretrained(external_kind="folder", external=Path("/elsewhere"))
    assert named(stages, "external.duplicates").needs >= {"pretraining.read", "pretraining.images"}


def test_images_stay_private_and_tables_are_handed_over():
    private = find_private_readers(REAL)
    assert {
        "pretraining.read",
        "pretraining.images",
        "pretraining.duplicates",
        "pretraining.train",
    } <= private
    assert not {"pretraining.split", "pretraining.facts", "results", "source"} & private


def test_the_sample_learns_first_from_other_bodies():
    made = named(PLANS["pretrained on a sample"], "pretraining.sample")
    assert made.private
    assert named(PLANS["pretrained on a sample"], "pretraining.read").inputs == {
        "data": Output("pretraining.sample")
    }
    assert made.params["seed"] != load(TRANSFER / "study.toml").sample.seed


def test_other_studies_have_no_such_stage():
    others = [stages for plan, stages in PLANS.items() if not plan.startswith("pretrained")]
    assert not [name for stages in others for name in names(stages) if "pretraining" in name]

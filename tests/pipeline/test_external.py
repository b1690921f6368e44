"""The stages of an external set: what they read, and that nothing which is trained or chosen reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.engine.stage import Output, find_private_readers, is_included
from tests.pipeline.plans import PLANS, REAL, changed, keys, named, names, planned

EXTERNAL = PLANS["external"]


def test_nothing_but_results_and_what_shows_them_reads_the_external_set():
    readers = {
        s.name for s in EXTERNAL if s.kind != "external" and any(n.startswith("external.") for n in s.needs)
    }
    assert readers == {"results", "source", "figure.external"}


def test_without_its_images_a_study_has_the_stages_of_one_that_names_no_external_set():
    without = planned("report.paper=a4")
    assert names(without) == [name for name in names(EXTERNAL) if "external" not in name]


def test_the_images_being_there_changes_no_key_of_a_training_or_measure():
    assert changed(REAL, EXTERNAL) == {"results", "figure.primary", "figure.stages", "source", "html", "pdf"}


def test_every_training_is_tried_and_several_seeds_are_averaged():
    tested = {
        n.removeprefix("external.evaluate.") for n in names(EXTERNAL) if n.startswith("external.evaluate.")
    }
    trained = {stage.name.removeprefix("train.") for stage in EXTERNAL if stage.kind == "train"}
    assert tested == trained
    seeds = PLANS["external archive, three seeds"]
    assert set(named(seeds, "external.evaluate.baseline@patient").inputs) == {
        f"baseline@patient_seed_{seed}" for seed in (1, 2, 3)
    }


@pytest.mark.parametrize("name", ["external sample", "external", "external archive, three seeds"])
def test_images_stay_private_and_tables_are_handed_over(name):
    plan = PLANS[name]
    private = find_private_readers(plan)
    assert {"external.read", "external.images", "external.duplicates"} <= private
    assert "external.facts" not in private
    for stage in plan:
        if stage.name.startswith("external.evaluate."):
            assert stage.name not in private
    images = named(plan, "external.images")
    assert not is_included("images.npy", images.releases)


def test_external_images_are_prepared_as_the_study_s_own():
    assert named(EXTERNAL, "external.images").params == named(EXTERNAL, "images").params
    assert keys(EXTERNAL)["external.images"] != keys(EXTERNAL)["images"]


def test_the_sample_has_a_set_of_its_own_that_no_other_stage_depends_on():
    plan = PLANS["external sample"]
    sample = named(plan, "external.sample")
    assert sample.private
    assert sample.params["pictures"] < 100
    assert sample.inputs == {"data": Output("sample")}
    assert changed(PLANS["sample"], plan) == {
        "results",
        "figure.primary",
        "figure.stages",
        "source",
        "html",
        "pdf",
    }


def test_an_external_folder_is_read_in_place():
    data = named(EXTERNAL, "external.read").inputs["data"]
    assert (data.path, data.private) == (Path("/elsewhere"), True)

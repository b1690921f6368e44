"""What is said of a pretraining: how many images were left out and why, the phases, and what came of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.vocabulary.pretraining import names
from report import PROJECT
from report.delivery.made_up import make_entry
from report.study.loading import load
from report.writing.study_facts import StudyFacts
from report.writing.values import Values, unbroken
from tests.writing.conftest import Written

STUDY = load(PROJECT / "studies" / "assignment-transfer" / "study.toml")
COUNTS = {
    "all.count": 1500,
    "shared.count": 551,
    "left_out.count": 358,
    "left_out.exact.count": 3,
    "left_out.near.count": 318,
    "left_out.patient.count": 37,
    "train.count": 913,
    "val.count": 229,
}
NESTED = {"config": {"layers": []}, "inbound_nodes": [{"kwargs": {"training": False}}]}


@pytest.fixture
def say(tmp_path: Path):
    """Return what says a sentence of the section under these results."""
    for model in ("pretrained", *(m.id for m in STUDY.models)):
        folder = tmp_path / model
        folder.mkdir()
        (folder / "summary.json").write_text(json.dumps({"precision": "bfloat16"}))
        layers = [NESTED] if model in ("head", "transfer") else []
        (folder / "architecture.json").write_text(json.dumps({"config": {"layers": layers}}))
    inputs = {f"architecture_{path.name}": path for path in tmp_path.iterdir()}

    def write(**changed: Any) -> Written:
        known = [*names(STUDY.pretraining.class_ids)]
        known += [
            f"{m.id}.architecture.{n}" for m in STUDY.models for n in ("parameters", "trainable_parameters")
        ]
        results = {name: make_entry(name) for name in known}
        for name, value in {**COUNTS, **changed}.items():
            results[f"pretraining.{name}"] = {**make_entry("pretraining.all.count"), "value": value}
        return Written(StudyFacts(STUDY.for_document(), Values(results), inputs))

    return write


def test_all_results_have_a_name(say):
    assert set(names(["a", "b"])) >= {
        "pretraining.left_out.near.count.b",
        "pretraining.shared.count",
        "pretraining.val_accuracy",
    }


def test_what_is_left_out_is_counted_by_reason(say):
    assert say()("pretraining.left_out").endswith(
        "Of 1,500 images there 551 are ours too. Left out were 358 images (@tbl-pretraining). Of these 321 show an X-ray of our"
        " validation or test set (3 with the same pixels). Another 37 show a training X-ray of a patient who also has images"
        " in those sets."
    )
    none = {name: 0 for name in COUNTS if name.startswith("left_out")}
    assert "None of the 1,500 images is one" in say(**none)("pretraining.left_out")
    one = say(**{**none, "left_out.count": 1, "left_out.patient.count": 1})("pretraining.left_out")
    assert "Left out was 1 image (@tbl-pretraining). It shows a training X-ray of" in one


def test_settings_are_those_of_the_network_from_scratch_but_for_the_epochs(say):
    words = say()("pretraining.settings")
    assert words == (
        "It was trained once, with seed 42, and has the layers and settings of the residual CNN from scratch but for"
        " the epochs (40)."
    )


def test_settings_of_another_network_are_all_told(say):
    written = say()
    first = {**written.facts.study["pretraining"], "model": {**written.facts.study["pretraining"]["model"], "params": {"width": 8}}}  # fmt: skip
    other = replace(
        written, facts=replace(written.facts, study={**written.facts.study, "pretraining": first})
    )
    words = other("pretraining.settings")
    assert words.startswith("It was trained once, with seed 42: optimiser (AdamW")
    assert f"batch{unbroken(' ')}size (32)" in words


def test_phases_follow_each_other(say):
    words = say()("pretraining.phases")
    assert "has two phases. Phase 1 is the residual CNN with a new head: the head begins with random" in words
    assert (
        "Phase 2 is the fine\\-tuned residual CNN: 8 of the 8 parameters are trained. It takes 28 epochs"
        in words
    )
    assert "Batch normalisation keeps" in words


def test_the_abstract_says_what_was_learnt_first_and_without_what(say):
    begun = "The fine\\-tuned residual CNN learnt first from the COVID\\-19 Radiography Database"
    assert say()("abstract.learnt_first") == (
        f"{begun}, without the 358 images of it that we validate or test on too, or whose patient we do."
    )
    assert say(**{"left_out.count": 0})("abstract.learnt_first") == f"{begun}."


def test_networks_that_do_not_follow_each_other_are_no_phases(say):
    written = say()
    scratch, head, transfer = written.facts.study["models"]
    models = [scratch, head, transfer, {**head, "id": "imagenet_head"}, {**transfer, "id": "imagenet"}]
    for shown, said in ((models[:-1], "one goes on from one of these."), (models, "two go on from one of")):
        study = {**written.facts.study, "models": shown}
        words = replace(written, facts=replace(written.facts, study=study))("pretraining.phases")
        assert f"two networks begin with what was learnt, and {said}" in words
        assert "Phase" not in words


def test_classes_that_come_from_different_places_are_named(say):
    shares = {"shared.count.viral_pneumonia": 8, "shared.count.normal": 0, "shared.count.covid_19": 4}
    told = say(**shares)("pretraining.reading")
    assert "All Viral Pneumonia images there are ours too, and none of Normal" in told
    shares = {"all.count.viral_pneumonia": 100, "shared.count.viral_pneumonia": 99, "all.count.normal": 100}
    told = say(**shares, **{"shared.count.normal": 1, "shared.count.covid_19": 4})("pretraining.reading")
    assert "Nearly all Viral Pneumonia images there are ours too, and hardly any of Normal" in told
    assert "Nearly all" not in say(**{**shares, "shared.count.normal": 8})("pretraining.reading")

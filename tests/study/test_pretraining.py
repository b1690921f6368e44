"""``[pretraining]`` in a study file: what it may say of its classes, its network, and who begins with it."""

from __future__ import annotations

import pytest

from report import PROJECT
from report.errors import StudyError
from report.study.loading import load

FILE = PROJECT / "studies" / "assignment-transfer" / "study.toml"


def read(tmp_path, old: str, new: str):
    text = FILE.read_text()
    assert old in text
    (tmp_path / "study.toml").write_text(text.replace(old, new, 1))
    return load(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('label = "Normal"', 'label = "covid-19"', "reads like"),
        ('id = "normal"', 'id = "covid_19"', "declared twice"),
        ('folders = { covid_19 = ["COVID"] }', 'folders = { covid = ["COVID"] }', "no class to learn first is called 'covid'"),
        ('title = "Pretrained residual CNN"', 'title = "Pretrained residual CNN"\nweights = "imagenet"\nparams = { backbone = "vgg16" }', "begins with random weights"),
        ('title = "Pretrained residual CNN"', 'title = "Pretrained residual CNN"\nclass_weights = { covid_19 = 1.0 }', "needs one weight for each class"),
        ('id = "pretrained"', 'id = "scratch"', "scratch is declared twice"),
        ('weights = "pretraining"', 'weights = "random"', "no model begins with what it has learnt"),
        ('also = "patient"', 'also = "patient"\nfolds = 3', "each image is in the test part of one fold"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_refused(tmp_path, old, new, problem):
    with pytest.raises(StudyError, match=problem):
        read(tmp_path, old, new)


def test_weights_of_a_pretraining_need_one():
    assignment = PROJECT / "studies" / "assignment" / "study.toml"
    with pytest.raises(Exception, match=r"the study has no \[pretraining\]"):
        load(assignment, ("models.residual.weights=pretraining",))


def test_the_sample_trains_it_as_short_as_the_others():
    study = load(FILE).for_sample()
    assert study.pretraining.model.epochs == study.sample.epochs


def test_scratch_and_transfer_differ_in_their_beginning_and_learning_rate_alone():
    models = {m.id: m.model_dump() for m in load(FILE).models}
    told = ("id", "title", "rationale", "minutes")
    differ = {
        key
        for key, value in models["scratch"].items()
        if key not in told and models["transfer"][key] != value
    }
    assert differ == {"architecture", "params", "init_from", "learning_rate"}


def test_from_scratch_is_the_residual_network_of_the_assignment():
    assignment = {
        m.id: m.model_dump() for m in load(PROJECT / "studies" / "assignment" / "study.toml").models
    }
    scratch = {m.id: m.model_dump() for m in load(FILE).models}["scratch"]
    told = ("id", "title", "rationale", "minutes")
    assert {k: v for k, v in scratch.items() if k not in told} == {
        k: v for k, v in assignment["residual"].items() if k not in told
    }

"""What is said of models and their training."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from report import PROJECT
from report.study.loading import load
from report.writing.sections import explanation
from report.writing.sections.explanation import Explanation
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.writing.conftest import STUDY, macro


def test_settings_of_many_models_name_what_they_share_once() -> None:
    study = load(PROJECT / "studies" / "pediatric-imbalanced" / "study.toml").for_document()
    text = macro(StudyFacts(study, Values({}), {}, many=True), "floats/training.training")
    shared, _, table = text.partition("\n\n")
    assert "optimiser" not in shared
    assert "horizontal flip" in shared
    assert "horizontal flip" not in table
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    assert rows[0].split(" | ")[1:] == ["Optimiser", "Epochs", "Batch\u00a0size", "Grey\u00a0levels\u00a0scaled\u00a0to", "Class\u00a0weights", "Augmented |"]  # fmt: skip
    assert len(rows) == 1 + len(study["models"])
    assert "0 to 255, pixels of different images interleaved" in rows[1]


def test_only_settings_that_are_set_have_a_row() -> None:
    text = macro(StudyFacts(STUDY, Values({}), {}), "floats/training.training")
    for absent in ("Grey", "First", "weights |", "Augmented"):
        assert absent not in text
    warm = load(PROJECT / "studies" / "pediatric-resplit" / "study.toml").for_document()
    assert "those of the dropout CNN, trained" in macro(
        StudyFacts(warm, Values({}), {}), "floats/training.training"
    )


def test_callbacks_and_augmentations_in_words() -> None:
    study = load(PROJECT / "studies" / "radiography" / "study.toml")
    model = study.untrained[0].model_dump(mode="json")
    facts = StudyFacts(STUDY, Values({}), {})
    assert macro(facts, "sentences/training.augmentation", model["augmentation"]).split("; ")[1:] == [
        "brightness up to ±0.05 of 255 grey levels",
        "contrast times 0.9 to 1.1",
    ]
    assert macro(facts, "sentences/training.callbacks", model["callbacks"]).split("; ")[1:] == [
        "learning rate times 0.5 when validation loss has not improved for 2 epochs",
        "checkpoint of the best validation loss",
    ]


@pytest.mark.parametrize(
    ("balance", "updates"),
    [("none", 14 * 126), ("oversample", 14 * (4 * 1779 // 32)), ("square-root", 14 * 126)],
)
def test_weight_updates_are_those_of_the_batches_that_were_shown(balance: str, updates: int) -> None:
    counts = {"bacterial": 1779, "covid_19": 272, "healthy": 1012, "viral": 956}
    results = {f"data.train.count.{name}": {"value": count} for name, count in counts.items()}
    results["improved.training.weights_epoch"] = {"value": 14}
    models = [{**model, "class_balance": balance} for model in STUDY["models"]]
    facts = StudyFacts({**STUDY, "models": models}, Values(results), {})
    assert Explanation(facts).updates("improved") == updates


def test_what_a_network_has_that_the_baseline_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = {"baseline": [{"type": "Dense"}], "improved": [{"type": "Dense"}, {"type": "SpatialDropout2D"}]}
    monkeypatch.setattr(StudyFacts, "layers", lambda self, model: layers[model])
    facts = StudyFacts(STUDY, Values({}), {})
    assert Explanation(facts).added("improved") == ["balance", "augmentation", "dropout", "stopping"]
    assert Explanation(facts).added("baseline") == []


@pytest.mark.parametrize(
    ("balance", "added"),
    [("none", []), ("square-root", ["evened"]), ("oversample", ["balance"])],
)
def test_only_classes_of_one_size_are_called_balanced(balance, added, monkeypatch):
    monkeypatch.setattr(StudyFacts, "layers", lambda self, model: [{"type": "Dense"}])
    study = copy.deepcopy(STUDY)
    study["models"][1]["class_balance"] = balance
    steps = Explanation(StudyFacts(study, Values({}), {})).added("improved")
    assert [step for step in steps if step in ("balance", "evened")] == added


def test_the_work_for_an_image_is_that_of_all_views_that_are_averaged(monkeypatch):
    dense = {"class_name": "Dense", "config": {"units": 4}}
    monkeypatch.setattr(StudyFacts, "architecture", lambda self, model: {"config": {"layers": [dense]}})
    monkeypatch.setattr(explanation, "multiply_adds", lambda _: 3_000_000)
    study = copy.deepcopy(STUDY)
    study["models"][1]["averaged_over"] = ["horizontal_flip"]
    facts = Explanation(StudyFacts(study, Values({}), {}))
    assert [facts.operations(model) for model in ("baseline", "improved")] == [3.0, 6.0]


def test_weights_learnt_elsewhere_are_named_with_their_digest(tmp_path: Path) -> None:
    both = {
        "baseline": {"backbone": "vgg16", "title": "VGG16", "file": "vgg16_notop.h5", "checked": True},
        "improved": {"study": "radiography", "model": "simple_cnn"},
    }
    for number, (model, facts) in enumerate(both.items()):
        (tmp_path / model).mkdir()
        known = {**facts, "sha256": f"{number}" * 64}
        (tmp_path / model / "pretrained.json").write_text(json.dumps(known))
    inputs = {f"pretrained_{model}": tmp_path / model for model in both}
    said = macro(StudyFacts(STUDY, Values({}), inputs), "sentences/models.beginnings")
    assert said == (
        "The baseline CNN begins, up to the head, with the weights of VGG16 learnt on ImageNet: Keras' file"
        " `vgg16_notop.h5`, SHA-256 `0000000000000000`… The improved CNN begins, up to the head, with the weights that the"
        " study `radiography` has trained as `simple_cnn`: SHA-256 `1111111111111111`…"
    )


def test_a_backbone_that_has_learnt_nothing_is_told() -> None:
    first, *others = STUDY["models"]
    models = [{**first, "params": {"backbone": "vgg16"}}, *others]
    said = macro(StudyFacts({**STUDY, "models": models}, Values({}), {}), "sentences/models.beginnings")
    assert "The baseline CNN was asked for with random weights: its backbone has learnt nothing" in said


@pytest.mark.parametrize("weights", ["other/net", "random"])
def test_weights_of_another_study_are_a_limitation_as_nobody_has_compared_its_images(weights, source):
    study = copy.deepcopy(STUDY)
    study["models"][1]["weights"] = weights
    said = "- The improved CNN begins with weights that another study has trained. Whether"
    assert (said in source(study=study)) == (weights == "other/net")

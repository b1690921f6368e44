"""Models that begin with weights learnt elsewhere: which are trained, and what is said of those that begin with none."""

from __future__ import annotations

import json

import pytest

from report import PROJECT
from report.errors import StudyError, UsageError
from report.study.loading import load
from report.study.study import Study

OFFICIAL = PROJECT / "studies" / "pediatric-official" / "study.toml"
RANDOM = "models.transfer_first.weights=random"


def ids(models: tuple[object, ...]) -> list[str]:
    return [model.id for model in models]  # type: ignore[attr-defined]


def titles(study: Study) -> dict[str, str]:
    return {model.id: model.title for model in study.models}


def test_what_goes_on_from_a_model_is_described_with_it() -> None:
    assert "transfer" in ids(load(OFFICIAL).untrained)
    assert load(OFFICIAL, has_imagenet=True).untrained == ()
    assert ids(load(OFFICIAL, (RANDOM,)).trained)[2:] == ["transfer_first", "transfer", "transfer_corrected"]


def test_a_backbone_with_random_weights_is_told_in_every_title() -> None:
    study = load(OFFICIAL, (RANDOM,))
    told = [model for model, title in titles(study).items() if title.endswith("(random weights)")]
    assert told == ["transfer_first", "transfer", "transfer_corrected"]
    again = Study.model_validate_json(json.dumps(study.as_json(without_defaults=True)))
    assert titles(again) == titles(study)


def test_which_trainings_are_of_weights_learnt_elsewhere() -> None:
    study = load(OFFICIAL, has_imagenet=True)
    assert [m.id for m in study.models if not study.begins_elsewhere(m)] == ["cnn_1", "cnn_2"]
    phases = ("models.transfer_first.weights=radiography/simple_cnn", "models.cnn_2.init_from=cnn_1")
    study = load(OFFICIAL, phases)
    assert [m.id for m in study.trained if not study.begins_elsewhere(m)] == ["cnn_1", "cnn_2"]


def test_weights_of_imagenet_are_of_three_channels() -> None:
    with pytest.raises(
        UsageError, match=r"image.color=grey: weights learnt on ImageNet are of three channels"
    ):
        load(OFFICIAL, ("image.color=grey",))


def test_a_study_file_does_not_say_what_is_at_hand(tmp_path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("has_imagenet = true\n" + OFFICIAL.read_text())
    with pytest.raises(StudyError, match="has_imagenet: unknown key"):
        load(path)

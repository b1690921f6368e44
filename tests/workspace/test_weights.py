"""Weights that were learnt elsewhere: which are at hand, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from analysis.errors import WeightsError
from analysis.models.backbones import BACKBONES
from report.engine.stage import Source
from report.engine.store import Store
from report.workspace import weights as at_hand
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request

OFFICIAL = "pediatric-official"
RESNET = BACKBONES["resnet50v2"].file
FROM_STUDY = "models.transfer_first.weights=radiography/simple_cnn"


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPORT_WEIGHTS", raising=False)


def plan(cache: Path, weights: str = "", *overrides: str) -> Plan:
    return make_plan(Request(OFFICIAL, sample=True, cache=cache, weights=weights, overrides=overrides))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "weights"
    place.mkdir()
    (place / RESNET).write_bytes(b"weights")
    return place


def trained(made: Plan) -> list[str]:
    return [stage.name for stage in made.stages if stage.kind == "train" and "transfer" in stage.name]


def test_without_weights_nothing_is_trained_that_begins_with_them(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert trained(made) == []
    assert [m.id for m in made.study.untrained][:3] == ["transfer_first", "transfer", "transfer_corrected"]


def test_weights_of_a_folder(folder: Path, tmp_path: Path) -> None:
    made = plan(tmp_path, str(folder))
    stages = {stage.name: stage for stage in made.stages}
    file = stages["weights.imagenet_resnet50v2"].inputs["file"]
    assert isinstance(file, Source)
    assert file.path == folder / RESNET
    assert file.keyed
    assert {stages[name].function for name in trained(made)} == {"analysis.models.fine_tuning:train"}
    assert made.study.untrained == ()
    assert f"--weights {folder}" in made.build_command()


def test_weights_that_keras_fetches(tmp_path: Path) -> None:
    stages = {stage.name: stage for stage in plan(tmp_path, "keras").stages}
    assert stages["weights.imagenet_resnet50v2"].inputs == {}
    assert "pretrained.transfer_first" in stages
    assert "pretrained.transfer" not in stages  # which goes on from the first phase


def test_weights_are_named_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a build with them they are taken again, as data are; the environment comes before that."""
    plan(tmp_path, str(folder)).remember_weights()
    assert plan(tmp_path).weights == str(folder)
    monkeypatch.setenv("REPORT_WEIGHTS", "keras")
    assert plan(tmp_path).weights == "keras"
    monkeypatch.delenv("REPORT_WEIGHTS")
    (folder / RESNET).unlink()
    folder.rmdir()
    assert plan(tmp_path).weights == ""


def test_a_folder_that_is_not_there_or_lacks_a_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such folder of weights") as caught:
        plan(tmp_path, str(tmp_path / "nowhere"))
    assert "--weights keras" in caught.value.hint
    with pytest.raises(WeightsError, match=f"has no {RESNET}, with which transfer_first begins") as caught:
        plan(tmp_path, str(tmp_path))
    assert BACKBONES["resnet50v2"].url in caught.value.hint


def test_a_network_of_another_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trained:
        stage = "train.simple_cnn"
        outputs: ClassVar = {"model.keras": {"sha256": "0" * 64}}

    cache = tmp_path / "cache"
    Store(cache).point("radiography-sample", {"train.simple_cnn": "key"})
    monkeypatch.setattr(at_hand.Store, "read", lambda self, key: Trained if key == "key" else None)
    monkeypatch.setattr(at_hand.Store, "sound_path", lambda self, entry, stage: tmp_path / "model.keras")
    stages = {stage.name: stage for stage in plan(cache, "", FROM_STUDY).stages}
    taken = stages["weights.radiography_simple_cnn"]
    assert taken.params == {"study": "radiography", "model": "simple_cnn"}
    assert taken.inputs == {"network": Source(tmp_path / "model.keras", private=True)}
    assert taken.private


@pytest.mark.parametrize(
    ("weights", "problem", "hint"),
    [
        ("radiography/simple_cnn", "no training of radiography-sample in the cache is called simple_cnn", "report build radiography --sample --only simple_cnn"),
        ("radiografy/simple_cnn", "no study is called 'radiografy'", "did you mean radiography"),
        ("pediatric-official/cnn_1", "pediatric-official is this study itself", 'init_from = "cnn_1"'),
    ],
)  # fmt: skip
def test_a_network_that_no_study_has_trained(weights: str, problem: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"transfer_first: weights: {problem}") as caught:
        plan(tmp_path, "", f"models.transfer_first.weights={weights}")
    assert hint in caught.value.hint

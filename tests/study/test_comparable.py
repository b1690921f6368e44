"""When our figures may be compared with the published ones."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from report import PROJECT
from report.study.comparable import find_obstacles
from report.study.loading import load
from report.study.published import Published

FILES = sorted((PROJECT / "studies").glob("*/published.toml"))
NAMES = [path.parent.name for path in FILES]


def read(path: Path) -> Published:
    return Published.model_validate_json(json.dumps(tomllib.loads(path.read_text())))


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_study_has_the_published_protocol_and_every_published_model(path: Path) -> None:
    study = load(path.with_name("study.toml"))
    assert tuple(c.id for c in study.classes) == read(path).protocol.classes
    protocol = read(path).protocol
    assert {
        m: why for m, why in find_obstacles(study, (), sample=False).items() if m not in protocol.other
    } == {m.id: [] for m in study.models if m.id not in protocol.other}
    ours = {m.id for m in study.models}
    results = read(path).results
    assert {r.model for r in results} - {r.model for r in results if r.title} <= ours


@pytest.mark.parametrize(
    ("name", "override", "barred", "reason"),
    [
        ("pediatric-resplit", "models.l2_cnn.epochs=1", {"l2_cnn"}, "epochs is 1 here, published 100"),
        ("pediatric-resplit", "models.l2_cnn.callbacks=[]", {"l2_cnn"}, "callbacks is not as published"),
        (
            "pediatric-resplit",
            "models.deeper_ann.learning_rate=0.1",
            {"deeper_ann", "weighted_ann"},
            "learning_rate is 0.1 here, published 0.001",
        ),
        (
            "pediatric-official",
            "image.fit=pad",
            {"cnn_1", "cnn_2"},
            "image.fit is pad here, published squash",
        ),
        (
            "pediatric-official",
            'dataset.exclude=["*bact*"]',
            {"cnn_1"},
            "dataset.exclude is not as published",
        ),
        ("assignment-published", "models.baseline.minutes=3", set(), ""),
    ],
)
def test_whatever_is_changed_bars_the_models_that_it_reaches(
    name: str, override: str, barred: set[str], reason: str
) -> None:
    study = load(PROJECT / "studies" / name / "study.toml", (override,))
    before = find_obstacles(load(PROJECT / "studies" / name / "study.toml"), (), sample=False)
    found = {
        model: why
        for model, why in find_obstacles(study, (override,), sample=False).items()
        if why != before[model]
    }
    assert barred <= found.keys()
    assert not barred or reason in found[min(barred)]
    assert barred or not found
    if name == "pediatric-resplit":
        assert set(found) == barred


def test_a_network_that_went_on_from_unknown_weights_is_not_compared() -> None:
    why = find_obstacles(load(PROJECT / "studies" / "pediatric-resplit" / "study.toml"), (), sample=False)
    assert {model for model, reasons in why.items() if reasons} == {"weighted_cnn", "low_lr_cnn"}

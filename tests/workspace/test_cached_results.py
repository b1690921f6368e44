"""Which trained model a plan takes from the cache."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from report.engine.store import Record, Store, digest_files, digest_json
from report.errors import UsageError
from report.workspace import cached_results
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request


@pytest.fixture
def sample(tmp_path: Path) -> Plan:
    return make_plan(Request(sample=True, cache=tmp_path / "cache"))


def keep(plan: Plan, **changes: object) -> Record:
    """Store a training of the model ``improved``, with some parameters changed, as the last one."""
    stage = next(stage for stage in plan.stages if stage.name == "train.improved")
    parts = {part: {} for part in ("code", "environment", "inputs")}
    params = {**json.loads(json.dumps(stage.params)), **changes}
    recipe = {"function": stage.function, "threads": stage.threads, "params": params, **parts}
    key = digest_json(recipe)
    record = Record(key, stage.name, recipe, {}, digest_files({}), 1.0, {}, "")
    store = Store(plan.cache)
    store.keep(record, plan.cache)
    store.point(plan.cache_name, {stage.name: key})
    return record


def test_another_variant_built_last_does_not_hide_the_model(sample, monkeypatch):
    wanted, last = keep(sample), keep(sample, epochs=1)
    found = [SimpleNamespace(name="train.improved", key=wanted.key)]
    monkeypatch.setattr(cached_results, "status", lambda *_, **__: found)
    assert cached_results.find_training(sample, "improved") == wanted != last


def test_a_model_with_other_settings_is_not_taken(sample):
    keep(sample, epochs=1)
    with pytest.raises(UsageError) as caught:
        cached_results.find_training(sample, "improved")
    name = "improved of assignment-sample"
    assert caught.value.message == f"{name} is not in the cache with the settings of the study file"
    command = f"report build assignment --sample --cache {sample.cache} --only improved"
    assert caught.value.hint == command


def test_a_model_of_several_seeds_asks_which(tmp_path):
    request = Request(
        sample=True, cache=tmp_path / "cache", overrides=("training.seeds=[1,2,3]", "sample.seeds=3")
    )
    of_seeds = make_plan(request)
    for model, joint in (("improved", "@seed_"), ("improved@patient", "_seed_")):
        with pytest.raises(UsageError) as caught:
            cached_results.find_training(of_seeds, model)
        assert "was trained with 3 seeds" in caught.value.message
        names = [f"--model {model}{joint}{seed}" for seed in (1, 2, 3)]
        assert caught.value.hint == f"name one of them: {' or '.join(names)}"
    for name in ("improved@seed_2", "improved@patient_seed_2"):
        with pytest.raises(UsageError, match="is not trained yet") as caught:
            cached_results.find_training(of_seeds, name)
        assert " --only improved --set" in caught.value.hint, "the model is built, not one of its trainings"
    with pytest.raises(UsageError, match="no model is called 'improv'") as caught:
        cached_results.find_training(of_seeds, "improv")
    assert "improved@seed_1" in caught.value.hint


def test_without_data_the_last_model_is_taken_if_its_settings_are_those_of_the_study(sample):
    without = replace(sample, name="assignment", request=replace(sample.request, sample=False))
    wanted = keep(without)
    assert cached_results.find_training(without, "improved") == wanted
    keep(without, epochs=1)
    with pytest.raises(UsageError, match="not in the cache") as caught:
        cached_results.find_training(without, "improved")
    assert "--data DIR" in caught.value.hint

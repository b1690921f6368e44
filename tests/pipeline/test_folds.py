"""The stages of a cross-validation."""

from __future__ import annotations

import re

import pytest

from report.delivery.evidence import select_repeatable
from tests.pipeline.plans import MODELS, PLANS, REAL, changed, keys, named, names, planned

FOLDS = PLANS["three folds"]


def test_each_fold_has_its_split_and_networks_and_all_folds_one_stage():
    kinds = [
        f"{kind}.{model}@fold_{k}" for k in (1, 2, 3) for model in MODELS for kind in ("train", "predict")
    ]
    found = [name for name in names(FOLDS) if name not in names(REAL)]
    assert sorted(found) == sorted([*kinds, *(f"split@fold_{k}" for k in (1, 2, 3)), "folds"])
    for k in (1, 2, 3):
        params = named(FOLDS, f"split@fold_{k}").params
        assert (params["protocol"], params["group"], params["folds"], params["fold"]) == (
            "folds",
            "patient",
            3,
            k,
        )
        assert named(FOLDS, f"train.improved@fold_{k}").inputs["split"].stage == f"split@fold_{k}"


def test_folds_change_no_key_of_what_there_is_but_all_results_and_the_document():
    assert changed(REAL, FOLDS) == {"results", "figure.primary", "figure.stages", "source", "html", "pdf"}


@pytest.mark.parametrize("plan", ["locked, three folds", "locked"])
def test_no_fold_is_there_while_the_test_set_is_locked(plan):
    assert not [name for name in names(PLANS[plan]) if re.search("fold", name)]


def test_a_network_is_trained_once_a_fold_with_the_first_seed():
    trained = [
        s for s in PLANS["five folds of three seeds"] if s.name.startswith("train.") and "fold" in s.name
    ]
    assert len(trained) == 5 * len(MODELS)
    assert {stage.params["seed"] for stage in trained} == {1}


def test_only_named_models_are_trained_on_folds():
    plan = planned("split.folds=3", 'split.fold_models=["improved"]')
    assert not [name for name in names(plan) if name.startswith("train.baseline@fold")]
    assert named(plan, "folds").params["pairs"] == []


def test_a_check_draws_folds_again_and_repeats_what_is_computed_over_them():
    again = {stage.name for stage in select_repeatable(FOLDS)}
    assert {"folds", "split@fold_1", "split@fold_3"} <= again
    assert "predict.baseline@fold_1" not in again


def test_the_number_of_a_fold_changes_that_fold_alone():
    three, five = keys(FOLDS), keys(planned("split.folds=5"))
    assert three["split@fold_1"] != five["split@fold_1"]
    assert three["train.baseline"] == five["train.baseline"]

"""What follows from a study: its analyses."""

from __future__ import annotations

import pytest

from report.errors import StudyError
from report.study.loading import load
from report.study.trainings import list_analyses, list_fold_models, list_fold_pairs, list_folds, list_runs
from tests.pipeline.plans import (
    ASSIGNMENT,
    STUDY,
    changed_study,
    named,
    planned,
)


@pytest.mark.parametrize(
    ("overrides", "groups"),
    [
        ((), {"": "none", "@patient": "patient"}),
        (("split.also=none",), {"": "none"}),
        (("split.group=patient",), {"": "patient"}),
        (("split.group=patient", "split.also=none"), {"": "patient"}),
    ],
)
def test_analyses_and_what_they_keep_together(overrides, groups):
    assert list_analyses(changed_study(*overrides)) == groups
    plan = planned(*overrides)
    splits = {s.name: s.params["group"] for s in plan if s.name.startswith("split")}
    assert splits == {f"split{analysis}": group for analysis, group in groups.items()}
    compared = {s.name: s.params["analysis"] for s in plan if s.name.startswith("compare")}
    assert compared == {f"compare{analysis}": analysis for analysis in groups}
    assert named(plan, "results").params["analyses"] == list(groups)


def test_a_study_trains_on_each_fold_what_it_compares_once():
    study = changed_study("split.folds=3", "training.seeds=[7, 8, 9]")
    assert list_folds(study) == ["@fold_1", "@fold_2", "@fold_3"]
    assert [m.id for m in list_fold_models(study)] == ["baseline", "improved"]
    assert list_fold_pairs(study) == [("improved", "baseline")]
    (run,) = list_runs(study, study.models[1], "@fold_2")
    assert (run.name, run.seed) == ("improved@fold_2", 7)


def test_models_of_the_folds_can_be_named_and_bring_those_that_they_begin_with():
    study = changed_study("split.folds=3", 'split.fold_models=["improved"]')
    assert [m.id for m in list_fold_models(study)] == ["improved"]
    assert list_fold_pairs(study) == []
    baseline, improved = study.models
    begun = study.model_copy(
        update={"models": (baseline, improved.model_copy(update={"init_from": "baseline"}))}
    )
    assert [m.id for m in list_fold_models(begun)] == ["baseline", "improved"]


def test_there_are_no_folds_while_the_test_set_is_locked():
    assert list_folds(STUDY) == []
    assert list_folds(changed_study("split.folds=3", 'evaluation.test="locked"')) == []


def test_folds_of_a_study_that_compares_nothing_need_models(tmp_path):
    text = (ASSIGNMENT / "study.toml").read_text()
    before, _, after = text.partition("[comparison]")
    path = tmp_path / "study.toml"
    path.write_text(
        before.replace('also = "patient"', "folds = 3")
        + after[after.index("\n[") :].replace('published = "assignment-published"', "")
    )
    with pytest.raises(StudyError, match=r"split\.folds: the study compares no models"):
        load(path)

"""The list of stages of a study, and what each depends on."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

import pytest

from report import PROJECT
from report.engine.stage import Output, Resources
from report.pipeline import stages
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.study.settings import StageKind
from report.study.trainings import list_runs
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.pipeline.plans import (
    ASSIGNMENT,
    MODELS,
    PLANS,
    REAL,
    SAMPLE,
    SEEDS,
    STUDY,
    changed,
    changed_study,
    keys,
    named,
    names,
    planned,
)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_stages_come_after_what_they_read_and_once(plan):
    seen: set[str] = set()
    for stage in plan:
        assert {given.stage for given in stage.inputs.values() if isinstance(given, Output)} <= seen
        assert stage.name not in seen
        seen.add(stage.name)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_networks_and_their_predictions_are_shared_and_nothing_that_holds_an_image(plan):
    first = {"pretraining"} if "pretraining.train" in names(plan) else set()
    assert {stage.kind for stage in plan if stage.shared} == {"train", "predict", *first}
    assert {stage.shared for stage in plan if stage.kind in {"train", "predict"}} == {True}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_stage_names_a_function_that_takes_what_it_is_given(plan):
    for stage in plan:
        module, _, name = stage.function.partition(":")
        signature = inspect.signature(getattr(importlib.import_module(module), name))
        signature.bind({}, Path(), scratch=Path(), progress=None, **stage.params)


def test_order_of_the_stages_of_two_analyses_with_one_seed():
    first = [
        "read", "images", "audit.duplicates", "architecture.baseline", "architecture.improved",
        "split", "train.baseline", "predict.baseline", "evaluate.baseline",
        "train.improved", "predict.improved", "evaluate.improved",
        "predict.low_detail", "evaluate.low_detail", "compare",
        "split@patient", "train.baseline@patient", "predict.baseline@patient", "evaluate.baseline@patient",
        "train.improved@patient", "predict.improved@patient", "evaluate.improved@patient",
        "predict.low_detail@patient", "evaluate.low_detail@patient", "compare@patient",
        "ledger",
        "audit.leaks", "audit.patients", "audit.leaks@patient", "audit.patients@patient",
        "audit.confounding", "audit.probes", "audit.labels", "audit.probe_reach", "audit.labels_by_networks",
        "attention.baseline", "attention.improved", "results",
    ]  # fmt: skip
    found = names(REAL)
    assert found[: len(first)] == first
    assert all(name.startswith("figure.") for name in found[len(first) : -3])
    assert found[-3:] == ["source", "html", "pdf"]
    assert names(SAMPLE) == ["sample", *found]


def test_order_of_the_stages_with_three_seeds():
    found = [
        name for name in names(SEEDS) if "baseline" in name and not name.startswith(("figure.", "attention."))
    ]
    kinds = ("train", "predict", "evaluate")
    trainings = [f"{kind}.baseline@seed_{seed}" for seed in (42, 43, 44) for kind in kinds]
    assert found == ["architecture.baseline", *trainings, "evaluate.baseline"]
    both = names(PLANS["three seeds by patient"])
    of_seeds = [f"improved{joint}seed_{seed}" for joint in ("@", "@patient_") for seed in (1, 2, 3)]
    assert [name.removeprefix("train.") for name in both if name.startswith("train.improved")] == of_seeds
    assert {"evaluate.improved", "evaluate.improved@patient"} <= set(both)
    assert "train.improved" not in both


@pytest.mark.parametrize("plan", ["three seeds", "three seeds by patient"])
def test_the_reference_classifier_is_fitted_once_whatever_the_seeds(plan):
    floors = [name for name in names(PLANS[plan]) if "low_detail" in name]
    analyses = ["", "@patient"][: len(floors) // 2]
    assert floors == [
        f"{kind}.low_detail{analysis}" for analysis in analyses for kind in ("predict", "evaluate")
    ]


def test_the_mean_of_the_trainings_takes_the_place_of_the_evaluation():
    mean = named(SEEDS, "evaluate.baseline")
    assert mean.function == "analysis.evaluation.stages.average:average"
    trainings = [f"baseline@seed_{seed}" for seed in (42, 43, 44)]
    assert {name: given.stage for name, given in mean.inputs.items()} == {
        n: f"evaluate.{n}" for n in trainings
    }
    assert named(SEEDS, "compare").params["networks"]["baseline"] == trainings
    evaluated = {name for name in named(SEEDS, "results").inputs if name.startswith("evaluate_")}
    of_seeds = {f"evaluate_{model}@seed_{seed}" for model in MODELS for seed in (42, 43, 44)}
    assert evaluated == of_seeds | {"evaluate_baseline", "evaluate_improved", "evaluate_low_detail"}


def test_each_training_has_its_own_seed():
    for plan, seeds in ((SEEDS, (42, 43, 44)), (PLANS["three seeds by patient"], (1, 2, 3))):
        for kind in ("train", "predict"):
            of_model = [s for s in plan if s.name.startswith(f"{kind}.improved") and "patient" not in s.name]
            assert [s.params["seed"] for s in of_model] == list(seeds)
    of_model = {"train.improved@patient", "train.improved"}
    assert {s.params["seed"] for s in REAL if s.name in of_model} == {42}


def test_an_analysis_reads_its_own_split_all_the_way():
    for stage in REAL:
        if stage.name.startswith(("train.", "predict.", "evaluate.")):
            given = stage.inputs["split"].stage
            assert given == ("split@patient" if "@patient" in stage.name else "split"), stage.name
        if stage.name.startswith(("predict.", "evaluate.", "compare")):
            of_models = {g.stage for g in stage.inputs.values() if g.stage.startswith(("train.", "predict."))}
            assert {"@patient" in name for name in of_models} <= {"@patient" in stage.name}, stage.name


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_what_is_trained_and_what_is_called_never_reads_an_evaluation(plan):
    reads = {s.name: {g.stage for g in s.inputs.values() if isinstance(g, Output)} for s in plan}

    def above(name):
        return reads[name].union(*map(above, reads[name]))

    for name in reads:
        if name.startswith(("split", "architecture.", "train.", "predict.")):
            assert not [of for of in above(name) if of.startswith(("evaluate.", "compare", "results"))], name
        if name.startswith(("split", "architecture.", "train.", "predict.low_detail")):
            assert not [of for of in above(name) if of.startswith("predict.")], name


def test_a_second_analysis_changes_no_key_of_the_first():
    figures = {"figure.primary", "figure.differences.improved", "figure.effects.improved", "figure.stages"}
    asked_again = {
        "audit.labels_by_networks",
        "figure.labels",
    }  # of the networks whose patients are kept apart
    after = {"results", *figures, *asked_again, "source", "html", "pdf"}
    assert changed(planned("split.also=none"), REAL) == after


def test_a_study_by_patient_trains_nothing_that_the_second_analysis_has_trained():
    second, first = keys(REAL), keys(PLANS["by patient alone"])
    for name in ("split", *(f"{kind}.{model}" for kind in ("train", "predict") for model in MODELS)):
        assert first[name] == second[f"{name}@patient"]


def test_more_seeds_change_no_key_of_a_training_that_there_is():
    one, three = (
        keys(planned("split.also=none", f"training.seeds={seeds}")) for seeds in ("[42]", "[42,43,44]")
    )
    five = keys(planned("split.also=none", "training.seeds=[40,41,42,43,44]"))
    for model in MODELS:
        for kind in ("train", "predict"):
            assert (
                one[f"{kind}.{model}"] == three[f"{kind}.{model}@seed_42"] == five[f"{kind}.{model}@seed_42"]
            )
            assert len({repr(three[f"{kind}.{model}@seed_{seed}"]) for seed in (42, 43, 44)}) == 3
        assert one[f"architecture.{model}"] == three[f"architecture.{model}"]
    for name in ("split", "read", "images", "predict.low_detail", "evaluate.low_detail"):
        assert one[name] == three[name] == five[name]


def test_more_seeds_change_no_key_of_a_training_by_patient():
    one, three = keys(REAL), keys(planned("training.seeds=[42,43,44]"))
    for model in MODELS:
        assert one[f"train.{model}@patient"] == three[f"train.{model}@patient_seed_42"]
        assert one[f"train.{model}"] == three[f"train.{model}@seed_42"]


@pytest.mark.parametrize(
    "override", ["comparison.margin=0.05", "comparison.alpha=0.1", "comparison.primary=accuracy"]
)
def test_what_is_declared_reaches_the_comparison_alone(override):
    document = {"source", "html", "pdf"}
    effects = {"figure.differences.improved", "figure.effects.improved"}
    after = {"compare", "compare@patient", "results", "figure.primary", "figure.flips.improved"}
    assert changed(REAL, planned(override)) == after | effects | document
    at_once = {a.name for a, b in zip(REAL, planned(override), strict=True) if a != b}
    figures = set() if "alpha" in override else effects
    if "primary" in override:
        figures = figures | {"figure.primary"}
    assert at_once == {"compare", "compare@patient", "source"} | figures


def test_a_late_declaration_reaches_the_comparisons_of_all_analyses():
    late = planned(declared_late=True)
    assert {a.name for a, b in zip(REAL, late, strict=True) if a != b} == {"compare", "compare@patient"}
    assert named(late, "compare@patient").params["declared_late"] is True


def test_a_study_without_a_comparison_is_still_compared_with_the_reference_classifier():
    plan = PLANS["no comparison"]
    for analysis in ("", "@patient"):
        params = named(plan, f"compare{analysis}").params
        assert (params["baseline"], params["against"], params["margin"]) == (None, [], None)
        assert params["networks"] == {model: [f"{model}{analysis}"] for model in MODELS}
    assert not [name for name in names(plan) if name.startswith(("figure.differences", "figure.moved"))]
    assert changed(REAL, plan) == {
        "compare",
        "compare@patient",
        "results",
        "figure.primary",
        "figure.stages",
        "source",
        "html",
        "pdf",
    }


@pytest.mark.parametrize("seeds", ["[42]", "[1,2,3]"])
def test_only_one_model_and_what_it_needs(seeds, tmp_path):
    overrides = (f"training.seeds={seeds}", "sample.seeds=3")
    request = Request(sample=True, overrides=overrides, cache=tmp_path)
    found = names(make_plan(request).select_upstream(["evaluate.baseline"]))
    trainings = [run.name for run in list_runs(changed_study(f"training.seeds={seeds}"), STUDY.models[0], "")]
    above = ["sample", "read", "images", "architecture.baseline", "split"]
    of_runs = [f"{kind}.{name}" for name in trainings for kind in ("train", "predict", "evaluate")]
    assert found == [*above, *of_runs, *(["evaluate.baseline"] if len(trainings) > 1 else [])]


def test_correction_of_probabilities_follows_how_a_model_was_trained():
    balance = {s.name: s.params["class_balance"] for s in REAL if s.name.startswith("evaluate.")}
    assert balance == {
        f"evaluate.{model}{analysis}": "oversample" if model == "improved" else "none"
        for model in (*MODELS, "low_detail")
        for analysis in ("", "@patient")
    }
    assert {s.params["normal"] for s in REAL if s.name.startswith("evaluate.")} == {"healthy"}


def test_a_setting_of_one_model_changes_that_model_alone():
    other = planned("models.baseline.epochs=9")
    at_once = {a.name for a, b in zip(REAL, other, strict=True) if a != b}
    assert at_once == {
        "train.baseline",
        "train.baseline@patient",
        "ledger",
        "source",
    }  # no longer as published
    found = changed(REAL, other)
    assert {name for name in found if "improved" in name and not name.startswith("figure.")} == set()
    assert {"predict.baseline", "evaluate.baseline@patient", "compare", "results"} <= found


def list_of_stages() -> dict[tuple[str, str], set[str]]:
    """Return from the head of the module the stages that each stage reads, by its kind and its function."""
    table = (stages.__doc__ or "").split("====\n")[2]
    rows = [re.split(r"\s{2,}", line, maxsplit=2) for line in table.splitlines() if ":" in line]
    kinds = {kind for kind, _, _ in rows}
    return {
        (kind, function): {word for word in re.split(r"[,;]\s*", reads) if word in kinds}
        for kind, function, reads in rows
    }


def test_the_list_at_the_head_of_the_module_is_that_of_the_stages_made():
    replication = PROJECT / "studies" / "pediatric-resplit"
    study = load(replication / "study.toml")
    plans = [
        *PLANS.values(),
        make_stages(study, Place(replication, "archive", Path("/data.zip"))),
        make_stages(study.for_sample(), Place(replication, "sample")),
    ]
    listed = list_of_stages()
    found: dict[tuple[str, str], set[str]] = {row: set() for row in listed}
    used = set()
    for plan in plans:
        kinds = {stage.name: stage.kind for stage in plan}
        for stage in plan:
            [row] = [row for row in listed if row[0] == stage.kind and fnmatchcase(stage.function, row[1])]
            found[row] |= {kinds[name] for name in stage.needs}
            used.add(row)
    assert used == set(listed)
    assert found == listed


def test_the_functions_of_stages_lie_in_rooms_that_do_not_know_the_pipeline():
    rooms = ("analysis.", "report.writing.", "report.document.")
    for plan in (REAL, SAMPLE, SEEDS):
        named = {name for stage in plan for name in (stage.function, *stage.uses)}
        assert not [name for name in named if not name.startswith(rooms)]


@pytest.mark.parametrize("plan", ["locked", "locked, three seeds"])
def test_while_the_test_set_is_locked_no_stage_is_told_of_it(plan):
    kinds = {stage.kind for stage in PLANS[plan]}
    assert kinds == {"read", "images", "audit", "architecture", "split", "train", "predict", "validate"}
    assert {stage.name for stage in PLANS[plan] if stage.kind == "audit"} == {"audit.duplicates"}
    for stage in PLANS[plan]:
        assert "test" not in stage.params.get("splits", ["val"]), stage.name
    unlocked = PLANS["three seeds by patient" if "seeds" in plan else "real"]
    trained = [name for name, key in keys(PLANS[plan]).items() if name.startswith("train.")]
    assert trained
    assert {name: keys(PLANS[plan])[name] for name in trained} == {
        name: keys(unlocked)[name] for name in trained
    }


def test_what_stages_ask_of_a_cluster_changes_nothing_else_of_them(tmp_path):
    asked = ("resources.train.gpus=1", "resources.train.minutes=240")
    found = make_plan(Request(str(ASSIGNMENT), sample=True, overrides=asked, cache=tmp_path)).stages
    without = make_plan(Request(str(ASSIGNMENT), sample=True, cache=tmp_path)).stages
    assert [replace(stage, resources=Resources()) for stage in found] == without
    assert {s.kind for s in found if s.resources != Resources()} == {"train"}
    assert {s.resources for s in found if s.kind == "train"} == {Resources(minutes=240, gpus=1)}


def test_every_kind_of_stage_can_ask_for_resources():
    assert {stage.kind for plan in PLANS.values() for stage in plan} <= {*get_args(StageKind)}
    assert get_args(StageKind) == tuple(dict.fromkeys(get_args(StageKind)))

"""The stages of the audit: what they read, and that nothing which is trained or chosen reads them."""

from __future__ import annotations

import pytest

from report.delivery.evidence import find_beyond_reach, select_repeatable
from report.engine.stage import Output
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from tests.pipeline.plans import (
    ASSIGNMENT,
    MODELS,
    PLANS,
    REAL,
    changed,
    changed_study,
    keys,
    named,
    names,
    planned,
)

AUDITED = {
    *("audit.duplicates", "audit.leaks", "audit.patients", "audit.leaks@patient", "audit.patients@patient"),
    *("audit.confounding", "audit.probes", "audit.probe_reach", "audit.labels", "audit.labels_by_networks"),
}


def test_nothing_but_results_and_what_shows_them_reads_the_audit():
    readers = {s.name for s in REAL if s.kind != "audit" and any(n in AUDITED for n in s.needs)}
    assert {name for name in names(REAL) if name.startswith("audit")} == AUDITED
    assert {name for name in readers if not name.startswith("figure.")} == {"results", "source"}


@pytest.mark.parametrize(
    "name", ["real", "three seeds by patient", "external sample", "no comparison", "three draws", "lungs"]
)
def test_every_topic_reaches_the_results_and_its_findings_the_document(name):
    plan = PLANS[name]
    audited = {stage for stage in names(plan) if stage.startswith("audit.")}
    results, source = named(plan, "results"), named(plan, "source")
    assert {n for n in results.needs if n.startswith("audit.")} == audited
    shown = {n: given for n, given in source.inputs.items() if n.startswith("audit_")}
    assert {given.stage for given in shown.values()} == audited - {"audit.probe_reach"}
    for key, given in shown.items():
        assert key == given.stage.replace(".", "_", 1)
        assert "findings.json" in given.include


def test_images_and_digests_stay_and_what_reads_no_image_can_be_checked():
    repeated = {stage.name for stage in select_repeatable(REAL)}
    assert find_beyond_reach(REAL) & AUDITED == {"audit.duplicates", "audit.probes", "audit.labels"}
    assert AUDITED - {"audit.duplicates", "audit.probes", "audit.labels"} <= repeated
    assert "digests.csv" not in named(REAL, "audit.duplicates").releases


def test_duplicates_are_left_out_of_every_split_by_one_setting_and_of_nothing_before():
    plan = PLANS["without duplicates"]
    for name in ("split", "split@patient"):
        stage, before = named(plan, name), named(REAL, name)
        assert stage.function == "analysis.audit.split_without_copies:split"
        assert stage.params == before.params
        assert stage.inputs["duplicates"] == Output("audit.duplicates", ("groups.csv",))
    same = {"read", "images", "architecture.baseline", "architecture.improved"}
    same |= {"audit.duplicates", "audit.confounding", "audit.probes", "audit.labels"}
    assert {name for name in names(REAL) if name not in changed(REAL, plan)} == same


def test_lungs_are_looked_at_where_a_study_asks_for_it_and_its_data_are_real():
    kinds = {name.partition(".")[0] for name in changed(REAL, PLANS["lungs"])}
    assert kinds == {"results", "figure", "source", "html", "pdf"}
    stage = named(PLANS["lungs"], "audit.lungs")
    assert stage.function == "analysis.audit.lungs:lungs"
    assert set(stage.inputs) == {"records", "images", "data"}
    sample = make_stages(changed_study("dataset.lung_masks=true").for_sample(), Place(ASSIGNMENT, "sample"))
    assert "audit.lungs" not in names(sample)


def test_without_that_setting_no_key_of_a_training_knows_of_it():
    assert changed(REAL, planned("split.exclude_duplicates=false")) == set()
    assert set(named(REAL, "split").inputs) == {"records"}
    assert named(REAL, "split").function == "analysis.splitting:split"
    assert "exclude_duplicates" not in keys(REAL)["split"][2]


@pytest.mark.parametrize("name", [name for name in PLANS if "locked" not in name])
def test_the_figure_of_the_stages_has_each_kind_after_those_that_it_reads(name):
    seen: set[str] = set()
    for kind in named(PLANS[name], "figure.stages").params["kinds"]:
        assert set(kind["read"]) <= seen, kind
        seen.add(kind["kind"])
    assert ("audit.duplicates" in seen) == name.endswith("without duplicates")


def test_every_model_is_trained_and_evaluated_once_on_each_further_draw():
    for name, seed in (("three draws", 42), ("three draws of three seeds", 1)):
        plan = PLANS[name]
        for draw in (43, 44):
            assert named(plan, f"split@draw_{draw}").params == {**named(plan, "split").params, "seed": draw}
            for model in MODELS:
                run = named(plan, f"train.{model}@draw_{draw}")
                assert run.inputs["split"] == Output(f"split@draw_{draw}")
                assert run.params["seed"] == seed
                assert named(plan, f"evaluate.{model}@draw_{draw}").inputs["split"] == run.inputs["split"]
        assert not [n for n in names(plan) if "low_detail@draw" in n or n.startswith("compare@draw")]


def test_further_draws_change_no_key_of_the_study_s_own_trainings():
    plan = PLANS["three draws"]
    assert changed(REAL, plan) == {"results", "figure.primary", "figure.stages", "source", "html", "pdf"}
    other = keys(planned("split.seed=43"))
    for stage in ("split", "train.baseline", "predict.improved"):
        kind, dot, model = stage.partition(".")
        assert (
            keys(plan)[f"{kind}{dot}{model}@draw_43"] == other[stage]
        )  # the same training, whatever it is called


@pytest.mark.parametrize("name", ["three draws", "three draws of three seeds"])
def test_the_draws_are_collected_the_study_s_own_first(name):
    plan = PLANS[name]
    stage = named(plan, "audit.splits")
    own = "baseline" if name == "three draws" else "baseline@seed_1"
    assert stage.params["runs"]["baseline"] == [own, "baseline@draw_43", "baseline@draw_44"]
    assert stage.params["seeds"] == [42, 43, 44]
    assert stage.params["pairs"] == [["improved", "baseline"]]
    assert {given.stage for given in stage.inputs.values()} == {
        "split",
        *(f"evaluate.{run}" for runs in stage.params["runs"].values() for run in runs),
    }
    assert stage in select_repeatable(plan)

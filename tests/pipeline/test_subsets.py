"""The stages of networks trained on parts of the training images."""

from __future__ import annotations

from analysis.vocabulary.subsets import SUBSETS
from report.study.trainings import list_subset_runs
from tests.pipeline.plans import PLANS, changed, changed_study, named, names, planned

SEEDS = "training.seeds=[1, 2, 3]"
PLAN = PLANS["subsets"]


def test_each_share_is_drawn_and_trained_on_once_with_each_seed():
    drawn = [f"@patient_subset_{share}_seed_{seed}" for share in (25, 50) for seed in (1, 2, 3)]
    assert [n for n in names(PLAN) if n.startswith("split@patient_")] == [f"split{name}" for name in drawn]
    of_subsets = [n for n in names(PLAN) if "subset" in n and n.partition(".")[0] in ("train", "predict")]
    assert of_subsets == [f"{kind}.improved{name}" for name in drawn for kind in ("train", "predict")]
    assert not [n for n in names(PLAN) if n.startswith("evaluate.") and "subset" in n]


def test_as_many_steps_are_taken_as_on_all_images():
    whole, part = (named(PLAN, f"train.improved@patient_{run}seed_1").params for run in ("", "subset_25_"))
    assert part["epochs"] == 4 * whole["epochs"]
    patience = [[c["patience"] for c in p["callbacks"] if "patience" in c] for p in (whole, part)]
    assert patience[0]
    assert patience[1] == [4 * epochs for epochs in patience[0]]
    changed_params = {k for k in whole if whole[k] != part[k]}
    assert changed_params == {"epochs", "callbacks"}
    study = changed_study(
        SEEDS,
        "training.subsets=[0.4]",
        'training.subset_models=["baseline"]',
        'models.baseline.schedule={kind="cosine", warmup=2}',
    )
    short, full = list_subset_runs(study, study.trained[0]).values()
    assert short[0].model.schedule.warmup == 5
    assert full[0].model is study.trained[0]


def test_the_stage_of_all_reads_what_was_trained_on_everything_too():
    stage = named(PLAN, SUBSETS)
    assert stage.params["shares"] == [0.25, 0.5, 1.0]
    assert stage.params["runs"]["improved"][2] == [f"improved@patient_seed_{seed}" for seed in (1, 2, 3)]
    assert stage.params["draws"][2] == ["@patient"] * 3
    assert SUBSETS in named(PLAN, "results").inputs
    assert SUBSETS in named(PLAN, "figure.subsets").inputs


def test_no_other_training_is_changed_and_none_of_it_is_there_without_subsets():
    without = PLANS["three seeds by patient"]
    assert not [n for n in names(without) if "subset" in n]
    assert not [n for n in changed(without, PLAN) if n.partition(".")[0] in ("train", "predict", "evaluate")]


def test_while_the_test_set_is_locked_subsets_are_on_validation_alone():
    plan = PLANS["locked, subsets"]
    predicted = [s for s in plan if s.name.startswith("predict.improved@subset")]
    assert [s.params["splits"] for s in predicted] == [["val"]] * 3
    assert [n for n in names(plan) if n.startswith("validate.improved@subset_50")]
    assert SUBSETS not in names(plan)


def test_without_a_comparison_the_last_model_is_trained_on_subsets():
    study = changed_study(SEEDS, "training.subsets=[0.5]")
    assert [m.id for m in study.subset_models] == ["improved"]
    assert [m.id for m in study.model_copy(update={"comparison": None}).subset_models] == ["improved"]
    named_both = planned(SEEDS, "training.subsets=[0.5]", 'training.subset_models=["baseline", "improved"]')
    assert list(named(named_both, SUBSETS).params["runs"]) == ["baseline", "improved"]
    assert len({n for n in names(named_both) if n.startswith("split@patient_subset")}) == 3


def test_a_sample_of_fewer_seeds_has_no_subsets():
    study = changed_study(SEEDS, "training.subsets=[0.5]", "sample.seeds=1")
    assert study.for_sample().subset_models == ()
    assert study.model_copy(
        update={"sample": study.sample.model_copy(update={"seeds": 3})}
    ).for_sample().training.subsets == (0.5,)

"""The stages of an ablation: trained as any network, and in none of the ordinary comparisons."""

from __future__ import annotations

from report.delivery.evidence import select_repeatable
from report.engine.stage import Output
from tests.pipeline.plans import ABLATED, PLANS, REAL, changed, keys, named, names, planned

WITH = PLANS["ablation"]
VARIANTS = ("improved_without_augmentation", "baseline_with_augmentation", "improved_without_dropout")


def test_every_network_is_trained_asked_and_validated_once_and_the_stage_reads_the_pairs():
    kinds = ("architecture", "train", "predict", "validate")
    assert [n for n in names(WITH) if any(v in n for v in VARIANTS)] == [
        f"{kind}.{variant}" for variant in VARIANTS for kind in kinds
    ]
    stage = named(WITH, "ablation")
    read = {given.stage for given in stage.inputs.values() if isinstance(given, Output)}
    assert read == {f"predict.{name}" for name in (*VARIANTS, "baseline", "improved")}
    assert [(e["component"], e["effect"], e["own"], e["beside"]) for e in stage.params["effects"]] == [
        ("augmentation", "leave", ["improved_without_augmentation"], ["improved"]),
        ("augmentation", "add", ["baseline_with_augmentation"], ["baseline"]),
        ("dropout", "leave", ["improved_without_dropout"], ["improved"]),
    ]


def test_an_ablation_changes_no_key_but_those_of_what_shows_it():
    assert changed(REAL, WITH) == {"results", "figure.primary", "figure.stages", "source", "html", "pdf"}
    added = set(names(WITH)) - set(names(REAL))
    assert {n.partition(".")[0] for n in added} == {
        "architecture",
        "train",
        "predict",
        "validate",
        "ablation",
        "figure",
    }


def test_a_network_of_the_ablation_has_the_keys_of_a_model_with_its_settings():
    ordinary, ablated = keys(planned("models.improved.augmentation=[]")), keys(WITH)
    for kind in ("train", "predict"):
        assert ablated[f"{kind}.improved_without_augmentation"] == ordinary[f"{kind}.improved"]


def test_each_seed_is_compared_with_its_own():
    plan = PLANS["ablation, three seeds"]
    by_effect = {(e["component"], e["effect"]): e for e in named(plan, "ablation").params["effects"]}
    assert by_effect["dropout", "leave"]["own"] == [f"improved_without_dropout@seed_{n}" for n in (1, 2)]
    assert by_effect["dropout", "leave"]["beside"] == ["improved@seed_1", "improved@seed_2"]
    assert by_effect["augmentation", "add"]["own"] == ["baseline_with_augmentation@seed_1"]
    assert by_effect["augmentation", "add"]["beside"] == ["baseline@seed_1"]


def test_a_locked_test_set_leaves_trainings_and_validation():
    plan = PLANS["ablation, locked"]
    assert "ablation" not in names(plan)
    assert {f"validate.{v}" for v in VARIANTS} <= set(names(plan))
    assert all(s.params["splits"] == ["val"] for s in plan if s.kind == "predict")


def test_networks_of_an_ablation_are_only_in_the_study_s_own_analysis():
    assert not [
        n for n in names(PLANS["ablation, three seeds"]) if "@patient" in n and any(v in n for v in VARIANTS)
    ]


def test_effects_can_be_computed_again_from_the_predictions_alone():
    again = names(select_repeatable(WITH))
    assert "ablation" in again
    assert not [n for n in again if n.startswith(("train", "predict", "validate"))]


def test_a_component_that_changes_answers_alone_is_asked_of_the_trained_networks():
    mirrored = planned(
        *ABLATED[:2],
        """ablation.components=[{ id = "mirror", title = "mirror images",
            without = { averaged_over = ["horizontal_flip"] }, with = { averaged_over = ["horizontal_flip"] } }]
        """.replace("\n", " "),
        "training.seeds=[1, 2, 3]",
    )
    variants = [n for n in names(mirrored) if "_mirror" in n]
    assert not [n for n in variants if n.startswith("train")]
    stage = named(mirrored, "predict.improved_without_mirror@seed_2")
    assert stage.inputs["model"].stage == "train.improved@seed_2"
    assert stage.params["averaged_over"] == ["horizontal_flip"]
    assert (
        named(mirrored, "predict.baseline_with_mirror@seed_1").inputs["model"].stage
        == "train.baseline@seed_1"
    )
    ordinary = planned(*ABLATED[:2], ABLATED[2], "training.seeds=[1, 2, 3]")
    assert not {n for n in changed(ordinary, mirrored) if n.startswith(("train", "predict"))}
    assert "averaged_over" not in named(mirrored, "predict.improved@seed_1").params

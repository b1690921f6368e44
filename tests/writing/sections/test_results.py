"""What is said of each model by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from report.writing.sections.explanation import Explanation
from report.writing.sections.results import Results
from report.writing.values import Values
from tests.writing.conftest import STUDY, facts_of, macro


def test_the_sentence_on_the_course_follows_the_curves(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8], improved=[0.9, 0.7, 0.5]))
    assert macro(facts, "sentences/results.overfitting", "baseline") == (
        "The baseline CNN overfits: training loss kept falling, while validation loss rose from its lowest "
        "(0.500, epoch 2) to 0.800 at the evaluated weights."
    )
    assert macro(facts, "sentences/results.overfitting", "improved") == (
        "The improved CNN underfits: validation loss was still falling in the last epochs (lowest: 0.500, epoch 3 of 3)."
    )


def test_a_small_rise_is_no_overfitting(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.5, 0.51, 0.51]))
    assert macro(facts, "sentences/results.overfitting", "baseline") == (
        "For the baseline CNN neither over- nor underfitting shows: validation loss was lowest in epoch 2 of 5 (0.500)."
    )


@pytest.mark.parametrize(("final", "told"), [(0.01, True), (0.5, False)])
def test_a_learning_rate_that_falls_to_nothing_may_hide_underfitting(artifacts, final, told):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.5, 0.51, 0.51]))
    models = [{**m, "schedule": {"kind": "cosine", "warmup": 2, "final": final}} for m in STUDY["models"]]
    falling = replace(facts, study={**STUDY, "models": models})
    words = macro(falling, "sentences/results.overfitting", "baseline")
    assert ("underfitting could stay unseen" in words) is told


def test_with_several_seeds_the_first_is_told_and_how_many_are_like_it(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8]))
    ends = {
        name.removeprefix("baseline.training."): entry
        for name, entry in facts.values.results.items()
        if name.startswith("baseline.training.")
    }
    flat = {**ends, "val_loss_rise": {"value": 0.01}, "val_loss_fall": {"value": 0.0}}
    study = {**STUDY, "training": {**STUDY["training"], "seeds": [1, 2, 3]}}

    def told(baseline, improved):
        found = {
            f"{model}@seed_{seed}.training.{name}": entry
            for model, trainings in (("baseline", baseline), ("improved", improved))
            for seed, training in enumerate(trainings, 1)
            for name, entry in training.items()
        }
        return replace(facts, values=Values({**facts.values.results, **found}), study=study)

    def say(*trainings):
        return macro(told(trainings, (ends, flat, ends)), "sentences/results.course", "baseline")

    assert say(ends, ends, ends).endswith("at the evaluated weights. This holds for all three trainings.")
    assert say(ends, flat, ends).endswith("at the evaluated weights. This holds for two of three trainings.")
    alike = told((ends, ends, ends), (flat, flat, flat))
    assert macro(alike, "sentences/results.course", "baseline").endswith("at the evaluated weights.")
    assert macro(alike, "sentences/results.all_alike") == "The other trainings (thin lines) are judged alike."
    assert macro(told((ends, ends, ends), (ends, flat, ends)), "sentences/results.all_alike") == ""


def test_losses_that_do_not_compare_are_said_not_to(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8]))
    words = macro(facts, "sentences/results.incomparable_losses")
    assert (
        words
        == "Training loss of the improved CNN is computed with images of rare classes repeated; validation loss is not."
    )
    drawn = [{**m, "class_balance": "square-root"} for m in STUDY["models"]]
    words = macro(replace(facts, study={**STUDY, "models": drawn}), "sentences/results.incomparable_losses")
    assert words.endswith("is computed with rare classes drawn more often; validation loss is not.")
    weighted = [{**m, "class_weights": "balanced"} for m in STUDY["models"]]
    words = macro(
        replace(facts, study={**STUDY, "models": weighted}), "sentences/results.incomparable_losses"
    )
    assert words.startswith(
        "Training loss of the baseline CNN and the improved CNN is computed with weights for"
    )
    plain = [{**m, "class_balance": "none"} for m in STUDY["models"]]
    assert not macro(
        replace(facts, study={**STUDY, "models": plain}), "sentences/results.incomparable_losses"
    ).strip()


def test_penalties_are_said_to_be_in_both_losses(artifacts):
    inputs = artifacts()
    layers = inputs["architecture_baseline"] / "layers.csv"
    layers.write_text(layers.read_text().replace("softmax", "softmax, L2 0.01"))
    facts = facts_of(inputs)
    assert "Both losses include the penalties" in macro(facts, "sentences/results.overfitting", "baseline")
    assert "Both losses" not in macro(facts, "sentences/results.overfitting", "improved")


def test_curves_of_a_network_that_says_one_class_to_everything_are_not_read(artifacts):
    facts = facts_of(artifacts())
    results = dict(facts.values.results)
    for name in results:
        if re.match(r"baseline\.(val|test)\.confusion\.", name):
            results[name] = {"value": 5 * name.endswith(".viral")}
    words = macro(replace(facts, values=Values(results)), "sentences/results.overfitting", "baseline")
    assert words == (
        "The baseline CNN predicts Viral Pneumonia for every validation and test image; its learning curves tell nothing more."
    )


def test_equal_classes_and_confusions_are_all_named(artifacts):
    facts = facts_of(artifacts())
    ids = [c["id"] for c in STUDY["classes"]]
    results = {k: dict(v) for k, v in facts.values.results.items()}
    for true in ids:
        results[f"baseline.test.sensitivity.{true}"]["value"] = 0.5 if true != "viral" else 0.9
        for said in ids:
            results[f"baseline.test.confusion.{true}.{said}"]["value"] = 7 if said != true else 9
    facts = replace(facts, values=Values(results))
    words = macro(facts, "sentences/results.performance", "baseline", "test")
    assert "highest for Viral Pneumonia (0.900)" in words
    assert "lowest for Bacterial Pneumonia, COVID\\-19 and No Pneumonia" in words
    assert "The commonest errors, 7 images each, are" in words


def test_a_network_that_says_one_class_to_everything_is_said_to(artifacts):
    facts = facts_of(artifacts())
    ids = [c["id"] for c in STUDY["classes"]]
    results = {k: dict(v) for k, v in facts.values.results.items()}
    for true in ids:
        for said in ids:
            results[f"baseline.test.confusion.{true}.{said}"]["value"] = 10 if said == "healthy" else 0
    facts = replace(facts, values=Values(results))
    words = macro(facts, "sentences/results.performance", "baseline", "test")
    assert "The baseline CNN predicts No Pneumonia" in words


def test_the_epoch_of_the_weights_is_the_one_that_was_saved(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8]))
    words = macro(facts, "sentences/results.kept", "baseline")
    assert words == "The weights after the last epoch (3) are evaluated."
    results = {**facts.values.results, "baseline.training.weights_epoch": {"value": 1}}
    words = macro(replace(facts, values=Values(results)), "sentences/results.kept", "baseline")
    assert words == "The weights of epoch 1 of 3 are evaluated."


def test_networks_side_by_side_share_what_is_the_same(artifacts):
    facts = facts_of(artifacts())
    results = {k: dict(v) for k, v in facts.values.results.items()}
    ids = [c["id"] for c in STUDY["classes"]]
    for model, best in (("baseline", "healthy"), ("improved", "covid_19")):
        for true in ids:
            results[f"{model}.test.sensitivity.{true}"]["value"] = {best: 0.9, "viral": 0.4}.get(true, 0.6)
            results[f"{model}.test.auroc.{true}"]["value"] = 0.7 if true == "viral" else 0.9
            for said in ids:
                wrong = 5 if (true, said) == ("viral", "bacterial") else 1
                results[f"{model}.test.confusion.{true}.{said}"]["value"] = 9 if said == true else wrong
            results[f"{model}.test.specificity.{true}"]["value"] = 0.5 if true == "bacterial" else 0.8
            results[f"low_detail.test.auroc.{true}"] = {"value": 0.709 if true == "viral" else 0.9}
        results[f"{model}.test.confusion_share.viral.bacterial"]["value"] = 0.25
    results["improved.test.auroc.covid_19"]["value"] = 0.95

    def say(what: str, of: dict[str, Any]) -> str:
        told = replace(facts, values=Values(of))
        return macro(told, f"sentences/results.{what}", ["baseline", "improved"]).replace("\u00a0", " ")

    assert say("confused", results) == (
        "Sensitivity is lowest for Viral Pneumonia (0.400 and 0.400). Specificity is lowest for Bacterial Pneumonia "
        "(0.500 and 0.500). The commonest error of both networks is Viral Pneumonia predicted as Bacterial Pneumonia (25.0 % and 25.0 % of the true class)."
    )
    assert say("told_apart", results) == (
        "On the test set, AUC is highest for Bacterial Pneumonia, COVID\\-19 and No Pneumonia \\(healthy\\) with the baseline CNN (0.900) "
        "and COVID\\-19 with the improved CNN (0.950). It is lowest for Viral Pneumonia (0.700 and 0.700). "
        "The AUC of the thumbnail trees is within 0.009 of that of the baseline CNN in each class."
    )
    assert say("hardest", results) == ("Hardest to find, for both networks, is Viral Pneumonia.")
    ahead = {**results, **{f"improved.test.auroc.{c}": {"value": 0.96} for c in ids}}
    assert "The improved CNN has the higher AUC in each class." in say("told_apart", ahead)
    elsewhere = {**results, "improved.test.auroc.healthy": {"value": 0.5}}
    assert (
        "lowest for Viral Pneumonia with the baseline CNN (0.700) and No Pneumonia \\(healthy\\) with the improved"
        in say("told_apart", elsewhere)
    )
    other = {**results, "improved.test.confusion.covid_19.viral": {"value": 7}}
    apart = say("confused", other)
    assert (
        "The commonest error of the improved CNN is COVID\\-19 predicted as Viral Pneumonia: 7 images"
        in apart
    )
    for said in ids:  # one that answers one class has no worst class
        for true in ids:
            results[f"improved.test.confusion.{true}.{said}"]["value"] = 9 * (said == "viral")
    always = say("confused", results)
    assert always.startswith("The improved CNN predicts Viral Pneumonia for every test image.")
    assert "lowest for Viral Pneumonia with the baseline CNN" in always


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ([0.6, 0.65, 0.7], ""),
        ([0.6, 0.45, 0.7], "drops at times (0.450 in epoch 2)."),
        ([0.6, 0.4, 0.7, 0.71, 0.72, 0.71, 0.7], "(0.400 in epoch 2), but varies by only 0.020 over the last five epochs."),
        ([0.6, 0.7, 0.72, 0.72, 0.6, 0.72, 0.72], "drops at times (0.600 in epoch 5)."),
    ],
)  # fmt: skip
def test_a_validation_accuracy_that_drops_is_told(artifacts, accuracies, said):
    inputs = artifacts()
    path = inputs["training_baseline"] / "history.csv"
    rows = pd.read_csv(path)
    rows = pd.concat([rows.iloc[[0]]] * len(accuracies), ignore_index=True)
    rows["epoch"], rows["val_accuracy"] = range(1, len(accuracies) + 1), accuracies
    rows.to_csv(path, index=False)
    words = macro(facts_of(inputs), "sentences/results.course", "baseline")
    assert words.endswith(said) if said else "at times" not in words


@pytest.mark.parametrize(
    ("lowest", "normalised", "told"), [(2, True, True), (6, True, False), (2, False, False)]
)
def test_an_early_drop_may_be_the_lag_of_batch_normalisation(
    artifacts, monkeypatch, lowest, normalised, told
):
    monkeypatch.setattr(Explanation, "used", lambda *_: ["normalisation"] * normalised)
    inputs = artifacts()
    path = inputs["training_baseline"] / "history.csv"
    rows = pd.concat([pd.read_csv(path).iloc[[0]]] * 8, ignore_index=True)
    rows["epoch"], rows["val_accuracy"] = range(1, 9), 0.7
    rows.loc[lowest - 1, "val_accuracy"] = 0.2
    rows.to_csv(path, index=False)
    words = macro(facts_of(inputs), "sentences/results.course", "baseline")
    assert "at times" in words
    assert (
        "perhaps because the means that batch normalisation keeps for validation lag behind" in words
    ) == told


def test_the_highest_of_models_beside_one_another_is_bold(artifacts):
    facts = facts_of(artifacts())
    results = {k: dict(v) for k, v in facts.values.results.items()}
    for model, value in (("baseline", 0.5), ("improved", 0.7)):
        results[f"{model}.test.f1.macro"] |= {"value": value, "low": 0.4, "high": 0.8}
    of = Results(replace(facts, values=Values(results)))
    both = ["baseline", "improved"]
    assert "**0.700**\u00a0(0.400–0.800)" in of.measures("improved", "test", "macro", beside=both)
    assert "0.500\u00a0(0.400–0.800)" in of.measures("baseline", "test", "macro", beside=both)
    assert not any("**" in cell for cell in of.measures("improved", "test", "macro"))


def test_test_and_validation_stand_side_by_side(artifacts):
    facts = facts_of(artifacts())
    results = {k: dict(v) for k, v in facts.values.results.items()}
    for model, split, value in (
        ("baseline", "test", 0.5),
        ("baseline", "val", 0.625),
        ("improved", "test", 0.4),
    ):
        results[f"{model}.{split}.f1.viral"] |= {"value": value}
        results[f"{model}.{split}.accuracy"] |= {"value": value}
    of = Results(replace(facts, values=Values(results)))
    both = ["baseline", "improved"]
    assert of.glance("baseline", "test", "viral")[3] == "0.500"
    assert of.glance("baseline", "val", "viral")[3] == of.accuracy("baseline", "val") == "0.625"
    assert (
        of.glance("baseline", "test", "viral", both)[3]
        == of.accuracy("baseline", "test", both)
        == "**0.500**"
    )
    assert of.glance("improved", "test", "viral", both)[3] == "0.400"
    assert not of.has_undefined(["baseline"])
    results["baseline.val.f1.viral"] |= {"value": None}
    assert Results(replace(facts, values=Values(results))).has_undefined(["baseline"])

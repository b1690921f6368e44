"""What the report says of an ablation: in the discussion, and in its appendix."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.vocabulary.ablation import Case, names
from report.delivery import made_up
from report.delivery.rehearsal import rehearse
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.pipeline.plans import ABLATED, changed_study
from tests.tiny_build import having
from tests.writing.conftest import STUDY, facts_of, macro

ABLATION = changed_study(*ABLATED).for_document()["ablation"]


@pytest.fixture
def ablated(artifacts, tmp_path: Path):
    """Return a function that gives the inputs of the source stage of a study with an ablation, and the study."""

    def make(augmentation: Case, dropout: Case, together: str = "neither", trainings: int = 1):
        inputs = artifacts()
        path = inputs["results"] / "results.json"
        whole = json.loads(path.read_text())
        for name in names({"augmentation": True, "dropout": False}):
            whole["results"][name] = made_up.make_entry(name)
        whole["results"]["ablation.dropout.leave"] |= {"value": -0.7, "low": -0.8, "high": -0.6}
        whole["results"]["ablation.augmentation.leave.remaining"] |= {"value": -0.1}
        path.write_text(json.dumps(whole))
        folder = tmp_path / "ablation"
        folder.mkdir()
        rows = [
            ("augmentation", "leave", augmentation, max(trainings, 1)),
            ("augmentation", "add", "undetermined", 1),
            ("augmentation", "synergy", together, 1),
            ("dropout", "leave", dropout, max(trainings, 1)),
        ]
        table = pd.DataFrame(rows, columns=["component", "effect", "case", "trainings"])
        table.to_csv(folder / "effects.csv", index=False)
        return {**inputs.as_they_are(), "ablation": folder, "figure_ablation": inputs["figure_primary"]}, {
            **copy.deepcopy(STUDY),
            "ablation": ABLATION,
        }

    return make


@pytest.mark.parametrize(
    ("augmentation", "dropout", "said"),
    [
        ("contributes", "negligible", "Augmentation contributes: without it macro F1 falls by 0.500 (the two networks differ by 0.400). Dropout is negligible."),
        ("contributes", "harms", "Augmentation contributes: without it macro F1 falls by 0.500 (the two networks differ by 0.400). Dropout harms it: without it macro F1 rises by 0.700."),
        ("negligible", "negligible", "Dropout and augmentation are negligible."),
        ("undetermined", "undetermined", "Dropout and augmentation remain undetermined."),
        ("undetermined", "contributes", "Dropout contributes: without it macro F1 rises by 0.700. It alone is not shown to reach the margin of 0.03. Augmentation remains undetermined."),
    ],
)  # fmt: skip
def test_the_discussion_says_what_each_case_says(ablated, augmentation, dropout, said):
    words = macro(
        facts_of(*ablated(augmentation, dropout)), "sentences/explanation.what_they_are", False
    ).replace("\u00a0", " ")
    assert said in words
    assert "none was done" not in words
    assert "the improved CNN was trained again without one component at a time" in words


@pytest.mark.parametrize(
    ("low", "said"), [(0.1, "a difference remains."), (-0.1, "no difference is shown."), (None, "")]
)
def test_what_is_left_at_equal_length_is_told_where_the_ablation_has_it(ablated, low, said):
    inputs, study = ablated("contributes", "harms")
    words = "sentences/ablation.equal_length"
    assert macro(facts_of(inputs, study), words, "improved") == ""
    epochs = next(m["epochs"] for m in study["models"] if m["id"] == "baseline")
    study["ablation"] = copy.deepcopy(study["ablation"])
    study["ablation"]["components"][0]["models"][0]["epochs"] = epochs
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    whole["results"]["ablation.augmentation.leave.remaining"] |= {
        "value": 0.2,
        "low": low,
        "high": low and 0.4,
    }
    path.write_text(json.dumps(whole))
    told = macro(facts_of(inputs, study), words, "improved")
    assert told.startswith(
        f"Trained for {epochs} epochs too, the improved CNN is +0.200 from the baseline CNN in test macro F1"
    )
    assert told.endswith(
        f": with equally many epochs {said}" if said else "(no interval; @tbl-ablation-changes)."
    )


@pytest.mark.parametrize(
    ("short", "alike", "said"),
    [
        (-0.1, -0.1, "with {} epochs for both, or trained alike, no difference is shown."),
        (0.1, 0.1, "with {} epochs for both, or trained alike, a difference remains."),
        (-0.1, 0.1, "with {} epochs for both, no difference is shown; trained alike, a difference remains."),
        (0.1, None, "with {} epochs for both, a difference remains."),
        (None, -0.1, "trained alike, no difference is shown."),
    ],
)
def test_the_abstract_says_what_is_left_with_the_same_length_or_the_same_training(
    ablated, short, alike, said
):
    inputs, study = ablated("contributes", "contributes")
    study["ablation"] = copy.deepcopy(study["ablation"])
    baseline = next(m for m in study["models"] if m["id"] == "baseline")
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    for number, (component, name, low, setting) in enumerate(
        (
            ("augmentation", "ablation.augmentation.leave.remaining", short, "epochs"),
            ("dropout", "ablation.dropout.leave", alike, "architecture"),
        )
    ):
        whole["results"][name] |= {"value": 0.2, "low": low, "high": 0.4}
        if low is not None:
            assert study["ablation"]["components"][number]["id"] == component
            study["ablation"]["components"][number]["models"][0][setting] = baseline[setting]
    path.write_text(json.dumps(whole))
    told = macro(facts_of(inputs, study), "sentences/ablation.shown", "improved")
    assert told.endswith(f" contribute (exploratory); {said.format(baseline['epochs'])}")
    verdicts = [{"b": "improved", "analysis": "", "verdict": "better", "pair": "p", "split": "test"}]
    added = "sentences/abstract.added"
    assert macro(facts_of(inputs, study), added, verdicts=verdicts) == told, "published elsewhere"
    study["models"] = [{**m, "source": ""} for m in study["models"]]
    assert macro(facts_of(inputs, study), added, verdicts=verdicts) == (
        f"As an improvement, the improved CNN changes layers and training. {told}"
    )


def test_what_longer_training_does_for_the_baseline_is_told_where_it_was_tried(ablated):
    inputs, study = ablated("contributes", "harms")
    words = "sentences/ablation.longer"
    assert macro(facts_of(inputs, study), words, "improved") == ""
    study["ablation"] = copy.deepcopy(study["ablation"])
    epochs = {m["id"]: m["epochs"] for m in study["models"]}
    study["ablation"]["components"][0]["models"][0]["epochs"] = epochs["baseline"]
    assert macro(facts_of(inputs, study), words, "improved") == (
        f"with {epochs['improved']} its macro F1 changes by +0.500 (@tbl-ablation)."
    )


@pytest.mark.parametrize("case", ["contributes", "negligible"])
def test_training_and_layers_are_told_apart_where_the_ablation_swaps_the_layers(ablated, case):
    inputs, study = ablated(case, "harms")
    words = "sentences/ablation.equal_layers"
    assert macro(facts_of(inputs, study), words, "improved") == ""
    study["ablation"] = copy.deepcopy(study["ablation"])
    other = next(m["architecture"] for m in study["models"] if m["id"] == "baseline")
    study["ablation"]["components"][0]["models"][0]["architecture"] = other
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    whole["results"]["ablation.augmentation.leave.remaining"] |= {"value": 0.2, "low": 0.1, "high": 0.4}
    path.write_text(json.dumps(whole))
    told = macro(facts_of(inputs, study), words, "improved")
    assert "trained like the improved CNN, differ from the baseline CNN by +0.200 (+0.100 to +0.400;" in told
    assert "the improved CNN from them by +0.500." in told
    alone = "the gain comes from the training, not from the layers."
    assert told.endswith(f"So {alone}") == (case == "negligible")


@pytest.mark.parametrize(("together", "said"), [("synergy", "more"), ("redundancy", "less"), ("neither", "")])
def test_the_discussion_says_where_a_component_is_worth_more_with_the_others_or_less(ablated, together, said):
    inputs, study = ablated("contributes", "harms", together)
    words = macro(facts_of(inputs, study), "sentences/ablation.in_short")
    assert "is worth" not in words  # of single trainings it is a hint, for the appendix
    path = inputs["ablation"] / "effects.csv"
    path.write_text(path.read_text().replace("add,undetermined,1", "add,undetermined,2"))
    words = macro(facts_of(inputs, study), "sentences/ablation.in_short")
    told = f"Augmentation is worth {said} in the improved CNN than in the baseline CNN ({together})."
    assert (told in words) == bool(said)
    assert ("Augmentation is worth" in words) == bool(said)


def test_without_an_ablation_the_reasons_are_not_shown(artifacts):
    words = macro(facts_of(artifacts()), "sentences/explanation.what_they_are", False)
    assert "could explain the difference" in words
    assert "none was done" in words


def test_the_discussion_has_effects_and_cases_and_the_appendix_what_was_changed(ablated, source, tmp_path):
    inputs, study = ablated("contributes", "harms", "synergy")
    text = source(inputs, study).replace("\u00a0", " ")
    discussion, part = (
        text.partition(f"{{#sec-{name}}}")[2].partition("\n# ")[0] for name in ("discussion", "ablation")
    )
    assert (
        "without each of two components, once, and the baseline CNN with each that it can bear, once" in part
    )
    assert (
        "| Augmentation | +0.500 | +0.400 to +0.600 | 0.500 | contributes | +0.500 (+0.400 to +0.600) |"
        in discussion
    )
    assert (
        "is corrected for several tests (Holm), intervals are not. *Contributes*: p at most 0.05; *negligible*: 90 % interval within ±0.03. *Added*: to the baseline CNN, in one training (90 % interval over patients). {#tbl-ablation}"
        in discussion
    )
    assert re.search(r"\| Dropout \| −0.700 \| .+ \| 0.500 \| harms \| – \|\n", discussion)
    assert re.search(
        r"\| Augmentation \| Augmentation: none \| .+ \| Augmentation: horizontal flip, probability 0.5 \|\n",
        part,
    )
    assert re.search(r"\| Dropout \| `dropout = 0.0` \| .+ \| – \|\n", part)
    assert "Each network was trained once" in part
    assert (tmp_path / "source-out" / "tables" / "ablation_effects.csv").is_file()


def test_arguments_of_a_network_are_told_in_the_author_s_words(ablated, source):
    inputs, study = ablated("contributes", "harms")
    dropout = next(c for c in study["ablation"]["components"] if c["id"] == "dropout")
    study["ablation"] = {
        **study["ablation"],
        "components": [c for c in study["ablation"]["components"] if c is not dropout]
        + [{**dropout, "instead": "no dropout"}],
    }
    assert re.search(r"\| Dropout \| no dropout \| .+ \| – \|\n", source(inputs, study))


def test_single_trainings_are_told_of(ablated, source):
    inputs, study = ablated("contributes", "harms", trainings=2)
    part = source(inputs, study).partition("{#sec-ablation}")[2].partition("\n# ")[0]
    assert "with two seeds" in part
    assert "The effects of adding are of single trainings" in part


def test_a_study_without_ablation_has_no_such_appendix(source):
    text = source()
    assert "sec-ablation" not in text
    assert "tbl-ablation" not in text


@pytest.mark.parametrize("more", [(), ("training.seeds=[1, 2, 3]", "ablation.add_seeds=2")])
@pytest.mark.parametrize(
    "sections", [having("details", "ablation", "experiments"), pytest.param((), marks=pytest.mark.slow)]
)
def test_a_rehearsal_makes_up_the_effects(sections, more):
    overrides = (*ABLATED, *sections, *more)
    assert rehearse(make_plan(Request("assignment", None, True, overrides, Path("/nowhere")))) == ""


def test_a_dense_layer_that_could_memorise_is_held_against_the_ablation(ablated):
    inputs, study = ablated("contributes", "negligible")
    path = inputs["architecture_improved_without_dropout"] = inputs["figure_ablation"].parent / "without"
    path.mkdir()
    network = json.loads((inputs["architecture_improved"] / "architecture.json").read_text())
    (path / "architecture.json").write_text(json.dumps(network))
    inputs["architecture_improved_without_augmentation"] = path
    assert not macro(facts_of(inputs, study), "sentences/ablation.memory", "improved")
    dense = {"class_name": "Dense", "config": {"units": 1000}, "build_config": {"input_shape": [None, 5000]}}
    network["config"]["layers"].append(dense)
    without = inputs["architecture_improved_without_dropout"] = path.parent / "large"
    without.mkdir()
    (without / "architecture.json").write_text(json.dumps(network))
    words = macro(facts_of(inputs, study), "sentences/ablation.memory", "improved")
    assert words == (
        "Without dropout the dense layer of the improved CNN has 5,000,000 weights, yet macro F1 hardly changes (@tbl-ablation): "
        "the size of this layer alone is not the cause."
    )


@pytest.mark.parametrize(("ends", "said"), [((0.6, 0.8), True), ((0.78, 0.8), False), ((None, None), False)])
def test_trainings_that_lie_far_apart_are_told_where_the_effect_is_undetermined(ablated, ends, said):
    inputs, study = ablated("undetermined", "contributes")
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    for end, value in zip(("lowest", "highest"), ends, strict=True):
        whole["results"][f"ablation.augmentation.leave.{end}"] |= {"value": value}
    path.write_text(json.dumps(whole))
    words = macro(facts_of(inputs, study), "sentences/ablation.in_short")
    assert (
        "Of the trainings without augmentation the lowest reached 0.600, the highest 0.800." in words
    ) == said


@pytest.mark.parametrize("is_explained", [True, False])
def test_what_is_computed_moves_to_the_appendix_where_the_author_explains(
    artifacts, source, tmp_path, is_explained
):
    prose = tmp_path / "prose"
    prose.mkdir()
    words = "They differ, as we think, in what they have seen."
    if is_explained:
        (prose / "explanation.md").write_text(words)
    text = source({**artifacts(), "prose": prose})
    discussion, details = (
        text.partition(f"{{#sec-{name}}}")[2].partition("\n# ")[0] for name in ("discussion", "details")
    )
    assert (words in discussion) == is_explained
    assert ("*Overfitting.*" in details) == is_explained
    assert ("*Overfitting.*" in discussion) != is_explained
    assert "@tbl-explanation" in discussion

"""The appendix on where the scores of networks come from."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pandas as pd
import pytest

from analysis.vocabulary.attention import ATTENTION
from report.delivery import made_up
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.writing.conftest import CLASSES, STUDY, facts_of, macro

NAMES = ("attention_baseline", "attention_improved")


@pytest.fixture
def told(artifacts):
    """Return a function that makes the inputs of the source stage, with other values of results of the baseline."""

    def make(**values):
        inputs = artifacts()
        path = inputs["results"] / "results.json"
        whole = json.loads(path.read_text())
        for name, value in values.items():
            entry = whole["results"][f"attention.baseline.{name.replace('__', '.')}"]
            entry |= {"value": value} if value is not None else {"value": None, "low": None, "high": None}
        path.write_text(json.dumps(whole))
        return inputs

    return make


def part(text: str) -> str:
    return text.partition("{#sec-attention}")[2].partition("\n# ")[0].replace("\u00a0", " ")


def without_map(inputs, name):
    path = inputs[name] / "network.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "layer": None, "size": None}))


def test_each_network_has_its_maps_its_row_and_the_caveat(told, source, tmp_path):
    text = part(source(told()))
    for model in ("baseline", "improved"):
        assert text.count("{#fig-attention-" + model) == 1
        assert f"@fig-attention-{model} has maps of the {model} CNN" in text
    assert "| Baseline CNN | 0.500 (0.400–0.600) | 0.500 (0.400–0.600) |" in text
    assert (
        "The baseline CNN has 50 % of its maps in the lungs, which take 50 % of the image; with random"
        in text
    )
    assert "[@selvaraju2017]" in text
    assert (
        "shows where a score comes from, not why, and it can look right for random weights too [@adebayo2018]"
        in text
    )
    assert "It may not be read as the place of a disease." in text
    assert (tmp_path / "source-out" / "tables" / "attention_baseline_maps.csv").is_file()


def test_the_main_text_names_it_once_and_reads_nothing_out_of_it(told, source):
    text = source(told())
    told_once = "Maps of where they look (Grad-CAM, @sec-attention) do not settle it. "
    assert told_once in text[text.index("{#sec-audit}") : text.index("# Images from elsewhere")]
    assert "sec-attention" not in text.replace("{#sec-attention}", "").replace(told_once, "")


def test_a_report_without_the_section_has_none_of_it(told, source):
    inputs = {**told().as_they_are()}
    for name in NAMES:
        del inputs[name], inputs[f"figure_{name}"]
    study = copy.deepcopy(STUDY)
    study["report"]["sections"] = [s for s in study["report"]["sections"] if s != "attention"]
    text = source(inputs, study)
    assert "sec-attention" not in text
    assert "Grad-CAM" not in text


def test_maps_that_are_zero_everywhere_are_counted(told, source):
    words = part(source(told(empty=3, empty_random=0)))
    assert words.count("Maps that are 0 everywhere, as no place raises the score, are left out.") == 1
    assert "Of the baseline CNN these are 3, and none with random weights." in words


def test_where_no_map_is_zero_nothing_is_said_of_it(told, source):
    assert "Of the baseline CNN these are" not in part(source(told(empty=0, empty_random=0)))


def test_how_many_of_the_test_images_were_asked_about_is_said(told, source):
    inputs = told()
    whole = json.loads((inputs["results"] / "results.json").read_text())["results"]["data.test.count"][
        "value"
    ]
    assert f"its maps of 8 of the {whole} test images" in part(source(inputs))


def test_of_all_test_images_it_is_said_that_they_are_all(told, source):
    whole = json.loads((told()["results"] / "results.json").read_text())["results"]["data.test.count"][
        "value"
    ]
    assert f"its maps of all {whole} test images" in part(source(told(images=whole)))


def test_without_lung_masks_the_table_has_no_lungs(told, source):
    inputs = told(lungs__share=None, lungs__share_random=None, lungs__area=None, lungs__images=0)
    path = inputs["results"] / "results.json"
    whole = json.loads(path.read_text())
    for name in ("share", "share_random", "area"):
        whole["results"][f"attention.improved.lungs.{name}"] |= {"value": None, "low": None, "high": None}
    path.write_text(json.dumps(whole))
    text = part(source(inputs))
    assert "The data have no masks of the lungs" in text
    assert "In the lungs" not in text


def test_masks_of_one_class_alone_are_said_to_be(told, source):
    inputs = told()
    for name in NAMES:
        pd.DataFrame({"y_true": CLASSES, "lung_area": [None, 0.3, None, None]}).to_csv(
            inputs[name] / "maps.csv", index=False
        )
    assert "masks of the lungs, all of them labelled COVID\\-19." in part(source(inputs))


def test_a_network_without_convolution_has_no_map_and_it_is_said(told, source):
    inputs = told()
    without_map(inputs, "attention_baseline")
    text = part(source(inputs))
    assert "The baseline CNN has no convolution, and so no map." in text
    assert "fig-attention-baseline" not in text
    assert "{#fig-attention-improved" in text


def test_where_no_network_has_a_convolution_that_is_all(told, source):
    inputs = told()
    for name in NAMES:
        without_map(inputs, name)
    text = part(source(inputs))
    assert "The baseline CNN and improved CNN have no convolution, and so no map." in text
    assert "tbl-attention" not in text
    assert "fig-attention" not in text


def test_of_many_networks_the_best_is_named(told, source):
    inputs = {**told().as_they_are()}
    del inputs["attention_improved"], inputs["figure_attention_improved"]
    inputs |= {f"{kind}attention_best": inputs.pop(f"{kind}attention_baseline") for kind in ("", "figure_")}
    text = part(source(inputs))
    assert (
        "Of the two networks the one with the highest macro F1 on validation images is shown, the baseline CNN."
        in text
    )
    assert "{#fig-attention-best" in text


def test_feature_maps_are_shown_where_the_study_names_a_model(told, source):
    inputs = {**told().as_they_are()}
    inputs["figure_activations"] = inputs["figure_stages"]
    study = copy.deepcopy(STUDY)
    study["report"]["feature_maps"] = "improved"
    text = part(source(inputs, study))
    assert (
        "@fig-activations has what the first convolutions of the improved CNN make of one test image" in text
    )
    assert "{#fig-activations" in text


@pytest.mark.parametrize("seeds", [[42], [42, 43, 44]])
def test_of_several_trainings_the_first_is_said_to_be_shown(told, seeds):
    study = {**STUDY, "training": {**STUDY["training"], "seeds": seeds}}
    words = macro(facts_of(told().as_they_are(), study), "sentences/attention.method")
    assert ("of the first training of each network" in words) == (len(seeds) > 1)


def test_without_such_a_model_there_are_no_feature_maps(told, source):
    assert "fig-activations" not in source(told())


def test_a_rehearsal_makes_it_up():
    """These and all other studies are rehearsed in tests/delivery/test_rehearsal.py."""
    for study in ("assignment", "pediatric-resplit"):
        plan = make_plan(Request(study, None, True, (), Path("/nowhere")))
        assert [stage.name for stage in plan.stages if stage.kind == ATTENTION]
    assert made_up.quantity("attention.net.images").name == "COUNT"

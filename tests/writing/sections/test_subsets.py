"""The appendix on networks trained on parts of the training images, and its sentence in the limitations."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from analysis.vocabulary.subsets import TRAININGS_TABLE, names
from report.delivery import made_up
from report.delivery.rehearsal import rehearse
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.tiny_build import having
from tests.writing.conftest import STUDY

GAIN = "improved@patient_subset_100_vs_improved@patient_subset_50.test.f1.macro"


@pytest.fixture
def trained(artifacts, tmp_path: Path):
    """Return a function that makes the inputs of the source stage of a study with subsets, and the study; given the gain."""

    def make(low: float | None, high: float | None):
        inputs = artifacts()
        path = inputs["results"] / "results.json"
        whole = json.loads(path.read_text())
        for name in names(["improved"], "@patient", (0.25, 0.5, 1.0), "test", "f1.macro"):
            whole["results"][name] = made_up.make_entry(name)
        whole["results"][GAIN] |= {"value": 0.02, "low": low, "high": high}
        path.write_text(json.dumps(whole))
        folder = tmp_path / "subsets"
        folder.mkdir()
        rows = [f"improved,{share},100,0.{k}" for share in (0.25, 0.5, 1.0) for k in (7, 8, 9)]
        (folder / TRAININGS_TABLE).write_text("\n".join(["model,share,images,value", *rows]) + "\n")
        (folder / "measures.csv").write_text("model,share,images,value,low,high\n")
        study = copy.deepcopy(STUDY)
        study["training"] |= {"seeds": [1, 2, 3], "subsets": [0.25, 0.5]}
        for seed in (1, 2, 3):  # what is told of single trainings
            for model in ("baseline", "improved"):
                for name in [
                    n
                    for n in whole["results"]
                    if n.startswith((f"{model}.training.", f"{model}.val.accuracy"))
                ]:
                    owner = name.replace(model, f"{model}@seed_{seed}", 1)
                    whole["results"][owner] = whole["results"][name]
        path.write_text(json.dumps(whole))
        return {**inputs, "subsets": folder, "figure_subsets": inputs["figure_stages"]}, study

    return make


def part(text: str, section: str) -> str:
    return text.partition("{#" + section + "}")[2].partition("\n# ")[0].replace("\u00a0", " ")


def test_a_gain_whose_interval_is_above_zero_says_that_more_images_would_help(trained, source, tmp_path):
    text = source(*trained(0.01, 0.03))
    said = "from 50 % of them to all, macro F1 of the improved CNN changes by +0.020 (+0.010 to +0.030"
    assert f"- More training images would help: {said}; @sec-subsets)." in part(text, "sec-limits")
    appendix = part(text, "sec-subsets")
    assert f"More training images would help: {said})." in appendix
    assert "was also trained on 25 % and 50 % of the training images of the split by patient." in appendix
    assert "| 25 % | 8 | 0.500 (0.400–0.600) | 0.700, 0.800, 0.900 |" in appendix
    assert (tmp_path / "source-out" / "tables" / "subsets_trainings.csv").is_file()


@pytest.mark.parametrize(("low", "high"), [(-0.01, 0.05), (-0.05, -0.01), (None, None)])
def test_any_other_gain_is_not_shown_to_help(low, high, trained, source):
    limits = part(source(*trained(low, high)), "sec-limits")
    assert "- That more training images would help is not shown: from 50 % of them to all" in limits
    assert "More training images would help:" not in limits
    assert ("no interval" in limits) == (low is None)


def test_a_study_without_subsets_has_no_such_appendix(source):
    text = source()
    assert "sec-subsets" not in text
    assert "more training images" not in text.lower()


@pytest.mark.parametrize(
    "sections", [having("subsets", "experiments"), pytest.param((), marks=pytest.mark.slow)]
)
def test_a_rehearsal_makes_up_the_subsets(sections):
    overrides = ("training.seeds=[1, 2, 3]", "training.subsets=[0.25, 0.5]", *sections)
    assert rehearse(make_plan(Request("assignment", None, True, overrides, Path("/nowhere")))) == ""

"""A study of many models, told side by side, and one of two classes, told by one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from report.study.loading import load
from report.study.trainings import MOST_TOGETHER
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.specimen import TWO_NETWORKS
from tests.writing.conftest import Written, macro

STUDY = load(TWO_NETWORKS / "study.toml").for_document()

BY_CLASS = ("sensitivity", "specificity", "ppv", "f1", "auroc", "npv")
HTML_ONLY = re.compile(r'(?ms)^::: \{\.content-visible when-format="html"\}\n.*?^:::$')
CLASSES = [
    {"id": "well", "label": "Well", "normal": True},
    {"id": "ill", "label": "Ill", "normal": False},
]
MODELS = ("a", "b", "c", "d", "e", "f")
assert len(MODELS) > MOST_TOGETHER


def entry(value: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "level": 0.95}


def study(scales: Mapping[str, float] | None = None, models=MODELS) -> dict[str, Any]:
    scales = scales or {}
    return {
        "comparison": None,
        "report": {"main": []},
        "training": {"seeds": [42]},
        "classes": CLASSES,
        "untrained": [],
        "models": [
            {"id": m, "title": f"Network {m}", "input": {"scale": scales.get(m, 1.0), "offset": 0.0}}
            for m in models
        ],
    }


def said(results: Mapping[str, Any], of: Mapping[str, Any], verdicts=()) -> Written:
    return Written(StudyFacts(of, Values(results), {}, len(of["models"]) > MOST_TOGETHER), verdicts)


@pytest.fixture
def many(source, artifacts) -> str:
    """The source of a study that has more models than are told of one by one."""
    inputs = artifacts()
    drawn = {
        f"figure_{name}": inputs["figure_counts"] for name in ("histories", "matrices", "overlay_roc_val")
    }
    plain = {**STUDY, "report": {**STUDY["report"], "requirements": []}}
    return source({**inputs, **drawn}, plain, many=True)


def test_many_models_are_told_side_by_side_and_each_in_an_appendix(many):
    chapters = re.findall(r"(?m)^# .*\{#(\S+)\}", many)
    order = [
        "sec-across",
        "sec-comparison",
        "sec-discussion",
        "sec-limits",
        "sec-conclusion",
        "sec-statistics",
        "sec-probabilities",
    ]
    assert [c for c in chapters if c in order] == order
    assert chapters[-2:] == ["sec-each", "sec-reproduce"]
    for model in ("baseline", "improved"):
        assert f"{{#sec-results-{model}}}" in many.partition("{#sec-each}")[2]
        assert f"#tbl-measures-test-{model}" in many
    assert "#tbl-validation" in many
    assert "#tbl-measures-val" not in many


def test_what_only_the_html_has_is_not_referred_to_on_paper(many):
    hidden = re.findall(r"\{#((?:fig|tbl)-[\w-]+)", "".join(HTML_ONLY.findall(many)))
    assert {"fig-curves-baseline", "fig-roc-improved", "fig-confusion-improved"} <= set(hidden)
    paper = HTML_ONLY.sub("", many)
    assert not [name for name in hidden if re.search(rf"[@#]{name}\b(?!-)", paper)]


def test_layers_that_two_models_share_are_listed_once(many):
    assert many.count("{#tbl-layers-") == 1
    assert r"its layers are those of the baseline CNN (@tbl-layers-baseline)" in many


def test_many_models_beside_the_floor_are_one_sentence():
    gains = dict(zip(MODELS, (0.2, 0.1, -0.1, 0.05, -0.2, 0.3), strict=True))
    results = {f"{m}_vs_low_detail.test.f1.macro": entry(g, g - 0.06, g + 0.06) for m, g in gains.items()}
    sentences = said(results | {"low_detail.test.f1.macro": entry(0.5)}, study())
    assert sentences("references.all_beside") == (
        "Three of six networks beat the thumbnail trees (macro F1 0.500): the network a, the network b and the network f. "
        "The other three do not."
    )


@pytest.mark.parametrize(
    ("gain", "begins"),
    [
        (0.2, "Six of six networks beat the thumbnail trees"),
        (-0.2, "None of six networks beats the thumbnail trees"),
    ],
)
def test_all_or_none_beside_the_floor(gain, begins):
    results = {f"{m}_vs_low_detail.test.f1.macro": entry(gain, gain, gain) for m in MODELS}
    sentences = said(results | {"low_detail.test.f1.macro": entry(0.5)}, study())
    text = sentences("references.all_beside")
    assert text.startswith(begins)
    assert "other" not in text


def test_one_network_beats_a_floor():
    gains = dict.fromkeys(MODELS, -0.2) | {MODELS[1]: 0.2}
    results = {f"{m}_vs_low_detail.test.f1.macro": entry(g, g, g) for m, g in gains.items()}
    sentences = said(results | {"low_detail.test.f1.macro": entry(0.5)}, study())
    text = sentences("references.all_beside")
    assert text.startswith("One of six networks beats the thumbnail trees")


def test_calibration_of_many_models_is_a_range():
    errors = dict(zip(MODELS, (0.1, 0.2, 0.05, 0.3, 0.02, 0.3), strict=True))
    results = {f"{m}.test.ece": entry(e) for m, e in errors.items()}
    results |= {f"{m}.test.ece_scaled": entry(e / 2) for m, e in errors.items()}
    results |= {f"{m}.test.ece_expected": entry(0.07, 0.04, 0.1) for m in MODELS}
    assert said(results, study())("probabilities.calibrations") == (
        "The expected calibration error goes from 0.020 (network e) to 0.300 (network d and network f). Of six networks "
        "three lie above the range that calibrated probabilities would give by chance, two within it and one below it. Scaled, "
        "it goes from 0.010 (network e) to 0.150 (network d and network f)."
    )


def test_what_many_models_find_at_their_thresholds_is_a_range():
    found = dict(zip(MODELS, (0.6, 0.7, 0.15, 0.9, 0.8, 0.75), strict=True))
    results = {f"{m}.test.sensitivity_at_90.ill": entry(s, s - 0.1, s + 0.1) for m, s in found.items()}
    results |= {f"{m}.test.specificity_at_90.ill": entry(0.92) for m in MODELS}
    assert said(results, study())("probabilities.found_disease") == (
        "The threshold is the lowest with 90\u00a0% specificity on the validation set. There the sensitivity for Ill on the "
        "test set goes from 0.150 (network c) to 0.900 (network d). By the lower end of the interval five of six networks "
        "find more than an answer by chance with the same specificity would."
    )


@pytest.mark.parametrize(
    ("scales", "words"),
    [
        ({}, "Grey levels from 0 to 255 are given to the networks as they are."),
        (
            dict.fromkeys(MODELS, 1 / 255),
            "Grey levels are divided by 255, so that a network sees floating-point numbers in [0, 1].",
        ),
        (
            {"b": 1 / 255},
            "The networks see grey levels from 0 to 255 in different ways (@sec-training). Five networks see them as they "
            "are. One network sees them divided by 255, as floating-point numbers in [0, 1].",
        ),
    ],
)
def test_grey_levels_are_told_by_the_networks_that_see_them(scales, words):
    assert macro(said({}, study(scales)).facts, "sentences/data.scaling") == words


def test_what_two_classes_always_share_is_named_once():
    names = ["accuracy", "mcc", *(f"{m}.{c}" for m, c in product(BY_CLASS, ("well", "ill", "macro")))]
    results = {f"b_vs_a.test.{name}": entry(0.1, 0.05, 0.15) for name in names}
    results |= dict.fromkeys(
        ("b_vs_a.test.sensitivity.ill", "b_vs_a.test.specificity.well"), entry(-0.1, -0.2, -0.05)
    )
    verdict = {"a": "a", "b": "b", "analysis": "", "pair": "b_vs_a", "split": "test", "measure": "f1.macro"}
    sentences = said(results, study(), [{**verdict, "verdict": "better"}])
    assert (
        sentences("verdicts.against", "b")
        == "Sensitivity for Ill (−0.100) fell, with an interval that excludes zero (@tbl-comparison-b)."
    )


def test_two_classes_have_one_score_and_one_analysis_no_column_of_its_own():
    of = study()
    names = ("data.test.count", "data.val.count")
    results: dict[str, Any] = {name: entry(9) for name in names}
    for m in (*MODELS, "low_detail", "majority"):
        results |= {f"{m}.val.threshold_at_90.ill": entry(0.4)}
        results |= {f"{m}.test.{x}_at_90.ill": entry(0.3) for x in ("sensitivity", "specificity")}
    facts = StudyFacts(of, Values(results), {})
    operating = macro(facts, "floats/details.operating")
    assert operating.startswith("| Model | Threshold | Sensitivity | Specificity |")
    assert operating.count("\n| Network") == len(MODELS)
    assert "The score is the probability of Ill." in operating


def test_the_first_table_has_a_row_for_each_of_many_models_and_marks_the_highest_of_each_column():
    results: dict[str, Any] = {"data.test.count": entry(9), "data@patient.test.count": entry(9)}
    for i, m in enumerate((*MODELS, "low_detail", "majority")):
        results |= {
            f"{m}{analysis}.test.{name}": entry(0.5 + i / 100)
            for name in ("accuracy", "f1.macro", "auroc.macro")
            for analysis in ("", "@patient")
        }
    facts = replace(StudyFacts(study(), Values(results), {}), many=True)
    headline = macro(facts, "floats/headline.headline")
    assert headline.startswith("| Model | Accuracy | Accuracy, by patient | Macro F1 | Macro AUC |")
    assert headline.count("| Network a |") == 1
    assert (headline.count("**0.570**"), headline.count("**")) == (4, 8)


def test_averages_of_many_models_have_a_row_each():
    of = study()
    results: dict[str, Any] = {f"data.{split}.count": entry(9) for split in ("val", "test")}
    for m, (split, value) in product(MODELS, (("val", 0.5), ("test", 0.25))):
        names = ("accuracy", "sensitivity.macro", "f1.macro", "auroc.macro", "auroc.micro")
        results |= {f"{m}.{split}.{name}": entry(value) for name in names}
    table = macro(StudyFacts(of, Values(results), {}, many=True), "floats/details.averages")
    assert table.count("\n| Network") == len(MODELS)
    assert "0.500\u00a0/\u00a00.250" in table
    assert "| Specificity |" not in table


def test_one_unit_is_not_several(tmp_path: Path):
    (tmp_path / "layers.csv").write_text(
        'name,type,settings,output_shape,parameters\na,Dense,"11 units, ReLU",11,5\nb,Dense,"1 units, sigmoid",1,3\n'
    )
    values = Values({"a.architecture.parameters": entry(8)})
    facts = StudyFacts(study(), values, {"architecture_a": tmp_path})
    table = macro(facts, "floats/layers.layers", "a")
    assert "| 1 unit, sigmoid |" in table
    assert "| 11 units, ReLU |" in table

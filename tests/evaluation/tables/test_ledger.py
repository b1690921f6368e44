"""The published figures follow from the published matrices, and agreement follows the rule."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from analysis.evaluation.predictions import Predictions
from analysis.evaluation.statistics.published import (
    Known,
    matrix_figures,
    own_figures,
    published_figures,
)
from analysis.evaluation.tables.ledger import Line, exact_figures, judge
from report import PROJECT
from report.study.comparable import find_obstacles
from report.study.loading import load
from report.study.published import Published
from tests.specimen import TWO_NETWORKS

FILES = sorted((PROJECT / "studies").glob("*/published.toml"))
NAMES = [path.parent.name for path in FILES]
MODELS = {
    "assignment-published": 2,
    "pediatric-resplit": 12,
    "pediatric-imbalanced": 7,
    "radiography": 3,
    "pediatric-official": 4,
}


def line(figure: str) -> Line:
    return Line("net", "", figure, "notebook", "")


def read(path: Path) -> Published:
    return Published.model_validate_json(json.dumps(tomllib.loads(path.read_text())))


def test_every_published_study_has_its_figures() -> None:
    assert set(NAMES) == set(MODELS)
    for name, path in zip(NAMES, FILES, strict=True):
        main = {r.model for r in read(path).results if r.run is None and not r.title}
        assert len(main) == MODELS[name], name


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_figures_follow_from_the_matrices_to_the_last_printed_digit(path: Path) -> None:
    published = read(path)
    found = exact_figures(published.model_dump(mode="json"))
    checked = 0
    for result in published.results:
        of_matrix = found.get((result.model, result.run or ""), {})
        for name, printed in result.figures.items():
            if name in of_matrix:
                digits = len(printed.partition(".")[2])
                # Half way is printed either way (.625 as .62), and a cut digit is not a mistake of ours.
                assert abs(of_matrix[name].value - float(printed)) <= 0.5 * 10**-digits + 1e-9, (
                    result.model,
                    name,
                )
                checked += 1
    assert checked >= {"radiography": 20, "pediatric-official": 2}.get(path.parent.name, 25)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_matrices_have_the_published_class_counts(path: Path) -> None:
    published = read(path)
    counts = published.protocol.counts
    of_classes = [counts[f"test.{c}"] for c in published.protocol.classes]
    assert sum(of_classes) == counts["test"]
    for split in ("train", "val"):
        each = [counts[f"{split}.{c}"] for c in published.protocol.classes if f"{split}.{c}" in counts]
        assert not each or sum(each) == counts[split]
    matrices = [r.confusion for r in published.results if r.confusion]
    assert matrices or path.parent.name == "none"
    for matrix in matrices:
        assert [sum(row) for row in matrix] == of_classes


def test_measures_are_those_of_scikit_learn_with_zero_division_0() -> None:
    y_true = np.repeat([0, 1, 2], [5, 7, 4])
    y_pred = np.array([0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0])  # the last class is never called
    matrix = np.zeros((1, 3, 3), int)
    np.add.at(matrix[0], (y_true, y_pred), 1)
    found = {name: float(value[0]) for name, value in matrix_figures(matrix, ("a", "b", "c")).items()}
    precision, recall, f1, _ = precision_recall_fscore_support(y_true, y_pred, zero_division=0)
    assert [found[f"ppv.{c}"] for c in "abc"] == pytest.approx(precision)
    assert [found[f"sensitivity.{c}"] for c in "abc"] == pytest.approx(recall)
    assert [found[f"f1.{c}"] for c in "abc"] == pytest.approx(f1)
    for average in ("macro", "weighted"):
        assert found[f"f1.{average}"] == pytest.approx(f1_score(y_true, y_pred, average=average))


def test_standard_errors_of_published_figures_are_those_of_a_multinomial() -> None:
    matrix = [[81, 153], [8, 382]]
    found = published_figures(matrix, None, float("nan"), ("normal", "pneumonia"))
    accuracy = 463 / 624
    assert found["test.accuracy"].value == accuracy
    assert found["test.accuracy"].se == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 624), rel=0.03)
    sensitivity = 382 / 390
    assert found["test.sensitivity.pneumonia"].se == pytest.approx(
        np.sqrt(sensitivity * (1 - sensitivity) / 390), rel=0.05
    )
    of_count = published_figures(None, 624, 0.7420, ("normal", "pneumonia"))
    assert of_count.keys() == {"test.accuracy"}
    assert of_count["test.accuracy"].se == pytest.approx(found["test.accuracy"].se, rel=0.03)
    assert published_figures(None, None, 0.9, ("normal", "pneumonia")) == {}


@pytest.mark.parametrize(
    ("theirs", "ours", "bars", "verdict"),
    [
        (Known(0.80, 0.03), Known(0.90, 0.04), [], "differs"),  # .1 against 1.96 * .05 = .098
        (Known(0.80, 0.03), Known(0.897, 0.04), [], "agrees"),
        (Known(0.80, 0.03), Known(0.80, 0.04), ["another split"], "not comparable"),
        (Known(0.80), Known(0.80, 0.04), [], "not decided"),
        (Known(0.80, 0.03), None, [], "not measured"),
        (Known(0.625, 0.02), Known(float("nan")), [], "not measured"),
    ],
)
def test_the_rule(theirs: Known, ours: Known | None, bars: list[str], verdict: str) -> None:
    assert judge(line("test.accuracy"), theirs, ours, bars)[0] == verdict


def test_numbers_of_parameters_agree_when_they_are_equal() -> None:
    assert judge(line("architecture.parameters"), Known(12), Known(12), [])[0] == "agrees"
    assert judge(line("architecture.parameters"), Known(12), Known(13), [])[0] == "differs"


def test_the_assignment_is_not_the_published_protocol_and_its_ledger_compares_nothing(assignment) -> None:
    results, table = assignment.of("ledger"), assignment.table("ledger", "ledger")
    assert set(table["verdict"]) == {"not comparable"}  # built as a sample
    for kind in ("accuracy", "test", "training", "parameters"):
        assert (
            results[f"ledger.{kind}.not_comparable"]["value"] == results[f"ledger.{kind}.count"]["value"] > 0
        )
    assert results["ledger.accuracy.count"]["value"] == 2
    assert results["published.improved.test.f1.macro"]["value"] == pytest.approx(0.704374, abs=5e-7)
    assert results["published.data.test.count.covid_19"]["value"] == 104
    assert results["published.majority.test.accuracy"]["value"] == pytest.approx(564 / 1383)
    study = load(TWO_NETWORKS / "study.toml")
    why = find_obstacles(study, (), sample=False)
    assert find_obstacles(study, (), sample=True)["baseline"] == ["the images are generated"]
    assert why["baseline"] == [
        "dataset.label_rule is covid-first here, published every-tag",
        "split.val is 0.2 here, published 0.5",
        "image.resample is area here, published lanczos",
    ]


def test_our_standard_error_lets_the_numbers_of_classes_vary_as_the_published_one_does() -> None:
    """A network that calls all pictures ill: drawn within classes its accuracy would be sure, and differ from any other."""
    y_true = np.repeat([0, 1], [234, 390])
    score = np.tile([0.1, 0.9], (624, 1))
    patients = np.array([f"p{i}" for i in range(624)], dtype=object)
    always = Predictions(("normal", "pneumonia"), patients, patients, y_true, score)
    found = own_figures({}, "net", [always])["test.accuracy"]
    assert found.se == pytest.approx(np.sqrt(0.625 * 0.375 / 624), rel=0.05)
    theirs = published_figures([[10, 224], [2, 388]], None, float("nan"), ("normal", "pneumonia"))
    assert judge(line("test.accuracy"), theirs["test.accuracy"], found, [])[0] == "agrees"


def published_of(assignment, counts: dict[str, int]) -> dict[str, Any]:
    """Return the published figures of the assignment, with other numbers of pictures."""
    published = next(s for s in assignment.stages if s.name == "ledger").params["published"]
    return {**published, "protocol": {**published["protocol"], "counts": counts}}


def test_what_is_compared_has_the_value_that_the_report_prints(assignment, tmp_path: Path) -> None:
    changes = {"bars": {"baseline": [], "improved": ["changed"]}, "published": published_of(assignment, {})}
    out = assignment.again("ledger", tmp_path / "ledger", **changes)
    table = pd.read_csv(out / "ledger.csv").set_index(["model", "figure"])
    mine = table.loc[("baseline", "test.accuracy")]
    assert mine["ours"] == assignment.value("baseline.test.accuracy")
    assert mine["low"] == assignment.results["baseline.test.accuracy"]["low"]
    assert mine["verdict"] in {"agrees", "differs"}
    assert (
        abs(mine["ours"] - mine["published"]) <= 1.96 * np.hypot(mine["se"], mine["published_se"])
        or mine["verdict"] == "differs"
    )
    assert table.loc[("baseline", "test.auroc.macro"), "verdict"] == "not decided"
    assert set(table.loc["improved", "verdict"]) == {"not comparable"}


def test_other_data_are_not_compared(assignment, tmp_path: Path) -> None:
    ours = assignment.table("split", "split")["split"].value_counts()
    close = {"train": round(ours["train"] * 1.03), "val": int(ours["val"]), "test": int(ours["test"])}
    for counts, compared in ((close, True), ({**close, "test": 2 * close["test"]}, False)):
        given = {"published": published_of(assignment, counts), "bars": {"baseline": [], "improved": []}}
        table = pd.read_csv(assignment.again("ledger", tmp_path / str(compared), **given) / "ledger.csv")
        of_test = table[table["figure"].str.startswith("test.")]
        assert ("not comparable" not in set(of_test["verdict"])) == compared
        parameters = table[table["figure"] == "architecture.parameters"]
        assert "not comparable" not in set(parameters["verdict"])
    assert of_test["why"].iloc[0] == f"{ours['test']:,} test images here, {2 * ours['test']:,} published"

"""Published confusion matrices give the figures derived from them to the last printed digit.

The five studies are those that this project answers to; rows are true classes, columns predicted ones. Of the
binary ones the second class is pneumonia. Averages weighted by pictures, which our results do not have, are made here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from analysis.evaluation.tables.classification import Labelled, classification_results

COURSE = ("bacterial", "covid_19", "healthy", "viral")
RADIOGRAPHY = ("covid", "normal", "viral", "opacity")
CHILDREN = ("normal", "pneumonia")
MATRICES: dict[str, tuple[tuple[str, ...], list[list[int]]]] = {
    "000 M0": (COURSE, [[474, 3, 12, 75], [1, 21, 1, 81], [23, 3, 274, 21], [130, 48, 17, 199]]),
    "000 M1": (COURSE, [[480, 6, 22, 56], [1, 97, 1, 5], [5, 5, 299, 12], [122, 102, 22, 148]]),
    "001 1 Baseline ANN": (CHILDREN, [[0, 159], [0, 428]]),
    "001 2 Deeper ANN": (CHILDREN, [[143, 16], [22, 406]]),
    "001 3 Weighted ANN": (CHILDREN, [[143, 16], [19, 409]]),
    "001 4 Baseline CNN": (CHILDREN, [[0, 159], [0, 428]]),
    "001 5 Deeper CNN": (CHILDREN, [[150, 9], [18, 410]]),
    "001 6 Dropout CNN": (CHILDREN, [[148, 11], [12, 416]]),
    "001 7 Weighted CNN": (CHILDREN, [[154, 5], [18, 410]]),
    "001 8 L2 CNN": (CHILDREN, [[144, 15], [22, 406]]),
    "001 9 Dropout+L2": (CHILDREN, [[143, 16], [11, 417]]),
    "001 10 Low LR": (CHILDREN, [[151, 8], [14, 414]]),
    "001 11 VGG19": (CHILDREN, [[151, 8], [16, 412]]),
    "001 12 ResNet50V2": (CHILDREN, [[147, 12], [9, 419]]),
    "001b Deeper ANN": (CHILDREN, [[141, 18], [17, 411]]),
    "001b Weighted ANN": (CHILDREN, [[140, 19], [13, 415]]),
    "001b Baseline": (CHILDREN, [[0, 159], [0, 428]]),
    "001b Deeper CNN": (CHILDREN, [[151, 8], [15, 413]]),
    "001b Dropout CNN": (CHILDREN, [[149, 10], [12, 416]]),
    "001b Weighted CNN": (CHILDREN, [[150, 9], [15, 413]]),
    "001b L2 CNN": (CHILDREN, [[146, 13], [16, 412]]),
    "001b Dropout+L2": (CHILDREN, [[145, 14], [13, 415]]),
    "001b Low LR": (CHILDREN, [[150, 9], [10, 418]]),
    "001b VGG16": (CHILDREN, [[145, 14], [10, 418]]),
    "001b ResNet50V2": (CHILDREN, [[147, 12], [12, 416]]),
    "002 1-3": (CHILDREN, [[0, 234], [0, 390]]),
    "002 4": (CHILDREN, [[81, 153], [8, 382]]),
    "002 5": (CHILDREN, [[123, 111], [21, 369]]),
    "002 6": (CHILDREN, [[72, 162], [20, 370]]),
    "002 7": (CHILDREN, [[130, 104], [37, 353]]),
    "003 ResNet50V2": (RADIOGRAPHY, [[344, 10, 1, 7], [7, 948, 3, 61], [0, 3, 131, 0], [3, 48, 0, 551]]),
    "004 Transfer": (CHILDREN, [[0, 234], [0, 390]]),  # not printed; what accuracy 390/624 must come from
}


def evaluated(
    name: str, classes: tuple[str, ...] = (), cells: list[list[int]] | None = None
) -> dict[str, Any]:
    """Return the results of a matrix, whose pictures are made again one by one."""
    classes, cells = (classes, cells) if cells else MATRICES[name]
    true, predicted = np.indices((len(classes), len(classes)))
    y_true, y_pred = (np.repeat(axis.ravel(), np.ravel(cells)) for axis in (true, predicted))
    ids = np.arange(len(y_true)).astype(object)
    return {
        k: item["value"]
        for k, item in classification_results(Labelled(classes, y_true, y_pred, ids, name)).items()
    }


def digits(value: float, places: int) -> str:
    """Return a number as the tables print it, without the 0 before the point."""
    return f"{value:.{places}f}".removeprefix("0")


@pytest.mark.parametrize("name", MATRICES)
def test_cells_and_supports_are_counted_back(name: str) -> None:
    (classes, cells), found = MATRICES[name], evaluated(name)
    assert [[found[f"confusion.{t}.{p}"] for p in classes] for t in classes] == cells
    assert [found[f"support.{c}"] for c in classes] == np.sum(cells, axis=1).tolist()
    assert found["n"] == np.sum(cells)


# ppv, sensitivity, specificity, F1 of the classes, then their means.
TABLES = {
    "000 M0": """
.7548 .8404 .8120 .7953
.2800 .2019 .9578 .2346
.9013 .8536 .9718 .8768
.5293 .5051 .8210 .5169
.6163 .6003 .8906 .6059""",
    "000 M1": """
.7895 .8511 .8437 .8191
.4619 .9327 .9116 .6178
.8692 .9315 .9576 .8992
.6697 .3756 .9262 .4813
.6976 .7727 .9098 .7044""",
    "003 ResNet50V2": """
.9718 .9503 .9943 .9609
.9395 .9303 .9444 .9349
.9704 .9776 .9980 .9740
.8901 .9153 .9551 .9025
.9430 .9434 .9730 .9431""",
}


@pytest.mark.parametrize("name", TABLES)
def test_derived_table(name: str) -> None:
    found, printed = evaluated(name), [line.split() for line in TABLES[name].splitlines() if line]
    measures = ("ppv", "sensitivity", "specificity", "f1")
    rows = (*MATRICES[name][0], "macro")
    assert [[digits(found[f"{m}.{row}"], 4) for m in measures] for row in rows] == printed


AVERAGES = {
    "000 M0": {"accuracy": "0.6999", "f1.macro": "0.605906", "ppv.macro": "0.616337", "sensitivity.macro": "0.600252"},
    "000 M1": {"accuracy": "0.7404", "f1.macro": "0.704374", "ppv.macro": "0.697562", "sensitivity.macro": "0.772714"},
    "001 1 Baseline ANN": {"accuracy": "0.7291"},
    "001 2 Deeper ANN": {"accuracy": "0.9353", "sensitivity.pneumonia": "0.9486", "specificity.pneumonia": "0.8994"},
    "001 3 Weighted ANN": {"accuracy": "0.9404", "sensitivity.pneumonia": "0.9556", "specificity.pneumonia": "0.8994"},
    "001 4 Baseline CNN": {"accuracy": "0.7291"},
    "001 5 Deeper CNN": {"accuracy": "0.9540", "sensitivity.pneumonia": "0.9579", "specificity.pneumonia": "0.9434"},
    "001 6 Dropout CNN": {"accuracy": "0.9608", "sensitivity.pneumonia": "0.9720", "specificity.pneumonia": "0.9308"},
    "001 7 Weighted CNN": {"accuracy": "0.9608", "sensitivity.pneumonia": "0.9579", "specificity.pneumonia": "0.9686"},
    "001 8 L2 CNN": {"accuracy": "0.9370", "sensitivity.pneumonia": "0.9486", "specificity.pneumonia": "0.9057"},
    "001 9 Dropout+L2": {"accuracy": "0.9540", "sensitivity.pneumonia": "0.9743", "specificity.pneumonia": "0.8994"},
    "001 10 Low LR": {"accuracy": "0.9625", "sensitivity.pneumonia": "0.9673", "specificity.pneumonia": "0.9497"},
    "001 11 VGG19": {"accuracy": "0.9591", "sensitivity.pneumonia": "0.9626", "specificity.pneumonia": "0.9497"},
    "001 12 ResNet50V2": {"accuracy": "0.9642", "sensitivity.pneumonia": "0.9790", "specificity.pneumonia": "0.9245"},
    "001b Deeper ANN": {"accuracy": "0.9404"},
    "001b Weighted ANN": {"accuracy": "0.9455"},
    "001b Baseline": {"accuracy": "0.7291"},
    "001b Deeper CNN": {"accuracy": "0.9608"},
    "001b Dropout CNN": {"accuracy": "0.9625"},
    "001b Weighted CNN": {"accuracy": "0.9591"},
    "001b L2 CNN": {"accuracy": "0.9506"},
    "001b Dropout+L2": {"accuracy": "0.9540"},
    "001b Low LR": {"accuracy": "0.9676"},
    "001b VGG16": {"accuracy": "0.9591"},
    "001b ResNet50V2": {"accuracy": "0.9591"},
    "002 1-3": {"accuracy": "0.625"},
    "002 4": {"accuracy": "0.7420", "sensitivity.pneumonia": "0.9795", "specificity.pneumonia": "0.3462", "f1.macro": "0.6637"},
    "002 5": {"accuracy": "0.7885", "sensitivity.pneumonia": "0.9462", "specificity.pneumonia": "0.5256", "f1.macro": "0.7495"},
    "002 6": {"accuracy": "0.7083", "sensitivity.pneumonia": "0.9487", "specificity.pneumonia": "0.3077", "f1.macro": "0.6222"},
    "002 7": {"accuracy": "0.7740", "sensitivity.pneumonia": "0.9051", "specificity.pneumonia": "0.5556", "f1.macro": "0.7410"},
    "003 ResNet50V2": {"accuracy": "0.9325"},
    "004 Transfer": {"accuracy": "0.6250"},
}  # fmt: skip


@pytest.mark.parametrize("name", MATRICES)
def test_printed_figures(name: str) -> None:
    found = evaluated(name)
    for measure, printed in AVERAGES[name].items():
        assert f"{found[measure]:.{len(printed) - 2}f}" == printed, measure


# Precision, recall and F1 of each class, then macro and weighted by pictures, as scikit-learn printed them.
REPORTS = {
    "001 1 Baseline ANN": "0/0/0 .73/1.00/.84 .36/.50/.42 .53/.73/.61",
    "001 2 Deeper ANN": ".87/.90/.88 .96/.95/.96 .91/.92/.92 .94/.94/.94",
    "001 3 Weighted ANN": ".88/.90/.89 .96/.96/.96 .92/.93/.92 .94/.94/.94",
    "001 4 Baseline CNN": "0/0/0 .73/1.00/.84 .36/.50/.42 .53/.73/.61",
    "001 5 Deeper CNN": ".89/.94/.92 .98/.96/.97 .94/.95/.94 .96/.95/.95",
    "001 6 Dropout CNN": ".93/.93/.93 .97/.97/.97 .95/.95/.95 .96/.96/.96",
    "001 7 Weighted CNN": ".90/.97/.93 .99/.96/.97 .94/.96/.95 .96/.96/.96",
    "001 8 L2 CNN": ".87/.91/.89 .96/.95/.96 .92/.93/.92 .94/.94/.94",
    "001 9 Dropout+L2": ".93/.90/.91 .96/.97/.97 .95/.94/.94 .95/.95/.95",
    "001 10 Low LR": ".92/.95/.93 .98/.97/.97 .95/.96/.95 .96/.96/.96",
    "001 11 VGG19": ".90/.95/.93 .98/.96/.97 .94/.96/.95 .96/.96/.96",
    "001 12 ResNet50V2": ".94/.92/.93 .97/.98/.98 .96/.95/.95 .96/.96/.96",
    "003 ResNet50V2": ".97/.95/.96 .94/.93/.93 .97/.98/.97 .89/.92/.90 .94/.94/.94 .93/.93/.93",
}


def report(name: str) -> Iterator[str]:
    """Yield precision/recall/F1 of each class, macro and weighted; what is undefined counts as 0 here."""
    classes, cells = MATRICES[name]
    found, share = evaluated(name), np.sum(cells, axis=1) / np.sum(cells)
    of_class = np.array([[found[f"{m}.{c}"] or 0 for m in ("ppv", "sensitivity", "f1")] for c in classes])
    for row in (*of_class, of_class.mean(axis=0), share @ of_class):
        yield "/".join("0" if value == 0 else digits(value, 2) for value in row)


@pytest.mark.parametrize("name", REPORTS)
def test_classification_report(name: str) -> None:
    assert " ".join(report(name)) == REPORTS[name]


@pytest.mark.parametrize(
    ("name", "printed"),
    [("002 4", ".74 .71 .98 .83"), ("002 5", ".79 .77 .95 .85"), ("002 6", ".71 .70 .95 .80"), ("002 7", ".77 .77 .91 .83")],
)  # fmt: skip
def test_pneumonia_of_the_imbalanced_study(name: str, printed: str) -> None:
    found = evaluated(name)
    measures = ("accuracy", "ppv.pneumonia", "sensitivity.pneumonia", "f1.pneumonia")
    assert " ".join(digits(found[m], 2) for m in measures) == printed


def test_weighted_f1_of_the_radiography_study() -> None:
    found, (classes, _) = evaluated("003 ResNet50V2"), MATRICES["003 ResNet50V2"]
    weighted = sum(found[f"f1.{c}"] * found[f"support.{c}"] for c in classes) / found["n"]
    assert digits(weighted, 4) == ".9326"


@pytest.mark.parametrize(
    ("study", "printed"), [("000 M0", ".4078"), ("001 2 Deeper ANN", ".7291"), ("002 4", ".6250"), ("003 ResNet50V2", ".4813"),
                           ("004 Transfer", ".6250")]
)  # fmt: skip
def test_majority_floors(study: str, printed: str) -> None:
    classes, cells = MATRICES[study]
    supports = np.sum(cells, axis=1)
    floor = np.zeros_like(cells)
    floor[:, supports.argmax()] = supports
    assert digits(evaluated(study, classes, floor.tolist())["accuracy"], 4) == printed


def test_a_class_never_called_has_no_ppv_where_the_published_ledger_counts_nought() -> None:
    found = evaluated("001 1 Baseline ANN")
    assert (found["ppv.normal"], found["ppv.macro"], found["npv.pneumonia"]) == (None, None, None)
    assert (found["sensitivity.normal"], found["f1.normal"], found["specificity.normal"]) == (0, 0, 1)


def test_what_the_confusions_of_the_course_say() -> None:
    """81 of 104 COVID-19 called viral; 102 of 394 viral called COVID-19, without which macro F1 would be about .80."""
    assert evaluated("000 M0")["confusion.covid_19.viral"] == 81
    classes, cells = MATRICES["000 M1"]
    assert cells[3][1] == 102
    without = [row[:] for row in cells]
    without[3][1] = 0
    assert digits(evaluated("without", classes, without)["f1.macro"], 2) == ".80"

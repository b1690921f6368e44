"""Published confusion matrices give the per-class tables derived from them, to the printed digits."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.evaluation import metrics

BASELINE = [[474, 3, 12, 75], [1, 21, 1, 81], [23, 3, 274, 21], [130, 48, 17, 199]]
IMPROVED = [[480, 6, 22, 56], [1, 97, 1, 5], [5, 5, 299, 12], [122, 102, 22, 148]]
RADIOGRAPHY = [[344, 10, 1, 7], [7, 948, 3, 61], [0, 3, 131, 0], [3, 48, 0, 551]]
# ppv, sensitivity, specificity, f1; the classes, then the macro average.
BASELINE_TABLE = """
.7548 .8404 .8120 .7953
.2800 .2019 .9578 .2346
.9013 .8536 .9718 .8768
.5293 .5051 .8210 .5169
.6163 .6003 .8906 .6059"""
IMPROVED_TABLE = """
.7895 .8511 .8437 .8191
.4619 .9327 .9116 .6178
.8692 .9315 .9576 .8992
.6697 .3756 .9262 .4813
.6976 .7727 .9098 .7044"""
RADIOGRAPHY_TABLE = """
.9718 .9503 .9943 .9609
.9395 .9303 .9444 .9349
.9704 .9776 .9980 .9740
.8901 .9153 .9551 .9025
.9430 .9434 .9730 .9431"""


@pytest.mark.parametrize(
    ("cells", "printed"),
    [(BASELINE, BASELINE_TABLE), (IMPROVED, IMPROVED_TABLE), (RADIOGRAPHY, RADIOGRAPHY_TABLE)],
    ids=["assignment-baseline", "assignment-improved", "radiography-3"],
)
def test_derived_table(cells: list[list[int]], printed: str) -> None:
    matrix = np.array(cells)
    columns = [
        measure(matrix) for measure in (metrics.ppv, metrics.sensitivity, metrics.specificity, metrics.f1)
    ]
    rows = np.stack([np.append(column, metrics.macro(column)) for column in columns], axis=1)
    assert [[f"{value:.4f}"[1:] for value in row] for row in rows] == [
        line.split() for line in printed.split("\n") if line
    ]


def test_published_averages_of_the_assignment() -> None:
    assert f"{metrics.accuracy(np.array(BASELINE)):.4f}" == "0.6999"
    assert f"{metrics.accuracy(np.array(IMPROVED)):.4f}" == "0.7404"
    assert f"{metrics.macro(metrics.f1(np.array(BASELINE))):.6f}" == "0.605906"
    assert f"{metrics.macro(metrics.f1(np.array(IMPROVED))):.6f}" == "0.704374"
    assert f"{metrics.macro(metrics.ppv(np.array(BASELINE))):.6f}" == "0.616337"
    assert f"{metrics.macro(metrics.sensitivity(np.array(IMPROVED))):.6f}" == "0.772714"

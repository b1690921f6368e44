"""Tables and figures as Quarto markdown."""

from __future__ import annotations

import re

import pypandoc
import pytest

from report.errors import RenderError
from report.writing.floats import bold_row, figure_writer, grid, references, row, rule


def test_cells_come_one_by_one_or_in_lists():
    assert row("a", ["b", "c"], (cell for cell in "de")) == "| a | b | c | d | e |"
    assert bold_row("All", ["1", ""]) == "| **All** | **1** |  |"


def test_a_rule_has_the_sides_and_widths_of_its_columns():
    assert rule("lcr") == "| :--- | :---: | ---: |"
    assert rule("lr", (5, 2)) == "| :----- | ---: |"


def test_tables_of_several_models_are_listed():
    assert references("moved", ["a_b", "c"]) == "@tbl-moved-a-b and @tbl-moved-c"


def test_a_figure_has_its_caption_on_one_line_and_its_alternative_text():
    figure = figure_writer({"roc_a": {"alt": 'A "curve"'}})
    written = figure("roc_a", caller=lambda: "\nROC curves\nof a.\n")
    assert written == '![ROC curves of a.](figures/roc_a.svg){#fig-roc-a fig-alt="A \\"curve\\""}\n'
    with pytest.raises(RenderError) as caught:
        figure("rok_a", caller=lambda: "")
    assert caught.value.hint == "there are: roc_a"


def test_cells_of_a_grid_reach_over_others():
    written = grid(
        "llrr",
        heads=2,
        caller=lambda: "\n".join(
            [
                row("Class", "Model", "Test set", "<"),
                row("^", "^", "F1", "AUC"),
                row(r"a \| b", "Baseline", "0.1", "**0.2**"),
                row("健康", "Baseline", "a long cell over two columns", "<"),
                row("^", "Other", "0.4", ""),
            ]
        ),
    )
    html = pypandoc.convert_text(written, "html", format="markdown")
    cells = [
        re.findall(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", line) for line in html.replace("\n", " ").split("</tr>")
    ]
    assert [
        [(re.sub(r' ?style="[^"]*"', "", how), text) for how, text in line] for line in cells if line
    ] == [
        [(' rowspan="2"', "Class"), (' rowspan="2"', "Model"), (' colspan="2"', "Test set")],
        [("", "F1"), ("", "AUC")],
        [("", "a | b"), ("", "Baseline"), ("", "0.1"), ("", "<strong>0.2</strong>")],
        [(' rowspan="2"', "健康"), ("", "Baseline"), (' colspan="2"', "a long cell over two columns")],
        [("", "Other"), ("", "0.4"), ("", "")],
    ]
    assert [re.findall("left|right|center", how) for how, _ in cells[2]] == [
        ["left"],
        ["left"],
        ["right"],
        ["right"],
    ]

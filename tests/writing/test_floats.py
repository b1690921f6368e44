"""Tables and figures as Quarto markdown."""

from __future__ import annotations

import pytest

from report.errors import RenderError
from report.writing.floats import bold_row, figure_writer, references, row, rule


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

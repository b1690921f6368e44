"""Where the panels of the learning curves of all models stand."""

from __future__ import annotations

import pytest

from analysis.figures.learning_curves_of_models import GAP, NARROWEST, Grid


def grid(*epochs: int, across: int) -> Grid:
    return Grid(epochs, 2, across, beside=True, height=40.0, title=3.4, key=6.0)


def test_panels_on_one_line_are_as_wide_as_their_epochs_ask() -> None:
    short, long = grid(30, 60, across=2).widths
    assert long == pytest.approx(2 * short)
    assert short + long + GAP == pytest.approx(grid(30, 60, across=2).block)


def test_a_panel_of_few_epochs_has_room_for_its_title() -> None:
    short, long = grid(2, 50, across=2).widths
    assert short == pytest.approx(NARROWEST)
    assert long > short


def test_panels_on_several_lines_are_alike() -> None:
    assert len({*grid(2, 50, 30, across=2).widths}) == 1


def test_a_panel_begins_where_the_one_before_ends() -> None:
    here = grid(10, 28, across=2)
    (first, _), (second, _) = here.place(0, 0), here.place(0, 1)
    assert second - first == pytest.approx(here.widths[0] + GAP)

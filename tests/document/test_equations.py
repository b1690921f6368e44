"""Equations of the PDF."""

from __future__ import annotations

import pytest

from report.document import equations
from report.errors import RenderError


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"\frac{a}{b}", "a over b"),
        (r"x_{i}^2 \leq 3", "x sub i to the power 2 at most 3"),
        (
            r"\text{sensitivity} = \frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FN}}",
            "sensitivity equals TP over TP plus FN",
        ),
        (r"\hat{p} \pm 1.96 \sqrt{v}", "p hat plus or minus 1.96 square root of v"),
    ],
)
def test_equations_in_words(latex: str, words: str) -> None:
    assert equations.speak(latex) == words


def test_an_equation_that_cannot_be_drawn_is_named() -> None:
    with pytest.raises(RenderError, match="cannot draw the equation"):
        equations.draw_equations("<math><mi>x</math>")

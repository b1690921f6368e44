"""Text from right to left keeps its direction, and turns nothing around it."""

from __future__ import annotations

import pytest

from report.document.directions import mark_directions
from report.document.markdown import escape

LABEL = escape("التهاب رئوي")


@pytest.mark.parametrize(
    ("html", "turned"),
    [
        ("<p>هذا <em>نص</em> 12 CNN</p>", True),
        ("<p>12, <em>هذا</em></p>", True),
        ("<p>CNN هذا</p>", False),
        (f"<p>{LABEL} makes up 40 %.</p>", False),
        (f"<th>{LABEL}</th>", True),
        (f"<li>{LABEL} 1</li>", True),
        ("<p>Words</p>", False),
    ],
)
def test_a_block_is_turned_by_its_own_first_letter(html, turned):
    said = mark_directions(f"<head><title>{LABEL}</title></head>{html}<p>Words</p>")
    assert said.count('dir="rtl"') == turned
    assert said.startswith("<head><title>التهاب رئوي</title>")


def test_a_label_from_right_to_left_is_isolated_and_others_are_not():
    assert (LABEL[0], LABEL[-1]) == ("\u2068", "\u2069")
    assert escape("Lungenentzündung 폐렴").isprintable()

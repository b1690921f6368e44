"""Where boxes and arrows lie."""

from __future__ import annotations

from itertools import pairwise

from report.document.graph_layout import arrange, assign_levels, drop_indirect


def test_rows_and_arrows():
    needs = {"a": set(), "late": set(), "b": {"a"}, "c": {"a", "b"}, "d": {"late", "c", "a"}}
    assert assign_levels(needs) == {"a": 0, "b": 1, "c": 2, "late": 2, "d": 3}
    assert drop_indirect(needs) == {"a": set(), "late": set(), "b": {"a"}, "c": {"b"}, "d": {"late", "c"}}


def test_a_long_arrow_meets_no_box():
    needs = {"a": set(), "b": {"a"}, "c": {"b"}, "d": {"a", "c"}}
    placed = arrange(needs, dict.fromkeys(needs, (100.0, 60.0)))
    points = placed.arrows["a", "d"]
    between = [box for name, box in placed.boxes.items() if name in "bc"]
    for (x, y), (_, end) in list(pairwise(points))[::2]:
        assert not any(b.x <= x <= b.x + b.width and b.y < end and y < b.y + b.height for b in between)
    assert [y for _, y in points] == sorted(y for _, y in points)

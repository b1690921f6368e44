from __future__ import annotations

from analysis.figures import (
    style,
)
from tests.figures.many_classes import (
    classes_of,
)


def test_a_model_has_one_line_and_none_of_the_colours_of_classes() -> None:
    alone, many = style.model_lines(["a", "b"]), style.model_lines(["low_detail", *"abcdefghijkl"])
    assert [alone[i] for i in "ab"] == [many[i] for i in "ab"]
    assert len({tuple(line.values()) for line in many.values()}) == 13
    assert {many[i]["linestyle"] for i in "abcd"} == {"-"} and many["low_detail"]["linestyle"] != "-"
    assert not {line["color"] for line in many.values()} & set(style.CLASS_COLOURS)


def test_twenty_classes_are_told_apart() -> None:
    classes = classes_of(20, "short")
    lines = style.class_lines(classes)
    assert len({(line["color"], line["linestyle"]) for line in lines.values()}) == 20
    assert {i: line["color"] for i, line in list(lines.items())[:7]} == style.class_colours(classes[:7])
    assert {line["linestyle"] for line in list(lines.values())[:7]} == {"-"}
    dashed = {line["color"] for line in lines.values() if line["linestyle"] != "-"}
    assert not dashed & {"#000000", style.INK}  # these are the averages'

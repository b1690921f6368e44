"""The drawing of the stages: what it says, that nothing overlaps, and that it is the same each time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import ImageFont

from report.graph.drawing import COLOURS, StageFacts, describe_place, draw_plan, draw_stages, format_day
from report.workspace.plan import make_plan
from report.workspace.request import Request

FONTS = Path(__file__).parents[2] / "templates" / "theme" / "fonts"
SVG = "{http://www.w3.org/2000/svg}"
TODAY = date(2026, 3, 4)


def study(models: int) -> list[StageFacts]:
    """Return the stages of a study with so many models, in all states."""
    names = [f"densenet121_seed_{i}" for i in range(models)]
    needs = {"read": set(), "images": {"read"}, "split": {"read"}, "audit": {"read", "images", "split"}}
    for m in names:
        needs |= {f"architecture.{m}": set(), f"train.{m}": {"images", "split", "read", f"architecture.{m}"}}
        needs |= {f"predict.{m}": {f"train.{m}", "images"}, f"evaluate.{m}": {f"predict.{m}", f"train.{m}"}}
        needs |= {f"figure.{kind}.{m}": {f"evaluate.{m}"} for kind in ("roc", "confusion", "curves")}
    needs["results"] = {"read", "audit", *(f"evaluate.{m}" for m in names)}
    needs["source"] = {name for name in needs if name.startswith("figure.")} | {"results", "read"}
    needs |= {"html": {"source"}, "pdf": {"source"}}
    states = [*COLOURS] * len(needs)
    return [
        StageFacts(name, frozenset(before), state, 4000.0, "other instruction set, 13 Nov 2026", name)
        for (name, before), state in zip(needs.items(), states, strict=False)
    ]


def boxes_of(root, minimum=30.0) -> list[tuple[float, float, float, float]]:
    found = [
        tuple(float(r.get(name)) for name in ("x", "y", "width", "height"))
        for r in root.iter(f"{SVG}rect")
        if r.get("x")
    ]
    return [(x, y, x + w, y + h) for x, y, w, h in found if w >= minimum]


@pytest.mark.parametrize("models", [2, 8])
def test_no_box_and_no_text_overlaps_another(models):
    facts = study(models)
    root = ElementTree.fromstring(draw_stages("study", facts))
    groups = [g for g in root.iter(f"{SVG}g") if g.find(f"{SVG}title") is not None]
    assert len(groups) == len(facts)
    rows = [box for g in groups for box in boxes_of(g)]
    for (x0, y0, x1, y1), (left, top, right, bottom) in combinations(rows, 2):
        assert x1 <= left or right <= x0 or y1 <= top or bottom <= y0
    fonts = {
        w: ImageFont.truetype(FONTS / f"IBMPlexSans-{n}.ttf", 13)
        for w, n in (("600", "SemiBold"), ("400", "Regular"))
    }
    for g in groups:
        (left, top, right, bottom), lines = boxes_of(g)[0], []
        for text in g.iter(f"{SVG}text"):
            x, y = float(text.get("x")), float(text.get("y"))
            width = fonts[text.get("font-weight")].getlength(text.text or "")
            assert left < x
            assert x + width < right
            assert top < y < bottom
            lines.append((x, x + width, y))
        for (_, end, y), (begin, _, below) in pairwise(lines):
            assert end < begin or below - y >= 15


def test_every_state_is_a_word_and_a_colour():
    root = ElementTree.fromstring(draw_stages("study", study(2)))
    words = {(text.text or "").partition(",")[0] for text in root.iter(f"{SVG}text")}
    colours = {rect.get("fill") for rect in root.iter(f"{SVG}rect")}
    for state, (fill, _) in COLOURS.items():
        assert state in words
        assert fill in colours
    assert root.get("font-family").startswith("'IBM Plex Sans', ")


def test_figures_are_one_box_unless_something_before_the_last_reads_them():
    def box(facts):
        return "2 figures" in draw_stages("study", facts)

    made = [StageFacts(f"figure.{name}", frozenset(), "fresh", 1.0, "", "") for name in "ab"]
    reader = StageFacts("reader", frozenset({"figure.a"}), "fresh", 1.0, "", "")
    assert box([*made, reader])
    assert not box([made[0], reader, made[1]])


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({}, "here"),
        ({"python": "3.12.0"}, "here"),
        ({"instructions": ["avx"]}, "other instruction set"),
        ({"processor": "Ours"}, "other machine"),
        ({"device": "gpu"}, "on gpu"),
    ],
)
def test_where_a_result_comes_from(different, words):
    here = {
        "system": "s",
        "processor": "p",
        "instructions": ["avx", "fma"],
        "device": "cpu",
        "python": "3.11.1",
    }
    assert describe_place({**here, **different}, here) == words


def test_when_a_result_was_made():
    noon = datetime(2026, 3, 4, 12, tzinfo=UTC).astimezone()
    assert format_day(noon.isoformat(), noon.date()) == "today"
    assert format_day(noon.isoformat(), noon.date() + timedelta(1)) == "4 Mar 2026"


def test_a_plan_that_was_never_built(tmp_path):
    plan = make_plan(Request("assignment", sample=True, cache=tmp_path))
    first = draw_plan(plan, TODAY)
    assert first == draw_plan(plan, TODAY)
    assert f"assignment-sample: {len(plan.stages)} stages, {len(plan.stages)} missing" in first
    assert ElementTree.fromstring(first).get("viewBox")

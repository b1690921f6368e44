from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tests.figures.drawing import (
    draw,
)
from tests.figures.many_classes import (
    LONG,
    Inputs,
    classes_of,
    multiply,
)


def test_labels_that_are_cut_stand_in_the_key_in_full(study: Callable[..., Inputs], tmp_path: Path) -> None:
    svg = draw("confusion", study(20, few=True), tmp_path, classes=classes_of(20, "long"))
    texts = [t.text or "" for t in ET.fromstring(svg).iter() if t.tag.endswith("text")]
    assert sum(text.endswith("…") for text in texts) == 40
    assert "1 Another class label" in "".join(texts).replace("  ", " ")
    whole = " ".join(texts)
    assert [label for label in LONG if label not in whole] == []


def test_a_number_in_each_cell_while_there_is_room(study: Callable[..., Inputs], tmp_path: Path) -> None:
    for n, note in ((2, ""), (14, "numbers: images"), (20, "numbers: images")):
        svg = draw("confusion", study(n, few=n == 20), tmp_path / f"{n}", classes=classes_of(n, "short"))
        assert (note or "numbers") in svg if note else "numbers" not in svg
        table = pd.read_csv(tmp_path / f"{n}" / "figure.csv")
        assert svg.count(f">{table['count'].iloc[0]}<") >= 1
    big = multiply(study(20, few=True), tmp_path / "big", 1500, records=False)
    svg = draw("confusion", big, tmp_path / "percent", classes=classes_of(20, "short"))
    assert "numbers and shade: percent of the true class" in svg

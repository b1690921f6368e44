from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest

from analysis.figures import (
    typesetting,
)
from tests.figures.drawing import (
    FIGURES,
    draw,
)
from tests.figures.many_classes import (
    SOLID,
    Inputs,
)


def test_text_is_broken_where_it_would_be_too_wide() -> None:
    label = "No Pneumonia (healthy)"
    assert typesetting.break_lines(label, 100) == label
    assert typesetting.break_lines(label, 20) == "No Pneumonia\n(healthy)"
    assert typesetting.break_lines(label, 1) == "No\nPneumonia\n(healthy)"
    assert typesetting.text_mm(typesetting.break_lines(label, 20)) <= 20 < typesetting.text_mm(label)
    assert typesetting.text_mm("a", 14) == pytest.approx(2 * typesetting.text_mm("a", 7), rel=0.02)


def test_words_are_broken_only_where_they_are_wider_than_the_line() -> None:
    assert typesetting.break_lines("Pleural_Thickening", 20) == "Pleural_\nThickening"
    assert typesetting.break_lines("Pleural_Thickening", 40) == "Pleural_Thickening"
    broken = typesetting.break_lines(SOLID[0], 20)
    assert broken.replace("\n", "") == SOLID[0]
    assert typesetting.text_mm(broken) <= 20


def test_fonts_behind_ours_are_measured_and_named_in_the_figure(inputs: Inputs, tmp_path: Path) -> None:
    font = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    given = [{"id": i, "label": f"العربية 😀 {i}"} for i in _four(inputs)]
    folders, params = FIGURES["counts"]
    FIGURES["counts.behind"] = ({**folders, "behind_0": "behind"}, params)
    try:
        svg = draw("counts.behind", {**inputs, "behind": font}, tmp_path / "behind", classes=given)
    finally:
        del FIGURES["counts.behind"]
    assert set(re.findall(r"font-family: ([^;\"]+)", svg)) == {"'IBM Plex Sans', 'DejaVu Sans'"}
    assert "العربية 😀" in svg
    assert "DejaVu" not in draw("counts", inputs, tmp_path / "ours")


def _four(inputs: Inputs) -> list[str]:
    return pd.read_csv(inputs["read"] / "records.csv")["label"].drop_duplicates().tolist()

"""Characters that our font lacks: which fonts of the machine stand in for it, and what is said where none does."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from report.pipeline import FONT
from report.system import fonts

LISTED = """/f/Mono.ttf\tRegular\t20-7e 6a21 578b
/f/Bold.ttf\tBold\t20-7e 6a21 578b
/f/Plain.ttf\tRegular\t20-7e 578b 6a20-6a22
/f/Emoji.ttf\tRegular\t1f600-1f64f
/f/Few.ttf\tRegular\t6a21
"""


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts.behind.cache_clear()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=LISTED))


@pytest.mark.parametrize(
    ("text", "names", "lacking"),
    [
        ("Übel, Ärger é", [], ""),
        ("Ω → ≥ Ж", [], ""),
        ("模型", ["Plain"], ""),
        ("模型 😀", ["Plain", "Emoji"], ""),
        ("模型 한", ["Plain"], "한"),
        ("한국", [], "국한"),
        ("a\u200d\ufe0f", [], ""),
    ],
)
def test_the_fewest_plain_fonts_are_taken_and_the_rest_is_named(
    text: str, names: list[str], lacking: str
) -> None:
    files, missing = fonts.behind(text, FONT)
    assert ([file.stem for file in files], missing) == (names, lacking)


def test_without_fontconfig_all_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("fc-list")

    monkeypatch.setattr(subprocess, "run", absent)
    assert fonts.behind("模a", FONT) == ((), "模")

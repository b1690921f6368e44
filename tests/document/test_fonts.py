"""Characters that our font lacks: which fonts of the machine stand in for it, and what is said where none does."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from report.commands import build, execution
from report.delivery.publish import Publication
from report.document import fonts
from report.pipeline.figures import FONT
from report.writing.author import glyphs

LISTED = """/f/Mono.ttf\tRegular\t20-7e 6a21 578b
/f/Bold.ttf\tBold\t20-7e 6a21 578b
/f/Plain.ttf\tRegular\t20-7e 578b 6a20-6a22
/f/Emoji.ttf\tRegular\t1f600-1f64f
/f/Few.ttf\tRegular\t6a21
"""


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts.find_fallback_fonts.cache_clear()
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
    files, missing = fonts.find_fallback_fonts(text, FONT)
    assert ([file.stem for file in files], missing) == (names, lacking)


def test_without_fontconfig_all_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("fc-list")

    monkeypatch.setattr(subprocess, "run", absent)
    assert fonts.find_fallback_fonts("模a", FONT) == ((), "模")
    assert len(glyphs.find_missing_glyphs("模a")) == 1


def test_letters_that_our_fonts_lack_are_told_once_before_anything_runs(tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    two = Path(__file__).parents[1] / "data" / "two_classes.toml"
    text = two.read_text(encoding="utf-8").replace('"Pneumonia"', '"模 한국 ≥ Ärger 😀\ufe0f"')
    (own / "study.toml").write_text(text, encoding="utf-8")
    (own / "introduction.md").write_text("한글 型 <!-- 렴 -->", encoding="utf-8")
    notes: list[str] = []
    monkeypatch.setattr("report.terminal.console.note", notes.append)
    monkeypatch.setattr("report.workspace.plan.find_commit", lambda: "0")
    monkeypatch.setattr(execution, "build_plan", lambda *_, **__: notes.append("run") or {})
    monkeypatch.setattr("report.delivery.publish.publish", lambda *_: Publication([], []))
    monkeypatch.setattr(build, "_print_end", lambda *_: None)
    build.build(str(own), sample=True, cache=tmp_path / "cache", out=tmp_path / "out", formats="html")
    told = [note for note in notes if "font" in note or note == "run"]
    assert told[0].startswith("warning: no font of this machine has 국 (U+AD6D), 글 (U+AE00), 한 (U+D55C): ")
    assert told[1].startswith("warning: the report's fonts have no 模 (U+6A21), 😀 (U+1F600), 型 (U+578B): ")
    assert told[2:] == ["run"]

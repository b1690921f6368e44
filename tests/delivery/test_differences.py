"""Whether a changed digit or word anywhere in a build folder is found and named."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from report.delivery.recompute import RepeatedStage
from tests.delivery.handed_in import (
    RESULT,
    change_digit,
    list_differences,
    replace_one,
    sign_anew,
)


@pytest.mark.parametrize(
    ("file", "pattern", "named"),
    [
        (
            "results.json",
            RESULT.format("improved.test.accuracy", "value"),
            r"improved\.test\.accuracy, value is {}",
        ),
        (
            "results.json",
            RESULT.format("baseline@patient.val.log_loss", "low"),
            r"baseline@patient\.val\.log_loss, low is {}",
        ),
        ("results.json", r'("margin": 0\.0)(\d)()', r"verdicts, .*margin is {}"),
        ("tables/improved_measures.csv", r"(\ntest,macro,0\.)(\d)()", r"line 11, column sensitivity is {}"),
        ("figures/counts.csv", r"(train,\d*)(\d)(,)", r"line 2, column count is {}"),
        ("figures/confusion_improved.svg", r"(>\d*)(\d)( %<)", r"says “.*\[\d+\] %.*”, recomputed \[\d+\]"),
        (
            "figures/counts.svg",
            r'(<path d="M \d)(\d)(\.)',
            r"its text is the same, but it is drawn otherwise: d=M .* for d=M .*",
        ),
        (
            "report.html",
            r"(>[^<>]*acro F1 is\s0\.\d)(\d)(\d)",
            r"says “.*acro F1.* \[0\.\d+[,;]?\] .*”, recomputed \[0\.\d+[,;]?\]",
        ),
        ("report.html", r"(<td[^>]*>0\.\d)(\d)(\d)", r"says “.*\[0\.\d+\].*”, recomputed \[0\.\d+\]"),
        ("report.html", r'(aria-label="[^"]*0\.\d)(\d)(\d)', r"says “.*”, recomputed \[0\.\d+.*"),
        ("report.html", r"()(\d)(px)", r"its text is the same, but its markup differs: .*px.* for .*px.*"),
    ],
)
def test_a_changed_digit_is_named(copy, file, pattern, named):
    replace_one(copy.folder / file, pattern, change_digit)
    sign_anew(copy.folder)
    (difference,) = list_differences(copy)
    numbers = r"-?\d+(\.\d+)?, recomputed -?\d+(\.\d+)?"
    assert re.fullmatch(f"{re.escape(file)}: {named.replace('{}', numbers)}", difference), difference


def test_a_changed_word_is_named(copy):
    replace_one(copy.folder / "report.html", r"(<p>[^<]*)\bimages\b", r"\1paintings")
    sign_anew(copy.folder)
    (difference,) = list_differences(copy)
    assert "[paintings]" in difference
    assert "recomputed [images]" in difference


def letters(font: pikepdf.Object) -> dict[bytes, str]:
    """Return the letter of each glyph in a font of a PDF."""
    pairs = re.findall(rb"<([0-9a-f]{4})> <([0-9a-f]{4})>", font.ToUnicode.read_bytes())
    return {bytes.fromhex(glyph.decode()): chr(int(letter, 16)) for glyph, letter in pairs}


def change_a_digit(path: Path) -> None:
    """Print 8 instead of the first 3 on the first page of a PDF."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        fonts = {name: letters(font) for name, font in page.Resources.Font.items()}
        content = list(pikepdf.parse_content_stream(page))
        known: dict[bytes, str] = {}
        for operands, operator in content:
            known = fonts[str(operands[0])] if str(operator) == "Tf" else known
            strings = operands[0] if str(operator) == "TJ" else []
            for i, part in enumerate(strings):
                if (
                    isinstance(part, pikepdf.String)
                    and known.get(bytes(part)) == "3"
                    and "8" in known.values()
                ):
                    strings[i] = pikepdf.String(
                        next(glyph for glyph, letter in known.items() if letter == "8")
                    )
                    page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(content))
                    pdf.save()
                    return
    raise AssertionError("no 3 is printed on the first page")


def cover_a_page(path: Path) -> None:
    """Draw a white box over the first page of a PDF."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].contents_add(b"q 1 1 1 rg 0 0 600 800 re f Q")
        pdf.save()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_a_digit, r"report\.pdf: page 1 says “.*\[\S*8\S*\].*”, recomputed \[\S*3\S*\]"),
        (cover_a_page, r"report\.pdf: its text is the same, but it is drawn otherwise: page 1, .*"),
    ],
)
def test_a_changed_page_of_the_pdf_is_named(copy, tmp_path, change, named):
    """Of its first pages alone: to read all takes seconds."""
    made = copy.again.results["pdf"]
    first = RepeatedStage(tmp_path / "first pages")
    first.folder.mkdir()
    with pikepdf.open(made.path("report.pdf")) as pdf:
        del pdf.pages[3:]
        pdf.save(first.path("report.pdf"))
    shutil.copy(first.path("report.pdf"), copy.folder / "report.pdf")
    copy = copy._replace(again=replace(copy.again, results={**copy.again.results, "pdf": first}))
    sign_anew(copy.folder)
    assert list_differences(copy) == []
    change(copy.folder / "report.pdf")
    sign_anew(copy.folder)
    (difference,) = list_differences(copy)
    assert re.fullmatch(named, difference), difference

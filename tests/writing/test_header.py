"""What the report says of itself: authors, date, and the version of the program."""

from __future__ import annotations

import re

import pytest

from analysis.progress import silent
from report import PROJECT
from report.document import html
from tests.writing.conftest import STUDY


@pytest.fixture
def page(source, tmp_path):
    """Return a function that renders the assignment with other values in its table ``study``."""

    def make(commit: str = "0123abc", **about) -> str:
        source(study={**STUDY, "study": {**STUDY["study"], **about}}, commit=commit)
        inputs = {"source": tmp_path / "source-out", "templates": PROJECT / "templates"}
        html.render(inputs, tmp_path, scratch=tmp_path, progress=silent)
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return make


@pytest.mark.parametrize("authors", [[], ["Ada #1"], ["Ada Ångström", "Bo *and* Co", "@c"]])
def test_every_author_is_named(page, authors):
    found = re.findall(r'<span class="author-name">(.*?)</span>', page(author=authors))
    assert found == authors


@pytest.mark.parametrize(
    ("date", "language", "printed"),
    [
        ("2026-11-21", "en-GB", "21 November 2026"),
        ("2026-11-21", "en-US", "November 21, 2026"),
        ("2026-11", "en-GB", "November 2026"),
        ("2026-11", "en-US", "November 2026"),
        ("2026", "en", "2026"),
    ],
)
def test_a_date_is_printed_as_far_as_it_is_known(page, date, language, printed):
    text = page(date=date, language=language)
    assert f'<time datetime="{date}">{printed}</time>' in text
    assert f'<meta name="dcterms.created" content="{date}">' in text


def test_an_unknown_version_is_told_and_never_left_out(page):
    assert "version unknown" in page(commit="")


def test_a_known_version_is_told(page):
    text = page()
    assert "0123abc" in text
    assert "version unknown" not in text

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

    def make(commit: str, **about) -> str:
        report = {**STUDY["report"], "sections": ["reproduce"], "requirements": []}
        source(study={**STUDY, "study": {**STUDY["study"], **about}, "report": report}, commit=commit)
        inputs = {"source": tmp_path / "source-out", "templates": PROJECT / "templates"}
        html.render(inputs, tmp_path, scratch=tmp_path, progress=silent)
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return make


@pytest.mark.parametrize(
    ("authors", "date", "language", "printed", "commit"),
    [
        ([], "2026-11-21", "en-GB", "21 November 2026", ""),
        (["Ada #1"], "2026-11-21", "en-US", "November 21, 2026", "0123abc"),
        (["Ada Ångström", "Bo *and* Co", "@c"], "2026-11", "en-GB", "November 2026", "4567def"),
        ([], "2026-11", "en-US", "November 2026", "0123abc"),
        ([], "2026", "en", "2026", "0123abc"),
    ],
)
def test_authors_date_and_version_are_told_as_far_as_they_are_known(
    page, authors, date, language, printed, commit
):
    text = page(commit, author=authors, date=date, language=language)
    assert re.findall(r'<span class="author-name">(.*?)</span>', text) == authors
    assert f'<time datetime="{date}">{printed}</time>' in text
    assert f'<meta name="dcterms.created" content="{date}">' in text
    assert commit in text
    assert ("version unknown" in text) == (not commit), "an unknown one is never left out"

"""A passage of the page is found where it was written."""

from __future__ import annotations

import pytest

from report.preview.passages import find_passage


@pytest.fixture
def folders(tmp_path):
    files = {
        "study/study.toml": '[study]\ntitle = "Pneumonia told from X-rays"\n',
        "study/discussion.md": "# Discussion\n\nOne thing. As @smith2020 *says*, another thing is << r('a.b') >> here.\n",
        "templates/sections/limits.qmd.j2": "# Limitations {#sec-limits}\n\n- Nothing in it is fit for clinical use.\n",
        "templates/sentences/a.qmd.j2": '<% if x %>\n<< "the classes are of similar size" if y >>: << z >> of them.\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "study", tmp_path / "templates"


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("As Smith says, another thing is 0.5 here.", "study/discussion.md:3"),
        ("Pneumonia told from X-rays", "study/study.toml:2"),
        ("Nothing in it is fit for clinical use.", "templates/sections/limits.qmd.j2:3"),
        ("10 Limitations", "templates/sections/limits.qmd.j2:1"),
        ("The classes are of similar size: 3 of them.", "templates/sentences/a.qmd.j2:2"),
        ("0.93", ""),
        ("", ""),
    ],
)
def test_the_line_with_most_of_the_words_is_named(folders, words, place):
    assert find_passage(words, folders) == place

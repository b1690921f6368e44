"""Templates of the author in place of ours: what they replace, and what they may not say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from report import PROJECT
from report.commands.skeleton import copy_template
from report.errors import RenderError, UsageError
from report.writing.author.overrides import Override, require_overrides
from report.writing.source import fill

TEMPLATES = PROJECT / "templates"


@pytest.fixture
def own(tmp_path: Path):
    """Return a function that writes a template of the author and returns his folder."""

    def write(text: str, name: str = "sections/conclusion.qmd.j2") -> Path:
        path = tmp_path / "mine" / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path / "mine"

    return write


def check(folder: Path) -> list[Override]:
    return require_overrides(folder, TEMPLATES)


EXTENDS = '<% extends "sections/conclusion.qmd.j2" %>\n<% block opening %>\n{}\n<% endblock %>\n'


@pytest.mark.parametrize("name", ["sections", "floats"])
def test_every_template_that_may_be_replaced_passes_as_it_is(own, name):
    for path in (TEMPLATES / name).glob("*.j2"):
        folder = own(path.read_text(encoding="utf-8"), f"{name}/{path.name}")
    assert len(check(folder)) == len([*(TEMPLATES / name).glob("*.j2")])


def test_whole_templates_and_blocks_are_told_apart(own):
    own("# Mine {#sec-conclusion}\n", "sections/limits.qmd.j2")
    assert check(own(EXTENDS.format("Words."))) == [
        Override("sections/conclusion.qmd.j2", ("opening",)),
        Override("sections/limits.qmd.j2", ()),
    ]


@pytest.mark.parametrize(
    ("words", "line", "said"),
    [
        ("a\nThe improved network is better.", 4, '"better": only the verdict'),
        ('<< "bet" ~ "ter" >>', 3, '"better": only the verdict'),
        ("It outperforms\nall.", 3, '"outperforms"'),
        ("It wins.", 3, '"wins": only the verdict'),
        ("The improved network beat it.", 3, '"beat"'),
        ("a\n\nAn accuracy of 0.93.", 5, "0.93 looks like a result"),
        ("Of all 93 % are right.", 3, "93 % looks like a result"),
        ("<< 0.93 >>", 3, "0.93 looks like a result"),
        ('<< "0." ~ "93" >>', 3, "0.93 looks like a result"),
        ('<< value("baseline.test.accuracy") + 1 >>', 3, "a result is changed"),
        ('<< r("baseline.test.accuracy") | replace("8", "9") >>', 3, "a result is changed"),
        ("<< verdicts.better(verdict) >>", 3, "better: a verdict is not chosen"),
        ("<% if %>", 3, "Expected an expression"),
    ],
)
def test_what_only_results_may_say_is_refused_with_file_and_line(own, words, line, said):
    with pytest.raises(RenderError) as caught:
        check(own(EXTENDS.format(words)))
    assert f"mine/templates/sections/conclusion.qmd.j2:{line}: {said}" in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        "Of 12 images << r('baseline.test.accuracy') >>.",
        "[0.05]{.given} was agreed upon.",
        "A film is $2.50.",
    ],
)
def test_quotations_and_what_is_no_result_may_stand(own, words):
    assert check(own(EXTENDS.format(words)))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sections/conclusin.qmd.j2", "sections/conclusion"),
        ("sentences/verdicts.qmd.j2", ""),
        ("report.qmd.j2", ""),
    ],
)
def test_what_replaces_nothing_of_sections_and_floats_is_refused(own, name, hint):
    with pytest.raises(RenderError, match=rf"mine/templates/{re.escape(name)}: there is no such") as caught:
        check(own("a", name))
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (EXTENDS.replace("opening", "openning"), ":2: ours has no block openning", "opening"),
        (EXTENDS + "\nMore words.", ":6: what stands outside the blocks is not shown", "block NAME"),
        (EXTENDS + "<< r('baseline.test.accuracy') >>", ":5: what stands outside", "block NAME"),
    ],
)
def test_what_a_template_that_extends_ours_would_lose_is_refused(own, text, said, hint):
    with pytest.raises(RenderError, match=re.escape(f"conclusion.qmd.j2{said}")) as caught:
        check(own(text))
    assert hint in caught.value.hint


def test_a_block_is_replaced_and_the_appendix_names_it(own, known, tmp_path):
    own(EXTENDS.format("Mine: << r('baseline.test.accuracy') >>.\n\n<< super() >>"))
    heading = "<% block heading %>Caveats<% endblock %>"
    folder = own(f'<% extends "sections/limits.qmd.j2" %>\n{heading}\n', "sections/limits.qmd.j2")
    text, before = (fill(TEMPLATES, place, known)[0] for place in (folder, tmp_path / "none"))
    mine = re.search(r"(?ms)^# Conclusion \{#sec-conclusion\}\n\nMine: 0\.\d+\.\n\n(.*?)\n\n# ", text)
    assert mine
    assert mine[1] in before
    assert "# Caveats {#sec-limits}" in text
    named = "`sections/conclusion.qmd.j2` (opening) and `sections/limits.qmd.j2` (heading)."
    assert named in text.partition("{#sec-reproduce}")[2]
    assert ("named in @sec-reproduce" in text, "named in @sec-reproduce" in before) == (True, False)


def test_an_error_in_a_template_of_the_author_is_told_as_his(own, known):
    with pytest.raises(
        RenderError, match=r"mine/templates/sections/conclusion\.qmd\.j2:4: no result is called"
    ):
        fill(TEMPLATES, own(EXTENDS.format("a\n<< r('baseline.test.acuracy') >>")), known)


def test_ours_is_copied_to_begin_with(tmp_path):
    path = copy_template("comparison", tmp_path)
    assert path == tmp_path / "templates" / "sections" / "comparison.qmd.j2"
    assert path.read_bytes() == (TEMPLATES / "sections" / "comparison.qmd.j2").read_bytes()
    assert copy_template("floats/headline", tmp_path).parent.name == "floats"
    with pytest.raises(UsageError, match="there already"):
        copy_template("comparison", tmp_path)
    with pytest.raises(UsageError, match="no template 'comparsion'") as caught:
        copy_template("comparsion", tmp_path)
    assert "comparison" in caught.value.hint

"""The author's words are a closed block: they say what he wrote, and nothing of the report around them can change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from report import PROJECT
from report.errors import RenderError
from report.study.folder import SECTIONS, find_prose, find_unread_prose
from report.writing.author.doubts import find_doubts
from report.writing.author.markup import read_prose
from report.writing.author.passages import close_passage

CONTEXT: dict[str, Any] = {
    "r": lambda name: f"{len(name) / 100}",
    "value": len,
    "ci": lambda name: f"{len(name) / 100} (95\u00a0% interval 0 to 1)",
    "grouped": True,
    "study": {"study": {"title": "Title"}},
    "sample": True,
}


@pytest.fixture
def closed(tmp_path: Path):
    """Return a function that closes a passage; bytes are written as they are."""

    def make(text: str | bytes, name: str = "introduction.md") -> str:
        path = tmp_path / name
        (tmp_path / "figures").mkdir(exist_ok=True)
        (tmp_path / "figures" / "own.svg").write_text("<svg/>")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return close_passage(path, CONTEXT, PROJECT / "templates")

    return make


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntitle: Mine\nsample: false\n---\n\nText.", "md:1: a header is no part of the text"),
        ("Text.\n\n---\nfooter: ''\n...\n", "md:3: a header is no part of the text"),
        ("% Title\n% Author\n\nText.", "md:1: a header is no part of the text"),
        ("A\n\n:::\n\nB", "md:3: ::: closes nothing"),
        ("::: {.callout-note}\nA", "md:1: ::: is never closed"),
        ("A\n\n```\nB", "md:3: the code block is never closed"),
        ("A\n\nB <!-- C", "md:3: HTML is not part of the subset: <!--"),
        ("A\n\n<style>p {}</style>", "md:3: HTML is not part of the subset: <style>"),
        ("A `<b>`{=html}", "md:1: raw markup"),
        ("```{=html}\n<b>\n```", "md:1: a code block that runs or is raw"),
        ('<div class="computed">A</div>', "md:1: HTML is not part"),
        ("[99 %]{.computed}", "md:1: .computed is not part of the subset"),
        ("::: computed\nA\n:::", "md:1: computed is not part of the subset"),
        ("::: {.author}\nA\n:::", "md:1: .author is not part of the subset"),
        ("[A]{onclick=x}", "md:1: onclick=x is not part of the subset"),
        ("[A]{.smallcaps}", "md:1: .smallcaps is not part of the subset"),
        ("[]{#sec-results}", "md:1: an id stands with a heading"),
        ("::: {#refs}\n:::", "md:1: a div of no kind"),
        ("{{< include other.md >}}", "md:1: shortcodes"),
        ("A\n\n<#1", "md:3: Missing end of comment tag"),
        ("A\n<% include 'introduction.md' %>", "md:2: <% include %>: a passage has its own words only"),
        ("A\n<% extends 'report.qmd.j2' %>", "md:2: <% extends %>"),
        ("<< study.update(a=1) >>", "md:1: access to attribute 'update'"),
        ("A\n<< sample_notice >>", "md:2: 'sample_notice' is undefined"),
        ("A[^1].\n\n[^1]: B\n\n[^1]: C", "md:3: the note [^1] is given twice"),
        ("A[^1].", "md:1: the note [^1] is not given"),
        ("A.\n\n[^1]: B", "md:3: nothing refers to the note [^1]"),
        (
            "A\n\nB $\\foo{x}$",
            "md:3: the equation \\foo{x} is not understood: unexpected control sequence \\foo",
        ),
        ("A\n\n![B](mine.png)", "md:3: the image mine.png does not lie in figures/ of the study"),
        ("A\n\n![B](figures/../a.png)", "md:3: the image figures/../a.png does not lie in figures/"),
        ("![B](https://a.b/c.png)", "md:1: the image https://a.b/c.png does not lie in figures/"),
        ("![B](figures/mine.png){fig-alt='x'}", "md:1: the image figures/mine.png: no such file"),
        ("A\n\n![B](figures/own.svg)", "md:3: the image figures/own.svg has no alternative text"),
        (
            "![B](figures/own.svg){fig-alt='' width='6%'}",
            "md:1: the image figures/own.svg has no alternative",
        ),
        ('![B](figures/own.svg){fig-alt=" "}', "md:1: the image figures/own.svg has no alternative text"),
        ('A ![B](figures/own.svg){fig-alt="x"} C', "md:1: an image stands in a paragraph of its own"),
        (
            '![](figures/own.svg){fig-alt="x"}',
            "md:1: an image stands in a paragraph of its own, with a caption",
        ),
        ('![B](figures/own.svg){fig-alt="x" width=5cm}', "md:1: the width 5cm is no share of the text's"),
        ('![B](figures/own.svg "T"){fig-alt="x"}', "md:1: a title is no part of an image"),
        ('![B](figures/own.svg){fig-alt="x" .a}', "md:1: .a is not part of the subset"),
        ('![B](figures/own.svg){#sec-a fig-alt="x"}', "md:1: #sec-a is not what its id says"),
        ("![B][c]\n\n[c]: figures/own.svg", "md:3: the image figures/own.svg has no alternative text"),
        ("[A](javascript:alert(1))", "md:1: the link javascript:alert(1) leads out of the report"),
        ("[A](other.html)", "md:1: the link other.html leads out of the report"),
        ("# A {#a}\n\n# B {#a}", "md:1: the id #a is given twice"),
        ("A\n\n@*", "md:3: @* is no key"),
        ("# A {#fig-a}", "md:1: #fig-a is not what its id says"),
        ("- # A", "md:1: a heading stands within something else"),
        ("A\nB \u202e C", "md:2: the sign U+202E turns the direction"),
        ("A\n<< not a quote >>", "md:2: 'quote' is not understood here"),
        ("A\n<< study >>", "md:2: what is filled in here is no text"),
        ("A\n<< ci >>", "md:2: what is filled in here is no text"),
        ("A\n\n\\textbf{B}", "md:3: commands of TeX are not part of the subset: \\textbf"),
        ("\\begin{table}[h]\nA\n\\end{table}", "md:1: commands of TeX are not part of the subset: \\begin"),
        ("A\n\n\\newpage", "md:3: commands of TeX"),
        ("A\n\n$$\na\n\nb\n$$", "md:3: an equation has an empty line in it"),
        ("A\n\nIt is $80,000 and not 5$.", "md:3: words between two $ are no equation"),
        ("A\n$$ a", "md:2: the equation is never closed"),
        ("A[^1].\n\n[^1]: B[^2]\n\n[^2]: C", "md:3: a note within a note: [^2]"),
        ("A\x07", "md:1: the sign U+0007 cannot be printed"),
        (b"A\n\xff", "md:2: not UTF-8 text"),
        ("A".encode("utf-16"), "md: not UTF-8 text but UTF-16"),
    ],
)
def test_what_could_change_the_report_is_refused_with_file_and_line(closed, text, said):
    with pytest.raises(RenderError) as caught:
        closed(text)
    assert f"introduction.{said}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("A \\::: B\n\\:::", "A \\:\\:\\: B\n\\:\\:\\:"),
        ("<< ':::' >>", "\\:\\:\\:"),
        ("A \\{#sec-results\\} \\<b\\> &amp;lt;", "A \\{\\#sec\\-results\\} \\<b\\> \\&lt\\;"),
        (
            "# Results {#sec-results}\n\n@sec-results",
            "## Results {#sec-introduction-results}\n\n@sec-introduction-results",
        ),
        ("@ß", "@ß"),
        ("@sec-results [a](#sec-data)", "@sec-results [a](#sec-data)"),
        ("[Results]\n\n[Data]: https://a.b", "\\[Results\\]"),
        ("A[^1].\n\n[^1]: B", "A[^introduction-1].\n\n[^introduction-1]: B"),
        ("A\n\n---\n\nB", "A\n\n* * *\n\nB"),
        ("(@) A\n(@b) B (@b)", "(1) A\n(2) B (2)"),
        ("<% set sample = false %><% set study = 1 %>A", "A"),
        ("A\n`<< not a quote >>` << r('a') >> ``<% if `%>``", "A\n`<< not a quote >>` 0.01 `` <% if `%> ``"),
        ("`a << b` and `c >> d`", "`a << b` and `c >> d`"),
        ('```\n<< r("a") >>\n\n<# x\n<% y %>\n```', '```\n<< r("a") >>\n\n<# x\n<% y %>\n```'),
        ("- A\n\n  ```\n  << b\n\n  c\n  ```", "- A\n\n  ```\n  << b\n\n  c\n  ```"),
        ("A ` B << r('a') >>.\n\nC ` D.", "A \\` B 0.01.\n\nC \\` D."),
        ("```python\n<!-- x -->\n```", "``` {.python}\n<!-- x -->\n```"),
        ("A <!-- << r() >> ` --> B `<!-- C -->`", "A B `<!-- C -->`"),
        (
            "# Introduction\n\n# Aim\n\n#### Deep",
            "## Aim {#introduction-aim}\n\n### Deep {#introduction-deep}",
        ),
        ("# 1. Introduction:\n\nA", "A"),
        ("### Aim", "## Aim {#introduction-aim}"),
        ("A\n# Aim\nB", "A\n\n## Aim {#introduction-aim}\n\nB"),
        ("A:\n- B\n- C", "A:\n\n- B\n- C"),
        ("A\n1. B\n2. C", "A\n\n1.  B\n2.  C"),
        ("In\n2019. A", "In\n2019\\. A"),
        ("- A\n  b\n- C", "- A\n  b\n- C"),
        ("A:\n| b | c |\n|---|---|\n| 1 | 2 |", "A:\n\n  b   c\n  --- ---\n  1   2"),
        ("A:\nb | c\n--|--\n1 | 2", "A:\n\n  b   c\n  --- ---\n  1   2"),
        ("A:\n+---+---+\n| b | c |\n+===+===+\n| 1 | 2 |\n+---+---+", "A:\n\n  b   c\n  --- ---\n  1   2"),
        ("A | b\nC | d", "A \\| b\nC \\| d"),
        ("C:\\new `\\textbf{a}` $\\text{b}$", "C\\:\\\\new `\\textbf{a}` $\\text{b}$"),
        ("\ufeff## Aim\r\n\r\nA\r\nB\rC", "## Aim {#introduction-aim}\n\nA\nB\nC"),
        ("https://a.b/c_d", "<https://a.b/c_d>"),
        ("[x](https://a.b/c_(d))", "[x](https://a.b/c_%28d%29)"),
        (
            '![B *c* [@d]](figures/own.svg){#fig-e fig-alt="F \\"g\\", < h" width="60%"}\n\n@fig-e',
            "![B *c* [@d]](figures/own-own.svg){#fig-introduction-e "
            'fig-alt="F \\"g\\", \\< h" width="60%"}\n\n@fig-introduction-e',
        ),
        ("$a \\text{ for all } b \\in C$", "$a \\text{ for all } b \\in C$"),
        *(
            (
                f"![B](figures/own.svg){{fig-alt={alt} width={width}}}",
                '![B](figures/own-own.svg){fig-alt="x" width="60%"}',
            )
            for alt, width in (('"x"', '"60%"'), ("'x'", "'60%'"), ("x", "60%"))
        ),
        (
            "Ask a.b@c.de or <d@e.f>, 5$ of $10.",
            "Ask [a\\.b\\@c\\.de](mailto:a.b@c.de) or [d\\@e\\.f](mailto:d@e.f), 5\\$ of \\$10\\.",
        ),
        ("Of << ci('abc') >>", "Of 0.03 (95\u00a0% interval 0 to 1)"),
        ("$$\na\n$$ {#eq-loss} @eq-loss", "$$\na\n$$ {#eq-introduction-loss} @eq-introduction-loss"),
    ],
)
def test_what_is_let_through_stands_in_a_block_of_its_own(closed, text, block):
    assert closed(text) == f"::: {{.author}}\n{block}\n:::"


def test_the_block_has_longer_fences_than_what_is_in_it(closed):
    block = closed('::: {.callout-note title="A {#b} @c"}\n::: {.callout-tip}\n## T\n\nB\n:::\n:::')
    lines = block.split("\n")
    assert (
        lines[0].split(" ")[0]
        == lines[-1]
        == ":" * (1 + max(len(line) for line in lines[1:-1] if set(line) == {":"}))
    )
    assert "## A \\{\\#b\\} \\@c" in lines


def test_a_table_keeps_its_caption_and_its_id(closed):
    block = closed("| a | b |\n|---|---|\n| 1 | `2` |\n\n: Words. {#tbl-own}\n\nSee @tbl-own.")
    assert ": Words. {#tbl-introduction-own}" in block
    assert "See @tbl-introduction-own." in block


def test_typographic_quotes_around_a_name_are_told(closed):
    with pytest.raises(RenderError) as caught:
        closed("A << r(“b”) >>")
    assert caught.value.hint == 'write straight quotes: << r("name") >>'


def test_a_text_under_another_name_is_told(tmp_path):
    for name in ("README.md", "notes.md", "discussion.md", "discussion.docx", "study.toml", "intro.md"):
        (tmp_path / name).write_text("A", encoding="utf-8")
    assert find_unread_prose(tmp_path, SECTIONS) == []
    for name in ("introduction.txt", "introdution.md"):
        (tmp_path / name).write_text("A", encoding="utf-8")
    first, second = find_unread_prose(tmp_path, SECTIONS)
    assert first == "introduction.txt is not read: the author's text is introduction.md, written so"
    assert second.startswith("introdution.md is not read")


@pytest.fixture
def doubts(tmp_path: Path):
    """Return a function that tells the lines of a text in which something looks like a result or a verdict."""

    def find(text: str, *, decided: bool = False) -> list[str]:
        path = tmp_path / "discussion.md"
        path.write_text(text, encoding="utf-8")
        return [told.partition(", or write")[0] for told in find_doubts(path, decided=decided)]

    return find


@pytest.mark.parametrize("width", ['"60%"', "'60%'", "60%"])
def test_the_width_of_an_image_is_no_result(doubts, width):
    told = doubts(f'![A](figures/b.png){{fig-alt="C" width={width}}}\n\n60%')
    assert told == ["discussion.md:3: 60% looks like a result: quote it by name"]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "A film is $2.50.",
            "A film is \\$2.50 and a plate \\$12.25.",
            "1.50 € or € 1.50",
            "USD 2.50, 2.5 dollars",
        ),
        *(
            "Pixels of 0.14 mm",
            "0.5 mGy",
            "after 1.5 years",
            "in 2.5\u00a0s",
            "Of 12 images",
            "[50 %]{.given}",
            "$x = 0.5$",
        ),
    ],
)
def test_money_and_what_has_a_unit_is_no_result(doubts, text):
    assert doubts(text) == []


@pytest.mark.parametrize(
    "text", ["50 %", "0.93", "1.5 times", "0.93 macro F1", "$3 and 0.93", "99.5%", "0.9 of $2"]
)
def test_shares_and_percentages_look_like_results(doubts, text):
    assert len(doubts(text)) == 1


@pytest.mark.parametrize(
    "word",
    [
        "better",
        "worse",
        "equivalent",
        "superior",
        "inferior",
        "outperforms",
        "beats",
        "beaten",
        "wins",
        "won",
        "winner",
        "surpasses",
        "outdoes",
    ],
)
def test_words_of_a_verdict_need_one(doubts, word):
    assert doubts(f"A\n\nIt {word}.") == [
        f'discussion.md:3: "{word}": the verdict of the comparison does not carry it'
    ]
    assert doubts(f"It {word}.", decided=True) == doubts(f"It [{word}]{{.given}}.") == []


def test_figures_one_below_the_other_stay_apart(closed):
    figure = '![B](figures/own.svg){fig-alt="x"}'
    copy = figure.replace("own.svg", "own-own.svg")
    block = closed(f"A\n\n{figure}\n\n{figure}")
    assert re.sub(r"\n{3,}", "\n\n", block) == f"::: {{.author}}\nA\n\n{copy}\n\n{copy}\n:::"


def test_a_share_is_not_called_a_percentage(tmp_path):
    path = tmp_path / "discussion.md"
    path.write_text('A << r("a.test.accuracy") >>, b\n<< r("a.test.accuracy") >> %', encoding="utf-8")
    (told,) = find_doubts(path, decided=True)
    assert told.startswith("discussion.md:2: a result such as 0.9 is a share")


def test_tabs_stay_tabs_and_none_of_their_words_is_lost(closed):
    block = closed("::: {.panel-tabset}\n## One {#sec-data}\n\nA\n\n## Two\n\nB\n:::\n\n# Later\n\nC")
    assert "panel-tabset" in block
    assert "## One\n" in block  # an id would be the report's
    assert "## Later {#introduction-later}" in block
    with pytest.raises(RenderError, match="md:1: a tabset does not begin with a heading"):
        closed("::: {.panel-tabset}\nA\n\n## Two\n\nB\n:::")


def test_a_file_of_comments_or_spaces_is_no_passage(closed):
    assert closed("# Introduction\n") == ""
    assert closed("<!-- to be written -->\n\n") == ""


def test_other_texts_of_the_folder_are_not_the_authors(tmp_path):
    for name in ("README.md", "notes.md", "discussion.md"):
        (tmp_path / name).write_text("---\ntitle: x\n---\n")
    assert [path.name for path in find_prose(tmp_path, SECTIONS)] == ["discussion.md"]


def test_lines_stay_where_they_are_in_the_file(tmp_path):
    path = tmp_path / "introduction.md"
    path.write_bytes("\ufeffA\r\n<!-- B\r\nC -->\r\nD".encode())
    assert read_prose(path).split("\n") == ["A", "", "", "D"]


def test_headings_of_a_log_that_the_pdf_lacks_have_no_number(closed):
    text = (
        "# Log of experiments\n\nWords.\n\n# Trials {#trials}\n\n::: {.callout-note}\n## Title\nMore.\n:::\n"
    )
    block = closed(text, "experiments.md")
    assert "## Trials {#experiments-trials .unnumbered}" in block
    assert "Log of experiments" not in block
    assert block.count(".unnumbered") == 1
    assert "unnumbered" not in closed(text)

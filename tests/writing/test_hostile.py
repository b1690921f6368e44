"""Every string of the study file is text: it is printed as it stands, and changes nothing else.

``HOSTILE_EXAMPLES=2000 python -m pytest tests/writing/test_hostile.py`` tries more strings than every run does.
"""

from __future__ import annotations

import os
import re
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from analysis.progress import silent
from report import PROJECT
from report.document import html, lint, pandoc, pdf
from report.document.markdown import strip_isolates
from report.errors import RenderError
from report.study import texts
from report.writing.author.passages import close_passage
from report.writing.source import write
from report.writing.templates import make_environment
from tests.writing.conftest import STUDY

TEMPLATES = PROJECT / "templates"
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "30"))
FIXED = "HOSTILE_EXAMPLES" not in os.environ  # every run tries the same strings, unless it is asked for more
KNOWN = [
    *('"1=', '" onload="x', "1` "),
    *(
        "CNN #1",
        "CNN <dropout>",
        "{drop=0.5}",
        "@64px",
        "@home",
        "[a](b)",
        "US$ and $5",
        "`",
        "``",
        "a`b",
        "\\",
        "a\\",
    ),
    *(
        "../../escaped",
        "a/b",
        "😀 👩‍⚕️",
        "폐렴 분류",
        "التهاب رئوي",
        "דלקת",
        "{#sec-data}",
        "{.computed}",
        ":::",
        "::: x",
        "---",
    ),
    *(
        "...",
        "- a",
        "1. a",
        "1)",
        "# a",
        "> a",
        "| a |",
        "~~~",
        "```",
        "<!-- a",
        "-->",
        "<script>",
        "</h1>",
        "<b>",
        "&amp;",
    ),
    *(
        "&#60;",
        "{{< include a >}}",
        "<< r('x') >>",
        "<% if %>",
        "[^1]",
        "[^1]: a",
        "*a*",
        "_a_",
        "~a~",
        "^a^",
        "'a'",
        '"a"',
    ),
    *(
        "'",
        '"',
        "a -- b",
        "$x$",
        "$$",
        "=",
        "===",
        "+",
        "!",
        "![a](b.png)",
        "http://a.b/c_d",
        "<https://a.b>",
        "(@a)",
        "%",
    ),
    *(
        "key: value",
        "null",
        "yes",
        "a\u00a0b",
        "a\u3000b",
        "\u200b",
        "a\u200db",
        "a\u0301",
        "ﬁ",
        "{=html}",
        "\\newpage",
    ),
    *(
        "The best network",
        "x" * 80,
        "[x]{.given}",
        ": a",
        "a\nb",
        "a\tb",
        "“a”",
        "a’s",
        "–",
        "¬",
        "A. b",
        "i. b",
        "*",
        "**",
    ),
]
SIGNS = st.text(
    st.sampled_from(r"""ab 1.,;:!?-_+*/\|<>()[]{}#@$%^&~=`'" """ + "éß한שع😀\u00a0"), min_size=1, max_size=40
)
ANY = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=80)
TEXTS = (
    (st.sampled_from(KNOWN) | SIGNS | ANY)
    .map(lambda text: text[:80])
    .filter(lambda text: text.strip() and not texts.find_unprintable(text))
)


BY_LENGTH = {"wide", "widest", "dense", "breaking", "short"}
"""Classes that depend on how long words are."""


class Page(HTMLParser):
    """What a page shows: the text of each element, and the elements in their order without their words."""

    VOID = frozenset(("meta", "link", "img", "br", "hr", "input", "col"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str, list[str]]] = []
        self.shown: list[tuple[str, str, str]] = []
        self.structure: list[tuple[str, ...]] = []
        self.alts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {key: value or "" for key, value in attrs}
        if tag not in {"span", "meta", "bdi"}:
            classes = set(has.get("class", "").split()) - BY_LENGTH
            self.structure.append((tag, has.get("id", ""), " ".join(sorted(classes))))
        self.alts += [has["alt"]] if "alt" in has else []
        if tag not in self.VOID:
            self.open.append((tag, has.get("class", ""), []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        kind, classes, text = self.open.pop()
        assert kind == tag
        self.shown.append((kind, classes, "".join(text)))

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element[2].append(data)  # a string of megabytes would be copied each time

    def texts(self, tag: str, classes: str = "") -> list[str]:
        return [plain(text) for kind, found, text in self.shown if kind == tag and classes in found]


def plain(text: str) -> str:
    """Return what is seen of a text: spaces and breaks are one, signs of direction are none."""
    return re.sub(r"[ \t\n\u00a0]+", " ", strip_isolates(text)).strip(" ")


PLACES = """---
title: << text | md | yaml >>
author: << text | md | yaml >>
lang: en
abstract: |
  **Data.** Words << text | md >> and words.
---

# << text | md >> {#sec-a}

Words << text | md >> and << text | md >>, words.

<< text | md >>

- << text | md >>

| << text | md >> | B |
|---|---|
| << text | md >> | **<< text | md >>** |

: << text | md >>: words. {#tbl-a}

![Words of << text | md >>.](figures/a.svg){#fig-a fig-alt="<< alt >>"}

<< text | code >>

<< text | fenced("bash") >>

See @sec-a, @tbl-a and @fig-a.
"""


def places(folder: Path, text: str) -> Page:
    """Return a page with a text in every place that a string of the study file can have."""
    write_places(folder, text)
    return Page(pandoc.convert(folder, pandoc.Theme(TEMPLATES, html.STYLES)))


def write_places(folder: Path, text: str) -> None:
    """Write the source of such a page."""
    from jinja2 import DictLoader

    from report.document.markdown import escape_attribute

    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "a.svg").write_text("<svg/>")
    (folder / "references.bib").write_text("")
    made = make_environment(DictLoader({"places": PLACES})).get_template("places")
    (folder / "report.qmd").write_text(made.render(text=text, alt=escape_attribute(text)), encoding="utf-8")
    lint.require_sound(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("places")


def hostile(texts: list[str]) -> dict[str, Any]:
    """Return the study with a text in every field that takes any; labels stay different from each other."""
    study = deepcopy(STUDY)
    about, *rest = texts
    study["study"] |= {"title": about, "author": [about], "course": about, "tools": about}
    for i, item in enumerate((*study["classes"], *study["models"])):
        key = "label" if "label" in item else "title"
        item[key] = f"{rest[i % len(rest)][:76]} {i}"
    for item in study["report"]["requirements"]:
        item["text"] = about
    return study


@pytest.fixture
def page(artifacts, tmp_path):
    """Return a function that writes the whole report of a study and returns its page."""

    def make(study: dict[str, Any], name: str = "assignment") -> Page:
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        out.mkdir()
        write(
            artifacts().as_they_are(),
            out,
            scratch=out,
            progress=silent,
            study=study,
            together=[m["id"] for m in study["models"]],
            many=False,
            name=name,
            sample=True,
            overrides=[f"study.title={study['study']['title']}"],
            declaration="0" * 64,
            commit="0123abc",
            versions=["numpy"],
        )
        html.render({"source": out, "templates": TEMPLATES}, out, scratch=out, progress=silent)
        return Page((out / "report.html").read_text(encoding="utf-8"))

    return make


@given(st.lists(TEXTS, min_size=7, max_size=7))
@example(["x" * 80, "The best <b> *#1*", "`{=html}", "$5 and $6", "[a](b)", "التهاب رئوي", ":::"])
@settings(
    max_examples=max(1, EXAMPLES // 20),
    phases=[Phase.explicit] if FIXED else list(Phase),  # a report takes seconds
    deadline=None,
    derandomize=FIXED,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_whole_report_says_exactly_what_the_study_file_says(page, texts):
    study, usual = hostile(texts), whole_of_words(page)
    made, about = page(study, "a `b` c"), study["study"]
    assert made.structure == usual.structure
    assert (
        made.texts("div", "banner")
        == usual.texts("div", "banner")
        == ["Built on generated images, not on X-rays"]
    )
    assert made.texts("h1") == made.texts("title") == [plain(about["title"])]
    assert made.texts("span", "author-name") == [plain(name) for name in about["author"]]
    assert made.texts("p", "subtitle") == [plain(about["course"])]
    assert any(p.endswith(plain(f"Declaration of tools. {about['tools']}")) for p in made.texts("p"))
    for item in study["classes"]:
        assert plain(item["label"]) in made.texts("th")
    for item in study["models"]:
        assert plain(item["title"]) in made.texts("th")
    for item in study["report"]["requirements"]:
        assert plain(item["text"]) in made.texts("th")


def whole_of_words(page, known: dict[str, Page] = {}) -> Page:  # noqa: B006  # made once
    if not known:
        known["words"] = page(hostile(["Words"] * 7))
    return known["words"]


def test_the_pdf_is_made_of_such_texts_and_bears_their_title(tmp_path):
    for text in ("CNN <b> {#a} @b `c` $5 التهاب رئوي", *KNOWN[2:12:3]):
        write_places(tmp_path, text)
        pdf.render({"source": tmp_path, "templates": TEMPLATES}, tmp_path, scratch=tmp_path, progress=silent)
        with pikepdf.open(tmp_path / "report.pdf") as made:
            assert (made.docinfo["/Title"], made.docinfo["/Author"]) == (text.strip(), text.strip())


def test_no_template_prints_a_text_of_the_study_file_as_markdown():
    # Not printed as typed: what a function or macro returns, a condition, an entry of a dictionary of
    # literals, a split.
    text = re.compile(
        r"(\b(label|title|author|course|tools|source|reason|repository|read|notes)|\.text)\b(?!\()"
    )
    other = re.compile(
        r"'[^']*'|\"(?!label)[^\"]*\"|\bif\b.*?\belse\b|\}\s*\[[\w.]+\]|each\(\w+\)|splits\[[\w.]+\]\.\w+"
    )
    for path in (*TEMPLATES.rglob("*.qmd.j2"), *TEMPLATES.rglob("*.md.j2")):  # those of HTML escape all
        for filled in re.findall(r"<<(.*?)>>", path.read_text(encoding="utf-8"), re.S):
            if text.search(other.sub("", filled)):
                assert re.search(r'\| (md|code|yaml)\b|map\("md"\)', filled), f"{path.name}: {filled}"


PROSE = st.lists(st.sampled_from(KNOWN) | SIGNS | ANY, min_size=1, max_size=6).map("\n\n".join)
RESULTS = {"r": str, "value": len, "ci": str, "grouped": True, "study": {}, "sample": True}


@given(PROSE)
@example("_@1")
@example("::: x\n\n[^1]: a\n\n# a {#sec-after}\n\n[after]: b")
@settings(max_examples=EXAMPLES, deadline=None, derandomize=FIXED)
def test_prose_changes_nothing_around_it_or_is_refused_with_its_file(folder, text):
    path = folder / "discussion.md"
    path.write_text(text, encoding="utf-8")
    (folder / "references.bib").write_text("")
    try:
        block = close_passage(path, RESULTS, TEMPLATES) or "::: {.author}\n:::"
        (folder / "report.qmd").write_text(f"{BEFORE}\n\n{block}\n\n{AFTER}", encoding="utf-8")
        lint.require_sound(folder)
    except RenderError as error:
        assert re.match(r"(discussion\.md|report\.qmd:\d+: @)", str(error))
        return
    page = pandoc.convert(folder, pandoc.Theme(TEMPLATES, html.STYLES))
    assert around(page) == around(page_of_words(folder))


def around(page: str) -> tuple[str, ...]:
    """Return what a page shows beside the author's passage and its notes: head, banner, and the text before and after."""
    head, _, main = page.partition('<nav id="TOC"')
    main = main.partition("<main")[2]
    after = re.split(r'<(?:aside|section) id="footnotes"', main.rpartition('<section id="sec-after"')[2])[0]
    return (
        head,
        re.split(r'<(?:div|section)[^>]*class="[^"]*author"', main)[0],
        after.partition("</main>")[0].strip(),
    )


def page_of_words(folder: Path, known: dict[str, str] = {}) -> str:  # noqa: B006  # made once
    if not known:
        source = (folder / "report.qmd").read_text(encoding="utf-8")
        (folder / "report.qmd").write_text(f"{BEFORE}\n\n::: {{.author}}\nWords.\n:::\n\n{AFTER}")
        known["words"] = pandoc.convert(folder, pandoc.Theme(TEMPLATES, html.STYLES))
        (folder / "report.qmd").write_text(source, encoding="utf-8")
    return known["words"]


BEFORE = "---\ntitle: Words\nlang: en\nfooter: Notice\nsample: true\n---\n\n# Before {#sec-before}\n\nBefore, [after] and @sec-after."
AFTER = "# After {#sec-after}\n\nAfter."


def each_known(test):
    for text in KNOWN:
        if text.strip():
            test = example(text)(test)
    return test


@each_known
@given(TEXTS)
@settings(max_examples=10 if FIXED else EXAMPLES, deadline=None, derandomize=FIXED)
def test_a_text_is_printed_as_it_stands_in_every_place(folder, text):
    page, usual = places(folder, text), places_of_words(folder)
    said = plain(text)
    assert page.structure == usual.structure
    assert page.texts("h1") == [said]
    assert page.texts("title") == [said]
    assert page.texts("span", "author-name") == [said]
    assert [t for t in page.texts("h2") if said in t][-1:] == [f"1 {said}"]
    assert f"Words {said} and {said}, words." in page.texts("p")
    assert f"Data. Words {said} and words." in page.texts("p")
    assert page.texts("th")[0] == page.texts("strong")[-1] == said
    assert f"Table 1: {said}: words." in page.texts("figcaption")
    assert [plain(alt) for alt in page.alts] == [said]
    assert page.texts("code") == [said, said]


def places_of_words(folder: Path, known: dict[str, Page] = {}) -> Page:  # noqa: B006  # made once
    if not known:
        known["words"] = places(folder, "Words")
    return known["words"]

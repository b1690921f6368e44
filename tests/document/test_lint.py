"""Our own check of the source: what it finds, with the line, and what it lets through."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.document import lint
from report.errors import RenderError

FIXTURE = Path(__file__).parent / "fixture"
FIGURE = '![C](figures/a.svg){#fig-a fig-alt="Alt"}'


def problems(folder: Path, body: str) -> list[lint.Problem]:
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "a.svg").write_text("<svg/>")
    (folder / "references.bib").write_text("@book{knuth1984,\n title = {T}\n}\n")
    (folder / "report.qmd").write_text("---\ntitle: T\nlang: en\n---\n" + body)
    return lint.find_problems(folder)


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("\nSee @fig-b.", 6, "@fig-b refers to nothing"),
        ("\n\nSee [-@tbl-b].", 7, "@tbl-b refers to nothing"),
        ("See [@knuth1984; @nobody2000, p. 3].", 5, "@nobody2000 is not in references.bib"),
        ("See @ß.", 5, "@ß is not in references.bib"),
        ("See @{nobody}.", 5, "@nobody is not in references.bib"),
        ('\n![C](figures/b.svg){#fig-b fig-alt="A"}', 6, "the image figures/b.svg is missing"),
        ('\n![C](../a.svg){#fig-b fig-alt="A"}', 6, "the image ../a.svg does not lie in figures/"),
        ('\n![C](https://x.org/a.svg){fig-alt="A"}', 6, "the image https://x.org/a.svg does not lie in"),
        ("\n![C](figures/a.svg){#fig-a}", 6, "the image figures/a.svg has no fig-alt"),
        (f"Text {FIGURE}", 5, "the figure figures/a.svg does not stand alone"),
        ("# A {#sec-a}\n\n# B {#sec-a}", 7, "the id #sec-a is taken since line 5"),
        ("A << r('x') >>", 5, "<< is left over from a template"),
        ("A\n\n<% if x %>", 7, "<% is left over from a template"),
        ("{{< include x.md >}}", 5, "{{< is left over from a template"),
        ("A <b>bold</b> word", 5, "HTML is not part of the subset: <b>"),
        ('A\n<iframe\nsrc="x">', 6, "HTML is not part of the subset: <iframe"),
        ("<!-- x -->", 5, "HTML is not part of the subset: <!--"),
        ("```{python}\n1\n```", 5, "a code block that runs or is raw: {python}"),
        ("```{=html}\n<b>\n```", 5, "a code block that runs or is raw: {=html}"),
        ("`<b>`{=html}", 5, "raw markup is not part of the subset: {=html}"),
        ("::: {.column-margin}\nA\n:::", 5, ".column-margin is not part of the subset"),
        ('[x]{onclick="alert(1)"}', 5, "onclick= is not part of the subset"),
        ('# A {style="color: red"}', 5, "style= is not part of the subset"),
        ("::: {.author}\nA", 5, "::: is never closed"),
        ("A\n\n:::", 7, "::: closes nothing"),
        ("[x](javascript:alert(1))", 5, "the link javascript:alert(1 leads out of the report"),
        ("[x](#nowhere)", 5, "the link #nowhere leads nowhere"),
    ],
)
def test_finds(body: str, line: int, message: str, tmp_path: Path) -> None:
    found = problems(tmp_path, body)
    assert [problem.line for problem in found if message in problem.message] == [line]
    assert {problem.line for problem in found} == {line}


@pytest.mark.parametrize(
    "body",
    [
        "Escaped \\<b\\>, a < b > c, `<b>` and `@fig-x`, mail a@b.org, $a<b>c$ and $$x <y> @z$$.",
        "```\n<b> @fig-x << x\n```",
        "Costs 5 $ and 6 $, see <https://example.org/@x> or [here](https://example.org).",
        "# A {#sec-a .unnumbered}\n\nSee @sec-a and [@knuth1984, p. 3].",
        f"::: {{layout-ncol=2}}\n\n{FIGURE}\n\n:::\n\nSee [@fig-a].",
        f"::: {{layout-ncol=2}}\n{FIGURE}\n:::",
        '::: {.callout-note title="A <b"}\nA\n:::',
        ":::: {.author}\n::: {.panel-tabset}\n## A\n:::\n::::",
        "::: author\nA\n:::",
        "A [1.2]{.computed} value.",
    ],
)
def test_lets_through(body: str, tmp_path: Path) -> None:
    assert problems(tmp_path, body) == []


def test_the_fixture_has_no_problem() -> None:
    assert lint.find_problems(FIXTURE) == []


def test_the_error_names_file_line_and_the_nearest_names(tmp_path: Path) -> None:
    problems(tmp_path, f"\n{FIGURE}\n\nSee @fig-aa and @fig-bb.")
    with pytest.raises(RenderError) as caught:
        lint.require_sound(tmp_path)
    assert str(caught.value) == "report.qmd:8: @fig-aa refers to nothing; 1 more: report.qmd:8"
    assert caught.value.hint == "nearest ids: fig-a"

"""The HTML of the fixture, which has every construct of the subset."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from report.document import html
from report.errors import RenderError

FIXTURE = Path(__file__).parent / "fixture"
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
HEAD = "---\ntitle: T\nlang: en\n---\n\n"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="30pt" viewBox="0 0 90 30">{}</svg>'


def render(source: Path, out: Path) -> str:
    html.render({"source": source, "templates": TEMPLATES}, out, scratch=out, progress=lambda *_, **__: None)
    return (out / "report.html").read_text()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(FIXTURE, tmp_path_factory.mktemp("html"))


def small(folder: Path, body: str, drawing: str = "<rect/>") -> Path:
    (folder / "figures").mkdir()
    (folder / "report.qmd").write_text(HEAD + body)
    (folder / "references.bib").write_text("")
    (folder / "figures" / "a.svg").write_text(DRAWING.format(drawing))
    return folder


class Reader(HTMLParser):
    """What a reader of the page gets: tags, ids, text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"[ \n]+", " ", "".join(self.words).replace("\u00a0", " "))

    def values(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def test_the_notes_have_a_heading_of_their_own_behind_the_references(tmp_path: Path) -> None:
    text = render(
        small(tmp_path, "# A\n\nB.[^1]\n\n[^1]: Words.\n\n# References {.unnumbered}\n\nD.\n"), tmp_path
    )
    assert re.findall(r"<h2[^>]*>(?:<span[^>]*>1</span> )?(\w+)<a", text) == ["A", "References", "Notes"]
    assert '<a href="#notes" id="toc-notes">Notes' in text
    assert text.index('id="notes"') < text.index("Words.")


def test_without_notes_there_is_no_heading_of_theirs(tmp_path: Path) -> None:
    assert 'id="notes"' not in render(small(tmp_path, "# A\n\nB.\n"), tmp_path)


def test_numbers_and_wording_are_those_of_quarto(page: str) -> None:
    text = Reader(page).text
    assert "Figure 1: ROC curves of the baseline, one class against the rest" in text
    assert "Table 1: From files found to pictures split." in text
    assert "Table 6 says where. The data are described in Section 2, the networks in Section 3" in text
    assert "Figure 3, Figure 2 are drawn side by side" in text
    assert "Section 3.1 has the definitions" in text
    assert "Equation 1 defines both measures; Equation 2 is minimised" in text
    assert "given by Breiman (2001)" in text
    assert "(Hand and Till 2001, 175; Chollet et al. 2015)" in text
    assert "January 15, 2026" in text
    assert "@" not in re.sub(r"@(font-face|media|page)", "", text)


def test_headings_follow_each_other_without_a_gap(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Reader(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_id_is_used_once_and_every_link_leads_somewhere(page: str) -> None:
    reader = Reader(page)
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    inside = [href[1:] for href in reader.values("href") if href.startswith("#")]
    assert set(inside) <= set(ids)
    assert len(inside) > 60


def test_nothing_is_fetched_and_only_our_script_runs(page: str) -> None:
    reader = Reader(page)
    assert not [tag for tag, _ in reader.tags if tag in ("link", "iframe", "object", "embed")]
    script = (TEMPLATES / "theme" / "page.js").read_text()
    assert page.count("<script") == 1 and f"<script>{script}</script>" in page
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}'; style-src" in page
    assert all(src.startswith("data:") for src in reader.values("src"))
    assert all(url.startswith(("data:", "#")) for url in re.findall(r'url\("?([^")]+)', page))
    assert not [key for _, attributes in reader.tags for key in attributes if key.startswith("on")]
    assert "default-src 'none'" in page


def test_figures_are_inline_with_their_alternative_text(page: str) -> None:
    drawings = [attributes for tag, attributes in Reader(page).tags if tag == "svg"]
    assert len(drawings) == 4
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)
    assert "Two panels of ROC curves." in drawings[0]["aria-label"]
    assert "data-fig-alt" not in page


def test_figures_and_tables_offer_their_data(page: str) -> None:
    links = [attributes for _, attributes in Reader(page).tags if "download" in attributes]
    files = {link["download"]: unquote(link["href"].partition(",")[2]) for link in links}
    assert len(links) == 4 + 7
    for name in ("roc.baseline.csv", "confusion.csv", "curves.csv"):
        assert files[name] == (FIXTURE / "figures" / name).read_text()
    assert files["flow.csv"].splitlines()[:2] == ["Step,Count", "Annotations found,6 504"]
    assert "alert(1)" not in Reader(page).text


def test_figures_enlarge_and_say_which(page: str) -> None:
    reader = Reader(page)
    large = [href for href in reader.values("href") if href.endswith("-large")]
    assert (
        large == [f"#{name}" for name in reader.values("id") if name.endswith("-large")] and len(large) == 4
    )
    assert "Enlarge Figure 2 Data (CSV) of Figure 2" in reader.text


def test_what_belongs_together_stays_on_one_line(tmp_path: Path) -> None:
    body = "An X-ray of 8 × 8 pixels, p = 0.05, a = $b \\log p$.\n"
    page = render(small(tmp_path, body), tmp_path)
    assert "8\u00a0×\u00a08 pixels, p\u00a0=\u00a00.05, a\u00a0=\u00a0<math" in page
    assert '<span class="whole">X-ray</span>' in page
    assert page.count('<mspace width="0.167em"></mspace>') == 2


def test_pairs_and_intervals_in_tables_stay_on_one_line(tmp_path: Path) -> None:
    cells = ["0.1\u00a0/\u00a00.2", "(−0.1\u00a0to\u00a0+0.2)", "(0.1–0.2)"]
    table = f"| a | b | c |\n|:--|:--|:--|\n| {' | '.join(cells)} |\n\n: T. {{#tbl-t}}\n"
    page = render(small(tmp_path, table), tmp_path)
    assert all(f'<span class="whole">{cell}</span>' in page for cell in cells)


def test_columns_get_widths_by_their_longest_cells_where_these_are_asked_for(tmp_path: Path) -> None:
    table = f'| | A | B |\n|:--|:--|:--|\n| ab | {"x " * 20}| {"x " * 80}|\n\n: T. {{#tbl-t tbl-colwidths="auto"}}\n'
    text = render(small(tmp_path, f"# H\n\nSee @tbl-t.\n\n{table}"), tmp_path)
    head, short, long = (float(share) for share in re.findall(r'<col style="width: ([\d.]+)%', text))
    assert head < short < long < 3 * short


def test_table_cells_know_their_heads(page: str) -> None:
    rows = [attributes for tag, attributes in Reader(page).tags if tag == "th" and "scope" in attributes]
    assert rows and {row["scope"] for row in rows} == {"row"}
    assert page.count('role="region"') == page.count('<figure id="tbl-') == 7


def test_banner_and_footer_say_that_it_is_a_sample(page: str) -> None:
    sentence = (
        'Built on generated pictures: nothing here is a finding about <span class="whole">X-rays.</span>'
    )
    assert f'<div class="banner" role="note">{sentence}</div>' in page
    assert f'<footer class="page-end">{sentence}</footer>' in page


def test_the_authors_words_are_marked(page: str) -> None:
    assert page.count('<div class="author">') == 2
    assert '<div class="computed">' in page
    assert '<span class="computed">value of 0.754</span>' in page


def test_same_source_same_bytes(page: str, tmp_path: Path) -> None:
    assert render(FIXTURE, tmp_path) == page


def test_the_page_is_as_kept(page: str, as_kept) -> None:
    """Without what has tests of its own: styles, the script, the insides of pictures, data."""
    text = re.sub(r"(<(style|script)>).*?(</\2>)", r"\1…\3", page, flags=re.S)
    text = re.sub(r"(<svg[^>]*>).*?(</svg>)", r"\1…\2", text, flags=re.S)
    text = re.sub(r"(data:[\w/-]+)[^\"]*", r"\1…", text)
    as_kept("report.html", re.sub(r"sha256-[\w+/=]+", "sha256-…", text))


def test_escaped_markup_from_outside_stays_text(tmp_path: Path) -> None:
    source = small(
        tmp_path, "# \\<script\\>alert(1)\\</script\\>\n\n`<img onerror=x>` \\<iframe src='x'\\>\n"
    )
    reader = Reader(render(source, tmp_path))
    assert "<script>alert(1)</script>" in reader.text
    assert [tag for tag, _ in reader.tags if tag in ("script", "img", "iframe")] == ["script"]  # our own


def test_one_picture_shown_twice_has_two_sets_of_ids(tmp_path: Path) -> None:
    drawing = (
        '<defs><clipPath id="c"><path d="M0 0"/></clipPath></defs><g clip-path="url(#c)"><use href="#c"/></g>'
    )
    figure = '![C](figures/a.svg){{#fig-{} fig-alt="A"}}\n\n'
    page = render(small(tmp_path, figure.format(1) + figure.format(2), drawing), tmp_path)
    assert 'url(#picture-a-c)"' in page and 'url(#picture-a-2-c)"' in page
    ids = Reader(page).values("id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "drawing",
    [
        "<script>1</script>",
        '<rect onclick="x"/>',
        '<image href="https://x.org/a.png"/>',
        "<foreignObject/>",
        "<rect>",
    ],
)
def test_a_picture_that_runs_or_fetches_is_refused(drawing: str, tmp_path: Path) -> None:
    source = small(tmp_path, '![C](figures/a.svg){#fig-a fig-alt="A"}\n', drawing)
    with pytest.raises(RenderError, match=r"figures/a\.svg: the image"):
        render(source, tmp_path)


def test_what_pandoc_warns_about_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"report.qmd:6: the equation .*notacommand.* is not understood"):
        render(small(tmp_path, "$\\notacommand{x$\n"), tmp_path)

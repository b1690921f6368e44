"""A report that is understood at once: its sentences, numbers, repetitions, floats and pages, and how they are measured.

``REPORT_BUILD=build/assignment-sample`` measures that build in place of the assignment on made-up predictions.
"""

from __future__ import annotations

import os
import re
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from report.document import pdf
from tests.document.test_pdf import TEMPLATES
from tests.writing import readability
from tests.writing.conftest import STUDY
from tests.writing.made_up_reports import Case, write_page
from tests.writing.readability import Page, Print, Sentence

WORDS, MOST_WORDS, SHARE = 25, 40, 0.9
NUMBERS = 3
ABSTRACT_WORDS, ABSTRACT_NUMBERS = 150, 12
MAIN_PAGES = 10.5
"""Ten on real images: the sample has its notices beside."""
SAID_NUMBER, SAID_PHRASE = 3, 2
EMPTY_FOOT = 1 / 3
FIGURE_TYPE = 7.0

PROMISES: dict[str, tuple[str, ...]] = {
    "Environment set up, with versions": (r"Python \d", "numpy"),
    "Read the X-rays and their four labels": ("Bacterial", "COVID-19", "healthy", "Viral"),
    "Images resized to 156 x 156": (r"\d+ × \d+",),
    "Pixel values scaled to [0, 1]": (r"\[0, 1\]|divided by 255",),
    "Labels one-hot encoded, function named": ("one-hot", "to_categorical|one_hot|label_binarize"),
    "Stratified train, validation and test split, ratio 0.2, random state 42": (
        "(?i)stratified",
        "20 %|0?[.]2",
        "42",
    ),
    "Baseline CNN exactly as given": ("(?i)baseline", "(?i)layer", "(?i)parameters"),
    "Loss and output activation chosen and justified": ("softmax", "cross-entropy"),
    "10 epochs, batch size 32, Adam, accuracy": ("(?i)epochs", "(?i)batch", "Adam"),
    "Training and validation loss and accuracy curves": ("(?i)validation", "(?i)loss", "(?i)accuracy"),
    "ROC curves with AUC, validation and test": ("ROC", "(?i)validation", "(?i)test"),
    "Confusion matrices, validation and test": ("(?i)confusion", "(?i)validation", "(?i)test"),
    "Accuracy, sensitivity, specificity and F1": ("(?i)accuracy", "(?i)sensitivity", "(?i)specificity", "F1"),
    "Improved network": ("(?i)improved", "(?i)layer", "(?i)parameters"),
    "Same analysis of the improved network": ("(?i)improved", "(?i)accuracy", "(?i)confusion", "ROC"),
    "Comparison of the two": (
        "(?i)difference",
        "(?i)better|worse|equivalent|distinguish|decided",
    ),
    "Explanation of the differences": ("(?i)difference", "(?i)parameters|weights"),
}
"""What a reader looks for who follows the pointer of a requirement of the assignment."""


@pytest.fixture(scope="module")
def build(request: pytest.FixtureRequest) -> Path:
    if "REPORT_BUILD" in os.environ:
        return Path(os.environ["REPORT_BUILD"])
    return Path(request.getfixturevalue("whole_report"))


@pytest.fixture(scope="module")
def page(build: Path) -> Page:
    return Page((build / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def printed(build: Path) -> Print:
    return Print(build / "report.pdf")


# The report -------------------------------------------------------------------------------------


def test_nine_sentences_of_ten_are_short(page: Page) -> None:
    long = [sentence.text for sentence in page.sentences if sentence.words >= WORDS]
    assert len(long) <= (1 - SHARE) * len(page.sentences), "\n".join(sorted(long, key=len)[::-1])


def test_no_sentence_is_very_long(page: Page) -> None:
    assert [s.text for s in page.sentences if s.words > MOST_WORDS] == []


def test_a_sentence_has_few_numbers(page: Page) -> None:
    assert [s.text for s in page.sentences if len(s.numbers) > NUMBERS] == []


def test_the_abstract_is_short(page: Page) -> None:
    assert 50 < readability.count_words(page.abstract) <= ABSTRACT_WORDS
    assert len(readability.find_numbers(page.abstract)) <= ABSTRACT_NUMBERS


def test_the_main_text_is_short(printed: Print) -> None:
    assert printed.main_pages <= MAIN_PAGES


def test_no_number_is_said_again_and_again(page: Page) -> None:
    said = readability.count_repeated_numbers(page.sentences_before_appendix())
    assert {number: n for number, n in said.items() if n > SAID_NUMBER} == {}


def test_no_phrase_is_said_again_and_again(page: Page) -> None:
    said = readability.count_repeated_phrases(page.sentences)
    assert {phrase: n for phrase, n in said.items() if n > SAID_PHRASE} == {}


@pytest.mark.parametrize("html_only", [True, False], ids=["HTML", "PDF"])
def test_every_figure_and_table_is_referred_to_and_in_order(page: Page, html_only: bool) -> None:
    assert readability.find_missing_references(page, html_only=html_only) == []
    for kind in ("Figure", "Table"):
        for appendix in (False, True):
            told = readability.order_of_references(page, kind, html_only=html_only, appendix=appendix)
            for prefix in ("", "S"):
                numbers = [int(n[len(prefix) :]) for n in told if re.fullmatch(prefix + r"\d+", n)]
                assert numbers == sorted(numbers), (kind, appendix)


def test_numbers_of_the_pdf_have_no_gap(page: Page, printed: Print) -> None:
    """What the HTML alone has takes none of them."""
    for kind, numbers in printed.numbers.items():
        assert numbers == list(range(1, len(numbers) + 1))
        assert [str(n) for n in numbers] == [
            f.number for f in page.floats if f.kind == kind and not f.html_only
        ]


def test_every_requirement_leads_to_what_it_promises(page: Page) -> None:
    rows = page.pointers("tbl-coverage")
    assert [text for text, _ in rows] == [
        requirement["text"] for requirement in STUDY["report"]["requirements"]
    ]
    for text, targets in rows:
        there = " ".join(map(page.text_of, targets))
        assert targets and [promise for promise in PROMISES[text] if not re.search(promise, there)] == [], (
            text
        )


def test_no_foot_of_a_page_is_empty(printed: Print) -> None:
    empty = {number: share for number, share in enumerate(printed.empty_feet, 1) if share > EMPTY_FOOT}
    assert empty == {}


def test_contents_stand_before_long_reports_only(printed: Print) -> None:
    assert any(re.search(r"^\s*Contents$", page, re.M) for page in printed.pages[:3]) == (
        len(printed.pages) > 15
    )


@pytest.mark.skipif("REPORT_BUILD" not in os.environ, reason="figures of made-up results have no words")
def test_type_of_figures_is_legible(build: Path) -> None:
    sizes = {
        file.name: readability.smallest_type(file.read_text()) for file in (build / "figures").glob("*.svg")
    }
    assert {name: size for name, size in sizes.items() if round(size, 1) < FIGURE_TYPE} == {}


# Reports of all studies, on made-up numbers ------------------------------------------------------

slow = partial(pytest.param, marks=pytest.mark.slow)
CASES = [
    slow(Case("assignment", ("far better",))),  # as the report above, and as better as another study's
    slow(Case("assignment", ("far worse/hardly better",))),
    Case("assignment", ("equivalent/not_distinguishable",), one_class="baseline"),
    slow(Case("assignment", ("better/underpowered",))),
    Case("assignment", ("cannot_be_decided/undefined",), ("training.seeds=[1, 2, 3]",)),
    slow(Case("assignment", ("better/worse",), late=True)),
    Case("assignment-published", ("worse/cannot_be_decided",), several_labels=True),
    Case("assignment-transfer", ("hardly better/underpowered",)),
    Case("pediatric-official", ("better/not_distinguishable",), one_class="cnn_2"),
    slow(Case("pediatric-official", ("underpowered/better",), ("training.seeds=[1, 2, 3]",))),
    Case("radiography", ("hardly better",), without_patients=True),
    Case("pediatric-imbalanced", ("better", "equivalent", "cannot_be_decided")),
    slow(Case("pediatric-imbalanced", ("underpowered",), ("training.seeds=[1, 2, 3]",))),
    Case("pediatric-resplit", ("far better/better", "underpowered/worse", "undefined")),
]
"""Gain, loss, equivalence and none of them, few and many networks, one that answers one class; after the slash by patient."""


@pytest.fixture(scope="module", params=CASES, ids=str)
def made_up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return write_page(request.param, tmp_path_factory.mktemp("made-up"))


def test_sentences_of_every_study_are_short_and_have_few_numbers(made_up: Page) -> None:
    test_nine_sentences_of_ten_are_short(made_up)
    test_no_sentence_is_very_long(made_up)
    test_a_sentence_has_few_numbers(made_up)


def test_the_abstract_of_every_study_is_short(made_up: Page) -> None:
    test_the_abstract_is_short(made_up)


def test_no_number_of_any_study_is_said_again_and_again(made_up: Page) -> None:
    test_no_number_is_said_again_and_again(made_up)


@pytest.mark.parametrize("html_only", [True, False], ids=["HTML", "PDF"])
def test_figures_and_tables_of_every_study_are_referred_to_in_order(made_up: Page, html_only: bool) -> None:
    test_every_figure_and_table_is_referred_to_and_in_order(made_up, html_only)


# How it is measured -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It was .834 against 0.82. It rose.", ["It was .834 against 0.82.", "It rose."]),
        ("Of 96 images. 480 were kept.", ["Of 96 images.", "480 were kept."]),
        ("As in Cohen et al. 2020, cf. Fig. 3 and p. 7.", ["As in Cohen et al. 2020, cf. Fig. 3 and p. 7."]),
        (
            "Many, e.g. COVID-19, i.e. SARS. J. Cohen found it.",
            ["Many, e.g. COVID-19, i.e. SARS.", "J. Cohen found it."],
        ),
        (
            "He said “no.” Then (it was late.) They left.",
            ["He said “no.”", "Then (it was late.)", "They left."],
        ),
        ("A file of scikit-learn 1.9. version", ["A file of scikit-learn 1.9. version"]),
        ("Higher by +0.1. −0.2 is lower.", ["Higher by +0.1.", "−0.2 is lower."]),
        ("", []),
    ],
)
def test_sentences_end_where_they_end(text: str, sentences: list[str]) -> None:
    assert readability.split_sentences(text) == sentences


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Macro F1 was 0.834 (0.774–0.845), p ≤ 0.001.", ["0.834", "0.774", "0.845", "0.001"]),
        ("COVID-19, F1, X-rays, C4D and 2D have none, nor has U-Net16.", []),
        ("12,400 parameters, .03 and −.2, +0.4", ["12,400", ".03", "−.2", "+0.4"]),
        ("They are 64\u00a0×\u00a064 pixels, 8 × 8 thumbnails", ["64\u00a0×\u00a064", "8 × 8"]),
        ("In 95 % of 2,000, resamples 3.", ["95", "2,000", "3"]),
        ("a 3-fold rise, the 2nd epoch", []),
    ],
)
def test_numbers_are_found_and_names_are_not(text: str, numbers: list[str]) -> None:
    assert readability.find_numbers(text) == numbers


def test_words_are_counted_without_signs() -> None:
    assert readability.count_words("p ≤ 0.05 – “nothing” (COVID-19)") == 4


PAGE = """
<html><body><nav><p>Contents.</p></nav>
<section class="abstract"><h2>Abstract</h2><p>It is <em>short</em>.</p></section>
<main>
<section><h2><span class="header-section-number">1</span> One<a class="anchor"></a></h2>
<p>See <a class="cross-reference" href="#fig-a">Figure 1</a> and <a class="cross-reference" href="#tbl-b">Table 2</a>.
Run <code>a 7</code>. <math><mn>5</mn></math> follows <span class="citation">(Ho 2020)</span>.</p>
<ul><li>An item</li><li><p>Another. And more.</p></li></ul>
<div class="author"><p>Mine.</p></div>
<figure id="fig-a"><img><figcaption>Figure 1: Drawn by <span class="citation">Ho (2020)</span>.</figcaption></figure>
<figure id="tbl-b"><figcaption>Table 2: A list.</figcaption><table><tr><td>8</td>
<td><a class="cross-reference" href="#fig-c">Figure 2</a></td></tr></table></figure>
<div class="content-visible"><figure id="tbl-s"><figcaption>Table S1: More.</figcaption></figure></div></section>
<section><h2>Appendix</h2><p>In <a class="cross-reference" href="#fig-c">Figure 2</a>.</p>
<figure id="fig-c"><figcaption>Figure 2</figcaption></figure></section>
</main></body></html>
"""


def test_prose_is_what_is_read_as_sentences() -> None:
    page = Page(PAGE)
    assert page.abstract == "It is short."
    assert [(s.text, s.chapter) for s in page.sentences_before_appendix()] == [
        ("It is short.", "Abstract"),
        ("See Figure and Table.", "One"),
        ("Run Code.", "One"),
        ("Formula follows .", "One"),
        ("An item", "One"),
        ("Another.", "One"),
        ("And more.", "One"),
        ("Drawn by Ho.", "One"),
        ("A list.", "One"),
        ("More.", "One"),
    ]
    assert page.sentences[-1] == Sentence("In Figure.", "Appendix")


def test_references_are_those_of_the_running_text() -> None:
    page = Page(PAGE)
    assert [(f.id, f.number, f.html_only, f.in_appendix) for f in page.floats] == [
        ("fig-a", "1", False, False),
        ("tbl-b", "2", False, False),
        ("tbl-s", "S1", True, False),
        ("fig-c", "2", False, True),
    ]
    assert readability.find_missing_references(page, html_only=True) == ["tbl-s"]
    assert readability.find_missing_references(page, html_only=False) == []
    assert readability.order_of_references(page, "Figure", html_only=True) == ["1"]
    assert readability.order_of_references(page, "Figure", html_only=True, appendix=True) == ["2"]
    assert page.pointers("tbl-b") == [("8", ["fig-c"])]


def test_a_number_is_repeated_under_its_name() -> None:
    said = readability.count_repeated_numbers(
        Sentence(text, "")
        for text in ("Macro F1 is 0.834.", "With macro F1 of 0.834, accuracy is 0.834.", "In 2 of 30 cases.")
    )
    # A capital letter makes no other name of it.
    assert said == {("macro F1", "0.834"): 2, ("accuracy", "0.834"): 1}


def test_a_phrase_is_repeated_with_other_numbers() -> None:
    sentences = [Sentence(f"On the {n} test images its accuracy is .{n} again.", "") for n in (96, 77)]
    said = readability.count_repeated_phrases(sentences)
    assert said["On the # test images its accuracy is"] == 2
    assert max(said.values()) == 2


def test_type_shrinks_with_its_figure() -> None:
    drawing = '<svg width="{}mm" viewBox="0 0 200 100"><text style="font-size: 10px">a</text></svg>'
    assert readability.smallest_type(drawing.format(100)) == pytest.approx(10 * 100 / 200 * 72 / 25.4)
    assert readability.smallest_type(drawing.format(320)) == pytest.approx(10 * 160 / 200 * 72 / 25.4)


def test_chapters_and_feet_of_a_pdf(tmp_path: Path) -> None:
    text = "\n\n".join("Many words to fill a line. " * 24 for _ in range(9))
    (tmp_path / "report.qmd").write_text(
        f"---\ntitle: T\nlang: en\n---\n\n# One\n\n{text}\n\n# Appendix: more\n\nShort.\n"
    )
    (tmp_path / "references.bib").write_text("")
    inputs = {"source": tmp_path, "templates": TEMPLATES}
    pdf.render(inputs, tmp_path, scratch=tmp_path, progress=lambda *_, **__: None)
    printed = Print(tmp_path / "report.pdf")
    assert [title for title, _ in printed.chapters] == ["T", "1 One", "2 Appendix: more"]
    assert all(before < after for (_, before), (_, after) in pairwise(printed.chapters))
    assert 1.4 < printed.main_pages < 2
    assert len(printed.empty_feet) == 2 and printed.empty_feet[0] < 0.1

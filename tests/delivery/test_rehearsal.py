"""What would be refused after the last training is refused before the first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from report import PROJECT
from report.cli import find_exit_code
from report.commands.execution import includes_training, rehearse_document
from report.delivery import made_up
from report.delivery.rehearsal import rehearse
from report.engine.events import Planned, Waiting
from report.errors import RENDER, STUDY, EnvironmentProblem, RenderError, StudyError
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.tiny_build import having

STUDIES = PROJECT / "studies"
TWO_CLASSES = (Path(__file__).parents[1] / "data" / "two_classes.toml").read_text(encoding="utf-8")


@pytest.fixture
def study(tmp_path: Path):
    """Return a function that writes a small study with its author's words, and returns its folder."""

    def write(introduction: str = "Words.", discussion: str = "Words.", more: str = "") -> Path:
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        (folder / "study.toml").write_text(TWO_CLASSES + more, encoding="utf-8")
        (folder / "introduction.md").write_text(introduction, encoding="utf-8")
        (folder / "discussion.md").write_text(discussion, encoding="utf-8")
        return folder

    return write


MADE_UP_ELSEWHERE = ("assignment-published", "pediatric-imbalanced", "pediatric-official")
"""Studies whose source and page tests/writing/test_readability.py makes, of made-up results too, as of real images."""
FEW = having()
"""Sections enough for the author's words: templates of the others are filled in all the same, and no page is made of them."""


def rehearsed(folder: Path | str, *overrides: str) -> None:
    assert rehearse(make_plan(Request(str(folder), None, True, overrides, Path("/nowhere")))) == ""


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        pytest.param(path.parent.name, (), marks=[pytest.mark.slow] * (path.parent.name in MADE_UP_ELSEWHERE))
        for path in sorted(STUDIES.glob("*/study.toml"))
    ]
    + [
        # The tiny build is rehearsed so every time, in short.
        pytest.param("assignment", ("split.also=none",), marks=pytest.mark.slow),
        ("assignment", ("split.group=patient", "training.seeds=[1, 2, 3]")),
        ("assignment", ("study.kind=replication", "comparison.split=val", "comparison.primary=accuracy")),
        pytest.param("radiography", ('dataset.without=["lung_opacity"]',), marks=pytest.mark.slow),
        pytest.param("pediatric-imbalanced", ("training.seeds=[1, 2, 3]",), marks=pytest.mark.slow),
    ],
)
def test_what_is_right_passes_whatever_the_settings(name, overrides):
    rehearsed(name, *overrides)


@pytest.mark.parametrize(
    "more",
    ["", '[comparison]\nbaseline = "baseline"\nagainst = ["improved"]\n', "[training]\nseeds = [1, 2, 3]\n"],
)
def test_two_classes_pass_with_what_an_author_can_say(study, more):
    words = (
        'Accuracy << r("baseline.test.accuracy") >>, << ci("baseline.test.f1.macro") >>; @fig-counts, '
        "@sec-results, [@fawcett2006], $\\frac{a}{b}$, left out: "
        '<< r("data.excluded.not_a_picture") >>.\n\n$$\nx^2\n$$\n\n- a\n- b\n'
        '<% for c in study.classes %><< r("data.train.count." ~ c.id) >> <% endfor %>\n'
    )
    rehearsed(study(words, more=more))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("$\\foo{x}$", r"introduction\.md:1: the equation \\foo\{x\} is not understood"),
        ("a\n\n$$\nx +\n\\foo{y}\n$$\n", r"introduction\.md:\d: the equation"),
        (
            'a\n\n<< r("baseline.test." ~ "acuracy") >>',
            r"introduction\.md:3: no result is called 'baseline.test.acuracy'",
        ),
        ("a\n\nAs @fig-cuonts shows.", r"introduction\.md:3: @fig-cuonts refers to nothing"),
        ("a\n\nAs @sec-results-best shows.", r"introduction\.md:3: @sec-results-best"),
        ("a\n\n[@nobody2000]", r"introduction\.md:3: @nobody2000"),
        ("a\n\n<< nothing >>", r"introduction\.md:3: 'nothing' is undefined"),
        ("a\n\n<< 1 / 0 >>", r"introduction\.md:3: division by zero"),
        ("a\n\n<% for c in study.classes %>", r"introduction\.md:\d: "),
        ("a\n\n[there](#nowhere)", r"introduction\.md:3: "),
        ("a[^1]\n\n[^1]: b\n\n[^1]: c", "(?i)note"),
    ],
)
def test_what_the_report_cannot_carry_is_named_with_the_authors_line(study, words, complaint):
    with pytest.raises(RenderError, match=complaint) as caught:
        rehearsed(study(words), *FEW)
    assert find_exit_code(caught.value) == RENDER


def test_a_requirement_that_is_answered_nowhere_is_named_with_the_line_of_the_study_file(study):
    more = '[[report.requirements]]\ntext = "A"\nwhere = "sec-data"\n[[report.requirements]]\ntext = "B"\nwhere = "sec-dta"\n'
    folder = study(more=more)
    line = (TWO_CLASSES + more).split("\n").index('where = "sec-dta"') + 1
    with pytest.raises(StudyError, match=rf"study\.toml:{line}: .*no part sec-dta") as caught:
        rehearsed(folder)
    assert "sec-data" in caught.value.hint
    assert find_exit_code(caught.value) == STUDY


def test_a_wrong_template_of_the_author_is_named_where_it_lies(study):
    folder = study()
    path = folder / "templates" / "sections" / "conclusion.qmd.j2"
    path.parent.mkdir(parents=True)
    path.write_text("# Conclusion {#sec-conclusion}\n\n<% if %>\n")
    with pytest.raises(RenderError) as caught:
        rehearsed(folder)
    assert caught.value.file == f"{folder.parent.name}/{folder.name}/templates/sections/conclusion.qmd.j2"
    assert caught.value.line == 3


def test_a_requirement_of_a_section_that_is_left_out_is_told_why(study):
    folder = study(more='[[report.requirements]]\ntext = "A"\nwhere = "sec-layers"\n')
    sections = 'report.sections=["models", "reproduce"]'
    why = r"0\.where: the report has no part sec-layers: .* section layers, which report\.sections leaves"
    with pytest.raises(StudyError, match=why):
        rehearsed(folder, sections)


def test_made_up_numbers_that_do_not_fit_a_template_refuse_nothing(study, monkeypatch):
    monkeypatch.setattr(
        made_up, "make_entry", lambda name: {"value": None, "low": None, "high": None, "level": None}
    )
    untried = rehearse(make_plan(Request(str(study()), None, True, (), Path("/nowhere"))))
    assert re.match(r"\w+\.qmd\.j2:\d+: ", untried)


def test_a_build_refuses_before_it_trains(study, tmp_path):
    """The whole command, with nothing in its cache."""
    folder = study("$\\foo{x}$")
    done = subprocess.run(
        [sys.executable, "-m", "report", "build", str(folder), "--sample", "--out", str(tmp_path / "out")],
        cwd=PROJECT,
        env={**os.environ, "REPORT_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == RENDER
    assert "introduction.md:1: the equation" in done.stderr
    assert not list((tmp_path / "cache").rglob("actions/*/*.json")), "nothing has run"
    assert not (tmp_path / "out").exists()


def test_it_is_rehearsed_only_where_something_is_trained_and_pango_is_asked_for_first(monkeypatch):
    waiting = Waiting(None, 1, frozenset())
    assert not includes_training(Planned(2, {"source": waiting, "html": waiting}, 1, 1))
    assert includes_training(Planned(2, {"train.baseline@patient": waiting}, 1, 1))
    monkeypatch.setattr("report.engine.system.distributions.find_version", lambda _: "not found")
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    def missing() -> None:
        raise EnvironmentProblem("the PDF needs Pango")

    monkeypatch.setattr("report.document.pdf.import_weasyprint", missing)
    with pytest.raises(EnvironmentProblem, match="Pango"):
        rehearse_document(make_plan(Request("assignment", None, True, (), Path("/nowhere"))), pdf=True)


CASES = PROJECT.parent / "shared" / "cases"


@pytest.mark.real
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the project")
@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        ("typo-found-late", r"introduction\.md:1: .*baseline\.test\.acuracy"),
        ("math-line", r"introduction\.md:1: the equation \\foo\{x\} is not understood"),
    ],
)
def test_the_cases_are_refused_with_the_authors_line(case, complaint):
    with pytest.raises(RenderError, match=complaint):
        rehearsed(CASES / case)


@pytest.mark.real
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the project")
@pytest.mark.parametrize("case", ["title-with-hash", "three-seeds", "only-spoils-build"])
def test_the_cases_that_are_right_pass(case):
    rehearsed(CASES / case)

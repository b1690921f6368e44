"""The page after a save: what is shown, and what is said when it cannot be made."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from report.engine.imports import changed_error
from report.engine.local_processes import LocalProcesses
from report.engine.store import Store
from report.errors import UsageError
from report.pipeline import document
from report.pipeline.stages import PROGRAM
from report.preview import rendering, session
from report.preview.page import PreviewState
from report.workspace import plan as planning
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.preview.conftest import copy_short
from tests.preview.site import ROOT


@pytest.fixture(scope="module")
def workers(made_up: Path) -> Iterator[LocalProcesses]:
    with LocalProcesses(PROGRAM, Store(made_up).root / "home") as workers:
        yield workers


class Draft:
    """A study and templates of one's own, and what is shown of them."""

    def __init__(self, root: Path, cache: Path, workers: LocalProcesses) -> None:
        self.study, self.templates = root / "studies" / "own", root / "templates"
        copy_short(self.study)
        shutil.copytree(ROOT / "templates", self.templates)
        self.request = Request(str(self.study), sample=True, cache=cache)
        self.workers, self.shown = workers, PreviewState()

    def edit(self, path: Path, old: str, new: str) -> PreviewState:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return self.render()

    def render(self) -> PreviewState:
        self.shown = rendering.render(self.request, self.workers, self.shown)
        return self.shown


@pytest.fixture
def draft(tmp_path: Path, made_up: Path, workers: LocalProcesses, monkeypatch: pytest.MonkeyPatch) -> Draft:
    monkeypatch.setattr(document, "PROJECT", tmp_path)
    monkeypatch.setattr(session, "PROJECT", tmp_path)
    return Draft(tmp_path, made_up, workers)


def test_what_is_saved_is_shown(draft):
    first = draft.render()
    assert (first.message, first.warnings) == ("", ())
    assert "EventSource" not in first.page
    (draft.study / "discussion.md").write_text("Written anew, quoting << r('baseline.test.accuracy') >>.\n")
    assert re.search(r"Written anew, quoting 0\.\d{3}\.", draft.render().page)
    (draft.study / "introduction.md").unlink()
    (draft.study / "discussion.md").write_text("An accuracy of 0.93.\n")
    shown = draft.edit(draft.study / "study.toml", '"introduction.md", ', "")
    assert 'id="sec-introduction"' not in shown.page
    assert re.match(r"discussion.md:1: 0.93 looks like a result", shown.warnings[0])
    draft.edit(draft.study / "study.toml", 'title = "Classifying', 'title = "Sorting')
    draft.edit(draft.templates / "report.qmd.j2", "# References", "Before them.\n\n# References")
    draft.edit(draft.templates / "theme" / "screen.css", "\n", "\n/* a new rule */\n")
    shown = draft.edit(draft.templates / "theme" / "page.html", "<body", "<body data-new")
    for new in ("<title>Sorting chest", "<p>Before them.</p>", "/* a new rule */", "<body data-new"):
        assert new in shown.page
    assert shown.message == ""


def test_a_save_while_the_page_is_made_is_no_error(draft, monkeypatch):
    saves, build = ["Second thoughts.\n"], rendering.build

    def interrupted(*arguments: Any) -> Any:
        if not saves:
            return build(*arguments)
        (draft.study / "discussion.md").write_text(saves.pop())
        raise changed_error("source", "1 file changed")

    monkeypatch.setattr(rendering, "build", interrupted)
    shown = draft.render()
    assert shown.message == ""
    assert "Second thoughts." in shown.page


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("discussion.md", "", "one\n\n<< r('baseline.test.acuracy') >>\n\n", r"discussion.md:3: no result is"),
        ("discussion.md", "", "one\n\n@fig-nowhere and more\n\n", r"discussion.md:3: @fig-nowhere refers to no"),
        ("discussion.md", "", "one\n\n<iframe>\n\n", r"discussion.md:3: HTML is not part"),
        ("discussion.md", "", "one\n\nIf $a \\nonsense b$ then\n\n", r"discussion.md:3: the equation a \\nonsense b"),
        ("../../templates/report.qmd.j2", "# References", "<% if %>", r"report.qmd.j2:\d+: Expected"),
        ("../../templates/report.qmd.j2", "# References", "@nobody1999\n\n# References", r"report.qmd.j2:\d+: @nob"),
        ("../../templates/sections/limits.qmd.j2", "", "<< nothing >>", r"limits.qmd.j2:1: 'nothing' is undef"),
        ("../../templates/theme/page.html", "$endfor$", "", r'"templates/theme/page.html" \(line \d+.*unexpected'),
        ("../../templates/theme/fonts.css", ".woff2", ".woff3", r"templates/theme/fonts.css:\d+: fonts/.*woff3 is"),
        ("../../templates/filters/report.lua", "local", "locl", r" templates/filters/report.lua:\d+: syntax error"),
        ("../../templates/references.bib", "},", "}", r"references.bib: \(line \d+, .*unexpected"),
        ("study.toml", "epochs = 50", "epocs = 50", r"study.toml:\d+: models.improved.epocs: unknown key"),
        ("study.toml", "epochs = 50", "epochs 50", r"study.toml:\d+: not valid TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line_until_it_is_mended(draft, file, old, new, message):
    good = draft.render()
    path = draft.study / file
    before = path.read_text()
    wrong = draft.edit(path, old, new)
    assert re.search(message, wrong.message)
    assert "/tmp" not in wrong.message.replace(str(draft.study), "")
    assert wrong.page == good.page
    path.write_text(before)
    assert draft.render() == good


def test_the_source_for_quarto_and_the_pdf_follow_a_save(draft, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "PROJECT", tmp_path)
    source = tmp_path / "document" / "own-sample" / "report.qmd"
    for words in ("One sentence.", "Another one."):
        (draft.study / "discussion.md").write_text(f"{words}\n")
        rendering.rewrite_source(draft.request, draft.workers)
        assert words.rstrip(".") in source.read_text()
    shown = rendering.render_paper(draft.request, draft.workers, draft.render())
    assert shown.paper.startswith(b"%PDF-")
    assert (shown.message, shown.page) == ("", draft.shown.page)
    wrong = PreviewState("page", "wrong")
    assert rendering.render_paper(draft.request, draft.workers, wrong) is wrong


def test_a_change_that_needs_a_training_is_said_and_not_made(draft):
    good = draft.render()
    wrong = draft.edit(draft.study / "study.toml", "epochs = 10", "epochs = 11")
    assert wrong.page == good.page
    assert re.fullmatch(
        r"own-sample: not built yet, train.baseline, .* and \d+ more would run", wrong.message
    )
    assert wrong.hint.startswith(f"report build {draft.study} --sample")


def test_figures_are_no_training(draft, capfd):
    plan = make_plan(draft.request)
    rendering.refuse_training(plan, ["figure.counts", "figure.sizes", "source", "html"])
    assert capfd.readouterr().err == "drawing figures: 2\n"
    with pytest.raises(UsageError, match="not built yet, compare would run"):
        rendering.refuse_training(plan, ["compare", "figure.counts", "source", "html"])

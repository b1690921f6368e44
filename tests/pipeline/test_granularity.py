"""What an edit makes run again, seen on a copy of this project that has built a tiny sample."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import tiny_build
from tests.tiny_build import TINY

STATUS = """
import json, os, sys
from report.engine.status import status
from report.pipeline.stages import PROGRAM
from report.workspace.plan import make_plan
from report.workspace.request import Request

plan = make_plan(Request(sample="REPORT_DATA" not in os.environ, overrides=tuple(sys.argv[1:])))
stages = status(plan.stages, plan.cache, PROGRAM, plan_name=plan.cache_name)
print(json.dumps({s.name: [s.state, *s.reasons] for s in stages}))
"""
READ = """
import sys
from report.engine.executors import local_processes
from report.engine.run import Options, build
from report.pipeline.stages import PROGRAM
from report.workspace.plan import make_plan
from report.workspace.request import Request

if __name__ == "__main__":
    plan = make_plan(Request(overrides=tuple(sys.argv[1:])))
    stages = plan.select_upstream(["images", "split"])
    built = build(stages, plan.cache, Options(PROGRAM, local_processes, plan.cache_name, jobs=1))
    print(*(name for name, stage in built.items() if stage.outcome == "ran"))
"""
UNUSED = "\n\ndef unused_by_all() -> int:\n    return 1\n"
MODELS = ("baseline", "improved")
DOCUMENT = {"source", "html", "pdf"}
OF_SEVERAL = {
    f"figure.{name}"
    for name in (
        *("primary", "histories", "matrices"),
        *("overlay.roc", "overlay.pr", "reliability", "decision", "external"),
    )
}
OF_PAIR = {f"figure.{name}.improved" for name in ("moved", "flips", "differences", "effects")}
Edit = Callable[[str], str]


class Found(NamedTuple):
    """Stages that would run by themselves, and those that would if what they read comes out different."""

    stale: set[str]
    waiting: set[str]


NOTHING = Found(set(), set())


@dataclass(frozen=True)
class Copy:
    """A copy of the project, with its own cache inside."""

    root: Path

    def run(self, *arguments: str, **settings: object) -> str:
        """Run Python in the copy, with settings of the environment, and return what it prints."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REPORT_")}
        given = {name: str(value) for name, value in settings.items()}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**environment, "PYTHONPATH": str(self.root), **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def status(self, *overrides: str, **settings: object) -> dict[str, list[str]]:
        """Return the state of each stage, followed by the reasons."""
        found: dict[str, list[str]] = json.loads(self.run("-c", STATUS, *TINY, *overrides, **settings))
        return found

    def would_run(self, *overrides: str) -> Found:
        states = {name: state for name, (state, *_) in self.status(*overrides).items()}
        assert set(states.values()) <= {"fresh", "stale", "waiting"}
        return Found(*({n for n, s in states.items() if s == state} for state in Found._fields))

    def build(self, formats: str = "html,pdf") -> set[str]:
        """Build the tiny sample, in one worker; return the stages that ran."""
        self.run(*tiny_build.BUILD[1:], "--jobs", "1", "--format", formats)
        facts = json.loads((self.root / tiny_build.OUT / "run.json").read_bytes())
        return {name for name, stage in facts["stages"].items() if stage["how"] == "ran"}

    def git(self, *words: str) -> None:
        tiny_build.git(self.root, *words)

    def another_program(self) -> str:
        """Return why the document is stale when the program does something else than at the last commit."""
        words = ["git", "rev-parse", "--short=12", "HEAD"]
        last = subprocess.run(words, cwd=self.root, capture_output=True, text=True, check=True).stdout.strip()
        return f"commit: {last} -> {last}-dirty"

    @contextmanager
    def edited(self, name: str, edit: Edit) -> Iterator[None]:
        """Change a file, or write a new one, and put everything back in the end."""
        path = self.root / name
        old = path.read_bytes() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        new = edit(old.decode() if old else "").encode()
        assert new != old
        path.write_bytes(new)
        try:
            yield
        finally:
            path.unlink() if old is None else path.write_bytes(old)


def append(text: str) -> Edit:
    return lambda old: old + text


def replace(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


def changed(states: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: state for name, state in states.items() if state != ["fresh"]}


def of_models(*kinds: str) -> set[str]:
    return {f"{kind}.{model}" for kind in kinds for model in MODELS}


@pytest.fixture(scope="module")
def copy(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return a copy of what git tracks, as it lies here now, that has built the tiny sample."""
    made = Copy(tmp_path_factory.mktemp("granularity") / "project")
    shutil.copytree(tiny, made.root)
    assert made.would_run() == NOTHING
    return made


def reworded(source: str) -> str:
    """Return a module with other words in each docstring, a comment and more space."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        is_one = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if is_one and ast.get_docstring(node) is not None:
            first = node.body[0].lineno - 1
            lines[first] = lines[first].replace('"""', '"""In other words: ', 1)
    return "\n".join(["# A reason.", "", *lines, "", "# The end."])


def test_comments_docstrings_and_layout_anywhere_run_nothing(copy):
    with ExitStack() as edits:
        modules = [path for room in ("analysis", "report") for path in (copy.root / room).rglob("*.py")]
        assert len(modules) > 40
        for path in modules:
            edits.enter_context(copy.edited(str(path.relative_to(copy.root)), reworded))
        edits.enter_context(copy.edited("studies/assignment/study.toml", append("\n# Handed in late.\n")))
        assert copy.would_run() == NOTHING
    assert copy.would_run() == NOTHING


def test_a_commit_of_other_than_the_program_runs_nothing(copy):
    for name, found in (("README.md", NOTHING), ("report/cli.py", Found({"source"}, {"html", "pdf"}))):
        with copy.edited(name, append("\n# More.\n")):
            assert copy.would_run() == NOTHING
            copy.git("commit", "--all", "-m", "More")
            assert copy.would_run() == found
            copy.git("reset", "HEAD~1")


ATTENTION = of_models("attention")
OF_ATTENTION = of_models("figure.attention")
EVALUATED = of_models("evaluate") | {"evaluate.low_detail"}
MEASURED = EVALUATED | of_models("external.evaluate")
PROBED = {"audit.probes", "audit.probe_reach", "audit.labels", "audit.labels_by_networks"}
REACHED = {
    "analysis.progress": set(),
    "analysis.models.training_progress": set(),
    "analysis.datasets.sample.phantom": {"sample", "external.sample"},
    "analysis.datasets.v7": {"read"},
    "analysis.datasets.class_folders": set(),
    "analysis.datasets.archives.unpacking": set(),
    "analysis.datasets.images.decode": {
        *("read", "images", "external.read", "external.images", "audit.duplicates"),
        *(*ATTENTION, *OF_ATTENTION),
        *("figure.examples", "figure.duplicates", "figure.labels", "figure.flips.improved"),
    },
    "analysis.preparation": {"images", "external.images", *ATTENTION},
    "analysis.splitting": {"split"},
    "analysis.patient_split": {"split"},
    "analysis.models.assignment": of_models("architecture"),
    "analysis.models.training": of_models("train"),
    "analysis.models.prediction": of_models("predict", "external.predict"),
    "analysis.evaluation.statistics.metrics": MEASURED | ATTENTION | {"compare", "ledger", "results"},
    "analysis.evaluation.statistics.roc": MEASURED | PROBED,
    "analysis.evaluation.stages.evaluate": EVALUATED,
    "analysis.evaluation.statistics.resampling": MEASURED | {"compare", "ledger", "results"},
    "analysis.evaluation.statistics.intervals": MEASURED | PROBED | ATTENTION | {"compare", "results"},
    "analysis.explanation.grad_cam": ATTENTION,
    "analysis.figures.attention_maps": OF_ATTENTION,
    "analysis.models.low_detail": {"predict.low_detail"},
    "analysis.evaluation.stages.compare": {"compare"},
    "analysis.evaluation.tables.data": {"results"},
    "analysis.figures.class_counts": {"figure.counts"},
    "analysis.figures.confusion_matrices": of_models("figure.confusion"),
    "analysis.figures.heatmaps": of_models("figure.confusion")
    | {"figure.moved.improved", "figure.matrices", "figure.external"},
    "report.writing.values": {"source", "figure.stages"},
    "report.document.svg": {"source", "html"},
    "report.document.equations": {"pdf"},
    "report.engine.run": set(),
    "report.cli": set(),
    "report.pipeline.stages": set(),
    "report.study.study": set(),
    "report.study.loading": set(),
}


def test_a_function_runs_only_the_stages_that_can_reach_its_module(copy):
    with ExitStack() as edits:
        for module in REACHED:
            edits.enter_context(copy.edited(f"{module.replace('.', '/')}.py", append(UNUSED)))
        states = copy.status()
    for module, stages in REACHED.items():
        assert {name for name, why in states.items() if f"code of {module} changed" in why} == stages
    assert {name for name, (state, *_) in states.items() if state == "stale"} == set().union(
        *REACHED.values()
    )


def test_templates_and_prose_reach_the_source_and_the_theme_what_is_made_of_it(copy):
    templates = ("references.bib", "report.qmd.j2", "sections/limits.qmd.j2")
    theme = ("filters/report.lua", "theme/document.css", "theme/page.html")
    with ExitStack() as edits:
        for name in templates:
            edits.enter_context(copy.edited(f"templates/{name}", append("\n")))
        for name in ("discussion.md", "introduction.md"):
            edits.enter_context(copy.edited(f"studies/assignment/{name}", append("\nOne more sentence.\n")))
        assert copy.would_run() == Found({"source"}, {"html", "pdf"})
        assert copy.status()["source"] == [
            "stale",
            copy.another_program(),
            f"{copy.root}/studies/assignment: 2 files changed (first: discussion.md)",
            f"{copy.root}/templates: 3 files changed (first: references.bib)",
        ]
    with ExitStack() as edits:
        for name in theme:
            edits.enter_context(copy.edited(f"templates/{name}", append("\n")))
        reason = f"{copy.root}/templates: 3 files changed (first: filters/report.lua)"
        assert changed(copy.status()) == {
            "source": ["stale", copy.another_program()],
            **{name: ["stale", reason, "waits for source"] for name in ("html", "pdf")},
        }


def test_what_no_stage_reads_runs_nothing(copy):
    new = [
        "analysis/models/third.py",
        "analysis/datasets/other_layout.py",
        "analysis/evaluation/ranking.py",
        "analysis/figures/ranking.py",
        "studies/another/study.toml",
        "templates/theme/.document.css.swp",
    ]
    known = ["README.md", "pyproject.toml", "templates/theme/fonts/README.md", "tests/test_granularity.py"]
    with ExitStack() as edits:
        assert not [name for name in new if (copy.root / name).exists()]
        for name in new + known:
            edits.enter_context(copy.edited(name, append(UNUSED)))
        assert copy.would_run() == NOTHING


def test_a_new_model_leaves_the_others_alone(copy):
    third = '\n[[models]]\nid = "third"\ntitle = "Third"\narchitecture = "analysis.models.third:third"\nepochs = 1\n'
    with (
        copy.edited("analysis/models/third.py", append("def third():\n    pass\n")),
        copy.edited("studies/assignment/study.toml", append(third)),
    ):
        states = copy.status()
    new = {name for name, (state, *_) in states.items() if state == "missing"}
    kinds = (
        "architecture",
        "train",
        "predict",
        "evaluate",
        "figure.curves",
        "figure.roc",
        "figure.confusion",
        "external.predict",
        "external.evaluate",
        "attention",
        "figure.attention",
    )
    assert new == {f"{kind}.third" for kind in kinds}
    assert {n for n, (state, *_) in states.items() if state in {"stale", "waiting"}} == {
        *("compare", "ledger", "results", "figure.stages"),
        *("audit.probe_reach", "audit.labels_by_networks", "figure.labels"),
        *("figure.flips.improved", "figure.differences.improved", "figure.effects.improved"),
        *OF_SEVERAL,
        *DOCUMENT,
    }


def test_the_title_of_the_study_reaches_the_document_alone(copy):
    found = Found({"source"}, {"html", "pdf"})
    with copy.edited("studies/assignment/study.toml", replace('title = "Class', 'title = "On class')):
        assert copy.would_run() == found
    assert copy.would_run('study.author="Another"') == found


def test_the_title_of_a_model_reaches_its_figures_and_the_document(copy):
    figures = {f"figure.{kind}.baseline" for kind in ("curves", "roc", "confusion", "attention")}
    found = copy.would_run('models.baseline.title="First CNN"')
    assert found == Found({*figures, *OF_SEVERAL, *OF_PAIR, "source"}, {"html", "pdf"})


def test_the_epochs_of_a_model_reach_that_model_and_what_follows(copy):
    figures = {f"figure.{kind}.baseline" for kind in ("curves", "roc", "confusion", "attention")}
    after = {
        "attention.baseline",
        "predict.baseline",
        "evaluate.baseline",
        "compare",
        "ledger",
        "results",
        *("external.predict.baseline", "external.evaluate.baseline"),
        *("audit.probe_reach", "audit.labels_by_networks", "figure.labels"),
        *figures,
        *OF_SEVERAL,
        *OF_PAIR,
    }
    found = copy.would_run("models.baseline.epochs=2")
    assert found == Found({"train.baseline", "source"}, {*after, "html", "pdf"})
    assert copy.status("models.baseline.epochs=2")["train.baseline"] == [
        "stale",
        f"epochs: {tiny_build.EPOCHS} -> 2",
    ]


def test_a_package_of_another_version_is_named(copy, tmp_path):
    (tmp_path / "scikit_learn-99.0.dist-info").mkdir()
    (tmp_path / "scikit_learn-99.0.dist-info" / "METADATA").write_text("Name: scikit-learn\nVersion: 99.0\n")
    stale = {n: why for n, (s, *why) in copy.status(PYTHONPATH=tmp_path).items() if s == "stale"}
    assert stale.keys() == {
        "split",
        "predict.low_detail",
        *MEASURED,
        *PROBED,
        *ATTENTION,
        *("audit.confounding", "audit.leaks", "audit.patients", "external.duplicates", "external.facts"),
        "compare",
        "ledger",
        "results",
        "source",
    }
    for reasons in stale.values():
        assert reasons[0].startswith("scikit-learn ")
        assert reasons[0].endswith(" -> 99.0")


@pytest.mark.slow  # of the tiny project this is tested every time
def test_outputs_that_come_out_equal_stop_the_wave(copy):
    edits = {
        "analysis/models/assignment.py": of_models("architecture"),
        "analysis/evaluation/statistics/metrics.py": MEASURED | ATTENTION | {"compare", "ledger", "results"},
        "analysis/figures/class_counts.py": {"figure.counts"},
        "report/writing/facts.py": {"source"},
    }
    with ExitStack() as all_edits:
        for name in edits:
            all_edits.enter_context(copy.edited(name, append(UNUSED)))
        ran = {*set().union(*edits.values()), *DOCUMENT}
        assert copy.build() == ran, "no training; the document names another program"
    assert copy.would_run() == NOTHING, "A -> B -> A"


def test_a_figure_that_looks_different_reaches_the_document(copy):
    with copy.edited("analysis/figures/class_counts.py", replace('"number of images"', '"images in all"')):
        assert copy.build("html") == {"figure.counts", "source", "html"}
    assert copy.would_run() == NOTHING, "A -> B -> A"


@pytest.fixture
def data(copy: Copy, tmp_path: Path) -> Path:
    """Return a data folder with the pictures of the tiny sample."""
    for path in (copy.root / ".cache").glob("v2/actions/*/*.json"):
        record = json.loads(path.read_bytes())
        if record["stage"] == "sample":
            for name, entry in record["outputs"].items():
                (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
                blob = copy.root / ".cache" / "v2" / "blobs" / entry["sha256"][:2] / entry["sha256"]
                shutil.copyfile(blob, tmp_path / "data" / name)
    return tmp_path / "data"


def test_data_are_known_by_their_content(copy, data, tmp_path):
    def read(folder: Path = data) -> list[str]:
        return copy.status(REPORT_DATA=folder)["read"]

    assert read() == ["fresh"], "the same images as in the sample"
    (copy.root / "read.py").write_text(READ)
    assert copy.run("read.py", *TINY, REPORT_DATA=data).split() == ["images"], "larger than in the sample"
    picture = next((data / "images").iterdir())
    os.utime(picture)
    assert read() == ["fresh"], "touched"
    shutil.copytree(data, tmp_path / "elsewhere")
    assert read(tmp_path / "elsewhere") == ["fresh"], "copied"
    (data / "images" / "another.jpeg").write_bytes(picture.read_bytes())
    assert read() == ["stale", f"{data}: 1 file added (first: images/another.jpeg)"]
    (data / "images" / "another.jpeg").unlink()
    assert read() == ["fresh"], "A -> B -> A"
    (data / "notes.txt").write_text("to be sorted")
    assert copy.run("read.py", *TINY, REPORT_DATA=data).split() == ["read"], "which has no use for notes"

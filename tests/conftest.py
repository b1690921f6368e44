"""A tiny project of its own in a temporary folder, and builds of it."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest

from report.engine import executors
from report.engine.code import Project
from report.engine.executors import StartExecutor, local_processes
from report.engine.local_processes import LocalProcesses
from report.engine.run import Built, Options, build
from report.engine.stage import Output, Stage
from report.engine.status import StageStatus, status
from report.engine.store import Store
from tests import tiny_build

REPOSITORY = Path(__file__).resolve().parents[1]
# As in a worker: of two threads one waits most of the time, and as busily as the other computes.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
os.environ |= dict.fromkeys(THREADS, "1") | os.environ
os.environ.pop("REPORT_CACHE_REMOTE", None)  # what others share is given nothing by tests

STEPS = '''
"""Steps of the tiny project."""
import os
import time

from toy.arithmetic import add


def number(inputs, out, *, scratch, progress, value):
    """Write a number."""
    (out / "number.txt").write_text(str(value))


def total(inputs, out, *, scratch, progress):
    numbers = [int((folder / "number.txt").read_text()) for folder in inputs.values()]
    (out / "number.txt").write_text(str(add(numbers)))


def slow(inputs, out, *, scratch, progress, steps):
    """Count up in scratch, from where an interrupted run has stopped."""
    (scratch / "pid").write_text(str(os.getpid()))
    counter = scratch / "counter"
    begun = int(counter.read_text()) if counter.exists() else 0
    print("begun at", begun)
    for step in range(begun, steps):
        (scratch / "next").write_text(str(step))
        (scratch / "next").replace(counter)  # whole, whenever this is killed
        progress(step + 1, steps, "steps", loss=1 / (step + 1))
        time.sleep(0.05)
    (out / "number.txt").write_text(str(steps))
'''

WORDS = """
def shout(inputs, out, *, scratch, progress):
    from toy import letters

    text = (inputs["total"] / "number.txt").read_text()
    (out / "words.txt").write_text(letters.big(text))
"""


class Toy:
    """The tiny project: its modules, its cache, and what ran in the last build."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root, ("toy",), declared_in="toy/stages.py")
        self.cache = root / "cache"
        self.store = Store(self.cache)
        self.write("toy.__init__", "")
        self.write("toy.arithmetic", "def add(numbers):\n    return sum(numbers)\n")
        self.write("toy.letters", "def big(text):\n    return 'total ' + text\n")
        self.write("toy.steps", STEPS)
        self.write("toy.words", WORDS)

    def write(self, module: str, code: str) -> Path:
        path = self.root.joinpath(*module.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    def edit(self, module: str, old: str, new: str) -> None:
        path = self.root.joinpath(*module.split(".")).with_suffix(".py")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def stages(self, a: Any = 1, b: Any = 2) -> list[Stage]:
        return [
            Stage("a", "toy.steps:number", params={"value": a}),
            Stage("b", "toy.steps:number", params={"value": b}),
            Stage("total", "toy.steps:total", {"a": Output("a"), "b": Output("b")}),
            Stage("words", "toy.words:shout", {"total": Output("total")}),
        ]

    def build(self, stages: Sequence[Stage] | None = None, **options: Any) -> dict[str, Built]:
        chosen = Options(**{"project": self.project, "start_executor": local_processes, **options})
        return build(stages or self.stages(), self.cache, chosen)

    def ran(self, stages: Sequence[Stage] | None = None, **options: Any) -> set[str]:
        return {name for name, built in self.build(stages, **options).items() if built.outcome == "ran"}

    def status(self, stages: Sequence[Stage] | None = None) -> dict[str, StageStatus]:
        found = status(stages or self.stages(), self.cache, self.project)
        return {stage.name: stage for stage in found}

    def driver(self, steps: int) -> subprocess.Popen[str]:
        """Start a build of one number and one slow stage in a process of its own."""
        script = self.root / "drive.py"
        script.write_text(f"""
from pathlib import Path
from report.engine.code import Project
from report.engine.executors import local_processes
from report.engine.run import Options, build
from report.engine.stage import Stage

if __name__ == "__main__":
    root = Path({str(self.root)!r})
    stages = [
        Stage("a", "toy.steps:number", params={{"value": 1}}),
        Stage("slow", "toy.steps:slow", params={{"steps": {steps}}}),
    ]
    built = build(stages, root / "cache", Options(Project(root, ("toy",)), local_processes))
    print(*(f"{{name}}={{b.outcome}}" for name, b in built.items()))
""")
        return subprocess.Popen(
            [sys.executable, script],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def slow(self, steps: int) -> list[Stage]:
        return [*self.stages()[:1], Stage("slow", "toy.steps:slow", params={"steps": steps})]

    def worker(self) -> int:
        """Return the process id that runs the slow stage, once it has counted a few steps."""

        def counting() -> int:
            counters = list(self.store.root.glob("scratch/*/counter"))
            return counters and int(counters[0].read_text() or 0) > 3

        wait_for(counting)
        return int(next(self.store.root.glob("scratch/*/pid")).read_text())


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


CASE, WORKERS = "case", "start_workers"
"""Fixtures that take long to make: what uses one runs in one process."""
LONGEST = (
    *("delivery/test_rebuild.py", CASE, "models/test_checkpoint.py", "figures/test_many_classes.py"),
    *("pipeline/test_granularity.py", "studies/test_every_study.py", "writing/test_hostile.py"),
    *("writing/test_readability.py", "audit/test_planted_faults.py", "figures/test_all_figures.py"),
    *("preview/test_rendering.py", "commands/test_audit.py", "commands/test_build.py"),
    *("delivery/test_rehearsal.py", "document/test_browser.py", "evaluation/stages/test_compare.py"),
    *("document/test_pdf.py", "models/test_saving_check.py", "models/test_networks.py"),
    "models/test_fine_tuning.py",
)
"""What costs most, the longest first: begun last, it would keep one process busy long after the other has ended."""

READS_OF_ANOTHER = {"document/test_pdf.py": "writing/test_readability.py"}
"""Files whose tests read what those of another file make."""

TOGETHER = ("models", "figures")
"""Rooms whose tests share what takes seconds to import or to make."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one process the tests of a file or of a room, and those that share a costly fixture; the longest first."""
    ranks = {}
    for item in items:
        given = getattr(item, "callspec", None)
        shares = CASE in getattr(item, "fixturenames", ()) and not (given and CASE in given.params)
        where = CASE if shares else item.path.relative_to(REPOSITORY / "tests").as_posix()
        room = where.partition("/")[0]
        group = room if room in TOGETHER else READS_OF_ANOTHER.get(where, where)
        if WORKERS in getattr(item, "fixturenames", ()):
            group = WORKERS
        item.add_marker(pytest.mark.xdist_group(group))
        ranks[item] = LONGEST.index(where) if where in LONGEST else len(LONGEST)
        if where in LONGEST:
            item.add_marker(pytest.mark.long)
    items.sort(key=ranks.__getitem__)


def pytest_collection_finish() -> None:
    """Let the collector pass over what has been imported, and run seldom: Keras has it run before each training."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def _interrupts_reach_what_is_started() -> None:
    """A job in the background ignores Ctrl-C, and so would what it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return a function that fills a folder once a run of the tests, in however many processes these are."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def fill(name: str, make: Callable[[Path], None]) -> Path:
        place, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(place, ignore_errors=True)  # of a process in which it failed
                place.mkdir()
                make(place)
                done.touch()
        return place

    return fill


@pytest.fixture(scope="session")
def tiny(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return a copy of the project that has built the tiny sample; who wants to change it makes a copy."""
    return once("tiny", tiny_build.make)


@pytest.fixture(scope="session")
def start_workers() -> Iterator[StartExecutor]:
    """Return what gives every build the workers of the first: what takes seconds to import is imported once."""
    with ExitStack() as end:
        workers: list[LocalProcesses] = []

        def start(project: Project, home: Path) -> AbstractContextManager[LocalProcesses]:
            if not workers:
                workers.append(end.enter_context(LocalProcesses(project, home)))
            return nullcontext(workers[0])

        yield start


@pytest.fixture(scope="module")
def shared_workers(start_workers: StartExecutor) -> Iterator[None]:
    """Let builds that are started in this process have their workers together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "local_processes", start_workers)
        yield


@pytest.fixture
def is_running() -> Callable[[int], bool]:
    """Tell whether a process is there, and not only its exit status."""

    def look(process: int) -> bool:
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return look


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    monkeypatch.syspath_prepend(tmp_path)  # errors of its own classes come back to this process
    yield Toy(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]


@pytest.fixture
def as_kept(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return a function that compares a text with the one kept in ``snapshots/`` beside the test.

    After a wanted change: ``REPORT_SNAPSHOTS=write python -m pytest tests -k as_kept``, then read the difference
    before it is committed.
    """
    snapshots = request.path.parent / "snapshots"

    def compare(name: str, text: str) -> None:
        if os.environ.get("REPORT_SNAPSHOTS") == "write":
            (snapshots / name).write_text(text, encoding="utf-8")
        assert text == (snapshots / name).read_text(encoding="utf-8")

    return compare

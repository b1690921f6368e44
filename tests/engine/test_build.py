from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from report.engine.events import Failed, Finished, Planned, Progressed, Started
from report.engine.stage import Output, Source, Stage, select
from report.engine.status import read_last_log
from report.errors import EnvironmentProblem, SourceError, StageError, UserError

ALL = {"a", "b", "total", "words"}


def test_only_what_depends_on_a_change_runs(toy):
    assert toy.ran() == ALL
    assert toy.build()["words"].path("words.txt").read_text() == "total 3"
    assert toy.ran() == set()
    toy.edit("toy.steps", '"""Write a number."""', '"""Write one number."""  # at last')
    toy.edit("toy.arithmetic", "def add(numbers):", "def add(\n    numbers,\n):\n    # quickly")
    assert toy.ran() == set()
    assert toy.ran(toy.stages(a=5)) == {"a", "total", "words"}
    assert toy.ran(toy.stages(a=2, b=1)) == {"total"}, "the wave stops where outputs come out equal"
    assert toy.ran() == set(), "A -> B -> A"


def test_edited_code_re_runs_its_users_only(toy):
    toy.build()
    toy.edit("toy.letters", "'total '", "'TOTAL '")
    assert toy.ran() == {"words"}, "imported inside a function"
    assert toy.build()["words"].path("words.txt").read_text() == "TOTAL 3"
    toy.edit("toy.letters", "'TOTAL '", "'total '")
    assert toy.ran() == set()
    toy.edit("toy.arithmetic", "sum(numbers)", "max(numbers)")
    assert toy.ran() == {"a", "b", "total", "words"}
    toy.edit("toy.arithmetic", "max(numbers)", "len(numbers)")
    assert toy.ran() == {"a", "b", "total"}, "max and count are both 2"


def test_stages_that_are_not_asked_for_do_not_run(toy):
    assert toy.ran(only=["total"]) == {"a", "b", "total"}
    with pytest.raises(StageError, match="no stage is called nothing"):
        toy.build(only=["nothing"])


def test_a_plan_that_is_none_is_refused():
    late = [Stage("x", "m:f", {"y": Output("y")}), Stage("y", "m:f")]
    for stages, words in ((late, "reads y, which no earlier"), ([late[1]] * 2, "is there twice")):
        with pytest.raises(StageError, match=words):
            select(stages)


def test_sources_are_keyed_by_content(toy):
    toy.write(
        "toy.reading",
        """
        def read(inputs, out, *, scratch, progress):
            names = sorted(p.name for p in inputs["notes"].iterdir())
            (out / "names.txt").write_text(" ".join(names))
        """,
    )
    notes = toy.root / "notes"
    notes.mkdir()
    (notes / "x.md").write_text("x")
    (notes / "y.txt").write_text("y")
    stages = [Stage("read", "toy.reading:read", {"notes": Source(notes, include=("*.md",))})]
    assert toy.build(stages)["read"].path("names.txt").read_text() == "x.md", "only what is in the key"
    (notes / "y.txt").write_text("Y")
    assert toy.ran(stages) == set()
    (notes / "x.md").write_text("X")
    assert toy.ran(stages) == {"read"}
    (notes / "x.md").unlink()
    notes.joinpath("y.txt").unlink()
    notes.rmdir()
    with pytest.raises(SourceError, match="notes: no such file or folder"):
        toy.build(stages)


@pytest.mark.parametrize("what", ["code", "source"])
def test_what_changes_while_a_stage_runs_is_refused(toy, what):
    data = toy.root / "data.txt"
    data.write_text("1")
    stages = [Stage("slow", "toy.steps:slow", {"data": Source(data)}, {"steps": 12})]

    def meddle(event):
        if isinstance(event, Progressed) and event.done < 4:
            (toy.edit("toy.arithmetic", "sum", "max") if what == "code" else data.write_text("2"))

    with pytest.raises(StageError, match=r"slow: .* changed while the stage ran"):
        toy.build(stages, on_event=meddle)
    assert list(toy.store.root.glob("actions/*/*")) == []
    if what == "code":
        toy.edit("toy.arithmetic", "max", "sum")
    assert toy.ran(stages) == {"slow"}


def test_events_tell_the_course(toy):
    events = []
    toy.build(toy.slow(5), on_event=events.append)
    assert (events[0].total, list(events[0].waiting)) == (2, ["a", "slow"])
    assert Started("slow", None) in events
    assert Progressed("slow", 5, 5, "steps", {"loss": 0.2}) in events
    assert {(e.stage, e.outcome) for e in events if isinstance(e, Finished)} == {
        ("a", "ran"),
        ("slow", "ran"),
    }
    again = []
    toy.build(toy.slow(6), on_event=again.append)
    assert isinstance(again[0], Planned), "before all else; what is cached is not told one by one"
    assert [(name, w.seconds > 0.2) for name, w in again[0].waiting.items()] == [("slow", True)]
    assert {e.stage for e in again if isinstance(e, Finished)} == {"slow"}
    assert next(e for e in again if isinstance(e, Started)).expected_seconds > 0.2


BAD = """
import errno, os, random, sys

class Mendable(Exception):
    def __init__(self, message, hint):
        super().__init__(message, hint)
        self.message, self.hint = message, hint

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__("odd")
        self.unsendable = lambda: None

def fail(inputs, out, *, scratch, progress, how):
    print("about to", how)
    os.write(1, b"from below\\n")
    if how == "user":
        raise Mendable("no images", "look")
    if how == "crash":
        raise ValueError("wrong\\nshape")
    if how == "odd":
        raise Odd(1, 2)
    if how == "exit":
        sys.exit(3)
    if how == "die":
        os._exit(9)
    if how == "full":
        raise OSError(errno.ENOSPC, "No space left on device")

def draw(inputs, out, *, scratch, progress):
    import numpy as np

    (out / "x.txt").write_text(f"{random.random()} {np.random.random()} {os.environ['TF_NUM_INTRAOP_THREADS']}")

def paint(inputs, out, **rest):
    draw(inputs, out, **rest)

def differ(inputs, out, *, scratch, progress):
    (out / "x.txt").write_text(str(os.urandom(8)))
    (out / "same.txt").write_text("same")
"""


@pytest.mark.parametrize(
    ("how", "kind", "message", "hint"),
    [
        ("user", UserError, "no images", "look"),
        ("crash", StageError, "bad: ValueError: wrong shape", "report log bad"),
        ("odd", StageError, "bad: toy.bad.Odd: odd", "report log bad"),
        ("exit", StageError, "bad: SystemExit: 3", "report log bad"),
        (
            "die",
            StageError,
            "bad: its process was ended from outside: killed, or out of memory",
            "run the same",
        ),
        ("full", EnvironmentProblem, "no room left on the disk", "make room"),
        ("nothing", StageError, "bad: wrote nothing", "report log bad"),
    ],
)
def test_failures_are_told_and_the_rest_is_finished(toy, how, kind, message, hint):
    toy.write("toy.bad", BAD)
    bad = Stage("bad", "toy.bad:fail", params={"how": how})
    after = Stage("after", "toy.steps:total", {"bad": Output("bad")})
    events = []
    with pytest.raises(Exception, match=re.escape(message)) as caught:
        toy.build([bad, after, *toy.stages()], on_event=events.append)
    assert isinstance(caught.value, kind)
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)
    assert {e.stage for e in events if isinstance(e, Finished)} == ALL
    assert [e.stage for e in events if isinstance(e, Failed)] == ["bad"]
    log = read_last_log(toy.cache, "default", "bad")
    assert log.startswith(f"bad started\nabout to {how}\nfrom below\n")
    assert ("Traceback" in log) == (how not in {"die", "nothing"})
    assert toy.ran() == set()


def test_the_log_of_a_stage_has_its_begin_its_epochs_and_its_end(toy):
    toy.write(
        "toy.training",
        """
        def train(inputs, out, *, scratch, progress):
            for epoch in (1, 2):
                progress(epoch, 2, "images")
                progress(epoch, 2, "epochs", log=True, loss=0.5 / epoch)
            (out / "x").write_text("")
        """,
    )
    toy.build([Stage("train", "toy.training:train")])
    begin, *epochs, end = read_last_log(toy.cache, "default", "train").splitlines()
    assert begin == "train started"
    assert epochs == ["1 of 2 epochs: loss 0.5", "2 of 2 epochs: loss 0.25"]
    assert re.fullmatch(r"train done in \d+\.\d s", end)
    next(toy.store.root.glob("logs/*.log")).write_text("")
    assert re.fullmatch(r"train wrote nothing; ran \d+\.\d s\n", read_last_log(toy.cache, "default", "train"))
    assert read_last_log(toy.cache, "default", "predict") == ""


def test_what_only_serves_a_lost_stage_is_not_begun(toy):
    toy.write("toy.bad", BAD)
    bad = Stage("bad", "toy.bad:fail", params={"how": "user"})
    after = Stage("after", "toy.steps:total", {"bad": Output("bad"), "a": Output("a"), "b": Output("b")})
    events = []
    with pytest.raises(Exception, match="no images"):
        toy.build([bad, *toy.stages()[:2], after], jobs=1, on_event=events.append)
    assert [e.stage for e in events if isinstance(e, Started)] == ["bad"]
    assert [e.lost for e in events if isinstance(e, Failed)] == [{"a", "b", "after"}]
    other = Stage("other", "toy.steps:total", {"a": Output("a")})
    with pytest.raises(Exception, match="no images"):
        toy.build([bad, *toy.stages()[:2], after, other])
    assert toy.ran([toy.stages()[0], other]) == set(), "a has served another too"


def test_what_is_early_runs_first_and_nothing_is_begun_after_its_failure(toy):
    toy.write("toy.bad", BAD)
    a, b = toy.stages()[:2]
    bad = Stage("bad", "toy.bad:fail", params={"how": "user"}, early=True)
    total = Stage("total", "toy.steps:total", {"a": Output("a"), "b": Output("b")})
    events = []
    with pytest.raises(Exception, match="no images"):
        toy.build([a, b, total, bad], jobs=1, on_event=events.append)
    assert [e.stage for e in events if isinstance(e, Started)] == ["bad"]


def test_first_failure_of_the_plan_is_raised(toy):
    toy.write("toy.bad", BAD)
    stages = [
        Stage(name, "toy.bad:fail", params={"how": how}) for name, how in (("x", "crash"), ("y", "user"))
    ]
    with pytest.raises(StageError, match=r"^x: "):
        toy.build(stages)
    toy.write("toy.worse", "x = = 1")
    with pytest.raises(StageError, match=r"worse\.py:1"):
        toy.build([Stage("z", "toy.worse:f"), *stages])


def test_random_numbers_and_threads_depend_on_the_key_only(toy):
    toy.write("toy.bad", BAD)
    kinds = (("x", "draw", 1), ("y", "paint", 1), ("z", "draw", 2), ("w", "draw", 64))
    stages = [
        Stage(name, f"toy.bad:{function}", threads=threads, packages=("numpy",))
        for name, function, threads in kinds
    ]
    built = toy.build(stages, jobs=1)
    texts = [stage.path("x.txt").read_text().split() for stage in built.values()]
    assert [text[2] for text in texts] == ["1", "1", "2", "64"]
    assert len({text[0] for text in texts}) == len({text[1] for text in texts}) == 2
    toy.cache = toy.root / "other"
    assert {n: b.record.digest for n, b in toy.build(stages[::-1], jobs=2).items()} == {
        n: b.record.digest for n, b in built.items()
    }


def test_recheck_runs_cached_stages_again_and_compares(toy):
    toy.build()
    events = []
    toy.build(recheck=10, on_event=events.append)
    assert {e.stage for e in events if isinstance(e, Finished) and e.outcome == "same"} == ALL
    toy.write("toy.bad", BAD)
    stages = [Stage("differ", "toy.bad:differ")]
    before = toy.build(stages)["differ"].record
    with pytest.raises(StageError, match=r"differ: run again, it gives other bytes: x\.txt$"):
        toy.build(stages, recheck=1)
    assert toy.build(stages)["differ"].record == before


def test_doing_nothing_is_quick_and_light(toy):
    script = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from report.engine.code import Project
        from report.engine.executors import local_processes
        from report.engine.run import Options, build
        from report.engine.stage import Output, Stage
        stages = [Stage("s0", "toy.steps:number", params={{"value": 1}}, packages=("numpy",))]
        for i in range(1, 60):
            read, value = {{"a": Output(f"s{{i // 2}}")}}, {{"value": i}}
            stages.append(Stage(f"s{{i}}", "toy.steps:number", read, value, packages=("pandas",)))
        built = build(stages, Path({str(toy.cache)!r}), Options(Project(Path({str(toy.root)!r}), ("toy",)), local_processes))
        heavy = {{"numpy", "multiprocessing", "concurrent", "asyncio", "subprocess", "ctypes", "logging"}}
        print(sum(b.outcome == "ran" for b in built.values()), time.process_time(), heavy & set(sys.modules))
        """)
    (toy.root / "nothing.py").write_text(f"if __name__ == '__main__':\n{textwrap.indent(script, '    ')}")

    def run() -> list[str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        command = [sys.executable, str(toy.root / "nothing.py")]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.split(maxsplit=2)

    assert run()[0] == "60"
    ran, seconds, heavy = run()
    assert (ran, heavy.strip()) == ("0", "set()")
    assert float(seconds) < 0.3

"""Nothing undeclared: files and packages that the key of a stage does not cover, and the user's settings."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from report.commands.execution import build_stages, local_options
from report.engine.events import Failed, Started, Warned
from report.engine.run import build as engine_build
from report.engine.stage import Output, Source, Stage
from report.engine.status import read_last_log
from report.engine.system import distributions
from report.errors import StageError

READING = """
import os, sys, tempfile
from pathlib import Path

def odd(inputs, out, *, scratch, progress, code):
    exec(code)
    (out / "x.txt").write_text("x")

def good(inputs, out, *, scratch, progress):
    for name, folder in inputs.items():
        for file in sorted(folder.glob("*")):
            assert file.read_bytes() == file.resolve().read_bytes()
    (scratch / "begun").write_text("1")
    assert (scratch / "begun").read_text() == "1"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x").write_text("x")
        assert (Path(folder) / "x").read_text() == "x" and os.listdir(folder) == ["x"]
    with tempfile.NamedTemporaryFile("w") as file, tempfile.TemporaryFile() as other:
        Path(file.name).read_text()
    Path(__file__).read_text()
    Path(os.__file__).read_text()
    Path("/etc/localtime").exists() and Path("/etc/localtime").read_bytes()
    Path("nowhere.txt").exists() or Path("/nowhere.txt").exists()
    names = ("XDG_CONFIG_HOME", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC")
    (out / "x.txt").write_text(" ".join([str(Path.home()), *(n for n in names if n in os.environ)]))
"""

NUMPY = """
def calculate(inputs, out, *, scratch, progress):
    import numpy

    (out / "x.txt").write_text(str(numpy.sum([1])))
"""


def strict(toy):
    toy.project = replace(toy.project, strict=True)
    return toy


def test_what_is_declared_is_read_in_peace_and_without_the_users_settings(toy, monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME", "KERAS_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC"):
        monkeypatch.setenv(name, str(toy.root / "settings"))
    toy.write("toy.reading", READING)
    for folder in ("all", "some"):
        (toy.root / folder).mkdir()
        (toy.root / folder / "a.txt").write_text("a")
    (toy.root / "all" / "link.txt").symlink_to(toy.root / "steps.txt")
    (toy.root / "steps.txt").write_text("linked")
    some = Source(toy.root / "some", include=("*.txt",))
    inputs = {"number": Output("a"), "all": Source(toy.root / "all"), "some": some}
    built = strict(toy).build([*toy.stages(), Stage("good", "toy.reading:good", inputs)])
    assert built["good"].path("x.txt").read_text() == str(toy.store.root / "home")
    assert [b.record.undeclared for b in built.values()] == [[]] * 5


@pytest.mark.parametrize(
    "code",
    [
        "open({secret!r}).read()",
        "os.close(os.open({secret!r}, os.O_RDONLY))",
        "os.chdir({folder!r}); open(b'secret.txt').read()",
        "list(Path({folder!r}).iterdir())",
        "text = Path({secret!r}).read_text(); Path({secret!r}).write_text(text + '1')",
        "text = Path({secret!r}).read_text(); Path({secret!r}).unlink()",
        "(out / 'link').symlink_to({secret!r}); (out / 'link').resolve().read_text(); (out / 'link').unlink()",
    ],
)
def test_reading_something_else_is_told_or_refused(toy, code, secret):
    toy.write("toy.reading", READING)
    stages = [
        Stage(
            "odd", "toy.reading:odd", params={"code": code.format(secret=secret, folder=str(toy.root / "s"))}
        )
    ]
    what = f"reads {toy.root / 's'}" + ("" if "iterdir" in code else "/secret.txt")
    record = toy.build(stages)["odd"].record
    assert record.undeclared == [{"did": "reads", "name": what.removeprefix("reads ")}]
    assert f"{what}, which its key does not cover\n" in read_last_log(toy.cache, "default", "odd")
    toy.cache = toy.root / "strict"
    Path(secret).write_text("1")
    with pytest.raises(StageError, match=re.escape(f"odd: {what}, which its key does not cover")) as caught:
        strict(toy).build(stages)
    assert caught.value.hint == "name it in `inputs` of the stage in toy/stages.py"
    assert list(toy.cache.glob("v2/actions/*/*")) == []


@pytest.fixture
def secret(toy):
    (toy.root / "s").mkdir()
    (toy.root / "s" / "secret.txt").write_text("1")
    return str(toy.root / "s" / "secret.txt")


def test_packages_that_our_code_imports_are_declared_or_required_by_one_that_is(toy):
    toy.write("toy.counting", NUMPY)
    stage = Stage("sum", "toy.counting:calculate")
    with pytest.raises(StageError, match=r"^sum: imports numpy, which its key does not cover$") as caught:
        strict(toy).build([stage])
    assert caught.value.hint == "name it in `packages` of the stage in toy/stages.py"
    assert toy.build([replace(stage, packages=("pandas",))])["sum"].record.undeclared == []
    assert distributions.find_undeclared(
        ["PIL.Image", "os.path", "sklearn", "nowhere"], ["Scikit_Learn"]
    ) == ["pillow"]
    assert distributions.find_undeclared(["brotli", "fontTools"], ["weasyprint"]) == [], (
        "of an extra: fonttools[woff]"
    )
    assert distributions.find_undeclared(["matplotlib"], ["pandas"]) == ["matplotlib"], (
        "of an extra not asked for"
    )


HIDING = """
import importlib

def hide(inputs, out, *, scratch, progress):
    (out / "x.txt").write_text(importlib.import_module("toy.letters").big("x"))
"""


def test_our_own_modules_that_are_imported_by_name_are_declared(toy):
    toy.write("toy.hiding", HIDING)
    stage = Stage("hide", "toy.hiding:hide")
    assert toy.build([stage])["hide"].record.undeclared == [{"did": "uses", "name": "toy.letters"}]
    stages = [replace(stage, uses=("toy.letters:big",))]
    assert strict(toy).build(stages)["hide"].record.undeclared == []
    toy.edit("toy.letters", "'total '", "'TOTAL '")
    assert toy.ran(stages) == {"hide"}
    toy.cache = toy.root / "strict"
    with pytest.raises(
        StageError, match=r"^hide: uses toy\.letters, which its key does not cover$"
    ) as caught:
        toy.build([stage])
    assert caught.value.hint == "name it in `uses` of the stage in toy/stages.py"


def test_a_strict_build_refuses_what_another_has_only_warned_of_where_it_finds_it(toy):
    toy.write("toy.hiding", HIDING)
    stages = [Stage("hide", "toy.hiding:hide"), Stage("after", "toy.steps:total", {"hide": Output("hide")})]
    events = []
    toy.build(stages[:1], on_event=events.append)
    (warned,) = (e for e in events if isinstance(e, Warned))
    assert (warned.stage, warned.problem.message.partition(",")[0]) == ("hide", "hide: uses toy.letters")
    events.clear()
    with pytest.raises(StageError, match=r"^hide: uses toy\.letters"):
        strict(toy).build(stages, on_event=events.append)
    assert [e.stage for e in events if isinstance(e, Failed)] == ["hide"]
    assert [e for e in events if isinstance(e, Started)] == [], "what reads it does not run"


@pytest.mark.parametrize(
    ("ci", "option", "refused"), [("", {}, False), ("", {"strict": True}, True), ("true", {}, True)]
)
def test_every_command_warns_in_the_end_and_ci_is_strict(toy, monkeypatch, capsys, ci, option, refused):
    toy.write("toy.hiding", HIDING)
    monkeypatch.setenv("CI", ci)

    def of_toy(stages, cache, options):
        project = replace(toy.project, strict=options.project.strict)
        return engine_build(stages, cache, replace(options, project=project))

    monkeypatch.setattr("report.engine.run.build", of_toy)

    def build(**option):
        return build_stages(
            [Stage("hide", "toy.hiding:hide")], toy.cache, local_options("plan", **option), str
        )

    if refused:
        with pytest.raises(StageError, match="uses toy"):
            build(**option)
    else:
        build(**option)
        build()
        line = "warning: hide: uses toy.letters, which its key does not cover; name it in `uses` of the stage"
        assert capsys.readouterr().err.count(line) == 2, "cached or not"

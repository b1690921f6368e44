from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from report.engine.code import Code, hash_code, list_imports
from report.engine.recipe import Surroundings
from report.engine.stage import Output, Source, Stage
from report.engine.store import digest_json
from report.errors import EnvironmentProblem, StageError
from report.pipeline.stages import PROGRAM

PLAIN = "import os\n\ndef f(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ('"""About."""\n# Why.\nimport os\ndef f(x):\n    """Add."""\n\n    return (x\n        + 1)\n', True),
        ("import os\n\ndef f(x):\n    return x + 2\n", False),
        ("import os\n\ndef g(x):\n    return x + 1\n", False),
        ("import os\n\ndef f(x):\n    'x' + x\n    return x + 1\n", False),
    ],
)
def test_only_what_a_module_does_counts(source, same):
    assert (hash_code(source.encode(), "m.py") == hash_code(PLAIN.encode(), "m.py")) is same


def test_docstrings_of_classes_and_async_functions_do_not_count():
    one = b"class A:\n    'Doc.'\n    async def f(self):\n        'Doc.'\n        return 1\n"
    two = b"class A:\n    async def f(self):\n        return 1\n"
    assert hash_code(one, "m.py") == hash_code(two, "m.py")


def test_imports_are_resolved():
    source = b"""
import a.b
from a import c
from . import sibling
from .. import uncle
from ..cousins.one import thing
def f():
    import a.inside
"""
    found = list_imports(source, "p.q.module", "p/q/module.py")
    assert {
        "a.b",
        "a.c",
        "p.q.sibling",
        "p.uncle",
        "p.cousins.one",
        "p.cousins.one.thing",
        "a.inside",
    } <= set(found)
    assert "p.q.inner.x" in list_imports(b"from .inner import x", "p.q", "p/q/__init__.py")


def test_closure_has_packages_and_imports_inside_functions(toy):
    closure = Code(toy.project, toy.store.index).closure(["toy.words:shout"])
    assert set(closure) == {"toy", "toy.words", "toy.letters"}


def test_a_module_that_only_reports_is_in_no_key(toy):
    toy.write("toy.letters", "REPORTS_ONLY = True\n\ndef big(text):\n    return text\n")
    code = Code(toy.project, toy.store.index)
    assert set(code.closure(["toy.words:shout"])) == {"toy", "toy.words"}


def test_engine_is_in_the_key_only_where_a_stage_imports_it():
    project = PROGRAM
    closure = Code(project, Path("nowhere")).closure(["report.errors:StageError"])
    assert set(closure) == {"report", "report.errors"}


def test_a_module_that_is_none_and_a_syntax_error_are_told(toy):
    code = Code(toy.project, toy.store.index)
    with pytest.raises(StageError, match=r"toy\.nothing: no such module"):
        code.closure(["toy.nothing:f"])
    toy.write("toy.wrong", "x = 1\ny = = 2\n")
    with pytest.raises(StageError, match=r"wrong\.py:2: invalid syntax"):
        code.closure(["toy.wrong:f"])


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"a": [1, float("nan")]}, Path("x"), {1: 2}, {3}]
)
def test_parameters_that_are_no_json_are_refused(toy, value):
    with pytest.raises(StageError, match=r"^a: parameter value"):
        toy.build(toy.stages(a=value))


def key(toy, stage, **outputs):
    return digest_json(Surroundings(toy.project, toy.store.index).recipe(stage, outputs))


def test_what_changes_a_key(toy):
    stage = Stage("s", "toy.steps:total", {"a": Output("a")}, packages=("numpy",))
    changed = [
        Stage("s", "toy.steps:number", {"a": Output("a")}, packages=("numpy",)),
        Stage("s", "toy.steps:total", {"b": Output("a")}, packages=("numpy",)),
        Stage("s", "toy.steps:total", {"a": Output("a")}, {"value": 1}, packages=("numpy",)),
        Stage("s", "toy.steps:total", {"a": Output("a")}, {"value": 1.0}, packages=("numpy",)),
        Stage("s", "toy.steps:total", {"a": Output("a")}, packages=("pandas",)),
        Stage("s", "toy.steps:total", {"a": Output("a")}, packages=("numpy",), threads=2),
        Stage("s", "toy.steps:total", {"a": Output("a")}, packages=("numpy",), uses=("toy.words:shout",)),
    ]
    others = (key(toy, other, **dict.fromkeys(other.inputs, "0")) for other in changed)
    keys = {key(toy, stage, a="0"), key(toy, stage, a="1"), *others}
    assert len(keys) == 2 + len(changed)


def test_what_does_not_change_a_key(toy, tmp_path):
    data, copy = tmp_path / "data", tmp_path / "elsewhere"
    data.mkdir()
    (data / "x.txt").write_text("x")
    shutil.copytree(data, copy)
    first = Stage("s", "toy.steps:total", {"data": Source(data), "pixels": Source(data, keyed=False)})
    other = Stage("renamed", "toy.steps:total", {"data": Source(copy), "pixels": Source(copy, keyed=False)})
    assert key(toy, first) == key(toy, other)
    (copy / "x.txt").write_text("y")
    assert key(toy, first) != key(toy, other)


def test_a_package_that_is_missing_is_told(toy):
    with pytest.raises(EnvironmentProblem, match="no_such_package is not installed"):
        key(toy, Stage("s", "toy.steps:total", packages=("no_such_package",)))


def test_recipe_is_json_and_names_everything(toy):
    recipe = Surroundings(toy.project, toy.store.index).recipe(toy.stages()[2], {"a": "1", "b": "2"})
    assert json.loads(json.dumps(recipe)) == recipe
    assert set(recipe) == {"format", "function", "params", "code", "environment", "threads", "inputs"}

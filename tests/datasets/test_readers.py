"""What the modules of readers say of themselves, as the command line reads it."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from analysis.datasets.reader import Reader, function_of
from report.study.readers import list_names, look_up
from report.study.settings import READER_KEYS

WORDS = Path(__file__).parents[2] / "templates" / "datasets"
READERS = ["class-folders", "kermany", "radiography", "table", "v7"]


def macros(words: str) -> set[str]:
    return set(re.findall(r"<% macro (\w+)\(", (WORDS / f"{words}.qmd.j2").read_text(encoding="utf-8")))


def function(name: str) -> object:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def test_readers_are_the_modules_that_declare_one() -> None:
    assert list_names() == READERS


@pytest.mark.parametrize("reader", READERS)
def test_what_is_read_in_the_file_is_what_the_module_has(reader: str) -> None:
    module = importlib.import_module(function_of(reader).partition(":")[0])
    assert look_up(reader) == module.READER


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_names_what_there_is(reader: str) -> None:
    said = look_up(reader)
    assert set(said.keys) <= set(READER_KEYS)
    assert set(said.needs) <= set(said.keys)
    assert inspect.isfunction(function(said.sample))
    assert macros(said.words) == macros(Reader().words)

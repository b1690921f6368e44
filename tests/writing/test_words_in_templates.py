"""No sentence of the report stands in Python: its words are in the templates."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from report import PROJECT

MOST_WORDS = 3
COMPLAINTS = {
    "report/writing/author/doubts.py",
    "report/writing/author/glyphs.py",
    "report/writing/author/literature.py",
    "report/writing/author/markup.py",
    "report/writing/author/overrides.py",
    "report/writing/author/pictures.py",
    "report/writing/author/quotations.py",
}
"""What is wrong with the author's text, which is told on the terminal."""
SELDOM = {"DESCRIBING", "_DESCRIBING"}
"""Lists of words that are read, and not written."""
MODULES = sorted(
    path.relative_to(PROJECT).as_posix()
    for room in ("writing", "pipeline")
    for path in (PROJECT / "report" / room).rglob("*.py")
)


@pytest.mark.parametrize("module", [m for m in MODULES if m not in COMPLAINTS])
def test_no_sentence_stands_in_python(module: str) -> None:
    assert list(find_sentences(PROJECT / module)) == []


def find_sentences(path: Path) -> Iterator[str]:
    """Yield the texts of more than three words, but for docstrings, errors, patterns and SVG."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(node) for part in ast.walk(tree) if is_apart(part) for node in ast.walk(part)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in skipped:
            continue
        is_code = not node.value.isprintable() or "\\" in node.value or '="' in node.value
        if len(node.value.split()) > MOST_WORDS and not is_code:
            yield f"{node.lineno}: {node.value}"


def is_apart(node: ast.AST) -> bool:
    """Tell whether what is below ``node`` is a docstring, an error or its hint, or a list of words that is read."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and (t.id in SELDOM or t.id == "hint") for t in node.targets)
    return isinstance(node, ast.Raise) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "did_you_mean"
    )


def test_a_sentence_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text('"""All of it is a docstring."""\nWORDS = f"the {1} is better than the other"\n')
    assert len(list(find_sentences(file))) == 1

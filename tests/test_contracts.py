"""What pyproject.toml says of the rooms, whose contracts lint-imports keeps, and of the tests."""

from __future__ import annotations

import os
import tomllib

import pytest

from report import PROJECT

TOOLS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]
CONTRACTS = TOOLS["importlinter"]["contracts"]
ROOMS = {
    f"report.{path.stem}" for path in (PROJECT / "report").iterdir() if path.suffix == ".py" or path.is_dir()
}
COMMON = {"report.__init__", "report.__main__", "report.__pycache__", "report.errors"}


@pytest.mark.parametrize("room", ["report.engine", "report.document"])
def test_a_contract_names_every_other_room(room):
    (contract,) = [c for c in CONTRACTS if c.get("source_modules") == [room]]
    assert set(contract["forbidden_modules"]) == ROOMS - COMMON - {room} | {"analysis"}


def test_every_package_is_installed():
    folders = (
        path.parent for room in ("report", "analysis") for path in (PROJECT / room).rglob("__init__.py")
    )
    assert set(TOOLS["setuptools"]["packages"]) == {".".join(f.relative_to(PROJECT).parts) for f in folders}


def test_the_layers_name_every_room():
    (contract,) = [c for c in CONTRACTS if c["type"] == "layers" and c["containers"] == ["report"]]
    named = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    assert {f"report.{name}" for name in named} == ROOMS - COMMON | {"report.errors"}


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process has all tests")
def test_tests_of_a_file_run_in_one_process(request: pytest.FixtureRequest) -> None:
    """What they share is made once: with a pytest that it does not know, pytest-xdist passes groups over in silence."""
    assert request.node.nodeid.endswith("@test_contracts.py")

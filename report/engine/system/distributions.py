"""What is installed: the versions of distributions, and whose are the modules that are imported."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib import metadata

from report.errors import EnvironmentProblem


@cache
def find_version(name: str) -> str:
    """Return the installed version of a distribution, or of the library that WeasyPrint sets text with: pango.

    Raises
    ------
    EnvironmentProblem
        It is not installed.
    """
    if name == "pango":
        return _pango_version()
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError as error:
        raise EnvironmentProblem(f"the package {name} is not installed", hint="make report") from error


def select_installed(*names: str) -> tuple[str, ...]:
    """Return those of the distributions that are there, of those that an extra of ours brings."""
    return tuple(name for name in names if _is_there(name))


def _is_there(name: str) -> bool:
    with suppress(metadata.PackageNotFoundError):
        return bool(metadata.version(name))
    return False


def _pango_version() -> str:
    import ctypes

    for name in ("libpango-1.0.so.0", "libpango-1.0.0.dylib", "libpango-1.0-0.dll"):
        with suppress(OSError):
            library = ctypes.CDLL(name)
            library.pango_version_string.restype = ctypes.c_char_p
            return str(library.pango_version_string().decode())
    return "not found"  # where it is elsewhere, WeasyPrint knows; where it is missing, it says so


def find_undeclared(modules: Iterable[str], declared: Collection[str]) -> list[str]:
    """Return the distributions of ``modules`` that are neither declared nor required by one that is.

    What libraries import by themselves, if it is there, is not asked for: it depends on what ran before.
    """
    names = {name.partition(".")[0] for name in modules} - {*sys.stdlib_module_names}
    if not names:
        return []
    owners = [sorted(set(_distributions().get(name, []))) for name in sorted(names)]
    known = _with_requirements(frozenset(declared))
    return sorted({of[0] for of in owners if of and known.isdisjoint(map(_normal, of))})


@cache
def _distributions() -> dict[str, list[str]]:
    return {**metadata.packages_distributions()}


@cache
def _with_requirements(declared: frozenset[str]) -> set[str]:
    """Return the normal names of distributions and of all that they require, one through another."""
    waiting = {(_normal(name), "") for name in declared}
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        seen.add((name, extra))
        waiting |= set(_requirements(name, extra)) - seen
    return {name for name, _ in seen}


def _requirements(name: str, extra: str) -> Iterator[tuple[str, str]]:
    """Yield the distributions that ``name`` with its ``extra`` requires here, and these with each extra of theirs."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # it is for other systems
        return
    for required in map(Requirement, lines):
        if required.marker is None or required.marker.evaluate({"extra": extra}):
            yield from ((_normal(required.name), of) for of in ("", *required.extras))


def _normal(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)

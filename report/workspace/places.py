"""Where studies and the cache lie."""

from __future__ import annotations

import os
from pathlib import Path

from report import PROJECT
from report.errors import UsageError, did_you_mean, nearest
from report.study.folder import STUDIES


def find_study_folder(name: str) -> Path:
    """Return the folder of a study given by its name, its folder or its file."""
    given = Path(name)
    for folder in (STUDIES / name, given.parent if given.name == "study.toml" else given):
        if (folder / "study.toml").is_file():
            return folder.resolve()
    known = list_studies()
    raise UsageError(
        f"no study is called {name!r}",
        hint=did_you_mean(nearest(name, known)[:1], f"there are: {', '.join(known)}"),
    )


def list_studies() -> list[str]:
    """Return the names of the studies of this project."""
    return sorted(path.parent.name for path in STUDIES.glob("*/study.toml"))


def find_cache(asked: Path | None) -> Path:
    """Return the cache: ``--cache``, else ``REPORT_CACHE``, else ``.cache`` in the project."""
    chosen = asked or (Path(os.environ["REPORT_CACHE"]) if os.environ.get("REPORT_CACHE") else None)
    return (chosen or PROJECT / ".cache").absolute()


ENGINES = ("local", "dask", "slurm")


def find_engine(asked: str | None = None, scheduler: str | None = None) -> tuple[str, str]:
    """Return where stages run and the address of Dask's scheduler, "" if there is none.

    They are what is ``asked`` for, else ``REPORT_ENGINE`` and ``REPORT_SCHEDULER``, else this machine.
    """
    engine = asked or os.environ.get("REPORT_ENGINE") or ("dask" if scheduler else "local")
    if engine not in ENGINES:
        raise UsageError(f"--engine {engine}: no such engine", hint=f"there are: {', '.join(ENGINES)}")
    if scheduler and engine != "dask":
        raise UsageError(f"--scheduler is for --engine dask, not {engine}", hint="leave one of them out")
    return engine, scheduler or os.environ.get("REPORT_SCHEDULER", "")


def find_remote() -> tuple[str, bool]:
    """Return the address of the cache that machines share, "" if there is none, and whether it is written to.

    It is ``REPORT_CACHE_REMOTE``, only read where ``REPORT_CACHE_REMOTE_MODE`` is ``read``.
    """
    mode = os.environ.get("REPORT_CACHE_REMOTE_MODE") or "write"
    if mode not in {"read", "write"}:
        raise UsageError(f"REPORT_CACHE_REMOTE_MODE is {mode!r}", hint="it may be read or write")
    return os.environ.get("REPORT_CACHE_REMOTE", ""), mode == "write"

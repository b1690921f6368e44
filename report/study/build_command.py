"""The command that builds a study, as it is typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def format_build(study: str, overrides: Iterable[str], *options: str) -> str:
    """Return ``report build`` with the ``options``, and behind them each change to the study file."""
    changes = [word for change in overrides for word in ("--set", change)]
    return shlex.join(["report", "build", study, *options, *changes])

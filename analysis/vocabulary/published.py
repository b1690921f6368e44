"""Published figures: their kinds, and the verdicts on them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

Verdict = Literal["differs", "agrees", "not decided", "not measured", "not comparable"]
DIFFERS: Verdict = "differs"
AGREES: Verdict = "agrees"
NOT_DECIDED: Verdict = "not decided"
NOT_MEASURED: Verdict = "not measured"
NOT_COMPARABLE: Verdict = "not comparable"
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""On a published figure and ours, the one that counts first where a figure was printed twice."""
COUNT = "count"
"""How many figures of a kind there are, beside how many of each verdict."""
TALLIED = {
    "accuracy": "test.accuracy",
    "test": "test.",
    "training": "training.",
    "parameters": "architecture.",
}
"""Kinds of figures that are counted, and how the names of the figures of a kind begin."""
WITH_CORRECTED = ("test.accuracy", "test.f1.macro")
"""The published figures of a model that has a mistake, which those of the corrected one stand beside."""


def as_key(verdict: str) -> str:
    """Return a verdict as part of a result's name: ``not_decided``."""
    return verdict.replace(" ", "_")


def join_reasons(reasons: Iterable[str]) -> str:
    """Return reasons as one cell of ``ledger.csv``; a semicolon of their own gets a backslash."""
    return "; ".join(reason.replace(";", r"\;") for reason in reasons)


def split_reasons(text: str) -> list[str]:
    """Return the reasons that `join_reasons` has joined."""
    return [reason.replace(r"\;", ";") for reason in re.split(r"(?<!\\); ", text)]

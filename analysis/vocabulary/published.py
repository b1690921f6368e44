"""Published figures: their kinds, and the verdicts on them."""

from __future__ import annotations

VERDICTS = ("differs", "agrees", "not decided", "not measured", "not comparable")
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

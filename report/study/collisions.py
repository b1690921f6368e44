"""Names of a study that a reader, a table or a result could not tell apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from report.study.texts import without_article

if TYPE_CHECKING:
    from report.study.study import Study

LOW_DETAIL, MAJORITY = "low_detail", "majority"
"""The floors that every study has beside its models: the commonest class, and trees on pictures of 8 x 8 pixels."""
OWNERS = ("data", "published", "ledger")
"""What results are named after beside models."""
LOW_DETAIL_TITLE, MAJORITY_TITLE = "8 × 8 baseline", "Majority class"
MODELS = (LOW_DETAIL, MAJORITY, *OWNERS, "planning")
CLASSES = (
    *("macro", "micro", "weighted", "abnormal", "top"),
    *("image_id", "split", "fold", "seed", "patient_id", "y_true"),
)
"""Averages and scores that results are named by as by a class, and the columns that stand beside those of classes."""
NO_WORDS = ("nan", "null", "true", "false", "inf", "infinity")
"""What programs read in a table as a number, as true or false, or as nothing."""
LABELS = ("Macro average", "All classes", "Abnormal")
BETWEEN = "_vs_"
UNSEEN = {"Cf", "Cn", "Co"}


def problem(study: Study) -> str:
    """Return which names of a study collide, with the key before it; "" if none do."""
    labels = {f"classes.{c.id}.label": c.label for c in study.classes}
    titles = {f"models.{m.id}.title": without_article(m.title) for m in study.models}
    for key, names, reserved in (
        ("models", [m.id for m in study.models], MODELS),
        ("classes", [c.id for c in study.classes], CLASSES),
    ):
        if taken := next((name for name in names if name in reserved), ""):
            return f"{key}.{taken}.id: {taken} names something else in the results; choose another id"
        if unread := next((name for name in names if name in NO_WORDS), ""):
            return f"{key}.{unread}.id: {unread} is no word to programs that read a table; choose another id"
    if pair := next((m.id for m in study.models if BETWEEN in m.id), ""):
        return f"models.{pair}.id: {BETWEEN} stands between the names of two models that are compared; choose another id"
    return _alike(labels, LABELS) or _alike(titles, (LOW_DETAIL_TITLE, MAJORITY_TITLE))


def _alike(given: Mapping[str, str], reserved: Iterable[str]) -> str:
    """Return which of the texts reads like another or is none; "" if all are told apart."""
    seen = {_read(text): f"the report's own {text!r}" for text in reserved}
    for key, text in given.items():
        read = _read(text)
        if not read:
            return f"{key}: {text!r} is nothing that can be read"
        if read in seen:
            return f"{key}: {text!r} reads like {seen[read]}; choose another"
        seen[read] = f"that of {key.rpartition('.')[0]}"
    return ""


def _read(text: str) -> str:
    """Return what a reader sees of a name: neither case, nor spaces, nor what has no shape."""
    shown = (
        letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter) not in UNSEEN
    )
    return " ".join("".join(shown).casefold().split())

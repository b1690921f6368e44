"""Names of a study that a reader, a table or a result could not tell apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from analysis.vocabulary.attention import ATTENTION
from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.external import EXTERNAL
from analysis.vocabulary.measures import ABNORMAL, BETWEEN, MACRO, MICRO, WEIGHTED, WITHOUT
from analysis.vocabulary.pretraining import PRETRAINING
from analysis.vocabulary.reference_classifiers import REFERENCES
from analysis.vocabulary.results import ABLATION
from report.study.model_settings import Model
from report.study.settings import ClassLabel
from report.study.texts import without_article

OWNERS = (
    "data",
    "published",
    "ledger",
    "planning",
    ABLATION,
    EXTERNAL,
    PRETRAINING,
    AUDIT,
    ATTENTION,
    *(reference.id for reference in REFERENCES),
)
"""What results are named after beside models."""
COLUMNS = ("image_id", "split", "fold", "seed", "patient_id", "y_true")
"""The columns that stand beside those of classes in a table of predictions."""
SCORES = (MACRO, MICRO, WEIGHTED, WITHOUT, ABNORMAL, "top")
"""Averages and scores that results are named by as by a class."""
NO_WORDS = ("nan", "null", "true", "false", "inf", "infinity")
"""What programs read in a table as a number, as true or false, or as nothing."""
LABELS = ("Macro average", "All classes", "Abnormal")
"""What tables and figures have in the place of a class."""
INVISIBLE = {"Cf", "Cn", "Co"}
"""Categories of Unicode whose characters have no shape."""


def find_collision(classes: Sequence[ClassLabel], models: Sequence[Model]) -> tuple[str, str] | None:
    """Return the key of a name of a class or model that collides, and with what; None if none does."""
    for key, names, reserved in (
        ("models", [m.id for m in models], OWNERS),
        ("classes", [c.id for c in classes], (*SCORES, *(f"{WITHOUT}{c.id}" for c in classes), *COLUMNS)),
    ):
        for name in names:
            if name in reserved:
                return f"{key}.{name}.id", f"{name} names something else in the results; choose another id"
        for name in names:
            if name in NO_WORDS:
                problem = f"{name} is no word to programs that read a table; choose another id"
                return f"{key}.{name}.id", problem
    for model in models:
        if BETWEEN in model.id:
            problem = f"{BETWEEN} stands between the names of two models that are compared; choose another id"
            return f"models.{model.id}.id", problem
    labels = {f"classes.{c.id}.label": c.label for c in classes}
    titles = {f"models.{m.id}.title": without_article(m.title) for m in models}
    return find_alike(labels, LABELS) or find_alike(titles, [reference.title for reference in REFERENCES])


def find_alike(texts: Mapping[str, str], reserved: Iterable[str]) -> tuple[str, str] | None:
    """Return the key of a text that reads like another or is none, and why; None if all can be told apart."""
    seen = {_visible(text): f"the report's own {text!r}" for text in reserved}
    for key, text in texts.items():
        visible = _visible(text)
        if not visible:
            return key, f"{text!r} is nothing that can be read"
        if visible in seen:
            return key, f"{text!r} reads like {seen[visible]}; choose another"
        seen[visible] = f"that of {key.rpartition('.')[0]}"
    return None


def _visible(text: str) -> str:
    """Return what a reader sees of a name: neither case, nor spaces, nor what has no shape."""
    shown = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in INVISIBLE)
    return " ".join("".join(shown).casefold().split())

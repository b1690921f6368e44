"""Findings: what goes together so closely that the report has to say it wherever results are quoted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from analysis.evaluation.results_file import write_json

Level = Literal["weak", "strong"]


@dataclass(frozen=True)
class Finding:
    """Two things that go together; never that one is the cause of the other, or of a result.

    Parameters
    ----------
    topic : str
        The room's module that found it, such as "probes".
    subject : str
        What it is about: a probe, a variable, a split.
    level : {"weak", "strong"}
    results : tuple of str
        Names of the entries in the topic's ``results.json`` that it rests on, the first being the one that decides.
    classes : tuple of str
        The classes that it holds for where it is not all of them.
    """

    topic: str
    subject: str
    level: Level
    results: tuple[str, ...]
    classes: tuple[str, ...] = ()


def grade(value: float | None, weak: float, strong: float) -> Level | None:
    """Return the level of a finding by a ``value`` that must exceed ``weak`` or ``strong``; None for no finding."""
    if value is None or not value > weak:
        return None
    return "strong" if value > strong else "weak"


def write_findings(out: Path, findings: Iterable[Finding]) -> None:
    """Write ``findings.json``: a list of findings as `Finding` has them, strong ones first."""
    ordered = sorted(findings, key=lambda f: f.level != "strong")
    write_json(out / "findings.json", [asdict(finding) for finding in ordered])

"""What the audit has found, read for the document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.run_names import join_run, split_run


@dataclass(frozen=True)
class Found:
    """One finding.

    Parameters
    ----------
    topic, subject : str
        Such as "probes" and "border", as the stage has them.
    level : {"weak", "strong"}
    results : tuple of str
        Names in ``results.json``, the first being the one that decides.
    classes : tuple of str
        The classes that it holds for where it is not all of them.
    analysis : str
        What the names of its analysis end with: "" for the study's own, and for what depends on no split.
    """

    topic: str
    subject: str
    level: str
    results: tuple[str, ...]
    classes: tuple[str, ...]
    analysis: str


def read_findings(inputs: Mapping[str, Path]) -> list[Found]:
    """Return what the stages of the audit among ``inputs`` have found, strong findings first."""
    found = [
        _read(finding, name)
        for name, folder in sorted(inputs.items())
        if name.startswith(f"{AUDIT}_")
        for finding in json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    ]
    return sorted(found, key=lambda finding: finding.level != "strong")


def _read(finding: Mapping[str, Any], name: str) -> Found:
    run = split_run(name)[1]
    return Found(
        finding["topic"],
        finding["subject"],
        finding["level"],
        tuple(f"{join_run(AUDIT, run)}.{result}" for result in finding["results"]),
        tuple(finding["classes"]),
        join_run("", run),
    )

"""What a build folder tells of its report, and changes that somebody could make in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

from report.delivery import evidence, verify
from report.delivery.recompute import Recomputation
from report.engine.system.files import digest_file

RESULT = r'("{}": \{{[^}}]*"{}": \d\.\d\d)(\d)(\d)'


class Case(NamedTuple):
    """A build folder, what it tells, what is recomputed from it, and what the command did that recomputed it."""

    folder: Path
    given: evidence.Evidence
    again: Recomputation
    done: CompletedProcess[str]


def list_differences(case: Case) -> list[str]:
    given = evidence.read_evidence(case.folder)
    return list(map(str, verify.compare(case.folder, given, case.again)[0]))


def sign_anew(folder: Path) -> None:
    """Put the digests of all files into study.json, as one who changes numbers could."""
    path = folder / evidence.STUDY
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["files"] = {n: digest_file(folder / n) for n in facts["files"] if (folder / n).is_file()}
    path.write_text(json.dumps(facts), encoding="utf-8")


def replace_one(path: Path, pattern: str, new: str | Callable[[re.Match[str]], str]) -> None:
    text = path.read_text(encoding="utf-8")
    changed = re.sub(pattern, new, text, count=1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def change_digit(match: re.Match[str]) -> str:
    """Return what a pattern with three groups list_differences, its second group another digit."""
    return f"{match[1]}{(int(match[2]) + 1) % 10}{match[3]}"


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

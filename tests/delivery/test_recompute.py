"""The stages behind a report, run again from its predictions."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest

from report.delivery import evidence, recompute, verify
from report.delivery.evidence import Evidence
from report.delivery.recompute import Failure, Recomputation
from report.delivery.verify import Verification
from tests.delivery.handed_in import (
    change_digit,
    halve,
    replace_one,
    sign_anew,
)

RecomputeAsFarAs = Callable[[tuple[str, ...], Path, Evidence], Recomputation]


def test_what_could_not_be_recomputed_is_not_said_to_agree(copy):
    lost = {"compare", "results", "source", "html", "pdf"}
    results = {name: made for name, made in copy.again.results.items() if name not in lost}
    again = dataclasses.replace(copy.again, results=results, failures={"compare": Failure("odd")})
    for name in ("results.json", "report.pdf"):
        halve(copy.folder / name)
    differences, _ = verify.compare(copy.folder, copy.given, again)
    checked = Verification(
        verify.count_parts(copy.folder, copy.given), differences, [], verify.find_unchecked(copy.given, again)
    )
    assert {part: checked.verdict(part) for part in checked.counts} == {
        "predictions": "none",
        **dict.fromkeys(("tables", "figures", "results.json", *verify.DOCUMENTS), "not checked"),
    }
    assert checked.counts["results.json"] == checked.counts["report.pdf"] == "cannot be read"
    told = list(map(str, differences))
    assert told[0] == "compare: could not be recomputed: odd"
    assert [line.partition("cannot be read")[0] for line in told[1:]] == ["report.pdf: ", "results.json: "]
    assert verify.find_unchecked(copy.given, copy.again) == frozenset()


class Here(Executor):
    """Runs in this process, at once, what a pool would run in others; that `case` was verified with."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit(self, function, /, *words, **named):
        done = Future()
        done.set_result(function(*words, **named))
        return done


@pytest.fixture
def recompute_as_far_as(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecomputeAsFarAs:
    """Return a function that recomputes a folder as far as some stages, here."""

    def again(targets: tuple[str, ...], folder: Path, given: Evidence) -> Recomputation:
        monkeypatch.setattr(evidence, "TARGETS", targets)
        monkeypatch.setattr(recompute, "ProcessPoolExecutor", Here)
        return recompute.recompute(folder, given, tmp_path / "again", lambda *_: None)

    return again


SEVENTH_DIGIT = r"(,test,.*,0\.\d{6})(\d)()"
"""Of a probability; no label and so no verdict changes with it."""


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        (
            "results",
            [
                ("predictions/improved.csv", SEVENTH_DIGIT, r"^results\.json: improved\.test\."),
                (
                    "predictions/low_detail@patient.csv",
                    SEVENTH_DIGIT,
                    r"^results\.json: low_detail@patient\.test",
                ),
                (
                    "predictions/train.baseline/history.csv",
                    r"(4,0\.)(\d)()",
                    r"^results\.json: baseline\.training\.last_loss",
                ),
                ("predictions/study.json", r'("margin": 0\.0)(\d)()', r"^results\.json: verdicts"),
            ],
        ),
        (
            "split",
            [
                (
                    "predictions/split/split.csv",
                    r"(-)(\d)(\.jpg)",
                    r"^predictions/split/split\.csv: line \d+, column image_id",
                )
            ],
        ),
    ],
    ids=["predictions, history and margin", "split"],
)
def test_from_changed_evidence_other_results_follow(copy, recompute_as_far_as, target, changes):
    """Those that are changed together have no result in common."""
    for file, pattern, _ in changes:
        replace_one(copy.folder / file, pattern, change_digit)
    sign_anew(copy.folder)
    given = evidence.read_evidence(copy.folder)
    again = recompute_as_far_as((target,), copy.folder, given)
    told = list(map(str, verify.compare(copy.folder, given, again)[0]))
    for *_, named in changes:
        assert [line for line in told if re.search(named, line)], told[:10]


def test_what_cannot_be_recomputed_is_told_with_its_place(copy, recompute_as_far_as):
    replace_one(copy.folder / "predictions/improved.csv", r",0\.\d+", ",lots")
    again = recompute_as_far_as(("evaluate.improved", "compare"), copy.folder, copy.given)
    told = list(map(str, verify.compare(copy.folder, copy.given, again)[0]))
    place = 'predictions/improved.csv, line 2, column bacterial: "lots" is no probability from 0 to 1'
    assert told[:2] == [
        f"{stage}: could not be recomputed: {place}" for stage in ("evaluate.improved", "compare")
    ]

"""Whole reports of every study on made-up numbers: each verdict, few and many networks, one that answers one class."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.vocabulary.pretraining import quantity
from analysis.vocabulary.published import NOT_COMPARABLE, VERDICTS
from analysis.vocabulary.results import WITHOUT_DECISION, Quantity
from report.delivery.made_up import make_up
from report.delivery.recompute import run_stage
from report.engine.stage import Source
from report.study.study import Study
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.writing.readability import Page

MARGIN = 0.03
SIZES = {
    "better": (0.031, 0.02),
    "far better": (0.121, 0.02),
    "hardly better": (0.012, 0.01),
    "worse": (-0.031, 0.02),
    "far worse": (-0.121, 0.02),
    "equivalent": (0.004, 0.012),
    "underpowered": (0.013, 0.061),
    "not_distinguishable": (-0.013, 0.031),
    "cannot_be_decided": (0.021, 0.0),
    "undefined": (0.0, 0.0),
}
"""What a verdict follows from: a difference, and how far its interval reaches to either side."""
REASON = "the models differ on images of 4 patients, and fewer than 6 cannot decide at 0.05"


@dataclass(frozen=True)
class Case:
    """A report on made-up numbers.

    Parameters
    ----------
    study : str
    verdicts : tuple of str
        One for each declared comparison, over and over; behind a slash that of the analysis by patient.
    overrides : tuple of str
    one_class : str
        A network that predicts the last class for every image.
    late : bool
        Whether the comparisons were declared after the results had been seen.
    without_patients : bool
        Whether nothing tells the patients.
    several_labels : bool
        Whether an image may have a row for each of several labels.
    """

    study: str
    verdicts: tuple[str, ...] = ("better",)
    overrides: tuple[str, ...] = ()
    one_class: str = ""
    late: bool = False
    without_patients: bool = False
    several_labels: bool = False

    def __str__(self) -> str:
        more = [*self.overrides, *[self.one_class] * bool(self.one_class), *["late"] * self.late]
        return "-".join([self.study, *(v.replace("/", "_") for v in self.verdicts), *more])


def write_page(case: Case, folder: Path) -> Page:
    """Return the HTML of a report on made-up numbers, with all stages of the document run as they are."""
    plan = make_plan(Request(case.study, None, False, case.overrides, Path("/nowhere")), needs_data=False)
    stages = {stage.name: stage for stage in plan.stages}
    words = stages["source"].inputs["prose"]
    assert isinstance(words, Source)
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(words.path.glob("*.md")))
    needed = [stages[name] for name in sorted(stages["source"].needs)]
    files = make_up(needed, plan.study, text, folder / "made-up")
    _number(files["results"]["results.json"], plan.study, case, random.Random(str(case)))
    _tell_patients(files["read"]["records.csv"], case)
    if "ledger" in files:
        _judge(files["ledger"]["ledger.csv"], random.Random(str(case)))
    written = run_stage(stages["source"], files, folder / "source")
    files["source"] = {name: written.path(name) for name in written.files}
    page = run_stage(stages["html"], files, folder / "html").path("report.html")
    return Page(page.read_text(encoding="utf-8"))


def _number(path: Path, study: Study, case: Case, drawn: random.Random) -> None:
    """Give every result a number of its own, and each comparison the verdict that the case wants."""
    found = json.loads(path.read_text())
    for name, item in found["results"].items():
        item.update(_draw(name, drawn))
    for data in ("data", "data@patient"):
        if f"{data}.images" in found["results"] and not case.several_labels:
            found["results"][f"{data}.images"] = found["results"][f"{data}.all.count"]
    for verdict in found["verdicts"]:
        verdict |= {"margin": MARGIN, "declared_late": case.late}
    for number, verdict in enumerate(found["verdicts"]):
        pairs = len(found["verdicts"]) // (2 if any(v["analysis"] for v in found["verdicts"]) else 1)
        first, _, by_patient = case.verdicts[number % pairs % len(case.verdicts)].partition("/")
        _decide(found["results"], verdict, (verdict["analysis"] and by_patient) or first, number / 1000)
    if case.one_class:
        _answer_one_class(found["results"], case.one_class, [c.id for c in study.classes])
    path.write_text(json.dumps(found))


def _draw(name: str, drawn: random.Random) -> dict[str, Any]:
    kind = quantity(name)
    if kind in {Quantity.COUNT, Quantity.YEARS}:
        return {"value": _count(name, drawn)}
    if kind is Quantity.DIFFERENCE:
        size, half = drawn.uniform(-0.09, 0.09), drawn.uniform(0.02, 0.1)
    else:
        size, half = drawn.uniform(0.5, 0.9), drawn.uniform(0.02, 0.09)
    ends = {"low": size - half, "high": size + half} if drawn.random() < 0.9 else {"low": None, "high": None}
    return {"value": size, **ends, "reason_null": None if ends["low"] else REASON}


def _count(name: str, drawn: random.Random) -> int:
    if ".training." in name:
        return {"epochs_run": 29, "best_epoch": 14, "weights_epoch": 23}.get(name.rpartition(".")[2], 17)
    return drawn.randrange(3, 12) if name.startswith("ledger.") else drawn.randrange(1001, 4999)


def _decide(results: dict[str, dict[str, Any]], verdict: dict[str, Any], wanted: str, apart: float) -> None:
    """Give a comparison the verdict that is ``wanted``, and the numbers from which it follows, ``apart`` from others."""
    size, half = SIZES[wanted]
    size += apart
    prefix = f"{verdict['pair']}.{verdict['split']}"
    kept = wanted.rpartition(" ")[2]
    verdict["verdict"] = None if kept == "undefined" else kept
    decided = kept not in {"undefined", "cannot_be_decided"}
    ends = {"low": size - half, "high": size + half} if decided else {"low": None, "high": None}
    why = None if decided else REASON
    for name in ("primary", "equivalence", verdict["measure"]):
        results[f"{prefix}.{name}"] |= {"value": size, **ends, "level": 0.95, "reason_null": why}
    results[f"{prefix}.equivalence"] |= {"level": 0.9}
    for name in WITHOUT_DECISION:
        results[f"{prefix}.{name}"] |= {"value": 0.027 if decided else None, "reason_null": why}
    a, b = (f"{verdict[m]}{verdict['analysis']}.{verdict['split']}.{verdict['measure']}" for m in "ab")
    results[b]["value"] = results[a]["value"] + size


def _answer_one_class(results: dict[str, dict[str, Any]], model: str, classes: list[str]) -> None:
    """Let a network predict the last class for every image."""
    said = classes[-1]
    for name, item in results.items():
        owner, _, measure = name.partition(".")
        if owner.partition("@")[0] != model:
            continue
        if ".confusion." in f".{measure}":
            item["value"] = 99 if name.endswith(f".{said}") else 0
        for class_id in classes:
            if measure.endswith(f".sensitivity.{class_id}"):
                item["value"] = float(class_id == said)
            if class_id != said and measure.endswith((f".ppv.{class_id}", ".ppv.macro")):
                item |= {"value": None, "low": None, "high": None, "reason_null": "never predicted"}


def _tell_patients(path: Path, case: Case) -> None:
    with _rewritten(path) as rows:
        for row in rows:
            row["source"] = "unknown" if case.without_patients else "name"


def _judge(path: Path, drawn: random.Random) -> None:
    """Give published figures every verdict, and those that are not compared several reasons."""
    reasons = ("image.size is 156 here, published 224", "3,875 images of a class here, published 3,883", "")
    with _rewritten(path) as rows:
        for row in rows:
            row["verdict"] = drawn.choice(VERDICTS)
            row["why"] = drawn.choice(reasons[:2]) if row["verdict"] == NOT_COMPARABLE else ""


class _rewritten:  # noqa: N801
    """The rows of a table, which are written back when they have been changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> list[dict[str, str]]:
        with self.path.open(encoding="utf-8", newline="") as file:
            self.rows = list(csv.DictReader(file))
        return self.rows

    def __exit__(self, *_: object) -> None:
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

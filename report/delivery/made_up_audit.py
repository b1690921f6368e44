"""Made-up findings and tables of the audit, in the form of those that the document will read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from analysis.audit.findings import Finding, Level
from analysis.evaluation.settings import LEVEL
from analysis.vocabulary.audit import (
    AUDIT,
    CONFOUNDING,
    CONTRADICTING,
    DRAWS,
    DRAWS_TABLE,
    DUPLICATES,
    LABELS,
    LEAKS,
    LEFT_OUT,
    LEFT_OUT_TABLE,
    LUNG_PROBES,
    LUNGS,
    MISSING,
    OF_ANALYSES,
    PATIENTS,
    PROBES,
    PROBING,
    SAME_PATIENT,
    VALUES,
    VARIABLES,
    WHOLE,
)
from analysis.vocabulary.measures import MACRO
from analysis.vocabulary.run_names import split_run
from analysis.vocabulary.splits import ALL_IMAGES, EVALUATED, SPLITS

MANY, NEARNESS, HALF_WIDTH = 8, 0.97, 0.03
"""A made-up count, how alike near duplicates are, and how far the interval of an area reaches."""
AREAS: dict[Level | None, float] = {None: 0.5, "weak": 0.7, "strong": 0.9}
ASSOCIATIONS: dict[Level | None, tuple[float, float, float]] = {
    None: (0.0, 0.9, 1.0),
    "weak": (0.2, 0.001, 0.001),
    "strong": (0.9, 0.001, 0.001),
}
"""Cramer's V and the two p of `ASSOCIATED`."""
IMAGES = ("first.png", "second.png")
NO_ENDS = dict.fromkeys(("low", "high", "level"))
TRIED = {PROBING: PROBES, LUNGS: LUNG_PROBES}
"""The probes of a stage."""
SHARED = (SAME_PATIENT, "in_several_splits", "several_classes")
ASSOCIATED = ("cramers_v", "p", "p_holm")
Row = dict[str, Any]


def write_audit(place: Path, stage: str, classes: Sequence[str], level: Level | None = "strong") -> None:
    """Write ``findings.json`` and the tables of one stage of the audit into ``place``.

    Parameters
    ----------
    place : Path
        An empty folder.
    stage : str
        Its name.
    classes : sequence of str
        Class ids in the study's order.
    level : {"weak", "strong"} or None
        That of all findings; None for no finding, and no duplicates.
    """
    topic = split_run(stage)[0].partition(".")[2]
    for name, rows in _TABLES[topic](classes, level).items():
        _write_table(place / name, rows)
    found = [asdict(finding) for finding in _find(topic, level)] if level else []
    (place / "findings.json").write_text(json.dumps(found), encoding="utf-8")


def make_up_value(name: str, level: Level | None) -> dict[str, Any]:
    """Return what of the made-up entry of a result depends on the level of the findings; nothing where nothing does."""
    owner, topic, *rest = (*name.split("."), "")
    if split_run(owner)[0] != AUDIT:
        return {}
    if topic == PROBING and "auroc" in rest:
        area = AREAS[level]
        return {"value": area, "low": area - HALF_WIDTH, "high": area + HALF_WIDTH}
    for word, value in zip(ASSOCIATED, ASSOCIATIONS[level], strict=True):
        if word in rest:
            return {"value": value, **NO_ENDS}
    return {} if level or not _tells_of_findings(topic, rest) else {"value": 0, **NO_ENDS}


def _tells_of_findings(topic: str, rest: Sequence[str]) -> bool:
    """Tell whether a result counts what there is none of where there is no finding."""
    if topic == DUPLICATES:
        return rest[0] != "images"
    if topic == LABELS:
        return "candidates" in rest or "conflicts" in rest
    return topic == LEAKS or (topic == PATIENTS and any(word.startswith(SHARED) for word in rest[:2]))


def _find(topic: str, level: Level) -> Iterator[Finding]:
    if topic == DUPLICATES:
        for subject in ("conflicting_labels", "across_patients", "groups"):
            names = (
                ("groups", "grouped_images")
                if subject == "groups"
                else (f"{subject}.groups", f"{subject}.images")
            )
            yield Finding(topic, subject, level, tuple(f"{topic}.{name}" for name in names))
    elif topic == CONFOUNDING:
        for variable, kind in _list_associations():
            subject = variable if kind == VALUES else f"{variable}.{kind}"
            rests_on = tuple(f"{topic}.{variable}.{kind}.{name}" for name in ("cramers_v", "p_holm"))
            yield Finding(topic, subject, level, rests_on)
    elif topic in TRIED:
        yield from (
            Finding(PROBING, probe, level, (f"{PROBING}.{probe}.auroc.{MACRO}",)) for probe in TRIED[topic]
        )
    elif topic == LABELS:
        for kind in CONTRADICTING:
            yield Finding(topic, kind, level, (f"{topic}.conflicts.{kind}.{WHOLE}",))
    elif topic in OF_ANALYSES:
        yield from (Finding(topic, split, level, _names_of_split(topic, split)) for split in EVALUATED)


def _list_associations() -> list[tuple[str, str]]:
    return [pair for pair in product(VARIABLES, (VALUES, MISSING)) if pair != ("population", MISSING)]


def _names_of_split(topic: str, split: str) -> tuple[str, ...]:
    if topic == PATIENTS:
        label = f"{PATIENTS}.{split}.{SAME_PATIENT}"
        return f"{label}_share.{WHOLE}", f"{label}.{WHOLE}", f"{label}_patients.{WHOLE}"
    elsewhere = "train" if split == "val" else "train_or_val"
    return f"{LEAKS}.{split}.any_in_{elsewhere}", f"{LEAKS}.{split}.exact_in_{elsewhere}"


def _duplicates(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    kinds = ("exact", "near")
    groups = [
        {"group": g, "image_id": image, "content": g, "label": classes[k], "patient_id": f"p{k}"}
        for g, _ in enumerate(kinds, start=1)
        for k, image in enumerate(IMAGES)
    ]
    pairs = [_pair(classes, g, kind) for g, kind in enumerate(kinds, start=1)]
    return {"groups.csv": _cut(groups, level), "pairs.csv": _cut(pairs, level)}


def _pair(classes: Sequence[str], group: int, kind: str) -> Row:
    known = {"group": group, "kind": kind, "score": 1 if kind == "exact" else NEARNESS}
    sides = zip(("first", "second"), IMAGES, classes, strict=False)
    for k, (side, image, label) in enumerate(sides):
        known |= {side: image, f"label_{side}": label, f"patient_id_{side}": f"p{k}"}
    return {**known, "across_labels": 1, "across_patients": 1}


def _leaks(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    splits = ("train", "test")
    leaks = [
        {"group": 1, "content": 1, "image_id": image, "label": label, "patient_id": "p0", "split": split}
        for image, label, split in zip(IMAGES, classes, splits, strict=False)
    ]
    pair = {**_pair(classes, 1, "exact"), "split_first": splits[0], "split_second": splits[1]}
    left_out = [dict.fromkeys(LEFT_OUT)]
    return {
        "leaks.csv": _cut(leaks, level),
        "leaking_pairs.csv": _cut([pair], level),
        LEFT_OUT_TABLE: left_out,
    }


def _patients(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    whose = (WHOLE, *classes)
    counts = {"images": MANY, "share": 1.0, "patients": MANY, "mean": 1.0, "median": 1.0, "most": 1}
    shared = {"same_patient_in_train": MANY // 2, "share": 0.5, "patients": MANY // 2}
    if not level:
        shared = {"same_patient_in_train": 0, "share": 0.0, "patients": 0}
    return {
        "patients.csv": [{"split": s, "class": c, **counts} for s in (ALL_IMAGES, *SPLITS) for c in whose],
        "images_per_patient.csv": [{"images": 1, "patients": MANY}],
        "overlap.csv": [{"split": s, "class": c, "images": MANY, **shared} for s in EVALUATED for c in whose],
        "shared.csv": _cut([{"patient_id": "p0", **dict.fromkeys(SPLITS, 1)}], level),
    }


def _confounding(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    cells = {"images": MANY, "patients": MANY, "share": 1.0}
    figures = dict(zip(ASSOCIATED, ASSOCIATIONS[level], strict=True))
    return {
        "cross_tables.csv": [
            {"variable": v, "value": "made up", "class": c, **cells} for v in VARIABLES for c in classes
        ],
        "associations.csv": [
            {"association": f"{v}.{k}", **figures, "patients": MANY, "reason_null": ""}
            for v, k in _list_associations()
        ],
        "ages.csv": [{"class": c, "known": MANY, "median": 40, "lowest": 1, "highest": 90} for c in classes],
    }


def _probes(
    classes: Sequence[str], level: Level | None, probes: Sequence[str] = PROBES
) -> dict[str, list[Row]]:
    area = AREAS[level]
    found = {"auroc": area, "low": area - HALF_WIDTH, "high": area + HALF_WIDTH, "level": LEVEL}
    row = {**found, "n": MANY, "patients": MANY, "reason_null": ""}
    return {"probes.csv": [{"probe": p, "class": c, **row} for p in probes for c in (*classes, MACRO)]}


def _labels(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    told = {"kind": CONTRADICTING[0], "told": classes[1], "by": IMAGES[1]}
    return {
        "conflicts.csv": _cut([{"image_id": IMAGES[0], "label": classes[0], **told}], level),
        "candidates.csv": _candidates(classes, level, classes[1]),
    }


def _by_networks(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    rows = _candidates(classes, level, "")
    return {"candidates.csv": [{**row, "thumbnail_says": classes[1] if level else None} for row in rows]}


def _candidates(classes: Sequence[str], level: Level | None, conflict: str) -> list[Row]:
    said = {"p_label": 0.01, "p_says": 0.99, "threshold": 0.9, "patient_id": "p0", "conflict": conflict}
    rows = [
        {"rank": k, "image_id": image, "label": classes[0], "says": classes[1], **said}
        for k, image in enumerate(IMAGES, start=1)
    ]
    return _cut(rows, level)


def _cut(rows: list[Row], level: Level | None) -> list[Row]:
    """Return the rows, or of none only the names of the columns."""
    return rows if level else [dict.fromkeys(rows[0])]


def _draws(classes: Sequence[str], level: Level | None) -> dict[str, list[Row]]:
    return {DRAWS_TABLE: [{"seed": 1, "model": "made up", "measure": "accuracy", "value": 0.5}]}


_TABLES: dict[str, Callable[[Sequence[str], Level | None], dict[str, list[Row]]]] = {
    DUPLICATES: _duplicates,
    LEAKS: _leaks,
    PATIENTS: _patients,
    CONFOUNDING: _confounding,
    PROBING: _probes,
    LUNGS: partial(_probes, probes=LUNG_PROBES),
    DRAWS: _draws,
    LABELS: _labels,
    f"{LABELS}_by_networks": _by_networks,
}


def _write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if any(value is not None for value in row.values()))

"""What the audit of a folder has found, in words for the terminal: a line for each thing that was looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.vocabulary.audit import (
    AUDIT,
    CONFOUNDING,
    CONTRADICTING,
    DUPLICATES,
    LABELS,
    LEAKS,
    MISSING,
    PATIENTS,
    PROBES,
    PROBING,
    SAME_PATIENT,
    THUMBNAIL,
    VARIABLES,
    WHOLE,
    WITHOUT_LUNGS,
)
from analysis.vocabulary.measures import MACRO
from report.terminal.console import align_columns
from report.writing.values import listed

Found = Mapping[str, Any]
"""What ``audit.json`` has."""
NAMES = {
    **{"original_facts": "original size", "file_facts": "file size", "border": "image border"},
    **{"thumbnail": "thumbnail", "population": "children or adults", "age_group": "age"},
}
EVALUATED = {"val": "validation", "test": "test"}


def describe_audit(found: Found) -> Iterator[str]:
    """Yield lines and a table that say what was read and found, and the verdict."""
    read = found["read"]
    classes = ", ".join(f"{c['label']} {c['pictures']:,}" for c in read["classes"])
    yield f"reader {read['reader']}: {read['patients']['pictures']:,} images; {classes}"
    yield from read["notes"]
    yield ""
    yield from align_columns(["looked at", "found", ""], [*_rows(found)])
    if len(read["classes"]) > 1:
        yield ""
        yield _describe_verdict(found)


def _rows(found: Found) -> Iterator[list[str]]:
    results = found["results"]
    levels = {(f["topic"], f["subject"]): str(f["level"]) for f in found["findings"]}
    left_out = sum(reason["files"] for reason in found["read"]["excluded"])
    yield ["files left out", f"{left_out:,}", ""]
    yield ["copies", _describe_copies(results), levels.get((DUPLICATES, "conflicting_labels"), "")]
    if len(found["read"]["classes"]) == 1:
        return
    yield from _describe_split(results, levels)
    for variable in VARIABLES:
        name = f"{AUDIT}.{CONFOUNDING}.{variable}"
        values, missing = (
            results.get(f"{name}.{kind}.cramers_v", {}).get("value") for kind in ("values", MISSING)
        )
        if values is not None:
            yield [_name(variable), f"Cramer's V {values:.2f}", levels.get((CONFOUNDING, variable), "")]
        level = levels.get((CONFOUNDING, f"{variable}.{MISSING}"), "")
        if missing is not None and level:
            yield [f"{_name(variable)} known", f"Cramer's V {missing:.2f}", level]
    for probe in PROBES:
        item = results[f"{AUDIT}.{PROBING}.{probe}.auroc.{MACRO}"]
        if item["value"] is None:
            yield [_name(probe), f"not tried: {item['reason_null']}", ""]
        else:
            ends = f" ({item['low']:.3f} to {item['high']:.3f})" if item["low"] is not None else ""
            yield [_name(probe), f"macro AUROC {item['value']:.3f}{ends}", levels.get((PROBING, probe), "")]
    yield ["labels", _describe_labels(results), _strongest(levels, LABELS)]


def _name(subject: str) -> str:
    return NAMES.get(subject, subject)


def _strongest(levels: Mapping[tuple[str, str], str], topic: str) -> str:
    return max(
        (level for (of, _), level in levels.items() if of == topic), default="", key=("weak", "strong").index
    )


def _number(results: Found, name: str) -> int:
    item = results.get(f"{AUDIT}.{name}")
    return int(item["value"]) if item and item["value"] is not None else 0


def _describe_copies(results: Found) -> str:
    groups, pairs = (_number(results, f"{DUPLICATES}.{name}") for name in ("exact.groups", "near.pairs"))
    conflicts, patients = (
        _number(results, f"{DUPLICATES}.{name}.groups") for name in ("conflicting_labels", "across_patients")
    )
    return (
        f"{groups:,} groups of equal pixels, {pairs:,} near pairs; {conflicts:,} groups with several labels,"
        f" {patients:,} with several patients"
    )


def _describe_split(results: Found, levels: Mapping[tuple[str, str], str]) -> Iterator[list[str]]:
    """Yield what the parts of the dataset's own split share, if it has one."""
    for split, name in EVALUATED.items():
        copies = results.get(f"{AUDIT}.{LEAKS}.{split}.any_in_train")
        if copies is not None and copies["n"]:
            shared = _number(results, f"{PATIENTS}.{split}.{SAME_PATIENT}.{WHOLE}")
            text = (
                f"of {copies['n']:,} images {copies['value']:,} in training too, {shared:,} of patients there"
            )
            yield [
                f"own {name} set",
                text,
                levels.get((LEAKS, split), "") or levels.get((PATIENTS, split), ""),
            ]


def _describe_labels(results: Found) -> str:
    item = results[f"{AUDIT}.{LABELS}.candidates.{WHOLE}"]
    contradicted = (
        _number(results, f"{LABELS}.conflicts.{CONTRADICTING[0]}.{WHOLE}"),
        _number(results, f"{LABELS}.conflicts.{CONTRADICTING[1]}.{WHOLE}"),
    )
    known = f"contradicted by copies {contradicted[0]:,}, by the collection of origin {contradicted[1]:,}"
    if item["value"] is None:
        return f"{known}; the model could not be asked: {item['reason_null']}"
    agreeing = results[f"{AUDIT}.{LABELS}.agreeing.{WHOLE}"]["value"]
    return f"the model agrees with {100 * agreeing:.0f} % and disagrees with {item['value']:,}; {known}"


def _describe_verdict(found: Found) -> str:
    """Return what results on these images may rest on, in a sentence."""
    subjects = {
        level: list(
            dict.fromkeys(
                _name(f["subject"])
                for f in found["findings"]
                if f["level"] == level
                and f["topic"] in (CONFOUNDING, PROBING)
                and f["subject"] != THUMBNAIL
                and not f["subject"].endswith(MISSING)
            )
        )
        for level in ("strong", "weak")
    }
    problems = describe_problems(found)
    shared = f"; {problems}" if problems else ""
    if subjects["strong"]:
        weak = f", and to a lesser degree on {listed(subjects['weak'])}" if subjects["weak"] else ""
        return f"results on these images may rest on {listed(subjects['strong'])}{weak}{shared}"
    if subjects["weak"]:
        return f"results on these images may to a small degree rest on {listed(subjects['weak'])}{shared}"
    if not _is_compared(found["results"]):
        return f"too few images could be compared to tell whether anything goes with the class{shared}"
    return f"nothing was found that goes with the class{shared}"


def _is_compared(results: Found) -> bool:
    """Tell whether anything beside the lungs could be held against the class."""
    names = [f"{AUDIT}.{PROBING}.{probe}.auroc.{MACRO}" for probe in WITHOUT_LUNGS]
    names += [f"{AUDIT}.{CONFOUNDING}.{variable}.values.cramers_v" for variable in VARIABLES]
    return any(results.get(name, {}).get("value") is not None for name in names)


def describe_problems(found: Found) -> str:
    """Return what no result should be quoted with: parts of a split that share images or patients, labels that conflict; "" without."""
    results = found["results"]
    topics = {(f["topic"], f["subject"]) for f in found["findings"]}
    origin = CONTRADICTING[1]
    problems = {
        "X-rays in several parts of its split": (LEAKS in {t for t, _ in topics}, f"{LEAKS}.groups"),
        "patients in several parts of its split": (
            PATIENTS in {t for t, _ in topics},
            f"{PATIENTS}.in_several_splits",
        ),
        "X-rays with several labels": (
            (DUPLICATES, "conflicting_labels") in topics,
            f"{DUPLICATES}.conflicting_labels.groups",
        ),
        "labels unlike those of the collection of origin": (
            (LABELS, origin) in topics,
            f"{LABELS}.conflicts.{origin}.{WHOLE}",
        ),
    }
    return listed(
        [f"{what}: {_number(results, name):,}" for what, (is_found, name) in problems.items() if is_found]
    )

"""What of a build's data is in two splits: a warning at its end, and no report where the build is strict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from analysis.errors import DataError
from analysis.vocabulary.audit import AUDIT, LEAKS, PATIENTS, SAME_PATIENT, WHOLE
from analysis.vocabulary.splits import ANALYSES, EVALUATED, SPLITS
from report.errors import and_more

if TYPE_CHECKING:
    from report.engine.run import Built

IN_TWO = " in a split before it too, to the pixel or nearly"
WITHOUT_COPIES = "split.exclude_duplicates = true leaves out the copies"
BY_PATIENT = 'split.group = "patient" keeps the images of a patient together'
COPIED = {"val": "any_in_train", "test": "any_in_train_or_val"}
"""The results that count the images of a split that are in one before it."""


def read_leaks(built: Mapping[str, Built]) -> list[tuple[str, str]]:
    """Return what a build has found in two splits, and what mends each; nothing where it has collected no results."""
    if "results" not in built:
        return []
    text = built["results"].path("results.json").read_text(encoding="utf-8")
    return list(find_leaks(json.loads(text)["results"]))


def find_leaks(results: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what is in two splits, of each analysis first copies and then patients, and what mends it.

    Parameters
    ----------
    results : mapping of str to entry
        Those of ``results.json``.
    """
    for analysis in ANALYSES.values():
        for topic, rest, (one, many), hint in (
            (LEAKS, COPIED, ("is" + IN_TWO, "are" + IN_TWO), WITHOUT_COPIES),
            (
                PATIENTS,
                dict.fromkeys(EVALUATED, f"{SAME_PATIENT}.{WHOLE}"),
                ("is of a patient with training images", "are of patients with training images"),
                BY_PATIENT,
            ),
        ):
            owner = f"{AUDIT}{analysis.suffix}.{topic}"
            entries = {part: results.get(f"{owner}.{part}.{rest[part]}") for part in EVALUATED}
            shared = [
                f"{entry['value']:,} of {entry['n']:,} {SPLITS[part].name} images"
                for part, entry in entries.items()
                if entry and entry["value"]
            ]
            if shared:
                alone = sum(entry["value"] for entry in entries.values() if entry) == 1
                which = f"split {analysis.name}" if analysis.suffix else "split"
                yield f"{which}: {' and '.join(shared)} {one if alone else many}", hint


def refuse_leaks(leaks: list[tuple[str, str]]) -> None:
    """Refuse data that are in two splits.

    Raises
    ------
    DataError
        There are some; the hint says what mends them.
    """
    if leaks:
        raise DataError(
            leaks[0][0] + and_more(len(leaks)), hint="; ".join(dict.fromkeys(h for _, h in leaks))
        )

"""Which images are of one patient, and which collection an image is from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

# Pediatric images of Kermany et al.: the number of a person is used again for the other type. Later editions
# name them by type, patient and image: BACTERIA-1008087-0001.
KERMANY = re.compile(
    r"(person\d+_(?:bacteria|virus)|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+(?=-\d))(?:[-_]|$)"
)
COHEN = re.compile(r"PatientID:\s*(\S+)")
# Two ids each for one patient: 97 and 178 have the same four X-rays, 78 and 201 share one.
SAME = {"178": "97", "201": "78"}


NOBODY = re.compile(r"anon\w*|unknown|none|nan|removed|de-?identified|n/?a|[x*._ -]*", re.IGNORECASE)
"""What stands in place of a patient's id where it was taken out."""
Patient = tuple[str, str]
"""The id of a patient, and what tells it."""
Rule = Callable[[str, Iterable[str]], Patient | None]
"""Who the patient of an image is by its path and tags; None where they do not tell."""


def kermany(image_id: str, tags: Iterable[str] = ()) -> Patient | None:
    """Return the patient that the name of an image from Kermany et al. tells."""
    found = KERMANY.match(PurePosixPath(image_id).stem)
    return (f"kermany-{found[1]}", "kermany") if found else None


def v7(image_id: str, tags: Iterable[str] = ()) -> Patient | None:
    """Return the patient of an image from Kermany et al. by its name, of one from Cohen et al. by its tag ``PatientID``."""
    numbers = [m[1] for tag in tags if (m := COHEN.fullmatch(tag))]
    of_tag = (f"cohen-{SAME.get(numbers[0], numbers[0])}", "cohen") if numbers else None
    return kermany(image_id) or of_tag


def no_patient(image_id: str, tags: Iterable[str] = ()) -> Patient | None:
    """Return None: nothing tells the patient."""
    return None


def by_pattern(pattern: str, otherwise: Rule) -> Rule:
    """Return the rule that the one group of the regular expression is the patient, searched in the path of an image.

    Where it is not found, ``otherwise`` tells; with no pattern it tells of all.
    """
    if not pattern:
        return otherwise
    known = re.compile(pattern)

    def found_in(image_id: str, tags: Iterable[str]) -> Patient | None:
        found = known.search(image_id)
        return (f"name-{found[1]}", "name") if found and found[1] else otherwise(image_id, tags)

    return found_in


def known_id(id_: str) -> str:
    """Return the id of a patient as a file or a table has it; "" where something else stands in its place."""
    return "" if NOBODY.fullmatch(id_.strip()) else id_.strip()


def stand_in(image_id: str) -> Patient:
    """Return what stands for the patient of an image about whom nothing is known."""
    return f"file-{image_id}", "unknown"

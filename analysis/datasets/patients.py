"""Which pictures are of one patient, and which collection a picture is from."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Pediatric pictures of Kermany et al.: the number of a person is used again for the other type. Later editions
# name them by type, patient and picture: BACTERIA-1008087-0001.
KERMANY = re.compile(
    r"(person\d+_(?:bacteria|virus)|(?:NORMAL2-)?IM-\d+|(?:BACTERIA|VIRUS|NORMAL)-\d+(?=-\d))(?:[-_]|$)"
)
COHEN = re.compile(r"PatientID:\s*(\S+)")
# Two ids each for one patient: 97 and 178 have the same four X-rays, 78 and 201 share one.
SAME = {"178": "97", "201": "78"}


def identify(image_id: str, tags: Iterable[str] = ()) -> tuple[str, str]:
    """Return the patient id and the source of a picture: "kermany", "cohen" or "unknown".

    The name of the file tells the patient of a picture from Kermany et al., the tag ``PatientID`` that of
    one from the COVID-19 collection of Cohen et al. A picture without either is its own patient.
    """
    name = image_id.rsplit("/", 1)[-1]
    if found := KERMANY.match(name.rsplit(".", 1)[0]):
        return f"kermany-{found[1]}", "kermany"
    numbers = [m[1] for tag in tags if (m := COHEN.fullmatch(tag))]
    if numbers:
        return f"cohen-{SAME.get(numbers[0], numbers[0])}", "cohen"
    return f"file-{image_id}", "unknown"

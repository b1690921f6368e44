"""What the tags of an image tell of its patient and of how it was taken: age, sex, view, device, place.

The tags are written as V7 writes them, whatever the reader: ``Age:60`` in years or ``Age:018M`` as in DICOM, ``Sex/F``,
``View/PA``, ``Device:maker and model``, ``location:Hannover``.
"""

from __future__ import annotations

import re

AGE = re.compile(r"(?:^|\|)Age:\s*(\d+(?:\.\d+)?)\s*([YMWD]?)\s*(?:\||$)", re.IGNORECASE)
PARTS_OF_YEAR = {"": 1, "Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}
"""As in DICOM's age strings."""
NOTHING = re.compile(r"unk\w*|none|nan|n/?a|-*", re.IGNORECASE)
"""What stands in place of something that is not known."""


def age_years(tags: str) -> float:
    """Return the age in years that tags tell, as ``Age:60``, ``Age: 60.5``, ``Age:060Y`` or ``Age:18M``; NaN without one.

    ``Age:60s`` is a decade and no age.

    Parameters
    ----------
    tags : str
        All tags of an image, with | between them.
    """
    found = AGE.search(tags)
    return float(found[1]) / PARTS_OF_YEAR[found[2].upper()] if found else float("nan")


def tagged(tags: str, kind: str) -> str:
    """Return what the first tag of a ``kind`` such as "Sex/" or "location:" says; "" where there is none or it says nothing.

    Parameters
    ----------
    tags : str
        All tags of an image, with | between them.
    kind : str
        How such tags begin, with the sign that ends it.
    """
    values = (
        tag[len(kind) :].strip() for tag in tags.split("|") if tag.casefold().startswith(kind.casefold())
    )
    return next((value for value in values if not NOTHING.fullmatch(value)), "")

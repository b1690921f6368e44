"""The datasets that others are put together from, and what is published about whom their images are of."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """A dataset of origin.

    Parameters
    ----------
    id : str
        As in the column ``source`` of ``records.csv``.
    citation : str
        In ``references.bib``.
    ages : (int, int) or None
        From which to which age in years its patients are, where that is published.
    hospitals : {"one", "many"}
        Where its images were taken.
    """

    id: str
    citation: str
    ages: tuple[int, int] | None
    hospitals: str


ORIGINS: dict[str, Origin] = {
    origin.id: origin
    for origin in (
        Origin("kermany", "kermany2018", (1, 5), "one"),
        Origin("cohen", "cohen2020", None, "many"),
    )
}
FINDINGS_AT_ORIGIN = {"cohen": {"2c35005f": "No Finding", "ada8c494": "No Finding"}}
"""What a collection calls images that datasets put together from it label otherwise, by their names without suffix.

Of Cohen's the column ``finding`` of its ``metadata.csv``; V7's dataset has both as COVID-19. "Unknown" is no other finding.
"""
ADULT = 18
"""Years."""
CHILDREN, ADULTS = "children", "adults"


def population(age: float, source: str) -> str:
    """Return whether a patient is one of the children or of the adults; "" where neither age nor origin tells.

    Parameters
    ----------
    age : float
        In years; NaN where it is not known. Then the origin tells, if all of its patients are one or the other.
    source : str
        The id of an origin, or anything else.
    """
    if not math.isnan(age):
        return CHILDREN if age < ADULT else ADULTS
    origin = ORIGINS.get(source)
    if origin is None or origin.ages is None:
        return ""
    youngest, oldest = origin.ages
    return CHILDREN if oldest < ADULT else ADULTS if youngest >= ADULT else ""

"""What the declared rule can say of a comparison."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["better", "worse", "equivalent", "underpowered", "not_distinguishable", "cannot_be_decided"]
BETTER: Verdict = "better"
WORSE: Verdict = "worse"
EQUIVALENT: Verdict = "equivalent"
UNDERPOWERED: Verdict = "underpowered"
NOT_DISTINGUISHABLE: Verdict = "not_distinguishable"
CANNOT_BE_DECIDED: Verdict = "cannot_be_decided"
UNEQUAL = frozenset((BETTER, WORSE))
"""Those that say which of two models is better."""
DECIDING = UNEQUAL | {EQUIVALENT}
"""Those that say how two models stand to each other."""

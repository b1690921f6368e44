from __future__ import annotations

import numpy as np
import pytest

from analysis.figures import (
    wording,
)


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.000"), (0.9996, "1.000"), (0.5, "0.500"), (np.nan, "undefined")]
)
def test_only_a_perfect_area_is_called_one(value: float, text: str) -> None:
    assert wording.three_digits(value) == text
    assert wording.interval(0.4, np.nan) == ""
    assert wording.interval(0.4, 0.61) == " (0.400–0.610)"


def test_signs_and_lists() -> None:
    assert [wording.signed(v) for v in (0.0712, -0.0712, -0.0001)] == ["+0.071", "−0.071", "0.000"]
    assert [wording.join(w) for w in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]

from __future__ import annotations

from typing import Any

import pytest

from analysis.models.training_settings import class_weights


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("none", None),
        # Study 003: total / (4 count), as printed.
        ("balanced", {"covid": 1.463187, "normal": 0.519132, "viral": 3.934015, "opacity": 0.880225}),
        (
            {"covid": 13, "normal": 1, "viral": 1, "opacity": 2},
            {"covid": 13, "normal": 1, "viral": 1, "opacity": 2},
        ),
    ],
)
def test_class_weights_as_published(rule: Any, expected: Any) -> None:
    counts = {"covid": 2893, "normal": 8154, "viral": 1076, "opacity": 4809}
    found = class_weights(rule, counts)
    assert found == (expected if expected is None else pytest.approx(expected, abs=5e-7))


def test_share_of_the_other_class_in_two_decimals() -> None:
    assert class_weights("other-share", {"normal": 1282, "pneumonia": 3461}) == {
        "normal": 0.73,
        "pneumonia": 0.27,
    }
    with pytest.raises(ValueError, match="heavy"):
        class_weights("heavy", {"normal": 1})

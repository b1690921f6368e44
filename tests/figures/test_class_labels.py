from __future__ import annotations

import itertools

from analysis.figures import (
    class_labels,
    typesetting,
)
from tests.figures.many_classes import (
    LONG,
    SHORT,
    SOLID,
)


def test_cut_labels_keep_to_their_lines() -> None:
    for label, lines in itertools.product((LONG[0], SOLID[0], SHORT[12] * 5), (1, 2)):
        text = class_labels.cut(label, 30, lines)
        assert text.count("\n") + 1 == lines
        assert text.endswith("…")
        assert typesetting.text_mm(text) <= 30
    assert class_labels.cut("Mass", 30, 1) == "Mass"

from __future__ import annotations

import numpy as np

from analysis.figures import (
    roc_curves,
)


def test_words_of_the_areas() -> None:
    areas = {("test", "a"): {"auroc": 0.5}, ("test", "b"): {"auroc": np.nan}}
    lines = {"a": roc_curves.Line("A", "red"), "b": roc_curves.Line("B", "blue")}
    assert roc_curves.describe(areas, lines, "CNN", ["test"]) == (
        "CNN, test: area under the curve A 0.500 and B undefined."
    )

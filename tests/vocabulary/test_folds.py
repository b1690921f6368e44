"""Names of the results of a cross-validation, and what kind of numbers they are."""

from __future__ import annotations

from analysis.vocabulary.audit import quantity
from analysis.vocabulary.folds import names
from analysis.vocabulary.results import Quantity

PAIR = "net_vs_other"


def test_names_are_there_once_and_tell_their_kind():
    found = list(names(("a", "b"), 3, ("net", "other"), (PAIR,)))
    assert len(set(found)) == len(found)
    assert {"net@fold_3.test.f1.macro", "net@folds.test.mean.accuracy", f"{PAIR}@folds.test.f1.a"} <= set(
        found
    )
    for name in found:
        counted = name.split(".")[2] in ("n", "support", "confusion")
        share = name.split(".")[2] == "confusion_share"
        kind = Quantity.COUNT if counted else Quantity.SHARE if share else Quantity.NUMBER
        assert quantity(name) is (Quantity.DIFFERENCE if name.startswith(PAIR) else kind), name

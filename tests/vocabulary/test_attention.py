"""Names of the results of Grad-CAM, and what kind of numbers they are."""

from __future__ import annotations

import pytest

from analysis.vocabulary.attention import is_difference, is_percentage, names, quantity
from analysis.vocabulary.results import Quantity


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("attention.net.images", Quantity.COUNT),
        ("attention.net.rank_correlation", Quantity.NUMBER),
        ("attention.net.lungs.images", Quantity.COUNT),
        ("attention.net.lungs.share", Quantity.NUMBER),
        ("audit.duplicates.images", Quantity.COUNT),
        ("b_vs_a.test.f1.macro", Quantity.DIFFERENCE),
        ("net.external.confusion_share.normal.covid_19", Quantity.SHARE),
    ],
)
def test_kinds(name, kind):
    assert quantity(name) is kind
    assert is_percentage(name) is (kind is Quantity.SHARE)
    assert is_difference(name) is (kind is Quantity.DIFFERENCE)


def test_every_network_has_every_result():
    found = [*names(["a", "b"])]
    assert len(found) == len({*found}) == 16
    assert {"attention.a.empty", "attention.b.lungs.share_random"} <= {*found}

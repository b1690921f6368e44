"""The words of the ledger."""

from __future__ import annotations

import pytest

from analysis.vocabulary.published import join_reasons, split_reasons


@pytest.mark.parametrize(
    ("reasons", "cell"),
    [
        (["another split"], "another split"),
        (["another split", "the mistake is corrected"], "another split; the mistake is corrected"),
        (["two runs; the first counts", "another split"], r"two runs\; the first counts; another split"),
    ],
)
def test_reasons_with_a_semicolon_stay_apart(reasons: list[str], cell: str) -> None:
    assert join_reasons(reasons) == cell
    assert split_reasons(cell) == reasons

"""Numbers as text."""

from __future__ import annotations

import pytest

from report.errors import RenderError
from report.writing.values import Values, count, counted, decimal, listed, sentence_case, whole_percent


def test_numbers_are_set_with_true_signs():
    assert count(1615940) == "1,615,940"
    assert decimal(-0.0161, signed=True) == "−0.016"
    assert decimal(0.0161, signed=True) == "+0.016"
    assert decimal(-0.0001) == "0.000"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_values_know_counts_shares_differences_and_what_does_not_exist():
    values = Values(
        {
            "baseline.test.n": {"value": 1257},
            "data.all.share.viral": {"value": 0.2377},
            "b_vs_a.test.f1.macro": {"value": 0.02},
            "baseline.test.ppv.macro": {"value": None},
        }
    )
    assert values("baseline.test.n") == "1,257"
    assert values("data.all.share.viral") == "23.8\u00a0%"
    assert values("b_vs_a.test.f1.macro") == "+0.020"
    assert values("baseline.test.ppv.macro") == "not defined"
    assert values.text("baseline.test.ppv.macro") == "–"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1 / 304, "< 1 %"),
        (0.126, "13 %"),
        (303 / 304, "> 99 %"),
        (0.99, "99 %"),
        (1.0, "100 %"),
    ],
)
def test_a_share_that_is_not_all_is_not_rounded_to_all(share, text):
    assert whole_percent(share).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        *(
            ("2 groups of copies", "Two groups of copies"),
            ("12 groups", "12 groups"),
            ("3.5 groups", "3.5 groups"),
        ),
        *(("trees", "Trees"), ("F1", "F1"), ("1 %", "1 %"), ("", "")),
    ],
)
def test_a_sentence_begins_with_a_word(text, begun):
    assert sentence_case(text) == begun


def test_an_unknown_result_names_the_nearest():
    with pytest.raises(RenderError) as caught:
        Values({"baseline.test.accuracy": {"value": 1}})("baseline.test.acuracy")
    assert "baseline.test.acuracy" in str(caught.value)
    assert "baseline.test.accuracy" in caught.value.hint


def test_counts_are_whole_and_means_of_counts_have_a_decimal():
    assert [counted(n, "image") for n in (1, 2, 1234, 2.0, 18 + 1 / 3)] == [
        "1 image", "2 images", "1,234 images", "2 images", "18.3 images",
    ]  # fmt: skip

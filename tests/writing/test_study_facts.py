"""What the parts of a study are called."""

from __future__ import annotations

import pytest

from report.writing.study_facts import uncapitalised


@pytest.mark.parametrize(
    ("title", "within"),
    [
        ("Baseline CNN", "baseline CNN"),
        ("Xception", "Xception"),
        ("Inception v3", "Inception v3"),
        ("The best network", "best network"),
        ("our CNN", "CNN"),
        ("My network", "network"),
        ("A", "A"),
        ("Dropout and L2 CNN", "dropout and L2 CNN"),
        ("U-Net", "U-Net"),
    ],
)
def test_a_title_stands_in_a_sentence_as_a_name_or_in_small_letters(title, within):
    assert uncapitalised(title) == within

"""Times and sizes as a terminal shows them."""

from __future__ import annotations

import pytest

from report.terminal.quantities import format_size, format_training_time


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        ([3.0, 0.5], "about 3 min 30 s on 2 cores"),
        ([None, 60.0, None], "about 1 h 00 min on 2 cores, and 2 more of unknown length"),
        ([None], "of unknown length"),
    ],
)
def test_trainings_are_as_long_as_their_studies_tell(minutes, words):
    assert format_training_time(minutes) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(900, "1 kB"), (12_300_000, "12.3 MB"), (999_960_000, "1000.0 MB"), (7_260_000_000, "7.3 GB")],
)
def test_sizes(count, words):
    assert format_size(count) == words

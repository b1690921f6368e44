"""What the authors of our studies say of results, where the results say it too."""

from __future__ import annotations

import pytest

from report import PROJECT
from report.writing.author.passages import close_passage

PRETRAINING = "Why the pretraining gives no gain here"


@pytest.mark.parametrize(
    ("head", "fine_tuned", "scratch", "said"),
    [(0.74, 0.82, 0.84, True), (0.74, 0.85, 0.84, False), (0.83, 0.82, 0.84, False)],
)
def test_the_reading_of_the_pretraining(head, fine_tuned, scratch, said):
    """It says that the pretraining gains nothing, and that layers which learn reach more than a new head alone."""
    results = {"head": head, "transfer": fine_tuned, "scratch": scratch}

    def value(name: str) -> float:
        return results.get(name.partition(".")[0], 1.0)

    context = {"r": str, "ci": str, "value": value, "grouped": True, "study": {}, "sample": False}
    path = PROJECT / "studies" / "assignment-transfer" / "discussion.md"
    assert (PRETRAINING in close_passage(path, context, PROJECT / "templates")) is said

"""What follows from a study: its analyses."""

from __future__ import annotations

import pytest

from report.study.trainings import list_analyses
from tests.pipeline.plans import (
    changed_study,
    named,
    planned,
)


@pytest.mark.parametrize(
    ("overrides", "groups"),
    [
        ((), {"": "none", "@patient": "patient"}),
        (("split.also=none",), {"": "none"}),
        (("split.group=patient",), {"": "patient"}),
        (("split.group=patient", "split.also=none"), {"": "patient"}),
    ],
)
def test_analyses_and_what_they_keep_together(overrides, groups):
    assert list_analyses(changed_study(*overrides)) == groups
    plan = planned(*overrides)
    splits = {s.name: s.params["group"] for s in plan if s.name.startswith("split")}
    assert splits == {f"split{analysis}": group for analysis, group in groups.items()}
    compared = {s.name: s.params["analysis"] for s in plan if s.name.startswith("compare")}
    assert compared == {f"compare{analysis}": analysis for analysis in groups}
    assert named(plan, "results").params["analyses"] == list(groups)

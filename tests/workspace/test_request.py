"""Under which name the cache remembers a study."""

from __future__ import annotations

import shutil
from pathlib import Path

from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.specimen import TWO_NETWORKS

OWN = Path(__file__).parents[2] / "studies" / "assignment"


def test_studies_of_the_same_name_are_remembered_apart(tmp_path):
    def remembered(study: object, sample: bool) -> str:
        return make_plan(Request(str(study), sample=sample), needs_data=False).cache_name

    assert remembered("assignment", False) == remembered(OWN, False) == "assignment"
    assert remembered("assignment", True) == "assignment-sample"
    names = {"assignment"}
    for place in ("one", "two"):
        folder = tmp_path / place / "assignment"
        shutil.copytree(TWO_NETWORKS, folder)
        names.add(remembered(folder, False))
        assert remembered(folder / "study.toml", True) == f"{remembered(folder, False)}-sample"
    assert len(names) == 3

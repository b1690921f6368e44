"""The figure of the stages in the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis.progress import silent
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.writing.stages_figure import draw

STUDIES = Path(__file__).resolve().parents[2] / "studies"


@pytest.mark.parametrize("name", ["assignment", "pediatric-imbalanced"])
def test_no_type_is_smaller_than_7_pt_in_print(name: str, tmp_path: Path) -> None:
    study = load(STUDIES / name / "study.toml")
    stages = make_stages(study, Place(STUDIES / name, "folder", Path("/data")))
    params = next(stage.params for stage in stages if stage.name == "figure.stages")
    draw({}, tmp_path, scratch=tmp_path, progress=silent, **params)
    svg = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    width = json.loads((tmp_path / "figure.json").read_text())["width_mm"]
    across = float(re.search(r'viewBox="-1 -1 ([\d.]+)', svg)[1])
    sizes = [float(size) * width / across / 25.4 * 72 for size in re.findall(r'font-size="([\d.]+)"', svg)]
    assert width <= 160
    assert min(sizes) >= 7

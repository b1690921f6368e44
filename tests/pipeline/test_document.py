"""The stages that write the report."""

from __future__ import annotations

from pathlib import Path

from report.pipeline.data import Place
from report.pipeline.document import DOCUMENT_KINDS
from report.pipeline.stages import make_stages
from tests.pipeline.plans import (
    ASSIGNMENT,
    REAL,
    STUDY,
)


def test_the_title_of_the_study_reaches_the_document_alone():
    about = STUDY.about.model_copy(update={"title": "Another"})
    other = make_stages(STUDY.model_copy(update={"about": about}), Place(ASSIGNMENT, "folder", Path("/data")))
    assert {a.name for a, b in zip(REAL, other, strict=True) if a != b} == {"source"}


def test_the_document_lists_every_package_that_the_numbers_depend_on():
    source = next(stage for stage in REAL if stage.name == "source")
    declared = {package for stage in REAL for package in stage.packages}
    assert declared - {"pango"} == set(source.params["versions"])


def test_the_pipeline_names_the_kinds_of_stages_that_make_the_document():
    found = {stage.kind for stage in REAL if stage.function.startswith("report.") or stage.kind == "figure"}
    assert found == DOCUMENT_KINDS
    assert not DOCUMENT_KINDS & {
        stage.kind for stage in REAL if stage.function.startswith("analysis.models.")
    }

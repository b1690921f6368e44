"""What a build folder holds so that its report can be checked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter, ValidationError

from analysis.errors import DataError
from report.delivery import evidence, publish
from report.engine.stage import Output, Stage, find_private_readers, is_included
from report.errors import StageError
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.folder import STUDIES
from report.study.loading import load
from report.workspace.places import list_studies

FILES = ("records.csv", "images.npy", "a/b.png", "split.csv", "model.keras", "history.csv", "predictions.csv")
"""What every stage is taken to have made: the worst that it could."""


def plan_study(name: str, kind: str) -> list[Stage]:
    study = load(STUDIES / name / "study.toml", has_imagenet=True)
    place = Place(STUDIES / name, kind, None if kind == "sample" else Path("/data"))
    return make_stages(study.for_sample() if kind == "sample" else study, place)


def hand_over(plan: list[Stage]) -> dict[str, Path]:
    """Return what a build of a plan hands over, each with a path that says of which stage it is."""
    built = {
        stage.name: SimpleNamespace(files=FILES, path=lambda file, stage=stage.name: Path(stage, file))
        for stage in plan
    }
    return publish.list_build_files(SimpleNamespace(stages=plan), built)


@pytest.mark.parametrize("kind", ["sample", "folder", "archive"])
@pytest.mark.parametrize("name", list_studies())
def test_no_file_of_a_private_stage_is_handed_over(name, kind):
    plan = plan_study(name, kind)
    handed, readers = [path.parts for path in hand_over(plan).values()], find_private_readers(plan)
    for stage in plan:
        files = ["/".join(rest) for owner, *rest in handed if owner == stage.name]
        if stage.private or stage.name in readers:
            assert all(is_included(file, stage.releases) for file in files)
        if stage.kind in {"sample", "archive", "images"}:
            assert not files
        if stage.kind == "train":
            assert {*files} <= {"history.csv"}
    assert {*evidence.TARGETS} <= {stage.name for stage in evidence.select_repeatable(plan)}


def test_a_stage_that_says_nothing_of_what_it_makes_of_images_hands_over_nothing():
    plan = plan_study("assignment", "folder")
    end = next(i for i, stage in enumerate(plan) if stage.name == "source")
    figure = Stage("figure.mine", "mine:draw", {"images": Output("images")})
    source = replace(plan[end], inputs={**plan[end].inputs, "figure_mine": Output("figure.mine")})
    with pytest.raises(StageError, match="source reads files that may not be handed over"):
        hand_over([*plan[:end], figure, source, *plan[end + 1 :]])
    released = replace(figure, releases=("figure.svg",))
    with pytest.raises(StageError, match="source reads"):  # all of them, and more than that one
        hand_over([*plan[:end], released, source, *plan[end + 1 :]])
    told = replace(figure, releases=("**/*",))
    files = hand_over([*plan[:end], told, source, *plan[end + 1 :]])
    assert {path.parts[0] for path in files.values() if "images.npy" in path.parts} >= {"figure.mine"}
    assert not [path for path in files.values() if path.parts[0] == "images"]


def test_everything_is_recomputed_but_what_needs_pictures_or_a_network(case):
    taken = {stage.partition(".")[0].partition("@")[0] for stage in evidence.group_by_stage(case.given.files)}
    assert taken == {
        "read",
        "split",
        "architecture",
        "train",
        "predict",
        "figure",
        "prose",
        "audit",
        "attention",
    }
    assert {name for name in evidence.group_by_stage(case.given.files) if name.startswith("figure")} == {
        *("figure.examples", "figure.duplicates", "figure.labels", "figure.flips.improved"),
        *("figure.attention.baseline", "figure.attention.improved"),
    }
    audited = {name for name in evidence.group_by_stage(case.given.files) if name.startswith("audit")}
    assert audited == {
        "audit.duplicates",
        "audit.probes",
        "audit.labels",
    }  # they read images; the others are run again
    assert {
        "evaluate.baseline",
        "compare@patient",
        "results",
        "split",
        "source",
        "pdf",
    } <= case.again.results.keys()


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (None, "no such folder"),
        ({}, "is no build folder"),
        ({"run.json": "{}", "predictions/baseline.csv": ""}, "holds no report, as after report build --only"),
        ({"report.html": ""}, "its report has no predictions/study.json"),
        ({"predictions/study.json": "{"}, "damaged, or of another version of this program"),
        ({"predictions/study.json": '{"format": 2}'}, "format: "),
    ],
)
def test_a_folder_that_cannot_be_checked(tmp_path, files, error):
    folder = tmp_path / "build"
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if files == {}:
        folder.mkdir()
    with pytest.raises(DataError, match=error) as caught:
        evidence.read_evidence(folder)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../elsewhere"),
        ("name", ".."),
        ("files", {"predictions/../../x/y": ""}),
        ("files", {"/etc/passwd": ""}),
    ],
)
def test_no_path_leads_out_of_the_folder(copy, key, value):
    path = copy.folder / evidence.STUDY
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(DataError, match="damaged"):
        evidence.read_evidence(copy.folder)


@pytest.mark.parametrize("path", ["report.html", "predictions/prose/templates/sections/limits.qmd.j2"])
def test_a_path_inside_the_folder_is_one(path):
    assert TypeAdapter(evidence.Inside).validate_python(path) == path


@pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "a/.b", "", "a/b/c/d/e/f"])
def test_a_path_that_leads_out_or_too_deep_is_none(path):
    with pytest.raises(ValidationError):
        TypeAdapter(evidence.Inside).validate_python(path)

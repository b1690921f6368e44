"""``report build``: what it refuses, and when."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from report.commands.build import FORMATS, _choose_targets, _note_omissions, _require_model
from report.errors import (
    DATA,
    ENVIRONMENT,
    OK,
    RENDER,
    USAGE,
    UsageError,
)
from report.workspace.plan import make_plan
from report.workspace.request import Request
from tests.commands.process import run_here, run_in_vain, write_image
from tests.pipeline.plans import ABLATED, ASSIGNMENT
from tests.specimen import TWO_NETWORKS

pytestmark = pytest.mark.usefixtures("shared_workers")
LABELS = ("Bacterial Pneumonia", "COVID-19", "No Pneumonia (healthy)", "Viral Pneumonia")
BUILD = ("build", "--only", "baseline")
"""Of what is refused before anything is trained; without a report, which would be rehearsed first."""


def annotate(folder: Path, name: str, *tags: str) -> None:
    annotation = {
        "image": {"width": 64, "height": 48, "filename": name, "original_filename": name},
        "dataset": "made up",
        "annotations": [{"name": tag, "tag": {}} for tag in tags],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(annotation))


@pytest.fixture
def dataset(tmp_path: Path):
    """Return a function that writes a dataset with so many pictures per class, some without a label."""

    def write(counts: tuple[int, ...], unlabelled: int = 0) -> Path:
        for label, count in zip((*LABELS, None), (*counts, unlabelled), strict=True):
            for i in range(count):
                name = f"{label or 'none'}-{i}.png"
                write_image(tmp_path / "data" / "images" / name)
                annotate(tmp_path / "data" / "annotations", name, *([label] if label else []))
        return tmp_path / "data"

    return write


def test_a_whole_build_has_every_stage():
    plan = make_plan(Request(sample=True))
    assert plan.select_upstream(["results", "source", *FORMATS]) == plan.stages, "so old ones are forgotten"


def test_a_build_with_an_ablation_has_every_stage():
    plan = make_plan(Request(str(ASSIGNMENT), sample=True, overrides=ABLATED))
    assert plan.select_upstream(_choose_targets(plan, "", "html,pdf")) == plan.stages


def test_a_network_of_an_ablation_can_be_built_alone():
    plan = make_plan(Request(str(ASSIGNMENT), sample=True, overrides=ABLATED))
    assert _require_model(plan, "improved_without_dropout") == "improved_without_dropout"
    assert _choose_targets(plan, "improved_without_dropout", "html,pdf") == [
        "validate.improved_without_dropout"
    ]
    without = make_plan(Request(str(ASSIGNMENT), sample=True))
    with pytest.raises(UsageError, match="no such model"):
        _require_model(without, "improved_without_dropout")


def test_a_study_without_an_ablation_says_what_it_lacks(tmp_path):
    code, error, hint = run_in_vain("build", "pediatric-official", "--sample", "--ablation", cache=tmp_path)
    assert (code, "the study names no components" in error, "templates/study" in hint) == (USAGE, True, True)


def test_without_data_the_hint_says_how_to_get_them(tmp_path):
    done = run_here("build", cache=tmp_path, REPORT_DATA=str(tmp_path / "none"))
    assert done.returncode == DATA
    assert "--sample" in done.stderr


def test_an_empty_data_folder(tmp_path):
    (tmp_path / "data").mkdir()
    code, error, hint = run_in_vain("build", "--data", str(tmp_path / "data"), cache=tmp_path / "cache")
    assert (code, "is empty" in error, "download" in hint) == (DATA, True, True)


def test_a_folder_that_is_no_dataset(tmp_path):
    write_image(tmp_path / "data" / "x.png")
    code, error, hint = run_in_vain("build", "--data", str(tmp_path / "data"), cache=tmp_path / "cache")
    assert code == DATA
    assert "no Darwin JSON annotations" in error
    assert f"report data check {tmp_path / 'data'} tells which reader fits" in hint
    assert "darwin dataset pull" in hint
    assert not (tmp_path / "cache").exists(), "found before anything runs"


def test_the_data_of_the_last_build_are_remembered(dataset, tmp_path):
    data, cache = dataset((9, 2, 9, 9)), tmp_path / "cache"
    run_in_vain(*BUILD, "--data", str(data), cache=cache)
    for command in (("status",), ("why", "split"), ("graph", "--out", str(tmp_path / "graph.svg"))):
        done = run_here(*command, cache=cache)
        assert (done.returncode, done.stderr) == (OK, f"data: {data} (as in the last build)\n")
    done = run_here("log", "read", cache=cache, REPORT_DATA="")
    assert (done.returncode, done.stderr) == (OK, "")
    data.rename(tmp_path / "elsewhere")
    code, error, hint = run_in_vain("status", cache=cache)
    assert (code, hint) == (DATA, "hint: repeat --data DIR, or set REPORT_DATA")
    assert "where the last build found them" in error
    assert run_here("log", "read", cache=cache, REPORT_DATA="").returncode == OK


def test_too_many_exclusions(dataset, tmp_path):
    data = dataset((2, 2, 2, 2), unlabelled=12)
    code, error, _ = run_in_vain(*BUILD, "--data", str(data), cache=tmp_path / "cache")
    assert code == DATA
    assert "12 of 20" in error
    assert "no class label" in error


def test_a_class_too_small_to_be_split_is_named_with_its_count(dataset, tmp_path):
    code, error, _ = run_in_vain(*BUILD, "--data", str(dataset((9, 2, 9, 9))), cache=tmp_path / "cache")
    assert code == DATA
    assert '"covid_19" has 2 images' in error
    ran = [
        json.loads(path.read_bytes())["stage"] for path in (tmp_path / "cache").glob("v2/actions/*/*.json")
    ]
    assert "read" in ran
    assert not [name for name in ran if name.startswith("architecture.")], (
        "found before TensorFlow is imported"
    )


def test_a_mistake_in_the_authors_text_is_found_before_anything_runs(tmp_path):
    study = tmp_path / "mine"
    study.mkdir()
    (study / "study.toml").write_bytes((TWO_NETWORKS / "study.toml").read_bytes())
    (study / "discussion.md").write_text("Fine.\n\n::: {.callout-note}\nnever closed\n")
    code, error, hint = run_in_vain("build", str(study), "--sample", cache=tmp_path / "cache")
    assert code == RENDER
    assert "discussion.md:3: ::: is never closed" in error
    assert "close it" in hint
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("a file")
    code, error, hint = run_in_vain("build", "--sample", cache=tmp_path / "cache")
    assert code == ENVIRONMENT
    assert "the cache cannot be written" in error
    assert "--cache" in hint


def test_weights_of_another_study_are_warned_of_before_anything_is_trained(capsys):
    models = [
        SimpleNamespace(id=name, precision=None, study_of_weights=of)
        for name, of in (("own", ("", "")), ("taken", ("other", "net")))
    ]
    study = SimpleNamespace(
        untrained=(), trained=models, models=models, training=SimpleNamespace(precision="float32")
    )
    _note_omissions(SimpleNamespace(study=study, lacks_external=False, commit="abc"), "")
    [warned] = capsys.readouterr().err.splitlines()
    assert warned.startswith("warning: taken begins with weights that other has trained")

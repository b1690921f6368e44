"""What goes wrong on a user's machine: each has its exit code, one line and one hint."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis.errors import DataError
from report.cli import exit_code
from report.delivery import build_folder, evidence, publish
from report.errors import DATA, ENVIRONMENT, OK, RENDER, USAGE, EnvironmentProblem

ROOT = Path(__file__).parents[2]
LABELS = ("Bacterial Pneumonia", "COVID-19", "No Pneumonia (healthy)", "Viral Pneumonia")


def run(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "report", *arguments],
        cwd=ROOT,
        env={**os.environ, "REPORT_CACHE": str(cache), "REPORT_DATA": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def report(*arguments: str, cache: Path) -> tuple[int, str, str]:
    """Run the command; return its exit code, its error line and its hint."""
    done = run(*arguments, cache=cache)
    told = [line for line in done.stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert len(told) == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode, *told


def picture(path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").resize((64, 48)).save(path)


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
                picture(tmp_path / "data" / "images" / name)
                annotate(tmp_path / "data" / "annotations", name, *([label] if label else []))
        return tmp_path / "data"

    return write


def test_an_empty_data_folder(tmp_path):
    (tmp_path / "data").mkdir()
    code, error, hint = report("build", "--data", str(tmp_path / "data"), cache=tmp_path / "cache")
    assert (code, "is empty" in error, "download" in hint) == (DATA, True, True)


def test_a_folder_that_is_no_dataset(tmp_path):
    picture(tmp_path / "data" / "x.png")
    code, error, hint = report("build", "--data", str(tmp_path / "data"), cache=tmp_path / "cache")
    assert code == DATA
    assert "no Darwin JSON annotations" in error
    assert f"report data check {tmp_path / 'data'} tells which reader fits" in hint
    assert "darwin dataset pull" in hint
    assert not (tmp_path / "cache").exists(), "found before anything runs"


def test_the_data_of_the_last_build_are_remembered(dataset, tmp_path):
    data, cache = dataset((9, 2, 9, 9)), tmp_path / "cache"
    report("build", "--data", str(data), cache=cache)
    for command in (("status",), ("why", "split"), ("graph", "--out", str(tmp_path / "graph.svg"))):
        done = run(*command, cache=cache)
        assert (done.returncode, done.stderr) == (OK, f"data: {data} (as in the last build)\n")
    done = run("log", "read", cache=cache)
    assert (done.returncode, done.stderr) == (OK, "")
    data.rename(tmp_path / "elsewhere")
    code, error, hint = report("status", cache=cache)
    assert (code, hint) == (DATA, "hint: repeat --data DIR, or set REPORT_DATA")
    assert "where the last build found them" in error
    assert run("log", "read", cache=cache).returncode == OK


def test_too_many_exclusions(dataset, tmp_path):
    data = dataset((2, 2, 2, 2), unlabelled=12)
    code, error, _ = report("build", "--data", str(data), cache=tmp_path / "cache")
    assert code == DATA
    assert "12 of 20" in error
    assert "no class label" in error


def test_a_class_too_small_to_be_split_is_named_with_its_count(dataset, tmp_path):
    code, error, _ = report("build", "--data", str(dataset((9, 2, 9, 9))), cache=tmp_path / "cache")
    assert code == DATA
    assert '"covid_19" has 2 pictures' in error


def test_a_mistake_in_the_authors_text_is_found_before_anything_runs(tmp_path):
    study = tmp_path / "mine"
    study.mkdir()
    (study / "study.toml").write_bytes((ROOT / "studies" / "assignment" / "study.toml").read_bytes())
    (study / "discussion.md").write_text("Fine.\n\n::: {.callout-note}\nnever closed\n")
    code, error, hint = report("build", str(study), "--sample", cache=tmp_path / "cache")
    assert code == RENDER
    assert "discussion.md:3: ::: is never closed" in error
    assert "close it" in hint
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("a file")
    code, error, hint = report("build", "--sample", cache=tmp_path / "cache")
    assert code == ENVIRONMENT
    assert "the cache cannot be written" in error
    assert "--cache" in hint


def test_predicting_without_a_trained_model(tmp_path):
    picture(tmp_path / "x.png")
    code, error, hint = report(
        "predict", str(tmp_path / "x.png"), "--model", "improved", cache=tmp_path / "cache"
    )
    assert code == USAGE
    assert "not trained yet" in error
    assert hint == "hint: report build assignment --data DIR --only improved"


def test_predicting_with_a_model_that_does_not_exist(tmp_path):
    picture(tmp_path / "x.png")
    code, error, hint = report(
        "predict", str(tmp_path / "x.png"), "--model", "third", cache=tmp_path / "cache"
    )
    assert code == USAGE
    assert "'third'" in error
    assert "baseline, improved" in hint


@pytest.mark.parametrize(("name", "words"), [("missing.png", "no such file"), (".", "is a folder")])
def test_predicting_what_is_not_there(tmp_path, name, words):
    path = str(tmp_path / name)
    code, error, _ = report("predict", path, "--model", "improved", cache=tmp_path / "cache")
    assert code == DATA
    assert words in error


@pytest.fixture
def built(tmp_path: Path):
    """Return a plan with one result, as publishing sees it."""
    result = tmp_path / "blob"
    result.write_text("{}")
    record = SimpleNamespace(seconds=1.0, host={})
    one = SimpleNamespace(
        path=lambda _: result, files=("results.json",), outcome="ran", key="k", record=record
    )
    plan = SimpleNamespace(
        name="toy", out=tmp_path / "build", cache=tmp_path, study=SimpleNamespace(models=[])
    )
    return plan, {"results": one}


def test_publishing_writes_once_and_takes_away_what_an_earlier_build_wrote_and_nothing_else(built):
    plan, results = built
    (plan.out / "figures" / "deep").mkdir(parents=True)
    for name in ("figures/deep/old.svg", "figures/mine.svg", "report.pdf", "../outside"):
        (plan.out / name).write_text("")
    listed = ["figures/deep/old.svg", "report.pdf", "../outside", "/etc/passwd", "gone", 3]
    (plan.out / "run.json").write_text(json.dumps({"files": listed}))
    assert publish.publish(plan, results, 1.0).gone == ["figures/deep/old.svg", "report.pdf"]
    first = (plan.out / "results.json").stat()
    assert publish.publish(plan, results, 1.0).gone == []
    assert (plan.out / "results.json").stat().st_mtime_ns == first.st_mtime_ns
    assert [path.name for path in (plan.out / "figures").iterdir()] == ["mine.svg"]
    assert (plan.out / "../outside").exists()
    run = json.loads((plan.out / "run.json").read_text())
    assert run["stages"]["results"]["how"] == "ran"
    assert run["files"] == ["results.json", "run.json"]


def test_a_build_folder_that_cannot_be_written(built):
    plan, results = built
    plan.out.write_text("a file")
    with pytest.raises(EnvironmentProblem, match="build") as caught:
        publish.publish(plan, results, 1.0)
    assert exit_code(caught.value) == ENVIRONMENT
    assert "--out" in caught.value.hint


def test_a_build_that_is_interrupted_while_it_publishes_says_so_until_the_next(built, monkeypatch):
    plan, results = built
    monkeypatch.setattr(publish, "copy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        publish.publish(plan, results, 1.0)
    (plan.out / "predictions").mkdir()
    (plan.out / "predictions" / "study.json").write_text("{}")
    with pytest.raises(DataError, match="interrupted while it wrote this folder"):
        evidence.read(plan.out)
    monkeypatch.undo()
    publish.publish(plan, results, 1.0)
    assert not build_folder.is_unfinished(plan.out)


def test_no_room_leaves_the_old_report_whole(built, monkeypatch):
    plan, results = built
    publish.publish(plan, results, 1.0)

    def full(path, content):
        path.open("w").close()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    results["results"].path(None).write_text('{"new": 1}')
    with pytest.raises(EnvironmentProblem, match="No space left"):
        publish.publish(plan, results, 1.0)
    assert (plan.out / "results.json").read_text() == "{}"
    assert not build_folder.is_unfinished(plan.out), "nothing was written yet"
    assert [p.name for p in plan.out.iterdir() if p.name.startswith(".")] == []

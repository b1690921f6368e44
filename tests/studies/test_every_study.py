"""Every study builds on generated pictures: one model of each, and in the slow tests the whole report."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from report import cli
from report.commands import skeleton

ROOT = Path(__file__).parents[2]
STUDIES = sorted(path.parent.name for path in (ROOT / "studies").glob("*/study.toml"))
SHOWN = {
    "assignment-published": "baseline",
    "assignment-transfer": "head",
    "pediatric-imbalanced": "cnn_dropout_corrected",
    "pediatric-official": "cnn_2",
    "pediatric-resplit": "dropout_cnn",
    "radiography": "simple_cnn",
}
LIKE_OTHERS = ("assignment-published", "pediatric-resplit")
"""Their readers and kinds of network are those of others here."""
SMALL = ("sample.size=32", "sample.epochs=2")
FEW = ("sample.pictures=80",)
MORE = {
    "pediatric-imbalanced": ("sample.pictures=120", "sample.subset={ normal = 10, pneumonia = 40 }"),
    "assignment-transfer": ("sample.pictures=160", "pretraining.pictures=80"),
}
"""They need more images: one draws its own from them, and one reads the split by patient too."""


def report(*arguments: str | Path) -> str:
    """Run the command line and return what it prints."""
    command = [sys.executable, "-m", "report", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_every_study_is_built_here():
    assert {*SHOWN, "assignment"} == set(STUDIES)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        pytest.param(*shown, marks=pytest.mark.slow if shown[0] in LIKE_OTHERS else ())
        for shown in SHOWN.items()
    ],
)
@pytest.mark.usefixtures("shared_workers")
def test_one_model_of_a_study(name, model, tmp_path):
    cache = tmp_path / "cache"
    settings = [word for setting in (*SMALL, *MORE.get(name, FEW)) for word in ("--set", setting)]
    places = ("--cache", str(cache), "--out", str(tmp_path / "out"))
    build = ["build", name, "--sample", "--only", model, *settings, *places, "--jobs", "1"]
    cli.app(build, standalone_mode=False)
    made = [json.loads(path.read_bytes()) for path in cache.glob("v2/actions/*/*.json")]
    stages = {record["stage"]: record for record in made}
    assert [name for name in stages if name.startswith("train.")] == [f"train.{model}"]
    found = stages[f"evaluate.{model}"]["outputs"]["results.json"]["sha256"]
    results = json.loads((cache / "v2" / "blobs" / found[:2] / found).read_bytes())
    assert results[f"{model}.val.n"]["value"] > 0
    assert 0 <= results[f"{model}.test.accuracy"]["value"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_the_whole_report_of_a_study(name, tmp_path):
    report("build", name, "--sample", "--cache", tmp_path / "cache", "--out", tmp_path / "out")
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "report.pdf").exists()
    report("verify", tmp_path / "out")


@pytest.mark.slow
def test_the_whole_report_of_a_new_study(tmp_path, monkeypatch):
    monkeypatch.setattr(skeleton, "STUDIES", tmp_path)
    skeleton.create_study("my-study")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    places = ("--cache", tmp_path / "cache", "--out", tmp_path / "out")
    report("build", tmp_path / "my-study" / "study.toml", "--sample", *settings, *places)
    assert "Published figures" not in (tmp_path / "out" / "report.html").read_text()
    report("verify", tmp_path / "out")

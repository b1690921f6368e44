"""``report data check``: what it prints for folders and archives of several kinds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from report.errors import DATA, OK, USAGE
from report.study import load

ROOT = Path(__file__).parents[1]


def check(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "report", "data", "check", *arguments],
        cwd=ROOT,
        env={**os.environ, "REPORT_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/person1_virus_1.png")):
        path = tmp_path / "my data" / "train" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize((40 + number, 30)).save(path)
    (tmp_path / "my data" / "train" / "NORMAL" / "cut.png").write_bytes(b"\x89PNG")
    return tmp_path / "my data"


def test_a_folder_is_told_in_words_with_the_settings_that_read_it(folder, tmp_path):
    done = check(str(folder), cache=tmp_path / "cache")
    assert done.returncode == OK, done.stderr
    assert "reader class-folders: pictures lie in folders called NORMAL, PNEUMONIA" in done.stdout
    assert "picture does not decode  1      train/NORMAL/cut.png" in done.stdout
    assert "official split  train 3; 0 patients in more than one part" in done.stdout
    assert f"next: report build STUDY --data '{folder}'" in done.stdout
    settings = done.stdout[done.stdout.index("[[classes]]") : done.stdout.index("next:")]
    text = (ROOT / "studies" / "assignment" / "study.toml").read_text(encoding="utf-8")
    before, after = text[: text.index("[[classes]]")], text[text.index("[split]") :]
    (tmp_path / "study.toml").write_text(before + settings + after, encoding="utf-8")
    study = load(tmp_path / "study.toml")
    assert [c.id for c in study.classes] == ["normal", "pneumonia"]
    assert (study.dataset.reader, study.dataset.root) == ("class-folders", str(folder.resolve()))
    done = check(str(folder), "--study", str(tmp_path), cache=tmp_path / "cache")
    assert "study.toml" not in done.stdout
    assert f"next: report build {tmp_path} --data" in done.stdout


def test_an_archive_is_unpacked_once_and_told_as_json(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(folder.parent))
    for _ in range(2):
        done = check(str(tmp_path / "data.zip"), "--json", cache=tmp_path / "cache")
        assert done.returncode == OK, done.stderr
    assert "archive: done" not in done.stderr
    found = json.loads(done.stdout)
    assert [c["pictures"] for c in found["classes"]] == [2, 1]
    assert found["patients"]["known_for"] == 0  # class folders know no names of another dataset


def test_what_cannot_be_checked_is_one_line_and_one_hint(folder, tmp_path):
    for data, code, words in (
        ("/nonexistent", DATA, "/nonexistent: no such data folder"),
        ("Makefile", DATA, "Makefile: is not a folder, nor one of .zip, .tar"),
        ("templates", DATA, "no reader fits: no pictures and no Darwin JSON among"),
    ):
        done = check(data, cache=tmp_path / "cache")
        assert done.returncode == code
        error, hint = [line for line in done.stderr.splitlines() if line.startswith(("error:", "hint:"))]
        assert words in error
        assert len(hint) > 10
    assert check(str(folder), "--study", "asignment", cache=tmp_path / "cache").returncode == USAGE


def test_every_study_that_reads_the_data_is_named(folder, tmp_path):
    for number in range(4):
        path = (
            folder
            / "train"
            / ("NORMAL", "PNEUMONIA")[number % 2]
            / f"person{number + 2}_bacteria_{number}.jpeg"
        )
        Image.linear_gradient("L").resize((50 + number, 30)).save(path)
    for path in folder.rglob("*.png"):
        path.unlink()
    done = check(str(folder), cache=tmp_path / "cache")
    assert done.returncode == OK, done.stderr
    assert "reader kermany" in done.stdout
    assert f"next: report build pediatric-resplit --data '{folder}'" in done.stdout
    assert "also read by pediatric-imbalanced and pediatric-official" in done.stdout


def test_a_study_that_is_given_another_layout_points_to_the_check(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    Image.new("L", (30, 30)).save(data / "p.png")
    command = [
        sys.executable,
        "-m",
        "report",
        "build",
        "pediatric-official",
        "--data",
        str(data),
        "--only",
        "cnn_1",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "REPORT_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == DATA, done.stderr
    assert f"hint: report data check {data} tells which reader and which studies fit" in done.stderr

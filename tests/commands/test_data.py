"""``report data check``: what it prints for folders and archives of several kinds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from analysis.errors import DataError
from report.errors import DATA, OK, USAGE
from report.study.loading import load
from report.workspace.data import find_data
from report.workspace.request import Request
from tests.commands.process import run_here
from tests.specimen import TWO_NETWORKS

ROOT = Path(__file__).parents[2]


def check(*arguments: str, cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_here("data", "check", *arguments, cache=cache, **environment)


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
    assert "reader class-folders: images lie in folders called NORMAL, PNEUMONIA" in done.stdout
    assert "image does not decode  1      train/NORMAL/cut.png" in done.stdout
    assert "official split  train 3; 0 patients in more than one part" in done.stdout
    assert f"next: report build STUDY --data '{folder}'" in done.stdout
    settings = done.stdout[done.stdout.index("[[classes]]") : done.stdout.index("next:")]
    text = (TWO_NETWORKS / "study.toml").read_text(encoding="utf-8")
    before, after = (
        text[: text.index("[[classes]]")],
        text[text.index("[split]") : text.index("# Images from")],
    )
    (tmp_path / "study.toml").write_text(
        before + settings + after + text[text.index("[report]") :], encoding="utf-8"
    )
    study = load(tmp_path / "study.toml")
    assert [c.id for c in study.classes] == ["normal", "pneumonia"]
    assert (study.dataset.reader, study.dataset.root) == ("class-folders", str(folder.resolve()))
    done = check(str(folder), "--study", str(tmp_path), cache=tmp_path / "cache")
    assert "study.toml" not in done.stdout
    assert f"next: report build {tmp_path} --data" in done.stdout


def test_what_the_user_should_know_of_comes_with_what_to_type(folder, tmp_path):
    shutil.copytree(folder / "train", folder / "v2")
    (folder / "train").rename(folder / "v1")
    (folder / "v2" / "NORMAL" / "b.png").rename(folder / "v2" / "PNEUMONIA" / "b.png")
    for path in folder.rglob("a.png"):
        size = (20, len(path.as_posix()) + int("v2" in path.parts))
        Image.linear_gradient("L").resize(size).save(path)
    (folder / "more.zip").write_bytes(b"PK")
    (folder / "labels.csv").write_text("x", encoding="utf-8")
    (folder / "v1" / "NORMAL" / "cut.png").rename(folder / "v1" / "NORMAL" / os.fsdecode(b"caf\xe9.png"))
    done = check(str(folder), cache=tmp_path / "cache", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == OK, done.stderr
    assert "2 datasets lie side by side and are read as one: v1 (normal 2, pneumonia 1) and v2" in done.stdout
    assert (
        "of these images have the class and name of one in another: versions of one dataset?" in done.stdout
    )
    assert (
        f"report data check '{folder / 'v2'}'; to leave it out, under [dataset]: exclude = [\"v2/*\"]"
        in done.stdout
    )
    assert (
        "the same file is of two classes: v1/NORMAL/b.png = v2/PNEUMONIA/b.png; leave out the" in done.stdout
    )
    assert (
        f"more.zip is not read: unpack it, or see what it has: report data check '{folder / 'more.zip'}'"
        in done.stdout
    )
    assert "not an image (.csv)  1      labels.csv" in done.stdout
    assert "files           10; 5 images are read" in done.stdout
    assert r"v1/NORMAL/caf\xe9.png" in done.stdout


def test_another_dataset_in_the_folder_is_passed_by_in_the_next_command(tmp_path):
    for number, name in enumerate(
        ("OCT/CNV/1", "OCT/DME/1", "OCT/NORMAL/1", "chest/NORMAL/1", "chest/PNEUMONIA/1")
    ):
        path = tmp_path / "data" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.linear_gradient("L").resize((30, 30 + number)).save(path)
    study = tmp_path / "study"
    text = (TWO_NETWORKS / "study.toml").read_text(encoding="utf-8")
    classes = "".join(f'[[classes]]\nid = "{c.lower()}"\nlabel = "{c}"\n' for c in ("Normal", "Pneumonia"))
    settings = f'{classes}[dataset]\nreader = "class-folders"\nroot = "data"\n'
    study.mkdir()
    before, after = (
        text[: text.index("[[classes]]")],
        text[text.index("[split]") : text.index("# Images from")],
    )
    (study / "study.toml").write_text(
        before + settings + after + text[text.index("[report]") :], encoding="utf-8"
    )
    done = check(str(tmp_path / "data"), "--study", str(study), cache=tmp_path / "cache")
    assert done.returncode == OK, done.stderr
    assert f"next: report build {study} --data {tmp_path / 'data' / 'chest'}" in done.stdout


def test_a_folder_of_links_has_data(folder, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "train").symlink_to(folder / "train")
    request = Request("pediatric-official", tmp_path / "links")
    study = load(ROOT / "studies" / "pediatric-official" / "study.toml")
    assert find_data(request, study) == tmp_path / "links"
    (tmp_path / "links" / "train" / "up").symlink_to(tmp_path / "links")
    with pytest.raises(DataError, match="train/up is a link to a folder that it lies in"):
        find_data(request, study)


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
    assert found["patients"]["known_for"] == 0  # the name is one of Kermany et al., the reader is not theirs


def test_what_cannot_be_checked_is_one_line_and_one_hint(folder, tmp_path):
    for data, code, words in (
        ("/nonexistent", DATA, "/nonexistent: no such data folder"),
        ("Makefile", DATA, "Makefile: is not a folder, nor one of .zip, .tar"),
        ("templates", DATA, "no reader fits: no images and no Darwin JSON among"),
    ):
        done = check(data, cache=tmp_path / "cache")
        assert done.returncode == code
        error, hint = [line for line in done.stderr.splitlines() if line.startswith(("error:", "hint:"))]
        assert words in error
        assert len(hint) > 10
    assert check(str(folder), "--study", "asignment", cache=tmp_path / "cache").returncode == USAGE


def test_every_study_that_reads_the_data_is_named(folder, tmp_path):
    for number in range(4):
        name = (f"NORMAL/IM-000{number}-0001.jpeg", f"PNEUMONIA/person{number}_bacteria_1.jpeg")[number % 2]
        path = folder / "train" / name
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
        "build",
        "pediatric-official",
        "--data",
        str(data),
        "--only",
        "cnn_1",
    ]
    done = run_here(*command, cache=tmp_path / "cache")
    assert done.returncode == DATA, done.stderr
    assert f"hint: report data check {data} tells which reader and which studies fit" in done.stderr

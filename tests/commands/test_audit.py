"""``report audit``: what it finds in folders in which faults are planted, and in one without any."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.datasets.sample import phantom
from report.commands.audit_words import describe_audit, describe_problems
from report.errors import DATA, OK
from tests.commands.process import run_here, run_in_vain

SIZE, IMAGES = 64, 104  # fewer give the trees of the probes no leaf
CLASSES = ("NORMAL", "PNEUMONIA")


def write_folder(root: Path, *, seed: int = 4) -> Path:
    """Write X-rays of healthy chests in folders of two classes that nothing tells apart, in two parts."""
    rng = np.random.default_rng(seed)
    for number in range(IMAGES):
        part = "test" if number // 2 % 4 == 3 else "train"
        path = root / part / CLASSES[number % 2] / f"image {number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        chest = phantom.draw_chest(phantom.HEALTHY, phantom.draw_anatomy(rng), rng, width=SIZE, height=SIZE)
        Image.fromarray(chest.pixels).save(path)
    return root


def plant(root: Path) -> None:
    """Plant a copy in another part, a copy of another class, a file that is no image, and a mark in the corner of a class."""
    train = sorted((root / "train" / "NORMAL").iterdir())
    shutil.copy(train[0], root / "test" / "NORMAL" / "again.png")
    shutil.copy(train[1], root / "train" / "PNEUMONIA" / "also.png")
    (root / "train" / "NORMAL" / "empty.png").touch()
    for path in root.glob("*/PNEUMONIA/image*.png"):
        pixels = np.array(Image.open(path))
        pixels[:8, :8] = 255
        Image.fromarray(pixels).save(path)


pytestmark = pytest.mark.usefixtures("shared_workers")


@pytest.fixture(scope="module")
def audited(shared_workers: None, tmp_path_factory: pytest.TempPathFactory):
    """The folder with faults, its audit, and where the audit lies."""
    place = tmp_path_factory.mktemp("audit")
    folder = write_folder(place / 'some "data"')
    plant(folder)
    done = run_here("audit", str(folder), "--out", str(place / "out"), cache=place / "cache")
    assert done.returncode == OK, done.stderr
    return folder, done, place


def test_planted_faults_are_told_and_written(audited):
    folder, done, place = audited
    found = json.loads((place / "out" / "audit.json").read_text(encoding="utf-8"))
    value = {name: item["value"] for name, item in found["results"].items()}
    assert value["audit.duplicates.exact.groups"] == 2
    assert value["audit.duplicates.conflicting_labels.groups"] == 1
    assert value["audit.leaks.test.exact_in_train"] == 1
    assert value["audit.labels.conflicts.copies.all"] == 2
    levels = {(f["topic"], f["subject"]): f["level"] for f in found["findings"]}
    assert ("probes", "border") in levels
    assert levels[("leaks", "test")] == "strong"
    assert [(e["reason"], e["files"]) for e in found["read"]["excluded"]] == [("image does not decode", 1)]
    assert " rest on image border" in done.stdout
    assert "X-rays in several parts of its split: 1" in done.stdout
    with (place / "out" / "tables" / "audit_leaks_leaks.csv").open(encoding="utf-8") as file:
        assert {row["image_id"].rpartition("/")[2] for row in csv.DictReader(file)} == {
            "again.png",
            "image 00.png",
        }
    page = (place / "out" / "audit.html").read_text(encoding="utf-8")
    assert "on the image border" in page
    assert str(folder.parent) not in page  # it says nothing of where the data lay


def test_an_audit_is_cached_and_strict_refuses_what_it_finds(audited):
    folder, done, place = audited
    before = (place / "out" / "audit.html").read_bytes()
    again = run_here("audit", str(folder), "--strict", "--out", str(place / "out"), cache=place / "cache")
    assert again.returncode == DATA
    assert "done in" not in again.stderr  # nothing ran
    assert "error: " in again.stderr
    assert "X-rays with several labels: 1" in again.stderr
    assert again.stdout == done.stdout
    assert (place / "out" / "audit.html").read_bytes() == before


def test_a_folder_without_faults_has_none(tmp_path):
    folder = write_folder(tmp_path / "data")
    done = run_here(
        *("audit", str(folder), "--strict", "--json", "--out", str(tmp_path / "out")),
        cache=tmp_path / "cache",
    )
    assert done.returncode == OK, done.stderr
    found = json.loads(done.stdout)
    assert [f for f in found["findings"] if f["subject"] != "thumbnail"] == []
    assert describe_problems(found) == ""
    assert [*describe_audit(found)][-1] == "nothing was found that goes with the class"
    assert found == json.loads((tmp_path / "out" / "audit.json").read_text(encoding="utf-8"))


def test_what_cannot_be_audited_is_one_line_and_a_hint(tmp_path):
    code, error, _ = run_in_vain("audit", str(tmp_path / "nowhere"), cache=tmp_path / "cache")
    assert (code, error) == (DATA, f"error: {tmp_path / 'nowhere'}: no such data folder")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    folder = write_folder(tmp_path / "data")
    _, error, _ = run_in_vain("audit", str(folder), "--out", str(tmp_path / "out"), cache=tmp_path / "cache")
    assert "holds something else" in error


def test_images_without_labels_are_looked_through_for_copies(tmp_path):
    folder, rng = tmp_path / "data", np.random.default_rng(0)
    folder.mkdir()
    for number in range(6):
        chest = phantom.draw_chest(phantom.HEALTHY, phantom.draw_anatomy(rng), rng, width=SIZE, height=SIZE)
        Image.fromarray(chest.pixels).save(folder / f"{number}.png")
    shutil.copy(folder / "0.png", folder / "again.png")
    done = run_here("audit", str(folder), "--json", "--out", str(tmp_path / "out"), cache=tmp_path / "cache")
    assert done.returncode == OK, done.stderr
    found = json.loads(done.stdout)
    assert found["results"]["audit.duplicates.exact.groups"]["value"] == 1
    assert {name.split(".")[1] for name in found["results"]} == {"duplicates"}
    lines = [*describe_audit(found)]
    assert "no reader fits: 7 images" in lines[1]
    assert lines[-1].startswith("copies")
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    assert "No labels were found" in page
    assert "again.png" in page

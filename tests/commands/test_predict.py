"""``report predict``, ``export`` and ``try``: what they refuse, and on the tiny sample all that they answer and write."""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from report.commands.predict import list_images
from report.errors import DATA, STAGE, USAGE
from tests import tiny_build
from tests.commands.process import Tiny, run_in_vain, write_image
from tests.preview.site import address


def test_predicting_without_a_trained_model(tmp_path):
    write_image(tmp_path / "x.png")
    code, error, hint = run_in_vain(
        "predict", str(tmp_path / "x.png"), "--model", "improved@seed_42", cache=tmp_path / "cache"
    )
    assert code == USAGE
    assert "not trained yet" in error
    assert hint == "hint: report build assignment --data DIR --only improved"


def test_predicting_with_a_model_that_does_not_exist(tmp_path):
    write_image(tmp_path / "x.png")
    code, error, hint = run_in_vain(
        "predict", str(tmp_path / "x.png"), "--model", "third", cache=tmp_path / "cache"
    )
    assert code == USAGE
    assert "'third'" in error
    assert "improved@seed_42" in hint


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("missing.png", "missing.png: no such file"),
        ("empty", "the data folder"),
        ("notes", "notes: has no image in it"),
        ("list.txt", "gone.png: no such file (and 2 more)"),
        ("bytes.txt", "no list of images"),
    ],
)
def test_predicting_what_is_not_there(tmp_path, given, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.csv").write_text("a,b")
    (tmp_path / "list.txt").write_text("gone.png\n\n  notes \nlost.png\n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    code, error, hint = run_in_vain(
        "predict", str(tmp_path / given), "--model", "improved", cache=tmp_path / "cache"
    )
    assert code == DATA
    assert words in error
    assert hint


def test_images_are_listed_once_by_themselves_in_folders_and_in_lists(tmp_path):
    for name in ("b/2.png", "b/deep/1.dcm", "a.png"):
        write_image(tmp_path / name) if name.endswith("png") else None
    (tmp_path / "b" / "deep").mkdir()
    (tmp_path / "b" / "deep" / "1.dcm").write_bytes(b"x")
    (tmp_path / "b" / "notes.md").write_text("no image")
    with (tmp_path / "b" / "huge.png").open("wb") as file:
        file.truncate(2**40)
    (tmp_path / "list.txt").write_text("a.png\nnone.png\n")
    found = list_images([tmp_path / "a.png", tmp_path / "b", tmp_path / "list.txt", tmp_path / "a.png"])
    names = {name: what if isinstance(what, str) else what.name for name, what in found}
    assert names == {
        str(tmp_path / "a.png"): "a.png",
        str(tmp_path / "b" / "2.png"): "2.png",
        str(tmp_path / "b" / "deep" / "1.dcm"): "1.dcm",
        str(tmp_path / "b" / "huge.png"): "more than the limit of 1 GiB",
        "a.png": "a.png",
        "none.png": "no such file",
    }


def test_two_forms_at_once_are_refused(tmp_path):
    code, error, _ = run_in_vain("predict", "x.png", "--model", "m", "--json", "--csv", cache=tmp_path)
    assert (code, "contradict" in error) == (USAGE, True)


def test_an_export_keeps_what_is_there(tmp_path):
    (tmp_path / "kept").write_text("mine")
    code, error, _ = run_in_vain("export", str(tmp_path), "--model", "improved", cache=tmp_path / "cache")
    assert (code, "not an empty folder" in error) == (USAGE, True)
    assert (tmp_path / "kept").read_text() == "mine"


@pytest.fixture(scope="module")
def images(built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an image of the sample's test set, one of many forms, one unlike any, and a broken one."""
    folder = tmp_path_factory.mktemp("images")
    with built.find("split", "split.csv").open(newline="") as file:
        name = next(row["image_id"] for row in csv.DictReader(file) if row["split"] == "test")
    shutil.copyfile(built.find("sample", name), folder / f"test{Path(name).suffix}")
    noise = np.random.default_rng(1).integers(0, 256, (60, 50, 4), np.uint8)
    Image.fromarray(noise, "CMYK").save(folder / "cmyk.jpg")
    (folder / "broken.png").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def exported(built: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "network"
    done = built.run("export", str(folder), *built.options())
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def answered(built: Tiny, images: Path) -> subprocess.CompletedProcess[str]:
    """Return what the command answers about the images."""
    return built.run("predict", str(images), *built.options(), "--json")


def test_all_that_can_be_read_is_answered_with_what_the_study_knows(built, images, answered):
    assert answered.returncode == DATA, answered.stderr
    assert "broken.png: not an image in a known format; 2 of 3 images are answered" in answered.stderr
    assert "warning" not in answered.stderr, "no stage reads what its key does not cover"
    found = json.loads(answered.stdout)
    broken, cmyk, test = found["images"]
    assert broken.keys() == {"image", "problem"}
    results = json.loads((built.root / tiny_build.OUT / "results.json").read_text())["results"]
    for c, facts in found["classes"].items():
        for measure in ("sensitivity", "specificity"):
            expected = results[f"improved.test.{measure}.{c}"]
            assert facts[measure] == {key: expected[key] for key in facts[measure]}
    with built.find("predict.improved", "predictions.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    assert test["uncalibrated"] == pytest.approx({c: float(rows[0][c]) for c in found["classes"]}, abs=1e-5)
    for row in (cmyk, test):
        assert sum(row["probabilities"].values()) == pytest.approx(1)
    assert cmyk["resemblance"]["unlike"] is True
    assert test["resemblance"]["value"] > cmyk["resemblance"]["value"]
    assert test["resemblance"]["as_unlike"] >= 1, "itself, at least"
    again = built.run("predict", str(images), *built.options(), "--csv")
    table = list(csv.DictReader(io.StringIO(again.stdout)))
    assert [row["predicted"] for row in table] == ["", cmyk["predicted"], test["predicted"]]
    assert float(table[2]["covid_19"]) == test["probabilities"]["covid_19"]
    told = built.run("predict", str(images), *built.options()).stdout
    assert "UNLIKE the training images" in told
    assert "Not for clinical use. This model was trained on generated images." in told


def test_a_network_that_was_exchanged_in_the_cache_does_not_answer(built, images):
    blob = built.find("train.baseline", "model.keras")
    blob.chmod(0o644)
    blob.write_bytes(bytes(blob.stat().st_size))
    done = built.run("predict", str(images), *built.options("baseline"))
    assert done.returncode == STAGE
    assert "damaged in the cache" in done.stderr


def test_what_is_exported_answers_the_same_without_this_program(built, images, exported, answered):
    assert sorted(path.name for path in exported.iterdir()) == [
        "README.md",
        "input.json",
        "model.keras",
        "predict.py",
    ]
    told = json.loads(answered.stdout)
    labels = {c: facts["label"] for c, facts in told["classes"].items()}
    expected = {Path(row["image"]).name: row for row in told["images"]}
    files = sorted(images.glob("*.j*g"))
    alone = [sys.executable, "-c", ALONE, str(exported / "predict.py"), *map(str, files)]
    apart = subprocess.run(alone, cwd=images, capture_output=True, text=True, check=False)
    assert apart.returncode == 0, apart.stderr
    for image, said in zip(files, apart.stdout.split("\f")[:-1], strict=True):
        probabilities = expected[image.name]["probabilities"]
        assert json.loads(said) == pytest.approx({labels[c]: p for c, p in probabilities.items()}, abs=1e-6)
    by_file = built.run("predict", str(images), "--model", str(exported / "model.keras"), "--json")
    found = json.loads(by_file.stdout)
    assert found["study"] is None
    for row in found["images"]:
        if "problem" not in row:
            same = expected[Path(row["image"]).name]
            assert row["probabilities"] == pytest.approx(same["probabilities"])
            assert row["resemblance"] is None


def test_the_page_answers_as_the_command_does_and_keeps_nothing(built, answered, tmp_path):
    expected = json.loads(answered.stdout)["images"][1]
    before = {path for path in built.cache.rglob("*") if "actions" in path.parts}
    command = (
        sys.executable,
        "-m",
        "report",
        "try",
        *built.options(),
        "--no-browser",
        "--cache",
        str(built.cache),
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=built.root, stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(tmp_path)}
        )
    try:
        page = urlsplit(address(tmp_path / "log"))
        connection = http.client.HTTPConnection(page.hostname, page.port, timeout=600)
        connection.request("GET", "/")
        token = re.search(r'data-token="([^"]+)"', connection.getresponse().read().decode())[1]
        body = Path(expected["image"]).read_bytes()
        connection.request("POST", "/answer?name=cmyk.jpg", body, {"X-Token": token})
        response = connection.getresponse()
        html = response.read().decode()
        assert response.status == 200
        found = [float(value) for value in re.findall(r'<meter [^>]*value="([^"]+)"', html)]
        assert found == pytest.approx([*expected["probabilities"].values()])
        assert "unlike the images that the network was trained on" in html
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 128 + signal.SIGTERM
    assert {path for path in built.cache.rglob("*") if "actions" in path.parts} == before
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


ALONE = """
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("report", "analysis"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
script, *images = sys.argv[1:]
for image in images:
    sys.argv = [script, image]
    runpy.run_path(script, run_name="__main__")
    print("\f")
"""
"""Runs the script for each image, with a form feed after each answer."""


def test_the_card_has_what_model_hubs_read_and_the_figures_of_the_study(built, exported):
    card = (exported / "README.md").read_text()
    _, head, text = card.split("---\n", 2)
    results = json.loads((built.root / tiny_build.OUT / "results.json").read_text())["results"]
    for line in ("library_name: keras", 'license: "other"', "- chest-x-ray", "- accuracy", "    - type: f1"):
        assert line in head.splitlines()
    assert f"value: {results['improved.test.f1.macro']['value']}" in head
    item = results["improved.test.sensitivity.covid_19"]
    low, high = (f"{item[end]:.3f}" for end in ("low", "high"))
    assert f"| Sensitivity of COVID\\-19 | {item['value']:.3f} | {low} to {high} | {item['n']} |" in text
    assert hashlib.sha256((exported / "model.keras").read_bytes()).hexdigest() in text
    assert "not for clinical use" in text
    assert "trained on generated images" in text
    assert len((exported / "predict.py").read_text().splitlines()) < 30


def test_a_training_that_another_study_of_the_cache_has_made_is_exported(built, tmp_path):
    other = Tiny(Path(shutil.copytree(built.root, tmp_path / "project", symlinks=True)))
    changed = 0
    for path in other.cache.glob("v2/actions/*/*.json"):
        record = json.loads(path.read_bytes())
        if record["stage"] == "train.improved":
            path.write_text(json.dumps({**record, "stage": "train.improved@seed_7"}))
            changed += 1
    assert changed
    done = other.run("export", str(tmp_path / "network"), *other.options())
    assert done.returncode == 0, done.stderr

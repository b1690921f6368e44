"""The folders of ``shared/cases``, made by their own scripts, come out as their notes say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis.datasets.archives import unpacking
from analysis.datasets.checks import data_check
from analysis.errors import DataError
from analysis.progress import silent

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
V7 = ("bacterial", "covid_19", "healthy", "viral")
MASK, SEVERAL = "mask, not an image", "several class labels"
COPY, OTHER = "copy of an image elsewhere in the folder", "of another dataset in the folder"


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    script = CASES / request.param / "make.py"
    if not script.exists():
        assert os.environ.get("CI") != "true", f"{script} is missing"
        pytest.skip("the cases are not beside the project")
    subprocess.run([sys.executable, script, tmp_path / "data"], check=True)
    return tmp_path / "data"


@pytest.mark.real
@pytest.mark.parametrize(
    ("made", "images", "left_out"),
    [
        ("covid-qu-ex", {"covid_19": 12, "non_covid": 12, "normal": 12}, {MASK: 72, COPY: 36}),
        ("mendeley-v3-oct", {"normal": 18, "pneumonia": 18}, {OTHER: 72}),
        ("plus-minus-folders", {"covid_positive": 12, "covid_negative": 12, "other": 12}, {}),
        ("masks-called-otherwise", {"covid_19": 12, "normal": 12, "tuberculosis": 12}, {MASK: 60}),
        ("linked-folders", {"normal": 30, "pneumonia": 30}, {}),
        ("non-utf8-name", {"normal": 12, "pneumonia": 12}, {}),
        ("viewer-names-one-patient", {"effusion": 20, "normal": 20}, {}),
        ("darwin-renamed-items", dict.fromkeys(V7, 12), {}),
        ("darwin-same-names-in-folders", dict.fromkeys(V7, 24), {}),
        ("darwin-masks-before-images", dict.fromkeys(V7, 12), {MASK: 48}),
        ("darwin-unmatched-names", dict.fromkeys(V7, 6), {}),
        ("nih-labels-in-csv", dict.fromkeys(("effusion", "no_finding", "pneumonia"), 15), {SEVERAL: 15}),
        ("sixteen-bits-depth-per-file", {"normal": 20, "pneumonia": 20}, {}),
        ("transparent-is-black", {"normal": 10, "pneumonia": 10}, {}),
    ],
    indirect=["made"],
)
def test_a_case(made: Path, tmp_path: Path, images: dict[str, int], left_out: dict[str, int]) -> None:
    found = told(made, tmp_path / "out")
    assert {c["id"]: c["pictures"] for c in found["classes"]} == images
    assert {e["reason"]: e["files"] for e in found["excluded"]} == left_out


@pytest.mark.real
@pytest.mark.parametrize("made", ["unseen-suffixes"], indirect=True)
def test_no_image_is_passed_over_for_its_suffix(made: Path, tmp_path: Path) -> None:
    found = told(made, tmp_path / "out")
    assert {c["id"]: c["pictures"] for c in found["classes"]} == {"covid": 20, "normal": 20}
    assert [(e["files"], e["examples"][0]["file"]) for e in found["excluded"]] == [(8, "Normal/IM000000")]


@pytest.mark.real
@pytest.mark.parametrize("made", ["dicom-class-folders"], indirect=True)
def test_files_that_cannot_be_read_are_said_to_be_dicom(made: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the 40 images can be read: .*DICOM file without an image"):
        told(made, tmp_path / "out")


@pytest.mark.real
@pytest.mark.parametrize("made", ["zip-names-without-utf8-flag"], indirect=True)
def test_an_archive_whose_names_are_in_utf_8_without_the_flag(made: Path, tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    unpacking.unpack({"data": made}, tmp_path / "unpacked", scratch=tmp_path, progress=silent)
    found = told(tmp_path / "unpacked", tmp_path / "out")
    assert {c["label"]: c["pictures"] for c in found["classes"]} == {"Neumonía": 12, "Normal": 12}


def test_every_case_of_data_has_a_test_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [path.parent.name for path in CASES.glob("*/make.py") if f'"{path.parent.name}"' not in here] == []


def told(root: Path, out: Path) -> dict:
    """Return what the data check tells, after adding up."""
    out.mkdir()
    data_check.check({"data": root}, out, scratch=out, progress=silent, settings=None)
    flow = pd.read_csv(out / "tables" / "flow.csv")
    kinds = flow.groupby("kind")["count"].sum()
    there = sum(len(files) for _, _, files in os.walk(root, followlinks=True))
    found = json.loads((out / "data_check.json").read_text(encoding="utf-8"))
    labels = flow.set_index("step")["count"].get("annotations found", int("table" in found["keys"]))
    seen = kinds["kept"] + kinds.get("excluded", 0) + kinds.get("beside", 0)
    assert flow["count"][0] == there == seen + labels
    return found

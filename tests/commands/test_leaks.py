"""What is in two splits is told at a build's end, with what mends it, and a strict build refuses it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from analysis.errors import DataError
from report.cli import find_exit_code
from report.commands import build, execution
from report.commands.leaks import find_leaks, refuse_leaks
from report.delivery import publish
from report.errors import DATA


def results(**values: int) -> dict[str, dict[str, int]]:
    names = {
        "val_copies": "audit.leaks.val.any_in_train",
        "test_copies": "audit.leaks.test.any_in_train_or_val",
        "test_patients": "audit.patients.test.same_patient_in_train.all",
        "test_patients_again": "audit@patient.patients.test.same_patient_in_train.all",
    }
    return {name: {"value": values.get(key, 0), "n": 1257} for key, name in names.items()}


def test_nothing_in_two_splits_is_nothing_to_tell():
    assert list(find_leaks(results())) == []
    refuse_leaks([])


def test_copies_and_patients_are_told_with_what_mends_each():
    found = list(find_leaks(results(val_copies=1, test_copies=1001, test_patients=470)))
    assert found == [
        (
            "split: 1 of 1,257 validation images and 1,001 of 1,257 test images are in a split before it too,"
            " to the pixel or nearly",
            "split.exclude_duplicates = true leaves out the copies",
        ),
        (
            "split: 470 of 1,257 test images are of patients with training images",
            'split.group = "patient" keeps the images of a patient together',
        ),
    ]
    with pytest.raises(DataError) as caught:
        refuse_leaks(found)
    assert caught.value.message == f"{found[0][0]} (and 1 more)"
    assert caught.value.hint == f"{found[0][1]}; {found[1][1]}"
    assert find_exit_code(caught.value) == DATA


def test_the_analysis_by_patient_is_told_apart():
    [(what, _)] = find_leaks(results(test_patients_again=2))
    assert what.startswith("split by patient: 2 of 1,257 test images")


def test_one_image_alone_is_told_in_the_singular():
    found = [what for what, _ in find_leaks(results(val_copies=1, test_patients=1))]
    assert found == [
        "split: 1 of 1,257 validation images is in a split before it too, to the pixel or nearly",
        "split: 1 of 1,257 test images is of a patient with training images",
    ]


@pytest.fixture
def built(monkeypatch, tmp_path):
    """Return a function that builds a study whose stages have given these results."""

    def make(strict: bool) -> None:
        path = tmp_path / "results.json"
        path.write_text(json.dumps({"results": results(test_copies=3)}))
        found = {"results": SimpleNamespace(path=tmp_path.joinpath)}
        monkeypatch.setattr(execution, "build_plan", lambda *_, **__: found)
        monkeypatch.setattr(publish, "publish", lambda *_: published.append("report"))
        monkeypatch.setattr(build, "_print_end", lambda *_: None)
        build.build(sample=True, cache=tmp_path / "cache", out=tmp_path / "out", strict=strict)

    published: list[str] = []
    make.published = published
    return make


def test_a_strict_build_makes_no_report_of_data_in_two_splits(built):
    with pytest.raises(DataError, match="3 of 1,257 test images"):
        built(strict=True)
    assert built.published == []


def test_any_other_build_warns_of_them_behind_its_report(built, capsys):
    built(strict=False)
    assert built.published == ["report"]
    warned = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: split")]
    assert warned == [
        "warning: split: 3 of 1,257 test images are in a split before it too, to the pixel or nearly:"
        " split.exclude_duplicates = true leaves out the copies"
    ]

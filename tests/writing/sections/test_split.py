"""What is said of the split."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from report.writing.sections.audit import Audit
from report.writing.values import Values
from tests.writing.conftest import STUDY, facts_of, macro


@pytest.mark.parametrize(
    ("copies", "exact", "said"),
    [
        (0, 0, " No test image is a copy of a training or validation image, not even a near one."),
        (
            1,
            1,
            " One test image is a copy of a training or validation image, pixel by pixel (",
        ),
        (
            4,
            3,
            " Four test images are copies of a training or validation image, three of them pixel by pixel (",
        ),
        (
            2,
            0,
            " Two test images are copies of a training or validation image, though not pixel by pixel (",
        ),
    ],
)
def test_patients_and_copies_in_two_sets_are_told(artifacts, copies, exact, said):
    facts = facts_of(artifacts())
    found = {
        "data.test.same_patient_in_train": 43,
        "data.test.same_patient_in_train_share": 0.42,
        "audit.leaks.test.any_in_train_or_val": copies,
        "audit.leaks.test.exact_in_train_or_val": exact,
    }
    results = {**facts.values.results, **{name: {"value": value} for name, value in found.items()}}
    words = macro(replace(facts, values=Values(results)), "sentences/split.leakage")
    assert "Of the test images 43 (42.0\u00a0%) come from a patient who also has a training image" in words
    assert said in words


@pytest.mark.parametrize(
    ("copies", "known", "said"),
    [
        (1, 1, "It comes"),
        (1, 0, "It does not come"),
        (4, 4, "All of these copies come"),
        (4, 0, "None of these copies comes"),
        (4, 1, "One of these 4 comes"),
        (17, 16, "16 of these 17 come"),
    ],
)
def test_of_the_copies_it_is_said_how_many_are_of_known_patients(artifacts, monkeypatch, copies, known, said):
    facts = facts_of(artifacts())
    monkeypatch.setattr(Audit, "copies_of_known", lambda _: known)
    found = {"data.test.same_patient_in_train": 43, "audit.leaks.test.any_in_train_or_val": copies}
    results = {**facts.values.results, **{name: {"value": value} for name, value in found.items()}}
    words = macro(replace(facts, values=Values(results)), "sentences/split.leakage")
    assert words.endswith(f". {said} from a patient with training images.")


@pytest.mark.parametrize(
    ("split", "said", "by_patient"),
    [
        (
            {},
            "Of the images 20 % are drawn for testing, then 20 % of the rest",
            "again about 20 % of the images are for testing, and 20 % of the rest for validation, but whole patients are drawn",
        ),
        (
            {"protocol": "holdout", "test": 0.1, "val": 0.1},
            "Of the images 20 % are drawn and then parted into 10 % for validation and 10 % for testing",
            "again about 10 % of the images are for testing, and 11.11 % of the rest for validation, but whole patients are drawn",
        ),
        (
            {"protocol": "splitfolders", "test": 0.1, "val": 0.09, "seed": 1337},
            "shuffled with random state 1337, whatever part of the dataset's own split they lie in."
            " They are cut at 81 % and 90 %",
            "again about 10 % of the images are for testing, and 10 % of the rest for validation, but whole patients are drawn",
        ),
        (
            {"protocol": "official", "draw": "keras", "official_val": "train"},
            "pooled with the training images. Of the training images 20 % are drawn for validation with random"
            " state 42, not stratified, as `image_dataset_from_directory`",
            "20 % of the images of the other patients are drawn for validation by whole patients",
        ),
        (
            {"protocol": "official"},
            "validation images are for validation. Of the training images 20 % are drawn for validation with"
            " random state 42, stratified by class",
            "the dataset's own test set is kept",
        ),
        (
            {"protocol": "official", "subset": {"viral": 30}},
            "120 images are drawn to train on, with random state 42. They are 30 of Bacterial Pneumonia",
            "whole patients are drawn to train on",
        ),
    ],
    ids=["stratified", "holdout", "splitfolders", "keras", "official", "subset"],
)
def test_the_split_is_told_as_its_protocol_draws_it(source, tmp_path, split, said, by_patient):
    study = {**STUDY, "split": {**STUDY["split"], **split}}
    text = source(study=study).replace("\u00a0%", " %")
    first, second = text[text.index("## Split") : text.index("## Preparation")].split(
        "A second split, *by patient*,"
    )
    assert said in first
    assert by_patient.lower() in second.lower()
    shutil.rmtree(tmp_path / "source-out")
    grouped = source(study={**study, "split": {**study["split"], "group": "patient"}})
    assert by_patient in grouped.replace("\u00a0%", " %")

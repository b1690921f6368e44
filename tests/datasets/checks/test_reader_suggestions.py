"""Which readers are offered for a folder, and which classes are proposed."""

from __future__ import annotations

import os
import re

import pytest

from analysis.datasets import kermany
from analysis.errors import DataError
from tests.datasets.checks.conftest import counts, nfd


def test_class_folders_are_found_at_the_level_where_they_differ(data) -> None:
    data.add("set/train/NORMAL/patient 1/1.png", "set/train/NORMAL/patient 2/2.png")
    data.add("set/test/normal/patient 3/images/3.png", "set/train/2nd degree/patient 4/4.png")
    data.add("set/train/NORMAL/patient 1/masks/1.png", "set/README.txt")
    found = data.tell()
    assert (found["reader"], found["of_study"], found["notes"]) == ("class-folders", False, [])
    assert [(c["id"], c["label"]) for c in found["classes"]] == [
        ("class_2nd_degree", "2nd degree"),
        ("normal", "NORMAL"),
    ]
    assert counts(found) == {"class_2nd_degree": 1, "normal": 3}
    assert found["official"] == {"test": 1, "train": 3}
    assert [e["reason"] for e in found["excluded"]] == ["mask, not an image"]


def test_the_paediatric_set_is_known_by_its_names(data) -> None:
    data.add("chest_xray/train/NORMAL/IM-0115-0001.jpeg", "chest_xray/test/NORMAL/other.jpeg")
    data.add(
        "chest_xray/train/PNEUMONIA/person1_virus_6.jpeg", "chest_xray/val/PNEUMONIA/BACTERIA-1-0001.jpeg"
    )
    data.add("v7_lung_masks/test/NORMAL/IM-0001-0001.png", "chest_xray/read.jpeg")
    found = data.tell()
    assert (found["reader"], counts(found)) == ("kermany", {"normal": 2, "pneumonia": 2})
    assert found["official"] == {"test": 1, "train": 2, "val": 1}
    data.add(
        "chest_xray/test/NORMAL/a.jpeg", "chest_xray/test/NORMAL/b.jpeg", "chest_xray/test/NORMAL/c.jpeg"
    )
    assert data.tell()["reader"] == "class-folders"


def test_the_radiography_set_is_known_by_its_folders(data) -> None:
    for name in ("COVID", "Normal", "Viral Pneumonia"):
        data.add(f"x/{name}/images/{name}-1.png", f"x/{name}/masks/{name}-1.png")
    found = data.tell()
    assert (found["reader"], counts(found)) == (
        "radiography",
        {"covid_19": 1, "normal": 1, "viral_pneumonia": 1},
    )
    assert found["excluded"][0]["files"] == 3
    study = {
        "reader": "radiography",
        "classes": [{"id": "covid", "label": "COVID"}],
        "folders": {},
        "exclude": (),
    }
    assert data.tell(study)["of_study"]


def test_a_study_may_read_folders_with_a_reader_that_was_not_guessed(data) -> None:
    data.add("train/NORMAL/a.jpeg", "test/PNEUMONIA/b.jpeg")
    settings = {"reader": "kermany", "classes": kermany.CLASSES, "folders": {}, "exclude": ()}
    found = data.tell(settings)
    assert (found["reader"], found["of_study"]) == ("kermany", True)


def test_darwin_json_makes_it_the_v7_dataset(dataset, data) -> None:
    dataset.add("a.jpg", "Viral Pneumonia", "COVID-19")
    dataset.add("b.jpg", "No Pneumonia (healthy)")
    dataset.add("c.jpg", "CT")
    (dataset.root / "coco.json").write_text('{"images": [], "annotations": []}', encoding="utf-8")
    (dataset.root / "broken.json").write_text("{", encoding="utf-8")
    data.root = dataset.root
    found = data.tell()
    assert found["reader"] == "v7"
    assert found["why"] == "releases/all/annotations/a.jpg.json is Darwin JSON"
    assert counts(found) == {"bacterial": 0, "covid_19": 1, "healthy": 1, "viral": 0}
    assert {e["reason"]: e["files"] for e in found["excluded"]} == {
        "CT slice": 1,
        "annotation is not valid JSON": 1,
    }
    assert found["excluded"][0]["examples"] == [{"file": "images/c.jpg", "detail": "tag CT"}]


def test_folders_are_no_classes_where_annotations_cannot_be_matched(dataset, data) -> None:
    for folder in "ab":
        dataset.image(f"{folder}/1.jpg")
    dataset.annotate("1.jpg", "COVID-19")
    data.root = dataset.root
    with pytest.raises(DataError, match=r"fits 2 images: a/1.jpg, b/1.jpg"):
        data.tell()
    dataset.annotate("2.jpg", "COVID-19", file="releases/all/annotations/1.jpg.json")
    with pytest.raises(DataError, match=r"1 of 1 annotations find no image: 2.jpg; .* a/1.jpg, b/1.jpg"):
        dataset.read()
    assert data.tell()["reader"] == "class-folders"  # one annotation has strayed here
    (dataset.root / "b/1.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 1 annotations find no image: 2.jpg"):
        data.tell()


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        (
            ("COVID+", "COVID-", "Other"),
            {"covid_positive": "COVID+", "covid_negative": "COVID-", "other": "Other"},
        ),
        (("Neumonía", "Neumonia"), {"neumonia": "Neumonia", "neumonia_2": "Neumonía"}),
        ((nfd("Neumonía"), "Sano"), {"neumonia": "Neumonía", "sano": "Sano"}),
        ((os.fsdecode(b"Neumon\xeda"), "Sano"), {"neumonia": "Neumonía", "sano": "Sano"}),
        (("正常", "肺炎", "结核"), {"class": "正常", "class_2": "结核", "class_3": "肺炎"}),
        (("0", "1", "-1"), {"negative_1": "-1", "class_0": "0", "class_1": "1"}),
        (("Age<65", "Age>65"), {"age_below_65": "Age<65", "age_above_65": "Age>65"}),
        (("x" * 40 + "1", "x" * 40 + "2"), {"x" * 36: "x" * 40 + "1", "x" * 36 + "_2": "x" * 40 + "2"}),
    ],
)
def test_proposed_classes_have_ids_that_tell_them_apart(data, folders, classes) -> None:
    for folder in folders:
        data.add(f"train/{folder}/1.png", f"train/{folder}/2.png")
    found = data.tell()
    assert {c["id"]: c["label"] for c in found["classes"]} == classes
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", id_) for id_ in classes)
    assert set(counts(found).values()) == {2}


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        ("Pneumonia/train/NORMAL Pneumonia/train/PNEUMONIA Pneumonia/predict", {"NORMAL", "PNEUMONIA"}),
        ("NORMAL/p1 NORMAL/p2 PNEUMONIA/p3 PNEUMONIA/p4", {"NORMAL", "PNEUMONIA"}),
        ("NORMAL PNEUMONIA/bacteria PNEUMONIA/virus", {"NORMAL", "PNEUMONIA"}),
        ("v1/A/Train v1/B/Train v1/B/Test v2/A/Train", {"A", "B"}),
        ("Train_Data/A/x Train_Data/B/y Test_Data/B/z", {"A", "B"}),
        ("A/Train/images B/Train/images", {"A", "B"}),
        ("COVID-19/COVID-19 COVID-19/Normal", {"COVID-19", "Normal"}),
        ("COVID-19/train/COVID-19 COVID-19/train/Normal COVID-19", {"COVID-19", "Normal"}),
    ],
)
def test_the_level_of_the_classes(data, folders: str, names: set[str]) -> None:
    data.add(*(f"{folder}/{i}.png" for folder in folders.split() for i in range(3)))
    assert {c["label"] for c in data.tell()["classes"]} == names


@pytest.mark.parametrize("spelt", ["{c}_{p}", "{p}-{c}", "{p}{c}", "a/{c} ({p})"])
def test_a_folder_may_be_called_by_class_and_part_of_the_split(data, spelt: str) -> None:
    names = [("Normal", "train"), ("Normal", "test"), ("Covid", "train"), ("Covid", "test")]
    data.add(*(f"{spelt.format(c=c, p=p)}/{c}{p}.png" for c, p in names))
    found = data.tell()
    assert counts(found) == {"covid": 2, "normal": 2}
    assert found["official"] == {"test": 2, "train": 2}


def test_signs_stay_where_a_folder_tells_class_and_part(data) -> None:
    names = [f"{c}_{p}/{p}.png" for c in ("COVID+", "COVID-", "HIV - TB") for p in ("train", "test")]
    data.add(*names, "NORMAL - train/a.png", "NORMAL - test/b.png")
    assert {c["label"]: c["pictures"] for c in data.tell()["classes"]} == dict.fromkeys(
        ("COVID+", "COVID-", "HIV - TB", "NORMAL"), 2
    )


def test_a_word_such_as_test_alone_says_nothing_of_a_split(data) -> None:
    data.add("Test positive/a.png", "Test negative/b.png")
    found = data.tell()
    assert counts(found) == {"test_negative": 1, "test_positive": 1}
    assert found["official"] == {}


@pytest.mark.parametrize(
    "folders",
    [
        ("p10/p10000032", "p10/p10000764"),
        ("patient001/study1", "patient002/study1"),
        ("sub-S00001", "sub-S00002"),
        ("2020-01-31", "2020-02-01"),
        ("1.2.840.113", "1.2.840.114"),
        ("00f003fc2af1/1", "3bb0f9cc29a6/1"),
    ],
)
def test_folders_of_patients_studies_and_days_are_no_classes(data, folders: tuple[str, str]) -> None:
    data.add(*(f"{folder}/{i}.png" for i, folder in enumerate(folders)))
    with pytest.raises(DataError, match="no folders that could be classes"):
        data.tell()

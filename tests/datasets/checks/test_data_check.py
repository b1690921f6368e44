import json
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.datasets import kermany
from analysis.datasets.checks import data_check
from analysis.errors import DataError
from analysis.progress import silent


class Surveyed:
    """A data folder that a test fills, and what the data check tells of it."""

    def __init__(self, root: Path, out: Path, jpeg: Callable[..., bytes]) -> None:
        self.root, self.out, self.jpeg = root, out, jpeg
        self.count = 0

    def add(self, *paths: str, data: bytes | None = None) -> None:
        for path in paths:
            self.count += 1
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.jpeg(self.count) if data is None else data)

    def tell(self, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        self.out.mkdir(exist_ok=True)
        data_check.check({"data": self.root}, self.out, scratch=self.out, progress=silent, settings=settings)
        found: dict[str, Any] = json.loads((self.out / "data_check.json").read_text(encoding="utf-8"))
        return found


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.fixture
def data(tmp_path: Path, jpeg: Callable[..., bytes]) -> Surveyed:
    return Surveyed(tmp_path / "data", tmp_path / "check", jpeg)


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {c["id"]: c["pictures"] for c in found["classes"]}


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
    assert [e["reason"] for e in found["excluded"]] == ["mask, not a picture"]


def test_a_copy_of_the_whole_folder_inside_it_is_seen_through(data) -> None:
    for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png"):
        data.add(name, f"chest_xray/{name}", data=data.jpeg(len(name)))
    found = data.tell()
    assert counts(found) == {"normal": 1, "pneumonia": 1}
    assert [e["reason"] for e in found["excluded"]] == ["copy of a picture elsewhere in the folder"]


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


def test_the_settings_of_a_study_come_first_if_they_fit(data) -> None:
    data.add("BACTERIA/1.png", "VIRUS/2.png", "NORMAL/3.png")
    classes = [{"id": "ill", "label": "Pneumonia"}, {"id": "well", "label": "Normal"}]
    settings = {"reader": "class-folders", "classes": classes, "folders": {"ill": ["virus"]}, "exclude": []}
    found = data.tell(settings)
    assert found["of_study"]
    assert counts(found) == {"ill": 1, "well": 1}
    assert found["excluded"][0]["examples"] == [{"file": "BACTERIA/1.png", "detail": "folder BACTERIA"}]
    found = data.tell({**settings, "folders": {}})
    assert not found["of_study"]
    assert "no image of class ill" in found["notes"][0]
    assert counts(found) == {"bacteria": 1, "normal": 1, "virus": 1}
    found = data.tell({"reader": "v7", "classes": classes, "label_rule": "first-tag", "exclude": []})
    assert (found["reader"], found["of_study"]) == ("class-folders", False)


def test_equal_files_sizes_and_patients(data) -> None:
    same = data.jpeg(99, width=64, height=48)
    data.add("train/A/x.jpg", "test/B/x.jpg", "train/A/y.jpg", data=same)
    data.add("train/A/person1_virus_1.jpeg", "train/A/person1_virus_2.jpeg", "test/A/person1_virus_3.jpeg")
    twin = data.jpeg(98)
    data.add("train/B/1.jpg", "train/B/2.jpg", data=twin)
    data.add("train/B/cut.jpg", data=twin[:200])
    found = data.tell()
    twins = found["duplicates"]
    assert (twins["groups"], twins["pictures"]) == (2, 5)
    assert (twins["across_classes"], twins["across_official"]) == (1, 1)
    assert twins["examples"] == [
        ["test/B/x.jpg", "train/A/x.jpg", "train/A/y.jpg"],
        ["train/B/1.jpg", "train/B/2.jpg"],
    ]
    patients = found["patients"]
    assert (patients["number"], patients["known_for"], patients["most_pictures"]) == (5, 0, 3)
    assert patients["across_official"] == 1
    assert found["sizes"]["width"] == {"least": 40, "median": 40, "most": 64}
    assert found["sizes"]["commonest"][0] == {"width": 40, "height": 30, "pictures": 5}
    assert found["modes"] == {"L": 8}
    assert found["excluded"][0]["reason"] == "picture does not decode"


def test_two_parts_of_one_dataset_that_share_images(data) -> None:
    for top in ("Lung Segmentation Data", "Infection Segmentation Data"):
        for part in ("Train", "Test"):
            for number, name in enumerate(("COVID-19", "Non-COVID", "Normal")):
                folder = f"{top}/{top}/{part}/{name}"
                data.add(f"{folder}/images/1.png", data=data.jpeg(number + 10 * len(part)))
                data.add(f"{folder}/lung masks/1.png", f"{folder}/infection masks/1.png")
    found = data.tell()
    assert (found["reader"], counts(found)) == ("class-folders", {"covid_19": 2, "non_covid": 2, "normal": 2})
    assert {e["reason"]: e["files"] for e in found["excluded"]} == {
        "mask, not a picture": 24,
        "copy of a picture elsewhere in the folder": 6,
    }
    assert [d["folder"] for d in found["datasets"]] == [
        "Infection Segmentation Data/Infection Segmentation Data"
    ]


def test_two_versions_side_by_side_are_told(data) -> None:
    for name in ("COVID", "Normal"):
        data.add(f"Radiography_v1/{name}/{name}-1.png", f"Radiography_v2/{name}/{name}-1.png")
        data.add(f"Radiography_v2/{name}/{name}-2.png")
    found = data.tell()
    assert counts(found) == {"covid": 3, "normal": 3}
    assert found["datasets"] == [
        {"folder": "Radiography_v1", "classes": {"covid": 1, "normal": 1}, "same_names": 2},
        {"folder": "Radiography_v2", "classes": {"covid": 2, "normal": 2}, "same_names": 2},
    ]


def test_retinas_beside_chests_are_another_dataset(data) -> None:
    for name in ("CNV", "DME", "DRUSEN", "NORMAL"):
        data.add(
            *(f"OCT2017/{part}/{name}/{name}-1-{i}.jpeg" for i in range(2) for part in ("train", "test"))
        )
    for name, kind in (("NORMAL", "NORMAL"), ("PNEUMONIA", "BACTERIA")):
        data.add(
            *(f"chest_xray/{part}/{name}/{kind}-{i}-0001.jpeg" for i in (1, 2) for part in ("train", "test"))
        )
    found = data.tell()
    assert (found["reader"], counts(found)) == ("kermany", {"normal": 4, "pneumonia": 4})
    assert found["excluded"][0]["reason"] == "of another dataset in the folder"
    assert [d["folder"] for d in found["datasets"]] == ["chest_xray"]


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


def test_what_is_not_read_is_counted(data, tmp_path: Path) -> None:
    data.add("NORMAL/a.png", "PNEUMONIA/b.png", "NORMAL/._a.png", "Thumbs.db")
    data.add("labels.csv", "x.csv", "more.zip", data=b"PK")
    (data.root / "again").symlink_to(data.root / "NORMAL")
    found = data.tell()
    assert found["beside"] == [
        {"what": "not a picture (.csv)", "files": 2, "example": "labels.csv"},
        {"what": "not a picture (.zip)", "files": 1, "example": "more.zip"},
        {"what": "hidden file", "files": 2, "example": "NORMAL/._a.png"},
        {
            "what": "link that is not followed, or device",
            "files": 1,
            "example": "again (a second name of NORMAL)",
        },
    ]
    assert (found["files"], found["archives"]) == (8, ["more.zip"])


def test_one_file_in_two_classes_is_told(data) -> None:
    data.add("NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/b.png", data=data.jpeg(1))
    data.add("NORMAL/c.png", "PNEUMONIA/d.png")
    found = data.tell()
    assert found["duplicates"]["conflicts"] == [["NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/b.png"]]
    assert counts(found) == {"normal": 3, "pneumonia": 2}


def test_every_file_of_the_v7_dataset_is_somewhere(dataset, data) -> None:
    dataset.add("a.jpg", "Viral Pneumonia")
    dataset.add("ct.jpg", "CT")
    dataset.image("images/loose.jpg")
    for name, text in (("coco.json", "{}"), ("broken.json", "{"), ("x.csv", ""), (".x", ""), ("IM1", "DICM")):
        (dataset.root / name).write_text(text, encoding="utf-8")
    (dataset.root / "releases" / "latest").symlink_to("all")
    data.root = dataset.root
    found = data.tell()
    flow = {row["step"]: row["count"] for row in found["flow"] if row["kind"] in ("found", "beside")}
    assert flow == {
        "files found": 11,
        "not a picture (.json)": 1,
        "not a picture (.csv)": 1,
        "not a picture (no suffix)": 1,
        "hidden file": 1,
        "link that is not followed, or device": 1,
        "annotations found": 3,
        "pictures found": 3,
    }
    assert found["beside"][-1]["example"] == "releases/latest (a second name of releases/all)"


def test_annotations_in_one_of_several_folders_are_told(dataset, data) -> None:
    dataset.root = dataset.root / "v7"
    dataset.add("a.jpg", "Viral Pneumonia")
    data.root = dataset.root.parent
    assert data.tell()["annotated"] == ""
    data.add("other/b.jpg")
    assert data.tell()["annotated"] == "v7"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("a.png", "b.png", "other/c.png"), "3 images (2 in no folder, 1 in other)"),
        (("NORMAL/a.png", "NORMAL/b.png"), "2 images (2 in NORMAL)"),
        (("data.csv", "notes.txt", "x.csv"), "no images and no Darwin JSON among 3 files (2 .csv, 1 .txt)"),
        (tuple(f"patient {i}/a.png" for i in range(40)), "and 36 more folders)"),
    ],
)
def test_where_no_reader_fits_it_is_said_what_is_there(data, files: tuple[str, ...], words: str) -> None:
    data.add(*files)
    with pytest.raises(DataError) as error:
        data.tell()
    assert words in error.value.message
    assert "one folder per class" in error.value.hint


def test_where_there_is_an_archive_alone_it_is_named(data) -> None:
    data.add("my archive.zip", "readme.txt", data=b"PK")
    with pytest.raises(DataError, match="no images") as error:
        data.tell()
    archive = data.root / "my archive.zip"
    assert error.value.hint == f"unpack my archive.zip, or see what it has: report data check '{archive}'"


def test_annotations_without_images_are_told_as_such(dataset, data) -> None:
    dataset.annotate("a.jpg", "Viral Pneumonia")
    data.root = dataset.root
    with pytest.raises(DataError, match="1 annotations and no images"):
        data.tell()


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "reader", "images", "known"),
    [
        ("kermany", "kermany", {"normal": 1583, "pneumonia": 4273}, 5856),
        ("kermany_fullres_subset", "kermany", {"normal": 553, "pneumonia": 591}, 1144),
        (
            "radiography",
            "radiography",
            {"covid_19": 500, "normal": 500, "viral_pneumonia": 500, "lung_opacity": 4},
            0,
        ),
    ],
)
def test_the_real_folders(
    data, real_data: Path, folder: str, reader: str, images: dict[str, int], known: int
) -> None:
    data.root = real_data / folder
    found = data.tell()
    assert (found["reader"], counts(found)) == (reader, images)
    assert (found["patients"]["known_for"], found["patients"]["across_official"]) == (known, 0)
    if folder == "kermany":
        assert found["official"] == {"train": 5216, "val": 16, "test": 624}
        assert found["duplicates"]["groups"] == 30


@pytest.mark.real
def test_the_real_folder_that_no_reader_fits(data, real_data: Path) -> None:
    data.root = real_data / "odd"
    with pytest.raises(DataError, match="no folders that could be classes"):
        data.tell()


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


def test_where_no_reader_fits_tables_that_lie_there_are_named(data) -> None:
    data.add("images/a.png", "images/b.png", "labels.xlsx")
    data.add("people.csv", data=b"file,sex\na.png,M\nb.png,F\n")
    with pytest.raises(DataError) as error:
        data.tell()
    assert error.value.hint.startswith("if labels.xlsx has the labels, save it as CSV (UTF-8)")
    assert "in people.csv no column has names of these images" in error.value.hint

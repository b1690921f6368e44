from __future__ import annotations

from pathlib import Path

import pytest

from analysis.errors import DataError
from tests.datasets.checks.conftest import counts


def test_a_copy_of_the_whole_folder_inside_it_is_seen_through(data) -> None:
    for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png"):
        data.add(name, f"chest_xray/{name}", data=data.jpeg(len(name)))
    found = data.tell()
    assert counts(found) == {"normal": 1, "pneumonia": 1}
    assert [e["reason"] for e in found["excluded"]] == ["copy of an image elsewhere in the folder"]


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
    assert found["excluded"][0]["reason"] == "image does not decode"


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
        "mask, not an image": 24,
        "copy of an image elsewhere in the folder": 6,
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


def test_what_is_not_read_is_counted(data, tmp_path: Path) -> None:
    data.add("NORMAL/a.png", "PNEUMONIA/b.png", "NORMAL/._a.png", "Thumbs.db")
    data.add("labels.csv", "x.csv", "more.zip", data=b"PK")
    (data.root / "again").symlink_to(data.root / "NORMAL")
    found = data.tell()
    assert found["beside"] == [
        {"what": "not an image (.csv)", "files": 2, "example": "labels.csv"},
        {"what": "not an image (.zip)", "files": 1, "example": "more.zip"},
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
        "not an image (.json)": 1,
        "not an image (.csv)": 1,
        "not an image (no suffix)": 1,
        "hidden file": 1,
        "link that is not followed, or device": 1,
        "annotations found": 3,
        "images found": 3,
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


def test_where_no_reader_fits_tables_that_lie_there_are_named(data) -> None:
    data.add("images/a.png", "images/b.png", "labels.xlsx")
    data.add("people.csv", data=b"file,sex\na.png,M\nb.png,F\n")
    with pytest.raises(DataError) as error:
        data.tell()
    assert error.value.hint.startswith("if labels.xlsx has the labels, save it as CSV (UTF-8)")
    assert "in people.csv no column has names of these images" in error.value.hint

"""Which image a row is about, and what it says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.errors import DataError
from tests.datasets.tables.conftest import PLAIN, Labelled


def test_rsna_names_files_without_suffix_and_has_a_row_for_each_box(data: Labelled) -> None:
    data.add("stage_2_train_images/0004.png", "stage_2_train_images/00.36.png")
    data.write("labels.csv", "patientId,x,y,Target\n0004,,,0\n00.36,264,152,1\n00.36,562,152,1\n")
    columns = {"file": "patientId", "label": "Target"}
    values = {"normal": ["0"], "pneumonia": ["1"]}
    assert data.labels(columns=columns, values=values) == {
        "stage_2_train_images/0004.png": "normal",
        "stage_2_train_images/00.36.png": "pneumonia",
    }
    assert data.excluded() == {}


@pytest.mark.parametrize(
    "named",
    ["set/a.png", "./set/a.png", "set\\a.png", "/home/me/x/set/a.png", "a", "set/a", "A.PNG", "set/a.dcm"],
)
def test_a_file_is_named_with_or_without_folder_and_suffix(data: Labelled, named: str) -> None:
    data.add("x/set/a.png", "x/other/b.png")
    data.write("labels.csv", f"filename,label\n{named},Pneumonia\nb.png,No Finding\n")
    assert data.labels() == {"x/other/b.png": "normal", "x/set/a.png": "pneumonia"}


def test_an_image_of_another_folder_is_not_taken(data: Labelled) -> None:
    data.add("train/1.png", "train/2.png", "test/2.png")
    data.write(
        "labels.csv",
        "filename,label\ntrain/1.png,Pneumonia\ntest/1.png,No Finding\ntrain/2.png,No Finding\ntest/2.png,Pneumonia\n",
    )
    assert data.labels() == {"test/2.png": "pneumonia", "train/1.png": "pneumonia", "train/2.png": "normal"}
    assert data.excluded() == {"test/1.png": ("no image for the row of the table", "labels.csv, line 3")}


def test_a_name_of_several_images_is_an_error_that_names_them(data: Labelled) -> None:
    data.add("a/1.png", "b/1.png", "b/masks/1.png", "b/2.png")
    data.write("labels.csv", "filename,label\n1.png,Pneumonia\n2.png,No Finding\n")
    with pytest.raises(
        DataError, match=r"labels\.csv, line 2: '1\.png' could be any of 2 images, a/1\.png or b/1\.png"
    ):
        data.read()
    assert data.labels(exclude=["a/*"]) == {"b/1.png": "pneumonia", "b/2.png": "normal"}
    assert data.excluded() == {
        "a/1.png": ("excluded by the study", "a/*"),
        "b/masks/1.png": ("mask, not an image", "folder masks"),
    }


def test_equal_rows_count_once_and_contradicting_ones_are_left_out(data: Labelled) -> None:
    data.add("a.png", "b.png", "c.png", "d.png")
    data.write(
        "labels.csv",
        "filename,label,patient\na.png,Pneumonia,1\na.png,pneumonia,1\nb.png,Pneumonia,2\nb,No Finding,2\n"
        "c.png,No Finding,3\nd.png,No Finding,4\nd.png,No Finding,5\n",
    )
    options: dict[str, Any] = {"columns": PLAIN | {"patient": "patient"}, "several": ["pneumonia", "normal"]}
    assert data.labels(**options) == {"a.png": "pneumonia", "c.png": "normal"}
    why = "rows of the table contradict one another"
    assert data.excluded() == {
        "b.png": (why, "labels.csv, line 4, and labels.csv, line 5"),
        "d.png": (why, "labels.csv, line 7, and labels.csv, line 8"),
    }


def test_columns_of_split_view_and_patient(data: Labelled) -> None:
    data.add(*(f"{i}.png" for i in range(6)))
    data.write(
        "labels.csv",
        "filename,label,pid,split,view\n0.png,Pneumonia,7,Train,PA\n1.png,No Finding,7,valid,AP Supine\n"
        "2.png,No Finding,,test,LL\n3.png,No Finding,unknown,TEST,PA\n4.png,No Finding,8,,L\n5.png,Pneumonia,8,,Axial\n",
    )
    records = data.read(columns=PLAIN | {"patient": "pid", "split": "split", "view": "view"})
    assert records["official"].to_dict() == {"0.png": "train", "1.png": "val", "3.png": "test"}
    assert list(records["patient_id"]) == ["table-7", "table-7", "file-3.png"]
    assert {file: reason for file, (reason, _) in data.excluded().items()} == {
        "2.png": "lateral view",
        "4.png": "lateral view",
        "5.png": "CT slice",
    }
    with pytest.raises(DataError, match=r"line 2: 'PA' in the column view is none of train, val, test"):
        data.read(columns=PLAIN | {"split": "view"})


def test_a_file_is_looked_for_beside_the_table_first(data: Labelled) -> None:
    data.add("train/a.png", "train/b.png", "test/a.png", "test/b.png")
    data.write("train/labels.csv", "filename,label\na.png,Pneumonia\nb.png,No Finding\n")
    data.write("test/labels.csv", "filename,label\na.png,No Finding\nb.png,Pneumonia\n")
    assert data.labels(table=["train/labels.csv", "test/labels.csv"]) == {
        "train/a.png": "pneumonia",
        "train/b.png": "normal",
        "test/a.png": "normal",
        "test/b.png": "pneumonia",
    }


def test_copies_and_masks_are_no_images_that_a_row_could_mean(data: Labelled) -> None:
    data.add("a.jpg", "b.jpg")
    (data.root / "again").mkdir()
    (data.root / "again/b.jpg").write_bytes((data.root / "b.jpg").read_bytes())
    Image.fromarray(np.eye(30, 40, dtype=np.uint8) * 255).save(data.root / "a.png")
    data.write("labels.csv", "filename,label\na,Pneumonia\nb,No Finding\n")
    assert data.labels(max_excluded=0) == {"a.jpg": "pneumonia", "b.jpg": "normal"}
    assert data.excluded() == {
        "a.png": ("mask, not an image", "few grey levels, beside a.jpg"),
        "again/b.jpg": ("copy of an image elsewhere in the folder", "b.jpg"),
    }


def test_a_list_of_the_study_leaves_images_out_with_and_without_a_row(data) -> None:
    data.add("a.png", "b.png", "c.png", "d.png")
    data.write("labels.csv", "filename,label\na.png,No Finding\nb.png,Pneumonia\nc.png,Pneumonia\n")
    listed = {
        f"{name}.png": {"reason": "blurred", "place": f"exclude.csv:{k}"} for k, name in enumerate("bd", 2)
    }
    assert data.labels(exclude=listed) == {"a.png": "normal", "c.png": "pneumonia"}
    assert data.excluded() == {
        "b.png": ("excluded by the study: blurred", "exclude.csv:2"),
        "d.png": ("excluded by the study: blurred", "exclude.csv:3"),
    }

"""The data check finds tables of labels, and says which it does not read."""

from __future__ import annotations

import pytest

from analysis.errors import DataError
from tests.datasets.tables.conftest import NIH, Labelled, chexpert, nih


def test_data_check_offers_the_table_with_its_columns(data: Labelled) -> None:
    nih(data)
    found = data.tell()
    assert found["reader"] == "table"
    assert found["keys"] == {"table": "Data_Entry_2017.csv", "columns": NIH, "values": {}}
    assert {c["id"]: c["pictures"] for c in found["classes"]} == {
        "effusion": 1,
        "mass": 1,
        "no_finding": 1,
        "pneumonia": 1,
    }
    assert found["patients"]["number"] == 3


def test_data_check_finds_columns_of_findings_and_tables_without_header(data: Labelled) -> None:
    options = chexpert(data)
    found = data.tell()
    assert found["keys"]["columns"] == options["columns"] | {"sex": "Sex"}
    assert [c["label"] for c in found["classes"]] == ["Edema", "No Finding", "Pneumonia"]


def test_data_check_joins_tables_of_the_same_columns(data: Labelled) -> None:
    data.add("i/a.jpg", "i/b.jpg", "i/c.jpg", "i/d.jpg")
    data.write("train.txt", "19 a.jpg positive ricord\n20 b.jpg negative ricord\n")
    data.write("test.txt", "21 c.jpg negative bimcv\n22 d.jpg positive bimcv\n")
    data.write("README.txt", "a.jpg and others are images\nof chests\n")
    found = data.tell()
    assert found["keys"]["table"] == ["test.txt", "train.txt"]
    assert found["keys"]["columns"] == {"file": 2, "label": 3}
    assert found["official"] == {"test": 2, "train": 2}


def test_a_spreadsheet_beside_images_is_told_to_be_saved_as_csv(data: Labelled) -> None:
    data.add("a.png", "b.png")
    data.write("labels.xlsx", b"PK\x03\x04")
    with pytest.raises(DataError, match="no reader fits") as error:
        data.tell()
    assert "if labels.xlsx has the labels, save it as CSV" in error.value.hint


def test_another_reader_says_that_a_table_lies_there(data: Labelled) -> None:
    data.add("Normal/a.png", "Pneumonia/b.png")
    data.write("labels.csv", "filename,label\na.png,No Finding\nb.png,Pneumonia\n")
    assert data.tell()["reader"] == "table"
    classes = [{"id": "normal", "label": "Normal"}, {"id": "pneumonia", "label": "Pneumonia"}]
    found = data.tell({"reader": "class-folders", "classes": classes, "folders": {}, "exclude": []})
    assert (found["reader"], found["of_study"]) == ("class-folders", True)
    assert found["tables"] == [
        "labels.csv has labels of 2 images: column 'label', files in the column 'filename'"
    ]

"""Tables are read whatever their delimiter, encoding and header, and what is wrong with one is said."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from analysis.errors import DataError
from tests.datasets.tables.conftest import Labelled


def test_covidx_has_two_tables_without_header_and_their_names_are_the_split(data: Labelled) -> None:
    data.add("train/a b.png", "train/b.jpg", "test/c.png")
    data.write("train.txt", "19 b.jpg positive ricord\n20 x.png negative bimcv\n")
    data.write("test.txt", "21 c.png negative bimcv\n")
    values = {"pneumonia": ["positive"], "normal": ["negative"]}
    records = data.read(
        table=["train.txt", "test.txt"], columns={"file": 2, "label": 3, "patient": 1}, values=values
    )
    assert records["label"].to_dict() == {"test/c.png": "normal", "train/b.jpg": "pneumonia"}
    assert records["official"].to_dict() == {"test/c.png": "test", "train/b.jpg": "train"}
    assert data.excluded() == {
        "x.png": ("no image for the row of the table", "train.txt, line 2"),
        "train/a b.png": ("no row of the table for the image", ""),
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_delimiter_and_encoding_are_found(data: Labelled, delimiter: str, encoding: str) -> None:
    data.add("é 1.png", "b.png", "c.png")
    rows = [
        ("filename", "größe, cm", "label"),
        ("é 1.png", "1,5", "No Finding"),
        ("b.png", "2,5", "pneumonia"),
        ("c.png", "", ""),
    ]
    quoted = ('"' if delimiter == "," else "") + "{}" + ('"' if delimiter == "," else "")
    lines = [delimiter.join(quoted.format(cell) for cell in row) for row in rows]
    data.write("labels.csv", "\r\n".join(lines).encode(encoding))
    assert data.labels() == {"b.png": "pneumonia", "é 1.png": "normal"}
    assert data.excluded() == {"c.png": ("no class label", "no label")}


@pytest.mark.parametrize(
    ("content", "options", "message", "hint"),
    [
        ("filename,label\na.png,x\n", {"table": "label.csv"}, "no file label.csv", "labels.csv"),
        ("file,label\na.png,x\n", {}, "no column called 'filename'", "its columns: file, label"),
        ("filename,label,label\na.png,x,y\n", {}, "two columns called 'label'", "its columns"),
        (
            "a.png,x\n",
            {"columns": {"file": 1, "label": 3}},
            "2 columns, none of number 3",
            "numbers begin with 1",
        ),
        ("filename,label\n", {}, "labels.csv has no rows", "dataset.table"),
        ("filename,label\na.png,x,y\n", {}, "line 2, has 3 cells, and the header 2", "double quotes"),
        (b"PK\x03\x04....", {}, "a spreadsheet, not a table in text", "save it as CSV"),
        (b"filename,label\na.png,\x81\x00\n", {}, "no text in UTF-8 or Windows-1252", "save it as CSV"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_the_next_step(
    data: Labelled, content: bytes | str, options: dict[str, Any], message: str, hint: str
) -> None:
    data.add("a.png")
    data.write("labels.csv", content)
    with pytest.raises(DataError) as error:
        data.read(**options)
    assert message in error.value.message
    assert hint in error.value.hint


def test_a_table_may_be_packed_and_begin_with_the_delimiter_as_excel_has_it(data: Labelled) -> None:
    data.add("a.png", "b.png")
    data.write("labels.csv", "sep=;\r\nfilename;label\r\na.png;Pneumonia\r\nb.png;No Finding\r\n")
    expected = {"a.png": "pneumonia", "b.png": "normal"}
    assert data.labels() == expected
    data.write("labels.csv.gz", gzip.compress((data.root / "labels.csv").read_bytes()))
    assert data.labels(table="labels.csv.gz") == expected
    data.write("labels.csv.gz", (data.root / "labels.csv.gz").read_bytes()[:40])
    with pytest.raises(DataError, match=r"labels\.csv\.gz is damaged"):
        data.labels(table="labels.csv.gz")

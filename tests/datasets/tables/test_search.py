"""Which columns of a table name images and their labels, and when a table is not what a folder goes by."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.datasets.checks import data_check
from analysis.progress import silent

PNGS = [f"images/{i}.png" for i in range(6)]
FOLDERS = [f"{c}/{i}{c}.png" for c in ("Normal", "TB") for i in range(3)]
Told = Callable[..., dict[str, Any]]


@pytest.fixture
def told(tmp_path: Path, jpeg: Callable[..., bytes]) -> Told:
    def tell(images: Sequence[str], **tables: str) -> dict[str, Any]:
        for number, name in enumerate(images):
            (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / name).write_bytes(jpeg(number))
        for name, text in tables.items():
            (tmp_path / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
        out = tmp_path / "out"
        out.mkdir()
        data_check.check({"data": tmp_path / "data"}, out, scratch=out, progress=silent, settings=None)
        return dict(json.loads((out / "data_check.json").read_text(encoding="utf-8")))

    return tell


def rows(header: str, *cells: str) -> str:
    """Return a table with a row for each image of `PNGS`: ``{i}`` is its number, ``{l}`` its label."""
    line = ",".join(cells)
    labels = ("normal", "pneumonia")
    return "\n".join([header, *(line.format(i=i, l=labels[i % 2], k=i % 2, h=i // 3) for i in range(6))])


@pytest.mark.parametrize(
    ("table", "file", "label"),
    [
        (rows("Datei,Alter,Geschlecht,Klasse", "{i}.png", "4{i}", "{k}", "{l}"), "Datei", "Klasse"),
        (rows("imagen,sexo,diagnóstico", "{i}.png", "{h}", "{l}"), "imagen", "diagnóstico"),
        (rows("class_id,image,class_name", "{k}", "{i}.png", "{l}"), "image", "class_name"),
        (rows("file,scanner,state", "{i}.png", "x{h}", "{l}"), "file", "state"),
        (rows("file,study_id,ergebnis", "{i}.png", "5000{h}", "{l}"), "file", "ergebnis"),
        (rows("image,label,smoker", "{i}.png", "{k}", "{h}"), "image", "label"),
        (rows("image,No finding,Pneumonia", "{i}.png", "{k}", "{h}"), "image", ["No finding", "Pneumonia"]),
        (rows("70,0.png,normal,x0", "7{h}", "{i}.png", "{l}", "x{h}"), 2, 3),
    ],
)
def test_the_column_of_labels_is_told_from_others(
    told: Told, table: str, file: object, label: object
) -> None:
    columns = told(PNGS, labels=table)["keys"]["columns"]
    assert (columns["file"], columns["label"]) == (file, label)


def test_numbers_of_rows_are_no_names_of_images(told: Told) -> None:
    shuffled = "\n".join(f"{i},{(i + 1) % 6},{'ab'[i % 2]}" for i in range(6))
    assert told(PNGS, labels=f",id,label\n{shuffled}")["keys"]["columns"]["file"] == "id"


def test_a_list_in_a_cell_is_several_labels(told: Told) -> None:
    cells = ["['normal']", "['pneumonia']", "['pneumonia', 'normal']"] * 2
    found = told(PNGS, labels="image,labels\n" + "\n".join(f'{i}.png,"{c}"' for i, c in enumerate(cells)))
    assert {c["label"]: c["pictures"] for c in found["classes"]} == {"normal": 2, "pneumonia": 2}
    assert [e["reason"] for e in found["excluded"]] == ["several class labels"]


def test_a_second_table_of_the_same_images_is_told_and_not_read(told: Told) -> None:
    table, other = rows("file,label", "{i}.png", "{l}"), rows("file,label", "{i}.png", "normal")
    found = told(PNGS, labels=table, labels_old=other.replace("0.png,normal", "0.png,pneumonia"))
    assert found["keys"]["table"] == "labels.csv"
    assert [there.split()[0] for there in found["tables"]] == ["labels_old.csv"]
    assert {c["pictures"] for c in found["classes"]} == {3}


def test_what_a_model_said_is_no_label(told: Told) -> None:
    first, *others = rows("file,label", "{i}.png", "{l}").splitlines()
    found = told(
        PNGS, train="\n".join([first, *others[:4]]), sample_submission="\n".join([first, *others[4:]])
    )
    assert (found["keys"]["table"], found["tables"]) == ("train.csv", [])
    assert {c["pictures"] for c in found["classes"]} == {2}


@pytest.mark.parametrize("column", ["hospital", "quality class"])
def test_folders_of_findings_come_before_a_table_of_something_else(told: Told, column: str) -> None:
    table = "\n".join([f"file,{column}", *(f"{Path(p).name},{'ab'[i % 2]}" for i, p in enumerate(FOLDERS))])
    found = told(FOLDERS, labels=table)
    assert found["reader"] == "class-folders"
    assert [there.split()[0] for there in found["tables"]] == ["labels.csv"][: "class" in column]


def test_where_folders_and_the_table_differ_it_is_told(told: Told) -> None:
    said = ["TB", "Normal", "Normal", "TB", "TB", "TB"]
    table = "\n".join(["file,label", *(f"{Path(p).name},{c}" for p, c in zip(FOLDERS, said, strict=True))])
    found = told(FOLDERS, labels=table)
    assert (found["reader"], found["astray"]) == ("table", [["Normal/0Normal.png", "tb", "normal"]])

"""Labels in a table: every form that public datasets and students give it, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.datasets.sample import folder_sample
from analysis.errors import DataError
from analysis.progress import silent
from tests.datasets.tables.conftest import NIH, THREE, TWO, Labelled, chexpert, nih


def test_nih_labels_patients_and_what_is_left_out(data: Labelled) -> None:
    nih(data)
    records = data.read(table="Data_Entry_2017.csv", columns=NIH)
    assert records["label"].to_dict() == {
        "images_001/images/00000000_000.png": "normal",
        "images_001/images/00000001_002.png": "pneumonia",
        "images_002/images/00000001_003.png": "pneumonia",
    }
    assert list(records["patient_id"]) == ["table-0", "table-1", "table-1"]
    assert (set(records["source"]), set(records["tags"])) == ({"table"}, {"View/PA"})
    assert data.excluded() == {
        "images_002/images/00000000_001.png": ("no class label", "label Effusion"),
        "images_001/images/00000002_004.png": ("no class label", "label Mass"),
    }
    flow = pd.read_csv(data.out / "flow.csv")
    assert flow.iloc[:3].to_numpy().tolist() == [
        ["files found", 6, "found"],
        ["rows of the table", 5, "found"],
        ["images found", 5, "found"],
    ]


def test_of_several_labels_the_first_counts_where_the_study_says_so(data: Labelled) -> None:
    nih(data)
    both = "images_002/images/00000001_003.png"
    options: dict[str, Any] = {"table": "Data_Entry_2017.csv", "columns": NIH, "classes": THREE}
    assert both not in data.labels(**options)
    assert data.excluded()[both] == ("several class labels", "label Effusion|Pneumonia")
    assert data.labels(**options, several=["effusion", "pneumonia"])[both] == "effusion"
    assert data.labels(**options, several=["pneumonia"])[both] == "pneumonia"
    assert both not in data.labels(**options, several=["normal"])


@pytest.mark.parametrize(
    ("uncertain", "pneumonia", "left_out"),
    [
        ("leave-out", [2], {3: "uncertain class label", 4: "no class label", 5: "no class label"}),
        ("positive", [2, 3], {4: "no class label", 5: "no class label"}),
        ("negative", [2], {3: "no class label", 4: "no class label", 5: "no class label"}),
    ],
)
def test_chexpert_has_a_column_for_each_finding(
    data: Labelled, uncertain: str, pneumonia: list[int], left_out: dict[int, str]
) -> None:
    options = chexpert(data)
    records = data.read(**options, uncertain=uncertain, patient_pattern=r"(patient\d+)/")
    path = "train/patient0000{}/study1/view1_frontal.jpg"
    assert records["label"].to_dict() == {
        **{path.format(k): "normal" for k in (1, 6)},
        **{path.format(k): "pneumonia" for k in pneumonia},
    }
    assert records.loc[path.format(1), ["patient_id", "source", "official"]].tolist() == [
        "name-patient00001",
        "name",
        "train",
    ]
    reasons = {file: reason for file, (reason, _) in data.excluded().items()}
    assert reasons.pop("train/patient00001/study1/view2_lateral.jpg") == "lateral view"
    assert reasons == {path.format(k): reason for k, reason in left_out.items()}


def test_a_cell_of_a_finding_that_says_neither_is_named(data: Labelled) -> None:
    options = chexpert(data)
    text = (data.root / "train.csv").read_text()
    data.write("train.csv", text.replace(",-1.0,\n", ",maybe,\n", 1))
    with pytest.raises(
        DataError, match=r"train\.csv, line 4: 'maybe' in the column Pneumonia is none of 1, 0, -1"
    ):
        data.read(**options)


def test_values_of_a_class_can_be_several_and_those_of_two_classes_cannot_be_the_same(data: Labelled) -> None:
    data.add("a.png", "b.png", "c.png")
    data.write("labels.csv", "filename,label\na.png,Pleural_Thickening\nb.png,2.0\nc.png,healthy\n")
    values = {"pneumonia": ["pleural thickening", "2"], "normal": ["Healthy"]}
    assert data.labels(values=values) == {"a.png": "pneumonia", "b.png": "pneumonia", "c.png": "normal"}
    with pytest.raises(DataError, match="would be of class normal and of class pneumonia"):
        data.read(values={"pneumonia": ["x"], "normal": ["X "]})
    with pytest.raises(
        DataError, match=r"no image of class normal: of 3 rows, 3 with an image.*healthy \(1\)"
    ) as error:
        data.read(values={"pneumonia": ["2"]})
    assert '[dataset.values] normal = ["..."]' in error.value.hint


def test_too_many_rows_without_an_image_are_refused(data: Labelled) -> None:
    data.add("a.png", "b.png")
    rows = "".join(f"{i}.png,Pneumonia\n" for i in range(8))
    data.write("labels.csv", f"filename,label\na.png,Pneumonia\nb.png,No Finding\n{rows}")
    with pytest.raises(DataError, match=r"8 of 10 images would be left out.*no image for the row"):
        data.read(max_excluded=0.5)


@pytest.mark.parametrize(
    ("tables", "columns", "values"),
    [
        (
            "labels.csv",
            {"file": "Image", "label": "Finding", "patient": "Patient", "split": "Part", "view": "View"},
            {},
        ),
        (["a/train.txt", "a/test.txt"], {"file": 2, "label": 3}, {}),
        ("x.tsv", {"file": "f", "label": ["No Finding", "Pneumonia", "Edema"], "patient": 3}, {}),
        ("x.tsv", {"file": 1, "label": [2, 3]}, {"normal": ["2"], "pneumonia": ["3"]}),
    ],
)
def test_the_sample_has_the_table_that_the_study_names(
    data: Labelled, tables: Any, columns: dict[str, Any], values: dict[str, list[str]]
) -> None:
    named = [{"id": c["id"], "folder": values.get(c["id"], [c["label"]])[0]} for c in TWO]
    quiet = {"scratch": data.out, "progress": silent}
    sample = {"layout": "table", "classes": named, "table": tables, "columns": columns}
    folder_sample.write({}, data.root, **quiet, **sample, pictures=40, seed=1)
    records = data.read(table=tables, columns=columns, values=values, max_excluded=0.1)
    assert len(records) == 40
    assert records["label"].value_counts().min() > 10
    assert {reason for reason, _ in data.excluded().values()} == {"image does not decode"}
    assert (records["source"] == "table").all() == ("patient" in columns)
    assert (records["patient_id"].nunique() < 30) == ("patient" in columns)
    assert set(records["official"]) == (
        {"train", "val", "test"}
        if "split" in columns
        else {"train", "test"}
        if isinstance(tables, list)
        else {""}
    )


@pytest.mark.real
def test_the_case_of_nih(case: Callable[[str], Path], data: Labelled) -> None:
    data.root = case("nih-labels-in-csv")
    found = data.tell()
    assert {c["label"]: c["pictures"] for c in found["classes"]} == dict.fromkeys(
        ("Effusion", "No Finding", "Pneumonia"), 15
    )
    assert found["patients"]["number"] == 15
    names = [Path(name).name for name in data.labels(table="Data_Entry_2017.csv", columns=NIH)]
    assert {name[-5] for name in names} == {"0", "2", "3"}


@pytest.mark.real
def test_real_images_of_nih_and_of_cohen_are_read_by_their_tables(data: Labelled, real_data: Path) -> None:
    data.root = real_data / "external_adults"
    columns = {
        "file": "original_filename",
        "label": "nih_finding_labels",
        "patient": "patient_id",
        "view": "view",
    }
    records = data.read(table="metadata.csv", columns=columns, max_excluded=0.0)
    assert records["label"].value_counts().to_dict() == {"pneumonia": 143, "normal": 142}
    assert (records["label"].str.upper() == records.index.str.split("/").str[0]).all()
    data.root = real_data / "covid19"
    found = data.tell()
    assert (found["reader"], found["keys"]["columns"]["patient"]) == ("table", "patientid")
    assert {c["id"]: c["pictures"] for c in found["classes"]}["covid_19"] == 430


def test_a_class_that_stands_beside_others_only_is_told_from_one_that_is_not_there(data: Labelled) -> None:
    data.add("a.png", "b.png")
    data.write("labels.csv", "filename,label\na.png,No Finding|Pneumonia\nb.png,No Finding\n")
    with pytest.raises(DataError, match="no image of class pneumonia") as error:
        data.read()
    assert error.value.hint.endswith('several = ["pneumonia", "normal"]')
    assert data.labels(several=["pneumonia", "normal"]) == {"a.png": "pneumonia", "b.png": "normal"}

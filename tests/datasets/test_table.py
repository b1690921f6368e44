"""Labels in a table: every form that public datasets and students give it, and what is wrong with some."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.datasets import table
from analysis.datasets.checks import data_check
from analysis.datasets.sample import folder_sample
from analysis.errors import DataError
from analysis.progress import silent

TWO = [{"id": "normal", "label": "No Finding"}, {"id": "pneumonia", "label": "Pneumonia"}]
PLAIN = {"file": "filename", "label": "label"}


class Labelled:
    """Images and tables that a test writes, and what the reader makes of them."""

    def __init__(self, root: Path, out: Path, jpeg: Callable[..., bytes]) -> None:
        self.root, self.out, self.jpeg = root, out, jpeg
        self.count = 0

    def add(self, *paths: str) -> None:
        for path in paths:
            self.count += 1
            self.write(path, self.jpeg(self.count))

    def write(self, path: str, content: bytes | str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, **options: Any) -> pd.DataFrame:
        settings = {
            "classes": TWO,
            "table": "labels.csv",
            "columns": PLAIN,
            "values": {},
            "several": "leave-out",
            "uncertain": "leave-out",
            "exclude": [],
            "max_excluded": 0.9,
        }
        self.out.mkdir(exist_ok=True)
        table.read({"data": self.root}, self.out, scratch=self.out, progress=silent, **(settings | options))
        return pd.read_csv(self.out / "records.csv", keep_default_na=False).set_index("image_id")

    def labels(self, **options: Any) -> dict[str, str]:
        return self.read(**options)["label"].to_dict()

    def excluded(self) -> dict[str, tuple[str, str]]:
        found = pd.read_csv(self.out / "excluded.csv", keep_default_na=False)
        assert found["file"].is_unique
        return {file: (reason, detail) for file, reason, detail in found.itertuples(index=False)}

    def tell(self, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        self.out.mkdir(exist_ok=True)
        data_check.check({"data": self.root}, self.out, scratch=self.out, progress=silent, settings=settings)
        found: dict[str, Any] = json.loads((self.out / "data_check.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def data(tmp_path: Path, jpeg: Callable[..., bytes]) -> Labelled:
    (tmp_path / "data").mkdir()
    return Labelled(tmp_path / "data", tmp_path / "out", jpeg)


NIH = {"file": "Image Index", "label": "Finding Labels", "patient": "Patient ID", "view": "View Position"}


def nih(data: Labelled) -> None:
    lines = ["Image Index,Finding Labels,Follow-up #,Patient ID,View Position,Size[Width,Height],"]
    for k, label in enumerate(("No Finding", "Effusion", "Pneumonia", "Effusion|Pneumonia", "Mass")):
        data.add(f"images_00{k % 2 + 1}/images/0000000{k // 2}_00{k}.png")
        lines.append(f"0000000{k // 2}_00{k}.png,{label},0,{k // 2},PA,48,48,")
    data.write("Data_Entry_2017.csv", "\n".join(lines) + "\n")


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
        ["pictures found", 5, "found"],
    ]


THREE = [*TWO, {"id": "effusion", "label": "Effusion"}]


def test_of_several_labels_the_first_counts_where_the_study_says_so(data: Labelled) -> None:
    nih(data)
    both = "images_002/images/00000001_003.png"
    options: dict[str, Any] = {"table": "Data_Entry_2017.csv", "columns": NIH, "classes": THREE}
    assert both not in data.labels(**options)
    assert data.excluded()[both] == ("several class labels", "label Effusion|Pneumonia")
    assert data.labels(**options, several=["effusion", "pneumonia"])[both] == "effusion"
    assert data.labels(**options, several=["pneumonia"])[both] == "pneumonia"
    assert both not in data.labels(**options, several=["normal"])


def chexpert(data: Labelled) -> dict[str, Any]:
    rows = {"1": "1.0,,", "2": ",1.0,", "3": ",-1.0,", "4": ",,1.0", "5": ",0.0,-1.0", "6": "1.0,,-1.0"}
    lines = ["Path,Sex,Frontal/Lateral,No Finding,Pneumonia,Edema"]
    for patient, cells in rows.items():
        path = f"train/patient0000{patient}/study1/view1_frontal.jpg"
        data.add(path)
        lines.append(f"CheXpert-v1.0-small/{path},Male,Frontal,{cells}")
    data.add("train/patient00001/study1/view2_lateral.jpg")
    lines.append("CheXpert-v1.0-small/train/patient00001/study1/view2_lateral.jpg,Male,Lateral,,1.0,")
    data.write("train.csv", "\n".join(lines))
    columns = {"file": "Path", "label": ["No Finding", "Pneumonia", "Edema"], "view": "Frontal/Lateral"}
    return {"table": "train.csv", "columns": columns}


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
        "x.png": ("no picture for the row of the table", "train.txt, line 2"),
        "train/a b.png": ("no row of the table for the picture", ""),
    }


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
    assert data.excluded() == {"test/1.png": ("no picture for the row of the table", "labels.csv, line 3")}


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
        "b/masks/1.png": ("mask, not a picture", "folder masks"),
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


def test_too_many_rows_without_an_image_are_refused(data: Labelled) -> None:
    data.add("a.png", "b.png")
    rows = "".join(f"{i}.png,Pneumonia\n" for i in range(8))
    data.write("labels.csv", f"filename,label\na.png,Pneumonia\nb.png,No Finding\n{rows}")
    with pytest.raises(DataError, match=r"8 of 10 images would be left out.*no picture for the row"):
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
    folder_sample.write({}, data.root, **quiet, **sample, pictures=80, seed=1)
    records = data.read(table=tables, columns=columns, values=values, max_excluded=0.1)
    assert len(records) == 80
    assert records["label"].value_counts().min() > 20
    assert {reason for reason, _ in data.excluded().values()} == {"picture does not decode"}
    assert (records["source"] == "table").all() == ("patient" in columns)
    assert (records["patient_id"].nunique() < 60) == ("patient" in columns)
    assert set(records["official"]) == (
        {"train", "val", "test"}
        if "split" in columns
        else {"train", "test"}
        if isinstance(tables, list)
        else {""}
    )


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
    assert found["keys"]["columns"] == options["columns"]
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
        "a.png": ("mask, not a picture", "few grey levels, beside a.jpg"),
        "again/b.jpg": ("copy of a picture elsewhere in the folder", "b.jpg"),
    }


def test_a_class_that_stands_beside_others_only_is_told_from_one_that_is_not_there(data: Labelled) -> None:
    data.add("a.png", "b.png")
    data.write("labels.csv", "filename,label\na.png,No Finding|Pneumonia\nb.png,No Finding\n")
    with pytest.raises(DataError, match="no image of class pneumonia") as error:
        data.read()
    assert error.value.hint.endswith('several = ["pneumonia", "normal"]')
    assert data.labels(several=["pneumonia", "normal"]) == {"a.png": "pneumonia", "b.png": "normal"}


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

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.datasets import class_folders, kermany
from analysis.errors import DataError
from analysis.progress import silent

PNEUMONIA = [{"id": "normal", "label": "NORMAL"}, {"id": "pneumonia", "label": "PNEUMONIA"}]
RADIOGRAPHY = [
    {"id": "covid_19", "label": "COVID-19"},
    {"id": "normal", "label": "Normal"},
    {"id": "viral_pneumonia", "label": "Viral"},
    {"id": "lung_opacity", "label": "Lung opacity"},
]


class Folders:
    """A data folder that a test fills, and what the reader makes of it."""

    def __init__(self, root: Path, out: Path, jpeg: Callable[..., bytes]) -> None:
        self.root, self.out, self.jpeg = root, out, jpeg
        self.count = 0

    def add(self, *paths: str, data: bytes | None = None) -> None:
        for path in paths:
            self.count += 1
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.jpeg(self.count) if data is None else data)

    def read(self, reader: Any = class_folders.read, **options: Any) -> pd.DataFrame:
        params = {"classes": PNEUMONIA, "folders": {}, "exclude": [], "max_excluded": 0.5}
        self.out.mkdir(exist_ok=True)
        reader({"data": self.root}, self.out, scratch=self.out, progress=silent, **(params | options))
        return pd.read_csv(self.out / "records.csv", keep_default_na=False)

    def excluded(self) -> dict[str, tuple[str, str]]:
        table = pd.read_csv(self.out / "excluded.csv", keep_default_na=False)
        assert table["file"].is_unique
        return {file: (reason, detail) for file, reason, detail in table.itertuples(index=False)}


@pytest.fixture
def folders(tmp_path: Path, jpeg: Callable[..., bytes]) -> Folders:
    (tmp_path / "data").mkdir()
    return Folders(tmp_path / "data", tmp_path / "out", jpeg)


def test_records_have_what_folder_and_file_say(folders) -> None:
    folders.add("chest_xray/train/PNEUMONIA/person1_virus_6.jpeg", "chest_xray/val/NORMAL/x.jpeg")
    table = folders.read()
    data = (folders.root / "chest_xray/train/PNEUMONIA/person1_virus_6.jpeg").read_bytes()
    assert table.iloc[0].to_dict() == {
        "image_id": "chest_xray/train/PNEUMONIA/person1_virus_6.jpeg",
        "label": "pneumonia",
        "patient_id": "file-chest_xray/train/PNEUMONIA/person1_virus_6.jpeg",
        "source": "unknown",
        "width": 40,
        "height": 30,
        "mode": "L",
        "original_width": "",
        "original_height": "",
        "sha256": hashlib.sha256(data).hexdigest(),
        "tags": "",
        "official": "train",
    }
    assert table.iloc[1]["patient_id"] == "file-chest_xray/val/NORMAL/x.jpeg"
    assert table.iloc[1]["official"] == "val"


@pytest.mark.parametrize(
    ("path", "label", "official"),
    [
        ("Normal/a.png", "normal", ""),
        ("set/normal/images/deep/a.png", "normal", ""),
        ("Lung_Opacity/a.png", "lung_opacity", ""),
        ("LUNG-OPACITY/a.png", "lung_opacity", ""),
        ("viral  pneumonia/a.png", "viral_pneumonia", ""),
        ("COVID 19/Test Set/a.png", "covid_19", "test"),
        ("Validation/COVID-19/train/a.png", "covid_19", "val"),
        ("Normal/Viral/a.png", "viral_pneumonia", ""),
    ],
)
def test_the_nearest_folder_of_a_class_counts_however_it_is_spelt(
    folders, path: str, label: str, official: str
) -> None:
    folders.add("x/COVID-19/1.png", "x/Normal/1.png", "x/Viral/1.png", "x/Lung opacity/1.png", path)
    row = folders.read(classes=RADIOGRAPHY).set_index("image_id").loc[path]
    assert (row["label"], row["official"]) == (label, official)


def test_each_file_that_is_left_out_has_one_reason(folders) -> None:
    folders.add("NORMAL/a.png", "PNEUMONIA/a.png", "PNEUMONIA/images/b.png", "PNEUMONIA/skip.png")
    folders.add("PNEUMONIA/masks/b.png", "lung_masks/NORMAL/a.png", "other/c.png", "top.png")
    folders.add("NORMAL/cut.jpg", data=folders.jpeg()[:300])
    folders.add("NORMAL/pointer.png", data=b"version https://git-lfs.github.com/spec/v1\n")
    folders.add("NORMAL/scan.dcm", data=bytes(128) + b"DICM" + bytes(9))
    folders.add("NORMAL/notes.txt", "NORMAL/.hidden.png", "__MACOSX/NORMAL/._a.png", data=b"text")
    table = folders.read(exclude=["skip*"], max_excluded=0.7)
    assert list(table["image_id"]) == ["NORMAL/a.png", "PNEUMONIA/a.png", "PNEUMONIA/images/b.png"]
    found = folders.excluded()
    assert found.pop("NORMAL/cut.jpg")[0] == "picture does not decode"
    assert found == {
        "PNEUMONIA/skip.png": ("excluded by the study", "skip*"),
        "PNEUMONIA/masks/b.png": ("mask, not a picture", "folder masks"),
        "lung_masks/NORMAL/a.png": ("mask, not a picture", "folder lung_masks"),
        "other/c.png": ("no class label", "folder other"),
        "top.png": ("no class label", "in no folder"),
        "NORMAL/pointer.png": ("Git LFS pointer, not the picture", ""),
        "NORMAL/scan.dcm": ("picture does not decode", "DICOM file without a picture (modality unknown)"),
    }
    flow = pd.read_csv(folders.out / "flow.csv")
    assert flow.iloc[0].tolist() == ["pictures found", 11, "found"]
    assert flow.iloc[-1].tolist() == ["pictures kept", 3, "kept"]
    assert flow.loc[flow["kind"] == "excluded", "count"].sum() == 8
    with pytest.raises(DataError, match=r"5 of 9 pictures would be left out"):
        folders.read(exclude=["skip*"], max_excluded=0.5)


def test_the_second_copy_in_an_archive_of_kaggle_is_left_out(folders) -> None:
    for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png", "test/NORMAL/a.png"):
        data = folders.jpeg(len(name))
        folders.add(f"chest_xray/{name}", f"chest_xray/chest_xray/{name}", data=data)
    folders.add("chest_xray/chest_xray/train/NORMAL/c.png")
    folders.add("chest_xray/train/NORMAL/1/d.png", "chest_xray/train/NORMAL/2/d.png")
    folders.add("chest_xray/train/NORMAL/d.png", "chest_xray/train/PNEUMONIA/NORMAL/b.png", data=b"other")
    table = folders.read(max_excluded=0.3)
    assert len(table) == 6
    found = folders.excluded()
    reason = "copy of a picture in the folder above"
    assert {file: detail for file, (why, detail) in found.items() if why == reason} == {
        f"chest_xray/chest_xray/{name}": f"chest_xray/{name}"
        for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png", "test/NORMAL/a.png")
    }


def test_the_study_may_name_the_folders_of_a_class(folders) -> None:
    folders.add("BACTERIA/a.png", "VIRUS/b.png", "NORMAL/c.png")
    table = folders.read(folders={"pneumonia": ["bacteria", "virus"]})
    assert list(table["label"]) == ["pneumonia", "normal", "pneumonia"]
    with pytest.raises(DataError, match="'normal' would be of class normal and of class pneumonia"):
        folders.read(folders={"pneumonia": ["virus", "normal"]})


def test_a_class_without_pictures_is_an_error_that_tells_what_is_there(folders) -> None:
    folders.add("NORMAL/a.png", "Pneumonie/b.png", "Pneumonie/c.png")
    with pytest.raises(DataError, match=r"called PNEUMONIA or pneumonia \(3 pictures: 2 in Pneum") as error:
        folders.read()
    assert '[dataset.folders] pneumonia = ["..."]' in error.value.hint
    assert len(folders.read(folders={"pneumonia": ["pneumonie"]})) == 3


def test_folders_without_pictures(folders) -> None:
    folders.add("NORMAL/a.txt")
    with pytest.raises(DataError, match="there are no pictures"):
        folders.read()
    folders.add("NORMAL/a.png", "PNEUMONIA/b.png", data=b"no picture")
    with pytest.raises(DataError, match="none of the 2 pictures can be read"):
        folders.read(max_excluded=1.0)


@pytest.mark.real
def test_the_real_pediatric_pictures(folders, real_data: Path) -> None:
    folders.root = real_data / "kermany"
    table = folders.read(kermany.read, max_excluded=0.0)
    assert table["label"].value_counts().to_dict() == {"pneumonia": 4273, "normal": 1583}
    counts = table.groupby(["official", "label"]).size().to_dict()
    assert counts == {
        ("train", "normal"): 1341,
        ("train", "pneumonia"): 3875,
        ("val", "normal"): 8,
        ("val", "pneumonia"): 8,
        ("test", "normal"): 234,
        ("test", "pneumonia"): 390,
    }
    assert pd.Series(folders.excluded()).value_counts().to_dict() == {
        ("mask, not a picture", "folder v7_lung_masks"): 624
    }
    manifest = pd.read_csv(real_data / "manifest.csv", dtype=str).set_index("path")
    known = manifest.loc["kermany/" + table["image_id"]]
    assert (table["patient_id"].to_numpy() == known["patient_id"].to_numpy()).all()
    assert (table["sha256"].to_numpy() == known["sha256"].to_numpy()).all()


@pytest.mark.real
def test_the_real_radiography_set(folders, real_data: Path) -> None:
    folders.root = real_data / "radiography"
    most = "*[!68].png"
    table = folders.read(classes=RADIOGRAPHY, folders={"covid_19": ["covid"]}, exclude=[most], max_excluded=1)
    assert set(folders.excluded().values()) == {("excluded by the study", most)}
    assert len(table) + len(folders.excluded()) == 1504
    assert table["label"].value_counts().to_dict() == {
        "covid_19": 107,
        "normal": 103,
        "viral_pneumonia": 102,
        "lung_opacity": 3,
    }
    assert table["patient_id"].is_unique


@pytest.mark.real
def test_real_odd_files_are_read_or_left_out_with_their_reason(folders, real_data: Path) -> None:
    for path in (real_data / "odd").iterdir():
        folders.add(f"PNEUMONIA/{path.name}", data=path.read_bytes())
    folders.add("NORMAL/a.png")
    table = folders.read().set_index("image_id")
    assert len(table) == 21
    truncated = "PNEUMONIA/truncated_image.png"
    found = folders.excluded()
    assert found.pop(truncated)[0] == "picture does not decode"
    assert found == {"PNEUMONIA/Probabl-logo-blue.png": ("Git LFS pointer, not the picture", "")}
    assert set(table.loc[table["source"] == "dicom", "tags"]) == {"View/PA"}
    odd = pd.read_csv(real_data / "odd" / "odd.csv").set_index("file")
    stated_sizes = table[(table.index != "NORMAL/a.png") & (table["source"] != "dicom")]
    for image_id, row in stated_sizes.iterrows():
        stated = odd.loc[image_id.removeprefix("PNEUMONIA/"), ["width", "height", "mode"]]
        assert list(row[["width", "height", "mode"]]) == list(stated)

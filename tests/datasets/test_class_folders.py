import hashlib
import os
import unicodedata
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis import image_files, preparation
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


def adds_up(out: Path) -> None:
    """Assert that every file found is somewhere: beside the images, left out, or kept."""
    flow = pd.read_csv(out / "flow.csv")
    count = flow.set_index("step")["count"]
    kinds = flow.groupby("kind")["count"].sum()
    assert count["files found"] == count["images found"] + kinds.get("beside", 0)
    assert count["images found"] == count["images kept"] + kinds.get("excluded", 0)
    assert kinds.get("excluded", 0) == len(pd.read_csv(out / "excluded.csv"))


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
        adds_up(self.out)
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
    assert found.pop("NORMAL/cut.jpg")[0] == "image does not decode"
    assert found == {
        "PNEUMONIA/skip.png": ("excluded by the study", "skip*"),
        "PNEUMONIA/masks/b.png": ("mask, not an image", "folder masks"),
        "lung_masks/NORMAL/a.png": ("mask, not an image", "folder lung_masks"),
        "other/c.png": ("no class label", "folder other"),
        "top.png": ("no class label", "in no folder"),
        "NORMAL/pointer.png": ("Git LFS pointer, not the image", ""),
        "NORMAL/scan.dcm": ("image does not decode", "DICOM file without an image (modality unknown)"),
    }
    flow = pd.read_csv(folders.out / "flow.csv")
    assert flow.iloc[:4].to_numpy().tolist() == [
        ["files found", 14, "found"],
        ["not an image (.txt)", 1, "beside"],
        ["hidden file", 2, "beside"],
        ["images found", 11, "found"],
    ]
    assert flow.iloc[-1].tolist() == ["images kept", 3, "kept"]
    assert flow.loc[flow["kind"] == "excluded", "count"].sum() == 8
    with pytest.raises(DataError, match=r"5 of 8 images would be left out"):
        folders.read(exclude=["skip*"], max_excluded=0.5)


def test_the_second_copy_in_an_archive_of_kaggle_is_left_out(folders) -> None:
    for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png", "test/NORMAL/a.png"):
        data = folders.jpeg(len(name))
        folders.add(f"chest_xray/{name}", f"chest_xray/chest_xray/{name}", data=data)
    folders.add("chest_xray/chest_xray/train/NORMAL/c.png")
    folders.add("chest_xray/train/NORMAL/1/d.png", "chest_xray/train/NORMAL/2/d.png")
    folders.add("chest_xray/train/NORMAL/d.png", "chest_xray/train/NORMAL/PNEUMONIA.png", data=b"other")
    table = folders.read(max_excluded=0.3)
    assert len(table) == 6
    found = folders.excluded()
    reason = "copy of an image elsewhere in the folder"
    assert {file: detail for file, (why, detail) in found.items() if why == reason} == {
        f"chest_xray/chest_xray/{name}": f"chest_xray/{name}"
        for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png", "test/NORMAL/a.png")
    }


def test_equal_files_are_copies_in_the_same_class_split_and_name_alone(folders) -> None:
    same = folders.jpeg(99)
    folders.add("b/train/NORMAL/1.png", "a/train/NORMAL/1.png", "a/x/train/NORMAL/1.png", data=same)
    folders.add("a/test/NORMAL/1.png", "a/train/PNEUMONIA/1.png", "a/train/NORMAL/2.png", data=same)
    table = folders.read(max_excluded=0.0)
    assert list(table["image_id"]) == [
        *("a/test/NORMAL/1.png", "a/train/NORMAL/1.png", "a/train/NORMAL/2.png", "a/train/PNEUMONIA/1.png"),
    ]
    assert {file: detail for file, (_, detail) in folders.excluded().items()} == dict.fromkeys(
        ("a/x/train/NORMAL/1.png", "b/train/NORMAL/1.png"), "a/train/NORMAL/1.png"
    )


def test_what_lies_in_no_class_is_left_out_with_the_reason(folders) -> None:
    folders.add("Pneumonia/train/NORMAL/1.png", "Pneumonia/train/PNEUMONIA/images/1.png")
    folders.add("Pneumonia/predict/1.png", "Pneumonia/1.png")
    table = folders.read()
    assert list(table["label"]) == ["normal", "pneumonia"]
    assert folders.excluded()["Pneumonia/predict/1.png"] == (
        "no class label",
        "folder Pneumonia/predict; Pneumonia has folders of classes below it",
    )


def test_classes_that_differ_in_a_sign(folders) -> None:
    folders.add("COVID+/1.png", "covid_+/2.png", "COVID-/1.png", "Other/1.png")
    classes = [{"id": "covid", "label": "COVID+"}, {"id": "no_covid", "label": "COVID-"}]
    assert list(folders.read(classes=classes)["label"]) == ["covid", "no_covid", "covid"]
    named = {"pneumonia": ["COVID+"], "normal": ["COVID-", "Other"]}
    assert list(folders.read(folders=named)["label"]) == ["pneumonia", "normal", "normal", "pneumonia"]


def test_classes_that_differ_in_case_are_named_by_the_study_alone(folders) -> None:
    folders.add("COVID/1.png", "covid/2.png", "Covid/3.png", "NORMAL/1.png")
    classes = [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]
    named = {"a": ["COVID"], "b": ["covid"]}
    table = folders.read(classes=classes, folders=named)
    assert dict(zip(table["image_id"], table["label"], strict=True)) == {
        "COVID/1.png": "a",
        "covid/2.png": "b",
    }
    with pytest.raises(DataError, match="'COVID' would be of class a and of class b"):
        folders.read(classes=classes, folders={"a": ["x", "COVID"], "b": ["COVID"]})
    with pytest.raises(DataError, match="'NORMAL' would be of class normal and of class pneumonia"):
        folders.read(folders={"pneumonia": ["NORMAL"]})


def test_what_a_study_leaves_out_is_named_as_in_the_tables(folders) -> None:
    nfd, latin = unicodedata.normalize("NFD", "é.png"), os.fsdecode(b"caf\xe9.png")
    folders.add("NORMAL/1.png", "PNEUMONIA/1.png", f"NORMAL/{nfd}", f"NORMAL/{latin}")
    assert len(folders.read(exclude=["é.png", r"caf\xe9"])) == 2


def test_names_as_macos_writes_them_and_without_accents(folders) -> None:
    nfd = unicodedata.normalize("NFD", "Neumonía")
    folders.add(f"train/{nfd}/1.png", "train/Normal/1.png")
    classes = [{"id": "normal", "label": "normal"}, {"id": "sick", "label": "NEUMONÍA"}]
    assert list(folders.read(classes=classes)["label"]) == ["sick", "normal"]
    classes[1]["label"] = "Neumonia"
    assert list(folders.read(classes=classes)["label"]) == ["sick", "normal"]
    folders.add("train/Neumonia/2.png")
    assert list(folders.read(classes=classes)["image_id"]) == ["train/Neumonia/2.png", "train/Normal/1.png"]


def mask() -> bytes:
    return png(np.repeat(np.uint8([[0, 255]]), 20, axis=0).repeat(10, axis=1))


def png(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def test_masks_are_known_by_folder_name_and_grey_levels(folders) -> None:
    for name in ("NORMAL", "PNEUMONIA"):
        folders.add(f"{name}/images/1.png", f"{name}/images/2.png", f"{name}/images/3.png", f"{name}/4.png")
        folders.add(f"{name}/ManualMask/leftMask/1.png", f"{name}/Ground-truths/mask_1.png", data=mask())
        folders.add(f"{name}/left/1.png", data=mask())
        folders.add(f"{name}/labels/3.png", data=png(np.arange(64, dtype=np.uint8).reshape(8, 8) % 5))
        folders.add(
            f"{name}/heart/2.png",
            data=png(np.repeat(np.uint8([[0, 255]]), 16, axis=0).repeat(8, axis=1), "JPEG"),
        )
        folders.add(f"{name}/4_mask.png", f"{name}/5_mask.png")
    table = folders.read()
    kept = ("4.png", "5_mask.png", "images/1.png", "images/2.png", "images/3.png")
    assert list(table["image_id"]) == [f"{name}/{k}" for name in ("NORMAL", "PNEUMONIA") for k in kept]
    found = folders.excluded()
    assert {reason for reason, _ in found.values()} == {"mask, not an image"}
    assert found["NORMAL/left/1.png"][1] == "few grey levels, beside NORMAL/images/1.png"
    assert found["NORMAL/heart/2.png"][1] == "few grey levels, beside NORMAL/images/2.png"
    assert found["NORMAL/labels/3.png"][1] == "few grey levels, beside NORMAL/images/3.png"
    assert found["NORMAL/4_mask.png"][1] == "named as that of NORMAL/4.png"


def test_a_dark_image_of_the_same_name_is_no_mask(folders) -> None:
    dark = np.random.default_rng(0).integers(0, 40, (20, 20), dtype=np.uint8)
    folders.add("NORMAL/a/1.png", "PNEUMONIA/1.png")
    folders.add("NORMAL/b/1.png", data=png(dark))
    assert len(folders.read()) == 3


def test_another_dataset_in_the_folder_is_left_out_and_how_to_read_one_is_told(folders) -> None:
    for name in ("CNV", "DME", "DRUSEN", "NORMAL"):
        folders.add(*(f"CellData/OCT/train/{name}/{i}.png" for i in range(3)))
    for name in ("NORMAL", "PNEUMONIA"):
        folders.add(*(f"CellData/chest_xray/{part}/{name}/1.png" for part in ("train", "test")))
    table = folders.read(max_excluded=0.8)
    assert table["image_id"].str.startswith("CellData/chest_xray/").all()
    assert set(folders.excluded().values()) == {
        ("of another dataset in the folder", "CellData/OCT has CNV, DME, DRUSEN and no pneumonia")
    }
    with pytest.raises(
        DataError, match=r"12 of 16 images .* of another dataset in the folder \(12\)"
    ) as error:
        folders.read(max_excluded=0.5)
    assert error.value.hint.endswith(f"--data {folders.root / 'CellData' / 'chest_xray'}")
    assert len(folders.read(exclude=["CellData/OCT/*"], max_excluded=0.0)) == 4


def test_another_dataset_may_lie_around_that_of_the_study(folders) -> None:
    for name in ("A", "B", "C", "D", "E", "NORMAL"):
        folders.add(f"all/{name}/1.png")
    folders.add("all/chest/NORMAL/1.png", "all/chest/PNEUMONIA/1.png")
    assert list(folders.read(max_excluded=1.0)["image_id"]) == [
        "all/chest/NORMAL/1.png",
        "all/chest/PNEUMONIA/1.png",
    ]
    assert {why for _, why in folders.excluded().values()} == {
        "all has A, B, C, D and 1 more and no pneumonia"
    }


def test_hospitals_side_by_side_are_read_together(folders) -> None:
    folders.add("a/NORMAL/1.png", "a/NORMAL/2.png", "a/other/1.png", "b/NORMAL/1.png", "b/PNEUMONIA/1.png")
    assert len(folders.read()) == 4


def test_names_of_any_bytes_are_read_and_written(folders) -> None:
    names = [
        os.fsdecode(name) for name in (b"caf\xe9.png", b'a, "b" | c.png', b"two\nlines.png", rb"x\x41.png")
    ]
    folders.add(*(f"NORMAL/{name}" for name in names), "PNEUMONIA/1.png")
    folders.add(os.fsdecode(b"\xe9tc/1.png"))
    table = folders.read()
    assert sorted(table["image_id"].map(image_files.unescape_name)) == sorted(
        [*(f"NORMAL/{name}" for name in names), "PNEUMONIA/1.png"]
    )
    assert all(map(str.isprintable, table["image_id"]))
    assert (table["patient_id"] == "file-" + table["image_id"]).all()
    assert folders.excluded() == {r"\xe9tc/1.png": ("no class label", r"folder \xe9tc")}
    path = preparation_of(table, folders)
    assert np.load(path).shape == (5, 8, 8)


def preparation_of(table: pd.DataFrame, folders: Folders) -> Path:
    out = folders.out / "images"
    out.mkdir()
    inputs = {"records": folders.out, "data": folders.root}
    preparation.prepare(inputs, out, scratch=out, progress=silent, size=8, fit="squash", resample="area")
    return out / "images.npy"


def test_an_image_that_is_lost_counts(folders) -> None:
    folders.add("NORMAL/a.png", "PNEUMONIA/b.png")
    for place in ("NORMAL", "NORMAL/images"):
        (folders.root / place).mkdir(exist_ok=True)
        (folders.root / place / "lost.png").symlink_to("nowhere")
    folders.read()
    detail = "cannot be read: No such file or directory"
    assert folders.excluded()["NORMAL/lost.png"] == ("image does not decode", detail)
    with pytest.raises(DataError, match="2 of 4 images would be left out"):
        folders.read(max_excluded=0.4)


def test_a_class_without_images_beside_an_archive(folders) -> None:
    folders.add("NORMAL/a.png")
    folders.add("PNEUMONIA.zip", data=b"PK")
    with pytest.raises(DataError, match="no image of class pneumonia") as error:
        folders.read()
    assert "unpack PNEUMONIA.zip" in error.value.hint


def test_the_study_may_name_the_folders_of_a_class(folders) -> None:
    folders.add("BACTERIA/a.png", "VIRUS/b.png", "NORMAL/c.png")
    table = folders.read(folders={"pneumonia": ["bacteria", "virus"]})
    assert list(table["label"]) == ["pneumonia", "normal", "pneumonia"]
    with pytest.raises(DataError, match="'normal' would be of class normal and of class pneumonia"):
        folders.read(folders={"pneumonia": ["virus", "normal"]})


def test_a_class_without_images_is_an_error_that_tells_what_is_there(folders) -> None:
    folders.add("NORMAL/a.png", "Pneumonie/b.png", "Pneumonie/c.png")
    with pytest.raises(DataError, match=r"called PNEUMONIA or pneumonia \(3 images: 2 in Pneum") as error:
        folders.read()
    assert '[dataset.folders] pneumonia = ["..."]' in error.value.hint
    assert len(folders.read(folders={"pneumonia": ["pneumonie"]})) == 3


def test_folders_without_images(folders) -> None:
    folders.add("NORMAL/a.txt")
    with pytest.raises(DataError, match="there are no images"):
        folders.read()
    folders.add("NORMAL/a.png", "PNEUMONIA/b.png", data=b"no image")
    with pytest.raises(DataError, match="none of the 2 images can be read: image does not decode"):
        folders.read(max_excluded=1.0)


@pytest.mark.real
def test_the_real_pediatric_images(folders, real_data: Path) -> None:
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
        ("mask, not an image", "folder v7_lung_masks"): 624
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
    assert found.pop(truncated)[0] == "image does not decode"
    assert found == {"PNEUMONIA/Probabl-logo-blue.png": ("Git LFS pointer, not the image", "")}
    assert set(table.loc[table["source"] == "dicom", "tags"]) == {"View/PA|Age:62|Sex/M"}
    odd = pd.read_csv(real_data / "odd" / "odd.csv").set_index("file")
    stated_sizes = table[(table.index != "NORMAL/a.png") & (table["source"] != "dicom")]
    for image_id, row in stated_sizes.iterrows():
        stated = odd.loc[image_id.removeprefix("PNEUMONIA/"), ["width", "height", "mode"]]
        assert list(row[["width", "height", "mode"]]) == list(stated)


def test_a_list_of_the_study_leaves_images_out_with_their_reasons(folders) -> None:
    folders.add("NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/a.png", "PNEUMONIA/c.png")
    listed = {"NORMAL/a.png": {"reason": "blurred", "place": "exclude.csv:2"}}
    assert set(folders.read(exclude=listed)["image_id"]) == {
        "NORMAL/b.png",
        "PNEUMONIA/a.png",
        "PNEUMONIA/c.png",
    }
    assert folders.excluded() == {"NORMAL/a.png": ("excluded by the study: blurred", "exclude.csv:2")}

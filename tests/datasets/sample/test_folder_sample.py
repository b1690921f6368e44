"""The sample in folders of classes, read by the readers of those layouts."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.datasets import class_folders, kermany, radiography
from analysis.datasets.sample import folder_sample
from analysis.progress import silent

BINARY = [{"id": "normal", "folder": "Normal"}, {"id": "pneumonia", "folder": "Pneumonia"}]
FOUR = [
    {"id": "covid_19", "folder": "COVID"},
    {"id": "normal", "folder": "Normal"},
    {"id": "viral_pneumonia", "folder": "Viral Pneumonia"},
    {"id": "lung_opacity", "folder": "Lung Opacity"},
]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """Return a function that writes a sample and returns the records that a reader makes of it."""

    def make(
        reader: Any, layout: str, classes: list[dict[str, str]], pictures: int = 60, **settings: Any
    ) -> pd.DataFrame:
        for folder in ("data", "tables"):
            (tmp_path / folder).mkdir()
        data, tables = tmp_path / "data", tmp_path / "tables"
        quiet = {"scratch": tables, "progress": silent}
        folder_sample.write({}, data, **quiet, layout=layout, classes=classes, pictures=pictures, seed=7)
        labels = [{"id": c["id"], "label": c["id"]} for c in classes]
        folders = {c["id"]: [c["folder"]] for c in classes}
        options = {"classes": labels, "folders": folders, "exclude": [], "max_excluded": 0.1} | settings
        reader.read({"data": data}, tables, **quiet, **options)
        return pd.read_csv(tables / "records.csv", keep_default_na=False)

    return make


def excluded(tmp_path: Path) -> dict[str, int]:
    return pd.read_csv(tmp_path / "tables/excluded.csv")["reason"].value_counts().to_dict()


def test_the_paediatric_layout_has_an_official_split_by_patient(read, tmp_path: Path) -> None:
    table = read(kermany, "kermany", BINARY, pictures=90)
    assert table["label"].value_counts().to_dict() == {"pneumonia": 60, "normal": 30}
    assert set(table["source"]) == {"kermany"}
    assert table["patient_id"].nunique() < len(table)
    assert (table.groupby("patient_id")["official"].nunique() == 1).all()
    parts = pd.crosstab(table["official"], table["label"])
    assert parts.min().min() >= 1
    assert parts.loc["train"].sum() > parts.loc["test"].sum() > parts.loc["val"].sum()
    kinds = table.groupby("label")["tags"].unique().map(sorted).to_dict()
    assert kinds == {"normal": [""], "pneumonia": ["Bacterial Pneumonia", "Viral Pneumonia"]}
    assert (tmp_path / "data/chest_xray/train/PNEUMONIA").is_dir()
    assert excluded(tmp_path) == {"image does not decode": 1}


def test_the_radiography_layout_has_masks_that_are_no_images(read, tmp_path: Path) -> None:
    table = read(radiography, "radiography", FOUR)
    assert (table["label"].value_counts() == 15).all()
    assert set(table["official"]) == {""}
    assert excluded(tmp_path) == {"mask, not an image": 60, "image does not decode": 1}
    root = tmp_path / "data" / "COVID-19_Radiography_Dataset"
    image, mask = (Image.open(root / "COVID" / place / "COVID-1.png") for place in ("images", "masks"))
    inside = np.asarray(mask.resize(image.size)) > 0
    levels = np.asarray(image)
    assert 0.1 < inside.mean() < 0.6
    assert levels[inside].mean() < levels[~inside].mean()


def test_any_classes_have_a_sample(read) -> None:
    classes = [{"id": name, "folder": name} for name in ("well", "abnormal", "nodule", "mass", "effusion")]
    table = read(class_folders, "class-folders", classes)
    assert (table["label"].value_counts() == 12).all()


@pytest.mark.parametrize(
    ("classes", "kinds"),
    [
        (BINARY, [("healthy",), ("bacterial", "viral")]),
        (FOUR, [("covid_19",), ("healthy",), ("viral",), ("bacterial",)]),
        ([{"id": "sick", "folder": "x"}, {"id": "healthy", "folder": "y"}], [("bacterial",), ("healthy",)]),
    ],
)
def test_a_class_looks_like_its_name(classes: list[dict[str, str]], kinds: list[tuple[str, ...]]) -> None:
    assert list(folder_sample.choose_kinds(classes).values()) == kinds


def test_the_same_seed_gives_the_same_pixels(tmp_path: Path) -> None:
    pixels = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        out = tmp_path / name
        out.mkdir()
        folder_sample.write(
            {},
            out,
            scratch=out,
            progress=silent,
            layout="class-folders",
            classes=BINARY,
            pictures=6,
            seed=seed,
        )
        pixels.append(
            [np.asarray(Image.open(BytesIO(p.read_bytes()))) for p in sorted(out.rglob("[NP]*/[NP]*.jpeg"))]
        )
    assert [len(found) for found in pixels] == [6, 6, 6]
    assert all((x == y).all() for x, y in zip(pixels[0], pixels[1], strict=True))
    assert not any(np.array_equal(x, y) for x, y in zip(pixels[0], pixels[2], strict=True))


@pytest.mark.parametrize("folder", ["../escaped", "a/b", "/tmp/escaped", ".."])
def test_a_folder_that_is_a_path_is_refused(read, tmp_path: Path, folder: str) -> None:
    with pytest.raises(ValueError, match="is no name of a folder"):
        read(class_folders, "class-folders", [*BINARY, {"id": "escaped", "folder": folder}])
    assert {path.name for path in tmp_path.iterdir()} == {"data", "tables"}

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from analysis.errors import DataError
from analysis.progress import silent
from analysis.splitting import split

IDS = ["bacterial", "covid_19", "healthy", "viral"]


@pytest.fixture
def records(tmp_path: Path) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    labels = np.array(IDS)[rng.choice(4, 400, p=[0.44, 0.08, 0.25, 0.23])]
    patients = [f"{label}-{rng.integers(60)}" for label in labels]
    return pd.DataFrame(
        {
            "image_id": [f"{i:03d}" for i in range(400)],
            "label": labels,
            "patient_id": patients,
            "official": "",
        }
    )


def run(records: pd.DataFrame, folder: Path, **options: Any) -> pd.Series:
    inputs, out = folder / "records", folder / "split"
    inputs.mkdir(exist_ok=True)
    out.mkdir(exist_ok=True)
    records.to_csv(inputs / "records.csv", index=False)
    params = {"protocol": "stratified", "test": 0.2, "val": 0.2, "seed": 42, "group": "none"}
    params |= {"draw": "stratified", "official_val": "val", "subset": {}}
    classes = options.pop("classes", IDS)
    split({"records": inputs}, out, scratch=out, progress=silent, classes=classes, **(params | options))
    table = pd.read_csv(out / "split.csv", dtype=str)
    assert list(table) == ["image_id", "split", "fold"]
    assert table["fold"].isna().all()
    assert (table["image_id"] == records["image_id"]).all()
    return table["split"]


def test_stratified_is_scikit_learns_split_twice(records: pd.DataFrame, tmp_path: Path) -> None:
    splits = run(records, tmp_path)
    rows = np.arange(400)
    rest, test = train_test_split(rows, test_size=0.2, random_state=42, stratify=records["label"])
    train, val = train_test_split(rest, test_size=0.2, random_state=42, stratify=records["label"][rest])
    assert {name: set(rows[splits == name]) for name in ("train", "val", "test")} == {
        "train": set(train),
        "val": set(val),
        "test": set(test),
    }
    assert (len(train), len(val), len(test)) == (256, 64, 80)
    shares = pd.crosstab(splits, records["label"], normalize="index")
    assert (shares.max() - shares.min()).max() < 0.02
    assert not splits.equals(run(records, tmp_path, seed=1))
    assert run(records, tmp_path, val=0.5).value_counts().to_dict() == {"train": 160, "val": 160, "test": 80}


def test_patients_are_kept_together(records: pd.DataFrame, tmp_path: Path) -> None:
    splits = run(records, tmp_path, group="patient")
    assert (splits.groupby(records["patient_id"]).nunique() == 1).all()
    assert splits.value_counts()["test"] == pytest.approx(80, abs=8)
    assert splits.value_counts()["val"] == pytest.approx(64, abs=8)
    shares = pd.crosstab(splits, records["label"], normalize="index")
    assert (shares.max() - shares.min()).max() < 0.05
    assert splits.equals(run(records, tmp_path, group="patient"))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_class_with_too_few_pictures_is_named_with_its_count(
    records: pd.DataFrame, tmp_path: Path, count: int
) -> None:
    covid = records.index[records["label"] == "covid_19"]
    few = records.drop(covid[count:]).reset_index(drop=True)
    with pytest.raises(DataError, match=f'class "covid_19" has {count} picture') as error:
        run(few, tmp_path)
    assert error.value.hint


def test_a_class_with_too_few_patients_is_named(records: pd.DataFrame, tmp_path: Path) -> None:
    records.loc[records["label"] == "healthy", "patient_id"] = "one"
    with pytest.raises(DataError, match='class "healthy" has pictures of 1 patient'):
        run(records, tmp_path, group="patient")


def test_a_handful_of_pictures_is_too_few(records: pd.DataFrame, tmp_path: Path) -> None:
    few = records.groupby("label").head(3).reset_index(drop=True)
    with pytest.raises(DataError, match="12 pictures are too few"):
        run(few, tmp_path)


@pytest.mark.real
@pytest.mark.parametrize("group", ["none", "patient"])
def test_the_split_of_the_real_dataset(dataset, real_data: Path, tmp_path: Path, group: str) -> None:
    dataset.root = real_data / "v7"
    records = dataset.read()
    splits = run(records, tmp_path, group=group)
    assert splits.value_counts().to_dict() == {"train": 4019, "test": 1257, "val": 1005}
    patients = records["patient_id"]
    shared = patients[splits == "test"].isin(set(patients[splits == "train"])).sum()
    assert shared == (0 if group == "patient" else 470)

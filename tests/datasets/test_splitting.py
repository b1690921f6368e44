from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from analysis.datasets.patients import kermany, stand_in
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
    fold = options.get("fold")
    params = {"protocol": "stratified", "test": 0.2, "val": 0.2, "seed": 42, "group": "none"}
    params |= {"draw": "stratified", "official_val": "val", "subset": {}}
    classes = options.pop("classes", IDS)
    split({"records": inputs}, out, scratch=out, progress=silent, classes=classes, **(params | options))
    table = pd.read_csv(out / "split.csv", dtype=str)
    assert list(table) == ["image_id", "split", "fold"]
    assert (table["fold"] == str(fold)).all() if fold else table["fold"].isna().all()
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


@pytest.mark.parametrize("share", [0.05, 0.12, 0.15, 0.2, 0.25, 0.3, 0.37, 0.5])
@pytest.mark.parametrize("seed", [1, 42])
def test_shares_by_patient_are_kept_to_within_an_image(
    records: pd.DataFrame, tmp_path: Path, share: float, seed: int
) -> None:
    splits = run(records, tmp_path, group="patient", test=share, val=0.3, seed=seed)
    assert (splits.groupby(records["patient_id"]).nunique() == 1).all()
    tested = (splits == "test").sum()
    assert tested == pytest.approx(400 * share, abs=1)
    assert (splits == "val").sum() == pytest.approx(0.3 * (400 - tested), abs=1)
    shares = pd.crosstab(splits, records["label"], normalize="index")
    assert (shares.max() - shares.min()).max() < 0.07


def test_a_share_that_whole_patients_cannot_give_is_the_nearest(tmp_path: Path) -> None:
    """Patients of six images each: of 240 images 72 are wanted and 72 can be; of 120 only 36, not 37.2."""
    for patients, share, wanted in ((40, 0.3, 72), (20, 0.31, 36), (20, 0.33, 42)):
        number = np.repeat(np.arange(patients), 6)
        records = pd.DataFrame({"image_id": [f"{i:03}" for i in range(len(number))], "official": ""})
        records["label"] = np.where(number % 2, "normal", "pneumonia")
        records["patient_id"] = [f"p{n}" for n in number]
        splits = run(records, tmp_path, group="patient", test=share, classes=BINARY)
        assert (splits == "test").sum() == wanted


def test_twins_of_even_size_leave_no_odd_number(tmp_path: Path) -> None:
    """Five patients of three images and many of two: an odd number is reached by one of three."""
    sizes = [3] * 5 + [2] * 40
    number = np.repeat(np.arange(45), sizes)
    records = pd.DataFrame({"image_id": [f"{i:03}" for i in range(95)], "official": ""})
    records["label"] = np.where(number % 2, "normal", "pneumonia")
    records["patient_id"] = [f"p{n}" for n in number]
    splits = run(records, tmp_path, group="patient", test=0.2, classes=BINARY)
    assert (splits == "test").sum() == pytest.approx(19, abs=1)


def test_three_patients_of_a_class_are_enough_to_be_in_each_part(tmp_path: Path) -> None:
    number = np.repeat(np.arange(43), 3)
    records = pd.DataFrame({"image_id": [f"{i:03}" for i in range(129)], "official": ""})
    records["label"] = np.where(number < 3, "normal", "pneumonia")
    records["patient_id"] = [f"p{n}" for n in number]
    splits = run(records, tmp_path, group="patient", classes=BINARY)
    assert set(splits[records["label"] == "normal"]) == {"train", "val", "test"}
    assert (splits == "test").sum() == pytest.approx(0.2 * 129, abs=2)


@pytest.mark.parametrize("folds", [3, 5, 10])
def test_each_image_is_tested_in_one_fold_and_its_patient_is_in_one_part(
    records: pd.DataFrame, tmp_path: Path, folds: int
) -> None:
    rule = {"protocol": "folds", "group": "patient", "folds": folds}
    found = [run(records, tmp_path, fold=k, **rule) for k in range(1, folds + 1)]
    assert (sum((splits == "test").astype(int) for splits in found) == 1).all()
    for splits in found:
        assert (splits.groupby(records["patient_id"]).nunique() == 1).all()
        tested = (splits == "test").sum()
        assert tested == pytest.approx(400 / folds, abs=12)
        assert (splits == "val").sum() == pytest.approx(0.2 * (400 - tested), abs=1)
        assert set(records["label"][splits == "test"]) == set(IDS)
    assert found[0].equals(run(records, tmp_path, fold=1, **rule))
    assert not found[0].equals(run(records, tmp_path, fold=1, seed=1, **rule))


def test_more_folds_than_a_class_has_patients_are_refused(records: pd.DataFrame, tmp_path: Path) -> None:
    healthy = records["label"] == "healthy"
    records.loc[healthy, "patient_id"] = [f"h{i % 4}" for i in range(healthy.sum())]
    with pytest.raises(DataError, match='class "healthy" has images of 4 patients for 5 folds') as error:
        run(records, tmp_path, protocol="folds", group="patient", folds=5, fold=1)
    assert "split.folds=0" in error.value.hint


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_class_with_too_few_images_is_named_with_its_count(
    records: pd.DataFrame, tmp_path: Path, count: int
) -> None:
    covid = records.index[records["label"] == "covid_19"]
    few = records.drop(covid[count:]).reset_index(drop=True)
    with pytest.raises(DataError, match=f'class "covid_19" has {count} image') as error:
        run(few, tmp_path)
    assert error.value.hint


def test_a_class_with_too_few_patients_is_named(records: pd.DataFrame, tmp_path: Path) -> None:
    records.loc[records["label"] == "healthy", "patient_id"] = "one"
    with pytest.raises(DataError, match='class "healthy" has images of 1 patient'):
        run(records, tmp_path, group="patient")


def test_a_handful_of_images_is_too_few(records: pd.DataFrame, tmp_path: Path) -> None:
    few = records.groupby("label").head(3).reset_index(drop=True)
    with pytest.raises(DataError, match="12 images are too few"):
        run(few, tmp_path)


def official(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Return records of ``counts`` images by official part and class, two of each patient."""
    rows = [
        (f"{part}/{label}/{(7 * i) % n:03d}.png", label, f"{part}-{label}-{i // 2}", part)
        for (part, label), n in counts.items()
        for i in range(n)
    ]
    return pd.DataFrame(sorted(rows), columns=["image_id", "label", "patient_id", "official"])


PEDIATRIC = {
    ("train", "normal"): 60,
    ("train", "pneumonia"): 190,
    ("val", "normal"): 5,
    ("val", "pneumonia"): 5,
    ("test", "normal"): 23,
    ("test", "pneumonia"): 39,
}
BINARY = ["normal", "pneumonia"]
RADIOGRAPHY = ["COVID", "Normal", "Viral Pneumonia", "Lung_Opacity"]


def test_holdout_gives_the_published_counts_of_the_radiography_set(tmp_path: Path) -> None:
    totals = {"covid_19": 3616, "normal": 10192, "viral_pneumonia": 1345, "lung_opacity": 6012}
    labels = np.repeat(list(totals), list(totals.values()))
    records = pd.DataFrame({"image_id": np.arange(len(labels)).astype(str), "label": labels, "official": ""})
    records["patient_id"] = records["image_id"]
    splits = run(records, tmp_path, protocol="holdout", test=0.1, val=0.1, classes=list(totals))
    assert pd.crosstab(splits, labels).to_dict("index") == {
        "train": {"covid_19": 2893, "normal": 8154, "viral_pneumonia": 1076, "lung_opacity": 4809},
        "val": {"covid_19": 361, "normal": 1019, "viral_pneumonia": 135, "lung_opacity": 601},
        "test": {"covid_19": 362, "normal": 1019, "viral_pneumonia": 134, "lung_opacity": 602},
    }
    rest, cut = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels)
    val, _ = train_test_split(cut, test_size=0.5, random_state=42, stratify=labels[cut])
    assert set(np.flatnonzero(splits == "train")) == set(rest)
    assert set(np.flatnonzero(splits == "val")) == set(val)


def test_splitfolders_draws_what_the_program_of_that_name_drew(tmp_path: Path) -> None:
    """What ``splitfolders.ratio`` of split-folders 0.6.1 made of files 0.png, 1.png, ... of two classes."""
    rows = [
        (f"{'ba'[i % 2]}/{label}/{i}.png", label, str(i), "")
        for label, n in zip(BINARY, (21, 35), strict=True)
        for i in range(n)
    ]
    records = pd.DataFrame(sorted(rows), columns=["image_id", "label", "patient_id", "official"])
    splits = run(records, tmp_path, protocol="splitfolders", test=0.1, val=0.09, seed=1337, classes=BINARY)
    number = records["image_id"].str.extract(r"(\d+)\.png")[0].astype(int)
    drawn = {
        (part, label): sorted(number[(splits == part) & (records["label"] == label)])
        for part in ("val", "test")
        for label in BINARY
    }
    assert drawn == {
        ("val", "normal"): [13],
        ("val", "pneumonia"): [2, 27, 31],
        ("test", "normal"): [6, 8, 19],
        ("test", "pneumonia"): [3, 9, 18, 28],
    }


def test_keras_draws_the_same_images_for_validation(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    records = official({key: n for key, n in PEDIATRIC.items() if key[0] != "val"})
    for image_id in records["image_id"]:
        (tmp_path / image_id).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / image_id).touch()
    theirs = {
        part: keras.utils.image_dataset_from_directory(
            tmp_path / "train", validation_split=0.2, subset=subset, seed=42, verbose=False
        ).file_paths
        for part, subset in (("train", "training"), ("val", "validation"))
    }
    splits = run(records, tmp_path, protocol="official", draw="keras", classes=BINARY)
    for part, paths in theirs.items():
        assert sorted(records["image_id"][splits == part]) == sorted(
            Path(path).relative_to(tmp_path).as_posix() for path in paths
        )


@pytest.mark.parametrize("draw", ["stratified", "keras"])
@pytest.mark.parametrize(("official_val", "val"), [("train", 52), ("val", 50 + 10)])
def test_official_keeps_the_test_set_and_draws_validation_from_the_rest(
    tmp_path: Path, draw: str, official_val: str, val: int
) -> None:
    records = official(PEDIATRIC)
    splits = run(records, tmp_path, protocol="official", draw=draw, official_val=official_val, classes=BINARY)
    assert (splits == "test").equals(records["official"] == "test")
    assert (splits == "val").sum() == val
    if official_val == "val":
        assert (splits[records["official"] == "val"] == "val").all()
    if draw == "stratified":
        drawn = records[(splits == "val") & (records["official"] == "train")]
        assert (drawn["label"] == "normal").mean() == pytest.approx(60 / 250, abs=0.02)


def test_a_subset_trains_and_all_else_but_the_test_set_validates(tmp_path: Path) -> None:
    records = official(PEDIATRIC)
    subset = {"normal": 10, "pneumonia": 150}
    draws = [
        run(records, tmp_path, protocol="official", subset=subset, seed=seed, classes=BINARY)
        for seed in (1, 1, 2)
    ]
    for splits in draws:
        table = pd.crosstab(splits, records["label"])
        assert table.loc["train"].to_dict() == subset
        assert table.loc["val"].to_dict() == {"normal": 55, "pneumonia": 45}
        assert (splits[records["official"] == "val"] == "val").all()
    assert draws[0].equals(draws[1])
    assert not draws[0].equals(draws[2])
    with pytest.raises(DataError, match=r'class "normal" has 60 images in the training set') as error:
        run(records, tmp_path, protocol="official", subset={"normal": 60, "pneumonia": 9}, classes=BINARY)
    assert "split.subset.normal" in error.value.hint


@pytest.mark.parametrize(
    "rule",
    [
        {"protocol": "holdout", "test": 0.1, "val": 0.1},
        {"protocol": "splitfolders", "test": 0.1, "val": 0.09},
        {"protocol": "official"},
        {"protocol": "official", "draw": "keras", "official_val": "train"},
        {"protocol": "official", "subset": {"normal": 11, "pneumonia": 150}},
    ],
    ids=["holdout", "splitfolders", "official", "keras", "subset"],
)
def test_every_protocol_keeps_patients_together(tmp_path: Path, rule: dict[str, Any]) -> None:
    records = official(PEDIATRIC)
    splits = run(records, tmp_path, group="patient", classes=BINARY, **rule)
    assert (splits.groupby(records["patient_id"]).nunique() == 1).all()
    parts = pd.crosstab(splits, records["label"])
    if rule["protocol"] == "official":
        assert (splits == "test").equals(records["official"] == "test")
        wanted = rule.get("subset") or {"normal": 52, "pneumonia": 156}
        assert parts.loc["train"].to_dict() == pytest.approx(wanted, abs=1 if "subset" in rule else 4)
    else:
        assert parts.loc["test"].to_dict() == pytest.approx({"normal": 8.7, "pneumonia": 23.3}, abs=3)
        assert parts.loc["val"].to_dict() == pytest.approx({"normal": 8.7, "pneumonia": 23.3}, abs=5)


def test_an_official_split_that_is_not_there_or_not_by_patient_is_refused(tmp_path: Path) -> None:
    records = official(PEDIATRIC)
    with pytest.raises(DataError, match='no train set of their own for the class "normal"'):
        run(records.assign(official=""), tmp_path, protocol="official", classes=BINARY)
    one = records["patient_id"].where(records["label"] == "normal", "one")
    with pytest.raises(
        DataError, match="1 patients are in the data's own test set and out of it, such as one"
    ):
        run(records.assign(patient_id=one), tmp_path, protocol="official", group="patient", classes=BINARY)


def test_four_images_of_a_class_are_too_few_for_holdout_and_the_way_out_is_told(tmp_path: Path) -> None:
    labels = np.repeat(["covid_19", "normal", "lung_opacity"], [50, 50, 4])
    records = pd.DataFrame({"image_id": np.arange(104).astype(str), "label": labels, "official": ""})
    records["patient_id"] = records["image_id"]
    with pytest.raises(DataError, match='class "lung_opacity" has 4 images, too few') as error:
        run(records, tmp_path, protocol="holdout", test=0.1, val=0.1, classes=sorted(set(labels)))
    assert "--set 'dataset.without=[\"lung_opacity\"]'" in error.value.hint


def test_too_few_patients_of_a_class_can_still_be_split_by_image(
    records: pd.DataFrame, tmp_path: Path
) -> None:
    records["patient_id"] = records["patient_id"].where(records["label"] != "viral", "one")
    with pytest.raises(DataError, match='class "viral" has images of 1 patients, too few') as error:
        run(records, tmp_path, group="patient")
    assert error.value.hint.endswith("--set split.group=none --set split.also=none")
    assert set(run(records, tmp_path)) == {"train", "val", "test"}


@pytest.mark.real
def test_the_split_of_the_real_dataset(real_v7: Path, tmp_path: Path) -> None:
    records = pd.read_csv(real_v7 / "records.csv")
    patients = records["patient_id"]
    for group, shared in (("none", 470), ("patient", 0)):
        splits = run(records, tmp_path, group=group)
        assert splits.value_counts().to_dict() == {"train": 4019, "test": 1257, "val": 1005}
        assert patients[splits == "test"].isin(set(patients[splits == "train"])).sum() == shared


@pytest.fixture(scope="module")
def paediatric(real_data: Path) -> pd.DataFrame:
    """Return the records of the real paediatric set, as far as a split reads them."""
    folder = real_data / "kermany/chest_xray"
    records = pd.DataFrame(
        {"image_id": sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.jpeg"))}
    )
    records["official"] = records["image_id"].str.split("/").str[0]
    records["label"] = records["image_id"].str.split("/").str[1].str.lower()
    records["patient_id"] = [(kermany(image_id) or stand_in(image_id))[0] for image_id in records["image_id"]]
    return records


@pytest.mark.real
@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (
            {"protocol": "splitfolders", "test": 0.1, "val": 0.09, "seed": 1337},
            {"train": (1282, 3461), "val": (142, 384), "test": (159, 428)},
        ),
        (
            {"protocol": "official", "draw": "keras", "official_val": "train"},
            {"train": (1098, 3088), "val": (251, 795), "test": (234, 390)},
        ),
        (
            {"protocol": "official", "official_val": "train"},
            {"train": (1079, 3106), "val": (270, 777), "test": (234, 390)},
        ),
        (
            {"protocol": "official", "subset": {"normal": 84, "pneumonia": 1134}},
            {"train": (84, 1134), "val": (1265, 2749), "test": (234, 390)},
        ),
    ],
    ids=["splitfolders", "keras", "stratified", "subset"],
)
@pytest.mark.parametrize("group", ["none", "patient"])
def test_the_real_paediatric_set_has_the_published_counts(
    paediatric: pd.DataFrame,
    tmp_path: Path,
    rule: dict[str, Any],
    parts: dict[str, tuple[int, int]],
    group: str,
) -> None:
    """4743/526/587 of the study that split anew, 4186/1046/624 of the official one, 84 and 1134 of the imbalanced one."""
    splits = run(paediatric, tmp_path, classes=BINARY, group=group, **rule)
    table = pd.crosstab(splits, paediatric["label"])
    exact = group == "none" or "subset" in rule
    for part, counts in parts.items():
        assert tuple(table.loc[part, BINARY]) == pytest.approx(counts, abs=0 if exact else 20)
    if group == "patient":
        assert (splits.groupby(paediatric["patient_id"]).nunique() == 1).all()


@pytest.mark.real
def test_the_real_radiography_set_is_split_80_10_10_without_lung_opacity(
    real_data: Path, tmp_path: Path
) -> None:
    found = {name: len(list((real_data / "radiography").rglob(f"{name}/images/*"))) for name in RADIOGRAPHY}
    assert found == {"COVID": 500, "Normal": 500, "Viral Pneumonia": 500, "Lung_Opacity": 4}
    labels = np.repeat(list(found), list(found.values()))
    records = pd.DataFrame({"image_id": np.arange(len(labels)).astype(str), "label": labels, "official": ""})
    records["patient_id"] = records["image_id"]
    rule = {"protocol": "holdout", "test": 0.1, "val": 0.1}
    with pytest.raises(DataError, match='"Lung_Opacity" has 4 images'):
        run(records, tmp_path, classes=RADIOGRAPHY, **rule)
    kept = records[labels != "Lung_Opacity"]
    splits = run(kept, tmp_path, classes=RADIOGRAPHY[:3], **rule)
    assert (pd.crosstab(splits, kept["label"]).loc[["train", "val", "test"]].T == [400, 50, 50]).all().all()

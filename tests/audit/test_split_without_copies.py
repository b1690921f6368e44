"""No X-ray is in two splits where the study excludes duplicates, and what was drawn otherwise stays."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from analysis import splitting
from analysis.audit import leaks, split_without_copies
from analysis.audit.split_without_copies import choose
from analysis.errors import DataError
from analysis.progress import silent

RULE = {
    "classes": ["a", "b"],
    "protocol": "stratified",
    "test": 0.2,
    "val": 0.2,
    "seed": 42,
    "draw": "stratified",
    "official_val": "val",
    "subset": {},
    "group": "none",
}


def table(**splits: str) -> pd.DataFrame:
    return pd.DataFrame(splits.items(), columns=["image_id", "split"])


def groups(*members: str, labels: dict[str, str] | None = None) -> pd.DataFrame:
    """Return groups of one X-ray each; members are written together, as in "abc"."""
    rows = [
        (str(g), image, str(g), (labels or {}).get(image, "ill"), "")
        for g, m in enumerate(members)
        for image in m
    ]
    return pd.DataFrame(rows, columns=["group", "image_id", "content", "label", "patient_id"])


def left_out(split: pd.DataFrame, found: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(choose(split, found).itertuples(index=False, name=None))


def test_training_gives_way_to_validation_and_both_to_the_test():
    split = table(a="train", b="test", c="val", d="train", e="train", f="train", g="val", h="test", i="test")
    assert left_out(split, groups("abc", "dg", "ef", "hi")) == [
        ("a", "train", "copy", "b"),
        ("c", "val", "copy", "b"),
        ("d", "train", "copy", "g"),
    ]


def test_all_images_of_an_x_ray_with_two_labels_go_even_within_a_split():
    split = table(a="train", b="test", c="train", d="train")
    found = groups("ab", "cd", labels={"a": "ill", "b": "well", "c": "ill", "d": "well"})
    assert left_out(split, found) == [
        (name, part, "conflicting_labels", "")
        for name, part in (("a", "train"), ("b", "test"), ("c", "train"), ("d", "train"))
    ]


def test_without_groups_nothing_is_left_out():
    assert left_out(table(a="train", b="test"), groups()) == []


def test_a_row_of_an_image_that_is_in_the_test_set_by_another_label_gives_way():
    split = pd.DataFrame([("a", "train"), ("a", "test"), ("b", "train")], columns=["image_id", "split"])
    assert left_out(split, groups()) == [("a", "train", "copy", "a")]


@pytest.fixture
def study(tmp_path: Path) -> dict[str, Path]:
    records = pd.DataFrame(
        {
            "image_id": [f"{i}.png" for i in range(40)],
            "label": ["a", "b"] * 20,
            "patient_id": "",
            "official": "",
        }
    )
    (tmp_path / "records").mkdir()
    records.to_csv(tmp_path / "records" / "records.csv", index=False)
    found = groups(*[[f"{i}.png", f"{i + 2}.png"] for i in range(0, 16, 4)])
    (tmp_path / "duplicates").mkdir()
    found.to_csv(tmp_path / "duplicates" / "groups.csv", index=False)
    (tmp_path / "duplicates" / "pairs.csv").write_text("group,kind,score,first,second\n")
    return {name: tmp_path / name for name in ("records", "duplicates")}


def run(study: dict[str, Path], out: Path, **rule: object) -> pd.DataFrame:
    for folder in (out, out.with_name("scratch")):
        folder.mkdir()
    split_without_copies.split(
        study, out, scratch=out.with_name("scratch"), progress=silent, **{**RULE, **rule}
    )
    return pd.read_csv(out / "split.csv", dtype=str, keep_default_na=False)


def test_all_others_are_where_the_split_without_it_has_them_and_nothing_leaks(study, tmp_path):
    found = run(study, tmp_path / "split")
    (tmp_path / "plain").mkdir()
    splitting.split(study, tmp_path / "plain", scratch=tmp_path, progress=silent, **RULE)
    plain = pd.read_csv(tmp_path / "plain" / "split.csv", dtype=str)["split"]
    gone = found["split"] == ""
    assert 0 < gone.sum() < 8
    assert (found["split"][~gone] == plain[~gone]).all()
    assert "test" not in set(plain[gone])
    out = tmp_path / "leaks"
    out.mkdir()
    inputs = {**study, "split": tmp_path / "split"}
    leaks.find(inputs, out, scratch=out, progress=silent)
    facts = {name: fact["value"] for name, fact in json.loads((out / "results.json").read_text()).items()}
    assert facts["leaks.groups"] == facts["leaks.test.any_in_train_or_val"] == 0
    assert (
        facts["leaks.left_out.copy"]
        == gone.sum()
        == sum(facts[f"leaks.left_out.{s}"] for s in ("train", "val", "test"))
    )
    assert json.loads((out / "findings.json").read_text()) == []


def test_copies_in_other_folds_give_way_to_those_that_are_tested(study, tmp_path):
    path = study["records"] / "records.csv"
    records = pd.read_csv(path, dtype=str).assign(patient_id=[f"p{i}" for i in range(40)])
    records.to_csv(path, index=False)
    copies = pd.read_csv(study["duplicates"] / "groups.csv", dtype=str).groupby("group")["image_id"].agg(set)
    tested: list[str] = []
    for fold in (1, 2, 3):
        (tmp_path / str(fold)).mkdir()
        rule = {"protocol": "folds", "group": "patient", "folds": 3, "fold": fold}
        table = run(study, tmp_path / str(fold) / "split", **rule).set_index("image_id")["split"]
        tested += [*table.index[table == "test"]]
        for images in copies:
            assert len(set(table[[*images]]) - {""}) == 1
    assert sorted(tested) == sorted(records["image_id"])


def test_a_class_of_which_nothing_is_left_is_an_error(study, tmp_path):
    path = study["duplicates"] / "groups.csv"
    images = [f"{i}.png" for i in range(40)]
    groups(images, labels={images[0]: "well"}).to_csv(path, index=False)
    with pytest.raises(
        DataError, match='without images that are there twice the class "a" has none in the split train'
    ) as error:
        run(study, tmp_path / "split")
    assert "exclude_duplicates=false" in error.value.hint

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.audit import confident, labels
from analysis.errors import DataError
from analysis.vocabulary.audit import BY_NETWORKS, label_results
from tests.audit.study import CLASSES, draw_images, draw_records, read

NAMED = [{"id": name, "label": name.capitalize()} for name in CLASSES]
SWAPPED = dict(zip(CLASSES, reversed(CLASSES), strict=True))


def draw_told_apart(n: int, seed: int = 0):
    """Return records and images of which half the side tells the class, with noise upon it."""
    records, images = draw_records(n, seed), draw_images(n, seed)
    viral = (records["label"] == "viral").to_numpy()
    images[viral, :, :16] = images[viral, :, :16] // 4
    return records, images


def plant(records: pd.DataFrame, number: int, seed: int = 1) -> tuple[pd.DataFrame, set[str]]:
    """Return records with ``number`` labels exchanged, and the images that bear them."""
    wrong = np.random.default_rng(seed).choice(len(records), number, replace=False)
    planted = records.copy()
    planted.loc[wrong, "label"] = planted.loc[wrong, "label"].map(SWAPPED)
    return planted, set(records["image_id"].iloc[wrong])


@pytest.mark.parametrize("seed", range(2))
def test_planted_wrong_labels_come_first(study, seed):
    records, images = draw_told_apart(300, seed)
    planted, wrong = plant(records, 12, seed)
    study.write(planted, images)
    out = study.run(labels.find, classes=NAMED)
    table, results = pd.read_csv(out / "candidates.csv"), read(out)
    first = table["image_id"].head(12)
    assert first.isin(wrong).sum() >= 11  # precision among the first k
    assert len(table) <= 15
    row = table.iloc[0]
    assert row["says"] == SWAPPED[row["label"]]
    assert row["p_label"] < 0.1 < row["threshold"] <= row["p_says"]
    assert list(table["rank"]) == list(range(1, len(table) + 1))
    assert table["p_label"].is_monotonic_increasing
    assert set(results) == set(dict(label_results(CLASSES)))
    assert results["labels.candidates.all"]["value"] == len(table)
    assert results["labels.images.all"]["value"] == 300
    assert read(out, "findings") == []  # that a model disagrees is no finding


@pytest.mark.parametrize("seed", range(2))
def test_right_labels_give_few(study, seed):
    study.write(*draw_told_apart(300, seed))
    out = study.run(labels.find, classes=NAMED)
    assert len(pd.read_csv(out / "candidates.csv")) <= 3
    assert read(out)["labels.agreeing.all"]["value"] > 0.98


def test_what_the_sources_contradict_is_named(study, tmp_path):
    records, images = draw_told_apart(60)
    cohen = "images/2c35005f.jpg"
    records.loc[0, ["image_id", "label"]] = [cohen, "viral"]
    records.loc[1, ["label", "tags"]] = ["viral", "Viral|Healthy"]
    records.loc[2, "label"] = "healthy"
    records.loc[6, "image_id"] = (
        "images/a4318ac9.jpg"  # of which its collection says that the finding is unknown
    )
    study.write(records, images)
    duplicates = tmp_path / "duplicates"
    duplicates.mkdir()
    rows = [(1, records["image_id"][2], "healthy"), (1, records["image_id"][3], "viral")]
    rows += [(2, records["image_id"][4], "viral"), (2, records["image_id"][5], "viral")]
    pd.DataFrame(rows, columns=["group", "image_id", "label"]).to_csv(duplicates / "groups.csv", index=False)
    out = study.run(labels.find, {"duplicates": duplicates}, classes=NAMED)
    found = pd.read_csv(out / "conflicts.csv").set_index("image_id")
    assert found.loc[cohen, ["kind", "told", "by"]].tolist() == ["collection", "No Finding", "cohen"]
    assert found.loc[records["image_id"][1], ["kind", "told"]].tolist() == ["tags", "healthy"]
    assert found.loc[records["image_id"][2], ["kind", "told", "by"]].tolist() == [
        *("copies", "viral", records["image_id"][3])
    ]
    assert len(found) == 4
    results = read(out)
    assert [results[f"labels.conflicts.{k}.all"]["value"] for k in ("copies", "collection", "tags")] == [
        2,
        1,
        1,
    ]
    assert {f["subject"]: f["level"] for f in read(out, "findings")} == {
        "copies": "strong",
        "collection": "strong",
    }


def test_an_image_with_several_labels_is_not_asked_about(study):
    records, images = draw_told_apart(60)
    twice = records.iloc[:1].assign(label=SWAPPED[records["label"][0]])
    study.write(pd.concat([records, twice], ignore_index=True), np.concatenate([images, images[:1]]))
    out = study.run(labels.find, classes=NAMED)
    assert read(out)["labels.images.all"]["value"] == 59
    assert records["image_id"][0] not in set(pd.read_csv(out / "probabilities.csv")["image_id"])


def test_of_too_few_patients_nothing_is_said(study):
    study.write(draw_records(12), draw_images(12))
    out = study.run(labels.find, classes=NAMED)
    item = read(out)["labels.candidates.viral"]
    assert (item["value"], item["reason_null"]) == (None, "fewer than two classes have images of 10 patients")
    assert pd.read_csv(out / "candidates.csv").empty


def write_predictions(folder, records, wrong, split=("val", "test")):
    folder.mkdir()
    sure = records["image_id"].isin(wrong) ^ (records["label"] == "viral")
    p = np.where(sure, 0.95, 0.04)
    table = records[["image_id", "patient_id"]].assign(
        split=[split[i % len(split)] for i in range(len(records))],
        y_true=records["label"],
        healthy=1 - p,
        viral=p,
    )
    table.to_csv(folder / "predictions.csv", index=False)
    return folder


def test_networks_are_asked_about_what_they_were_evaluated_on(study, tmp_path):
    records, images = draw_told_apart(60)
    study.write(records, images)
    of_trees = study.run(labels.find, classes=NAMED)
    wrong = {"images/7.png", "images/30.png"}
    inputs = {
        "labels": of_trees,
        "predict_a": write_predictions(tmp_path / "a", records[:40], wrong),
        "predict_b": write_predictions(tmp_path / "b", records[:40][::-1], wrong),
    }
    out = study.run(labels.ask_networks, inputs, classes=NAMED)
    table = pd.read_csv(out / "candidates.csv")
    assert set(table["image_id"]) == wrong
    assert (table["thumbnail_says"] == table["label"]).all()
    results = read(out)
    assert set(results) == set(dict(label_results(CLASSES, BY_NETWORKS, ())))
    assert results["labels.by_networks.images.all"]["value"] == 40
    inputs["predict_b"] = write_predictions(tmp_path / "c", records[:39], wrong)
    with pytest.raises(DataError, match="not asked about the same images"):
        labels.ask_networks(inputs, out, scratch=out, progress=lambda *_, **__: None, classes=NAMED)


def test_thresholds_are_those_of_confident_learning():
    y_true = np.array([0, 0, 0, 1, 1, 1])
    first = np.array([0.9, 0.8, 0.1, 0.2, 0.45, 0.7])
    judged = confident.judge(y_true, np.column_stack([first, 1 - first]))
    assert judged.thresholds == pytest.approx([0.6, (0.8 + 0.55 + 0.3) / 3])
    assert list(judged.disagrees) == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]  # 0.45 reaches no other threshold
    assert list(judged.rank()) == [2, 5]
    assert list(judged.says) == [0, 0, 1, 1, 1, 0]

"""What a network makes of images from elsewhere, against cases worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.audit.external.evaluate import evaluate
from analysis.errors import DataError
from analysis.evaluation.predictions import Predictions
from analysis.evaluation.statistics import intervals, metrics
from analysis.progress import silent

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SET = [{"id": "normal", "matches": ["healthy"]}, {"id": "pneumonia", "matches": ["bacterial", "viral"]}]
ROWS = [  # label, predicted, patient, age, sex
    ("normal", "covid_19", "p1", "34", "F"),
    ("normal", "covid_19", "p1", "34", "F"),
    ("normal", "healthy", "p2", "411", "M"),
    ("normal", "covid_19", "p3", "", "M"),
    ("pneumonia", "bacterial", "p3", "17", "M"),
    ("pneumonia", "viral", "p4", "71", "F"),
    ("pneumonia", "covid_19", "p5", "71", ""),
    ("pneumonia", "healthy", "p6", "90", "f"),
]


def write(folder: Path, rows, twins=()) -> dict[str, Path]:
    """Write the tables of the stages that `evaluate` reads; ``twins`` are the numbers of images that the study has too."""
    inputs = {name: folder / name for name in ("records", "predictions", "duplicates")}
    for place in inputs.values():
        place.mkdir()
    ids = [f"images/{number}.png" for number in range(len(rows))]
    tags = [f"View/PA|Age:{age}|Sex/{sex}" for *_, age, sex in rows]
    records = pd.DataFrame(
        {"image_id": ids, "label": [row[0] for row in rows], "tags": tags, "source": "table"}
    )
    records.to_csv(inputs["records"] / "records.csv", index=False)
    score = np.full((len(rows), len(CLASSES)), 0.1)
    score[range(len(rows)), [CLASSES.index(row[1]) for row in rows]] = 0.7
    table = pd.DataFrame(
        {"image_id": ids, "y_true": records["label"], "patient_id": [row[2] for row in rows]}
    )
    table[CLASSES] = score
    table.to_csv(inputs["predictions"] / "predictions.csv", index=False)
    found = [(ids[k], "own.png", "train", "equal pixels") for k in twins]
    columns = ["image_id", "study_image_id", "split", "how"]
    pd.DataFrame(found, columns=columns).to_csv(inputs["duplicates"] / "duplicates.csv", index=False)
    return inputs


def run(folder: Path, rows=ROWS, external=SET, twins=()):
    out = folder / "out"
    out.mkdir()
    inputs = write(folder, rows, twins)
    evaluate(
        inputs, out, scratch=folder, progress=silent, run="net", classes=CLASSES, external=external
    )  # fmt: skip
    results = json.loads((out / "results.json").read_text())
    return {name.removeprefix("net.external."): item for name, item in results.items()}, out


def test_labels_and_predicted_classes_are_counted_with_intervals_by_patient(tmp_path):
    found, _ = run(tmp_path)
    assert found["confusion.normal.covid_19"]["value"] == 3
    assert found["confusion.pneumonia.covid_19"]["value"] == 1
    assert found["called.covid_19"]["value"] == 4
    share = found["confusion_share.normal.covid_19"]
    patients = np.array(["p1", "p1", "p2", "p3"], dtype=object)
    by_hand = intervals.proportion(np.array([True, True, False, True]), patients)
    assert (share["value"], share["n"], share["clusters"]) == (0.75, 4, 3)
    assert (share["low"], share["high"]) == pytest.approx((by_hand.low, by_hand.high))


def test_a_class_is_measured_where_labels_surely_are_and_surely_are_not_of_it(tmp_path):
    found, _ = run(tmp_path)
    assert found["sensitivity.healthy"]["value"] == 0.25
    assert (found["specificity.healthy"]["value"], found["specificity.healthy"]["n"]) == (0.75, 4)
    assert (found["specificity.covid_19"]["value"], found["specificity.covid_19"]["n"]) == (0.5, 8)
    # Pneumonia may be bacterial, so only the normal images are surely not.
    assert (found["specificity.bacterial"]["value"], found["specificity.bacterial"]["n"]) == (1.0, 4)
    # Of healthy images one of four has .7, of the others one of four: 4 x 4 pairs, 3 won, 10 equal.
    assert found["auroc.healthy"]["value"] == pytest.approx((3 + 0.5 * 10) / 16)
    for name in ("sensitivity.covid_19", "sensitivity.bacterial", "auroc.covid_19"):
        assert found[name]["value"] is None
        assert found[name]["reason_null"]


def test_what_a_label_matches_counts_as_right_and_means_of_missing_classes_are_null(tmp_path):
    found, _ = run(tmp_path)
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (3 / 8, 8)
    assert found["f1.macro"]["value"] is None
    assert "covid_19" in found["f1.macro"]["reason_null"]


def test_a_label_of_no_class_is_in_the_confusion_and_in_no_measure_of_right_answers(tmp_path):
    external = [SET[0], {"id": "pneumonia", "matches": []}]
    found, _ = run(tmp_path, external=external)
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (0.25, 4)
    assert (found["specificity.bacterial"]["value"], found["specificity.bacterial"]["n"]) == (7 / 8, 8)
    assert found["confusion.pneumonia.viral"]["value"] == 1


def test_with_every_class_the_means_are_those_of_the_study_s_own_measures(tmp_path):
    rows = [
        (name, said, f"{name}-{k}", "", "")
        for name in CLASSES
        for k, said in enumerate((name, name, "viral") * 8)
    ]
    found, _ = run(tmp_path, rows, [{"id": name, "matches": [name]} for name in CLASSES])
    y_true = np.repeat(np.arange(4), 24)
    y_pred = np.array([CLASSES.index(row[1]) for row in rows])
    matrix = metrics.confusion_matrix(y_true, y_pred, 4)
    assert found["f1.macro"]["value"] == pytest.approx(float(metrics.macro(metrics.f1(matrix))))
    assert found["accuracy"]["value"] == pytest.approx(float(metrics.accuracy(matrix)))
    assert found["sensitivity.macro"]["low"] is not None


def test_images_that_the_study_has_too_are_left_out(tmp_path):
    found, _ = run(tmp_path, twins=(0, 1))
    assert (found["n"]["value"], found["confusion.normal.covid_19"]["value"]) == (6, 1)


def test_a_set_of_the_study_s_own_images_is_no_test(tmp_path):
    with pytest.raises(DataError, match="all 8 external images are the study's own"):
        run(tmp_path, twins=range(8))


def test_groups_are_those_that_are_known_and_count_the_others(tmp_path):
    _, out = run(tmp_path)
    groups = pd.read_csv(out / "groups.csv")
    images = (
        groups.drop_duplicates(["kind", "group", "label"]).groupby(["kind", "group"], sort=False)["n"].sum()
    )
    assert dict(images["sex"]) == {"female": 4, "male": 3, "not known": 1}
    # An age of 411 years is none.
    assert dict(images["age_group"]) == {
        "12 to 17": 1, "18 to 39": 2, "60 to 79": 2, "80 and over": 1, "not known": 2
    }  # fmt: skip
    assert "source" not in set(groups["kind"])
    assert (
        groups.groupby(["kind", "group", "label"])["count"].sum()
        == groups.groupby(["kind", "group", "label"])["n"].first()
    ).all()


def test_predictions_of_other_images_are_refused(tmp_path):
    inputs = write(tmp_path, ROWS)
    table = pd.read_csv(inputs["predictions"] / "predictions.csv")
    table[::-1].to_csv(inputs["predictions"] / "predictions.csv", index=False)
    with pytest.raises(DataError, match="other images"):
        evaluate(
            inputs, tmp_path, scratch=tmp_path, progress=silent, run="net", classes=CLASSES, external=SET
        )


def test_the_most_probable_class_is_the_first_of_equals():
    """As in the study's own predictions, so that both are counted alike."""
    tied = Predictions(("a", "b"), np.array(["x"]), np.array(["p"]), np.array([0]), np.array([[0.5, 0.5]]))
    assert tied.y_pred[0] == 0

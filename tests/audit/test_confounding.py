from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.audit import confounding
from analysis.vocabulary.audit import confounding_results
from tests.audit.study import CLASSES, draw_records, read


@pytest.mark.parametrize("seed", range(3))
def test_nothing_goes_with_the_class_where_all_is_drawn_apart_from_it(study, seed):
    study.write(draw_records(400, seed))
    out = study.run(confounding.confound, classes=CLASSES)
    assert read(out, "findings") == []
    results = read(out)
    assert set(results) == set(dict(confounding_results(CLASSES)))
    assert results["confounding.sex.values.cramers_v"]["clusters"] == 200
    assert results["confounding.source.values.cramers_v"]["reason_null"] == "it has one value"


def test_of_twenty_seeds_at_most_one_has_a_finding():
    found = 0
    for seed in range(20):
        people = confounding.describe(draw_records(200, seed))
        pairs = [one for v in confounding.VARIABLES for one in confounding.associate(people, v, CLASSES)]
        found += bool(confounding._judge(pairs, len(people))[1])
    assert found <= 1


def test_one_source_for_each_class_is_found_with_the_age_that_is_published_of_it(study):
    records = draw_records(200)
    viral = (records["label"] == "viral").to_numpy()
    records["source"] = np.where(viral, "cohen", "kermany")
    records["tags"] = records["tags"].where(viral, "").str.replace(r"Age:\d+", "Age:70", regex=True)
    study.write(records)
    out = study.run(confounding.confound, classes=CLASSES)
    results = read(out)
    found = {f["subject"]: f["level"] for f in read(out, "findings")}
    assert (
        found["source"]
        == found["population"]
        == found["age_group.missing"]
        == found["sex.missing"]
        == "strong"
    )
    assert "sex" not in found  # known of one class
    assert results["confounding.source.values.cramers_v"]["value"] == pytest.approx(1)
    assert results["confounding.source.exclusive.viral"]["value"] == viral.sum()
    assert (
        results["confounding.sex.exclusive.viral"]["reason_null"]
        == "it is known of no image of another class"
    )
    assert results["confounding.age.median.viral"]["value"] == 70
    assert results["confounding.age.median.healthy"]["reason_null"] == "no age is known"
    assert results["confounding.sex.values.cramers_v"]["reason_null"].startswith(
        "fewer than two classes have 20"
    )
    table = pd.read_csv(out / "cross_tables.csv").set_index(["variable", "value", "class"])
    assert table.loc[("population", "children", "healthy"), "share"] == 1
    assert table.loc[("population", "adults", "viral"), "images"] == viral.sum()
    assert table.loc[("sex", "not known", "healthy"), "patients"] == (~viral).sum() / 2


def test_many_images_of_a_patient_are_no_evidence():
    records = draw_records(200)
    records.loc[:79, "patient_id"] = "p0"
    records.loc[:79, ["label", "tags"]] = ["viral", "Sex/F"]
    (of_sex, _) = confounding.associate(confounding.describe(records), "sex", CLASSES)
    assert of_sex.table.sum() == 61


def test_the_device_is_read_and_twenty_images_of_two_classes_are_needed():
    labels = ["viral"] * 40 + ["healthy"] * 19
    device = ["Device:Acme 1"] * 40 + ["Device:Other 2"] * 19
    people = confounding.describe(draw_records(59, label=labels, tags=device))
    (values, missing) = confounding.associate(people, "device", CLASSES)
    assert values.reason_null == "fewer than two classes have 20 images of which it is known"
    assert missing.reason_null == "it is known of all images or of none"
    people = confounding.describe(
        draw_records(60, label=[*labels, "healthy"], tags=[*device, "Device:Other 2"])
    )
    values = next(confounding.associate(people, "device", CLASSES))
    assert values.table.tolist() == [[0, 10], [20, 0]]  # patients, of two images each
    assert values.v == pytest.approx(1)

"""What an external set is: patients, ages and what the study shares with it."""

from __future__ import annotations

import json

import pandas as pd

from analysis.audit.external.facts import describe
from analysis.progress import silent

TAGS = [
    "Age:5|Sex/F|View/PA",
    "Age:5|Sex/F|View/AP",
    "Age:411|Sex/M|View/PA",
    "Age:60s",
    "Age:40|Sex/m|View/ap supine",
    "",
]
PATIENTS = ["p1", "p1", "p2", "p3", "", ""]
LABELS = ["normal", "ill", "ill", "ill", "ill", "ill"]


def test_patients_ages_and_shared_images_are_counted(tmp_path):
    folders = {name: tmp_path / name for name in ("records", "duplicates", "study_records")}
    for folder in folders.values():
        folder.mkdir()
    ids = list("abcdef")
    records = pd.DataFrame({"image_id": ids, "label": LABELS, "patient_id": PATIENTS, "tags": TAGS})
    records.to_csv(folders["records"] / "records.csv", index=False)
    (folders["records"] / "excluded.csv").write_text("file,reason,detail\nx,CT slice,\n")
    (folders["duplicates"] / "duplicates.csv").write_text("image_id,study_image_id,split,how\nf,q,val,near\n")
    pd.DataFrame({"image_id": ["q"], "patient_id": ["p3"]}).to_csv(
        folders["study_records"] / "records.csv", index=False
    )
    describe(folders, tmp_path, scratch=tmp_path, progress=silent, classes=["normal", "ill"])
    results = json.loads((tmp_path / "results.json").read_text())
    found = {name.removeprefix("external."): item["value"] for name, item in results.items()}
    assert (found["images_kept"], found["count"], found["duplicates"], found["duplicates.val"]) == (
        6,
        5,
        1,
        1,
    )
    assert found["duplicates.near"] == 1
    # Two images of p1, one label each, and one image whose patient nobody knows.
    assert (found["patients"], found["patients_of_several_images"], found["patients_of_several_labels"]) == (
        4,
        1,
        1,
    )
    assert found["same_patient_in_study"] == 1
    assert (found["age_known"], found["age_implausible"], found["minors"]) == (3, 1, 2)
    assert (found["age_lowest"], found["age_median"], found["age_highest"]) == (5, 5, 40)
    assert (found["female"], found["male"], found["view_pa"], found["view_ap"]) == (2, 2, 2, 2)
    assert (found["count.normal"], found["count.ill"], found["excluded"]) == (1, 4, 1)

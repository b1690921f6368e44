"""What the report says of images that a list of the study leaves out."""

from __future__ import annotations

import copy

from tests.writing.conftest import STUDY


def test_the_list_and_its_reasons_are_told(artifacts, source):
    inputs = artifacts()
    flow = inputs["records"] / "flow.csv"
    text = flow.read_text()
    flow.write_text(text.replace("CT slice,1", "excluded by the study: blurred,2\nCT slice,1"))
    study = copy.deepcopy(STUDY)
    images = {f"{name}.png": {"reason": "blurred", "place": f"exclude.csv:{name}"} for name in "23"}
    study["dataset"]["exclude"] = {"file": "exclude.csv", "images": images}
    written = source(inputs, study)
    assert "The study leaves out 2 images by a list, `exclude.csv`, with the reason of each." in written
    assert "| excluded by the study\\: blurred | 2 |" in written
    assert "| excluded: CT slice | 1 |" in written


def test_without_a_list_nothing_is_said_of_one(source):
    assert "by a list" not in source()


def test_images_in_no_set_have_a_row_where_duplicates_are_excluded(found, source):
    study = copy.deepcopy(STUDY)
    study["split"]["exclude_duplicates"] = True
    assert "| in no set, as they are there twice (@sec-split) | " in source(found(None), study)

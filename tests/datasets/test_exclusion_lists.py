"""Images left out one by one, each with its reason, by every reader."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.datasets import reasons
from analysis.errors import DataError
from analysis.figures import flow_counts

LISTED = {
    "b.png": {"reason": "blurred", "place": "exclude.csv:2"},
    "images/c.png": {"reason": "a lead over the lung", "place": "exclude.csv:3"},
}


@pytest.fixture
def filled(dataset):
    for name, tag in zip("abcdefgh", ("COVID-19", "Viral Pneumonia") * 4, strict=True):
        dataset.add(f"{name}.png", tag)
    return dataset


def steps(out: Path) -> dict[str, int]:
    flow = pd.read_csv(out / "flow.csv")
    return dict(zip(flow["step"], flow["count"], strict=True))


def test_a_path_or_a_name_leaves_its_image_out_with_the_reason_and_its_line(filled):
    records = filled.read(exclude=LISTED)
    assert set(records["image_id"]) == {f"images/{name}.png" for name in "adefgh"}
    excluded = pd.read_csv(filled.out / "excluded.csv")
    assert list(excluded.itertuples(index=False, name=None)) == [
        ("images/b.png", "excluded by the study: blurred", "exclude.csv:2"),
        ("images/c.png", "excluded by the study: a lead over the lung", "exclude.csv:3"),
    ]
    found = steps(filled.out)
    assert (
        found["excluded by the study: blurred"] == found["excluded by the study: a lead over the lung"] == 1
    )
    assert found["images kept"] == 6


def test_what_a_study_leaves_out_counts_as_no_loss_and_the_figure_adds_up(filled):
    filled.read(exclude=LISTED, max_excluded=0.0)
    flow = flow_counts.count(filled.out, pd.Series(["train"] * 4 + ["val", "test"]))
    assert flow.gaps == []
    assert dict(flow.left_out) == {"excluded by the study": 2}


def test_a_name_is_no_pattern_and_is_compared_composed():
    listed = {"e\u0301.png": "x", "[a].png": "x"}
    exclude = {name: {"reason": why, "place": "l.csv:2"} for name, why in listed.items()}
    assert reasons.find_pattern("a.png", exclude) is None
    assert reasons.find_pattern("images/[a].png", exclude) == "[a].png"
    composed = {"\u00e9.png": {"reason": "x", "place": "l.csv:2"}}
    assert reasons.find_exclusion("e\u0301.png", composed) == ("excluded by the study: x", "l.csv:2")


def test_an_image_that_is_not_there_is_an_error_with_its_line(filled):
    gone = {**LISTED, "z.png": {"reason": "gone", "place": "exclude.csv:4"}}
    with pytest.raises(DataError, match=r"exclude\.csv:4: the data have no image called z\.png$"):
        filled.read(exclude=gone)
    gone["y.png"] = {"reason": "gone", "place": "exclude.csv:5"}
    with pytest.raises(DataError, match=r"z\.png \(and 1 more\)") as caught:
        filled.read(exclude=gone)
    assert "by its path below the data folder" in caught.value.hint

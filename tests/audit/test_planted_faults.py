"""The audit finds what is planted in the sample, and in its clean twin nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis import preparation, splitting
from analysis.audit import confounding, duplicates, labels, leaks, out_of_fold, patients, probes
from analysis.datasets import v7
from analysis.datasets.sample import planted, v7_sample
from analysis.progress import silent
from analysis.vocabulary.audit import THUMBNAIL

LABELS = {
    "bacterial": "Bacterial Pneumonia",
    "covid_19": "COVID-19",
    "healthy": "No Pneumonia (healthy)",
    "viral": "Viral Pneumonia",
}
CLASSES = [*LABELS]
SEEDS = range(1, 21)
PICTURES, SIZE = 480, 32
"""As in the study file of the assignment, whose sample the build of .ci/run audits; make test alone takes fewer."""


@dataclass(frozen=True)
class Audited:
    """A sample, read and split as the assignment is, and what the stages of the audit have written of it."""

    root: Path

    @property
    def findings(self) -> dict[tuple[str, str], str]:
        """The level of each finding by topic and subject, but for the thumbnail, in which the disease can be seen."""
        found = [one for path in self.root.glob("*/findings.json") for one in json.loads(path.read_text())]
        return {
            (one["topic"], one["subject"]): one["level"]
            for one in found
            if (one["topic"], one["subject"]) != ("probes", THUMBNAIL)
        }

    @property
    def values(self) -> dict[str, Any]:
        """The value of each result."""
        found = (json.loads(path.read_text()) for path in self.root.glob("*/results.json"))
        return {name: entry["value"] for results in found for name, entry in results.items()}

    def table(self, stage: str, name: str) -> pd.DataFrame:
        return pd.read_csv(self.root / stage / name, keep_default_na=False)


def audit(root: Path, seed: int, *, clean: bool, pictures: int = PICTURES) -> Audited:
    """Write a sample, and run every stage of the audit that reads images or their records."""

    def run(name: str, stage: Callable[..., None], inputs: Mapping[str, str], **params: Any) -> None:
        (root / name).mkdir()
        (root / f"{name}.scratch").mkdir()
        paths = {key: root / value for key, value in inputs.items()}
        stage(paths, root / name, scratch=root / f"{name}.scratch", progress=silent, **params)

    read, pixels = {"records": "read"}, {"records": "read", "data": "sample"}
    classes = [{"id": id_, "label": label} for id_, label in LABELS.items()]
    reading = {"classes": classes, "label_rule": "covid-first", "exclude": [], "max_excluded": 0.5}
    rule = {"protocol": "stratified", "test": 0.2, "val": 0.2, "seed": 42, "draw": "keras", "subset": {}}
    more = {"official_val": "", "group": "none", "classes": CLASSES}
    run("sample", v7_sample.write, {}, pictures=pictures, seed=seed, clean=clean)
    run("read", v7.read, {"data": "sample"}, **reading)
    run("images", preparation.prepare, pixels, size=SIZE, fit="squash", resample="area")
    run("split", splitting.split, read, **rule, **more)
    run("duplicates", duplicates.find, pixels)
    run("leaks", leaks.find, {**read, "duplicates": "duplicates", "split": "split"})
    run("patients", patients.audit, {**read, "split": "split"}, classes=CLASSES)
    run("probes", probes.probe, {**read, "images": "images"}, classes=CLASSES)
    run("confounding", confounding.confound, read, classes=CLASSES)
    run("labels", labels.find, {**read, "images": "images", "duplicates": "duplicates"}, classes=classes)
    return Audited(root)


PLANTED = {
    ("duplicates", "groups"),
    ("duplicates", "across_patients"),
    ("duplicates", "conflicting_labels"),
    ("leaks", "test"),
    ("patients", "test"),
    ("probes", "border"),
    ("confounding", "source"),
    ("confounding", "population"),
    ("confounding", "age_group.missing"),
    ("confounding", "sex.missing"),
    ("confounding", "view.missing"),
    ("labels", "copies"),
}
"""What each of the faults is found as."""


@pytest.mark.parametrize(
    ("pictures", "seed", "exact", "near", "conflicting", "covid_19"),
    [(300, 4, 6, 5, 1, 21), pytest.param(PICTURES, 7, 10, 8, 2, 34, marks=pytest.mark.slow)],
)
def test_all_that_is_planted_is_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    pictures: int,
    seed: int,
    exact: int,
    near: int,
    conflicting: int,
    covid_19: int,
) -> None:
    """Every copy is found, and no other two images pass for one X-ray."""
    if pictures < PICTURES:
        monkeypatch.setitem(out_of_fold.MODEL, "max_iter", 20)  # the probes then take a fifth of the time
    found = audit(tmp_path, seed, clean=False, pictures=pictures)
    assert found.findings.keys() - {("leaks", "val"), ("patients", "val")} == PLANTED
    pairs, values = found.table("duplicates", "pairs.csv"), found.values
    copies = list_copies(seed, pictures)
    assert {frozenset(both): kind for *both, kind in pairs[["first", "second", "kind"]].to_numpy()} == copies
    assert list(copies.values()).count("near") == near
    assert values["duplicates.exact.groups"] == exact
    assert values["duplicates.conflicting_labels.groups"] == conflicting
    assert values["leaks.test.exact_in_train_or_val"] < values["leaks.test.any_in_train_or_val"]
    assert values["confounding.source.exclusive.covid_19"] == covid_19


def list_copies(seed: int, pictures: int) -> dict[frozenset[str], str]:
    """Return the pairs of files that show one X-ray in the sample of a seed, and whether they are exact copies or near."""
    items = v7_sample.list_usable(pictures, seed)
    copies = planted.plan_copies(items, seed)
    return {
        frozenset(f"images/{items[place].name}" for place in (number, copy.of)): "near"
        if copy.near
        else "exact"
        for number, copy in copies.items()
    }


@pytest.mark.slow
def test_in_the_clean_twin_nothing_is_found(tmp_path: Path) -> None:
    found = audit(tmp_path, 7, clean=True)
    assert found.findings == {}
    labels = found.table("read", "records.csv")["label"].value_counts().to_dict()
    assert labels == {"bacterial": 211, "healthy": 120, "viral": 115, "covid_19": 34}


@pytest.mark.slow
def test_of_twenty_seeds_at_least_nineteen_samples_show_all_and_clean_twins_nothing(
    tmp_path: Path,
) -> None:
    """About thirteen minutes of one core."""
    shown = [audit(made(tmp_path / f"sample-{seed}"), seed, clean=False).findings for seed in SEEDS]
    clean = [audit(made(tmp_path / f"clean-{seed}"), seed, clean=True).findings for seed in SEEDS]
    assert [PLANTED - found.keys() for found in shown].count(set()) >= 19
    assert clean.count({}) >= 19


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder

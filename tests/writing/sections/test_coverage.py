"""Where requirements are answered."""

from __future__ import annotations

import re

import pytest

from report.writing.values import listed
from tests.writing.conftest import STUDY, write_report

ANSWERS = {
    "Environment set up, with versions": ("Python 3", "requirements.lock"),
    "Read the X-rays and their four labels": ("V7 COVID-19 chest X-ray dataset", "Viral Pneumonia"),
    "Images resized to 156 x 156": ("resized to 156 × 156 pixels",),
    "Pixel values scaled to [0, 1]": ("divided by 255", "in [0, 1]"),
    "Labels one-hot encoded, function named": ("one-hot encoded with `keras.utils.to_categorical`",),
    "Stratified train, validation and test split, ratio 0.2, random state 42": (
        "20\u00a0% are drawn for testing",
        "20\u00a0% of the rest for validation",
        "stratified by class, with random state 42",
    ),
    "Baseline CNN exactly as given": ("| Baseline CNN |", "Layers of the baseline CNN", "Parameters"),
    "Loss and output activation chosen and justified": (
        "The classes exclude each other, so the last layer is a softmax",
        "categorical cross-entropy",
        "negative log-likelihood",
    ),
    "10 epochs, batch size 32, Adam, accuracy": ("| Adam, ", "| 10 |", "| 32 |"),
    "Training and validation loss and accuracy curves": ("oss and accuracy", "validation"),
    "ROC curves with AUC, validation and test": ("ROC", "validation", "test"),
    "Confusion matrices, validation and test": ("onfusion", "validation", "test"),
    "Accuracy, sensitivity, specificity and F1": ("Accuracy", "Sensitivity", "Specificity", "F1"),
    "Improved network": ("| Improved CNN |", "are taken from @assignment2023"),
    "Same analysis of the improved network": ("mproved CNN", "validation loss", "sensitivity"),
    "Comparison of the two": ("improved CNN", "baseline CNN", "macro F1"),
    "Explanation of the differences": ("improved CNN", "baseline CNN"),
}
"""What the parts that answer a requirement of the assignment say, among other things."""


@pytest.mark.parametrize("requirement", STUDY["report"]["requirements"], ids=lambda r: r["text"])
def test_a_requirement_leads_to_parts_of_the_report_that_answer_it(whole, requirement):
    places = places_of(requirement)
    assert f"| {listed([f'@{place}' for place in places])} |" in whole
    answer = "\n".join(part_of(whole, place) for place in places)
    for words in ANSWERS[requirement["text"]]:
        assert words.lower() in answer.lower(), words


@pytest.fixture(scope="module")
def whole(evaluated, tmp_path_factory):
    out = write_report(*evaluated({}), tmp_path_factory.mktemp("whole"))
    return (out / "report.qmd").read_text(encoding="utf-8")


def places_of(requirement):
    where = requirement["where"]
    return [where] if isinstance(where, str) else where


def part_of(text: str, place: str) -> str:
    """Return a section of the report, or a float: its caption with the alternative text, or with its table."""
    (end,) = [found.end() for found in re.finditer(rf"\{{#{place}[ }}]", text)]
    if place.startswith("sec-"):
        start = text.rindex("\n#", 0, end)
        level = re.match("#+", text[start + 1 :])[0]
        following = re.search(rf"(?m)^#{{1,{len(level)}}} ", text[end:])
        return text[start : end + following.start() if following else None]
    if place.startswith("fig-"):
        return text[text.rindex("\n\n", 0, end) : text.index("\n", end)]
    return text[text.rindex("\n\n", 0, text.rindex("\n\n", 0, end)) : end]


def test_a_requirement_that_the_settings_do_not_meet_is_said_not_to_be_met(source):
    study = {**STUDY, "image": {**STUDY["image"], "size": 48}}
    text = source(study=study, overrides=["image.size=48"])
    assert "@sec-preparation; not as required here: image size is 48" in text
    assert "report build assignment --data DIR --set image.size=48" in text

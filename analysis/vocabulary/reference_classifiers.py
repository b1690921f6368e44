"""The classifiers that every study has beside its networks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReferenceClassifier:
    """A classifier that every study has beside its networks, to tell what these are worth."""

    id: str
    title: str


MAJORITY = ReferenceClassifier("majority", "Majority class")
"""It answers the commonest class of the training set."""
LOW_DETAIL = ReferenceClassifier("low_detail", "Thumbnail trees")
"""Boosted trees on images of 8 x 8 pixels."""
REFERENCES = (LOW_DETAIL, MAJORITY)

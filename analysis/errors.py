"""Errors that a user can mend: what and where, with a hint at the next step.

AnalysisError
├── DataError         the data folder, its annotations or images
│   ├── ImageError    bytes that do not decode to an image
│   ├── MatchingError it cannot be told which image has which label
│   └── LayoutError   the data lie in another way than the reader expects
├── ArchitectureError a model of the study cannot be built
└── WeightsError      model weights missing or unreadable

Whoever runs stages knows these errors by their ``message`` and ``hint``, and needs not import this module.
"""

from __future__ import annotations


class AnalysisError(Exception):
    """The study, its data or its models cannot be used as they are.

    Parameters
    ----------
    message : str
        One line that says what is wrong and where.
    hint : str
        What to try next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class DataError(AnalysisError):
    """The data folder, an annotation or an image cannot be used."""


class ArchitectureError(AnalysisError):
    """A model of the study cannot be built as the study file asks."""


class WeightsError(AnalysisError):
    """Model weights are missing, or are not what they should be."""


class ImageError(DataError):
    """The bytes are no image, only part of one, or one that is too large."""


class MatchingError(DataError):
    """There are annotations, but it cannot be told which images they are about: no other labels take their place."""


class LayoutError(DataError):
    """The reader finds no image of a class where it looks: the data may have the layout of another reader."""

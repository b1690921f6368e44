"""Results of a pretraining: on which images of another collection a network was trained first, and which were left out.

They are ``pretraining.<id>``; behind counts may follow a class of that collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.vocabulary import attention
from analysis.vocabulary.external import EXACT, NEAR
from analysis.vocabulary.results import Quantity

PRETRAINING = "pretraining"
"""What the stages, the table of the study file and the results are named by."""
PATIENT = "patient"
REASONS = (EXACT, NEAR, PATIENT)
"""Why an image is left out: the study validates or tests on it, to the pixel or nearly, or on its patient. The first holds."""
LEFT_OUT_TABLE = "left_out.csv"
ALL, SHARED, LEFT_OUT, KEPT = "all", "shared", "left_out", ("train", "val")
"""Parts of the collection; ``shared`` are images of X-rays that the study has too, in whatever part."""
EPOCHS, VAL_ACCURACY = "epochs_run", "val_accuracy"
COUNTS = (
    *(f"{part}.count" for part in (ALL, SHARED, LEFT_OUT, *KEPT)),
    *(f"{LEFT_OUT}.{reason}.count" for reason in REASONS),
)
"""``pretraining.<id>`` of all images, and with a class behind it of those of the class."""


def names(classes: Sequence[str]) -> Iterator[str]:
    """Yield the names of all results of a pretraining on these classes."""
    for name in COUNTS:
        yield from (f"{PRETRAINING}.{name}", *(f"{PRETRAINING}.{name}.{c}" for c in classes))
    yield from (f"{PRETRAINING}.{EPOCHS}", f"{PRETRAINING}.{VAL_ACCURACY}")


def quantity(name: str) -> Quantity:
    """Return what kind of number the result ``name`` is, of a pretraining or any other."""
    if name.partition(".")[0] != PRETRAINING:
        return attention.quantity(name)
    return Quantity.NUMBER if name.endswith(VAL_ACCURACY) else Quantity.COUNT


def is_difference(name: str) -> bool:
    """Tell whether a result is a difference, so that it is printed with its sign."""
    return quantity(name) is Quantity.DIFFERENCE


def is_percentage(name: str) -> bool:
    """Tell whether a result is a share that is printed in per cent; measures are not."""
    return quantity(name) is Quantity.SHARE

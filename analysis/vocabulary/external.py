"""Results of the external test: labelled images from elsewhere, on which nothing is trained or chosen.

Of the set itself they are ``external.<id>``, of a trained network ``<model>.external.<id>``. Behind some follow classes:
those of the external set, of the study, or one of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from analysis.vocabulary.results import Quantity
from analysis.vocabulary.results import quantity as quantity_of_others
from analysis.vocabulary.splits import SPLITS

EXTERNAL = "external"
"""What the results of the set are named by, and where those of a network have their split."""
SET, STUDY = "external", "study"
"""Whose classes follow in a name: those of the external set, or of the study."""


@dataclass(frozen=True)
class ExternalResult:
    """A result of the external test.

    Parameters
    ----------
    id : str
        As in its names, behind the owner.
    quantity : Quantity
    of : tuple of str
        Whose classes follow: ``(SET, STUDY)`` for a label there and a predicted class.
    """

    id: str
    quantity: Quantity
    of: tuple[str, ...] = ()

    def names(self, own: Sequence[str], study: Sequence[str]) -> Iterator[str]:
        """Yield its names for the classes of the external set (``own``) and of the ``study``."""
        classes = ({SET: own, STUDY: study}[whose] for whose in self.of)
        yield from (".".join((self.id, *behind)) for behind in product(*classes))


def _counts(*ids: str, of: tuple[str, ...] = ()) -> tuple[ExternalResult, ...]:
    return tuple(ExternalResult(name, Quantity.COUNT, of) for name in ids)


DUPLICATES, SHARED_PATIENTS = "duplicates", "same_patient_in_study"
NEAR_DUPLICATES = f"{DUPLICATES}.near"
EXACT, NEAR = "exact", "near"
"""How an external image is one of the study's: to the pixel, or as the same X-ray otherwise cut, compressed or resized."""
OF_SET = (
    *_counts(
        "images_kept", "excluded", DUPLICATES, NEAR_DUPLICATES, *(f"{DUPLICATES}.{split}" for split in SPLITS)
    ),
    *_counts(
        "count", "patients", "patients_of_several_images", "patients_of_several_labels", SHARED_PATIENTS
    ),
    *_counts("count", of=(SET,)),
    *_counts("age_known", "age_implausible", "minors", "female", "male", "view_pa", "view_ap"),
    *(ExternalResult(f"age_{end}", Quantity.YEARS) for end in ("lowest", "median", "highest")),
)
"""``external.<id>``: the set without images that the study has too."""
MEASURES_OF_CLASS = ("sensitivity", "specificity", "auroc")
"""What is measured of a class of the study where the external set has images that are, and that are not of it."""
NEED_ALL_CLASSES = ("f1.macro", "sensitivity.macro", "auroc.macro")
"""Means of all classes: only where the external set has every class of the study, and each label is of one."""
OF_RUN = (
    *_counts("n"),
    *_counts("support", of=(SET,)),
    *_counts("confusion", of=(SET, STUDY)),
    *_counts("called", of=(STUDY,)),
    ExternalResult("confusion_share", Quantity.SHARE, (SET, STUDY)),
    ExternalResult("called_share", Quantity.SHARE, (STUDY,)),
    *(ExternalResult(measure, Quantity.NUMBER, (STUDY,)) for measure in MEASURES_OF_CLASS),
    *(ExternalResult(measure, Quantity.NUMBER) for measure in ("accuracy", *NEED_ALL_CLASSES)),
)
"""``<model>.external.<id>``"""
_QUANTITIES = {result.id.partition(".")[0]: result.quantity for result in (*OF_RUN, *OF_SET)}


def names(own: Sequence[str], study: Sequence[str], runs: Sequence[str]) -> Iterator[str]:
    """Yield the names of all results of an external test.

    Parameters
    ----------
    own, study : sequence of str
        The classes of the external set, and of the study.
    runs : sequence of str
        The trainings, and what the means over their seeds are called.
    """
    yield from (f"{EXTERNAL}.{name}" for result in OF_SET for name in result.names(own, study))
    for run in runs:
        yield from (f"{run}.{EXTERNAL}.{name}" for result in OF_RUN for name in result.names(own, study))


def quantity(name: str) -> Quantity:
    """Return what kind of number the result ``name`` is, of the external test or any other."""
    owner, *rest = name.split(".")
    if EXTERNAL not in (owner, *rest[:1]) or not rest:
        return quantity_of_others(name)
    word = rest[0] if owner == EXTERNAL else rest[1] if len(rest) > 1 else ""
    return _QUANTITIES.get(word, Quantity.NUMBER)


def is_difference(name: str) -> bool:
    """Tell whether a result is a difference, so that it is printed with its sign."""
    return quantity(name) is Quantity.DIFFERENCE


def is_percentage(name: str) -> bool:
    """Tell whether a result is a share that is printed in per cent; measures are not."""
    return quantity(name) is Quantity.SHARE

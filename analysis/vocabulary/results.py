"""All other results than measures: what each is called, and what kind of number it is.

A measure of one model is a number, and of two models a difference. Whatever else stages write is declared here once: the
names that an author can quote, how a number is printed, and what a rehearsal makes up follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import product

from analysis.vocabulary.measures import BETWEEN, LEARNING_CURVES
from analysis.vocabulary.run_names import split_run
from analysis.vocabulary.splits import ALL_IMAGES, SPLITS


class Quantity(Enum):
    """What kind of number a result is."""

    COUNT = "a whole number"
    YEARS = "whole years, or half a year between two"
    SHARE = "a share that is printed in per cent"
    DIFFERENCE = "a difference, printed with its sign"
    NUMBER = "any other number; measures are"


@dataclass(frozen=True)
class Result:
    """A result that is no measure.

    Parameters
    ----------
    id : str
        As in the names of results, behind owner and split.
    quantity : Quantity
    classes : tuple of int
        How many classes follow in its names: 0 for all images, 1 for a class, 2 for a true and a predicted one.
    """

    id: str
    quantity: Quantity
    classes: tuple[int, ...] = (0,)

    def names(self, classes: Sequence[str]) -> Iterator[str]:
        """Yield its names: ``count``, ``count.covid_19``."""
        for number in self.classes:
            yield from (".".join((self.id, *of)) for of in product(classes, repeat=number))


def _each(quantity: Quantity, *ids: str, classes: tuple[int, ...] = (0,)) -> tuple[Result, ...]:
    return tuple(Result(name, quantity, classes) for name in ids)


OF_ARCHITECTURE = _each(Quantity.COUNT, "parameters", "trainable_parameters")
"""``<model>.architecture.<id>``"""
OF_TRAINING = (
    *_each(Quantity.COUNT, "epochs_run", "best_epoch", "weights_epoch", "overfitting_epoch"),
    *_each(Quantity.NUMBER, *(f"{end}_{curve}" for end in ("first", "last") for curve in LEARNING_CURVES)),
    *_each(Quantity.NUMBER, "best_val_loss", "best_val_accuracy", "rise_after_best", "last_gap"),
    *_each(Quantity.SHARE, "val_loss_rise", "val_loss_fall"),
)
"""``<model>.training.<id>``"""
FLOW = _each(Quantity.COUNT, "images_found", "excluded", "images", "patients")
"""``data.<id>``, besides which a reader has counts of its own; ``data.excluded.<reason>`` is only known when it is read."""
TAGGED = ("female", "male", "view_pa", "view_ap", "view_ap_supine")
"""What datasets tag of a patient's sex and of how an image was taken."""
PEOPLE = (
    Result("age_known", Quantity.COUNT, (1,)),
    Result("age_median", Quantity.YEARS, (1,)),
    *_each(Quantity.COUNT, *TAGGED, classes=(1,)),
)
"""``data.all.<id>``: what datasets tell of patients and of how an image was taken."""
SIZES = (Result("count", Quantity.COUNT, (0, 1)), Result("share", Quantity.SHARE, (1,)))
"""``data.<split>.<id>``, of all images too."""
SHARED = (
    Result("same_patient_in_train", Quantity.COUNT),
    Result("same_patient_in_train_share", Quantity.SHARE),
    Result("exact_duplicate_elsewhere", Quantity.COUNT),
)
"""``data.<split>.<id>`` of the splits on which models are evaluated."""
CELLS = (
    Result("n", Quantity.COUNT),
    Result("support", Quantity.COUNT, (1,)),
    Result("confusion", Quantity.COUNT, (2,)),
    Result("confusion_share", Quantity.SHARE, (2,)),
)
"""``<classifier>.<split>.<id>``: the confusion matrix and its sums."""
MOVES = {
    "broken": "a_right_b_wrong",
    "fixed": "a_wrong_b_right",
    "both_right": "both_right",
    "both_wrong": "both_wrong",
}
"""How results and the columns of ``moved.<b>.csv`` call images by which of two models gets them right."""
CHANGED_SIDES = ("fixed", "broken")
"""The moves of which ``flips.<b>.csv`` has every image, in the order in which a class has them."""
OF_IMAGES = (
    *_each(Quantity.COUNT, *MOVES, classes=(0, 1)),
    *_each(Quantity.NUMBER, "sign_flip_p", "sign_flip_deff"),
)
"""``<b>_vs_<a>.<split>.<id>`` of a declared comparison, on every split."""
P_HOLM = "p_holm"
"""p of a declared comparison, adjusted for the family."""
WITHOUT_DECISION = ("p", P_HOLM, "detectable_difference", "false_better")
"""What a comparison that cannot be decided has no value of."""
OF_DECISION = (
    *_each(Quantity.DIFFERENCE, "primary", "equivalence"),
    *_each(Quantity.NUMBER, *WITHOUT_DECISION),
)
"""``<b>_vs_<a>.<split>.<id>`` of a declared comparison, on the split that decides."""
OF_SEEDS = _each(Quantity.NUMBER, *(f"variance.{term}" for term in ("patients", "a", "b")))
"""``<b>_vs_<a>.<split>.<id>``: the terms of the variance of the declared difference, with several seeds."""
DETECTABLE_GAIN = "detectable_gain"
"""``planning.<split>.<id>.<share of images on which two models disagree>``"""
TOLERANCE = "tolerance"
"""``ledger.<id>``"""
ABLATION = "ablation"
"""``ablation.<component>.<effect>``"""

_PARTS = (*SPLITS, ALL_IMAGES, "training", "architecture")
_OF_ONE = {
    result.id: result.quantity
    for results in (OF_ARCHITECTURE, OF_TRAINING, FLOW, PEOPLE, SIZES, SHARED, CELLS)
    for result in results
}
_OF_TWO = {
    result.id.partition(".")[0]: result.quantity
    for results in (OF_IMAGES, OF_DECISION, OF_SEEDS)
    for result in results
}


def quantity(name: str) -> Quantity:
    """Return what kind of number the result ``name`` is.

    Published figures are what ours are. In the ledger a figure has the difference between both, and a kind of figures its
    numbers of verdicts.
    """
    owner, *rest = name.removeprefix("published.").split(".")
    if owner == "ledger":
        return _of_ledger(rest)
    if owner == ABLATION:
        return Quantity.NUMBER if rest[-1] == P_HOLM else Quantity.DIFFERENCE
    part, *behind = rest
    word = behind[0] if behind and part in _PARTS else part
    if BETWEEN in owner:
        return _OF_TWO.get(word, Quantity.DIFFERENCE)
    found_by_reader = split_run(owner)[0] == "data" and not behind
    return _OF_ONE.get(word, Quantity.COUNT if found_by_reader else Quantity.NUMBER)


def _of_ledger(rest: Sequence[str]) -> Quantity:
    """Return what ``ledger.tolerance``, ``ledger.<kind>.<verdict>`` or ``ledger.<model>.<part>.<figure>`` is."""
    if rest == [TOLERANCE]:
        return Quantity.NUMBER
    return Quantity.COUNT if len(rest) == 2 else Quantity.DIFFERENCE


def is_difference(name: str) -> bool:
    """Tell whether a result is a difference, so that it is printed with its sign."""
    return quantity(name) is Quantity.DIFFERENCE


def is_percentage(name: str) -> bool:
    """Tell whether a result is a share that is printed in per cent; measures are not."""
    return quantity(name) is Quantity.SHARE

"""Where the scores of networks come from: what the stages, their files and their results are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.vocabulary import audit
from analysis.vocabulary.results import Quantity

ATTENTION, ACTIVATIONS = "attention", "activations"
"""The kinds of the stages; the first is the section too, and what results are named by."""
BEST = "best"
"""In the place of a model: of many the one that is best on validation images."""
NETWORK, SHOWN_TABLE, MAPS_TABLE, LAYERS_TABLE = "network.json", "images.csv", "maps.csv", "layers.csv"
RIGHT, WRONG = "right", "wrong"
"""The images shown of each class: the one called right, and the one called wrong, with the highest probability."""
IMAGES, EMPTY, EMPTY_RANDOM, CORRELATION = "images", "empty", "empty_random", "rank_correlation"
LUNG_IMAGES, LUNG_AREA = "lungs.images", "lungs.area"
IN_LUNGS, IN_LUNGS_RANDOM = "lungs.share", "lungs.share_random"
QUANTITIES = {
    **dict.fromkeys((IMAGES, EMPTY, EMPTY_RANDOM, LUNG_IMAGES), Quantity.COUNT),
    **dict.fromkeys((CORRELATION, LUNG_AREA, IN_LUNGS, IN_LUNGS_RANDOM), Quantity.NUMBER),
}
"""``attention.<model>.<id>``"""


def names(models: Sequence[str]) -> Iterator[str]:
    """Yield the names of all results of ``models``."""
    yield from (f"{ATTENTION}.{model}.{word}" for model in models for word in QUANTITIES)


def quantity(name: str) -> Quantity:
    """Return what kind of number the result ``name`` is, of these or any other."""
    owner, _, rest = name.partition(".")
    return QUANTITIES[rest.partition(".")[2]] if owner == ATTENTION else audit.quantity(name)


def is_difference(name: str) -> bool:
    """Tell whether a result is a difference, so that it is printed with its sign."""
    return quantity(name) is Quantity.DIFFERENCE


def is_percentage(name: str) -> bool:
    """Tell whether a result is a share that is printed in per cent; measures are not."""
    return quantity(name) is Quantity.SHARE

"""What is known of networks that were trained on parts of the training images: names of results, and their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.vocabulary.measures import pair_name
from analysis.vocabulary.run_names import add_subset

SUBSETS = "subsets"
"""The stage and its figure."""
TABLE, TRAININGS_TABLE = "measures.csv", "trainings.csv"
ALL = 1.0
"""The share that is all training images."""


def count_name(analysis: str, share: float) -> str:
    """Return the name of the number of training images; ``analysis`` is what its names of models end with."""
    return f"{add_subset(f'data{analysis}', share)}.train.count"


def measure_name(model: str, share: float, split: str, measure: str) -> str:
    """Return the name of a measure of a ``model`` (with its analysis) on a ``share`` of the training images."""
    return f"{add_subset(model, share)}.{split}.{measure}"


def gain_name(model: str, share: float, split: str, measure: str) -> str:
    """Return the name of what all training images give more than a ``share`` of them."""
    return f"{pair_name(add_subset(model, ALL), add_subset(model, share))}.{split}.{measure}"


def names(
    models: Sequence[str], analysis: str, shares: Sequence[float], split: str, measure: str
) -> Iterator[str]:
    """Yield the names of all results; of ``shares`` the last is `ALL`."""
    for share in shares:
        yield count_name(analysis, share)
        yield from (measure_name(f"{m}{analysis}", share, split, measure) for m in models)
    yield from (gain_name(f"{m}{analysis}", shares[-2], split, measure) for m in models)

"""What a figure is about: the parameters that several kinds of figures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.figures import style


@dataclass(frozen=True)
class OneModel:
    """One model on several splits.

    Parameters
    ----------
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    title : str
        What it is called.
    splits : sequence of str
        Those that are drawn side by side.
    """

    classes: Sequence[style.Class]
    title: str
    splits: Sequence[str]


@dataclass(frozen=True)
class Pair:
    """Two models on one split, the second compared with the first.

    Parameters
    ----------
    classes : sequence of mapping
        ``id`` and ``label`` of each class.
    a, b : str
        The ids of the models.
    titles : mapping of str to str
        What each model is called.
    split : str
        The split that is drawn.
    """

    classes: Sequence[style.Class]
    a: str
    b: str
    titles: Mapping[str, str]
    split: str

    @property
    def called(self) -> tuple[str, str]:
        """What the first and the second model are called."""
        return self.titles[self.a], self.titles[self.b]

"""Mistakes in how published studies showed their images to a network, repeated where a study asks for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.models import augmentation
from analysis.models.epochs import Plan
from analysis.models.images import Array, Images

BEFORE_ALL_EPOCHS = 2**32 - 1
"""Stands for the epoch where the random draws are those of no epoch."""


@dataclass(frozen=True)
class Mistakes:
    """What is shown otherwise than it should be; by default nothing.

    Parameters
    ----------
    pixels : {"in-place", "interleaved"}
        "interleaved" mixes up the pixels of images that are shown together, see `interleave`.
    augmented : {"each-epoch", "once"}
        "once" changes the training images before the first epoch; every epoch shows them so.
    """

    pixels: str = "in-place"
    augmented: str = "each-epoch"

    def training_set(self, images: Images, plan: Plan, channels: int) -> tuple[Images, Plan]:
        """Return the images from which the epochs are drawn, and how."""
        if self.augmented != "once" and self.pixels != "interleaved":
            return images, plan
        rng = np.random.default_rng((plan.seed, BEFORE_ALL_EPOCHS))
        shown = images.only(rng.permutation(images.rows("train")))
        if plan.augmentation:
            changes = augmentation.draw(rng, plan.augmentation, len(shown.levels), shown.size)
            shown = replace(shown, levels=augmentation.apply_to_all(shown.levels, changes, plan.augmentation))
        if self.pixels == "interleaved":
            shown = interleave(shown, channels)
        return shown, replace(plan, augmentation=())

    def other_set(self, images: Images, rows: Array, channels: int) -> tuple[Images, Array]:
        """Return the images among which those of ``rows`` are shown unchanged, and their rows there."""
        if self.pixels != "interleaved":
            return images, rows
        return interleave(images.only(rows), channels), np.arange(len(rows))


def interleave(images: Images, channels: int) -> Images:
    """Return the images mixed up by ``reshape(-1, n).T``: image i gets every n-th number of all, from the i-th."""
    block = np.repeat(images.levels[..., None], channels, axis=-1)
    return Images(block.reshape(-1, len(block)).T.reshape(block.shape), images.table)

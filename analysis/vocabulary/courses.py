"""What the course of a training is called by its learning curves: one rule, and all its constants.

Each curve is held against itself alone. How far training loss lies below validation loss says nothing here: dropout,
augmentation, class weights and oversampling are in training loss only. Label smoothing and penalties on kernels are in
both and raise the lowest loss, so that a rise above it counts for less: the rule then calls fewer networks overfitting.
"""

from __future__ import annotations

RISE = 0.05
"""A validation loss that ends this share above its lowest has risen: the generalisation loss of 5 % at which Prechelt
stops (1998, Early stopping - but when?, doi:10.1007/3-540-49430-8_3)."""
FALL = 0.02
"""A lowest validation loss that fell by this share in the last epochs was still falling. Trainings of one network with
several seeds differ by about half of it in their lowest loss."""
LAST_EPOCHS = 3
"""So many epochs tell how a curve ends: one alone can be off by more than what is asked for."""
SWING = 0.1
"""A validation accuracy that falls by so much from one epoch to the next is seen in the figure, and has to be told."""
END = 5
"""So many last epochs tell whether it settled."""
SETTLED = 0.03
"""Within so much, it did."""

OVERFITS = "overfits"
UNEVEN = "uneven"
UNDERFITS = "underfits"
FITS = "fits"
ONE_EPOCH = "one_epoch"
"""No curve to read."""


def name_course(rise: float, fall: float | None, *, learns_on: bool) -> str:
    """Return what the course of a training is called.

    Parameters
    ----------
    rise : float
        By how much validation loss ended above its lowest, as a share of it.
    fall : float or None
        By how much the lowest validation loss fell in the last epochs, as a share of that before; None of one epoch.
    learns_on : bool
        Whether training loss ended below what it was in the epoch of the lowest validation loss.
    """
    if fall is None:
        return ONE_EPOCH
    if rise > RISE:
        return OVERFITS if learns_on else UNEVEN
    return UNDERFITS if fall > FALL else FITS

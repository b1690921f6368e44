"""Draw images by whole patients: a share, from stratified folds and then by moves until it is met, or the folds themselves."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from analysis.arrays import Counts, Indices, Labels, Mask, dense

FEWEST = 2
"""Patients of a class, so that one can be drawn and one left."""
MANY_FOLDS = 20
ROUNDING = 1e-9


def draw_patients(labels: Labels, patients: Labels, share: float, seed: int) -> Mask:
    """Return which of n images are drawn, shape (n,): ``share`` of them and of each class, by whole patients.

    The first of some stratified folds of patients are drawn (``StratifiedGroupKFold`` of scikit-learn). Where they are
    off by more than one image, patients change sides until they are not, or until no move brings them nearer.

    Parameters
    ----------
    labels, patients : array of str, shape (n,)
        Class and patient of each image. Every class has at least `FEWEST` patients.
    share : float
        Between 0 and 1, of the images.
    seed : int
        What the folds are shuffled by.
    """
    patient, label = dense(patients), dense(labels)
    images = np.zeros((patient.max() + 1, label.max() + 1), dtype=np.int64)
    np.add.at(images, (patient, label), 1)
    folds, taken = _folds(share, int((images > 0).sum(axis=0).min()))
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(labels, labels, patients)
    rows = np.concatenate([part for _, (_, part) in zip(range(taken), parts, strict=False)])
    drawn = np.zeros(len(images), dtype=bool)
    drawn[patient[rows]] = True
    return np.asarray(_adjusted(images, drawn, share)[patient])


def draw_folds(labels: Labels, patients: Labels, folds: int, seed: int) -> list[Indices]:
    """Return the images of each fold: each image in one of them, and all of a patient in the same.

    The folds are those of ``StratifiedGroupKFold`` of scikit-learn, shuffled by ``seed``; ``labels`` and ``patients``, (n,),
    are as in `draw_patients`, and each class has at least as many patients as there are ``folds``.
    """
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(labels, labels, patients)
    return [part for _, part in parts]


def _folds(share: float, most: int) -> tuple[int, int]:
    """Return into how many folds to part and how many of them to take, the fewest that come nearest to ``share``.

    ``most`` are as many folds as the rarest class has patients.
    """
    last = max(FEWEST, min(most, max(MANY_FOLDS, round(1 / share))))
    ways = [(k, min(k - 1, max(1, round(share * k)))) for k in range(FEWEST, last + 1)]
    return min(ways, key=lambda way: (round(abs(way[1] / way[0] - share), 9), way[0]))


def _adjusted(images: Counts, drawn: Mask, share: float) -> Mask:
    """Return the patients drawn, shape (G,), after the moves that bring their ``images`` (G, K) nearest to ``share``.

    Of moves that come equally near, all within one image being so, the one is made that keeps the shares of the
    classes best. None takes the last patient of a class from either side.
    """
    whole = images.sum(axis=0)
    while True:
        counts = images[drawn].sum(axis=0)
        patients, gains = _moves(images, drawn)
        after = counts + gains
        off, now = (np.maximum(0, np.abs(c.sum(axis=-1) - share * whole.sum()) - 1) for c in (after, counts))
        allowed = np.flatnonzero((off < now - ROUNDING) & ((after > 0) & (after < whole)).all(axis=1))
        if not len(allowed):
            return drawn
        unlike = np.abs(after - share * whole).sum(axis=1)
        best = allowed[np.lexsort((unlike[allowed], off[allowed]))[0]]
        drawn = drawn ^ np.isin(np.arange(len(drawn)), patients[best])


def _moves(images: Counts, drawn: Mask) -> tuple[Indices, Counts]:
    """Return who changes sides, one patient or one of each side, shape (M, 2), and what each move adds, shape (M, K).

    Of patients with the same images on the same side only the first is moved.
    """
    first = np.unique(np.column_stack([images, drawn]), axis=0, return_index=True)[1]
    inward, outward = first[~drawn[first]], first[drawn[first]]
    pairs = np.stack(np.meshgrid(inward, outward, indexing="ij"), axis=-1).reshape(-1, 2)
    singles = np.concatenate([inward, outward])
    signed = np.where(drawn[:, None], -images, images)
    gains = np.concatenate([signed[singles], signed[pairs].sum(axis=1)])
    return np.concatenate([np.column_stack([singles, singles]), pairs]), gains

"""Names of the results of a cross-validation: ``baseline@fold_2.test.f1.macro``, and ``baseline@folds...`` of all folds.

Of all folds together a measure of the confusion matrix is that of all images, each tested in its own fold. An area under
a curve is the mean over folds, and so is what is called ``mean``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.vocabulary.measures import FROM_MATRIX, MEASURES
from analysis.vocabulary.results import CELLS
from analysis.vocabulary.run_names import FOLD, FOLDS, join_run

FOLDS_TABLE = "folds.csv"
OVER_FOLDS = ("accuracy", "f1.macro", "sensitivity.macro", "auroc.macro")
"""The measures that are told of each fold, and averaged."""
MEAN = "mean"


def name_folds(folds: int) -> list[str]:
    """Return what each of so many folds adds to names."""
    return [join_run("", f"{FOLD}{number}") for number in range(1, folds + 1)]


def name_all_folds(owner: str) -> str:
    """Return what is called together what an ``owner``, a model or a pair of them, has in all folds."""
    return join_run(owner, FOLDS)


def names(classes: Sequence[str], folds: int, models: Sequence[str], pairs: Sequence[str]) -> Iterator[str]:
    """Yield the names of all results of a cross-validation, of models and of ``pairs`` of them."""
    measured = [name for measure in (*FROM_MATRIX, MEASURES["auroc"]) for name in measure.names(classes)]
    cells = [name for cell in CELLS for name in cell.names(classes)]
    means = [f"{MEAN}.{measure}" for measure in OVER_FOLDS]
    for owners, of_fold, of_all in (
        (models, [*measured, *cells], [*measured, *cells, *means]),
        (pairs, OVER_FOLDS, [*measured, *means]),
    ):
        for owner in owners:
            yield from (f"{owner}{fold}.test.{name}" for fold in name_folds(folds) for name in of_fold)
            yield from (f"{name_all_folds(owner)}.test.{name}" for name in of_all)

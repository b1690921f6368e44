"""Names of trainings and of what belongs to them: ``baseline``, ``baseline@patient``, ``baseline@patient_seed_42``.

Before the ``@`` stands the owner, such as a model; behind it the run: an analysis, a seed, both, or what another
publication calls a training of its own.
"""

from __future__ import annotations

MARK = "@"
SEED = "seed_"
DRAW = "draw_"
"""Before the seed of a further draw of the images: ``baseline@draw_43``."""
FOLD, FOLDS = "fold_", "folds"
"""Before the number of a fold that is the test set, ``baseline@fold_2``, and what all of them are: ``baseline@folds``."""
SUBSET = "subset_"
"""Before the share of the training images, in per cent, that a network is trained on: ``baseline@subset_25_seed_42``."""


def join_run(owner: str, run: str) -> str:
    """Return the name of a ``run`` of an ``owner``; the owner itself where ``run`` is ""."""
    return f"{owner}{MARK}{run}" if run else owner


def split_run(name: str) -> tuple[str, str]:
    """Return the owner and the run, "" where the name has none."""
    owner, _, run = name.partition(MARK)
    return owner, run


def add_seed(name: str, seed: int) -> str:
    """Return the name of the training with a ``seed`` among those called ``name`` together."""
    return _add(name, f"{SEED}{seed}")


def add_subset(name: str, share: float) -> str:
    """Return what the trainings on a ``share`` of the training images are called together; 1 is all of them."""
    return _add(name, f"{SUBSET}{round(100 * share)}")


def _add(name: str, part: str) -> str:
    owner, run = split_run(name)
    return join_run(owner, f"{run}_{part}" if run else part)


def drop_seed(name: str) -> str:
    """Return what the trainings with all seeds are called together."""
    owner, run = split_run(name)
    before, seed, _ = run.rpartition(SEED)
    return join_run(owner, before.removesuffix("_")) if seed else name

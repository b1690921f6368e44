"""The ``evaluate`` stage of a model with several seeds: the mean of its trainings, which is what its recipe gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from analysis.evaluation.results_file import (
    Basis,
    Entry,
    Interval,
    Results,
    bounded,
    entry,
    read_results,
    without_interval,
    write_json,
)
from analysis.progress import Progress

SPREAD = "a mean over seeds: se is its standard error over the trainings"


def average(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, model: str) -> None:
    """Write ``results.json``: the mean over trainings of every result, and the standard error of that mean.

    Parameters
    ----------
    inputs : mapping of str to Path
        The evaluation of each training, by its name.
    model : str
        What the means are named.
    """
    each = [
        {key.removeprefix(f"{name}."): item for key, item in read_results(folder / "results.json").items()}
        for name, folder in inputs.items()
    ]
    results: Results = {f"{model}.{key}": _mean([training[key] for training in each]) for key in each[0]}
    write_json(out / "results.json", results)
    progress(len(each), len(each), "trainings")


def _mean(items: Sequence[Entry]) -> Entry:
    values, first = [item["value"] for item in items], items[0]
    if all(value == values[0] for value in values) and first["low"] is None:
        return first  # the number of images, or what no training defines
    known = [float(value) for value in values if value is not None]
    basis = Basis(first["artifact"], _common(items, "n"), _common(items, "clusters"))
    if len(known) < len(values):
        return entry(None, first["method"], basis, reason_null="undefined for some of the trainings")
    se = float(np.std(known, ddof=1) / np.sqrt(len(known)))
    spread = Interval(np.nan, np.nan, np.nan, se, "", SPREAD)
    method = f"mean of {len(known)} trainings; {without_interval(first['method'])}"
    return bounded(entry(float(np.mean(known)), method, basis), spread)


def _common(items: Sequence[Entry], key: Literal["n", "clusters"]) -> int | None:
    """Return what all trainings rest on; None where it differs, as the images called positive do."""
    found = {item[key] for item in items}
    return found.pop() if len(found) == 1 else None

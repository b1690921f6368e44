"""The ``evaluate`` stage of a model with several seeds: the mean of its trainings, which is what its recipe gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import t

from analysis.arrays import Floats
from analysis.evaluation import settings
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
LIMITS = {"mcc": (-1.0, 1.0), "log_loss": (0.0, np.inf), "log_loss_scaled": (0.0, np.inf)}
"""Between which values a measure lies that is no share."""


def average(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    model: str,
    tables: Sequence[str] = (),
) -> None:
    """Write ``results.json``: the mean over trainings of every result, its standard error over them, and its interval.

    Parameters
    ----------
    inputs : mapping of str to Path
        The evaluation of each training, by its name.
    model : str
        What the means are named.
    tables : sequence of str
        Files of each training, of the same rows, of which the means are written under the same names.
    """
    each = [
        {key.removeprefix(f"{name}."): item for key, item in read_results(folder / "results.json").items()}
        for name, folder in inputs.items()
    ]
    results: Results = {
        f"{model}.{key}": _mean([training[key] for training in each], key.split(".")[1]) for key in each[0]
    }
    write_json(out / "results.json", results)
    for name in tables:
        _mean_table([pd.read_csv(folder / name) for folder in inputs.values()]).to_csv(
            out / name, index=False, lineterminator="\n"
        )
    progress(len(each), len(each), "trainings")


def _mean(items: Sequence[Entry], measure: str) -> Entry:
    values, first = [item["value"] for item in items], items[0]
    if all(value == values[0] for value in values) and first["low"] is None:
        return first  # the number of images, or what no training defines
    known = [float(value) for value in values if value is not None]
    basis = Basis(first["artifact"], _common(items, "n"), _common(items, "clusters"))
    if len(known) < len(values):
        return entry(None, first["method"], basis, reason_null="undefined for some of the trainings")
    se = float(np.std(known, ddof=1) / np.sqrt(len(known)))
    method = f"mean of {len(known)} trainings; {without_interval(first['method'])}"
    interval = _combine(items, se, LIMITS.get(measure, (0.0, 1.0)))
    return bounded(entry(float(np.mean(known)), method, basis), interval)


def _combine(items: Sequence[Entry], se: float, limits: tuple[float, float]) -> Interval:
    """Return an interval of a mean over patients and trainings.

    The distance to each end is of both sources, added as squares (Zou and Donner 2008, doi:10.1002/sim.3095): that of
    the trainings is Student's t with their ``se``; that of the patients the mean of the trainings' own intervals, as if
    all trainings erred about the same patients, which is the most it can be.
    """
    levels = {item["level"] for item in items}
    level = levels.pop() if len(levels) == 1 else None
    if level is None:
        return Interval(np.nan, np.nan, np.nan, se, "", SPREAD)
    each = np.array([[item["value"], item["low"], item["high"]] for item in items], dtype=np.float64)
    low, high = np.clip(_ends(each, se, level), *limits)
    return Interval(
        float(low), float(high), level, se, "patients and trainings, distances added as squares", ""
    )


def _ends(each: Floats, se: Floats | float, level: float) -> Floats:
    """Return both ends, shape (2, ...), from value, low and high of each training, shape (trainings, 3, ...)."""
    value, low, high = each.mean(axis=0)
    own = t.ppf((1 + level) / 2, len(each) - 1) * se
    return np.stack([value - np.hypot(value - low, own), value + np.hypot(high - value, own)])


def _mean_table(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the means of columns that differ between trainings; ``low`` and ``high`` are of the column before them."""
    mean = tables[0].copy()
    for column in mean:
        if any(not table[column].equals(mean[column]) for table in tables):
            mean[column] = np.mean([table[column] for table in tables], axis=0)
    if "low" in mean:
        names = [*mean]
        value = names[names.index("low") - 1]
        each = np.array([table[[value, "low", "high"]].to_numpy(np.float64).T for table in tables])
        se = each[:, 0].std(axis=0, ddof=1) / np.sqrt(len(each))
        mean["low"], mean["high"] = np.clip(_ends(each, se, settings.LEVEL), 0.0, 1.0)
    return mean


def _common(items: Sequence[Entry], key: Literal["n", "clusters"]) -> int | None:
    """Return what all trainings rest on; None where it differs, as the images called positive do."""
    found = {item[key] for item in items}
    return found.pop() if len(found) == 1 else None

"""The ``audit.splits`` stage: how measures vary over draws of training, validation and test images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.audit.findings import write_findings
from analysis.audit.tables import read_table, write_table
from analysis.evaluation.results_file import (
    COUNT,
    Basis,
    Results,
    bounded,
    entry,
    read_results,
    write_json,
)
from analysis.evaluation.statistics.overlapping import corrected_interval
from analysis.progress import Progress
from analysis.vocabulary.audit import DRAWS, DRAWS_TABLE, OVER_DRAWS
from analysis.vocabulary.measures import pair_name

ARTIFACT = f"audit.{DRAWS}/{DRAWS_TABLE}"
UNDEFINED = "undefined on some of the draws"


def collect(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    runs: Mapping[str, Sequence[str]],
    pairs: Sequence[Sequence[str]],
    seeds: Sequence[int],
    split: str,
) -> None:
    """Write the measures of every model on every draw, and over all of them.

    ``draws.csv`` has ``seed`` of the draw, ``model`` (or a pair, as its differences are named), ``measure`` and ``value``.
    ``results.json`` has ``splits.count`` and, for each model and pair and each of `OVER_DRAWS`, ``splits.mean.<model>.<measure>``
    with its interval, ``splits.lowest...`` and ``splits.highest...``; ``findings.json`` is empty.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``evaluate_<run>`` of each training, and the study's own ``split``.
    runs : mapping of str to sequence of str
        By model its trainings, one for each draw.
    pairs : sequence of (str, str)
        Models whose difference is told, the first minus the second.
    seeds : sequence of int
        Of the draws, the study's own first.
    split : str
        On which the measures are.
    """
    values = {
        (model, measure): np.array([_read(inputs, run, split, measure) for run in names], dtype=float)
        for model, names in runs.items()
        for measure in OVER_DRAWS
    }
    for b, a in pairs:
        for measure in OVER_DRAWS:
            values[pair_name(b, a), measure] = values[b, measure] - values[a, measure]
    counts = read_table(inputs["split"] / "split.csv")["split"].value_counts()
    ratio = counts[split] / counts["train"]
    results: Results = {f"{DRAWS}.count": entry(len(seeds), COUNT, Basis(ARTIFACT))}
    for (name, measure), found in values.items():
        results |= summarise(f"{name}.{measure}", found, ratio, is_difference=name not in runs)
    rows = [
        {"seed": seed, "model": name, "measure": measure, "value": value}
        for (name, measure), found in values.items()
        for seed, value in zip(seeds, found, strict=True)
    ]
    write_table(out / DRAWS_TABLE, pd.DataFrame(rows))
    write_json(out / "results.json", results)
    write_findings(out, ())  # how much measures vary is told, and is none
    progress(len(values), len(values), "measures")


def _read(inputs: Mapping[str, Path], run: str, split: str, measure: str) -> float:
    value = read_results(inputs[f"evaluate_{run}"] / "results.json")[f"{run}.{split}.{measure}"]["value"]
    return math.nan if value is None else float(value)


def summarise(name: str, values: np.ndarray, ratio: float, *, is_difference: bool) -> Results:
    """Return mean with interval, lowest and highest value over draws.

    Parameters
    ----------
    name : str
        Model and measure.
    values : array of float, shape (K,)
        Of each draw; NaN where it is undefined, and then over all draws.
    ratio : float
        Images that the measure is on, to those trained on.
    is_difference : bool
        Its interval may go beyond 0 and 1.
    """
    basis, mean = Basis(ARTIFACT), float(values.mean())
    method = f"mean over {len(values)} draws of the images"
    interval = corrected_interval(values, ratio, "draws", is_difference=is_difference)
    return {
        f"{DRAWS}.mean.{name}": bounded(entry(mean, method, basis, reason_null=UNDEFINED), interval),
        f"{DRAWS}.lowest.{name}": entry(values.min(), "lowest of the draws", basis, reason_null=UNDEFINED),
        f"{DRAWS}.highest.{name}": entry(values.max(), "highest of the draws", basis, reason_null=UNDEFINED),
    }

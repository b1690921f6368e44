"""The entries of ``results.json``: their form, their names, and how they are written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

MEAN_OF_CLASSES = "mean of classes"
POOLED = "all one-hot entries pooled"
COUNT = "count"
INTERVAL = "; interval: "
"""Between how a value is formed and how its interval is."""

Number: TypeAlias = "int | float | np.number[Any] | NDArray[np.float64]"


class Entry(TypedDict):
    """One result: a number, what it was computed on, and where it comes from; unknown is ``None``.

    ``reason_null`` says why there is no value, or with a value why there is no interval.
    """

    value: float | int | None
    low: float | None
    high: float | None
    level: float | None
    method: str
    n: int | None
    clusters: int | None
    se: float | None
    reason_null: str | None
    artifact: str


Results = dict[str, Entry]


@dataclass(frozen=True)
class Interval:
    """An interval with its level, standard error and method; without one, NaN ends and the reason."""

    low: float
    high: float
    level: float
    se: float
    method: str
    reason_null: str = ""


@dataclass(frozen=True)
class Basis:
    """What a result rests on: its file, the images it is computed on, and the patients among them."""

    artifact: str
    n: int | None = None
    clusters: int | None = None


def entry(value: Number | None, method: str, basis: Basis, *, reason_null: str = "") -> Entry:
    """Return the entry of one result.

    Parameters
    ----------
    value : number or None
        NaN is an undefined value and becomes ``None``; whole numbers stay whole.
    method : str
        Short words how the value is formed.
    basis : Basis
        Where it comes from, such as ``predict.baseline/predictions.csv``.
    reason_null : str, optional
        Why the value is undefined; needed where it is.

    Raises
    ------
    ValueError
        If an undefined value comes without a reason.
    """
    number = _plain(value)
    if number is None and not reason_null:
        raise ValueError(f"an undefined value needs a reason ({method}, {basis.artifact})")
    return Entry(
        value=number,
        low=None,
        high=None,
        level=None,
        method=method,
        n=basis.n,
        clusters=basis.clusters,
        se=None,
        reason_null=None if number is not None else reason_null,
        artifact=basis.artifact,
    )


def bounded(item: Entry, interval: Interval) -> Entry:
    """Return an entry with its interval and standard error, or with the reason why it has none."""
    if item["value"] is None:
        return item
    low, high = _plain(interval.low), _plain(interval.high)
    known = low is not None and high is not None
    return Entry(
        **{
            **item,
            "low": low,
            "high": high,
            "level": interval.level if known else None,
            "se": _plain(interval.se),
            "method": f"{item['method']}{INTERVAL}{interval.method}" if known else item["method"],
            "reason_null": None if known else interval.reason_null,
        }
    )


def without_interval(method: str) -> str:
    """Return how a value is formed, without how its interval is."""
    return method.partition(INTERVAL)[0]


def _plain(value: Number | None) -> float | int | None:
    if isinstance(value, int | np.integer):
        return int(value)
    if value is None or not math.isfinite(float(value)):
        return None
    return float(value)


def result_name(owner: str, *parts: str) -> str:
    """Return the name of a result: ``<owner>.<split>.<measure>[.<class or average>]``."""
    return ".".join((owner, *parts))


def owned(results: Mapping[str, Entry], *owner: str) -> Results:
    """Return ``results`` under names that begin with their ``owner``."""
    return {result_name(*owner, name): item for name, item in results.items()}


def write_json(path: Path, content: object) -> None:
    """Write ``content`` so that equal content gives equal bytes; NaN is refused."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """Return the entries of a ``results.json`` that a stage wrote."""
    results: Results = json.loads(path.read_text(encoding="utf-8"))
    return results

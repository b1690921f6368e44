"""Studies of few and many classes, with short, long and odd labels."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd

Inputs = dict[str, Path]


SHORT = [
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
    "No Finding",
    "COVID-19",
    "Tuberculosis",
    "Lung Opacity",
    "Fracture",
    "Support Devices",
]


LONG = [
    f"Another class label that is just as long as the first one and takes two lines {k:02d}"
    for k in range(20)
]


SOLID = [f"Pleural_Thickening-with/no_space_at_all_in_this_label_of_some_seventy_{k:02d}" for k in range(20)]


LABELS = {"short": SHORT, "long": LONG, "solid": SOLID}


HOSTILE = [r"a_b^c $x$ \frac{1}{2}", "50 % & <b> \"q\" 'it' #1 {y} [z]", "US$ and $5", r"\$ $$ ~s~ `c`"]


def ids(n: int) -> list[str]:
    return [f"c{k:02d}" for k in range(n)]


def classes_of(n: int, kind: str) -> list[dict[str, str]]:
    return [{"id": i, "label": label} for i, label in zip(ids(n), LABELS[kind][:n], strict=True)]


def multiply(inputs: Inputs, out: Path, times: int, *, records: bool = True) -> Inputs:
    """Return inputs with ``times`` as many pictures, which are written into ``out`` unless they lie there.

    Without their ``records`` they are counted in the matrices alone.
    """
    evaluated = [f"evaluate_{model}" for model in ("a", "b", "low_detail")]
    written = ["read", "split"] if records else []
    changed = [*written, *(name for name in evaluated if name in inputs)]
    given = {**inputs, **{name: out / name for name in changed}}
    if out.exists():
        return given
    for name in changed:
        given[name].mkdir(parents=True)
    for folder, file in {"read": "records.csv", "split": "split.csv"}.items() if records else ():
        table = pd.read_csv(inputs[folder] / file, keep_default_na=False)
        pd.concat([table] * times).to_csv(given[folder] / file, index=False)
    for name in changed[len(written) :]:
        table = pd.read_csv(inputs[name] / "confusion.csv")
        table.assign(count=times * table["count"]).to_csv(given[name] / "confusion.csv", index=False)
    return given


def said_in(svg: str) -> str:
    """Return all texts of a figure one after another, without spaces."""
    texts = (t.text or "" for t in ET.fromstring(svg).iter() if t.tag.endswith("text"))
    return re.sub(r"\s+", "", "".join(texts))

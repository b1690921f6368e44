"""The ``results`` stage: every number that the document may print, in one ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evaluation.classification import Labelled, classification_results
from analysis.evaluation.data_counts import SPLIT, DataTables, data_results
from analysis.evaluation.entries import COUNT, Basis, Results, entry, owned, read_results, write_json
from analysis.evaluation.predictions import cluster_ids
from analysis.progress import Progress


def collect(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    models: Sequence[str],
) -> None:
    """Write ``results.json``: the data, each model, each comparison and the majority-class floor."""
    tables = _read_tables(inputs)
    results = owned(data_results(tables, classes), "data")
    results |= _majority(tables.records, classes)
    for model in models:
        results |= _architecture(inputs[f"architecture_{model}"], model)
        results |= read_results(inputs[f"evaluate_{model}"] / "results.json")
    for name in sorted(name for name in inputs if name.startswith("compare_")):
        results |= read_results(inputs[name] / "results.json")
    study = {"classes": list(classes), "models": list(models)}
    write_json(out / "results.json", {"study": study, "results": results})


def _read_tables(inputs: Mapping[str, Path]) -> DataTables:
    read = inputs["records"]
    records = _text_table(read / "records.csv")
    records["split"] = _text_table(inputs["split"] / "split.csv")["split"]
    flow = pd.read_csv(read / "flow.csv")
    return DataTables(records, _text_table(read / "excluded.csv"), flow)


def _text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _majority(records: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return the floor: every picture called by the most frequent class of train, the first of equals."""
    label = pd.Index(classes).get_indexer(pd.Index(records["label"]))
    train = (records["split"] == "train").to_numpy()
    most_frequent = np.bincount(label[train], minlength=len(classes)).argmax()
    results: Results = {}
    for split in ("val", "test"):
        rows = (records["split"] == split).to_numpy()
        y_true = label[rows]
        constant = np.full_like(y_true, most_frequent)
        labelled = Labelled(tuple(classes), y_true, constant, cluster_ids(records)[rows], SPLIT)
        results |= owned(classification_results(labelled), "majority", split)
    return results


def _architecture(folder: Path, model: str) -> Results:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    basis = Basis(f"architecture.{model}/summary.json")
    return {
        f"{model}.architecture.{name}": entry(summary[name], COUNT, basis)
        for name in ("parameters", "trainable_parameters")
    }

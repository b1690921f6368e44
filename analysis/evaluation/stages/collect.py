"""The ``results`` stage: every number that the document may print, in one ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import class_indices
from analysis.evaluation.predictions import Predictions, cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Results, entry, owned, read_results, write_json
from analysis.evaluation.statistics.resampled import measure_resamples
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.tables.classification import Labelled, classification_results
from analysis.evaluation.tables.data import DataTables, data_results
from analysis.evaluation.tables.measures import with_intervals
from analysis.progress import Progress
from analysis.vocabulary.reference_classifiers import MAJORITY
from analysis.vocabulary.splits import EVALUATED


def collect(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    models: Sequence[str],
    analyses: Sequence[str],
) -> None:
    """Write ``results.json``: the data, each model and reference classifier, each comparison and its verdict.

    Parameters
    ----------
    analyses : sequence of str
        What the names of each analysis end with, "" being the study's own.
    """
    results: Results = {}
    verdicts: list[dict[str, Any]] = []
    for analysis in analyses:
        tables = _read_tables(inputs, analysis)
        results |= owned(data_results(tables, classes), f"data{analysis}")
        results |= _majority(tables.records, classes, analysis)
    for name in inputs:
        kind, _, model = name.partition("_")
        if kind == "architecture":
            results |= _architecture(inputs[name], model)
    for name in sorted(name for name in inputs if name.startswith(("evaluate_", "compare", "ledger"))):
        results |= read_results(inputs[name] / "results.json")
        if name.startswith("compare"):
            verdicts += json.loads((inputs[name] / "verdicts.json").read_text(encoding="utf-8"))
    study = {"classes": list(classes), "models": list(models)}
    write_json(out / "results.json", {"study": study, "results": results, "verdicts": verdicts})


def _read_tables(inputs: Mapping[str, Path], analysis: str) -> DataTables:
    read = inputs["records"]
    records = _text_table(read / "records.csv")
    records["split"] = _text_table(inputs[f"split{analysis}"] / "split.csv")["split"]
    flow = pd.read_csv(read / "flow.csv")
    return DataTables(records, _text_table(read / "excluded.csv"), flow)


def _text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _majority(records: pd.DataFrame, classes: Sequence[str], analysis: str) -> Results:
    """Return the reference classifier that answers the most frequent class of train, the first of equals."""
    label = class_indices(records["label"], classes)
    train = (records["split"] == "train").to_numpy()
    most_frequent = np.bincount(label[train], minlength=len(classes)).argmax()
    results: Results = {}
    for split in EVALUATED:
        rows = (records["split"] == split).to_numpy()
        score = np.eye(len(classes))[np.full(rows.sum(), most_frequent)]
        ids = records["image_id"].to_numpy(dtype=object)[rows]
        constant = Predictions(tuple(classes), ids, cluster_ids(records)[rows], label[rows], score)
        draws = measure_resamples(constant, resamples(constant), areas=False)
        labelled = Labelled.from_predictions(constant, f"split{analysis}/split.csv")
        found = with_intervals(classification_results(labelled), constant, draws)
        results |= owned(found, f"{MAJORITY.id}{analysis}", split)
    return results


def _architecture(folder: Path, model: str) -> Results:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    basis = Basis(f"architecture.{model}/summary.json")
    return {
        f"{model}.architecture.{name}": entry(summary[name], COUNT, basis)
        for name in ("parameters", "trainable_parameters")
    }

"""The ``results`` stage: every number that the document may print, in one ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.evaluation.results_file import COUNT, Basis, Results, entry, owned, read_results, write_json
from analysis.evaluation.tables.data import DataTables, data_results
from analysis.evaluation.tables.majority import majority_results
from analysis.progress import Progress
from analysis.vocabulary.attention import ATTENTION
from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.results import ABLATION, OF_ARCHITECTURE
from analysis.vocabulary.run_names import FOLDS, join_run, split_run
from analysis.vocabulary.subsets import SUBSETS


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
    """Write ``results.json``: the data, each model and reference classifier, each comparison and its verdict, the audit.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``records``, ``split<analysis>``, ``architecture_<model>``, ``evaluate_<name>`` of each model and training,
        ``compare<analysis>``, ``ledger`` if there are published figures, ``folds``, ``ablation`` and ``subsets`` if there are any,
        ``audit_<topic><analysis>``, and ``attention_<model>``.
    classes : sequence of str
        Class ids in the study's order.
    models : sequence of str
        Those that are trained.
    analyses : sequence of str
        What the names of each analysis end with, "" being the study's own.
    """
    results: Results = {}
    for analysis in analyses:
        tables = _read_tables(inputs, analysis)
        results |= owned(data_results(tables, classes), f"data{analysis}")
        results |= majority_results(tables.records, classes, analysis)
    for name, folder in sorted(inputs.items()):
        kind, _, model = name.partition("_")
        if kind == "architecture":
            results |= _architecture(folder, model)
        elif name.startswith(("evaluate_", "compare", "ledger", FOLDS, ABLATION, SUBSETS)):
            results |= read_results(folder / "results.json")
        elif kind == ATTENTION:
            results |= owned(read_results(folder / "results.json"), ATTENTION)
        elif kind == AUDIT:
            results |= owned(read_results(folder / "results.json"), join_run(AUDIT, split_run(model)[1]))
    verdicts = [
        verdict for analysis in sorted(analyses) for verdict in _verdicts(inputs[f"compare{analysis}"])
    ]
    study = {"classes": list(classes), "models": list(models)}
    write_json(out / "results.json", {"study": study, "results": results, "verdicts": verdicts})


def _verdicts(folder: Path) -> list[dict[str, Any]]:
    verdicts: list[dict[str, Any]] = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    return verdicts


def _read_tables(inputs: Mapping[str, Path], analysis: str) -> DataTables:
    read = inputs["records"]
    records = _text_table(read / "records.csv")
    records["split"] = _text_table(inputs[f"split{analysis}"] / "split.csv")["split"]
    flow = pd.read_csv(read / "flow.csv")
    return DataTables(records, _text_table(read / "excluded.csv"), flow)


def _text_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _architecture(folder: Path, model: str) -> Results:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    basis = Basis(f"architecture.{model}/summary.json")
    return {
        f"{model}.architecture.{name}": entry(summary[name], COUNT, basis)
        for name in (result.id for result in OF_ARCHITECTURE)
    }

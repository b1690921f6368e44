"""The ``ledger`` stage: each published figure, ours beside it, and whether the two agree.

They agree when they differ by at most 1.96 standard errors of their difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import read_results, write_json
from analysis.evaluation.statistics.published import Known, own_figures
from analysis.evaluation.tables import ledger
from analysis.progress import Progress
from analysis.vocabulary.results import OF_ARCHITECTURE


def write(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    published: Mapping[str, Any],
    runs: Mapping[str, Sequence[str]],
    bars: Mapping[str, Sequence[str]],
    corrected: Mapping[str, str],
) -> None:
    """Write ``ledger.csv``, a row for each published figure, and ``results.json``.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``split``, ``evaluate_<model>``, ``predict_<run>`` of each training, and
        ``architecture_<model>`` of all models.
    classes : sequence of str
        Class ids in the study's order.
    published : mapping
        The published figures, as ``published.toml`` has them.
    runs : mapping of str to sequence of str
        The trainings of each model that is trained.
    bars : mapping of str to sequence of str
        Why the figures of a model may not be compared, by model.
    corrected : mapping of str to str
        The model with the mistake, by the model without it.
    """
    ours = {model: _architecture(inputs[f"architecture_{model}"]) for model in bars}
    for done, (model, names) in enumerate(runs.items()):
        progress(done, len(runs), "models")
        predictions = [_read_test(inputs[f"predict_{name}"], classes) for name in names]
        evaluated = read_results(inputs[f"evaluate_{model}"] / "results.json")
        ours[model] |= own_figures(evaluated, model, predictions)
    other_data = list(ledger.other_data(published["protocol"]["counts"], _images(inputs)))
    rows = list(ledger.ledger_rows(published, ours, ledger.Conditions(bars, other_data, corrected)))
    table = pd.DataFrame([row.cells for row in rows], columns=list(ledger.COLUMNS))
    table.to_csv(out / "ledger.csv", index=False, lineterminator="\n")
    results = ledger.figure_results(rows) | ledger.protocol_results(published) | ledger.tally_results(rows)
    write_json(out / "results.json", results)


def _images(inputs: Mapping[str, Path]) -> dict[str, int]:
    """Return how many images each split has."""
    splits = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"], dtype=str)["split"]
    return {str(split): int(count) for split, count in splits.value_counts().items()}


def _architecture(folder: Path) -> dict[str, Known]:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {
        f"architecture.{name}": Known(float(summary[name]))
        for name in (result.id for result in OF_ARCHITECTURE)
    }


def _read_test(folder: Path, classes: Sequence[str]) -> Predictions:
    return read_predictions(folder / "predictions.csv", classes, ("test",))["test"]

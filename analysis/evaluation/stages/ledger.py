"""The ``ledger`` stage: each published figure, ours beside it, and whether the two agree.

They agree when they differ by at most 1.96 standard errors of their difference. That of a published figure comes from
a multinomial bootstrap of the published confusion matrix, that of ours from patients drawn again, with the variance of
the seeds if there are several. A published figure that follows from its matrix is taken from there and not rounded;
as in scikit-learn's reports a share of no pictures counts as 0 here, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import (
    COUNT,
    Basis,
    Interval,
    Results,
    bounded,
    entry,
    owned,
    read_results,
    write_json,
)
from analysis.evaluation.statistics import metrics
from analysis.evaluation.statistics.metrics import Floats
from analysis.evaluation.statistics.resampling import RESAMPLES as OWN_RESAMPLES
from analysis.evaluation.statistics.resampling import Clusters, bootstrap, clusters, confusion_matrices
from analysis.evaluation.tables.classification import PER_CLASS
from analysis.progress import Progress

RESAMPLES, SEED = 10_000, 42
Z = 1.96
ARTIFACT = "ledger/ledger.csv"
PARTS = {"train": "training", "val": "validation", "test": "test"}
KINDS = {"accuracy": "test.accuracy", "test": "test.", "training": "training.", "parameters": "architecture."}
VERDICTS = ("differs", "agrees", "not decided", "not measured", "not comparable")
NO_SPREAD = "no standard error follows from what was published"
OF_ONE_TRAINING = "a figure of one training, which has no standard error"
NO_OWN_SPREAD = "no standard error of ours"
NO_FIGURE = "not computed here"
NOT_ON_TRAINING = "the training set is not evaluated here"
NOT_TRAINED = "not trained here"
CORRECTED = "the mistake is corrected"
MOST_MISSING = 0.05
"""The largest difference of a published number of pictures, as a share of it, with which figures are compared."""
OF_CORRECTED = ("test.accuracy", "test.f1.macro")
"""The published figures of a model that has a mistake, which those of the corrected one stand beside."""


@dataclass(frozen=True)
class Known:
    """A value with its standard error and, if it has one, its interval; unknown is NaN."""

    value: float
    se: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")


def ledger(
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
        predictions = [_test(inputs[f"predict_{name}"], classes) for name in names]
        ours[model] |= measured(
            read_results(inputs[f"evaluate_{model}"] / "results.json"), model, predictions
        )
    other_data = list(_other_data(published["protocol"]["counts"], _pictures(inputs)))
    rows = list(_rows(published, ours, bars, other_data, corrected))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.to_csv(out / "ledger.csv", index=False, lineterminator="\n")
    write_json(out / "results.json", {**_entries(rows), **_of_protocol(published), **_tally(rows)})


COLUMNS = (
    *("model", "run", "figure", "source", "printed", "published", "published_se"),
    *("ours", "low", "high", "se", "verdict", "why"),
)


def _pictures(inputs: Mapping[str, Path]) -> dict[str, int]:
    """Return how many pictures each part has."""
    parts = pd.read_csv(inputs["split"] / "split.csv", usecols=["split"], dtype=str)["split"]
    return {str(part): int(count) for part, count in parts.value_counts().items()}


def _other_data(published: Mapping[str, int], ours: Mapping[str, int]) -> Iterator[str]:
    """Yield which parts have so many pictures more or fewer than published that figures are not compared."""
    for part, words in PARTS.items():
        if part in published and abs(ours.get(part, 0) - published[part]) > MOST_MISSING * published[part]:
            yield f"{ours.get(part, 0):,} {words} pictures here, {published[part]:,} published"


def _architecture(folder: Path) -> dict[str, Known]:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {
        f"architecture.{name}": Known(float(summary[name])) for name in ("parameters", "trainable_parameters")
    }


def _test(folder: Path, classes: Sequence[str]) -> Predictions:
    return read_predictions(folder / "predictions.csv", classes, ("test",))["test"]


def measured(results: Results, model: str, predictions: Sequence[Predictions]) -> dict[str, Known]:
    """Return our figures by the names that published ones have: ``test.f1.macro``, ``training.epochs_run``."""
    known = {
        name.removeprefix(f"{model}."): Known(*(_number(item[k]) for k in ("value", "se", "low", "high")))
        for name, item in results.items()
    }
    weights = bootstrap(_one_stratum(predictions[0]), OWN_RESAMPLES)
    once, drawn = (
        [_of_predictions(p, each) for p in predictions]
        for each in (np.ones((1, len(predictions[0].y_true))), weights)
    )
    for name in once[0]:
        values = [float(of[name][0]) for of in once]
        draws = np.mean([of[name] for of in drawn], axis=0)
        seeds = float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0
        se = float(np.sqrt(draws.var(ddof=1) + seeds))
        told = known.get(f"test.{name}", Known(float("nan")))
        if np.isnan(told.low):
            told = Known(told.value, se, *np.quantile(draws, (0.025, 0.975)))
        value = float(np.mean(values)) if np.isnan(told.value) else told.value
        known[f"test.{name}"] = Known(value, se, told.low, told.high)
    return known


def _one_stratum(predictions: Predictions) -> Clusters:
    """Return the patients as they are drawn here: the numbers of the classes vary, as in the published matrices."""
    return clusters(predictions.patient_id, np.zeros_like(predictions.y_true))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _of_predictions(predictions: Predictions, weights: Any) -> dict[str, Floats]:
    matrices = confusion_matrices(weights, predictions.y_true, predictions.y_pred, len(predictions.classes))
    return of_matrices(matrices, predictions.classes)


def of_matrices(matrices: metrics.Counts, classes: Sequence[str]) -> dict[str, Floats]:
    """Return every measure of matrices of shape (B, K, K), each of shape (B,); shares of no pictures are 0.

    Averages are also ``weighted`` by the pictures of the classes, as scikit-learn's reports have them.
    """
    supports = matrices.sum(axis=-1)
    shares = supports / supports.sum(axis=-1, keepdims=True)
    found = {"accuracy": metrics.accuracy(matrices)}
    for name, measure in PER_CLASS.items():
        values = np.nan_to_num(measure(matrices))
        found |= {f"{name}.{c}": values[:, k] for k, c in enumerate(classes)}
        found[f"{name}.macro"] = values.mean(axis=-1)
        found[f"{name}.weighted"] = (values * shares).sum(axis=-1)
    return found


def published_figures(
    confusion: Sequence[Sequence[int]] | None, pictures: int | None, accuracy: float, classes: Sequence[str]
) -> dict[str, Known]:
    """Return what follows from a published matrix, or of a number of pictures and an accuracy the accuracy alone.

    The accuracy is the same multinomial with two cells: right and wrong.
    """
    if confusion is None and pictures is None:
        return {}
    if confusion is None:
        right = round(accuracy * int(pictures or 0))
        matrix = np.array([[right, int(pictures or 0) - right], [0, 0]])
        classes = ("right", "wrong")
    else:
        matrix = np.array(confusion)
    total = matrix.sum()
    drawn = np.random.default_rng(SEED).multinomial(total, matrix.ravel() / total, size=RESAMPLES)
    values = of_matrices(matrix[None], classes)
    draws = of_matrices(drawn.reshape(RESAMPLES, *matrix.shape), classes)
    found = {f"test.{n}": Known(float(v[0]), float(draws[n].std(ddof=1))) for n, v in values.items()}
    return found if confusion is not None else {"test.accuracy": found["test.accuracy"]}


def _rows(
    published: Mapping[str, Any],
    ours: Mapping[str, Mapping[str, Known]],
    bars: Mapping[str, Sequence[str]],
    other_data: Sequence[str],
    corrected: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the ledger, in the order of ``published.toml``; those of corrected models follow theirs."""
    matrices = _matrices(published)
    for result in published["results"]:
        model, run = result["model"], result["run"] or ""
        why = list(bars.get(model, ["not a model of this study"]))
        for name, printed in result["figures"].items():
            theirs = matrices.get((model, run), {}).get(name, Known(float(printed)))
            line = {"run": run, "figure": name, "source": result["source"], "printed": printed}
            barred = why or ([] if name.startswith("architecture.") else other_data)
            yield _row({"model": model, **line}, theirs, ours.get(model, {}), barred)
            for other in (m for m, of in corrected.items() if of == model and not run):
                if name in OF_CORRECTED:
                    reasons = [CORRECTED, *bars.get(other, [])]
                    yield _row({"model": other, **line}, theirs, ours.get(other, {}), reasons)


def _matrices(published: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Known]]:
    """Return by model and run what follows from the matrix that was published for it, and not from an inferred one."""
    found: dict[tuple[str, str], dict[str, Known]] = {}
    classes = published["protocol"]["classes"]
    for result in published["results"]:
        if result["source"] == "inferred":
            continue
        accuracy = float(result["figures"].get("test.accuracy", "nan"))
        values = published_figures(result["confusion"], result["pictures"], accuracy, classes)
        found.setdefault((result["model"], result["run"] or ""), {}).update(values)
    return found


def _row(
    line: Mapping[str, str], theirs: Known, found: Mapping[str, Known], bars: Sequence[str]
) -> dict[str, Any]:
    ours = found.get(line["figure"])
    verdict, why = judge(line["figure"], theirs, ours, bars, trained="test.accuracy" in found)
    own = ours or Known(float("nan"))
    return {
        **line,
        "published": theirs.value,
        "published_se": theirs.se,
        "ours": own.value,
        "low": own.low,
        "high": own.high,
        "se": own.se,
        "verdict": verdict,
        "why": why,
    }


def judge(
    figure: str, theirs: Known, ours: Known | None, bars: Sequence[str], *, trained: bool = True
) -> tuple[str, str]:
    """Return the verdict on a published figure and ours, and why there is no other."""
    if bars:
        return "not comparable", "; ".join(bars)
    if ours is None or np.isnan(ours.value):
        why = NOT_ON_TRAINING if figure.startswith("train.") else NO_FIGURE
        return "not measured", why if trained else NOT_TRAINED
    if figure.startswith("architecture."):
        return ("agrees" if ours.value == theirs.value else "differs"), ""
    if figure.startswith("training."):
        return "not decided", OF_ONE_TRAINING
    if np.isnan(theirs.se) or np.isnan(ours.se):
        return "not decided", NO_SPREAD if np.isnan(theirs.se) else NO_OWN_SPREAD
    within = abs(theirs.value - ours.value) <= Z * np.hypot(theirs.se, ours.se)
    return ("agrees" if within else "differs"), ""


def _entries(rows: Sequence[Mapping[str, Any]]) -> Results:
    """Return each published figure, and each difference ours - published that was judged."""
    results: Results = {}
    basis = Basis(ARTIFACT)
    for row in rows:
        name = f"{row['model']}{'@' if row['run'] else ''}{row['run']}.{row['figure']}"
        item = entry(row["published"], f"as published: {row['source']}", basis)
        results.setdefault(f"published.{name}", {**item, "se": _finite(row["published_se"])})
        judged = row["verdict"] in {"agrees", "differs"} and not np.isnan(row["published_se"])
        if judged:
            se = float(np.hypot(row["published_se"], row["se"]))
            difference = row["ours"] - row["published"]
            spread = Interval(
                difference - Z * se, difference + Z * se, 0.95, se, "normal, both standard errors"
            )
            results.setdefault(
                f"ledger.{name}", bounded(entry(difference, "ours less published", basis), spread)
            )
    return results


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _of_protocol(published: Mapping[str, Any]) -> Results:
    """Return the published counts of pictures, and the accuracy of always answering the commonest class."""
    counts, classes = published["protocol"]["counts"], published["protocol"]["classes"]
    basis = Basis(ARTIFACT)
    results: Results = {}
    for name, count in counts.items():
        split, _, of = name.partition(".")
        results[f"data.{split}.count{'.' if of else ''}{of}"] = entry(count, "as published", basis)
    of_classes = [counts[f"test.{c}"] for c in classes if f"test.{c}" in counts]
    if len(of_classes) == len(classes):
        floor = max(of_classes) / sum(of_classes)
        results["majority.test.accuracy"] = entry(floor, "share of the commonest class", basis)
    return owned(results, "published")


def _tally(rows: Sequence[Mapping[str, Any]]) -> Results:
    """Return how many published figures of a kind there are, and on how many of them each verdict was passed.

    Accuracies stand for the networks, one each; of a figure that was printed in two places the one that was judged
    counts. Second trainings that were published and corrected networks are left out.
    """
    kinds: dict[str, dict[tuple[str, str], str]] = {kind: {} for kind in KINDS}
    for row in rows:
        if row["run"] or CORRECTED in row["why"]:
            continue
        for kind, part in KINDS.items():
            if row["figure"].startswith(part):
                figure, verdict = (row["model"], row["figure"]), row["verdict"]
                kinds[kind][figure] = min(verdict, kinds[kind].get(figure, verdict), key=VERDICTS.index)
    results: Results = {"tolerance": entry(MOST_MISSING, "largest difference in pictures", Basis(ARTIFACT))}
    for kind, of in kinds.items():
        verdicts = list(of.values())
        counts = {verdict.replace(" ", "_"): verdicts.count(verdict) for verdict in VERDICTS}
        named = {"count": len(verdicts), **counts}
        results |= {f"{kind}.{n}": entry(c, COUNT, Basis(ARTIFACT)) for n, c in named.items()}
    return owned(results, "ledger")

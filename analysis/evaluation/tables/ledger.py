"""Rows and results of the ledger: each published figure, ours beside it, and the verdict.

A published figure that follows from its matrix is taken from there and not rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.evaluation import settings
from analysis.evaluation.results_file import COUNT, Basis, Interval, Results, bounded, entry, owned
from analysis.evaluation.statistics.published import NAN, Known, agree, published_figures
from analysis.vocabulary import published as vocabulary
from analysis.vocabulary.reference_classifiers import MAJORITY
from analysis.vocabulary.run_names import join_run
from analysis.vocabulary.splits import SPLITS

BASIS = Basis("ledger/ledger.csv")
COLUMNS = (
    *("model", "run", "figure", "source", "printed", "published", "published_se"),
    *("ours", "low", "high", "se", "verdict", "why"),
)
NO_SPREAD = "no standard error follows from what was published"
OF_ONE_TRAINING = "a figure of one training, which has no standard error"
NO_OWN_SPREAD = "no standard error of ours"
NO_FIGURE = "not computed here"
NOT_ON_TRAINING = "the training set is not evaluated here"
NOT_TRAINED = "not trained here"
CORRECTED = "the mistake is corrected"


@dataclass(frozen=True)
class Line:
    """A published figure of a model as it was printed, and whether it stands beside a corrected model's.

    Parameters
    ----------
    model, run : str
        ``run`` names another training than the study's main one.
    figure : str
        Its name: ``test.f1.macro``, ``training.epochs_run``, ``architecture.parameters``.
    source : str
        Where it was read.
    printed : str
    corrected : bool
        Whether it is that of the model with a mistake that ``model`` corrects.
    """

    model: str
    run: str
    figure: str
    source: str
    printed: str
    corrected: bool = False

    @property
    def part(self) -> str:
        """What it is of: a split, the training or the architecture."""
        return self.figure.partition(".")[0]


@dataclass(frozen=True)
class Row:
    """A line of the ledger with both values and the verdict."""

    line: Line
    theirs: Known
    ours: Known
    verdict: vocabulary.Verdict
    why: str

    @property
    def cells(self) -> dict[str, Any]:
        """What stands in the columns of ``ledger.csv``."""
        line, theirs, ours = self.line, self.theirs, self.ours
        known = (theirs.value, theirs.se, ours.value, ours.low, ours.high, ours.se)
        printed = (line.model, line.run, line.figure, line.source, line.printed)
        return dict(zip(COLUMNS, (*printed, *known, self.verdict, self.why), strict=True))


@dataclass(frozen=True)
class Conditions:
    """What keeps figures from being compared.

    Parameters
    ----------
    obstacles : mapping of str to sequence of str
        Why the figures of a model may not be compared, by model.
    other_data : sequence of str
        Which splits have so many other images that nothing but architectures is compared.
    corrected : mapping of str to str
        The model with the mistake, by the model without it.
    """

    obstacles: Mapping[str, Sequence[str]]
    other_data: Sequence[str]
    corrected: Mapping[str, str]


def other_data(published: Mapping[str, int], ours: Mapping[str, int]) -> Iterator[str]:
    """Yield which splits have so many images more or fewer than published that figures are not compared.

    Parameters
    ----------
    published, ours : mapping of str to int
        Numbers of images by split.
    """
    for split in SPLITS.values():
        if split.id in published:
            here, there = ours.get(split.id, 0), published[split.id]
            if abs(here - there) > settings.MOST_MISSING * there:
                yield f"{here:,} {split.name} images here, {there:,} published"


def ledger_rows(
    published: Mapping[str, Any], ours: Mapping[str, Mapping[str, Known]], conditions: Conditions
) -> Iterator[Row]:
    """Yield the rows in the order of ``published.toml``; those of corrected models follow theirs.

    Parameters
    ----------
    published : mapping
        The published figures, as ``published.toml`` has them.
    ours : mapping of str to mapping of str to Known
        Our figures by model and name.
    """
    known = exact_figures(published)
    for result in published["results"]:
        model, run = result["model"], result["run"] or ""
        obstacles = list(conditions.obstacles.get(model, ["not a model of this study"]))
        for name, printed in result["figures"].items():
            theirs = known.get((model, run), {}).get(name, Known(float(printed)))
            line = Line(model, run, name, result["source"], printed)
            data = [] if line.part == "architecture" else conditions.other_data
            yield _row(line, theirs, ours.get(model, {}), obstacles or data)
            if run or name not in vocabulary.WITH_CORRECTED:
                continue
            for other in (m for m, faithful in conditions.corrected.items() if faithful == model):
                reasons = [CORRECTED, *conditions.obstacles.get(other, [])]
                beside = Line(other, run, name, result["source"], printed, corrected=True)
                yield _row(beside, theirs, ours.get(other, {}), reasons)


def exact_figures(published: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Known]]:
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


def _row(line: Line, theirs: Known, found: Mapping[str, Known], obstacles: Sequence[str]) -> Row:
    ours = found.get(line.figure)
    verdict, why = judge(line, theirs, ours, obstacles, trained="test.accuracy" in found)
    return Row(line, theirs, ours or Known(NAN), verdict, why)


def judge(
    line: Line, theirs: Known, ours: Known | None, obstacles: Sequence[str], *, trained: bool = True
) -> tuple[vocabulary.Verdict, str]:
    """Return the verdict on a published figure and ours, and why there is no other.

    Parameters
    ----------
    line : Line
    theirs : Known
    ours : Known or None
        None where there is no such figure here.
    obstacles : sequence of str
        Why the two may not be compared; none where they may.
    trained : bool
        Whether the model is trained here.
    """
    if obstacles:
        return vocabulary.NOT_COMPARABLE, vocabulary.join_reasons(obstacles)
    if ours is None or np.isnan(ours.value):
        why = NOT_ON_TRAINING if line.part == "train" else NO_FIGURE
        return vocabulary.NOT_MEASURED, why if trained else NOT_TRAINED
    if line.part == "architecture":
        return (vocabulary.AGREES if ours.value == theirs.value else vocabulary.DIFFERS), ""
    if line.part == "training":
        return vocabulary.NOT_DECIDED, OF_ONE_TRAINING
    if np.isnan(theirs.se) or np.isnan(ours.se):
        return vocabulary.NOT_DECIDED, NO_SPREAD if np.isnan(theirs.se) else NO_OWN_SPREAD
    return (vocabulary.AGREES if agree(theirs, ours) else vocabulary.DIFFERS), ""


def figure_results(rows: Sequence[Row]) -> Results:
    """Return each published figure, and each difference ours - published that was judged."""
    results: Results = {}
    for row in rows:
        line, theirs, ours = row.line, row.theirs, row.ours
        name = f"{join_run(line.model, line.run)}.{line.figure}"
        item = entry(theirs.value, f"as published: {line.source}", BASIS)
        se = None if np.isnan(theirs.se) else float(theirs.se)
        results.setdefault(f"published.{name}", {**item, "se": se})
        if row.verdict in {vocabulary.AGREES, vocabulary.DIFFERS} and se is not None:
            difference = entry(ours.value - theirs.value, "ours less published", BASIS)
            results.setdefault(f"ledger.{name}", bounded(difference, _difference_interval(theirs, ours)))
    return results


def _difference_interval(theirs: Known, ours: Known) -> Interval:
    difference, se = ours.value - theirs.value, float(np.hypot(theirs.se, ours.se))
    low, high = difference - settings.AGREEMENT_Z * se, difference + settings.AGREEMENT_Z * se
    return Interval(low, high, settings.LEVEL, se, "normal, both standard errors")


def protocol_results(published: Mapping[str, Any]) -> Results:
    """Return the published counts of images, and the accuracy of always answering the commonest class."""
    counts, classes = published["protocol"]["counts"], published["protocol"]["classes"]
    results: Results = {}
    for name, count in counts.items():
        split, dot, class_id = name.partition(".")
        results[f"data.{split}.count{dot}{class_id}"] = entry(count, "as published", BASIS)
    by_class = [counts[f"test.{c}"] for c in classes if f"test.{c}" in counts]
    if len(by_class) == len(classes):
        accuracy = max(by_class) / sum(by_class)
        results[f"{MAJORITY.id}.test.accuracy"] = entry(accuracy, "share of the commonest class", BASIS)
    return owned(results, "published")


def tally_results(rows: Sequence[Row]) -> Results:
    """Return how many published figures of a kind there are, and on how many of them each verdict was passed.

    Accuracies stand for the networks, one each; of a figure that was printed in two places the one that was judged
    counts. Second trainings that were published and corrected networks are left out.
    """
    tolerance = entry(settings.MOST_MISSING, "largest difference in images", BASIS)
    results: Results = {"tolerance": tolerance}
    for kind, start in vocabulary.TALLIED.items():
        verdicts = _verdicts([row for row in rows if row.line.figure.startswith(start)])
        counts = {vocabulary.as_key(verdict): verdicts.count(verdict) for verdict in vocabulary.VERDICTS}
        named = {vocabulary.COUNT: len(verdicts), **counts}
        results |= {f"{kind}.{name}": entry(count, COUNT, BASIS) for name, count in named.items()}
    return owned(results, "ledger")


def _verdicts(rows: Sequence[Row]) -> list[vocabulary.Verdict]:
    """Return one verdict for each figure of the main trainings."""
    found: dict[tuple[str, str], vocabulary.Verdict] = {}
    for row in rows:
        if not row.line.run and not row.line.corrected:
            figure = row.line.model, row.line.figure
            found[figure] = min(row.verdict, found.get(figure, row.verdict), key=vocabulary.VERDICTS.index)
    return list(found.values())

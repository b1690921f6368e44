"""The names of all results that a study will have, known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from analysis.evaluation.settings import DISCORDANCES, PREVALENCES, SPECIFICITIES
from analysis.vocabulary.measures import (
    ABNORMAL,
    COMPARED,
    DEFAULT_PRIMARY,
    FROM_MATRIX,
    LEARNING_CURVES,
    MEASURES,
    MOVES,
    OF_PROBABILITIES,
    Measure,
    in_percent,
    pair_name,
)
from analysis.vocabulary.published import COUNT, TALLIED, VERDICTS, WITH_CORRECTED, as_key
from analysis.vocabulary.reference_classifiers import LOW_DETAIL, MAJORITY
from analysis.vocabulary.splits import EVALUATED
from report.study import readers
from report.study.trainings import find_normal_class, list_analyses, list_compared, list_runs
from report.writing.sections.data import PEOPLE

if TYPE_CHECKING:
    from report.study.model_settings import Model
    from report.study.study import Study

COURSE = ("epochs_run", "best_epoch", "weights_epoch", "overfitting_epoch")
SHARED = ("same_patient_in_train", "same_patient_in_train_share", "exact_duplicate_elsewhere")
DECIDED = ("primary", "equivalence", "p", "p_holm", "detectable_difference", "false_better")
ARCHITECTURE = ("parameters", "trainable_parameters")


def result_names(study: Study) -> frozenset[str]:
    """Return every name that ``results.json`` of a study can have, but for the reasons of ``data.excluded``.

    Which published figures are judged, and so have a difference, is not known before: all are among the names.
    """
    found: set[str] = {f"{m.id}.architecture.{n}" for m in study.models for n in ARCHITECTURE}
    for analysis in list_analyses(study):
        found |= _owned(f"data{analysis}", _data(study))
        found |= {
            f"{MAJORITY.id}{analysis}.{split}.{n}" for split in EVALUATED for n in _classification(study)
        }
        found |= _owned(f"{LOW_DETAIL.id}{analysis}", _evaluated(study, rebalanced=False))
        for model in study.trained:
            owners = {f"{model.id}{analysis}", *(run.name for run in list_runs(study, model, analysis))}
            for owner in owners:
                found |= _owned(owner, _of_training())
                found |= _owned(owner, _evaluated(study, rebalanced=is_rebalanced(model)))
        found |= set(_compared(study, analysis))
    return frozenset(found | set(_published(study)))


def is_rebalanced(model: Model) -> bool:
    """Tell whether a model learns from other shares of classes than there are, so that its priors are corrected."""
    return model.class_balance != "none" or model.class_weights != "none"


def _owned(owner: str, of: Iterable[str]) -> set[str]:
    return {f"{owner}.{name}" for name in of}


def _classes(study: Study) -> tuple[str, ...]:
    return tuple(c.id for c in study.classes)


def _of_training() -> Iterator[str]:
    yield from (f"training.{name}" for name in COURSE)
    yield from (f"training.{end}_{curve}" for end in ("first", "last") for curve in LEARNING_CURVES)
    yield from (
        f"training.{n}" for n in ("best_val_loss", "best_val_accuracy", "rise_after_best", "last_gap")
    )


def _named(measures: Iterable[Measure], study: Study) -> list[str]:
    """Return the names of the results of measures, for all images and each class and average that they have."""
    return [name for measure in measures for name in measure.results(_classes(study))]


def _classification(study: Study) -> Iterator[str]:
    yield from ("n", *_named(FROM_MATRIX, study))
    for true in _classes(study):
        yield f"support.{true}"
        yield from (
            f"{cell}.{true}.{said}" for cell in ("confusion", "confusion_share") for said in _classes(study)
        )


def _evaluated(study: Study, *, rebalanced: bool) -> Iterator[str]:
    scores = [*_classes(study), *([ABNORMAL] if find_normal_class(study) else [])]
    corrections = ("_scaled", *(["_prior"] if rebalanced else []))
    of_scores = [measure for measure in MEASURES.values() if measure.of_scores]
    thresholds = [f"{in_percent('at', share)}.{score}" for share in SPECIFICITIES for score in scores]
    of_each = [
        *_classification(study),
        *_named(of_scores, study),
        *(f"{loss.id}{correction}" for loss in OF_PROBABILITIES for correction in corrections),
        "ece_expected",
        *(f"{measure}_{at}" for measure in ("sensitivity", "specificity") for at in thresholds),
    ]
    yield from (f"{split}.{name}" for split in EVALUATED for name in of_each)
    yield "val.temperature"
    yield from (f"val.threshold_{at}" for at in thresholds)
    if find_normal_class(study):
        at, shares = in_percent("at", SPECIFICITIES[0]), PREVALENCES
        yield from (f"test.{m}_{at}.{in_percent('prevalence', p)}" for m in ("ppv", "npv") for p in shares)


def _compared(study: Study, analysis: str) -> Iterator[str]:
    """Yield the names of one analysis that are of two models, and of what a comparison can find."""
    declared, differences = study.comparison, _named(COMPARED, study)
    primary = declared.primary if declared else DEFAULT_PRIMARY
    for split in EVALUATED:
        for model in study.trained:
            yield f"{pair_name(model.id, LOW_DETAIL.id)}{analysis}.{split}.{primary}"
        for mistake in study.corrections:
            pair = f"{pair_name(mistake.corrected, mistake.faithful)}{analysis}.{split}"
            yield from (f"{pair}.{name}" for name in differences)
        for other in list_compared(study):
            assert declared is not None
            pair = f"{pair_name(other, declared.baseline)}{analysis}.{split}"
            moves = [f"{move}{of}" for move in MOVES for of in ("", *(f".{c}" for c in _classes(study)))]
            yield from (f"{pair}.{n}" for n in (*differences, *moves, "sign_flip_p", "sign_flip_deff"))
    if declared is None:
        return
    several = ("variance.patients", "variance.a", "variance.b") if len(study.training.seeds) > 1 else ()
    for other in list_compared(study):
        pair = f"{pair_name(other, declared.baseline)}{analysis}.{declared.split}"
        yield from (f"{pair}.{name}" for name in (*DECIDED, *several))
    planning = f"planning{analysis}.{declared.split}.detectable_gain"
    yield from (f"{planning}.{in_percent('discordance', share)}" for share in DISCORDANCES)


def _data(study: Study) -> Iterator[str]:
    classes = _classes(study)
    yield from readers.look_up(study.dataset.reader).results
    yield from ("pictures_found", "excluded", "pictures", "patients")
    yield from (f"all.{fact}.{c}" for fact in PEOPLE for c in classes)
    for part in ("all", "train", *EVALUATED):
        yield from (f"{part}.count", *(f"{part}.{what}.{c}" for what in ("count", "share") for c in classes))
    yield from (f"{split}.{name}" for split in EVALUATED for name in SHARED)


def _published(study: Study) -> Iterator[str]:
    """Yield the names of published figures and of how ours stand to them."""
    if study.published is None:
        return
    yield "ledger.tolerance"
    yield from (f"ledger.{kind}.{what}" for kind in TALLIED for what in (COUNT, *map(as_key, VERDICTS)))
    corrected = {m.corrects: m.id for m in study.trained if m.corrects}
    for result in study.published.results:
        owner = f"{result.model}@{result.run}" if result.run else result.model
        yield from (f"{of}.{owner}.{name}" for of in ("published", "ledger") for name in result.figures)
        if result.model in corrected and not result.run:
            shown = [name for name in result.figures if name in WITH_CORRECTED]
            yield from (
                f"{of}.{corrected[result.model]}.{n}" for of in ("published", "ledger") for n in shown
            )
    counts = study.published.protocol.counts
    for name in counts:
        split, dot, of = name.partition(".")
        yield f"published.data.{split}.count{dot}{of}"
    if all(f"test.{c}" in counts for c in study.published.protocol.classes):
        yield f"published.{MAJORITY.id}.test.accuracy"

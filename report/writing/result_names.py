"""The names of all results that a study will have, known before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from analysis.evaluation.settings import DISCORDANCES, PREVALENCES, SPECIFICITIES
from analysis.vocabulary import ablation, attention, audit, external, folds, pretraining, results, subsets
from analysis.vocabulary.measures import (
    ABNORMAL,
    COMPARED,
    DEFAULT_PRIMARY,
    FROM_MATRIX,
    MEASURES,
    OF_PROBABILITIES,
    PRIOR,
    SCALED,
    Measure,
    in_percent,
    pair_name,
)
from analysis.vocabulary.published import COUNT, TALLIED, VERDICTS, WITH_CORRECTED, as_key
from analysis.vocabulary.reference_classifiers import LOW_DETAIL, MAJORITY
from analysis.vocabulary.run_names import join_run
from analysis.vocabulary.splits import ALL_IMAGES, EVALUATED, SPLITS
from report.study import readers
from report.study.trainings import (
    find_normal_class,
    list_analyses,
    list_compared,
    list_explained,
    list_fold_models,
    list_fold_pairs,
    list_pairs,
    list_runs,
)

if TYPE_CHECKING:
    from report.study.model_settings import Model
    from report.study.study import Study


def result_names(study: Study) -> frozenset[str]:
    """Return every name that ``results.json`` of a study can have, but for the reasons of ``data.excluded``.

    Which published figures are judged, and so have a difference, is not known before: all are among the names.
    """
    architecture = _named(results.OF_ARCHITECTURE, study)
    found: set[str] = {f"{m.id}.architecture.{name}" for m in study.models for name in architecture}
    for analysis in list_analyses(study):
        found |= _owned(f"data{analysis}", _data(study))
        found |= {
            f"{MAJORITY.id}{analysis}.{split}.{n}" for split in EVALUATED for n in _classification(study)
        }
        found |= _owned(f"{LOW_DETAIL.id}{analysis}", _evaluated(study, rebalanced=False))
        for model in study.trained:
            for owner in _list_owners(study, model, analysis):
                found |= _owned(f"{owner}.training", _named(results.OF_TRAINING, study))
                found |= _owned(owner, _evaluated(study, rebalanced=is_rebalanced(model)))
        found |= set(_compared(study, analysis))
    if study.external:
        tested = {
            owner
            for analysis in list_analyses(study)
            for model in study.trained
            for owner in _list_owners(study, model, analysis)
        }
        found |= set(external.names(study.external.class_ids, study.class_ids, sorted(tested)))
    if study.pretraining:
        found |= set(pretraining.names(study.pretraining.class_ids))
    models, analyses = [m.id for m in study.trained], list(list_analyses(study))
    found |= set(audit.names(study.class_ids, models, analyses, lungs=study.dataset.lung_masks))
    found |= set(_over_draws(study)) | set(_over_folds(study)) | set(_of_subsets(study))
    found |= set(attention.names([m.id for models in list_explained(study).values() for m in models]))
    if study.ablation and study.ablation.run:
        found |= set(ablation.names({c.id: bool(c.added) for c in study.ablation.components}))
    return frozenset(found | set(_published(study)))


def _over_draws(study: Study) -> Iterator[str]:
    """Yield the names of what draws of the images do to the measures."""
    pairs = [pair_name(b, a) for b, a in list_pairs(study)]
    if study.split.seeds:
        yield from (
            f"{audit.AUDIT}.{name}" for name, _ in audit.draw_results([m.id for m in study.trained], pairs)
        )


def _over_folds(study: Study) -> Iterator[str]:
    """Yield the names of what a cross-validation gives."""
    if study.split.folds:
        models = [model.id for model in list_fold_models(study)]
        pairs = [pair_name(b, a) for b, a in list_fold_pairs(study)]
        yield from folds.names(_classes(study), study.split.folds, models, pairs)


def _of_subsets(study: Study) -> Iterator[str]:
    """Yield the names of what models reach on parts of the training images."""
    if not study.subset_models:
        return
    declared = study.comparison
    yield from subsets.names(
        [m.id for m in study.subset_models],
        list(list_analyses(study))[-1],
        (*study.training.subsets, subsets.ALL),
        declared.split if declared else "test",
        declared.primary if declared else DEFAULT_PRIMARY,
    )


def _list_owners(study: Study, model: Model, analysis: str) -> set[str]:
    """Return what results of a model are named by: it, and where it is trained with several seeds each training."""
    return {f"{model.id}{analysis}", *(run.name for run in list_runs(study, model, analysis))}


def is_rebalanced(model: Model) -> bool:
    """Tell whether a model learns from other shares of classes than there are, so that its priors are corrected."""
    return model.class_balance != "none" or model.class_weights != "none"


def _owned(owner: str, of: Iterable[str]) -> set[str]:
    return {f"{owner}.{name}" for name in of}


def _classes(study: Study) -> tuple[str, ...]:
    return tuple(c.id for c in study.classes)


def _named(declared: Iterable[Measure | results.Result], study: Study) -> list[str]:
    """Return the names of results, for all images and each class and average that they have."""
    return [name for result in declared for name in result.names(_classes(study))]


def _classification(study: Study) -> list[str]:
    return _named((*FROM_MATRIX, *results.CELLS), study)


def _evaluated(study: Study, *, rebalanced: bool) -> Iterator[str]:
    scores = [*_classes(study), *([ABNORMAL] if find_normal_class(study) else [])]
    corrections = (SCALED, *([PRIOR] if rebalanced else []))
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
        for a, b in declared.between if declared else ():
            yield f"{pair_name(b, a)}{analysis}.{split}.{primary}"
        for mistake in study.corrections:
            pair = f"{pair_name(mistake.corrected, mistake.faithful)}{analysis}.{split}"
            yield from (f"{pair}.{name}" for name in differences)
        for other in list_compared(study):
            assert declared is not None
            pair = f"{pair_name(other, declared.baseline)}{analysis}.{split}"
            yield from (f"{pair}.{n}" for n in (*differences, *_named(results.OF_IMAGES, study)))
    if declared is None:
        return
    of_seeds = results.OF_SEEDS if len(study.training.seeds) > 1 else ()
    for other in list_compared(study):
        pair = f"{pair_name(other, declared.baseline)}{analysis}.{declared.split}"
        yield from (f"{pair}.{name}" for name in _named((*results.OF_DECISION, *of_seeds), study))
    planning = f"planning{analysis}.{declared.split}.{results.DETECTABLE_GAIN}"
    yield from (f"{planning}.{in_percent('discordance', share)}" for share in DISCORDANCES)


def _data(study: Study) -> Iterator[str]:
    yield from readers.look_up(study.dataset.reader).results
    yield from _named(results.FLOW, study)
    yield from (f"{ALL_IMAGES}.{name}" for name in _named(results.PEOPLE, study))
    for part in (ALL_IMAGES, *SPLITS):
        yield from (f"{part}.{name}" for name in _named(results.SIZES, study))
    yield from (f"{split}.{name}" for split in EVALUATED for name in _named(results.SHARED, study))


def _published(study: Study) -> Iterator[str]:
    """Yield the names of published figures and of how ours stand to them."""
    if study.published is None:
        return
    yield f"ledger.{results.TOLERANCE}"
    yield from (f"ledger.{kind}.{what}" for kind in TALLIED for what in (COUNT, *map(as_key, VERDICTS)))
    corrected = {m.corrects: m.id for m in study.trained if m.corrects}
    for result in study.published.results:
        owner = join_run(result.model, result.run or "")
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

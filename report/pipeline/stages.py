"""The one list of stages of a study. This package is the only place that names functions of the analysis as stages.

A stage is a function of files to files. Here and in the modules beside it stands for each which function it is, what
it reads, and on which part of the study file it depends. In the order in which they run:

============  ============================================  ============================================================
stage         function                                      reads
============  ============================================  ============================================================
sample        analysis.datasets.sample.*:write              nothing; in place of the data, with ``--sample``
archive       analysis.datasets.archives.unpacking:unpack   the data, where they are an archive
read          analysis.datasets.*:read                      sample, archive, or the data
images        analysis.preparation:prepare                  read, sample, archive, or the data
audit         analysis.audit.duplicates:find                read, sample, archive, or the data
architecture  analysis.models.architecture:describe         architecture
weights       analysis.models.pretrained:fetch              nothing, or a file of weights learnt on ImageNet; with ``models.weights``
weights       analysis.models.pretrained:take               pretraining, or a network of another study; with ``models.weights``
split         analysis.splitting:split                      read
split         analysis.audit.split_without_copies:split     read, audit; with ``split.exclude_duplicates``
split         analysis.training_subsets:draw                read, split; with ``training.subsets``
pretraining   analysis.datasets.sample.*:write              nothing; in place of the images to learn from first, with ``--sample``
pretraining   analysis.datasets.archives.unpacking:unpack   the images to learn from first, where they are an archive
pretraining   analysis.datasets.*:read                      pretraining, or the images to learn from first; with ``[pretraining]``
pretraining   analysis.preparation:prepare                  pretraining, or the images to learn from first
pretraining   analysis.audit.pretraining:find               read, images, pretraining
pretraining   analysis.audit.pretraining:split              read, split, pretraining
pretraining   analysis.models.training:train                architecture, pretraining
pretraining   analysis.audit.pretraining:describe           pretraining
pretrained    analysis.models.pretrained:begin              architecture, weights; with ``models.weights``
train         analysis.models.training:train                read, images, architecture, split, train
train         analysis.models.fine_tuning:train             read, images, architecture, split, train, pretrained; on a backbone, or with ``models.weights``
predict       analysis.models.prediction:predict            read, images, split, train
evaluate      analysis.evaluation.stages.evaluate:evaluate  read, split, train, predict
evaluate      analysis.evaluation.stages.average:average    evaluate; with several seeds
validate      analysis.evaluation.stages.validate:validate  predict; while the test set is locked, in place of all below
validate      analysis.evaluation.stages.average:average    validate; with several seeds
validate      analysis.evaluation.stages.validate:validate  predict; with ``ablation.run``, of its networks
predict       analysis.models.low_detail:fit                read, images, split
compare       analysis.evaluation.stages.compare:compare    predict
folds         analysis.evaluation.stages.folds:collect      split, predict; with ``split.folds``
ledger        analysis.evaluation.stages.ledger:write       architecture, split, predict, evaluate; with published figures
ablation      analysis.evaluation.stages.ablate:ablate      predict; with ``ablation.run``
subsets       analysis.evaluation.stages.subsets:collect    split, predict; with ``training.subsets``
external      analysis.datasets.sample.*:write              sample; in place of an external set, with ``--sample``
external      analysis.datasets.archives.unpacking:unpack   the external set, where it is an archive
external      analysis.datasets.*:read                      external, or the external set
external      analysis.preparation:prepare                  external, or the external set
external      analysis.audit.external.duplicates:find       read, images, split, external
external      analysis.audit.external.facts:describe        read, external
external      analysis.models.external_prediction:predict   train, external
external      analysis.audit.external.evaluate:evaluate     external
external      analysis.evaluation.stages.average:average    external; with several seeds
audit         analysis.audit.leaks:find                     read, split, audit
audit         analysis.audit.patients:audit                 read, split
audit         analysis.audit.splits:collect                 split, evaluate; with ``split.seeds``
audit         analysis.audit.confounding:confound           read
audit         analysis.audit.probes:probe                   read, images
audit         analysis.audit.probes:compare_with_models     evaluate, audit
audit         analysis.audit.lungs:lungs                    read, images, archive, or the data; with ``dataset.lung_masks``
audit         analysis.audit.labels:find                    read, images, audit
audit         analysis.audit.labels:ask_networks            predict, audit
attention     analysis.explanation.attention:explain        read, images, split, train, predict, sample, archive, or the data
activations   analysis.explanation.feature_maps:show        read, images, split, train, predict; with ``report.feature_maps``
results       analysis.evaluation.stages.collect:collect    read, architecture, split, evaluate, compare, folds, ledger, ablation, subsets, pretraining, external, audit, attention
figure        analysis.figures.*:draw                       read, sample, archive, images, split, train, evaluate, compare, ablation, subsets, results, external, audit, attention, activations
figure        report.writing.stages_figure:draw             nothing but the list of stages
source        report.writing.source:write                   read, architecture, split, pretrained, train, evaluate, compare, folds, ledger, ablation, subsets, results, figure, external, audit, attention
html          report.document.html:render                   source
pdf           report.document.pdf:render                    source
============  ============================================  ============================================================

A reader, an architecture and a reader's sample are named by the study; those above are what this project brings. One
architecture reads another whose weights it begins with, as does one training. From ``split`` to ``compare`` everything
is there once for each analysis: as the study splits its images, and, named ``...@patient``, with all images of a patient
in one part; with ``split.seeds`` the images are drawn again, named ``...@draw_43``, and every model is trained and evaluated
on each draw; with ``split.folds`` they are trained once more with each fold of the patients as the test set, named
``...@fold_1``; with ``training.subsets`` some are trained on parts of the training images, ``...@subset_25_seed_42``.
With ``ablation.run`` networks without and with single components are trained, too: they are in no comparison
but that of the stage ``ablation``. The stages called ``pretraining...`` train a network on images
of another collection, without those that a split of the study validates or tests on. The stages called ``external...`` are of images from elsewhere, if the study has such a
set: no training and no choice reads them. Those called ``audit...`` look for what the results rest on: ``audit.leaks`` and ``audit.patients`` once
for each analysis, the others once. ``attention`` and ``activations`` tell from where in test images the scores of networks
come, unless the report is to have no such section. Figures show the first analysis, that of differences both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analysis.vocabulary.measures import DEFAULT_ALPHA, DEFAULT_PRIMARY
from analysis.vocabulary.reference_classifiers import LOW_DETAIL
from analysis.vocabulary.run_names import FOLDS
from analysis.vocabulary.splits import EVALUATED, PRESCRIBED
from report import PROJECT
from report.engine.code import Project
from report.engine.stage import Json, Output, Resources, Stage
from report.pipeline import packages
from report.pipeline.ablation import find_ablation, make_ablation_stages, make_variant_stages
from report.pipeline.attention import find_attention, make_attention_stages
from report.pipeline.audit import (
    find_audit_results,
    make_audit_stages,
    make_duplicates_stage,
)
from report.pipeline.data import Place, make_data_stages
from report.pipeline.document import make_document_stages
from report.pipeline.external import find_external_results, make_external_stages
from report.pipeline.figures import make_figure_stages
from report.pipeline.folds import make_fold_stages
from report.pipeline.networks import (
    DRAWN,
    PREDICTIONS,
    RESULTS,
    make_architecture_stage,
    make_evaluation_stage,
    make_run_stages,
)
from report.pipeline.pretraining import find_pretraining_results, make_pretraining_stages
from report.pipeline.splits import find_pixels, make_split_stage
from report.pipeline.subsets import find_subsets, make_subset_training_stages, make_subsets_stage
from report.pipeline.weights import make_weights_stages
from report.study import trainings
from report.study.comparable import find_obstacles
from report.study.study import Study
from report.study.trainings import list_analyses, list_evaluated, list_runs

PROGRAM = Project(PROJECT, ("analysis", "report"), declared_in="report/pipeline/stages.py")
"""Our own packages, which have the code of all stages."""


def make_stages(study: Study, place: Place) -> list[Stage]:
    """Return every stage of a study, each after the stages it reads.

    Parameters
    ----------
    study : Study
        As it was loaded; for the sample `Study.for_sample` of it.
    place : Place
        Its folder and its data, and what only the command line knows.
    """
    first = [
        *make_data_stages(study, place),
        make_duplicates_stage(place),
        *(make_architecture_stage(study, model) for model in study.models),
        # It reads all splits, so that these come before the trainings.
        *make_pretraining_stages(study, place),
        *make_weights_stages(study, place),
        *(
            stage
            for analysis, group in list_analyses(study).items()
            for stage in _analysis(study, place, analysis, group)
        ),
        *_draws(study),
        *make_variant_stages(study),
        *make_subset_training_stages(study),
    ]
    first = [*{stage.name: stage for stage in first}.values()]  # a split that comes early is there again
    if study.is_locked:
        return _with_resources(study, first)
    before = [
        *first,
        *make_fold_stages(study),  # their test images are those of the test set too: none while it is locked
        *_ledger(study, place),
        *make_ablation_stages(study),
        *make_subsets_stage(study),
        *make_external_stages(study, place),
        *make_audit_stages(study, place),
        *make_attention_stages(study, place),
        _results(study, place),
        *make_figure_stages(study, place),
    ]
    return _with_resources(study, [*before, *make_document_stages(study, place, before)])


def _with_resources(study: Study, stages: list[Stage]) -> list[Stage]:
    """Return the stages with what the study file says that they ask of a cluster."""
    asked: dict[str, Resources] = {
        kind: Resources(**resources.model_dump()) for kind, resources in study.resources.items()
    }
    return [replace(stage, resources=asked.get(stage.kind, stage.resources)) for stage in stages]


def _draws(study: Study) -> Iterator[Stage]:
    """Yield the stages of each further draw of the images: its split, and every model trained and evaluated on it."""
    for draw, seed in trainings.list_draws(study).items():
        yield make_split_stage(study, draw, study.split.group, seed)
        for model in study.trained:
            for run in list_runs(study, model, draw):
                yield from make_run_stages(study, run, find_pixels(draw))


def _analysis(study: Study, place: Place, analysis: str, group: str) -> Iterator[Stage]:
    yield make_split_stage(study, analysis, group, study.split.seed)
    pixels, tables = find_pixels(analysis), () if study.is_locked else DRAWN
    for model in study.trained:
        for run in list_runs(study, model, analysis):
            yield from make_run_stages(study, run, pixels)
        if len(study.training.seeds) > 1:
            yield Stage(
                trainings.name_evaluation(study, f"{model.id}{analysis}"),
                "analysis.evaluation.stages.average:average",
                {
                    run.name: Output(trainings.name_evaluation(study, run.name), (*RESULTS, *tables))
                    for run in list_runs(study, model, analysis)
                },
                {"model": f"{model.id}{analysis}", "tables": [*tables]},
                packages=packages.STATISTICS,
            )
    reference = f"{LOW_DETAIL.id}{analysis}"
    yield Stage(
        f"predict.{reference}",
        "analysis.models.low_detail:fit",
        pixels,
        {"classes": [*study.class_ids], "seed": study.split.seed, "splits": [*list_evaluated(study)]},
        packages=tuple(sorted({*packages.STATISTICS, *packages.IMAGES})),
        releases=PREDICTIONS,
        shared=True,
    )
    yield make_evaluation_stage(study, reference, pixels["split"], {}, "none")
    if not study.is_locked:
        yield _comparison(study, place, analysis)


def _comparison(study: Study, place: Place, analysis: str) -> Stage:
    """Return the stage that compares all models of an analysis, as declared, and with the low-detail baseline."""
    networks: dict[str, Json] = {m.id: [r.name for r in list_runs(study, m, analysis)] for m in study.trained}
    trained = [run.name for model in study.trained for run in list_runs(study, model, analysis)]
    reference = f"{LOW_DETAIL.id}{analysis}"
    comparison = study.comparison
    return Stage(
        f"compare{analysis}",
        "analysis.evaluation.stages.compare:compare",
        {name: Output(f"predict.{name}", PREDICTIONS) for name in (*trained, reference)},
        {
            "analysis": analysis,
            "classes": [*study.class_ids],
            "splits": [*EVALUATED],
            "networks": networks,
            "reference": LOW_DETAIL.id,
            "baseline": comparison.baseline if comparison else None,
            "against": list(trainings.list_compared(study)),
            "primary": comparison.primary if comparison else DEFAULT_PRIMARY,
            "split": comparison.split if comparison else "test",
            "margin": comparison.margin if comparison else None,
            "alpha": comparison.alpha if comparison else DEFAULT_ALPHA,
            "declared_late": place.declared_late,
            "corrections": [[m.faithful, m.corrected] for m in study.corrections],
            "between": [[a, b] for a, b in comparison.between] if comparison else [],
        },
        packages=packages.STATISTICS,
    )


def _ledger(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stage that holds our figures against the published ones, if there are any."""
    if study.published is None:
        return
    trained = {m.id: [run.name for run in list_runs(study, m, PRESCRIBED.suffix)] for m in study.trained}
    names: dict[str, Json] = {model: list(found) for model, found in trained.items()}
    reasons = find_obstacles(study, place.overrides, sample=place.kind == "sample")
    yield Stage(
        "ledger",
        "analysis.evaluation.stages.ledger:write",
        {
            "split": Output("split"),
            **{f"architecture_{m}": Output(f"architecture.{m}", ("summary.json",)) for m in reasons},
            **{f"evaluate_{m}": Output(f"evaluate.{m}", RESULTS) for m in trained},
            **{
                f"predict_{run}": Output(f"predict.{run}", PREDICTIONS)
                for found in trained.values()
                for run in found
            },
        },
        {
            "classes": [*study.class_ids],
            "published": study.published.model_dump(mode="json"),
            "runs": names,
            "bars": {model: list(why) for model, why in reasons.items()},
            "corrected": {m.id: m.corrects for m in study.trained if m.corrects},
        },
        packages=packages.STATISTICS,
    )


def _results(study: Study, place: Place) -> Stage:
    names = [
        name
        for analysis in list_analyses(study)
        for name in (
            *(f"{model}{analysis}" for model in (*(m.id for m in study.trained), LOW_DETAIL.id)),
            *(run.name for model in study.trained for run in list_runs(study, model, analysis)),
        )
    ]
    return Stage(
        "results",
        "analysis.evaluation.stages.collect:collect",
        {
            "records": Output("read"),
            **{f"split{analysis}": Output(f"split{analysis}") for analysis in list_analyses(study)},
            **{
                f"architecture_{m.id}": Output(f"architecture.{m.id}", ("summary.json",))
                for m in study.models
            },
            **{f"evaluate_{name}": Output(f"evaluate.{name}", RESULTS) for name in names},
            **{
                f"compare{analysis}": Output(f"compare{analysis}", (*RESULTS, "verdicts.json"))
                for analysis in list_analyses(study)
            },
            **({"ledger": Output("ledger", RESULTS)} if study.published else {}),
            **({FOLDS: Output(FOLDS, RESULTS)} if study.split.folds else {}),
            **find_ablation(study, RESULTS),
            **find_subsets(study, *RESULTS),
            **find_external_results(study, place),
            **find_pretraining_results(study),
            **find_audit_results(study),
            **find_attention(study, *RESULTS),
        },
        {
            "classes": [*study.class_ids],
            "models": [m.id for m in study.trained],
            "analyses": list(list_analyses(study)),
        },
        packages=packages.STATISTICS,
    )

"""The stages that draw the figures: of the data, of each model, of models over one another, of pairs, of all."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.vocabulary.ablation import ADD, LEAVE
from analysis.vocabulary.attention import ACTIVATIONS, ATTENTION
from analysis.vocabulary.measures import DEFAULT_PRIMARY
from analysis.vocabulary.reference_classifiers import LOW_DETAIL
from analysis.vocabulary.results import ABLATION
from analysis.vocabulary.splits import EVALUATED, PRESCRIBED
from analysis.vocabulary.subsets import SUBSETS
from report import PROJECT
from report.document import fonts
from report.engine.stage import ALL_FILES, Input, Json, Output, Source, Stage
from report.pipeline import packages
from report.pipeline.ablation import find_ablation
from report.pipeline.audit import find_label_candidates
from report.pipeline.data import IMAGES, RECORDS, Place, make_data_inputs
from report.pipeline.external import find_external_tables
from report.pipeline.networks import COURSE, DRAWN
from report.pipeline.subsets import TABLES, find_subsets
from report.study.settings import Comparison
from report.study.study import Study
from report.study.trainings import (
    MOST_TOGETHER,
    find_mapped_networks,
    find_normal_class,
    has_many_models,
    list_analyses,
    list_explained,
    list_runs,
    name_first_run,
    select_together,
)

FONTS_FOLDER = PROJECT / "templates" / "theme" / "fonts"
FONT = FONTS_FOLDER / "IBMPlexSans-Regular.ttf"
FONTS = Source(FONTS_FOLDER, include=("IBMPlexSans-*.ttf",))
SPLIT = Output("split")


MODULES = {
    "flow": "flow_diagram",
    "primary": "primary_measure",
    "counts": "class_counts",
    "before": "class_counts_before",
    "sizes": "image_sizes",
    "examples": "example_images",
    "duplicates": "duplicate_pairs",
    "curves": "learning_curves",
    "histories": "learning_curves_of_models",
    "roc": "roc_curves",
    "overlay": "score_curves_of_models",
    "confusion": "confusion_matrices",
    "matrices": "confusion_matrices_of_models",
    "moved": "confusion_difference",
    "flips": "flipped_images",
    "differences": "measure_differences",
    "effects": "measure_differences",
    "reliability": "reliability_diagrams",
    "decision": "decision_curves",
    "ablation": "ablation_effects",
    "external": "external_confusion",
    "subsets": "data_curve",
    "labels": "label_candidates",
    "attention": "attention_maps",
    "activations": "feature_maps",
}
"""The module of `analysis.figures` that draws a figure, by the first part of the figure's name, where it is called otherwise."""


IN_SHORT = ("f1", "sensitivity", "auroc")
"""The measures that the short figure of a comparison has."""


def make_figure_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages of all figures, of the study's own analysis: means of the runs of a model, where they have none the first."""
    yield _primary(study)
    yield from _data_figures(study, place)
    yield from _model_figures(study)
    yield from _overlays(study)
    if study.comparison:
        for other in study.comparison.against:
            yield from _pair_figures(study, place, study.comparison, other)
    yield from _side_by_side(study)
    yield from _ablation(study)
    if study.subset_models:
        models: list[Json] = [m.select("id", "title") for m in study.subset_models]
        measure = study.comparison.primary if study.comparison else DEFAULT_PRIMARY
        yield _figure(study, SUBSETS, find_subsets(study, *TABLES), {"models": models, "measure": measure})
    yield from _external(study, place)
    yield from _attention(study)
    _, data = make_data_inputs(place)
    yield _figure(study, "labels", {**find_label_candidates(), "data": data}, _classes(study))


def _figure(study: Study, name: str, inputs: dict[str, Input], params: dict[str, Json]) -> Stage:
    return make_figure(name, inputs, params, list_names_in_figures(study))


def make_figure(name: str, inputs: dict[str, Input], params: dict[str, Json], names: str) -> Stage:
    """Return the stage of a figure, with fonts for all the ``names`` that it may have to write."""
    kind = name.partition(".")[0]
    function = f"analysis.figures.{MODULES.get(kind, kind)}:draw"
    has_images = inputs.keys() & {"data", ATTENTION, ACTIVATIONS}
    needed = {*packages.FIGURES, *packages.IMAGES} if has_images else packages.FIGURES
    return Stage(
        f"figure.{name}",
        function,
        {**inputs, **_fonts(names)},
        params,
        packages=tuple(sorted(needed)),
        releases=ALL_FILES,  # the report shows it
    )


def _fonts(names: str) -> dict[str, Input]:
    """Return the font of all figures, and files of this machine's fonts for characters that it lacks."""
    behind, _ = fonts.find_fallback_fonts(names, FONT)
    return {"fonts": FONTS, **{f"behind_{k}": Source(path) for k, path in enumerate(behind)}}


def list_names_in_figures(study: Study) -> str:
    """Return all that the study file puts into figures as text."""
    labels = [c.label for c in study.classes]
    if study.external:
        labels += [c.label for c in study.external.classes]
    if study.ablation:
        labels += [c.title for c in study.ablation.components]
    return "".join([*labels, *(m.title for m in study.models)])


def _classes(study: Study) -> dict[str, Json]:
    return {"classes": [c.select("id", "label") for c in study.classes]}


def _primary(study: Study) -> Stage:
    """Return the figure of what the study is about in one measure: all models beside the reference classifiers."""
    comparison = study.comparison
    subject: dict[str, Json] = {
        "models": [m.select("id", "title") for m in study.trained],
        "measure": comparison.primary if comparison else DEFAULT_PRIMARY,
        "split": comparison.split if comparison else "test",
        "analyses": list(list_analyses(study)),
    }
    return _figure(study, "primary", {"results": Output("results", ("results.json",))}, subject)


def _data_figures(study: Study, place: Place) -> Iterator[Stage]:
    _, data = make_data_inputs(place)
    records: dict[str, Input] = {"records": RECORDS, "split": SPLIT}
    classes = _classes(study)
    found = Output("read", ("flow.csv", "excluded.csv"))
    yield _figure(study, "flow", {"records": found, "split": SPLIT}, {})
    yield _figure(study, "counts", records, classes)
    yield _figure(study, "sizes", records, classes)
    yield _figure(
        study, "examples", {**records, "images": IMAGES, "data": data}, {**classes, "seed": study.split.seed}
    )
    copies: dict[str, Input] = {
        "duplicates": Output("audit.duplicates", ("pairs.csv",)),
        "records": Output("read", ("records.csv", "depth.json")),
        "split": SPLIT,
        "data": data,
    }
    yield _figure(study, "duplicates", copies, classes)


def _model_figures(study: Study) -> Iterator[Stage]:
    for model in study.trained:
        run = name_first_run(study, model)
        training: dict[str, Input] = {"training": Output(f"train.{run}", COURSE)}
        evaluation: dict[str, Input] = {"evaluation": Output(f"evaluate.{run}")}
        named: dict[str, Json] = {**_classes(study), "title": model.title}
        yield _figure(study, f"curves.{model.id}", training, {"title": model.title})
        for kind in ("roc", "confusion"):
            yield _figure(study, f"{kind}.{model.id}", evaluation, {**named, "splits": [*EVALUATED]})


def _overlays(study: Study) -> Iterator[Stage]:
    """Yield the figures of models that lie over one another, with the low-detail classifier."""
    together = select_together(study)
    evaluations: dict[str, Input] = {
        f"evaluation_{m}": Output(f"evaluate.{m}", DRAWN) for m in (*(m.id for m in together), LOW_DETAIL.id)
    }
    first: dict[str, Input] = {
        f"evaluation_{m.id}": Output(f"evaluate.{name_first_run(study, m)}") for m in together
    }
    networks: list[Json] = [m.select("id", "title") for m in together]
    models: list[Json] = [*networks, {"id": LOW_DETAIL.id, "title": LOW_DETAIL.title}]
    classes = _classes(study)
    # Of many models those of validation have a figure of their own, in the appendix.
    roc = {"overlay.roc": ["test"], "overlay.roc.val": ["val"]}
    for name, splits in (
        *(roc if has_many_models(study) else {"overlay.roc": [*reversed(EVALUATED)]}).items(),
        ("overlay.pr", ["test"]),
    ):
        kind = name.split(".")[1]
        curves: dict[str, Json] = {"models": models, "splits": [*splits], "kind": kind}
        yield _figure(study, name, evaluations, {**classes, **curves})
    yield _figure(study, "reliability", first, {"models": networks, "split": "test"})
    if find_normal_class(study):
        first[f"evaluation_{LOW_DETAIL.id}"] = Output(f"evaluate.{LOW_DETAIL.id}")
        yield _figure(study, "decision", first, {"models": models})


def _pair_figures(study: Study, place: Place, comparison: Comparison, other: str) -> Iterator[Stage]:
    """Yield the figures of a declared comparison: what changed, on which images, and how large all differences are."""
    models = {m.id: m for m in study.trained if m.id in {comparison.baseline, other}}
    pair: dict[str, Json] = {
        **_classes(study),
        "a": comparison.baseline,
        "b": other,
        "titles": {m.id: m.title for m in models.values()},
        "split": comparison.split,
    }
    sides = {"a": models[comparison.baseline], "b": models[other]}
    evaluations: dict[str, Input] = {
        f"evaluation_{side}": Output(f"evaluate.{model.id}", ("confusion.csv",))
        for side, model in sides.items()
    }
    yield _figure(study, f"moved.{other}", evaluations, pair)
    flips: dict[str, Input] = {
        "comparison": Output("compare", (f"flips.{other}.csv",)),
        "records": Output("read", ("records.csv", "depth.json")),
        "data": make_data_inputs(place)[1],
    }
    yield _figure(study, f"flips.{other}", flips, pair)
    differences: dict[str, Input] = {
        "grouped" if analysis else "comparison": Output(f"compare{analysis}", (f"differences.{other}.csv",))
        for analysis in list_analyses(study)
    }
    limits = comparison.select("margin", "primary")
    yield _figure(study, f"differences.{other}", differences, {**pair, **limits})
    yield _figure(study, f"effects.{other}", differences, {**pair, **limits, "measures": [*IN_SHORT]})


def _side_by_side(study: Study) -> Iterator[Stage]:
    """Yield the figures that have the models of the main text side by side, and of a replication the data before and after."""
    models: list[Json] = [m.select("id", "title") for m in study.in_main_text]
    trainings: dict[str, Input] = {
        f"training{k if k > 1 else ''}_{m.id}": Output(f"train.{run.name}", COURSE)
        for m in study.in_main_text
        for k, run in enumerate(list_runs(study, m, PRESCRIBED.suffix), 1)
    }
    measures: list[Json] = ["loss", "accuracy"]
    alike = len({m.label_smoothing for m in study.in_main_text}) == 1
    params: dict[str, Json] = {"measures": measures, "models": models, "comparable": alike}
    yield _figure(study, "histories", trainings, params)
    evaluations: dict[str, Input] = {
        f"evaluation_{m.id}": Output(f"evaluate.{m.id}", ("confusion.csv",)) for m in study.in_main_text
    }
    classes = _classes(study)
    yield _figure(
        study, "matrices", evaluations, {**classes, "models": models, "splits": [*reversed(EVALUATED)]}
    )
    if study.about.kind == "replication":
        yield _figure(study, "before", {"records": RECORDS, "split": SPLIT}, classes)


def _ablation(study: Study) -> Iterator[Stage]:
    """Yield the figure of what each component of a network adds, if an ablation is to run."""
    declared, effects = study.ablation, find_ablation(study)
    if declared is None or study.comparison is None or not effects:
        return
    of: dict[str, Json] = dict(zip((LEAVE, ADD), (m.title for m in study.ends_of_ablation), strict=True))
    about: dict[str, Json] = {
        "components": [c.select("id", "title") for c in declared.components],
        "titles": of,
        "measure": study.comparison.primary,
        **study.comparison.select("split", "margin"),
    }
    yield _figure(study, ABLATION, effects, about)


def _external(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the figure of what networks call the images of the external set."""
    if study.external is None or not place.external_kind:
        return
    shown = study.trained if len(study.trained) <= MOST_TOGETHER else select_together(study)
    tables = find_external_tables(shown)
    about: dict[str, Json] = {
        **_classes(study),
        "external": [c.select("id", "label", "matches") for c in study.external.classes],
        "models": [m.select("id", "title") for m in shown],
    }
    yield _figure(study, "external", tables, about)


def _attention(study: Study) -> Iterator[Stage]:
    """Yield the figures of where scores come from, and of what the first layers of a network make of an image."""
    for name, models in list_explained(study).items():
        about: dict[str, Json] = {**_classes(study), "models": [m.select("id", "title") for m in models]}
        yield _figure(study, f"{ATTENTION}.{name}", {ATTENTION: Output(f"{ATTENTION}.{name}")}, about)
    for model in find_mapped_networks(study):
        maps: dict[str, Input] = {ACTIVATIONS: Output(f"{ACTIVATIONS}.{model.id}")}
        yield _figure(study, ACTIVATIONS, maps, {**_classes(study), **model.select("title")})

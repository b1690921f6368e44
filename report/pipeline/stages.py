"""The one list of stages of a study; the only link between the report generator and the analysis.

``read -> images, split -> architecture -> train -> predict -> evaluate -> compare -> results -> figures
-> document``. Each line names the function, what it reads and the part of the study file it depends on.

From ``split`` to ``compare`` everything is there once for each analysis: as the study splits its pictures, and, named
``...@patient``, with all pictures of a patient in one part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.names import written
from report import PROJECT
from report.document import fonts
from report.engine.code import Project
from report.engine.stage import Input, Json, Output, Source, Stage
from report.engine.system.distributions import installed
from report.study import prose
from report.study.collisions import LOW_DETAIL, LOW_DETAIL_TITLE
from report.study.comparable import obstacles
from report.study.limits import MOST_TOGETHER
from report.study.model_settings import Model
from report.study.settings import READER_KEYS, ClassLabel
from report.study.study import Study
from report.study.value_types import is_folder_name

PROGRAM = Project(PROJECT, ("analysis", "report"), declared_in="report/pipeline/stages.py")
"""Our own packages, which have the code of all stages."""
SPLITS = ("val", "test")
LONGEST_FOLDER = 100  # bytes; the pictures in it have its name and a number
TABLES = ("numpy", "pandas")
DICOM = installed("pydicom", "python-gdcm")
PICTURES = ("numpy", "pandas", "pillow", "opencv-python-headless", *DICOM)
NETWORK = ("numpy", "pandas", "keras", "tensorflow")
METRICS = ("numpy", "pandas", "scikit-learn", "scipy")
DRAWING = ("numpy", "pandas", "matplotlib", "seaborn", "pillow")
RECORDS = Output("read", ("records.csv",))
IMAGES = Output("images", private=True)
RESULTS = ("results.json",)
FONT = PROJECT / "templates" / "theme" / "fonts" / "IBMPlexSans-Regular.ttf"
FONTS = Source(PROJECT / "templates" / "theme" / "fonts", include=("IBMPlexSans-*.ttf",))
WORDS = ("*.j2", "sections/*.j2", "sentences/*.j2", "filters/passage.lua", "references.bib")
THEME = ("theme/*.html", "theme/*.css", "theme/*.js", "theme/fonts/*.woff2", "filters/report.lua")
HTML = ("pypandoc_binary",)
PDF = ("pypandoc_binary", "weasyprint", "fonttools", "ziamath", "pango")
SOFTWARE = tuple(sorted({*PICTURES, *NETWORK, *METRICS, *DRAWING, "jinja2", *HTML, *PDF} - {"pango"}))


@dataclass(frozen=True)
class Place:
    """Where a study's files lie: its folder, and its data, a folder or an archive (none: the generated sample).

    ``declared_late``: the comparison was declared anew after results on the test set had been seen. ``commit``: the
    version of the program, for the appendix; "" where it is not known.
    """

    study: Path
    data: Path | None
    overrides: tuple[str, ...] = ()
    declared_late: bool = False
    commit: str = ""

    @property
    def packed(self) -> bool:
        """Whether the data are an archive, as it was downloaded."""
        return self.data is not None and self.data.is_file()


@dataclass(frozen=True)
class Run:
    """One training of a model: in which analysis, with which seed, and what it is called."""

    model: Model
    analysis: str
    seed: int
    name: str


def stages(study: Study, place: Place) -> list[Stage]:
    """Return every stage of ``study``, each after the stages it reads."""
    made = [
        *_data(study, place),
        *(_architecture(study, model) for model in study.models),
        *(
            stage
            for analysis, group in analyses(study).items()
            for stage in _analysis(study, place, analysis, group)
        ),
        *_ledger(study, place),
        _results(study),
        *_figures(study, place),
        *_figures_across(study),
    ]
    return [*made, *_document(study, place, made)]


def analyses(study: Study) -> dict[str, str]:
    """Return what each analysis adds to names, "" for the study's own, and what it keeps together."""
    first, *second = study.split.groups
    return {"": first, **{f"@{group}": group for group in second}}


def runs(study: Study, model: Model, analysis: str) -> list[Run]:
    """Return the trainings of a model: ``baseline``, or with several seeds ``baseline@seed_42`` and so on."""
    seeds = study.training.seeds
    if len(seeds) == 1:
        return [Run(model, analysis, seeds[0], f"{model.id}{analysis}")]
    joint = f"{analysis}_" if analysis else "@"
    return [Run(model, analysis, seed, f"{model.id}{joint}seed_{seed}") for seed in seeds]


def _classes(study: Study) -> list[Json]:
    return [{"id": c.id, "label": c.label} for c in study.classes]


def _ids(study: Study) -> list[Json]:
    return [c.id for c in study.classes]


def _data(study: Study, place: Place) -> Iterator[Stage]:
    data, pixels = data_inputs(place)
    if place.data is None:
        yield _sample(study)
    if place.packed:
        yield _archive(place, study)
    yield Stage(
        "read",
        f"analysis.datasets.{study.dataset.reader.replace('-', '_')}:read",
        {"data": data},
        {**_reading(study), **_only(study.dataset, "max_excluded")},
        packages=PICTURES,
    )
    yield Stage(
        "images",
        "analysis.preparation:prepare",
        {"records": Output("read", ("records.csv", "depth.json")), "data": pixels},
        _only(study.image, "size", "fit", "resample"),
        packages=PICTURES,
    )


def _sample(study: Study) -> Stage:
    """Return the stage that writes the generated sample in the layout of the study's data."""
    size = _only(study.sample, "pictures", "seed")
    if study.dataset.reader == "v7":
        return Stage("sample", "analysis.datasets.sample.v7_sample:write", params=size, packages=PICTURES)
    layout: dict[str, Json] = {
        "layout": study.dataset.reader,
        "classes": [{"id": c.id, "folder": _name_in_data(study, c)} for c in study.classes],
        **(_only(study.dataset, "table", "columns") if study.dataset.reader == "table" else {}),
    }
    return Stage(
        "sample", "analysis.datasets.sample.folder_sample:write", params={**layout, **size}, packages=PICTURES
    )


def _name_in_data(study: Study, of: ClassLabel) -> str:
    """Return what a class is called in the sample: as its folder or in the table, there perhaps as a column."""
    data = study.dataset
    label = of.label if data.reader == "table" else _folder(of)
    named = (*data.folders.get(of.id, ()), *data.values.get(of.id, ()), label, of.id)
    columns = data.columns.label if data.columns else ()
    return next((name for name in named if isinstance(columns, tuple) and name in columns), named[0])


def _folder(of: ClassLabel) -> str:
    """Return the name of a class' folder: its label, or its id where that could not be the name of one."""
    label = of.label
    is_name = is_folder_name(label) and len(label.encode()) <= LONGEST_FOLDER and not label.startswith(".")
    return label if is_name else of.id


def _reading(study: Study) -> dict[str, Json]:
    """Return what the study's reader is told about labels."""
    own = (key for key, readers in READER_KEYS.items() if study.dataset.reader in readers)
    pattern = ("patient_pattern",) if study.dataset.patient_pattern else ()
    return {"classes": _classes(study), **_only(study.dataset, *own, *pattern, "exclude")}


def data_check_stages(data: Path, study: Study | None) -> list[Stage]:
    """Return the stages that tell what ``data`` hold; the settings of ``study`` are tried before any others."""
    place = Place(PROJECT, data)
    given: Json = {"reader": study.dataset.reader, **_reading(study)} if study else None
    inputs = {"data": data_inputs(place)[0]}
    check = Stage(
        "check", "analysis.datasets.checks.data_check:check", inputs, {"settings": given}, packages=PICTURES
    )
    return [_archive(place, study), check] if place.packed else [check]


def _archive(place: Place, study: Study | None) -> Stage:
    assert place.data is not None
    encoding = study.dataset.archive_encoding if study else ""
    params: dict[str, Json] = {"encoding": encoding} if encoding else {}
    return Stage(
        "archive", "analysis.datasets.archives.unpacking:unpack", {"data": _xrays(place.data)}, params
    )


def data_inputs(place: Place) -> tuple[Input, Input]:
    """Return the data folder as the reader sees it (content in the key) and as later stages do.

    Later stages check every picture against the digest in ``records.csv``, so the folder itself is not
    part of their keys.
    """
    if place.data is None or place.packed:
        unpacked = Output("sample" if place.data is None else "archive", private=True)
        return unpacked, unpacked
    return _xrays(place.data), _xrays(place.data, keyed=False)


def _xrays(path: Path, *, keyed: bool = True) -> Source:
    """Return X-rays as an input: listed as the readers list them, and never handed over."""
    hint = "name the folder of the X-rays with --data DIR"
    return Source(path, keyed=keyed, private=True, listing="analysis.walk:list_files", hint=hint)


def _architecture(study: Study, model: Model) -> Stage:
    initial = f"architecture.{model.init_from}"
    return Stage(
        f"architecture.{model.id}",
        "analysis.models.architecture:describe",
        {"initial": Output(initial, ("architecture.json",))} if model.init_from else {},
        params={
            "architecture": model.architecture,
            "params": dict(model.params),
            "size": study.image.size,
            "channels": 3 if study.image.color == "rgb" else 1,
            "classes": len(study.classes),
        },
        uses=(model.architecture,),
        packages=NETWORK,
        threads=study.training.threads,  # in the worker that trains: one import of TensorFlow
        early=True,
    )


def _analysis(study: Study, place: Place, analysis: str, group: str) -> Iterator[Stage]:
    yield Stage(
        f"split{analysis}",
        "analysis.splitting:split",
        {"records": RECORDS},
        {
            "classes": _ids(study),
            **_only(study.split, "protocol", "test", "val", "seed", "draw", "official_val", "subset"),
            "group": group,
        },
        packages=METRICS,
        early=True,
    )
    pixels: dict[str, Input] = {
        "records": RECORDS,
        "images": IMAGES,
        "split": Output(f"split{analysis}"),
    }
    for model in study.trained:
        for run in runs(study, model, analysis):
            yield from _run(study, run, pixels)
        if len(study.training.seeds) > 1:
            yield Stage(
                f"evaluate.{model.id}{analysis}",
                "analysis.evaluation.stages.average:average",
                {run.name: Output(f"evaluate.{run.name}", RESULTS) for run in runs(study, model, analysis)},
                {"model": f"{model.id}{analysis}"},
                packages=METRICS,
            )
    floor = f"{LOW_DETAIL}{analysis}"
    yield Stage(
        f"predict.{floor}",
        "analysis.models.low_detail:fit",
        pixels,
        {"classes": _ids(study), "seed": study.split.seed, "splits": list(SPLITS)},
        packages=tuple(sorted({*METRICS, *PICTURES})),
    )
    yield _evaluation(study, floor, pixels["split"], {}, "none")
    yield _comparison(study, place, analysis)


def _run(study: Study, run: Run, pixels: dict[str, Input]) -> Iterator[Stage]:
    model = run.model
    yield Stage(
        f"train.{run.name}",
        "analysis.models.training:train",
        {
            "architecture": Output(f"architecture.{model.id}", ("architecture.json",)),
            **_initial(study, run),
            **pixels,
        },
        {
            "classes": _ids(study),
            "seed": run.seed,
            **_only(study.image, "fit", "resample"),
            **_only(model, "input", "class_balance", "class_weights", "augmentation", "augmented"),
            **_only(model, "optimizer", "learning_rate", "epochs", "batch_size", "callbacks"),
        },
        packages=NETWORK,
        threads=study.training.threads,
    )
    yield Stage(
        f"predict.{run.name}",
        "analysis.models.prediction:predict",
        {"model": Output(f"train.{run.name}", ("model.keras", "input.json")), **pixels},
        {"classes": _ids(study), "seed": run.seed, "splits": list(SPLITS), **_only(model, "test_input")},
        packages=NETWORK,
        threads=study.training.threads,
    )
    training: Input = Output(f"train.{run.name}", ("history.csv", "training.json"))
    yield _evaluation(study, run.name, pixels["split"], {"training": training}, model.class_balance)


def _initial(study: Study, run: Run) -> dict[str, Input]:
    """Return the training whose weights a training begins with, if it begins with any."""
    for model in study.trained:
        if model.id == run.model.init_from:
            same = next(other for other in runs(study, model, run.analysis) if other.seed == run.seed)
            return {"initial": Output(f"train.{same.name}", ("model.keras",))}
    return {}


def _evaluation(study: Study, name: str, split: Input, more: dict[str, Input], class_balance: str) -> Stage:
    return Stage(
        f"evaluate.{name}",
        "analysis.evaluation.stages.evaluate:evaluate",
        {"predictions": Output(f"predict.{name}"), "records": RECORDS, "split": split, **more},
        {
            "model": name,
            "classes": _ids(study),
            "normal": normal_class(study),
            "splits": list(SPLITS),
            "class_balance": class_balance,
        },
        packages=METRICS,
    )


def normal_class(study: Study) -> str | None:
    """Return the class without disease, if the study names one."""
    return next((c.id for c in study.classes if c.normal), None)


def _comparison(study: Study, place: Place, analysis: str) -> Stage:
    """Return the stage that compares all models of an analysis, as declared, and with the low-detail baseline."""
    networks: dict[str, Json] = {}
    for model in study.trained:
        networks[model.id] = [run.name for run in runs(study, model, analysis)]
    trained = [run.name for model in study.trained for run in runs(study, model, analysis)]
    floor = f"{LOW_DETAIL}{analysis}"
    comparison = study.comparison
    return Stage(
        f"compare{analysis}",
        "analysis.evaluation.stages.compare:compare",
        {name: Output(f"predict.{name}") for name in (*trained, floor)},
        {
            "analysis": analysis,
            "classes": _ids(study),
            "splits": list(SPLITS),
            "networks": networks,
            "floor": LOW_DETAIL,
            "baseline": comparison.baseline if comparison else None,
            "against": list(compared(study)),
            "primary": comparison.primary if comparison else "f1.macro",
            "split": comparison.split if comparison else "test",
            "margin": comparison.margin if comparison else None,
            "alpha": comparison.alpha if comparison else 0.05,
            "declared_late": place.declared_late,
            "corrections": [[m.faithful, m.corrected] for m in study.corrections],
        },
        packages=METRICS,
    )


def _ledger(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stage that holds our figures against the published ones, if there are any."""
    if study.published is None:
        return
    trained = {m.id: [run.name for run in runs(study, m, "")] for m in study.trained}
    names: dict[str, Json] = {model: list(found) for model, found in trained.items()}
    reasons = obstacles(study, place.overrides, sample=place.data is None)
    yield Stage(
        "ledger",
        "analysis.evaluation.stages.ledger:ledger",
        {
            "split": Output("split"),
            **{f"architecture_{m}": Output(f"architecture.{m}", ("summary.json",)) for m in reasons},
            **{f"evaluate_{m}": Output(f"evaluate.{m}", RESULTS) for m in trained},
            **{f"predict_{run}": Output(f"predict.{run}") for found in trained.values() for run in found},
        },
        {
            "classes": _ids(study),
            "published": study.published.model_dump(mode="json"),
            "runs": names,
            "bars": {model: list(why) for model, why in reasons.items()},
            "corrected": {m.id: m.corrects for m in study.trained if m.corrects},
        },
        packages=METRICS,
    )


def _results(study: Study) -> Stage:
    names = [
        name
        for analysis in analyses(study)
        for name in (
            *(f"{model}{analysis}" for model in (*_models(study), LOW_DETAIL)),
            *(run.name for model in study.trained for run in runs(study, model, analysis)),
        )
    ]
    return Stage(
        "results",
        "analysis.evaluation.stages.collect:collect",
        {
            "records": Output("read"),
            **{f"split{analysis}": Output(f"split{analysis}") for analysis in analyses(study)},
            **{
                f"architecture_{m.id}": Output(f"architecture.{m.id}", ("summary.json",))
                for m in study.models
            },
            **{f"evaluate_{name}": Output(f"evaluate.{name}", RESULTS) for name in names},
            **{
                f"compare{analysis}": Output(f"compare{analysis}", (*RESULTS, "verdicts.json"))
                for analysis in analyses(study)
            },
            **({"ledger": Output("ledger", RESULTS)} if study.published else {}),
        },
        {"classes": _ids(study), "models": _models(study), "analyses": list(analyses(study))},
        packages=METRICS,
    )


def compared(study: Study) -> tuple[str, ...]:
    """Return the models that the study compares with its baseline."""
    return study.comparison.against if study.comparison else ()


def _models(study: Study) -> list[Json]:
    return [model.id for model in study.trained]


def _figures(study: Study, place: Place) -> Iterator[Stage]:
    _, pixels = data_inputs(place)
    records: dict[str, Input] = {"records": RECORDS, "split": Output("split")}
    classes: dict[str, Json] = {"classes": _classes(study)}

    def figure(name: str, inputs: dict[str, Input], params: dict[str, Json]) -> Stage:
        module = name.partition(".")[0]
        given = {**inputs, **_fonts(study)}
        packages = tuple(sorted({*DRAWING, *PICTURES})) if "data" in inputs else DRAWING
        return Stage(f"figure.{name}", f"analysis.figures.{module}:draw", given, params, packages=packages)

    yield figure("counts", records, classes)
    yield figure("sizes", records, classes)
    yield figure(
        "examples",
        {**records, "images": IMAGES, "data": pixels},
        {**classes, "seed": study.split.seed},
    )
    splits: Json = list(SPLITS)
    for model in study.trained:
        shown = runs(study, model, "")[0].name
        evaluation: dict[str, Input] = {"evaluation": Output(f"evaluate.{shown}")}
        named: dict[str, Json] = {**classes, "model": model.id, "title": model.title}
        yield figure(f"curves.{model.id}", {"training": Output(f"train.{shown}", ("history.csv",))}, named)
        yield figure(f"roc.{model.id}", evaluation, {**named, "splits": splits})
        yield figure(f"confusion.{model.id}", evaluation, {**named, "splits": splits})
    shown_of = {m.id: runs(study, m, "")[0].name for m in study.trained} | {LOW_DETAIL: LOW_DETAIL}
    networks: list[Json] = [{"id": m.id, "title": m.title} for m in together(study)]
    evaluations: dict[str, Input] = {
        f"evaluation_{m}": Output(f"evaluate.{shown_of[m]}")
        for m in (*(m.id for m in together(study)), LOW_DETAIL)
    }
    everything: Json = [*networks, {"id": LOW_DETAIL, "title": LOW_DETAIL_TITLE}]
    for kind in ("roc", "pr"):
        yield figure(
            f"overlay.{kind}", evaluations, {**classes, "models": everything, "splits": splits, "kind": kind}
        )
    yield figure("reliability", evaluations, {**classes, "models": networks, "split": "test"})
    if normal_class(study):
        yield figure("decision", evaluations, {"models": everything})
    for other in compared(study):
        assert study.comparison is not None
        pair: dict[str, Json] = {
            **classes,
            "a": study.comparison.baseline,
            "b": other,
            "titles": {m.id: m.title for m in study.trained if m.id in {study.comparison.baseline, other}},
            "split": study.comparison.split,
        }
        sides = {"evaluation_a": shown_of[study.comparison.baseline], "evaluation_b": shown_of[other]}
        yield figure(
            f"moved.{other}",
            {side: Output(f"evaluate.{name}", ("confusion.csv",)) for side, name in sides.items()},
            pair,
        )
        inputs: dict[str, Input] = {
            "grouped" if analysis else "comparison": Output(
                f"compare{analysis}", (f"differences.{other}.csv",)
            )
            for analysis in analyses(study)
        }
        yield figure(
            f"differences.{other}",
            inputs,
            {**pair, "margin": study.comparison.margin, "primary": study.comparison.primary},
        )


def together(study: Study) -> tuple[Model, ...]:
    """Return the models whose curves lie over one another: all, or where they are many those that are compared."""
    if len(study.trained) <= MOST_TOGETHER:
        return study.trained
    declared = study.comparison
    ids = (declared.baseline, *declared.against) if declared else [m.id for m in study.trained]
    return tuple(m for m in study.trained if m.id in ids)[:MOST_TOGETHER]


def _figures_across(study: Study) -> Iterator[Stage]:
    """Yield the figures that have all models side by side, and those of a replication the data before and after."""
    replication = study.about.kind == "replication"
    if not replication and len(study.trained) <= MOST_TOGETHER:
        return
    shown = {m.id: runs(study, m, "")[0].name for m in study.trained}
    models: list[Json] = [{"id": m.id, "title": m.title} for m in study.trained]
    classes: dict[str, Json] = {"classes": _classes(study)}

    def figure(name: str, inputs: dict[str, Input], params: dict[str, Json]) -> Stage:
        function = f"analysis.figures.{name.partition('.')[0]}:draw"
        return Stage(f"figure.{name}", function, {**inputs, **_fonts(study)}, params, packages=DRAWING)

    trainings: dict[str, Input] = {
        f"training_{m}": Output(f"train.{run}", ("history.csv",)) for m, run in shown.items()
    }
    for measure in ("accuracy", "loss"):
        yield figure(f"histories.{measure}", trainings, {"measure": measure, "models": models})
    evaluations: dict[str, Input] = {
        f"evaluation_{m}": Output(f"evaluate.{run}", ("confusion.csv",)) for m, run in shown.items()
    }
    yield figure("matrices", evaluations, {**classes, "models": models, "split": "test"})
    if replication:
        yield figure("before", {"records": RECORDS, "split": Output("split")}, classes)


def names_in_figures(study: Study) -> str:
    """Return all that the study file puts into figures as text."""
    return "".join([*(c.label for c in study.classes), *(m.title for m in study.models)])


def _fonts(study: Study) -> dict[str, Input]:
    """Return the font of all figures, and files of this machine's fonts for characters that it lacks."""
    behind, _ = fonts.behind(names_in_figures(study), FONT)
    return {"fonts": FONTS, **{f"behind_{k}": Source(path) for k, path in enumerate(behind)}}


def _kinds(made: Iterable[Stage]) -> list[Json]:
    """Return the kinds of stages, how many there are of each, what they run and which kinds they read."""
    kinds: dict[str, dict[str, Any]] = {}
    for stage in made:
        kind = re.split("[.@]", stage.name)[0]
        found = kinds.setdefault(kind, {"kind": kind, "many": 0, "run": set(), "read": set()})
        found["many"] += 1
        found["run"].add(stage.function)
        given = (where.stage for where in stage.inputs.values() if isinstance(where, Output))
        found["read"] |= {re.split("[.@]", name)[0] for name in given} - {kind}
    return [{**of, "run": sorted(of["run"]), "read": sorted(of["read"])} for of in kinds.values()]


def _document(study: Study, place: Place, before: list[Stage]) -> Iterator[Stage]:
    models = [m.id for m in study.trained]
    drawn: dict[str, Json] = {"kinds": _kinds(before)}
    yield Stage("figure.stages", "report.graph.report_figure:draw", params=drawn)
    figures = [s.name for s in before if s.name.startswith("figure.")] + ["figure.stages"]
    evaluated = [runs(study, m, "")[0].name for m in study.trained]
    yield Stage(
        "source",
        "report.writing.source:write",
        {
            "templates": Source(PROJECT / "templates", include=WORDS),
            "prose": Source(place.study, include=tuple(prose.FILES)),
            "records": Output("read"),
            **{f"split{analysis}": Output(f"split{analysis}") for analysis in analyses(study)},
            "results": Output("results"),
            **{f"architecture_{m.id}": Output(f"architecture.{m.id}") for m in study.models},
            **{
                f"training_{m}": Output(f"train.{n}", ("history.csv",))
                for m, n in zip(models, evaluated, strict=True)
            },
            **{
                f"evaluate_{m}": Output(f"evaluate.{n}")
                for m, n in zip((*models, LOW_DETAIL), (*evaluated, LOW_DETAIL), strict=True)
            },
            **{f"compare{analysis}": Output(f"compare{analysis}") for analysis in analyses(study)},
            **({"ledger": Output("ledger")} if study.published else {}),
            **{name.replace(".", "_"): Output(name) for name in figures},
        },
        {
            "study": study.for_document(),
            "together": [m.id for m in together(study)],
            "many": len(study.trained) > MOST_TOGETHER,
            "name": place.study.name,
            "sample": place.data is None,
            "overrides": list(place.overrides),
            "declaration": study.declaration,
            "commit": place.commit,
            "versions": list(SOFTWARE),
        },
        packages=SOFTWARE,
    )
    theme: dict[str, Input] = {
        "source": Output("source"),
        "templates": Source(PROJECT / "templates", include=THEME),
    }
    yield Stage("html", "report.document.html:render", theme, packages=HTML)
    yield Stage("pdf", "report.document.pdf:render", theme, {"paper": study.report.paper}, packages=PDF)


def classify_stage(trained: tuple[Path, Path], pictures: list[Path], classes: list[str]) -> Stage:
    """Return the stage that asks a trained network (``model.keras`` and ``input.json``) about pictures."""
    model, seen = trained
    return Stage(
        "classify",
        "analysis.models.classify:classify",
        {
            "model": Source(model),
            "input": Source(seen),
            **{f"picture_{i}": Source(path.absolute()) for i, path in enumerate(pictures)},
        },
        {"classes": list(classes), "pictures": [written(str(path)) for path in pictures]},
        packages=tuple(sorted({*NETWORK, *PICTURES})),
    )


def _only(section: Any, *names: str) -> dict[str, Json]:
    """Return the named keys of a section of the study file (all without names), as JSON values."""
    values: dict[str, Json] = section.model_dump(mode="json", include=set(names) or None)
    return values

"""The one list of stages of a study; the only link between the report generator and the analysis.

``read -> images, split -> architecture -> train -> predict -> evaluate -> compare -> results -> figures
-> document``. Each line names the function, what it reads and the part of the study file it depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from report.engine.stage import Input, Json, Output, Source, Stage
from report.study import READER_KEYS, Model, Study

PROJECT = Path(__file__).resolve().parent.parent
SPLITS = ("val", "test")
TABLES = ("numpy", "pandas")
PICTURES = ("numpy", "pandas", "pillow", "opencv-python-headless")
NETWORK = ("numpy", "pandas", "keras", "tensorflow")
METRICS = ("numpy", "pandas", "scikit-learn")
DRAWING = ("numpy", "pandas", "matplotlib", "seaborn", "pillow")
RECORDS = Output("read", ("records.csv",))
FONTS = Source(PROJECT / "templates" / "theme" / "fonts", include=("IBMPlexSans-*.ttf",))
THEME = ("theme/*.html", "theme/*.css", "theme/fonts/*.woff2", "filters/*.lua")
HTML = ("pypandoc_binary",)
PDF = ("pypandoc_binary", "weasyprint", "ziamath", "pango")
SOFTWARE = tuple(sorted({*PICTURES, *NETWORK, *METRICS, *DRAWING, "jinja2", *HTML, *PDF} - {"pango"}))


@dataclass(frozen=True)
class Place:
    """Where a study's files lie: its folder, and its data, a folder or an archive (none: the generated sample)."""

    study: Path
    data: Path | None
    overrides: tuple[str, ...] = ()

    @property
    def packed(self) -> bool:
        """Whether the data are an archive, as it was downloaded."""
        return self.data is not None and self.data.is_file()


def stages(study: Study, place: Place) -> list[Stage]:
    """Return every stage of ``study``, each after the stages it reads."""
    return [
        *_data(study, place),
        *(stage for model in study.models for stage in _model(study, model)),
        *_conclusions(study),
        *_figures(study, place),
        *_document(study, place),
    ]


def _classes(study: Study) -> list[Json]:
    return [{"id": c.id, "label": c.label} for c in study.classes]


def _ids(study: Study) -> list[Json]:
    return [c.id for c in study.classes]


def _data(study: Study, place: Place) -> Iterator[Stage]:
    data, pixels = data_inputs(place)
    if place.data is None:
        sample = study.sample
        yield Stage(
            "sample",
            "analysis.datasets.sample:write",
            params={"pictures": sample.pictures, "seed": sample.seed},
            packages=PICTURES,
        )
    if place.packed:
        yield _archive(place)
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
        {"records": RECORDS, "data": pixels},
        _only(study.image, "size", "fit"),
        packages=PICTURES,
    )
    yield Stage(
        "split",
        "analysis.splitting:split",
        {"records": RECORDS},
        {"classes": _ids(study), **_only(study.split)},
        packages=METRICS,
    )


def _reading(study: Study) -> dict[str, Json]:
    """Return what the study's reader is told about labels."""
    settings = _only(study.dataset, READER_KEYS[study.dataset.reader], "exclude")
    return {"classes": _classes(study), **settings}


def survey_stages(data: Path, study: Study | None) -> list[Stage]:
    """Return the stages that tell what ``data`` hold; the settings of ``study`` are tried before any others."""
    place = Place(PROJECT, data)
    given: Json = {"reader": study.dataset.reader, **_reading(study)} if study else None
    inputs = {"data": data_inputs(place)[0]}
    check = Stage("check", "analysis.datasets.survey:survey", inputs, {"settings": given}, packages=PICTURES)
    return [_archive(place), check] if place.packed else [check]


def _archive(place: Place) -> Stage:
    assert place.data is not None
    return Stage("archive", "analysis.datasets.archives:unpack", {"data": Source(place.data)})


def data_inputs(place: Place) -> tuple[Input, Input]:
    """Return the data folder as the reader sees it (content in the key) and as later stages do.

    Later stages check every picture against the digest in ``records.csv``, so the folder itself is not
    part of their keys.
    """
    if place.data is None:
        return Output("sample"), Output("sample")
    if place.packed:
        return Output("archive"), Output("archive")
    return Source(place.data), Source(place.data, keyed=False)


def _model(study: Study, model: Model) -> Iterator[Stage]:
    seed = study.training.seeds[0]
    pixels: dict[str, Input] = {"records": RECORDS, "images": Output("images"), "split": Output("split")}
    trained = f"train.{model.id}"
    yield Stage(
        f"architecture.{model.id}",
        "analysis.models.architecture:describe",
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
    )
    yield Stage(
        trained,
        "analysis.models.training:train",
        {"architecture": Output(f"architecture.{model.id}", ("architecture.json",)), **pixels},
        {
            "classes": _ids(study),
            "seed": seed,
            "fit": study.image.fit,
            **_only(model, "input", "class_balance", "augmentation", "optimizer", "learning_rate"),
            **_only(model, "epochs", "batch_size", "callbacks"),
        },
        packages=NETWORK,
        threads=study.training.threads,
    )
    yield Stage(
        f"predict.{model.id}",
        "analysis.models.prediction:predict",
        {"model": Output(trained, ("model.keras", "input.json")), **pixels},
        {"classes": _ids(study), "seed": seed, "splits": list(SPLITS)},
        packages=NETWORK,
        threads=study.training.threads,
    )
    yield Stage(
        f"evaluate.{model.id}",
        "analysis.evaluation.evaluate:evaluate",
        {
            "predictions": Output(f"predict.{model.id}"),
            "training": Output(trained, ("history.csv", "training.json")),
        },
        {"model": model.id, "classes": _ids(study), "splits": list(SPLITS)},
        packages=METRICS,
    )


def _conclusions(study: Study) -> Iterator[Stage]:
    parts: dict[str, Input] = {}
    for other in compared(study):
        assert study.comparison is not None
        first = study.comparison.baseline
        name = f"compare.{other}"
        parts[f"compare_{other}"] = Output(name, ("results.json",))
        yield Stage(
            name,
            "analysis.evaluation.compare:compare",
            {
                "a": Output(f"evaluate.{first}", ("results.json",)),
                "b": Output(f"evaluate.{other}", ("results.json",)),
                "predictions_a": Output(f"predict.{first}"),
                "predictions_b": Output(f"predict.{other}"),
            },
            {"a": first, "b": other, "classes": _ids(study), "splits": list(SPLITS)},
            packages=METRICS,
        )
    yield Stage(
        "results",
        "analysis.evaluation.results:collect",
        {
            "records": Output("read"),
            "split": Output("split"),
            **{
                f"architecture_{m.id}": Output(f"architecture.{m.id}", ("summary.json",))
                for m in study.models
            },
            **{f"evaluate_{m.id}": Output(f"evaluate.{m.id}", ("results.json",)) for m in study.models},
            **parts,
        },
        {"classes": _ids(study), "models": [m.id for m in study.models]},
        packages=TABLES,
    )


def compared(study: Study) -> tuple[str, ...]:
    """Return the models that the study compares with its baseline."""
    return study.comparison.against if study.comparison else ()


def _figures(study: Study, place: Place) -> Iterator[Stage]:
    _, pixels = data_inputs(place)
    records: dict[str, Input] = {"records": RECORDS, "split": Output("split")}
    classes: dict[str, Json] = {"classes": _classes(study)}

    def figure(name: str, inputs: dict[str, Input], params: dict[str, Json]) -> Stage:
        module = name.partition(".")[0]
        given = {**inputs, "fonts": FONTS}
        return Stage(f"figure.{name}", f"analysis.figures.{module}:draw", given, params, packages=DRAWING)

    yield figure("counts", records, classes)
    yield figure("sizes", records, classes)
    yield figure(
        "examples",
        {**records, "images": Output("images"), "data": pixels},
        {**classes, "seed": study.split.seed},
    )
    for model in study.models:
        evaluation: dict[str, Input] = {"evaluation": Output(f"evaluate.{model.id}")}
        named: dict[str, Json] = {**classes, "model": model.id, "title": model.title}
        yield figure(f"curves.{model.id}", {"training": Output(f"train.{model.id}", ("history.csv",))}, named)
        yield figure(f"roc.{model.id}", evaluation, {**named, "splits": list(SPLITS)})
        yield figure(f"confusion.{model.id}", evaluation, {**named, "splits": list(SPLITS)})
    for other in compared(study):
        assert study.comparison is not None
        titles: Json = {m.id: m.title for m in study.models if m.id in {study.comparison.baseline, other}}
        yield figure(
            f"differences.{other}",
            {"comparison": Output(f"compare.{other}")},
            {
                **classes,
                "a": study.comparison.baseline,
                "b": other,
                "titles": titles,
                "split": study.comparison.split,
            },
        )


def _document(study: Study, place: Place) -> Iterator[Stage]:
    models = [m.id for m in study.models]
    figures = [s.name for s in _figures(study, place)]
    yield Stage(
        "source",
        "report.document.source:write",
        {
            "templates": Source(PROJECT / "templates", include=("*.j2", "sections/*.j2", "references.bib")),
            "prose": Source(place.study, include=("*.md",)),
            "records": Output("read"),
            "split": Output("split"),
            "results": Output("results"),
            **{f"architecture_{m}": Output(f"architecture.{m}") for m in models},
            **{f"training_{m}": Output(f"train.{m}", ("history.csv",)) for m in models},
            **{f"evaluate_{m}": Output(f"evaluate.{m}") for m in models},
            **{f"compare_{m}": Output(f"compare.{m}") for m in compared(study)},
            **{name.replace(".", "_"): Output(name) for name in figures},
        },
        {
            "study": study.model_dump(mode="json"),
            "name": place.study.name,
            "sample": place.data is None,
            "overrides": list(place.overrides),
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
        {"classes": list(classes), "pictures": [str(path) for path in pictures]},
        packages=tuple(sorted({*NETWORK, *PICTURES})),
    )


def _only(section: Any, *names: str) -> dict[str, Json]:
    """Return the named keys of a section of the study file (all without names), as JSON values."""
    values: dict[str, Json] = section.model_dump(mode="json", include=set(names) or None)
    return values

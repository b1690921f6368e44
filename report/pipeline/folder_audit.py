"""The stages of ``report audit``: a folder of images looked through, without a study and without a training.

They are those of a study's audit, so that what a build has found of the same images is not looked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.vocabulary.audit import CONFOUNDING, DUPLICATES, LABELS, LEAKS, PATIENTS, PROBING
from analysis.vocabulary.splits import SPLITS
from report import PROJECT
from report.engine.stage import Input, Json, Output, Source, Stage
from report.pipeline import packages
from report.pipeline.audit import (
    Named,
    find_label_candidates,
    find_topic,
    make_duplicates_stage,
    make_patients_stage,
    make_split_stages,
    make_topic_stages,
    name_topic,
)
from report.pipeline.data import (
    Place,
    find_kind,
    make_data_check_stages,
    make_data_inputs,
    make_images_stage,
)
from report.pipeline.document import THEME, WORDS
from report.pipeline.figures import make_figure
from report.study.settings import Image
from report.study.study import Study

Read = Mapping[str, Any]
"""What the stage ``read`` tells of the data, ``data_check.json``."""


def make_folder_audit_stages(data: Path, study: Study | None, read: Read, title: str) -> list[Stage]:
    """Return the stages of the audit of a folder or archive.

    Parameters
    ----------
    data : Path
        The folder or the archive.
    study : Study or None
        Whose settings were tried first in reading.
    read : mapping
        What was read, which names the classes and tells whether the dataset comes with a split.
    title : str
        What the data are called on the page.
    """
    place = Place(PROJECT, find_kind(data), data)
    classes: list[Named] = [{"id": c["id"], "label": c["label"]} for c in read["classes"]]
    ids = [c["id"] for c in read["classes"]]
    _, pixels = make_data_inputs(place)
    # Without training images nothing can be known from training.
    is_split = len(set(SPLITS) & set(read["official"])) > 1
    stages = [
        *make_data_check_stages(data, study, keep=True),
        _official_split(),
        make_duplicates_stage(place),
        _figure_of_copies(classes, pixels),
    ]
    if len(classes) > 1:
        stages += [
            make_images_stage(pixels, Image()),
            *(make_split_stages(ids) if is_split else [make_patients_stage(ids, is_split=False)]),
            *make_topic_stages(classes),
            _figure_of_labels(classes, pixels),
        ]
    return [*stages, *_page(classes, title, [stage.name for stage in stages])]


def _official_split() -> Stage:
    return Stage(
        "split",
        "analysis.audit.official_split:write",
        {"records": Output("read", ("records.csv",))},
        packages=packages.STATISTICS,
    )


def _figure_of_labels(classes: Sequence[Named], pixels: Input) -> Stage:
    inputs = {**find_label_candidates(by_networks=False), "data": pixels}
    return make_figure("labels", inputs, *_name(classes))


def _figure_of_copies(classes: Sequence[Named], pixels: Input) -> Stage:
    inputs: dict[str, Input] = {
        "duplicates": Output(name_topic(DUPLICATES), ("pairs.csv",)),
        "records": Output("read", ("records.csv", "depth.json")),
        "split": Output("split"),
        "data": pixels,
    }
    return make_figure("duplicates", inputs, *_name(classes))


def _name(classes: Sequence[Named]) -> tuple[dict[str, Json], str]:
    """Return the classes as a figure is told them, and all that it may write."""
    return {"classes": [{**c} for c in classes]}, "".join(str(c["label"]) for c in classes)


def _page(classes: Sequence[Named], title: str, made: Sequence[str]) -> Iterator[Stage]:
    """Yield the stages of the page on what the stages ``made`` have found."""
    topics = [DUPLICATES, PATIENTS, CONFOUNDING, PROBING, LABELS, LEAKS]
    figures = [name for name in made if name.startswith("figure.")]
    yield Stage(
        "source",
        "report.writing.folder_audit:write",
        {
            "templates": Source(PROJECT / "templates", include=WORDS),
            "records": Output("read"),
            **{
                name: where
                for topic in topics
                if name_topic(topic) in made
                for name, where in find_topic(topic).items()
            },
            **{name.replace(".", "_"): Output(name) for name in figures},
        },
        {"classes": [{**c} for c in classes], "title": title},
        packages=packages.SOFTWARE,
    )
    theme: dict[str, Input] = {
        "source": Output("source"),
        "templates": Source(PROJECT / "templates", include=THEME),
    }
    yield Stage("html", "report.document.html:render", theme, packages=packages.HTML)

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
        make_images_stage(pixels, Image()),
        _official_split(),
        make_duplicates_stage(place),
        *(make_split_stages(ids) if is_split else [make_patients_stage(ids, is_split=False)]),
        *make_topic_stages(classes),
        *_figures(classes, pixels),
    ]
    figures = [stage.name for stage in stages if stage.kind == "figure"]
    return [*stages, *_page(classes, title, figures, is_split=is_split)]


def _official_split() -> Stage:
    return Stage(
        "split",
        "analysis.audit.official_split:write",
        {"records": Output("read", ("records.csv",))},
        packages=packages.STATISTICS,
    )


def _figures(classes: Sequence[Named], pixels: Input) -> Iterator[Stage]:
    names = "".join(str(c["label"]) for c in classes)
    about: dict[str, Json] = {"classes": [{**c} for c in classes]}
    candidates = find_label_candidates(by_networks=False)
    yield make_figure("labels", {**candidates, "data": pixels}, about, names)
    copies: dict[str, Input] = {
        "duplicates": Output(name_topic(DUPLICATES), ("pairs.csv",)),
        "records": candidates["records"],
        "split": Output("split"),
        "data": pixels,
    }
    yield make_figure("duplicates", copies, about, names)


def _page(classes: Sequence[Named], title: str, figures: Sequence[str], *, is_split: bool) -> Iterator[Stage]:
    topics = [DUPLICATES, PATIENTS, CONFOUNDING, PROBING, LABELS, *([LEAKS] if is_split else [])]
    yield Stage(
        "source",
        "report.writing.folder_audit:write",
        {
            "templates": Source(PROJECT / "templates", include=WORDS),
            "records": Output("read"),
            **{name: where for topic in topics for name, where in find_topic(topic).items()},
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

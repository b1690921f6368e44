"""The stages that answer with a trained network about images that nobody has labelled; no report reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.image_files import escape_name
from report.engine.stage import Input, Output, Source, Stage
from report.pipeline import packages

FACTS = "describe"
CLASSIFY = "classify"
ANSWER = "answer"
EXPLAIN = "explain"
SAFE_LOADING = ("h5py",)


def make_description_stage(known: Mapping[str, Path], classes: Sequence[str], split: str) -> Stage:
    """Return the stage that says what has to be known of a trained network to answer with it.

    ``known`` has files of earlier stages, see `analysis.evaluation.stages.describe_model.describe`.
    """
    return Stage(
        FACTS,
        "analysis.evaluation.stages.describe_model:describe",
        {name: Source(path, private=True) for name, path in known.items()},
        {"classes": [*classes], "split": split},
        packages=tuple(sorted({*packages.STATISTICS, *packages.IMAGES})),
    )


def make_answer_stages(
    network: tuple[Path, Path], classes: Sequence[str], images: Sequence[tuple[str, Path]], *, described: bool
) -> list[Stage]:
    """Return the stages that ask a network, its ``.keras`` file and ``input.json``, about images, each called by a name.

    With ``described`` they stand after `make_description_stage`; else the calibration is in the ``input.json`` itself.
    """
    model, seen = network
    known: dict[str, Input] = {"calibration": Source(seen)}
    if described:
        known = {
            "calibration": Output(FACTS, ("model.json",)),
            "training": Output(FACTS, ("training.npy",)),
            "tested": Output(FACTS, ("resemblance.npy",)),
        }
    return [
        Stage(
            CLASSIFY,
            "analysis.models.single_images:classify",
            {
                "model": Source(model),
                "input": Source(seen),
                **{f"image_{i}": Source(path.absolute(), private=True) for i, (_, path) in enumerate(images)},
            },
            {"classes": [*classes], "images": [escape_name(name) for name, _ in images]},
            packages=tuple(sorted({*packages.NETWORKS, *packages.IMAGES, *SAFE_LOADING})),
        ),
        Stage(
            ANSWER,
            "analysis.evaluation.stages.answer:answer",
            {"classified": Output(CLASSIFY), **known},
            {"classes": [*classes]},
            packages=tuple(sorted({*packages.STATISTICS, *packages.IMAGES})),
        ),
    ]


def make_map_stage(network: tuple[Path, Path], classes: Sequence[str]) -> Stage:
    """Return the stage that tells from where in the images of `make_answer_stages` the answers come."""
    model, seen = network
    needed = {*packages.NETWORKS, *packages.IMAGES, *packages.FIGURES, *packages.STATISTICS, *SAFE_LOADING}
    return Stage(
        EXPLAIN,
        "analysis.explanation.single_images:explain",
        {"model": Source(model), "input": Source(seen), "classified": Output(CLASSIFY)},
        {"classes": [*classes]},
        packages=tuple(sorted(needed)),
    )

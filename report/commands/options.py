"""The options that several commands share, and the plan that they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from report.terminal import console

if TYPE_CHECKING:
    from report.workspace.plan import Plan

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study's name, or a study.toml or its folder.")
]
StudyOption = Annotated[str, typer.Option("--study", metavar="STUDY", help="A study's name or folder.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The data folder, or a .zip, .tar or .tar.gz.")
]
External = Annotated[
    Path | None,
    typer.Option("--external", metavar="DIR", help="Images from elsewhere that trained models are tried on."),
]
Pretraining = Annotated[
    Path | None,
    typer.Option("--pretraining", metavar="DIR", help="Images that a network learns from first."),
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights", metavar="DIR", help="Folder of Keras' files of ImageNet weights; keras fetches them."
    ),
]
Sample = Annotated[bool, typer.Option("--sample", help="Generated images instead of data: small and quick.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change the study for this call: models.baseline.epochs=3"
    ),
]
Cache = Annotated[Path | None, typer.Option("--cache", metavar="DIR", help="Where results are kept.")]
StageName = Annotated[str, typer.Argument(help="A stage's name, as status prints it.")]
Port = Annotated[
    int | None,
    typer.Option("--port", metavar="N", min=1, max=65_535, help="Default: 8420, or the next that is free."),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Open no browser.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def request_plan(
    study: str,
    data: Path | None,
    sample: bool,
    overrides: list[str] | None,
    cache: Path | None,
    external: Path | None = None,
    weights: str | None = None,
    pretraining: Path | None = None,
) -> Plan:
    """Return the plan that these options ask for, and tell where the data are if nobody named them.

    Raises
    ------
    UsageError, StudyError, DataError, WeightsError
        As `report.workspace.plan.make_plan`.
    """
    from report.workspace import plan as workspace
    from report.workspace.request import Request

    request = Request(
        study, data, sample, tuple(overrides or ()), cache, external, weights or "", pretraining
    )
    plan = workspace.make_plan(request)
    if plan.guesses_data:
        console.note(f"data: {plan.data} (as in the last build)")
    return plan


def request_plan_without_data(
    study: str, data: Path | None, sample: bool, overrides: list[str] | None, cache: Path | None
) -> Plan:
    """Return the plan that these options ask for, of which nothing is run that reads the data folder.

    Raises
    ------
    UsageError, StudyError
        As `report.workspace.plan.make_plan`.
    """
    from report.workspace import plan as workspace
    from report.workspace.request import Request

    request = Request(study, data, sample, tuple(overrides or ()), cache)
    return workspace.make_plan(request, needs_data=False)

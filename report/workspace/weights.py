"""Where weights lie that were learnt elsewhere: on ImageNet, or by a study of the user's."""

from __future__ import annotations

from pathlib import Path

from analysis.errors import WeightsError
from analysis.models.backbones import BACKBONES
from analysis.vocabulary.run_names import split_run
from report.engine.stage import kind_of
from report.engine.store import Store
from report.errors import UsageError, did_you_mean, nearest
from report.study.build_command import format_build
from report.study.study import AT_HAND, Study
from report.study.value_types import IMAGENET
from report.workspace.places import find_cache
from report.workspace.request import Request

FROM_KERAS = "keras"
"""What the user says in place of a folder, to have Keras fetch the weights."""
WEIGHTS = "weights"
"""Where the cache remembers them."""


def find_weights(request: Request) -> str:
    """Return the folder with weights learnt on ImageNet, or that Keras fetches them; "" where they are not at hand.

    ``--weights``, else ``REPORT_WEIGHTS``, else what the last build took.

    Raises
    ------
    WeightsError
        The user names a folder that does not exist.
    """
    named = request.named_weights
    last = Store(find_cache(request.cache)).latest(request.cache_name, WEIGHTS).get("folder", "")
    found = named or last
    if found in {FROM_KERAS, ""} or Path(found).is_dir():
        return found if found in {FROM_KERAS, ""} else str(Path(found).resolve())
    if named:
        raise WeightsError(f"{named}: no such folder of weights", hint=AT_HAND)
    return ""


def require_files(folder: Path, study: Study) -> None:
    """Refuse a folder that lacks weights of a model, before anything runs.

    Raises
    ------
    WeightsError
        There is no file of that name.
    """
    for model in study.models:
        if model.weights == IMAGENET and not (folder / BACKBONES[model.backbone].file).is_file():
            known = BACKBONES[model.backbone]
            raise WeightsError(
                f"{folder} has no {known.file}, with which {model.id} begins",
                hint=f"fetch it into the folder: {known.url}; or let Keras fetch it: --weights {FROM_KERAS}",
            )


def find_networks(request: Request, study: Study) -> dict[str, Path]:
    """Return the files of the networks of other studies that models begin with, by what the models call them.

    Each is that of the last training; of the sample where this is one.

    Raises
    ------
    WeightsError
        There is no such study, or none of its trainings in the cache is called so.
    """
    store, found = Store(find_cache(request.cache)), dict[str, Path]()
    for model in study.models:
        name, trained = model.study_of_weights
        if not name:
            continue
        try:
            other = Request(name, sample=request.sample, cache=request.cache)
            made = store.latest(other.cache_name)
        except UsageError as error:
            raise WeightsError(f"{model.id}: weights: {error.message}", hint=error.hint) from error
        if other.cache_name == request.cache_name:
            raise WeightsError(
                f"{model.id}: weights: {name} is this study itself", hint=f'write init_from = "{trained}"'
            )
        record = store.read(made.get(f"train.{trained}", ""))
        if record is None:
            known = [n.removeprefix("train.") for n in made if kind_of(n) == "train"]
            data = ["--sample"] if request.sample else ["--data", "DIR"]
            build = format_build(name, (), *data, "--only", split_run(trained)[0])
            raise WeightsError(
                f"{model.id}: weights: no training of {other.cache_name} in the cache is called {trained}",
                hint=did_you_mean(nearest(trained, known), build),
            )
        found[model.weights] = store.sound_path(record.outputs["model.keras"], record.stage)
    return found

"""The stages that tell from where in an image the score of a network comes, and what its first layers make of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.vocabulary.attention import (
    ACTIVATIONS,
    ATTENTION,
    LAYERS_TABLE,
    MAPS_TABLE,
    NETWORK,
    SHOWN_TABLE,
)
from report.engine.stage import Input, Output, Stage
from report.pipeline import packages
from report.pipeline.data import Place, make_data_inputs
from report.pipeline.networks import PREDICTIONS, RESULTS
from report.pipeline.splits import find_pixels
from report.study.model_settings import Model
from report.study.study import Study
from report.study.trainings import find_mapped_networks, list_explained, name_first_run

TABLES = (NETWORK, SHOWN_TABLE, MAPS_TABLE)
PACKAGES = tuple(sorted({*packages.NETWORKS, *packages.IMAGES, *packages.STATISTICS}))


def make_attention_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages on the networks of the main text, or of many on the best one, and on the feature maps asked for."""
    _, data = make_data_inputs(place)
    for name, models in list_explained(study).items():
        yield Stage(
            f"{ATTENTION}.{name}",
            "analysis.explanation.attention:explain",
            {**_networks(study, models), "data": data},
            {
                "classes": [*study.class_ids],
                "models": {m.id: m.select("test_input")["test_input"] for m in models},
                "seed": study.training.seeds[0],
                "fit": study.image.fit,
            },
            packages=PACKAGES,
            threads=study.training.threads,
            releases=(*RESULTS, *TABLES),  # the pictures stay
        )
    for model in find_mapped_networks(study):
        yield Stage(
            f"{ACTIVATIONS}.{model.id}",
            "analysis.explanation.feature_maps:show",
            _networks(study, [model]),
            {
                "classes": [*study.class_ids],
                "model": model.id,
                **model.select("test_input"),
                "seed": study.training.seeds[0],
            },
            packages=PACKAGES,
            threads=study.training.threads,
            releases=(LAYERS_TABLE,),
        )


def _networks(study: Study, models: Sequence[Model]) -> dict[str, Input]:
    """Return the first training of each model, what it says of the images, and these."""
    runs = {m.id: name_first_run(study, m) for m in models}
    return {
        **find_pixels(""),
        **{f"model_{m}": Output(f"train.{run}", ("model.keras", "input.json")) for m, run in runs.items()},
        **{f"predictions_{m}": Output(f"predict.{run}", PREDICTIONS) for m, run in runs.items()},
    }


def find_attention(study: Study, *files: str) -> dict[str, Input]:
    """Return files of the stages as inputs of others: ``attention_<model>``."""
    return {f"{ATTENTION}_{name}": Output(f"{ATTENTION}.{name}", files) for name in list_explained(study)}

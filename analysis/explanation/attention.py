"""The ``attention`` stage: Grad-CAM of a trained network on test images, beside that of the same network untrained."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from scipy.stats import t

from analysis.arrays import Floats, Indices, Labels
from analysis.audit.lung_masks import Draw, find_masks, square_masks
from analysis.errors import DataError
from analysis.evaluation import settings
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.results_file import (
    COUNT,
    Basis,
    Entry,
    Interval,
    Results,
    bounded,
    entry,
    write_json,
)
from analysis.evaluation.statistics.intervals import clustered_variance
from analysis.evaluation.statistics.metrics import confusion_matrix, f1, macro
from analysis.explanation import grad_cam
from analysis.explanation.layers import find_last_map
from analysis.models import batches, output_head, runtime
from analysis.models.images import Array, Images, read
from analysis.models.published_mistakes import Mistakes
from analysis.progress import Progress, silent
from analysis.vocabulary import attention as words
from analysis.vocabulary.splits import VALIDATION

MOST_IMAGES = 2000
"""So many test images are asked about at the most, evenly through them: a map takes longer than a prediction."""
BATCH_SIZE = 16
NO_MAP = "the network has no convolution, so no map"
ONE_SIDED = "one of the maps is the same everywhere, for every image"
NO_MASKS = "no lung masks of these images"
PICTURES = "pictures.npy"
COLUMNS = (
    *("image_id", "y_true", "y_pred", "probability", "called", "is_empty", "is_empty_random"),
    *("rank_correlation", "lung_area", "lung_share", "lung_share_random"),
)
"""Of the tables."""


@dataclass(frozen=True)
class Network:
    """A trained network and how it sees test images.

    Parameters
    ----------
    id : str
        Of the model.
    model : keras.Model
    head : {"softmax", "sigmoid", "logits"}
    images : Images
        What is shown to it, in the order of the test images.
    scaling : Scaling
    averaged_over : tuple of str
        As in `analysis.models.output_head.predict`.
    """

    id: str
    model: keras.Model
    head: output_head.Head
    images: Images
    scaling: batches.Scaling
    averaged_over: tuple[str, ...]

    def explain(self, rows: Indices, y_pred: Indices, model: keras.Model | None = None) -> grad_cam.Maps:
        """Return the maps of the test images ``rows``, of another network of this kind where one is given."""
        shown = self.show(rows)
        return grad_cam.explain(model or self.model, self.head, shown, y_pred[rows], self.averaged_over)

    def show(self, rows: Indices) -> Any:
        """Return the test images ``rows`` as the network sees them, (n, size, size, channels)."""
        return self.scaling(batches.as_floats(self.images.levels[rows]))


def explain(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
    models: Mapping[str, Mapping[str, Any] | None],
    seed: int,
    fit: str,
) -> None:
    """Write from where in test images the scores of a network come: of several that with the best macro F1 in validation.

    ``images.csv`` has for each class the test image called right with the highest probability, and the one called wrong;
    ``pictures.npy`` these images, their maps, and those of the network with fresh weights, (n, 3, size, size) of uint8.
    ``maps.csv`` has a row for each test image asked about: the rank correlation of both maps, and where there is a mask
    the share of each inside the lungs and that of the image which the lungs are. ``results.json`` has their means, and
    ``network.json`` which network it is, the layer and the size of its maps, both null without a convolution.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``model_<id>`` and ``predictions_<id>`` of each model, the stages ``records``, ``images`` and ``split``, and the
        data, ``data``, for the lung masks.
    classes : sequence of str
        Class ids in the study's order.
    models : mapping of str to mapping
        By model another ``scale`` and ``offset`` for test images than in training, or None.
    seed : int
        Of the trainings; fresh weights are drawn with the next one, so as not to be those that a training began with.
    fit : str
        How the images were made square.

    Raises
    ------
    DataError
        Predictions and images are not of the same images.
    """
    runtime.start(seed)
    name = choose_model(inputs, classes, list(models))
    predictions = read_predictions(inputs[f"predictions_{name}"] / "predictions.csv", classes, ["test"])[
        "test"
    ]
    network = open_network(inputs, name, models[name], len(classes))
    require_same(network, predictions)
    layer = find_last_map(network.model)
    size = network.images.size
    asked = shown = pd.DataFrame(columns=COLUMNS)
    pictures = np.zeros((0, 3, size, size), np.uint8)
    if layer is not None:
        random = grad_cam.randomise(network.model, seed + 1)
        masks = find_masks(inputs["data"], list(predictions.image_id))
        question = Question(network, random, predictions, masks, fit)
        every = question.ask(_spread(len(predictions.y_true)), progress)
        asked = pd.concat([table for table, _ in every], ignore_index=True)
        tables, drawn = zip(*question.ask(choose_images(predictions), silent), strict=True)
        shown, pictures = pd.concat(tables, ignore_index=True), np.concatenate(drawn)
    np.save(out / PICTURES, pictures)
    _write_table(out / words.SHOWN_TABLE, shown)
    _write_table(out / words.MAPS_TABLE, asked)
    about = {"model": name, "layer": layer and layer.name, "size": layer and list(layer.output.shape[1:3])}
    write_json(out / words.NETWORK, about)
    write_json(out / "results.json", _summarise(name, asked, predictions))


def choose_model(inputs: Mapping[str, Path], classes: Sequence[str], models: Sequence[str]) -> str:
    """Return the model with the highest macro F1 on the validation images, the first of equals."""

    def score(model: str) -> float:
        path = inputs[f"predictions_{model}"] / "predictions.csv"
        found = read_predictions(path, classes, [VALIDATION])[VALIDATION]
        value = float(macro(f1(confusion_matrix(found.y_true, found.y_pred, len(classes)))))
        return -math.inf if math.isnan(value) else value

    return max(models, key=score) if len(models) > 1 else models[0]


def open_network(
    inputs: Mapping[str, Path], name: str, test_input: Mapping[str, Any] | None, classes: int
) -> Network:
    """Return a trained network with the test images as it sees them; ``test_input`` may scale them otherwise."""
    images = read(inputs)
    seen = json.loads((inputs[f"model_{name}"] / "input.json").read_text(encoding="utf-8"))
    scaling = batches.Scaling(seen["scale"], seen["offset"], seen["channels"])
    model = keras.models.load_model(inputs[f"model_{name}"] / "model.keras")
    shown, rows = Mistakes(seen["pixels"]).other_set(images, images.rows("test"), seen["channels"])
    return Network(
        name,
        model,
        output_head.find_head(model, classes),
        shown.only(rows),
        replace(scaling, **test_input) if test_input else scaling,
        tuple(seen["averaged_over"]),
    )


def require_same(network: Network, predictions: Predictions) -> None:
    """Refuse predictions of other test images than there are.

    Raises
    ------
    DataError
        They are not the same, or not in the same order.
    """
    if list(network.images.table["image_id"]) != list(predictions.image_id):
        raise DataError("the predictions are of other test images", hint="report build")


def choose_images(predictions: Predictions) -> Indices:
    """Return of each class the image called right with the highest probability, and the one called wrong, where there are any.

    They are places among the images; of equals the one whose id comes first.
    """
    y_pred, certainty = predictions.y_pred, predictions.y_score.max(axis=1)
    order = np.lexsort((predictions.image_id.astype(str), -certainty))
    found = []
    for k in range(len(predictions.classes)):
        for called in (y_pred == k, y_pred != k):
            mine = order[((predictions.y_true == k) & called)[order]]
            found += list(mine[:1])
    return np.array(found, dtype=np.intp)


def _spread(n: int) -> Indices:
    """Return `MOST_IMAGES` places evenly among ``n``, or all."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_IMAGES)).round().astype(np.intp))


@dataclass(frozen=True)
class Question:
    """What is asked about test images: where the score of the called class comes from, and whether that is in the lungs.

    Parameters
    ----------
    network : Network
    random : keras.Model
        The same network with fresh weights.
    predictions : Predictions
        What the trained one says of all test images.
    masks : mapping of str to callable
        Of `analysis.audit.lung_masks.find_masks`.
    fit : str
        How the images were made square.
    """

    network: Network
    random: keras.Model
    predictions: Predictions
    masks: Mapping[str, Draw]
    fit: str

    def ask(self, rows: Indices, progress: Progress) -> Iterator[tuple[pd.DataFrame, Array]]:
        """Yield for batches of ``rows`` what is told of each test image, and it with both maps, (n, 3, size, size) of uint8."""
        for start in range(0, len(rows), BATCH_SIZE):
            batch = rows[start : start + BATCH_SIZE]
            y_pred = self.predictions.y_pred
            maps, of_random = (self.network.explain(batch, y_pred, model) for model in (None, self.random))
            levels = self.network.images.levels[batch]
            grey = levels if levels.ndim == 3 else levels.mean(axis=-1)
            pictures = np.rint(np.stack([grey, 255 * maps, 255 * of_random], axis=1))
            yield self._tell(batch, maps, of_random), pictures.astype(np.uint8)
            progress(start + len(batch), len(rows), "images")

    def _tell(self, rows: Indices, maps: grad_cam.Maps, of_random: grad_cam.Maps) -> pd.DataFrame:
        said = self.predictions
        drawn = [*square_masks(self.masks, said.image_id[rows], maps.shape[1], self.fit)]
        inside = np.stack([np.zeros(maps.shape[1:], bool) if mask is None else mask for mask in drawn])
        known = np.array([mask is not None for mask in drawn])
        names = np.array(said.classes, dtype=object)
        columns = (
            said.image_id[rows],
            names[said.y_true[rows]],
            names[said.y_pred[rows]],
            said.y_score.max(axis=1)[rows],
            np.where(said.y_true[rows] == said.y_pred[rows], words.RIGHT, words.WRONG),
            ~maps.any(axis=(1, 2)),
            ~of_random.any(axis=(1, 2)),
            grad_cam.rank_correlation(maps, of_random),
            *(
                np.where(known, values, np.nan)
                for values in (
                    inside.mean(axis=(1, 2)),
                    grad_cam.share_inside(maps, inside),
                    grad_cam.share_inside(of_random, inside),
                )
            ),
        )
        return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


MEANS = {
    words.CORRELATION: ("rank_correlation", "mean of absolute rank correlations (Spearman)", ONE_SIDED),
    words.LUNG_AREA: ("lung_area", "mean over images", NO_MASKS),
    words.IN_LUNGS: ("lung_share", "mean over images", NO_MASKS),
    words.IN_LUNGS_RANDOM: ("lung_share_random", "mean over images", NO_MASKS),
}
"""Of results that are means: the column of `words.MAPS_TABLE`, the method, and why there may be none."""


def _summarise(name: str, asked: pd.DataFrame, predictions: Predictions) -> Results:
    """Return the results of one network, by what their names end with behind ``attention``."""
    patients = dict(zip(predictions.image_id, predictions.patient_id, strict=True))
    artifact = f"{words.ATTENTION}.{name}/{words.MAPS_TABLE}"
    if asked.empty:
        return {
            f"{name}.{word}": entry(None, COUNT, Basis(artifact), reason_null=NO_MAP)
            for word in words.QUANTITIES
        }
    patient_id = asked["image_id"].map(patients).to_numpy(dtype=object)
    basis = Basis(artifact, len(asked), len(set(patient_id)))
    counts = {
        words.IMAGES: len(asked),
        words.EMPTY: int(asked["is_empty"].sum()),
        words.EMPTY_RANDOM: int(asked["is_empty_random"].sum()),
        words.LUNG_IMAGES: int(asked["lung_area"].count()),
    }
    found = {word: entry(number, COUNT, basis) for word, number in counts.items()}
    for word, (column, method, reason) in MEANS.items():
        values = np.abs(asked[column].to_numpy(dtype=np.float64))
        found[word] = _mean(values, patient_id, artifact, method, reason)
    return {f"{name}.{word}": item for word, item in found.items()}


def _mean(values: Floats, patient_id: Labels, artifact: str, method: str, reason: str) -> Entry:
    """Return the mean of the known ``values`` (n,), with a t interval that counts the images of a patient together."""
    known = np.isfinite(values)
    values, patient_id = values[known], patient_id[known]
    n, patients = len(values), len(set(patient_id))
    item = entry(values.mean() if n else None, method, Basis(artifact, n, patients), reason_null=reason)
    if patients < 2:
        return item if not n else {**item, "reason_null": "images of one patient"}
    se = math.sqrt(clustered_variance((values - values.mean()) / n, patient_id))
    reach = float(t.ppf((1 + settings.LEVEL) / 2, patients - 1)) * se
    low, high = (float(np.clip(values.mean() + side * reach, 0, 1)) for side in (-1, 1))
    return bounded(item, Interval(low, high, settings.LEVEL, se, "t by patients"))


def _write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table in six digits: further ones differ from machine to machine."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")

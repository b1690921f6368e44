"""Training of a network whose weights were learnt elsewhere, up to its head.

It is `analysis.models.training` with two differences. A network inside that is called with ``training=False`` stays in
inference mode, which Keras forgets while it fits: batch normalisation keeps the means and variances that it has learnt,
and nothing is dropped. And what is frozen of a network is run over the images once and not once an epoch, where nothing
changes them from epoch to epoch.
"""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from analysis.models import batches, runtime, training
from analysis.models.images import read
from analysis.models.prediction import BATCH_SIZE
from analysis.models.saving import save_model
from analysis.models.training_settings import TrainingSettings
from analysis.progress import Progress

DROPOUT = ("Dropout", "SpatialDropout2D")
AS_THEY_ARE = {"scale": 1.0, "offset": 0.0, "pixels": "in-place"}
"""How features become what the head sees."""


@keras.saving.register_keras_serializable("analysis")
class LearntBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Batch normalisation with the means and variances that it has learnt, in training too."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the normalised activations."""
        return super().call(inputs, training=False, mask=mask)


def train(inputs: dict[str, Path], out: Path, *, scratch: Path, progress: Progress, **settings: Any) -> None:
    """Write what `analysis.models.training.train` writes, of the same inputs and settings."""
    given = TrainingSettings(**settings)
    runtime.start(given.seed)
    text = (inputs["architecture"] / "architecture.json").read_text(encoding="utf-8")
    model = keras.models.model_from_json(json.dumps(keep_inference(json.loads(text))))
    if "initial" in inputs:
        model.set_weights(keras.models.load_model(inputs["initial"] / "model.keras").get_weights())
    changes = given.augmentation or given.input["pixels"] != "in-place"
    head, shown = model, dict[str, Path]()
    if frozen := 0 if changes else count_frozen(model):
        head, settings["input"] = split_off(model, frozen), AS_THEY_ARE
        shown = {"images": _make_folder(scratch, "images")}
        _write_features(model, frozen, given, inputs, shown["images"], progress)
    begun, trained = _make_folder(scratch, "begun"), _make_folder(scratch, "trained")
    (begun / "architecture.json").write_text(_with_seeds(head), encoding="utf-8")
    head.save(begun / "model.keras")
    prepared = {**inputs, **shown, "architecture": begun, "initial": begun}
    training.train(prepared, trained, scratch=scratch, progress=progress, **settings)
    head.set_weights(keras.models.load_model(trained / "model.keras").get_weights())  # shared with the whole
    _write_whole(model, text, given, out, scratch)
    for name in ("history.csv", "training.json"):
        shutil.copyfile(trained / name, out / name)
    seen = json.loads((trained / "input.json").read_text(encoding="utf-8"))
    size, channels = model.input_shape[2:]
    seen |= {"size": size, "channels": channels, **given.input}
    (out / "input.json").write_text(json.dumps(seen, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def _make_folder(scratch: Path, name: str) -> Path:
    folder = scratch / name
    folder.mkdir(exist_ok=True)
    return folder


def _write_whole(model: keras.Model, text: str, settings: TrainingSettings, out: Path, scratch: Path) -> None:
    """Write ``model.keras``: the weights of ``model`` in the network that ``text`` describes, of Keras' own layers."""
    weights = model.get_weights()
    runtime.start(settings.seed)
    plain = keras.models.model_from_json(text)
    plain.set_weights(weights)
    save_model(plain, text, out / "model.keras", scratch)


def keep_inference(config: dict[str, Any], *, inside: bool = False) -> dict[str, Any]:
    """Return the description of a network in which what is called with ``training=False`` keeps to that in training.

    ``inside`` says that the network is within one that is called so.
    """
    layers = [_keep_layer(layer, inside) for layer in config["config"]["layers"]]
    return {**config, "config": {**config["config"], "layers": layers}}


def _keep_layer(layer: dict[str, Any], inside: bool) -> dict[str, Any]:
    if "layers" in layer["config"]:
        # Not asked of dropout itself: Keras writes False there, whatever it is called with.
        called = any(_is_inference(node) for node in layer.get("inbound_nodes", ()))
        return keep_inference(layer, inside=inside or called)
    if inside and layer["class_name"] == "BatchNormalization":
        name = LearntBatchNormalization.__name__
        return {**layer, "module": __name__, "class_name": name, "registered_name": f"analysis>{name}"}
    if inside and layer["class_name"] in DROPOUT:
        return {**layer, "config": {**layer["config"], "rate": 0.0}}
    return layer


def _is_inference(node: Any) -> bool:
    return isinstance(node, dict) and node.get("kwargs", {}).get("training") is False


def count_frozen(model: keras.Model) -> int:
    """Return how many of the first layers of a network, one after the other, give the same of an image in every epoch.

    It is none where these have no weights, or there would be nothing left to train.
    """
    count = 1
    for before, layer in zip(model.layers, model.layers[1:], strict=False):
        nodes = layer._inbound_nodes
        follows = len(nodes) == 1 and [t._keras_history.operation for t in nodes[0].input_tensors] == [before]
        if not follows or not _is_constant(layer) or len(before._outbound_nodes) != 1:
            break
        count += 1
    first, rest = model.layers[:count], model.layers[count:]
    worth = any(layer.weights for layer in first) and any(layer.trainable_weights for layer in rest)
    return count if worth and isinstance(first[0], keras.layers.InputLayer) else 0


def _is_constant(layer: keras.Layer) -> bool:
    """Tell whether a layer gives the same in every epoch of a training."""
    if layer.trainable_weights:
        return False
    if isinstance(layer, keras.Model):
        return all(map(_is_constant, layer.layers))
    if isinstance(layer, keras.layers.BatchNormalization):
        return isinstance(layer, LearntBatchNormalization) or not layer.trainable
    if type(layer).__name__ in DROPOUT:
        return bool(layer.rate == 0)
    return "training" not in inspect.signature(layer.call).parameters


def split_off(model: keras.Model, frozen: int) -> keras.Model:
    """Return the network that follows on the first ``frozen`` layers, which shares its layers with ``model``.

    It takes their output, shape (n, side, side, channels), or (n, 1, 1, features) where they give no maps.
    """
    features = model.layers[frozen - 1]._inbound_nodes[0].outputs[0]
    head = keras.Model(features, model.outputs[0])
    if len(features.shape) == 4:
        return head
    inputs = keras.Input((1, 1, features.shape[-1]))
    return keras.Model(inputs, head(keras.layers.Reshape(features.shape[1:])(inputs)), name=model.name)


def _write_features(
    model: keras.Model,
    frozen: int,
    settings: TrainingSettings,
    inputs: Mapping[str, Path],
    out: Path,
    progress: Progress,
) -> None:
    """Write ``images.npy``: what the first layers give of the images to train and validate on, in the place of those."""
    first = keras.Model(model.inputs[0], model.layers[frozen - 1]._inbound_nodes[0].outputs[0])
    first.jit_compile = False
    images, shape = read(inputs), first.output_shape[1:]
    shape = shape if len(shape) == 3 else (1, 1, *shape)
    rows, scaling = images.rows("train", "val"), settings.scaling(model.input_shape[-1])
    features = np.lib.format.open_memmap(
        out / "images.npy", mode="w+", dtype=np.float32, shape=(len(images.table), *shape)
    )
    shown = batches.in_order(images, rows, settings.classes, scaling, BATCH_SIZE)
    for start, (batch, _) in zip(range(0, len(rows), BATCH_SIZE), shown, strict=True):
        here = rows[start : start + BATCH_SIZE]
        features[here] = first.predict_on_batch(batch).reshape(len(here), *shape)
        progress(start + len(here), len(rows), "images")
    features.flush()
    if (depth := inputs["images"] / "depth.json").exists():
        shutil.copyfile(depth, out / "depth.json")


def _with_seeds(model: keras.Model) -> str:
    """Return the JSON of a network whose random layers draw as they would in the one that it was split off."""
    config = json.loads(model.to_json())
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    seeds = {layer.name: layer.seed_generator for layer in layers if hasattr(layer, "seed_generator")}
    for settings in _list_settings(config):
        if settings["name"] in seeds:
            settings["seed"] = int(seeds[settings["name"]].state[0])
    return json.dumps(config)


def _list_settings(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is set in each layer of the description of a network."""
    for layer in config["config"]["layers"]:
        if "layers" in layer["config"]:
            yield from _list_settings(layer)
        else:
            yield layer["config"]

"""The weights that a network begins with, where others have learnt them: fetched, checked, and put into it.

``fetch`` is the stage of a file of weights learnt on ImageNet, ``begin`` that of a network with weights up to its head:
those of ImageNet, or those of a network that another study has trained.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras

from analysis.errors import WeightsError
from analysis.image_files import digest
from analysis.models import runtime
from analysis.models.backbones import BACKBONES, Backbone
from analysis.models.saving import save_model
from analysis.models.transfer import build_whole
from analysis.progress import Progress
from analysis.stage_files import find_file

ELSEWHERE = "fetch it on another machine and name its folder with --weights DIR"


def fetch(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, backbone: str) -> None:
    """Write ``weights.h5``, learnt on ImageNet as Keras has it, and ``weights.json``.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``file``, where the user has it; else it is fetched from where Keras has it.
    backbone : str
        A name in `analysis.models.backbones.BACKBONES`.

    Raises
    ------
    WeightsError
        It cannot be fetched, or is not the file that Keras knows.
    """
    known = BACKBONES[backbone]
    data = (inputs["file"] if "file" in inputs else _download(known, scratch)).read_bytes()
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if known.md5 and found != known.md5:
        raise WeightsError(
            f"{known.file}: its MD5 is {found}, that of Keras' file {known.md5}: cut short, or another file",
            hint=f"fetch it again: {known.url}",
        )
    (out / "weights.h5").write_bytes(data)
    facts = {"backbone": backbone, "title": known.title, "file": known.file, "sha256": digest(data)}
    _write_json(out / "weights.json", {**facts, "md5": found, "checked": bool(known.md5)})
    progress(1, 1, "files")


def _download(known: Backbone, scratch: Path) -> Path:
    try:
        return Path(keras.utils.get_file(known.file, known.url, cache_dir=scratch))
    except Exception as error:  # whatever Keras and the network say
        first = str(error).strip().partition("\n")[0]
        raise WeightsError(f"{known.url}: cannot be fetched: {first}", hint=ELSEWHERE) from error


def take(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, study: str, model: str
) -> None:
    """Write ``model.keras``, which a ``study`` has trained as ``model``, and ``weights.json``.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``network``, the file.
    """
    data = find_file(inputs["network"], "model.keras").read_bytes()
    (out / "model.keras").write_bytes(data)
    _write_json(out / "weights.json", {"study": study, "model": model, "sha256": digest(data)})
    progress(1, 1, "files")


def begin(inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, seed: int) -> None:
    """Write ``model.keras``, a network with learnt weights up to its head, and ``pretrained.json``.

    Parameters
    ----------
    inputs : mapping of str to Path
        ``architecture``, and ``weights``, as `fetch` or `take` writes them.
    seed : int
        Of the weights of the head.

    Raises
    ------
    WeightsError
        The weights are not those of such a network.
    """
    runtime.start(seed)
    text = find_file(inputs["architecture"], "architecture.json").read_text(encoding="utf-8")
    model = keras.models.model_from_json(text)
    weights = inputs["weights"]
    facts: dict[str, Any] = json.loads((weights / "weights.json").read_text(encoding="utf-8"))
    if "backbone" in facts:
        load_imagenet(model, weights / "weights.h5", facts, scratch)
    else:
        load_network(model, weights / "model.keras", scratch)
    save_model(model, text, out / "model.keras", scratch)
    numbers = sum(layer.count_params() for layer in list_layers(find_base(model)))
    _write_json(out / "pretrained.json", {**facts, "parameters": numbers})
    progress(1, 1, "networks")


def load_imagenet(model: keras.Model, weights: Path, facts: Mapping[str, Any], scratch: Path) -> None:
    """Put weights learnt on ImageNet into the backbone of a network."""
    base = next((layer for layer in model.layers if layer.name == facts["backbone"]), None)
    if not isinstance(base, keras.Model):
        raise WeightsError(f"{model.name} has no {facts['title']} in it", hint="name it as params.backbone")
    copy = scratch / "weights.h5"  # the cache calls it otherwise, and Keras goes by a file's name
    shutil.copyfile(weights, copy)
    whole = build_whole(facts["backbone"], *model.input_shape[2:])
    try:
        whole.load_weights(copy)
    except Exception as error:  # whatever Keras and h5py say of another file
        first = str(error).strip().partition("\n")[0]
        problem = f"{facts['file']}: not the weights of {facts['title']} for images of {model.input_shape[-1]} channels"
        raise WeightsError(
            f"{problem}: {first}", hint=f"fetch it again: {BACKBONES[facts['backbone']].url}"
        ) from error
    finally:
        copy.unlink()
    known = [layer for layer in list_layers(whole) if not isinstance(layer, keras.layers.Normalization)]
    _copy(known, list_layers(base))


def load_network(model: keras.Model, trained: Path, scratch: Path) -> None:
    """Put the weights of a trained network up to its head into another."""
    copy = scratch / "trained.keras"
    shutil.copyfile(trained, copy)
    other = keras.models.load_model(copy)
    copy.unlink()
    layers, theirs = (list_layers(find_base(m)) for m in (model, other))
    for ours, known in zip(layers, theirs, strict=False):
        if _shapes(ours) != _shapes(known):
            raise _differs(model, f"{ours.name} has weights of {_shapes(ours)}, there {_shapes(known)}")
    if len(layers) != len(theirs):
        raise _differs(model, f"{len(layers)} layers with weights before the head, there {len(theirs)}")
    _copy(theirs, layers)


def _copy(known: list[keras.Layer], ours: list[keras.Layer]) -> None:
    for source, target in zip(known, ours, strict=True):
        target.set_weights(source.get_weights())


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(w.shape) for w in layer.weights]


def _differs(model: keras.Model, how: str) -> WeightsError:
    return WeightsError(
        f"{model.name} cannot begin with the weights of another network: {how}",
        hint="give both models the same architecture up to the head, for images of as many channels",
    )


def find_base(model: keras.Model) -> keras.Model | list[keras.Layer]:
    """Return the part of a network below its head: a network inside it, else all layers but the last with weights."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return inner[0] if inner else list_layers(model.layers)[:-1]


def list_layers(base: keras.Model | list[keras.Layer]) -> list[keras.Layer]:
    """Return the layers with weights, those of networks inside too, in their order."""

    def walk(layers: list[keras.Layer]) -> Iterator[keras.Layer]:
        for layer in layers:
            if isinstance(layer, keras.Model):
                yield from walk(layer.layers)
            elif layer.weights:
                yield layer

    return [*walk(base.layers if isinstance(base, keras.Model) else base)]


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, sort_keys=True, indent=1) + "\n", encoding="utf-8")

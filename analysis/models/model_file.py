"""A network from a file that anybody may have written: layers of Keras and numbers, or it is not loaded at all.

Keras' safe mode refuses code in a file. What it has let through in one version or another, and what a file can still ask
of the machine, is refused before Keras sees the file: layers that read other files, weights that lie elsewhere, and more
of anything than a network for images has.
"""

from __future__ import annotations

import json
import math
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from analysis.errors import WeightsError
from analysis.image_files import escape_name

PARTS = frozenset(("config.json", "metadata.json", "model.weights.h5"))
MOST_BYTES = 2**30
"""Of a file, and of what is packed in it; VGG16, the largest network that a study names, has half of that."""
MOST_CONFIG_BYTES = 2**24
MOST_DEPTH = 100
"""Of lists and tables in one another in the description of a network."""
READERS = frozenset(("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"))
"""Layers that run code, or load it from elsewhere."""
LOOKUPS = ("Lookup", "Vectorization", "Hash")
"""Parts of the names of layers for words, some of which read a file of them."""
PLACEHOLDERS = frozenset(("__keras_tensor__", "__tuple__"))
HINT = "only networks of Keras' own layers are loaded, as report export writes them"


def load(path: Path, scratch: Path) -> keras.Model:
    """Return the network in a ``.keras`` file; none of its code, as it may have none.

    Parameters
    ----------
    path : Path
        The file, whatever it is called.
    scratch : Path
        Where a copy may lie: Keras goes by a file's name.

    Raises
    ------
    WeightsError
        It is no such file, is cut short or too large, or has more in it than layers of Keras and their weights.
    """
    copy = scratch / "model.keras"
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise _refuse(f"a file of {size / MOST_BYTES:.1f} GiB, more than the limit of one")
    shutil.copyfile(path, copy)
    try:
        with zipfile.ZipFile(copy) as file:
            config = _read_config(file)
            with file.open("model.weights.h5") as weights, h5py.File(weights, "r") as stored:  # noqa: TID251  # of a file that Python has opened
                numbers = _count_stored(stored)
        _refuse_more_than(config, numbers)
        model = keras.models.load_model(copy, compile=False, safe_mode=True)
    except WeightsError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as error:
        raise _refuse("is no zip archive, as a .keras file is, or is cut short") from error
    except Exception as error:  # whatever Keras, h5py or a decoder says of what somebody has made up
        first = escape_name(str(error).strip().partition("\n")[0])[:200]
        raise _refuse(f"cannot be loaded: {first or type(error).__name__}") from error
    finally:
        copy.unlink(missing_ok=True)
    if not isinstance(model, keras.Model):
        raise _refuse(f"holds a {type(model).__name__}, not a network")
    for layer in _list_layers(model):
        if (most := max(_count_outputs(layer), default=0)) > MOST_BYTES // 4:
            raise _refuse(f"has a layer with {most:,} numbers for each image")
    model.jit_compile = False
    return model


def _list_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a network, those of networks inside it too."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _list_layers(layer)
        else:
            yield layer


def _count_outputs(layer: keras.Layer) -> Iterator[int]:
    """Yield how many numbers a layer answers with of one image, each time that it is used."""
    for node in layer._inbound_nodes:
        for output in node.outputs:
            yield math.prod(side or 1 for side in output.shape[1:])


def _read_config(file: zipfile.ZipFile) -> Any:
    """Return the description of a network whose parts are those of a `.keras` file, of bearable size."""
    members = file.infolist()
    names = [member.filename for member in members]
    if set(names) != PARTS or len(names) != len(PARTS):
        other = next((name for name in names if name not in PARTS), "")
        raise _refuse(
            f"has {other[:80]!r} in it" if other else "lacks a part of a .keras file, or has it twice"
        )
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise _refuse("unpacked it is larger than the limit of one GiB")
    if file.getinfo("config.json").file_size > MOST_CONFIG_BYTES:
        raise _refuse("its description is no network's: too long")
    text = file.read("config.json")
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse("its description is no JSON") from error
    for what in _find_foreign(config):
        raise _refuse(f"has {what} in it")
    return config


def _find_foreign(config: Any, depth: int = 0) -> Iterator[str]:
    """Yield what a description asks for that is no layer or part of one that Keras brings and that stays by itself."""
    if depth > MOST_DEPTH:
        yield "tables nested without end"
        return
    if isinstance(config, dict):
        if "class_name" in config:
            yield from _judge(config)
        config = list(config.values())
    if isinstance(config, list):
        for item in config:
            yield from _find_foreign(item, depth + 1)


def _judge(config: dict[str, Any]) -> Iterator[str]:
    name, module = str(config["class_name"]), config.get("module")
    registered = config.get("registered_name")
    if name in PLACEHOLDERS and module in (None, "builtins"):
        return
    is_keras = isinstance(module, str) and module.split(".")[0] == "keras"
    if name in READERS or any(part in name for part in LOOKUPS):
        yield f"a layer that runs or reads what lies elsewhere ({name[:80]!r})"
    elif not is_keras or registered not in (None, name):
        yield f"code that is not of Keras ({str(module)[:80]!r}, {name[:80]!r})"


def _count_stored(stored: h5py.Group) -> int:
    """Return how many numbers the weights have; all of them must lie in the file itself."""
    total = 0
    waiting: list[tuple[h5py.Group, int]] = [(stored, 0)]
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            if depth > MOST_DEPTH or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _refuse("its weights lie elsewhere")
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append((item, depth + 1))
            elif item.external or item.is_virtual:
                raise _refuse("its weights lie elsewhere")
            else:
                total += int(item.size or 0)
                if total * 2 > MOST_BYTES:  # two bytes are the fewest that a number of a network has
                    raise _refuse("has more weights than the limit of one GiB")
    return total


def _refuse_more_than(config: Any, numbers: int) -> None:
    """Refuse a description of a network with other weights than there are, before any room is made for them."""
    with keras.StatelessScope(initialize_variables=False):
        described = keras.models.model_from_json(json.dumps(config))
    counts = sum(math.prod(v.shape) for v in described.variables)
    keras.utils.clear_session()
    if counts > numbers + len(described.variables):  # states of random generators need not be stored
        raise _refuse(f"describes a network of {counts:,} weights and has {numbers:,}")


def _refuse(what: str) -> WeightsError:
    return WeightsError(f"the network's file {what}", hint=HINT)

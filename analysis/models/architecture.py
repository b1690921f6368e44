"""An architecture, named ``module:function``, built untrained and written down as JSON and as a table."""

from __future__ import annotations

import importlib
import json
import math
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from analysis.errors import ArchitectureError
from analysis.models import runtime
from analysis.models.layer_table import layer_table
from analysis.models.output_head import find_head
from analysis.models.precision import to_bfloat16
from analysis.models.saving_check import require_saveable
from analysis.processor import has_bfloat16
from analysis.progress import Progress


def describe(
    inputs: dict[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    precision: str = "float32",
    **architecture: Any,
) -> None:
    """Write ``architecture.json``, ``layers.csv`` and ``summary.json`` of an untrained network.

    Parameters
    ----------
    inputs : dict of str to Path
        ``initial``, the architecture whose weights a training begins with, if it does.
    precision : {"float32", "bfloat16"}
        What the hidden layers are to compute in; float32 where the processor has no bfloat16. The network says it of
        itself, so training, prediction and export follow it, and ``summary.json`` has the ``precision`` that came of it:
        "bfloat16" or "unsupported".
    architecture : str
        ``"module:function"``, called with ``size``, ``channels``, ``classes`` and ``params``.
    params : mapping
        Further arguments of the function.
    size, channels, classes : int
        Side of the images in pixels, their channels, and the number of outputs.

    Raises
    ------
    ArchitectureError
        The function is not there, refuses its arguments, or its network does not fit the study.
    """
    model = build(**architecture)
    function, ends = architecture["architecture"], find_head(model, architecture["classes"])
    if "initial" in inputs:
        _require_same_weights(model, inputs["initial"] / "architecture.json", function)
    require_saveable(model, ends, function, scratch)
    summary = {**_summary(model), "head": ends}
    if precision == "bfloat16":
        summary["precision"] = "bfloat16" if has_bfloat16() else "unsupported"
        if has_bfloat16():
            to_bfloat16(model)
    (out / "architecture.json").write_text(_json(json.loads(model.to_json())), encoding="utf-8")
    (out / "summary.json").write_text(_json(summary), encoding="utf-8")
    layer_table(model).to_csv(out / "layers.csv", index=False, lineterminator="\n")
    progress(1, 1, "networks")


def _require_same_weights(model: keras.Model, other: Path, function: str) -> None:
    """Refuse a network that could not begin with the weights of another."""
    weights = keras.models.model_from_json(other.read_text(encoding="utf-8")).get_weights()
    if [w.shape for w in weights] != [w.shape for w in model.get_weights()]:
        raise ArchitectureError(
            f"{function}: it cannot begin with the weights of another architecture",
            hint="give both models of init_from the same architecture and params",
        )


def count(
    architecture: str, params: Mapping[str, Any], size: int, channels: int, classes: int
) -> dict[str, Any]:
    """Return ``parameters``, ``trainable_parameters`` and ``input_shape`` of an architecture, untrained."""
    return _summary(build(architecture, params, size, channels, classes))


def build(
    architecture: str, params: Mapping[str, Any], size: int, channels: int, classes: int
) -> keras.Model:
    """Return the untrained network, its layers named as in a fresh process."""
    function = _function(architecture)
    runtime.start(seed=0)
    try:
        model = function(size=size, channels=channels, classes=classes, **params)
    except (TypeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise ArchitectureError(
            f"{architecture} cannot build a network for images of {size} x {size} x {channels}: {first}",
            hint="compare params in the study file with the arguments of the function",
        ) from error
    except (Exception, SystemExit) as error:
        raise _fault(architecture, error) from error
    if not isinstance(model, keras.Model):
        raise ArchitectureError(
            f"{architecture} gives {type(model).__name__}, not a network", hint="return a keras.Model"
        )
    _require_input(model, (size, size, channels))
    find_head(model, classes)
    return model


def _require_input(model: keras.Model, expected: tuple[int, int, int]) -> None:
    """Refuse a network that does not take one image of this study."""
    shapes = [tuple(given.shape[1:]) for given in getattr(model, "inputs", None) or ()]
    if shapes != [expected]:
        found = " and ".join(_sides(shape) for shape in shapes) or "nothing that is declared"
        raise ArchitectureError(
            f"{model.name} takes {found}, the images are {_sides(expected)}",
            hint="begin it with keras.Input((size, size, channels)), and return keras.Model(inputs, outputs)",
        )


def _sides(shape: tuple[int | None, ...]) -> str:
    return " x ".join("any" if side is None else str(side) for side in shape)


def _function(architecture: str) -> Any:
    module, _, name = architecture.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ArchitectureError(
            f"architecture {architecture}: {error}", hint="name it as analysis.models.assignment:baseline"
        ) from error
    except (Exception, SystemExit) as error:
        raise _fault(architecture, error) from error


def _fault(architecture: str, error: BaseException) -> ArchitectureError:
    """Return the error of an author's function that fails, with the last line of his module that it went through."""
    file = architecture.partition(":")[0].rpartition(".")[2] + ".py"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name == file]
    place = f"{file}:{frames[-1].lineno}: " if frames else ""
    first = str(error).partition("\n")[0]
    return ArchitectureError(
        f"{place}{architecture} fails: {type(error).__name__}: {first}", hint=f"mend {file}, then build again"
    )


def _summary(model: keras.Model) -> dict[str, Any]:
    return {
        "parameters": model.count_params(),
        "trainable_parameters": sum(math.prod(v.shape) for v in model.trainable_variables),
        "input_shape": list(model.input_shape[1:]),
    }


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

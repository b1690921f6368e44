"""This machine: what of it can change the last bits of numbers, and how much it does at once."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report.engine.stage import Json

INSTRUCTIONS = (
    *("avx", "avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile"),
    *("asimd", "bf16", "sve"),
)

VISIBLE_GPUS, NO_GPU = "CUDA_VISIBLE_DEVICES", "-1"
"""The variable that lists what CUDA may use, separated by commas, and its value for nothing."""


def describe_host() -> dict[str, Json]:
    """Return what of this machine can change the last bits of numbers."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "processor": facts.get("model name", platform.processor()),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
        "device": _describe_devices(),
    }


def _describe_devices() -> str:
    """Return the names of the GPUs that TensorFlow uses in this process, or ``cpu``."""
    if os.environ.get(VISIBLE_GPUS) == NO_GPU or "tensorflow" not in sys.modules:
        return "cpu"
    config = sys.modules["tensorflow"].config
    gpus = config.list_physical_devices("GPU")
    names = [config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or "cpu"


def list_gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA names them; none where only CUDA itself could tell."""
    given = os.environ.get(VISIBLE_GPUS)
    if given is None:  # its numbers count what is here, not what the machine has
        return [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]
    return [name for name in given.split(",") if name and name != NO_GPU]


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

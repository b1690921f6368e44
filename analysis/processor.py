"""What this machine's processor can do."""

from __future__ import annotations

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}


def has_bfloat16(cpuinfo: Path = CPUINFO) -> bool:
    """Tell whether the processor multiplies in bfloat16; of one that does not say so it is not known, and so not."""
    return cpuinfo.exists() and bool(BFLOAT16 & set(cpuinfo.read_text(encoding="utf-8").split()))

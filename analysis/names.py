r"""Names of files in text: what is no UTF-8, or would break a line, is written ``\xNN``.

A name is any bytes on Linux: one from an old archive may be in Latin-1. Tables and JSON are UTF-8 and have one line a
file, so such bytes are written in hexadecimal digits there, and turned back where a file is opened.
"""

from __future__ import annotations

import os
import re

UNWRITABLE = re.compile(r"[\0-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]|\\(?=x[0-9a-f]{2})")
WRITTEN = re.compile(rb"\\x([0-9a-f]{2})")


def written(name: str) -> str:
    r"""Return a name as it stands in tables, such as ``caf\xe9.png``; almost every name is what it was."""
    return UNWRITABLE.sub(lambda found: "".join(f"\\x{byte:02x}" for byte in os.fsencode(found[0])), name)


def real(name: str) -> str:
    """Return the name of the file from how it stands in tables."""
    return os.fsdecode(WRITTEN.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(name)))

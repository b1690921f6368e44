r"""Image files: their names in text, and their bytes as long as they are those that were read first.

A name is any bytes on Linux: one from an old archive may be in Latin-1. Tables and JSON are UTF-8 and have one line a
file, so bytes that are no UTF-8, or would break a line, are written ``\xNN`` there, and turned back where a file is opened.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from analysis.errors import DataError

UNWRITABLE = re.compile(r"[\0-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]|\\(?=x[0-9a-f]{2})")
ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def escape_name(name: str) -> str:
    r"""Return a name as it stands in tables, such as ``caf\xe9.png``; almost every name is what it was."""
    return UNWRITABLE.sub(lambda found: "".join(f"\\x{byte:02x}" for byte in os.fsencode(found[0])), name)


def unescape_name(name: str) -> str:
    """Return the name of the file from how it stands in tables."""
    return os.fsdecode(ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(name)))


def digest(data: bytes) -> str:
    """Return the sha256 of a file's content, as it stands in ``records.csv``."""
    return hashlib.sha256(data).hexdigest()


def read_unchanged(folder: Path, image_id: str, sha256: str) -> bytes:
    """Return the content of an image file that is still what the reader found.

    Parameters
    ----------
    folder : Path
        The data folder.
    image_id : str
        Its name below the folder, as in ``records.csv``.
    sha256 : str
        The digest of its content there.

    Raises
    ------
    DataError
        It cannot be read, or has another content.
    """
    try:
        data = (folder / unescape_name(image_id)).read_bytes()
    except OSError as error:
        raise changed_error(image_id, f"cannot be read any more: {error.strerror}") from error
    if digest(data) != sha256:
        raise changed_error(image_id, "has changed since the data folder was read")
    return data


def changed_error(image_id: str, what: str) -> DataError:
    """Return the error of an image that is not what it was when the folder was read."""
    return DataError(f"image {image_id} {what}", hint="run the same command again to read the folder anew")

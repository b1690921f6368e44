"""The files of a data folder, whatever its layout."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from analysis.errors import DataError

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".dcm", ".dicom")
)


def list_files(root: Path) -> list[str]:
    """Return the files below ``root`` as posix paths, sorted by their bytes.

    Hidden files and folders are left out, and links to folders are not followed: ``darwin dataset pull`` makes a link
    ``releases/latest`` to a release that lies beside it.

    Raises
    ------
    DataError
        If ``root`` is no folder or has no files.
    """
    if not root.exists():
        raise DataError(f"no data folder {root}", hint="name the folder that has the X-rays with --data DIR")
    if not root.is_dir():
        raise DataError(f"{root} is a file, not a data folder", hint="name the folder that has the X-rays")
    files = []
    for folder, folders, names in os.walk(root, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        base = Path(folder).relative_to(root)
        files += [(base / name).as_posix() for name in names if not name.startswith(".")]
    if not files:
        raise DataError(
            f"the data folder {root} is empty", hint="download the dataset into it, or name another folder"
        )
    return sorted(files, key=os.fsencode)


def _unreadable(error: OSError) -> None:
    raise DataError(
        f"cannot read {error.filename}: {error.strerror}", hint="make the folder readable for you"
    ) from error


def pictures_among(files: Iterable[str]) -> list[str]:
    """Return the files that are pictures by their suffix, in the same order."""
    return [name for name in files if PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES]

"""The files of a data folder, whatever its layout."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analysis.errors import DataError
from analysis.image_files import escape_name
from analysis.walk import NOWHERE, walk

IMAGE_SUFFIXES = frozenset(
    (
        *(
            ".jpg",
            ".jpeg",
            ".jpe",
            ".jfif",
            ".jif",
            ".pjpeg",
            ".png",
            ".webp",
            ".bmp",
            ".gif",
            ".tif",
            ".tiff",
        ),
        *(".pgm", ".ppm", ".pbm", ".pnm", ".dcm", ".dicom", ".jp2", ".heic", ".avif"),
    )
)
ARCHIVE = re.compile(r"\.(zip|tar|tgz|7z|rar|tar\.(gz|xz|bz2|zst))$", re.IGNORECASE)
OTHER_SUFFIXES = frozenset(
    (
        *(".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".xz", ".bz2", ".zst"),
        *(".csv", ".tsv", ".json", ".jsonl", ".xml", ".txt", ".md", ".rst", ".html", ".htm", ".pdf", ".rtf"),
        *(
            ".doc",
            ".docx",
            ".xls",
            ".xlsx",
            ".ods",
            ".odt",
            ".ppt",
            ".pptx",
            ".py",
            ".ipynb",
            ".r",
            ".m",
            ".sh",
        ),
        *(".yaml", ".yml", ".toml", ".ini", ".log", ".lnk", ".url", ".db", ".sqlite", ".npy", ".npz", ".mat"),
        *(".h5", ".hdf5", ".keras", ".pkl", ".pt", ".pth", ".onnx", ".parquet", ".tfrecord", ".mp4", ".avi"),
    )
)
SIGNATURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|BM.{4}\0{4}.{4}[\x0c-\x7c]\0{3}"
    rb"|II[*+]\0|MM\0[*+]|P[1-6]\s[\s\d#]|\0\0\0\x0cjP  |\xff\x4f\xff\x51|.{4}ftyp(?:heic|heix|mif1|avif)"
    rb"|.{128}DICM",
    re.DOTALL,
)
START = 132  # bytes: what a DICOM file is known by stands at their end
MOST_KINDS = 8


@dataclass(frozen=True)
class Contents:
    """What lies below a data folder: images, other files, hidden files, and what is not read, sorted by their bytes.

    ``skipped`` says of links that are not followed, and of devices, what they are.
    """

    images: tuple[str, ...]
    others: tuple[str, ...]
    hidden: tuple[str, ...]
    skipped: Mapping[str, str]

    @property
    def number(self) -> int:
        """The number of all files, with links that are not followed."""
        return len(self.images) + len(self.others) + len(self.hidden) + len(self.skipped)

    @property
    def files(self) -> list[str]:
        """All files but those that are hidden, sorted by their bytes."""
        return sorted((*self.images, *self.others), key=os.fsencode)

    @property
    def archives(self) -> list[str]:
        """The archives among the files."""
        return [name for name in self.others if ARCHIVE.search(name)]

    def beside(self, used: Container[str] = ()) -> list[tuple[str, list[str]]]:
        """Return in words what is neither an image nor among ``used``, and its files: each kind of suffix, the commonest first."""
        kinds: dict[str, list[str]] = defaultdict(list)
        for name in self.others:
            if name not in used:
                kinds[f"not an image ({suffix_of(name) or 'no suffix'})"].append(name)
        ordered = sorted(kinds.items(), key=lambda kind: -len(kind[1]))
        rest = [name for _, names in ordered[MOST_KINDS:] for name in names]
        listed = [*ordered[:MOST_KINDS], ("not an image (other suffixes)", rest)]
        listed += [
            ("hidden file", list(self.hidden)),
            ("link that is not followed, or device", list(self.skipped)),
        ]
        return [(what, names) for what, names in listed if names]


def suffix_of(name: str) -> str:
    """Return the suffix of a file in lower case, "" where there is none."""
    return PurePosixPath(escape_name(name)).suffix.lower()


def find_files(root: Path) -> Contents:
    """Return what lies below ``root``. Images are known by their suffix, or where that says nothing by their first bytes.

    A link to nothing is an image by its suffix, as one that is lost.

    Raises
    ------
    DataError
        If ``root`` is no folder or has no files, or a link in it leads in a circle.
    """
    if not root.exists():
        raise DataError(f"no data folder {root}", hint="name the folder that has the X-rays with --data DIR")
    if not root.is_dir():
        raise DataError(f"{root} is a file, not a data folder", hint="name the folder that has the X-rays")
    found = walk(root)
    lost = [name for name, what in found.skipped.items() if what == NOWHERE and _by_suffix(name)]
    if not found.files and not lost:
        raise DataError(
            f"the data folder {root} is empty", hint="download the dataset into it, or name another folder"
        )
    files = sorted((*found.files, *lost), key=os.fsencode)
    images = images_among(root, files)
    among = frozenset(images)
    others = tuple(name for name in files if name not in among)
    hidden = sorted(found.hidden, key=os.fsencode)
    skipped = {name: what for name, what in sorted(found.skipped.items()) if name not in among}
    return Contents(tuple(images), others, tuple(hidden), skipped)


def images_among(root: Path, files: Iterable[str]) -> list[str]:
    """Return the files below ``root`` that are images, in the same order."""
    return [name for name in files if _is_image(root, name)]


def _by_suffix(name: str) -> bool:
    return suffix_of(name) in IMAGE_SUFFIXES


def _is_image(root: Path, name: str) -> bool:
    if _by_suffix(name) or suffix_of(name) in OTHER_SUFFIXES:
        return _by_suffix(name)
    try:
        with open(root / name, "rb") as file:
            return bool(SIGNATURES.match(file.read(START)))
    except OSError:  # an image, for all that can be told: the decoder says what is wrong
        return True

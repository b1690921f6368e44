"""A dataset as it is downloaded: a zip or tar archive, unpacked with care.

Archives come from anywhere, so nothing is written outside the folder, no link or device is made, and what unpacks to
more than a dataset of images can be is refused before it fills the disk.
"""

from __future__ import annotations

import gzip
import lzma
import posixpath
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from analysis.datasets.archives.names import unreadable, zip_names
from analysis.datasets.folders.files import images_among
from analysis.errors import DataError
from analysis.progress import Progress

MAX_FILES = 500_000
MAX_BYTES = 200 * 10**9
MAX_RATIO = 100  # images shrink by a few times, annotations by some tens
SMALL = 100 * 10**6  # bytes that do no harm, whatever the ratio
CHUNK = 1 << 20
BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    EOFError,
    UnicodeDecodeError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
)
ZIP, GZIP = b"PK", b"\x1f\x8b"
OTHERS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\xfd7zXZ\0": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"<": "a web page, not the archive",
    b"version https://git-lfs": "a Git LFS pointer, not the archive",
}
PACKED = re.compile(r"\.(zip|tar|tgz|gz|7z|rar|xz|bz2|zst)$", re.IGNORECASE)
OUTSIDE = re.compile(r"^/|^[A-Za-z]:|(^|/)\.\.(/|$)")
UNNAMEABLE = re.compile("[\0\ud800-\udfff]")
UNDECODED = re.compile("[\udc80-\udcff]")
BY_HAND = "unpack it yourself and give the folder to --data"
AGAIN = f"download it again, or {BY_HAND}"


def unpack(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, encoding: str = ""
) -> None:
    """Write the files of the archive ``inputs["data"]`` (zip, tar or tar.gz, told by its bytes) as they lie in it.

    Hidden files and what macOS adds (``__MACOSX``) are left out; so are links to a folder of the same archive, which
    are a second name for what is there.

    Parameters
    ----------
    encoding : str, optional
        That of names of which the archive does not tell it.

    Raises
    ------
    DataError
        If the file is no such archive, is cut short, damaged or encrypted, would write outside the folder or
        make links or devices, has names in an unknown encoding, or has more files or bytes than a dataset of images.
    """
    archive = inputs["data"]
    size = archive.stat().st_size
    folder = _Folder(out, archive.name, _Budget(archive.name, size))
    with open(archive, "rb") as file, _errors_named(archive.name):
        for member in _members(file, archive.name, size, encoding):
            folder.take(member)
            progress(file.tell() // 10**6, size // 10**6, "MB of the archive")
    folder.close()


@dataclass(frozen=True)
class _Member:
    """What an archive has under a name: a file (``stream``), a link to ``target``, or ``other``, as words."""

    name: str
    stream: IO[bytes] | None = None
    target: str = ""
    other: str = ""


class _Budget:
    """The bytes that an archive of ``size`` may unpack to."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._limit = min(MAX_BYTES, max(SMALL, MAX_RATIO * size))
        self._spent = 0

    def spend(self, count: int) -> None:
        """Count bytes; raise when there are too many."""
        self._spent += count
        if self._spent > self._limit:
            raise DataError(
                f"{self._name} unpacks to more than {self._limit / 1e6:,.0f} MB, too much for an archive of its size",
                hint=BY_HAND,
            )


class _Folder:
    """The folder that an archive is unpacked into."""

    def __init__(self, out: Path, name: str, budget: _Budget) -> None:
        self._out = out
        self._name = name
        self._budget = budget
        self._files: list[str] = []
        self._links: dict[PurePosixPath, str] = {}

    def take(self, member: _Member) -> None:
        """Write a member, or remember a link until it is known what it points to."""
        path = self._path(member.name)
        if path is None:
            return
        if member.other:
            raise self._refusal(f"{path} in it is {member.other}")
        if member.stream is None:
            self._links[path] = member.target
            return
        self._files.append(str(path))
        if len(self._files) > MAX_FILES:
            raise self._refusal(f"it has more than {MAX_FILES:,} files")
        self._write(path, member.stream)

    def _path(self, name: str) -> PurePosixPath | None:
        """Return where a member goes; None if it is no part of the dataset."""
        posix = name.replace("\\", "/")
        if OUTSIDE.search(posix):
            raise self._refusal(f"{name!r} in it would be written outside its folder")
        if UNNAMEABLE.search(posix):
            raise self._refusal(f"{name!r} in it is no file name in UTF-8")
        path = PurePosixPath(posix)
        left_out = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
        return path if path.parts and not left_out else None

    def _write(self, path: PurePosixPath, stream: IO[bytes]) -> None:
        target = self._out / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "xb") as file:
                while chunk := stream.read(CHUNK):
                    self._budget.spend(len(chunk))
                    file.write(chunk)
        except (FileExistsError, NotADirectoryError) as error:
            raise self._refusal(f"it has {path} twice") from error

    def close(self) -> None:
        """Check links, and that there is something to read."""
        for path, target in self._links.items():
            inside = posixpath.normpath(path.parent / target)
            if inside.startswith(("/", "..")) or not (self._out / inside).is_dir():
                raise self._refusal(f"{path} in it is a link to {target}")
        if not images_among(self._out, self._files):
            packed = [name for name in self._files if PACKED.search(name)]
            what = f"another archive, {packed[0]}," if packed else f"{len(self._files)} files"
            raise self._refusal(f"it has {what} and no images")

    def _refusal(self, problem: str) -> DataError:
        return DataError(f"{self._name} is not unpacked: {problem}", hint=BY_HAND)


def _members(file: IO[bytes], name: str, size: int, encoding: str) -> Iterator[_Member]:
    start = file.read(32)
    file.seek(0)
    for sign, what in OTHERS.items():
        if start.startswith(sign):
            raise DataError(
                f"{name} is {what}; .zip, .tar and .tar.gz are read",
                hint=AGAIN if "not the" in what else BY_HAND,
            )
    if start.startswith(ZIP):
        yield from _zip_members(file, name, encoding)
    elif start.startswith(GZIP):
        with gzip.open(file) as unpacked:
            yield from _tar_members(_Limited(unpacked, _Budget(name, size)), name, encoding)
    else:
        yield from _tar_members(file, name, encoding)


def _zip_members(file: IO[bytes], name: str, encoding: str) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        names = zip_names(archive.infolist(), name, encoding)
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                continue
            if info.flag_bits & 1:
                raise DataError(f"{name} is encrypted: {names[info]} asks for a password", hint=BY_HAND)
            with archive.open(info) as stream:
                if kind == stat.S_IFLNK:
                    yield _Member(names[info], target=stream.read(4096).decode(errors="replace"))
                elif kind not in (0, stat.S_IFREG):
                    yield _Member(names[info], other="a device or pipe")
                else:
                    yield _Member(names[info], stream)


def _tar_members(stream: _Readable, name: str, encoding: str) -> Iterator[_Member]:
    encoding = encoding or "utf-8"
    with tarfile.open(
        fileobj=cast("IO[bytes]", stream),
        mode="r|",
        tarinfo=_Header,
        encoding=encoding,
        errors="surrogateescape",
    ) as archive:
        for info in archive:
            if UNDECODED.search(info.name):
                raise unreadable(info.name.encode(encoding, "surrogateescape"), name, encoding)
            if info.isreg():
                yield _Member(info.name, archive.extractfile(info))
            elif info.issym():
                yield _Member(info.name, target=info.linkname)
            elif not info.isdir():
                yield _Member(info.name, other="a hard link" if info.islnk() else "a device or pipe")
    while stream.read(CHUNK):
        pass  # to the end, where gzip finds out whether all was right


class _Header(tarfile.TarInfo):
    """A member of a tar archive; one that is damaged, or an archive without an end, is an error and no end."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Limited:
    """A stream whose bytes are counted as they are unpacked: headers can be as large as files."""

    def __init__(self, stream: _Readable, budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        data = self._stream.read(size)
        self._budget.spend(len(data))
        return data


@contextmanager
def _errors_named(name: str) -> Iterator[None]:
    """Say of errors of the unpackers which archive they are about."""
    try:
        yield
    except BROKEN as error:
        raise DataError(f"{name} is cut short or damaged: {error}", hint=AGAIN) from error
    except NotImplementedError as error:
        raise DataError(f"{name} is packed in a way that is not read: {error}", hint=BY_HAND) from error

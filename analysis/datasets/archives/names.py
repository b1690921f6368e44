"""The names of files in an archive, which often does not say in what encoding they are.

A zip says that a name is in UTF-8 by a flag; without it the name is in cp437 (APPNOTE 6.3.10, appendix D). But macOS
writes UTF-8 without the flag, and Windows the encoding of its country. A tar says it in its pax headers only.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from zipfile import ZipInfo

from analysis.errors import DataError

UTF_8_FLAG = 0x800
UNICODE_PATH = 0x7075  # the extra field of Info-ZIP and WinZip
COMMON = ("cp437", "cp850", "cp1252", "cp852", "cp1250", "cp866", "cp1251", "cp932", "gbk", "big5", "cp949")
MOST_READINGS = 4
WORD = re.compile(r"[^\W\d_]+")


def zip_names(members: Sequence[ZipInfo], archive: str, encoding: str = "") -> dict[ZipInfo, str]:
    """Return the name of each member; ``encoding`` is that of names that do not say theirs, "" if it is not known.

    Without ``encoding`` such names are in UTF-8 if all of them can be, else in cp437 if that gives words.

    Raises
    ------
    DataError
        If no encoding fits, with what the first name would be in some.
    """
    names = {member: _stated_name(member) for member in members}
    unstated = [_raw(member) for member, name in names.items() if name is None]
    used = encoding or _fitting(unstated, archive)
    return {
        member: _decode(_raw(member), archive, used) if name is None else name
        for member, name in names.items()
    }


def unreadable(name: bytes, archive: str, encoding: str = "") -> DataError:
    """Return the error that a name is none in ``encoding``, or in none that is told, with what it is in others."""
    readings = [f'"{text}" in {e}' for e, text in _readings(name) if _is_words(text)]
    problem = f"is no name in {encoding}" if encoding else "is in an encoding that is not told"
    return DataError(
        f"{archive} is not unpacked: {ascii(name)[1:]} in it {problem}"
        + (f"; it is {', '.join(readings[:MOST_READINGS])}" if readings else ""),
        hint="name the right one: --set 'dataset.archive_encoding=\"cp850\"';"
        " or unpack it yourself and give the folder to --data",
    )


def _decode(name: bytes, archive: str, encoding: str) -> str:
    try:
        return name.decode(encoding)
    except UnicodeDecodeError as error:
        raise unreadable(name, archive, encoding) from error


def _stated_name(member: ZipInfo) -> str | None:
    """Return a name whose encoding is told; None if it is not."""
    if member.flag_bits & UTF_8_FLAG:
        return member.filename
    raw = _raw(member)
    for data in _extra_fields(member.extra, UNICODE_PATH):
        # A version, and the checksum of the name that it was made for: tools that rename do not know of it.
        if len(data) > 5 and struct.unpack("<BL", data[:5]) == (1, zlib.crc32(raw)):
            return data[5:].decode()
    return raw.decode() if raw.isascii() else None


def _raw(member: ZipInfo) -> bytes:
    return member.orig_filename.encode("cp437")


def _extra_fields(extra: bytes, wanted: int) -> Iterator[bytes]:
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == wanted:
            yield extra[4 : 4 + size]
        extra = extra[4 + size :]


def _fitting(names: Iterable[bytes], archive: str) -> str:
    unstated = list(names)
    if all(map(_is_utf_8, unstated)):
        return "utf-8"
    for name in unstated:
        if not _is_words(name.decode("cp437"), mostly_ascii=True):
            raise unreadable(name, archive)
    return "cp437"


def _is_utf_8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _readings(name: bytes) -> Iterator[tuple[str, str]]:
    for encoding in COMMON:
        try:
            yield encoding, name.decode(encoding)
        except UnicodeDecodeError:
            continue


def _is_words(text: str, *, mostly_ascii: bool = False) -> bool:
    """Return whether letters beyond ASCII stand in words, as they do not in a name that is misread.

    ``mostly_ascii``: words of Latin letters, not many of them accented. The sharp s is none then: in the encodings of
    Windows the same byte is a with acute.
    """
    words = [word for word in WORD.findall(text) if not word.isascii()]
    rest = WORD.sub("", text)
    cased = all(word in (word.lower(), word.upper(), word.capitalize()) for word in words)
    return rest.isascii() and cased and (not mostly_ascii or all(map(_is_latin, words)))


def _is_latin(word: str) -> bool:
    accented = [letter for letter in word if not letter.isascii()]
    latin = all(unicodedata.name(letter, "").startswith("LATIN") for letter in accented)
    return latin and "ß" not in word and len(word) >= 1.5 * len(accented)

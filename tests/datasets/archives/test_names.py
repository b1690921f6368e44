"""Names in archives are read in the encoding they are in, or the reader says that it does not know it."""

import io
import struct
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from analysis.datasets.archives import unpacking
from analysis.errors import DataError
from analysis.progress import silent


class Unflagged(zipfile.ZipInfo):
    """A member whose name is the bytes given, without a word on their encoding."""

    def __init__(self, raw: bytes, extra: bytes = b"") -> None:
        super().__init__(raw.hex())
        self.raw, self.extra = raw, extra

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.raw, self.flag_bits & ~0x800


def write(path: Path, *names: bytes | str, extra: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name if isinstance(name, str) else Unflagged(name, extra), b"image")
    return path


def unpacked(archive: Path, **options: str) -> list[str]:
    out = archive.parent / "out"
    out.mkdir()
    unpacking.unpack({"data": archive}, out, scratch=out, progress=silent, **options)
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def refused(archive: Path, **options: str) -> DataError:
    with pytest.raises(DataError) as error:
        unpacked(archive, **options)
    assert "dataset.archive_encoding" in error.value.hint
    return error.value


def test_utf_8_without_the_flag_as_macos_writes_it(tmp_path: Path) -> None:
    names = ["plain/1.png", "Neumonía/1.png", unicodedata.normalize("NFD", "tórax/1.png"), "肺炎/1.png"]
    archive = write(tmp_path / "a.zip", "flag ß/1.png", *(name.encode() for name in names))
    assert unpacked(archive) == sorted(["flag ß/1.png", *names])


def test_the_standard_encoding_where_it_gives_words(tmp_path: Path) -> None:
    names = ["Neumonía/tórax.png", "ÉTÉ/été.png", "Größter.txt".replace("ß", "s")]
    assert unpacked(write(tmp_path / "a.zip", *(name.encode("cp437") for name in names))) == sorted(names)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Neumonía/1.png", "cp1252"),
        ("más/1.png", "cp1252"),
        ("Straße/1.png", "cp850"),
        ("ÁRBOL/1.png", "cp850"),
        ("ПНЕВМОНИЯ/1.png", "cp866"),
        ("норма/1.png", "cp866"),
        ("テスト/1.png", "cp932"),
        ("肺炎/1.png", "gbk"),
        ("폐렴/1.png", "cp949"),
    ],
)
def test_other_encodings_are_asked_for_and_never_guessed(tmp_path: Path, name: str, encoding: str) -> None:
    archive = write(tmp_path / "a.zip", b"plain.png", name.encode(encoding))
    error = refused(archive)
    assert "is in an encoding that is not told" in error.message
    assert f'"{name}" in {encoding}' in error.message
    (tmp_path / "out").rmdir()
    assert unpacked(archive, encoding=encoding) == sorted(["plain.png", name])


def test_a_name_that_is_none_in_the_encoding_given(tmp_path: Path) -> None:
    error = refused(write(tmp_path / "a.zip", b"\xff\xff.png"), encoding="gbk")
    assert r"'\xff\xff.png' in it is no name in gbk" in error.message


@pytest.mark.parametrize(("right", "expected"), [(True, "肺炎.png"), (False, "tórax.png")])
def test_the_unicode_path_of_info_zip(tmp_path: Path, right: bool, expected: str) -> None:
    raw = "tórax.png".encode("cp437")
    path = struct.pack("<BL", 1, zlib.crc32(raw) if right else 1) + "肺炎.png".encode()
    extra = struct.pack("<HH", 1 << 8, 2) + b"??" + struct.pack("<HH", 0x7075, len(path)) + path
    assert unpacked(write(tmp_path / "a.zip", raw, extra=extra)) == [expected]


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_names_in_a_tar(tmp_path: Path, mode: str) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, mode, encoding="cp1252", format=tarfile.GNU_FORMAT) as file:
        for name in ("plain.png", "Neumonía/1.png"):
            info = tarfile.TarInfo(name)
            file.addfile(info, io.BytesIO())
    error = refused(archive)
    assert r"'Neumon\xeda/1.png' in it is no name in utf-8" in error.message
    assert '"Neumonía/1.png" in cp1252' in error.message
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    (tmp_path / "out").rmdir()
    assert unpacked(archive, encoding="cp1252") == ["Neumonía/1.png", "plain.png"]


def test_names_in_the_headers_of_pax_are_utf_8_whatever_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as file:
        file.addfile(tarfile.TarInfo("肺炎.png"), io.BytesIO())
    assert unpacked(archive, encoding="cp850") == ["肺炎.png"]


@pytest.mark.real
def test_the_case(tmp_path: Path) -> None:
    make = Path(__file__).resolve().parents[3].parent / "shared/cases/zip-names-without-utf8-flag/make.py"
    if not make.is_file():
        pytest.skip("the cases are not beside the project")
    subprocess.run([sys.executable, make, tmp_path / "a.zip"], check=True)
    assert {name.split("/")[1] for name in unpacked(tmp_path / "a.zip")} == {"Normal", "Neumonía"}

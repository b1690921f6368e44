import io
import json
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.datasets.archives import unpacking
from analysis.errors import DataError
from analysis.progress import silent

FILES = {
    "chest_xray/NORMAL/a.png": b"image a",
    "chest_xray/PNEUMONIA/ä ß.png": b"image b",
    "chest_xray/empty.txt": b"",
}
NOT_OURS = {
    "__MACOSX/chest_xray/NORMAL/._a.png": b"fork",
    "chest_xray/NORMAL/._a.png": b"fork",
    "chest_xray/.DS_Store": b"finder",
}


def unpack(archive: Path) -> Path:
    out = archive.parent / "out"
    out.mkdir(exist_ok=True)
    unpacking.unpack({"data": archive}, out, scratch=out, progress=silent)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def beside(archive: Path) -> set[Path]:
    """Return what lies beside an archive and, of what other tests have written, the names alone."""
    return {*archive.parent.parent.iterdir(), *(p for p in archive.parent.rglob("*") if "out" not in p.parts)}


def refused(archive: Path) -> DataError:
    before = beside(archive)
    with pytest.raises(DataError) as error:
        unpack(archive)
    assert error.value.message.startswith(archive.name)
    assert error.value.hint
    assert beside(archive) == before
    out = archive.parent / "out"
    assert not any(p.is_symlink() for p in out.rglob("*"))
    return error.value


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def write_tar(path: Path, files: dict[str, bytes], *extra: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            info = member(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra:
            archive.addfile(info)
    return path


def write_tgz(path: Path, files: dict[str, bytes], *extra: tarfile.TarInfo) -> Path:
    return write_tar(path, files, *extra, mode="w:gz")


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def zip_member(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


KINDS = pytest.mark.parametrize("write", [write_zip, write_tar, write_tgz])
Write = Callable[[Path, dict[str, bytes]], Path]


@KINDS
def test_files_are_written_as_they_lie_in_the_archive(tmp_path: Path, write: Write) -> None:
    # The kind is told by the bytes: Kaggle calls every download archive.zip.
    archive = write(tmp_path / "archive.zip", FILES | NOT_OURS)
    assert contents(unpack(archive)) == FILES


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_a_zip(tmp_path: Path, method: int) -> None:
    assert contents(unpack(write_zip(tmp_path / "a.zip", FILES, method))) == FILES


def test_names_written_by_windows_and_folders_of_their_own(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "a.zip", {"set/": b"", "set\\NORMAL\\a.png": b"1", "./b.png": b"2"})
    assert contents(unpack(archive)) == {"set/NORMAL/a.png": b"1", "b.png": b"2"}


@KINDS
@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/tmp/evil.png", "..\\evil.png", "C:\\evil.png", "a/.."]
)
def test_nothing_is_written_outside(tmp_path: Path, write: Write, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert "outside its folder" in refused(write(home / "a.zip", {"a.png": b"1", name: b"evil"})).message


def test_links_and_devices_are_refused_in_a_tar(tmp_path: Path) -> None:
    image = {"images/a.png": b"1"}
    for number, (info, words) in enumerate(
        (
            (member("images/b.png", tarfile.SYMTYPE, "/etc/passwd"), "a link to /etc/passwd"),
            (member("images/b.png", tarfile.SYMTYPE, "a.png"), "a link to a.png"),
            (member("b", tarfile.SYMTYPE, ".."), "a link to .."),
            (member("b", tarfile.SYMTYPE, "../out"), "a link to ../out"),
            (member("images/b.png", tarfile.LNKTYPE, "images/a.png"), "a hard link"),
            (member("pipe", tarfile.FIFOTYPE), "a device or pipe"),
            (member("null", tarfile.CHRTYPE), "a device or pipe"),
        )
    ):
        home = tmp_path / str(number)
        home.mkdir()
        assert words in refused(write_tar(home / "a.tar", image, info)).message


def test_a_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with tarfile.open(home / "a.tar", "w") as archive:
        archive.addfile(member("way", tarfile.SYMTYPE, str(tmp_path)))
        info = member("way/evil.png")
        info.size = 4
        archive.addfile(info, io.BytesIO(b"evil"))
    assert "way in it is a link to" in refused(home / "a.tar").message
    assert not (tmp_path / "evil.png").exists()


def test_links_and_devices_are_refused_in_a_zip(tmp_path: Path) -> None:
    for mode, words in ((stat.S_IFLNK, "a link to /etc/passwd"), (stat.S_IFCHR, "a device or pipe")):
        home = tmp_path / words.replace("/", "_")
        home.mkdir()
        with zipfile.ZipFile(home / "a.zip", "w") as archive:
            archive.writestr("a.png", b"1")
            archive.writestr(zip_member("b.png", mode | 0o644), "/etc/passwd")
        assert words in refused(home / "a.zip").message


def test_the_link_to_the_latest_release_is_left_out(tmp_path: Path) -> None:
    files = {"v7/releases/all-images/annotations/1.json": b"{}", "v7/images/1.jpg": b"1"}
    link = member("v7/releases/latest", tarfile.SYMTYPE, "./all-images")
    assert contents(unpack(write_tgz(tmp_path / "v7.tgz", files, link))) == files


@KINDS
def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SMALL", 10_000)
    bomb = write(tmp_path / "bomb.zip", {f"{i}.png": bytes(300_000) for i in range(20)})
    if write is write_tar:
        monkeypatch.setattr(unpacking, "MAX_BYTES", 500_000)
    assert "unpacks to more than" in refused(bomb).message
    assert sum(map(len, contents(tmp_path / "out").values())) < 6_000_000


@KINDS
def test_too_many_files_are_refused(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_FILES", 3)
    many = write(tmp_path / "many.zip", {f"{i}.png": b"1" for i in range(5)})
    assert "more than 3 files" in refused(many).message
    assert len(contents(tmp_path / "out")) == 3


def test_a_header_as_large_as_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "SMALL", 100_000)
    long = "a" * 3_000_000 + ".png"
    assert "unpacks to more than" in refused(write_tgz(tmp_path / "a.tgz", {long: b"1"})).message


def test_a_sparse_file_is_counted_by_what_it_unpacks_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SMALL", 1_000_000)
    with open(tmp_path / "a.png", "wb") as file:
        file.truncate(10**9)
    subprocess.run(["tar", "-cSf", "a.tar", "a.png"], cwd=tmp_path, check=True)
    assert "unpacks to more than" in refused(tmp_path / "a.tar").message


@KINDS
def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path, write: Write) -> None:
    rng = np.random.default_rng(1)
    files = {f"{i}.png": rng.bytes(700) for i in range(30)}
    data = write(tmp_path / "a.zip", files).read_bytes()
    ends = [1024, 1050, len(data) // 2, len(data) // 2 // 512 * 512, len(data) - 11_000, 600]
    for number, end in enumerate([*ends, len(data) - 5] if write is not write_tar else ends):
        home = tmp_path / str(number)
        home.mkdir()
        (home / "cut.zip").write_bytes(data[:end])
        assert "cut short or damaged" in refused(home / "cut.zip").message


@KINDS
def test_an_archive_with_changed_bytes_is_refused(tmp_path: Path, write: Write) -> None:
    rng = np.random.default_rng(1)
    data = bytearray(write(tmp_path / "a.zip", {f"{i}.png": rng.bytes(700) for i in range(9)}).read_bytes())
    data[3 * 1536 + 10 if write is write_tar else len(data) // 2] ^= (
        0xFF  # a header of the tar: it has no sums of data
    )
    (tmp_path / "a.zip").write_bytes(data)
    assert "cut short or damaged" in refused(tmp_path / "a.zip").message


def test_a_password_is_asked_for_by_name(tmp_path: Path) -> None:
    data = bytearray(write_zip(tmp_path / "a.zip", FILES).read_bytes())
    for sign, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert "chest_xray/NORMAL/a.png asks for a password" in refused(tmp_path / "a.zip").message


def test_a_way_of_packing_that_is_not_known(tmp_path: Path) -> None:
    data = bytearray(write_zip(tmp_path / "a.zip", FILES).read_bytes())
    for sign, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(sign) + offset] = 9  # Deflate64, of Windows Explorer
    (tmp_path / "a.zip").write_bytes(data)
    assert "packed in a way that is not read" in refused(tmp_path / "a.zip").message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html>", "a web page, not the archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"", "cut short or damaged"),
        (b"image", "cut short or damaged"),
        (b"\x1f\x8b\x08\0not gzip", "cut short or damaged"),
    ],
)
def test_what_is_no_archive_is_said(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert words in refused(tmp_path / "a.zip").message


def test_an_archive_without_images(tmp_path: Path) -> None:
    files = {"README.md": b"text", "data/train.zip": b"PK"}
    assert (
        "another archive, data/train.zip, and no images"
        in refused(write_zip(tmp_path / "a.zip", files)).message
    )
    (tmp_path / "b").mkdir()
    assert "1 files and no images" in refused(write_tgz(tmp_path / "b/b.tgz", {"a.txt": b""})).message


@KINDS
def test_a_name_that_is_there_twice(tmp_path: Path, write: Write) -> None:
    for number, (first, second) in enumerate((("a.png", "./a.png"), ("a", "a/b.png"), ("a/b.png", "a"))):
        home = tmp_path / str(number)
        home.mkdir()
        archive = write(home / "a.zip", {first: b"1", second: b"2"})
        assert f"it has {second.removeprefix('./')} twice" in refused(archive).message


@pytest.mark.real
@KINDS
def test_real_files_give_the_records_of_their_folder(dataset, real_data: Path, write: Write) -> None:
    root = real_data / "v7"
    images = {path.stem: path for path in (root / "images").iterdir()}
    chosen = sorted(root.glob("releases/all-images/annotations/*.json"))[::60]
    names = [json.loads(path.read_bytes())["image"]["original_filename"] for path in chosen]
    chosen += [images[Path(name).stem] for name in names if Path(name).stem in images]
    files = {f"v7/{path.relative_to(root).as_posix()}": path.read_bytes() for path in chosen}
    assert len(files) > 200
    home = dataset.out.parent / "download"
    home.mkdir()
    dataset.root = unpack(write(home / "data.zip", files))
    assert contents(dataset.root) == files
    assert len(dataset.read()) > 95

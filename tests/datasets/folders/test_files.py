from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analysis.datasets.folders.files import find_files
from analysis.errors import DataError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")


def image(kind: str, mode: str = "L") -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def fill(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
@pytest.mark.parametrize("kind", FORMATS)
def test_images_are_known_by_their_first_bytes(tmp_path, kind, mode):
    try:
        data = image(kind, mode)
    except OSError:
        pytest.skip(f"{kind} has no mode {mode}")
    fill(
        tmp_path, {"IM000001": data, "1.2.840.113619": data, "x.dat": data, "notes.txt": data, "x.csv": data}
    )
    assert find_files(tmp_path).images == ("1.2.840.113619", "IM000001", "x.dat")


def test_dicom_is_known_by_its_preamble(tmp_path):
    fill(
        tmp_path, {"IM000001": bytes(128) + b"DICM" + bytes(9), "IM2": bytes(127) + b"DICM", "short": b"DIC"}
    )
    contents = find_files(tmp_path)
    assert contents.images == ("IM000001",)
    assert contents.others == ("IM2", "short")


def test_other_bytes_are_no_images(tmp_path):
    fill(
        tmp_path,
        {"BMW": b"BMW is a car and no image, whatever it begins with", "P3": b"P3rson", "empty": b""},
    )
    fill(tmp_path, {"model.bin": b"\0\0\0\x0c", "II": b"II. Methods", "a.pdf": b"%PDF"})
    assert find_files(tmp_path).images == ()


@pytest.mark.parametrize("name", ["a.JPG", "a.jfif", "a.pgm", "a.jpe", "a.dcm", "a.png"])
def test_a_suffix_of_images_is_enough(tmp_path, name):
    fill(tmp_path, {name: b"version https://git-lfs"})
    assert find_files(tmp_path).images == (name,)


def test_what_is_beside_the_images_is_counted_by_suffix(tmp_path):
    fill(tmp_path, {f"{i}.png": b"" for i in range(3)})
    fill(
        tmp_path,
        {**{f"{i}.CSV": b"" for i in range(2)}, "README": b"", "a.csv": b"", "b.json": b"", ".c": b""},
    )
    fill(tmp_path, {f"x.odd{i}": b"" for i in range(9)})
    (tmp_path / "lost").symlink_to("nowhere")
    contents = find_files(tmp_path)
    beside = {what: len(names) for what, names in contents.beside({"b.json"})}
    assert beside.pop("not an image (other suffixes)") == 3
    assert sum(beside.values()) == 3 + 1 + 6 + 1 + 1
    assert (beside["not an image (.csv)"], beside["not an image (no suffix)"]) == (3, 1)
    assert (beside["hidden file"], beside["link that is not followed, or device"]) == (1, 1)
    assert contents.number == len(contents.images) + 3 + sum(beside.values()) + 1


def test_an_image_that_is_a_link_to_nothing_is_one_that_is_lost(tmp_path):
    (tmp_path / "a.png").symlink_to("annex/a.png")
    (tmp_path / "annex").symlink_to("nowhere")
    contents = find_files(tmp_path)
    assert contents.images == ("a.png",)
    assert dict(contents.skipped) == {"annex": "a link to nothing"}
    assert contents.number == 2


def test_archives_are_named(tmp_path):
    fill(tmp_path, {"a.zip": b"PK", "b.tar.gz": b"", "vol.nii.gz": b"", "c.png": b"", "d.csv": b""})
    assert find_files(tmp_path).archives == ["a.zip", "b.tar.gz"]


def test_names_are_kept_and_sorted_by_their_bytes(tmp_path):
    names = [os.fsdecode(name) for name in (b"a.png", b"b\xe9.png", "bé.png".encode(), b'c\n,".png')]
    fill(tmp_path, dict.fromkeys(names, b""))
    assert find_files(tmp_path).images == tuple(sorted(names, key=os.fsencode))


def test_folders_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="no data folder"):
        find_files(tmp_path / "nowhere")
    fill(tmp_path, {"data/.DS_Store": b"", "file": b""})
    with pytest.raises(DataError, match="is empty"):
        find_files(tmp_path / "data")
    with pytest.raises(DataError, match="is a file"):
        find_files(tmp_path / "file")

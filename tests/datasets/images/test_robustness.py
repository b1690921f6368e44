"""What is no image, or is made to do harm: the project's error, and never a crash, a hang or a full memory."""

import random
import struct
import subprocess
import sys
import textwrap
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from analysis.datasets import class_folders
from analysis.datasets.copies import drop_masks
from analysis.datasets.images import decode as decoding
from analysis.datasets.images.decode import decode, read_image
from analysis.datasets.reasons import UNDECODABLE
from analysis.datasets.records import Candidate
from analysis.errors import ImageError
from analysis.progress import silent
from tests.datasets.images.test_dicom import FILES, dicom

CLASSES = [{"id": "normal", "label": "Normal"}, {"id": "pneumonia", "label": "Pneumonia"}]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    levels = zlib.compress(bytes((width + 1) * min(height, 4)))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(more)
        + chunk(b"IDAT", levels)
        + chunk(b"IEND", b"")
    )


def test_a_header_that_asks_for_billions_of_pixels_is_refused_before_any_is_made() -> None:
    for data in (png(60_000, 60_000), b"P5 60000 60000 255\n" + bytes(9), b"P5 9000 9000 65535\n" + bytes(9)):
        with pytest.raises(ImageError, match=r"more pixels|more than the limit"):
            decode(data)


def test_a_text_that_grows_a_thousandfold_costs_no_memory() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000)))
    with pytest.raises(ImageError, match="too large"):
        decode(png(4, 4, bomb))


def test_a_deflated_dicom_file_is_inflated_only_as_far_as_an_image_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = np.arange(64).reshape(8, 8)
    small = deflated(dicom(pixels, bits=8))
    assert decode(small).pixels.shape == (8, 8)
    bomb = deflated(dicom(np.zeros((3000, 3000), int), bits=8))
    assert len(bomb) < 20_000
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1_000_000)
    with pytest.raises(ImageError, match="deflated DICOM file of more than 8 MB"):
        decode(bomb)
    assert decode(small).pixels.shape == (8, 8)


@pytest.mark.parametrize("name", ["MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm"])
@pytest.mark.parametrize(
    ("key", "value"), [("Columns", 65344), ("Rows", 3), ("SamplesPerPixel", 2), ("BitsAllocated", 4)]
)
def test_a_frame_of_another_size_than_its_file_tells_never_reaches_the_decoder_that_would_end_the_process(
    name: str, key: str, value: int
) -> None:
    dataset, out = dcmread(FILES / name), BytesIO()
    setattr(dataset, key, value)
    dataset.save_as(out)
    with pytest.raises(ImageError, match="frame is not of the size"):
        decode(out.getvalue())


def deflated(data: bytes) -> bytes:
    dataset, out = dcmread(BytesIO(data)), BytesIO()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_a_sparse_file_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with open(path, "wb") as file:
        file.truncate(2**40)
    with pytest.raises(ImageError, match=r"1024\.0 GiB, more than the limit of 1 GiB"):
        read_image(path)


def test_what_cannot_be_read_is_left_out_with_its_reason_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    odd = ["a b.png", "it's.png", 'say "hi", twice.png', "two\nlines.png", "-rf.png", "#%;&.png"]
    for folder in ("Normal", "Pneumonia"):
        (tmp_path / folder).mkdir()
        for name in odd:
            image.save(tmp_path / folder / name)
    (tmp_path / "Normal" / "empty.png").touch()
    (tmp_path / "Normal" / "lost.png").symlink_to("nowhere\nat all")
    (tmp_path / "Normal" / "locked.png").write_bytes(b"x")
    with open(tmp_path / "Normal" / "sparse.png", "wb") as file:
        file.truncate(2**40)
    whole = Path.read_bytes

    def locked(path: Path) -> bytes:  # root reads what has no permissions
        if path.name == "locked.png":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", locked)
    out = tmp_path / "out"
    out.mkdir()
    settings = {"classes": CLASSES, "folders": {}, "exclude": [], "max_excluded": 1.0}
    class_folders.read({"data": tmp_path}, out, scratch=out, progress=silent, **settings)
    records, excluded = (class_folders_table(out / name) for name in ("records.csv", "excluded.csv"))
    assert {row[0] for row in records} == {
        f"{folder}/{name}".replace("\n", "\\x0a") for folder in ("Normal", "Pneumonia") for name in odd
    }
    told = {row[0]: row[1:] for row in excluded}
    assert {row[0] for row in told.values()} == {UNDECODABLE}
    assert {name: detail for name, (_, detail) in told.items()} == {
        "Normal/empty.png": "an empty file",
        "Normal/lost.png": "cannot be read: No such file or directory",
        "Normal/locked.png": "cannot be read: Permission denied",
        "Normal/sparse.png": "a file of 1024.0 GiB, more than the limit of 1 GiB",
    }


def class_folders_table(path: Path) -> list[list[str]]:
    import csv

    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def test_a_hundred_thousand_images_of_one_name_are_looked_through_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CheXpert calls every image ``view1_frontal.jpg``: comparing each with each would take an hour."""
    monkeypatch.setattr("analysis.datasets.copies.has_few_levels", lambda path: path.parts[-2] == "7")
    images = [Candidate(f"{number}/view1_frontal.jpg", ("normal",)) for number in range(100_000)]
    kept, masks = drop_masks(tmp_path, images)
    assert len(kept) == 99_999
    assert [mask.file for mask in masks] == ["7/view1_frontal.jpg"]


MUTANTS = """
import faulthandler, random, signal, sys, warnings
warnings.simplefilter("ignore")
from analysis.datasets.images.decode import decode
from analysis.errors import ImageError
from tests.datasets.images.test_robustness import mutated, originals
seed, count = map(int, sys.argv[1:])
faulthandler.enable()
draw, files = random.Random(seed), originals()
read = refused = 0
for number in range(count):
    name = sorted(files)[number % len(files)]
    data = mutated(files[name], draw)
    signal.setitimer(signal.ITIMER_PROF, 20)  # of its own time; ends the process: a hang is a failure as a crash is
    try:
        image = decode(data, at_least=draw.choice([None, 1]))
        assert image.pixels.ndim == 2 and image.pixels.dtype == "uint8" and image.pixels.size
        read += 1
    except ImageError as error:
        assert error.message
        refused += 1
    except BaseException as error:
        print(f"mutant {number} of {name}: {error!r}", data.hex())
        raise
print(read, refused)
"""


def originals() -> dict[str, bytes]:
    """Return small files of every format that is read."""
    draw = np.random.default_rng(1)
    levels = draw.integers(0, 256, (24, 20), dtype=np.uint8)
    grey, deep = Image.fromarray(levels), Image.fromarray(levels.astype(np.uint16) * 16)
    colour = Image.fromarray(draw.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    kinds = {
        "grey.png": (grey, "PNG", {}),
        "deep.png": (deep, "PNG", {}),
        "palette.png": (colour.quantize(16), "PNG", {}),
        "grey.jpg": (grey, "JPEG", {}),
        "progressive.jpg": (colour, "JPEG", {"progressive": True}),
        "colour.bmp": (colour, "BMP", {}),
        "plain.tif": (deep, "TIFF", {}),
        "lzw.tif": (colour, "TIFF", {"compression": "tiff_lzw"}),
        "jpeg.tif": (colour, "TIFF", {"compression": "jpeg"}),
        "fax.tif": (grey.convert("1"), "TIFF", {"compression": "group4"}),
        "animated.gif": (
            colour.quantize(16),
            "GIF",
            {"save_all": True, "append_images": [colour.quantize(8)]},
        ),
        "colour.webp": (colour, "WEBP", {}),
        "deep.pgm": (deep, "PPM", {}),
    }
    files = {}
    for name, (image, kind, options) in kinds.items():
        buffer = BytesIO()
        image.save(buffer, kind, **options)
        files[name] = buffer.getvalue()
    files["plain.dcm"] = dicom(levels.astype(int) * 16)
    files["bare.dcm"] = dicom(levels.astype(int), bits=8, preamble=False)
    files["deflated.dcm"] = deflated(files["plain.dcm"])
    for name in ("RLE", "jpeg_ls_lossless", "jp2klossless"):
        files[f"{name}.dcm"] = (FILES / f"MR_small_{name}.dcm").read_bytes()
    files["jpeg.dcm"] = (FILES / "SC_rgb_jpeg_gdcm.dcm").read_bytes()
    return files


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Return a file with bytes flipped, cut off, doubled or filled, mostly in its head, or with a size edited."""
    wrong = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        reach = len(wrong) if draw.random() < 0.4 else min(len(wrong), 160)
        place = draw.randrange(reach)
        kind = draw.choice(["flip", "byte", "word", "cut", "repeat", "remove"])
        if kind == "flip":
            wrong[place] ^= 1 << draw.randrange(8)
        elif kind == "byte":
            wrong[place] = draw.choice([0, 1, 127, 128, 255])
        elif kind == "word":
            number = draw.choice([0, 1, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1])
            wrong[place : place + 4] = number.to_bytes(4, draw.choice(["big", "little"]))
        elif kind == "cut":
            del wrong[max(place, 1) :]
        elif kind == "repeat":
            wrong[place:place] = wrong[place : place + draw.randrange(1, 64)]
        else:
            del wrong[place : place + draw.randrange(1, 8)]
        if not wrong:
            return b""
    return bytes(wrong)


def decode_mutants(seed: int, count: int) -> tuple[int, int]:
    """Return how many mutants are read and how many refused, in a process that may crash."""
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MUTANTS), str(seed), str(count)],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-4000:]
    read, refused = run.stdout.split()[-2:]
    return int(read), int(refused)


def test_some_mutants_of_every_format_are_read_or_refused() -> None:
    read, refused = decode_mutants(0, 300)
    assert read + refused == 300
    assert read > 20
    assert refused > 100


@pytest.mark.slow
def test_ten_thousand_mutants_are_read_or_refused() -> None:
    read, refused = decode_mutants(1, 10_000)
    assert read + refused == 10_000
    assert read > 700
    assert refused > 3_000

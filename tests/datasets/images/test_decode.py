import csv
import hashlib
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from analysis.datasets.images import decode as decoding
from analysis.datasets.images.decode import decode
from analysis.errors import ImageError

UNREADABLE = {"truncated_image.png": "truncated", "Probabl-logo-blue.png": "Git LFS pointer"}


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def grey(*levels: int) -> Image.Image:
    return Image.fromarray(np.array([levels], dtype=np.uint8))


@pytest.mark.real
def test_each_odd_file_is_read_or_refused_with_its_reason(real_data: Path) -> None:
    with open(real_data / "odd" / "odd.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 22
    for row in rows:
        data = (real_data / "odd" / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        if row["file"] in UNREADABLE:
            with pytest.raises(ImageError, match=UNREADABLE[row["file"]]):
                decode(data)
            continue
        image = decode(data)
        if row["width"]:
            size = int(row["width"]), int(row["height"])
            assert ((image.width, image.height), image.mode) == (size, row["mode"]), row["file"]
            assert sorted(image.pixels.shape) == sorted(size)
        # Nothing comes out blank or clipped, as 16-bit, palette and 1-bit images do when converted carelessly.
        assert image.pixels.std() > 10, row["file"]
        assert (image.pixels == 255).mean() < 0.8


@pytest.mark.real
def test_reduced_decoding_gives_the_same_image_smaller(real_data: Path) -> None:
    data = (real_data / "odd" / "NORMAL2-IM-0793-0001.jpeg").read_bytes()
    whole, reduced = decode(data), decode(data, at_least=312)
    assert (reduced.width, reduced.height) == (whole.width, whole.height) == (2179, 1604)
    assert reduced.pixels.shape == (401, 545)
    assert abs(reduced.pixels.mean() - whole.pixels.mean()) < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_camera_is_undone(orientation: int) -> None:
    stored = Image.fromarray(np.arange(96, dtype=np.uint8).reshape(8, 12) * 2)
    exif = Image.Exif()
    exif[decoding.ORIENTATION] = orientation
    data = encoded(stored, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    image = decode(data)
    assert np.array_equal(image.pixels, np.asarray(upright))
    assert (image.width, image.height) == (12, 8)


def test_a_damaged_exif_block_does_not_cost_the_image() -> None:
    assert decode(encoded(grey(1, 2), exif=b"Exif\0\0nonsense")).pixels.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([0, 255], [0, 255]),
        ([0, 1000, 1023], [0, 249, 255]),
        ([0, 2048, 4095], [0, 128, 255]),
        ([0, 32768, 65535], [0, 128, 255]),
    ],
)
def test_sixteen_bits_are_scaled_by_the_depth_of_the_detector(levels: list[int], expected: list[int]) -> None:
    image = Image.fromarray(np.array([levels], dtype=np.uint16))
    assert image.mode == "I;16"
    assert decode(encoded(image)).pixels.tolist() == [expected]


def test_levels_beyond_sixteen_bits_below_zero_and_floats_are_refused() -> None:
    with pytest.raises(ImageError, match="below zero"):
        decode(encoded(Image.fromarray(np.array([[-5, 70]], dtype=np.int32)), "TIFF"))
    with pytest.raises(ImageError, match="more than 16 bits"):
        decode(encoded(Image.fromarray(np.array([[0, 70_000]], dtype=np.int32)), "TIFF"))
    with pytest.raises(ImageError, match="floating-point"):
        decode(encoded(Image.fromarray(np.array([[0.0, 0.5]], dtype=np.float32)), "TIFF"))


@pytest.mark.parametrize("depth", [None, 14])
def test_the_depth_of_the_dataset_is_that_of_each_of_its_images(depth: int | None) -> None:
    data = encoded(grey_16(0, 2048, 4095))
    image = decode(data, depth=depth)
    assert image.pixels.tolist() == [[0, 128, 255] if depth is None else [0, 32, 64]]
    assert image.stored_range == (0, 4095)
    with pytest.raises(ImageError, match="levels up to 4095, more than the 10 bits"):
        decode(data, depth=10)
    with pytest.raises(ImageError, match="nothing tells which level is white"):
        decode(data, depth=0)
    assert decode(encoded(grey_16(0, 65535)), depth=12).pixels.tolist() == [
        [0, 255]
    ]  # beyond 14 bits there is no choice


def grey_16(*levels: int) -> Image.Image:
    return Image.fromarray(np.array([levels], dtype=np.uint16))


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """Return the PNG with a chunk after its header."""
    chunk = len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (with_chunk(encoded(grey_16(0, 512, 1023)), b"sBIT", b"\x0c"), [0, 32, 64]),
        (
            with_chunk(encoded(grey_16(0, 32768, 65535)), b"sBIT", b"\x0c"),
            [0, 128, 255],
        ),  # stretched, as it should be
        (encoded(grey_16(0, 512, 1023), "TIFF", tiffinfo={281: 4095}), [0, 32, 64]),
        (b"P5 3 1 4095\n" + np.array([0, 512, 1023], dtype=">u2").tobytes(), [0, 32, 64]),
        (b"P5 3 1 65535\n" + np.array([0, 512, 1023], dtype=">u2").tobytes(), [0, 2, 4]),
        (b"P2 3 1 200\n0 50 100\n", [0, 64, 128]),
    ],
)
def test_a_header_that_tells_the_depth_is_believed(data: bytes, expected: list[int]) -> None:
    for depth in (None, 16):
        image = decode(data, depth=depth)
        assert (image.pixels.tolist(), image.stored_range) == ([expected], None)


def test_the_highest_level_of_one_image_is_no_depth() -> None:
    for most in (1023, 4090):  # less than there is, not one below a power of two
        image = decode(encoded(grey_16(0, 4090), "TIFF", tiffinfo={281: most}), depth=14)
        assert (image.stored_range, image.pixels.tolist()) == ((0, 4090), [[0, 64]])


def test_white_is_zero_is_turned_round_at_every_depth() -> None:
    told = [struct.pack("<HHIH", 262, 3, 1, value) for value in (1, 0)]
    for image in (grey(0, 55, 255), grey_16(0, 55 * 257, 65535)):
        assert decode(encoded(image, "TIFF").replace(*told)).pixels.tolist() == [[255, 200, 0]]
    bits = encoded(Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert("1"), "TIFF")
    assert decode(bits.replace(*told)).pixels.tolist() == [[255, 0]]
    dark = decode(encoded(grey_16(0, 4095), "TIFF", tiffinfo={262: 0}), depth=14)
    assert (dark.pixels.tolist(), dark.stored_range) == ([[255, 191]], (0, 4095))


def test_colours_of_sixteen_bits_keep_their_lower_half() -> None:
    for suffix in (".png", ".tif"):
        for channels in (3, 4):
            levels = np.repeat(np.array([[[0], [2048], [4095]]], dtype=np.uint16), channels, axis=2)
            image = decode(cv2.imencode(suffix, levels)[1].tobytes())
            assert (image.pixels.tolist(), image.stored_range) == ([[0, 128, 255]], (0, 4095))


@pytest.mark.parametrize("alpha", [(0, 0, 0), (255, 255, 255), (255, 0, 128)])
def test_transparency_changes_no_level(alpha: tuple[int, int, int]) -> None:
    levels, channel = grey(255, 200, 0), grey(*alpha)
    for image in (Image.merge("LA", [levels, channel]), Image.merge("RGBA", [levels] * 3 + [channel])):
        assert decode(encoded(image)).pixels.tolist() == [[255, 200, 0]]
    for key in (255, 0):
        assert decode(encoded(levels, transparency=key)).pixels.tolist() == [[255, 200, 0]]
        colours = levels.convert("RGB")
        assert decode(encoded(colours, transparency=(key,) * 3)).pixels.tolist() == [[255, 200, 0]]
        palette = levels.convert("P")
        assert decode(encoded(palette, transparency=key)).pixels.tolist() == [[255, 200, 0]]
        assert decode(encoded(palette, transparency=bytes(alpha) * 80)).pixels.tolist() == [[255, 200, 0]]
    assert decode(encoded(grey_16(65535, 0), transparency=65535)).pixels.tolist() == [[255, 0]]


def test_of_several_frames_the_first_is_read_and_it_is_said() -> None:
    for kind in ("TIFF", "GIF", "PNG"):
        data = encoded(grey(9, 200), kind, save_all=True, append_images=[grey(0, 1), grey(3, 4)])
        image = decode(data)
        assert image.pixels.tolist() == [[9, 200]]
        assert image.mode.endswith(", first of 3")


def test_colours_palettes_and_single_bits_become_grey() -> None:
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    assert decode(encoded(red)).pixels[0, 0] == 76
    assert decode(encoded(red.convert("P"))).pixels[0, 0] == 76
    assert decode(encoded(Image.new("1", (2, 2), 1))).pixels.tolist() == [[255, 255], [255, 255]]
    dark = decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG")).pixels
    light = decode(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG")).pixels
    assert (dark.max(), light.min()) == (0, 255)
    lightness = Image.merge("LAB", [grey(0, 130, 255), grey(9, 9, 9), grey(200, 200, 200)])
    assert decode(encoded(lightness, "TIFF")).pixels.tolist() == [[0, 130, 255]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_an_image_that_is_cut_short_is_not_half_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint does
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    data = encoded(Image.fromarray(pixels), kind)
    assert decode(data).pixels.shape == (64, 64)
    for length in (len(data) // 2, len(data) - 200):
        with pytest.raises(ImageError):
            decode(data[:length])


def test_other_bytes_are_refused_with_a_reason(jpeg: Callable[..., bytes]) -> None:
    for data, reason in ((b"", "empty"), (b"<svg/>", "not an image"), (b"%!PS-Adobe-3.0", "not an image")):
        with pytest.raises(ImageError, match=reason):
            decode(data)


def test_an_image_with_too_many_pixels_is_refused_unread() -> None:
    small = encoded(Image.new("1", (decoding.MAX_PIXELS // 1000 + 1, 1000)))
    assert len(small) < 100_000
    with pytest.raises(ImageError, match="limit of 80 million"):
        decode(small)

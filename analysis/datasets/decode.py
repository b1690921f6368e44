"""The one picture decoder of the project: bytes in, upright grey levels out."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from analysis.errors import PictureError

# A list, so that no file can reach the decoders that start other programs (EPS) or are seldom tested.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
# The largest picture of the V7 set has 26 million pixels; a crafted file of some kilobytes can ask for billions.
MAX_PIXELS = 80_000_000
ORIENTATION = 0x0112
DEPTHS = (8, 10, 12, 14, 16)
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
SIGNS = (  # offset and bytes of files that often stand in a picture's place, and what they are
    (0, b"version https://git-lfs", "Git LFS pointer, not the picture"),
    (128, b"DICM", "DICOM file, which is not read"),
)

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """Grey levels, shape (height, width), turned upright; size and mode as the file states them."""

    pixels: Grey
    width: int
    height: int
    mode: str


def decode(data: bytes, *, at_least: int | None = None) -> Picture:
    """Return the picture in ``data`` as grey levels 0 to 255.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG, WebP, BMP, GIF (first frame) or TIFF (first page) file.
    at_least : int, optional
        Neither side need have more pixels than this: a JPEG is then decoded at 1/2, 1/4 or 1/8 of its size
        where that leaves as many, which takes a fraction of the time.

    Raises
    ------
    PictureError
        If ``data`` is no picture, is cut short, or holds more than ``MAX_PIXELS``.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # importing WeasyPrint sets it for the whole process
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            return _load(image, at_least)
    except PictureError:
        raise
    except BROKEN as error:
        raise PictureError(_reason(data, error)) from error


def _load(image: Image.Image, at_least: int | None) -> Picture:
    (width, height), mode = image.size, image.mode
    if width * height > MAX_PIXELS:
        raise PictureError(f"{width} x {height} pixels, more than the limit of {MAX_PIXELS // 10**6} million")
    if at_least is not None:
        image.draft("L", (at_least, at_least))
    image.load()
    return Picture(_upright(_grey(image), _orientation(image)), width, height, mode)


def _grey(image: Image.Image) -> Grey:
    if image.mode.startswith("I"):
        return _eight_bits(np.asarray(image))
    if image.mode == "F":
        raise PictureError("floating-point pixels, whose range for black and white is not known")
    if image.has_transparency_data:
        # Black is what surrounds the body in an X-ray; any other ground would paint a frame that is not there.
        ground = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.array(image.convert("L"), dtype=np.uint8)


def _eight_bits(levels: NDArray[np.generic]) -> Grey:
    """Return levels of up to 16 bits as 8-bit ones, white becoming 255 (Pillow's own conversion clips at 255).

    Detectors give 10 to 14 bits, which are often stored as they are in 16: white is the highest level of the smallest
    of these depths that holds the picture.
    """
    wide = levels.astype(np.int64)
    depth = next((bits for bits in DEPTHS if wide.max() < 2**bits), None)
    if depth is None or wide.min() < 0:
        raise PictureError("pixels of more than 16 bits, whose range for black and white is not known")
    white = 2**depth - 1
    return np.asarray((wide * 255 + white // 2) // white, dtype=np.uint8)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except BROKEN:
        return 1  # a damaged EXIF block says nothing about the pixels, which have been read in full


def _upright(pixels: Grey, orientation: int) -> Grey:
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _reason(data: bytes, error: BaseException) -> str:
    if not data:
        return "an empty file"
    for offset, sign, what in SIGNS:
        if data[offset : offset + len(sign)] == sign:
            return what
    if isinstance(error, UnidentifiedImageError):
        return "not a picture in a known format"
    if isinstance(error, Image.DecompressionBombError):
        return f"more pixels than the limit of {MAX_PIXELS // 10**6} million"
    return str(error) or type(error).__name__

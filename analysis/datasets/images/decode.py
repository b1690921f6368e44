"""The one image decoder of the project: bytes in, upright grey levels out."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from analysis.datasets.images import dicom
from analysis.datasets.images.depth import eight_bits, fewest_bits
from analysis.datasets.reasons import GIT_LFS_POINTER, NoImageError
from analysis.errors import ImageError

# A list, so that no file can reach the decoders that start other programs (EPS) or are seldom tested.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
# The largest image of the V7 set has 26 million pixels; a crafted file of some kilobytes can ask for billions.
MAX_PIXELS = 80_000_000
MAX_BYTES = 2**30  # twice as much as that many pixels of three 16-bit colours
ORIENTATION, BITS, WHITE_IS_ZERO, MAX_SAMPLE = 0x0112, 258, 262, 281
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
    cv2.error,
    Image.DecompressionBombError,
)
SIGNS = (  # offset and bytes of files that often stand in an image's place, and what they are
    (0, b"version https://git-lfs", GIT_LFS_POINTER),
)

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class DecodedImage:
    """Grey levels, shape (height, width), turned upright; size and mode as the file states them.

    ``stored_range`` is the lowest and the highest level as they are stored, where the file does not tell which is white.
    ``tags`` and ``patient`` are what the file itself says of the image (DICOM).
    """

    pixels: Grey
    width: int
    height: int
    mode: str
    stored_range: tuple[int, int] | None = None
    tags: tuple[str, ...] = ()
    patient: str = ""


def read_image(path: Path) -> bytes:
    """Return the content of an image file.

    Raises
    ------
    ImageError
        It is too large to be an image: a sparse file of terabytes takes no place on disk.
    OSError
        It cannot be read.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ImageError(f"a file of {size / 2**30:.1f} GiB, more than the limit of {MAX_BYTES // 2**30} GiB")
    return path.read_bytes()


def decode(data: bytes, *, at_least: int | None = None, depth: int | None = None) -> DecodedImage:
    """Return the image in ``data`` as grey levels 0 to 255.

    Transparency is not looked at: an X-ray has none, and the levels are there. Of several frames or pages the first is
    read, which ``mode`` says.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG, WebP, BMP, GIF, TIFF, PGM or DICOM file.
    at_least : int, optional
        Neither side need have more pixels than this: a JPEG is then decoded at 1/2, 1/4 or 1/8 of its size
        where that leaves as many, which takes a fraction of the time.
    depth : int, optional
        Bits of an image whose file tells no depth: those of the dataset that it is from, see `analysis.datasets.images.depth.fewest_bits`. Without it
        the image is a dataset by itself; with 0 none is known.

    Raises
    ------
    ImageError
        If ``data`` is no image, is cut short, holds more than ``MAX_PIXELS``, or more levels than ``depth`` has.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # importing WeasyPrint sets it for the whole process
    if dicom.recognised(data):
        found = dicom.read(data, MAX_PIXELS)
        height, width = found.pixels.shape
        return DecodedImage(found.pixels, width, height, found.mode, tags=found.tags, patient=found.patient)
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            return _load(image, data, at_least, depth)
    except ImageError:
        raise
    except BROKEN as error:
        raise _describe(data, error) from error


def _load(image: Image.Image, data: bytes, at_least: int | None, depth: int | None) -> DecodedImage:
    (width, height), mode = image.size, image.mode
    if width * height > MAX_PIXELS:
        raise ImageError(f"{width} x {height} pixels, more than the limit of {MAX_PIXELS // 10**6} million")
    if (frames := getattr(image, "n_frames", 1)) > 1:
        mode = f"{mode}, first of {frames}"
    if at_least is not None:
        image.draft("L", (at_least, at_least))
    image.load()
    deep = _deep(image, data)
    if deep is None:
        return DecodedImage(_upright(_grey(image), _orientation(image)), width, height, mode)
    lowest, highest = int(deep.min()), int(deep.max())
    if lowest < 0:
        raise ImageError("levels below zero, whose range for black and white is not known")
    stated_white = _white(image, data, highest)
    white = stated_white or 2 ** _bits(highest, depth) - 1
    if image.format == "TIFF" and image.tag_v2.get(WHITE_IS_ZERO) == 0:  # type: ignore[attr-defined]
        deep = white - deep
    pixels = _upright(eight_bits(deep, white), _orientation(image))
    return DecodedImage(pixels, width, height, mode, None if stated_white else (lowest, highest))


def _deep(image: Image.Image, data: bytes) -> NDArray[np.int64] | None:
    """Return the levels of an image that has more than eight bits of them; None of any other."""
    if image.mode == "F":
        raise ImageError("floating-point levels, whose range for black and white is not known")
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    bits = data[24:25] == b"\x10" if image.format == "PNG" else _tag(image, BITS)[:1] == (16,)
    if not bits or image.mode == "CMYK":
        return None
    # Pillow drops the lower half of each level of 16-bit colours, in which all of them may lie.
    colours = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if colours is None or colours.dtype != np.uint16:
        raise ImageError(f"16-bit levels that cannot be read (mode {image.mode})")
    if colours.ndim == 2:
        return np.asarray(colours, dtype=np.int64)
    red, green, blue = (colours[:, :, channel].astype(np.int64) for channel in (2, 1, 0))
    return np.asarray((299 * red + 587 * green + 114 * blue + 500) // 1000, dtype=np.int64)


def _white(image: Image.Image, data: bytes, highest: int) -> int | None:
    """Return the level that the header calls white; None where it does not tell."""
    if image.format == "PPM":
        return 2**16 - 1  # Pillow stretches the levels up to this, by the highest that the header allows
    bits = _significant_bits(data) if image.format == "PNG" else min(_tag(image, BITS), default=16)
    if bits < 16:
        # By the standard of PNG the levels are stretched to 16 bits all the same; many are not.
        return 2**bits - 1 if highest < 2**bits else 2**16 - 1
    most = max(_tag(image, MAX_SAMPLE), default=0)
    # Some programs write the highest level of this image here, which is no depth.
    return most if most >= highest and most + 1 in {2**bits for bits in range(8, 17)} else None


def _tag(image: Image.Image, number: int) -> tuple[int, ...]:
    """Return the values of a tag of a TIFF file; () where there are none."""
    found = image.tag_v2.get(number, ()) if image.format == "TIFF" else ()  # type: ignore[attr-defined]
    return tuple(map(int, found)) if isinstance(found, tuple) else (int(found),)


def _significant_bits(data: bytes) -> int:
    """Return what the chunk sBIT of a 16-bit PNG says, 16 where there is none."""
    place = 8
    while (kind := data[place + 4 : place + 8]) not in (b"IDAT", b""):
        length = int.from_bytes(data[place : place + 4])
        if kind == b"sBIT" and 0 < length <= 4:
            return max(8, min(data[place + 8 : place + 8 + length]))
        place += 12 + length
    return 16


def _bits(highest: int, depth: int | None) -> int:
    needed = fewest_bits(highest)
    if depth is None or needed == 16:  # beyond 14 bits there is no choice
        return needed
    if depth == 0:
        raise ImageError(f"levels up to {highest} in 16 bits, and nothing tells which level is white")
    if needed > depth:
        raise ImageError(f"levels up to {highest}, more than the {depth} bits of the other images")
    return depth


def _grey(image: Image.Image) -> Grey:
    if image.mode in ("LA", "La", "LAB"):
        image = image.getchannel(0)
    if image.mode == "P":
        image = image.convert("RGBA")  # straight to RGB Pillow warns of what is transparent
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.array(image.convert("L"), dtype=np.uint8)


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


def _describe(data: bytes, error: BaseException) -> ImageError:
    """Return what is wrong with bytes that Pillow cannot read."""
    if not data:
        return ImageError("an empty file")
    for offset, sign, what in SIGNS:
        if data[offset : offset + len(sign)] == sign:
            return NoImageError(what)
    if isinstance(error, UnidentifiedImageError):
        return ImageError("not an image in a known format")
    if isinstance(error, Image.DecompressionBombError):
        return ImageError(f"more pixels than the limit of {MAX_PIXELS // 10**6} million")
    return ImageError(str(error) or type(error).__name__)

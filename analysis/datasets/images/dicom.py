"""DICOM files: grey levels as the file says that they are shown, and what it says of view and patient.

Needs the extra ``dicom`` (pydicom, and python-gdcm for JPEG, JPEG-LS and JPEG 2000); nothing here imports them before
such a file is read.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis.datasets.patients import known_id
from analysis.datasets.reasons import INSTALL_DICOM, NO_DICOM_READER, NoImageError
from analysis.errors import ImageError

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

# Without the preamble a file begins with its first element: of group 2 or 8, in either order of bytes.
CHUNK = 2**20  # bytes
DEFLATED = b"1.2.840.10008.1.2.1.99"
HEADER = 2**16  # bytes that are looked at for it: the elements before it are few and short
MARKER, SCAN = 0xFF, 0xDA
FRAMES = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}
"""Markers of frames in JPEG, and that of JPEG-LS; those between are of tables and extensions."""
FRAME_SIZE = 6
"""Bytes of bits, rows, columns and samples in its header."""
BARE = re.compile(rb"[\x02\x08]\x00[\x00-\x18]\x00|\x00[\x02\x08]\x00[\x00-\x18]")


@dataclass(frozen=True)
class Dicom:
    """An image of 8-bit grey levels, black 0; its tags; and the patient, who is no one where the file does not tell."""

    pixels: NDArray[np.uint8]
    mode: str
    tags: tuple[str, ...]
    patient: str


def recognised(data: bytes) -> bool:
    """Tell whether these are the bytes of a DICOM file, with or without its preamble."""
    return data[128:132] == b"DICM" or BARE.match(data) is not None


def read(data: bytes, most_pixels: int) -> Dicom:
    """Return the image in a DICOM file.

    The levels are rescaled as the file says, then shown through its first window or VOI table, without one over all
    levels that its bits can hold. Where the lowest level is white (MONOCHROME1) they are turned round.

    The patient is a digest of PatientID, so that the id itself is written nowhere. Whoever has a list of ids can still
    find which of them it is: it is no anonymisation.

    Raises
    ------
    ImageError
        pydicom is missing, or the file has no image, several, or one that it cannot decode.
    """
    try:
        import pydicom
    except ModuleNotFoundError as error:
        raise NoImageError(NO_DICOM_READER, hint=INSTALL_DICOM) from error
    try:
        _check_deflated(data, most_pixels)
        dataset = pydicom.dcmread(BytesIO(data), force=True)
        _check(dataset, most_pixels)
        return Dicom(
            _pixels(dataset), str(dataset.PhotometricInterpretation), _tags(dataset), _patient(dataset)
        )
    except ImageError:
        raise
    except Exception as error:  # every decoder has errors of its own, and a file may hold anything
        said = " ".join(str(error).split()) or type(error).__name__
        hint = INSTALL_DICOM if "missing dependencies" in said else ""
        raise ImageError(f"DICOM file that cannot be decoded: {said}", hint=hint) from error


def _check_deflated(data: bytes, most_pixels: int) -> None:
    """Refuse a deflated file that grows beyond what an image needs, as pydicom inflates it without a limit."""
    from pydicom.filereader import read_dataset, read_preamble

    if DEFLATED not in data[:HEADER]:
        return
    stream = BytesIO(data)
    read_preamble(stream, force=True)
    header = read_dataset(
        stream,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag >> 16 != 2,
    )
    if str(header.get("TransferSyntaxUID")) != DEFLATED.decode():
        return
    limit = 8 * most_pixels  # bytes: more than three 16-bit colours
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    size = len(inflating.decompress(data[stream.tell() :], CHUNK))
    while inflating.unconsumed_tail and size <= limit:
        size += len(inflating.decompress(inflating.unconsumed_tail, CHUNK))
    if size > limit:
        raise ImageError(f"deflated DICOM file of more than {limit // 10**6} MB")


def _check(dataset: Dataset, most_pixels: int) -> None:
    """Refuse what is no single image of a bearable size."""
    kind = dataset.get("Modality") or "unknown"
    if "PixelData" not in dataset:
        raise ImageError(f"DICOM file without an image (modality {kind})")
    frames, rows, columns = (int(dataset.get(k) or 1) for k in ("NumberOfFrames", "Rows", "Columns"))
    if frames > 1:
        raise ImageError(f"DICOM file of {frames} frames, not one image (modality {kind})")
    if rows * columns > most_pixels:
        raise ImageError(f"{columns} x {rows} pixels, more than the limit of {most_pixels // 10**6} million")
    if "TransferSyntaxUID" not in dataset.file_meta:  # a file without the preamble tells it by its bytes
        implicit, little = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = _syntax(implicit is True, little is not False)


def _syntax(implicit: bool, little: bool) -> UID:
    from pydicom import uid

    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


def _pixels(dataset: Dataset) -> NDArray[np.uint8]:
    from pydicom import uid
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    # GDCM ends the process on some damaged files, which Pillow refuses, and on frames that are not as the file tells.
    syntax = dataset.file_meta.TransferSyntaxUID
    lossy = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit}
    pillow = syntax in lossy or syntax in uid.JPEG2000TransferSyntaxes
    if syntax in {*uid.JPEGTransferSyntaxes, *uid.JPEGLSTransferSyntaxes}:
        _check_frame(dataset)
    stored = pixel_array(dataset, decoding_plugin="pillow" if pillow else "")
    if str(dataset.PhotometricInterpretation).startswith("MONOCHROME"):
        return _shown(stored, dataset)
    bits = int(dataset.BitsStored)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, dataset)
        bits = 8 * stored.dtype.itemsize
    colours = np.rint(stored[..., :3].astype(np.float64) * 255 / (2**bits - 1))
    return np.array(Image.fromarray(colours.astype(np.uint8)).convert("L"))


def _check_frame(dataset: Dataset) -> None:
    """Refuse a JPEG or JPEG-LS frame that is damaged before its scan, or not of the size that the file tells."""
    from pydicom.encaps import get_frame

    headers = list(_list_segments(get_frame(dataset.PixelData, 0, number_of_frames=1)))
    frames = [content for marker, content in headers if marker in FRAMES]
    if len(frames) != 1 or len(frames[0]) < FRAME_SIZE or headers[-1][0] != SCAN:
        raise ImageError("DICOM file whose frame is damaged")
    bits, rows, columns, samples = struct.unpack(">BHHB", frames[0][:FRAME_SIZE])
    told = tuple(int(dataset.get(key) or 1) for key in ("Rows", "Columns", "SamplesPerPixel"))
    if (rows, columns, samples) != told or bits > int(dataset.BitsAllocated):
        raise ImageError("DICOM file whose frame is not of the size that it tells")


def _list_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of the segments of a JPEG or JPEG-LS stream, up to its first scan.

    A segment is two bytes, the first `MARKER`, then its length with that of the length itself.
    """
    place = 2
    while place + 4 <= len(data) and data[place] == MARKER:
        if data[place + 1] == MARKER:  # a byte that fills up
            place += 1
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        yield data[place + 1], data[place + 4 : end]
        if data[place + 1] == SCAN:
            return
        place = end


def _shown(stored: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    """Return stored values as a viewer shows them: rescaled, through the window, MONOCHROME1 turned round."""
    from pydicom.pixels.processing import apply_rescale, apply_voi, apply_windowing

    values = np.asarray(apply_rescale(stored, dataset), dtype=np.float64)
    if dataset.get("VOILUTSequence"):
        values = apply_voi(np.rint(values).astype(np.int64), dataset)
        low, high = 0.0, 2.0 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
    else:
        low, high = _range(dataset)
        if _has_window(dataset):
            values = apply_windowing(
                values, dataset
            )  # onto this range, turned round as it is by a negative slope
        else:
            low, high = sorted((low, high))
    levels = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return 255 - levels if dataset.PhotometricInterpretation == "MONOCHROME1" else levels


def _range(dataset: Dataset) -> tuple[float, float]:
    """Return the lowest and the highest value that rescaled levels can have, which is also that of a window."""
    if dataset.get("ModalityLUTSequence"):
        return 0.0, 2.0 ** int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    bits = int(dataset.BitsStored)
    low, high = (
        (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if dataset.PixelRepresentation else (0.0, 2.0**bits - 1)
    )
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is None or intercept is None:
        return low, high
    return low * float(slope) + float(intercept), high * float(slope) + float(intercept)


def _has_window(dataset: Dataset) -> bool:
    """Tell whether there is a window that shows anything: some files have one of width 0, or an empty one."""
    centres, widths = (_numbers(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    return bool(centres and widths) and widths[0] > (
        1 if dataset.get("VOILUTFunction", "LINEAR") == "LINEAR" else 0
    )


def _numbers(value: Any) -> list[float]:
    several = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
    return [float(v) for v in several if v not in (None, "")]


def _tags(dataset: Dataset) -> tuple[str, ...]:
    codes = dataset.get("ViewCodeSequence")
    view = _text(dataset, "ViewPosition") or (_text(codes[0], "CodeMeaning") if codes else "")
    device = " ".join(filter(None, (_text(dataset, "Manufacturer"), _text(dataset, "ManufacturerModelName"))))
    age, sex = _text(dataset, "PatientAge"), _text(dataset, "PatientSex")
    told = (("View/", view), ("Age:", age), ("Sex/", sex), ("Device:", device.replace("|", " ")))
    tags = tuple(f"{kind}{value}" for kind, value in told if value)
    return (*tags, *(["CT"] if _text(dataset, "Modality") == "CT" else []))


def _text(dataset: Dataset, name: str) -> str:
    return str(dataset.get(name) or "").strip()


def _patient(dataset: Dataset) -> str:
    id_ = known_id(_text(dataset, "PatientID"))
    return hashlib.sha256(id_.encode()).hexdigest()[:16] if id_.strip("0") else ""

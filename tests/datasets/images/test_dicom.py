"""DICOM files, made here: what is shown of them, and what they say of view and patient."""

import hashlib
import subprocess
import sys
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from analysis.datasets import class_folders
from analysis.datasets.images.decode import decode
from analysis.errors import DataError, ImageError
from analysis.progress import silent

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
CLASSES = [{"id": "normal", "label": "Normal"}, {"id": "pneumonia", "label": "Pneumonia"}]


def dicom(levels: Any, *, preamble: bool = True, bits: int = 12, **elements: Any) -> bytes:
    """Return a file with the image ``levels`` (height, width, or with three colours)."""
    pixels = np.asarray(levels)
    dataset = Dataset()
    dataset.Modality, dataset.PhotometricInterpretation = "DX", "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.BitsAllocated = 8 if bits == 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, int(pixels.min() < 0)
    kind = f"{'i' if pixels.min() < 0 else 'u'}{dataset.BitsAllocated // 8}"
    content = pixels.astype(f"<{kind}").tobytes()
    dataset.PixelData = content + bytes(len(content) % 2)
    for name, value in elements.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    buffer = BytesIO()
    if preamble:
        dataset.save_as(buffer, enforce_file_format=True)
    else:
        del dataset.file_meta
        dataset.save_as(buffer, implicit_vr=True, little_endian=True)
    return buffer.getvalue()


RAMP = [[0, 1024, 2048, 4095]]


def lut(entries: list[int], bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(entries), 0, bits], np.array(entries, dtype="<u2").tobytes()
    return item


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, [0, 64, 128, 255]),
        ({"PhotometricInterpretation": "MONOCHROME1"}, [255, 191, 127, 0]),
        ({"WindowCenter": 1024, "WindowWidth": 2048}, [0, 128, 255, 255]),
        ({"WindowCenter": [1024, 9], "WindowWidth": [2048, 9]}, [0, 128, 255, 255]),
        ({"WindowCenter": 1024, "WindowWidth": 2048, "VOILUTFunction": "LINEAR_EXACT"}, [0, 128, 255, 255]),
        ({"WindowCenter": 2048, "WindowWidth": 1024, "VOILUTFunction": "SIGMOID"}, [0, 5, 128, 255]),
        ({"WindowCenter": 1024, "WindowWidth": 0}, [0, 64, 128, 255]),
        ({"WindowCenter": None, "WindowWidth": None}, [0, 64, 128, 255]),
        ({"RescaleSlope": 2, "RescaleIntercept": -100}, [0, 64, 128, 255]),
        ({"RescaleSlope": -1, "RescaleIntercept": 4095}, [255, 191, 127, 0]),
        (
            {"RescaleSlope": -1, "RescaleIntercept": 4095, "WindowCenter": 3071, "WindowWidth": 2048},
            [255, 128, 0, 0],
        ),
        (
            {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 1948, "WindowWidth": 4096},
            [0, 128, 255, 255],
        ),
        (
            {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 1024, "WindowWidth": 2048},
            [255, 127, 0, 0],
        ),
        ({"VOILUTSequence": [lut([1023] * 1024 + [0] * 3072, 10)]}, [255, 0, 0, 0]),
        (
            {"ModalityLUTSequence": [lut([0] * 1024 + [32768] * 1024 + [65535] * 2048, 16)]},
            [0, 128, 255, 255],
        ),
    ],
)
def test_levels_are_those_that_a_viewer_shows(elements: dict[str, Any], expected: list[int]) -> None:
    image = decode(dicom(RAMP, **elements))
    assert image.pixels.tolist() == [pytest.approx(expected, abs=1)]
    assert (image.width, image.height, image.stored_range) == (4, 1, None)


def test_the_depth_is_that_of_the_header_whatever_the_highest_level() -> None:
    assert decode(dicom([[0, 1023]], bits=10)).pixels.tolist() == [[0, 255]]
    assert decode(dicom([[0, 1023]], bits=14)).pixels.tolist() == [[0, 16]]
    assert decode(dicom([[-2048, 0, 2047]])).pixels.tolist() == [[0, 128, 255]]


def test_colours_become_grey() -> None:
    red = np.zeros((2, 2, 3), dtype=np.uint8) + np.array([255, 0, 0], dtype=np.uint8)
    colour = {"PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    assert decode(dicom(red, bits=8, **colour)).pixels.tolist() == [[76, 76], [76, 76]]


@pytest.mark.parametrize("preamble", [True, False])
def test_a_file_is_known_by_its_bytes(preamble: bool) -> None:
    data = dicom(RAMP, preamble=preamble)
    assert (data[128:132] == b"DICM") == preamble
    assert decode(data).pixels.tolist() == [[0, 64, 128, 255]]


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_implicit.dcm",
    ],
)
def test_every_compression_gives_the_same_levels(name: str) -> None:
    plain, packed = (decode((FILES / n).read_bytes()) for n in ("MR_small.dcm", name))
    assert np.array_equal(plain.pixels, packed.pixels)
    assert plain.pixels.std() > 10


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ((FILES / "SC_rgb_rle_2frame.dcm").read_bytes(), "2 frames, not one image"),
        ((FILES / "reportsi.dcm").read_bytes(), "without an image (modality SR)"),
        ((FILES / "JPGExtended.dcm").read_bytes(), "12-bit precision"),
        (bytes(128) + b"DICM" + bytes(64), "without an image"),
        (dicom(RAMP)[:-4], "cannot be decoded"),
        (dicom(RAMP, Rows=60_000, Columns=60_000), "60000 x 60000 pixels, more than the limit"),
    ],
    ids=[
        "frames",
        "report",
        "12 bits",
        "empty",
        "cut",
        "large",
    ],  # the bytes have numbers of their own in each process
)
def test_what_is_no_single_image_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as error, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decode(data)
    assert reason in error.value.message


class Folders:
    """DICOM files in two folders of classes, and what the reader makes of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.out = root / "data", root / "out"
        self.out.mkdir(parents=True)

    def add(self, path: str, data: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(data)

    def read(self, **options: Any) -> pd.DataFrame:
        settings = {"classes": CLASSES, "folders": {}, "exclude": [], "max_excluded": 0.9, **options}
        class_folders.read({"data": self.root}, self.out, scratch=self.out, progress=silent, **settings)
        return pd.read_csv(self.out / "records.csv", keep_default_na=False).set_index("image_id")

    def excluded(self) -> dict[str, str]:
        table = pd.read_csv(self.out / "excluded.csv", keep_default_na=False)
        return dict(zip(table["file"], table["reason"], strict=True))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_view_modality_and_patient_come_from_the_file(folders: Folders) -> None:
    for i, view in enumerate(("PA", "LL", "LATERAL", "LLD", "")):
        folders.add(f"Normal/{i}.dcm", dicom(RAMP, ViewPosition=view, PatientID="Müller 1960"))
    folders.add("Normal/ct.dcm", dicom(RAMP, Modality="CT"))
    folders.add("Pneumonia/a.dcm", dicom(RAMP, PatientID="ANONYMOUS"))
    folders.add("Pneumonia/b.dcm", dicom(RAMP))
    code = Dataset()
    code.CodeMeaning = "lateral"
    folders.add("Pneumonia/c.dcm", dicom(RAMP, ViewCodeSequence=[code]))
    table = folders.read()
    assert folders.excluded() == {
        "Normal/1.dcm": "lateral view",
        "Normal/2.dcm": "lateral view",
        "Pneumonia/c.dcm": "lateral view",
        "Normal/ct.dcm": "CT slice",
    }
    assert table["tags"].to_dict() == {
        "Normal/0.dcm": "View/PA",
        "Normal/3.dcm": "View/LLD",
        "Normal/4.dcm": "",
        "Pneumonia/a.dcm": "",
        "Pneumonia/b.dcm": "",
    }
    digest = hashlib.sha256("Müller 1960".encode()).hexdigest()[:16]
    assert set(table.loc[table["label"] == "normal", "patient_id"]) == {f"dicom-{digest}"}
    assert set(table.loc[table["label"] == "pneumonia", "source"]) == {"unknown"}
    assert not any("Müller" in path.read_text(encoding="utf-8") for path in folders.out.iterdir())


def test_a_folder_of_broken_files_says_that_they_are_dicom(folders: Folders) -> None:
    for i in range(3):
        folders.add(f"Normal/{i}.dcm", bytes(128) + b"DICM" + bytes([i]) * 64)
        folders.add(f"Pneumonia/{i}.dcm", bytes(128) + b"DICM" + bytes([i]) * 64)
    with pytest.raises(DataError, match=r"none of the 6 images can be read: .*DICOM file without an image"):
        folders.read(max_excluded=1.0)


WITHOUT = """
import sys
sys.modules["pydicom"] = None
from pathlib import Path
from analysis.datasets import class_folders
from analysis.errors import DataError
from analysis.progress import silent
root = Path(sys.argv[1])
settings = {"classes": [{"id": "normal", "label": "Normal"}], "folders": {}, "exclude": []}
for limit in (0.5, 1.0):
    try:
        class_folders.read({"data": root / "data"}, root / "out", scratch=root, progress=silent, max_excluded=limit, **settings)
    except DataError as error:
        print(error.message, "|", error.hint)
"""


def test_without_pydicom_the_line_to_type_is_given(folders: Folders, tmp_path: Path) -> None:
    folders.add("Normal/a.dcm", dicom(RAMP))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = done.stdout.splitlines()
    for line in (first, second):
        assert "DICOM file, and pydicom is not installed (1)" in line
        assert line.endswith("| .venv/bin/python -m pip install 'pydicom>=3' 'python-gdcm>=3.0.24'")


@pytest.mark.real
def test_the_real_files_are_each_other_turned_round(real_data: Path) -> None:
    names = ("1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm", "Fake_MONOHR1.dcm")
    plain, turned = (decode((real_data / "odd" / name).read_bytes()) for name in names)
    assert np.array_equal(plain.pixels, 255 - turned.pixels)
    assert plain.tags == ("View/PA", "Age:62", "Sex/M")
    assert plain.pixels.mean() > 100


@pytest.mark.real
def test_the_case_of_class_folders_of_dicom(case: Callable[[str], Path], tmp_path: Path) -> None:
    root = case("dicom-class-folders")
    with pytest.raises(DataError, match="DICOM"):
        class_folders.read(
            {"data": root},
            tmp_path,
            scratch=tmp_path,
            progress=silent,
            classes=CLASSES,
            folders={},
            exclude=[],
            max_excluded=1.0,
        )

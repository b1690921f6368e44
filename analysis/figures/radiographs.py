"""X-rays within figures: read as the reader decodes them, and embedded as JPEG."""

from __future__ import annotations

import base64
import re
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from analysis.datasets.images.decode import Grey, decode
from analysis.image_files import read_unchanged

RAW_PX = 200
JPEG_QUALITY = 85
PNG_URI = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")


def read_image(root: Path, image_id: str, sha256: str, depth: int | None) -> Grey:
    """Return the grey levels of an image as the reader decodes it; a `DataError` if it is another one by now."""
    return decode(read_unchanged(root, image_id, sha256), depth=depth).pixels


def shrink(pixels: Grey, size_px: int = RAW_PX) -> Grey:
    """Return the image no larger than ``size_px`` either way."""
    image = Image.fromarray(pixels)
    image.thumbnail((size_px, size_px), Image.Resampling.BOX)
    return np.asarray(image)


def embed_as_jpeg(path: Path) -> None:
    """Embed the images as grey JPEG: a sixth of the PNG in colour that matplotlib writes."""
    svg = path.read_text(encoding="utf-8")
    path.write_text(PNG_URI.sub(_to_jpeg, svg), encoding="utf-8")


def _to_jpeg(uri: re.Match[str]) -> str:
    with Image.open(BytesIO(base64.b64decode(uri[1]))) as png:
        jpeg = BytesIO()
        png.convert("L").save(jpeg, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()

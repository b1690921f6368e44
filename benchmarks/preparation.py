"""Full-size JPEGs made into squares of 156 pixels: ours, and PIL and OpenCV in a loop.

``python -m benchmarks.preparation FOLDER`` takes the real X-rays of a folder, enlarged to about 1,800 pixels.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from analysis.preparation import DECODERS, prepare
from benchmarks import harness

SIZE, IMAGES, LONGEST = 156, 100, 1800


def enlarge(source: Path, folder: Path) -> list[Path]:
    """Write real X-rays as JPEGs of ``LONGEST`` pixels, and ``records.csv`` of them."""
    names = sorted(path for path in source.rglob("*") if path.suffix.lower() in {".jpeg", ".jpg"})
    paths = []
    for number, path in enumerate(names[:: max(1, len(names) // IMAGES)][:IMAGES]):
        with Image.open(path) as image:
            scale = LONGEST / max(image.size)
            size = round(image.width * scale), round(image.height * scale)
            paths.append(folder / f"{number}.jpeg")
            image.convert("L").resize(size, Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    table = pd.DataFrame({"image_id": [path.name for path in paths], "sha256": digests})
    table.to_csv(folder / "records.csv", index=False)
    return paths


def ours(folder: Path) -> Any:
    """Return what the stage writes, with its check that each image is still the one that was read."""
    prepare(
        {"records": folder, "data": folder},
        folder,
        scratch=folder,
        progress=lambda *_: None,
        size=SIZE,
        fit="squash",
        resample="area",
    )
    return np.load(folder / "images.npy")


def pil(paths: list[Path]) -> Any:
    """Return the images as a notebook has them: in colours, from 0 to 1."""
    return np.array([np.array(Image.open(p).convert("RGB").resize((SIZE, SIZE))) / 255.0 for p in paths])


def opencv(paths: list[Path]) -> Any:
    """Return the same by OpenCV."""
    return np.array([cv2.resize(cv2.imread(str(p)), (SIZE, SIZE)) / 255.0 for p in paths])  # noqa: TID251


def exact(paths: list[Path]) -> Any:
    """Return the full decode, every pixel averaged."""
    levels = (np.asarray(Image.open(p).convert("L"), dtype=np.float32) for p in paths)
    return np.array([cv2.resize(x, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for x in levels])


def decode_only(paths: list[Path]) -> None:
    """Decode at an eighth, the least that can be done with a JPEG; on as many threads as ours."""

    def read(path: Path) -> None:
        cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)

    with ThreadPoolExecutor(DECODERS) as pool:
        list(pool.map(read, paths))


def main() -> None:
    """Time all four, and hold the levels of ours against the exact ones."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = enlarge(Path(sys.argv[1]), folder)
        right = exact(paths)
        off = {
            "ours": np.abs(ours(folder) - right).mean(),
            "PIL": np.abs(pil(paths).mean(axis=-1) * 255 - right).mean(),
            "OpenCV": np.abs(opencv(paths).mean(axis=-1) * 255 - right).mean(),
        }
        times = harness.time_in_turn(
            {
                "ours": lambda: ours(folder),
                "PIL in a loop": lambda: pil(paths),
                "OpenCV in a loop": lambda: opencv(paths),
                "decoding at an eighth alone": lambda: decode_only(paths),
            }
        )
    mine, by_pil, by_opencv, limit = times.values()
    wall = [by_pil.wall_median / mine.wall_median, by_opencv.wall_median / mine.wall_median]
    cpu = [by_pil.cpu_median / mine.cpu_median, by_opencv.cpu_median / mine.cpu_median]
    over = mine.cpu_median / limit.cpu_median
    differences = ", ".join(f"{way} {value:.2f}" for way, value in off.items())
    harness.keep(
        "preparation",
        work=f"prepare {len(paths)} JPEGs of {LONGEST} pixels to {SIZE} x {SIZE}",
        goal="7 times PIL, 2.5 times OpenCV, at most 0.5 grey levels from exact, within 1.5 of the decode limit",
        reached=f"{wall[0]:.1f} and {wall[1]:.1f} times on the clock ({cpu[0]:.1f} and {cpu[1]:.1f} times in CPU),"
        f" {off['ours']:.2f} grey levels, {over:.2f} of the decode limit in CPU",
        met=wall[0] >= 7 and wall[1] >= 2.5 and off["ours"] <= 0.5 and over <= 1.5,
        timings=times,
        notes=[
            f"Mean difference from an exact area resize, in grey levels: {differences}. Ours uses {DECODERS} threads, which"
            " only idle cores show on the clock, and checks the digest of every file.",
        ],
    )


if __name__ == "__main__":
    main()

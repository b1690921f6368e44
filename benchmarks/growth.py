"""Time per image and peak memory of the stages that see every image, on 1,000 and 5,000 images.

``python -m benchmarks.growth FOLDER [NUMBER ...]`` takes the real X-rays of a folder, cut a little differently for every copy
so that none is left out as one. Each stage runs in a process of its own, whose peak is told beside that of its imports.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import harness

SIZE, SIDE, CLASSES, LIMIT = 156, 320, ("normal", "pneumonia"), 1500
NUMBERS = (1_000, 5_000)


def copy(source: Path, folder: Path, number: int) -> None:
    """Write ``number`` small JPEGs in two folders of classes; of real images each cut at other edges."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    paths = sorted(p for p in source.rglob("*") if p.suffix.lower() in {".jpeg", ".jpg"})
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
    for path in paths:
        with Image.open(path) as image:
            image.draft("L", (2 * SIDE, 2 * SIDE))
            whole = image.convert("L")
        for i in range(paths.index(path), number, len(paths)):
            left, top, right, bottom = rng.uniform(0, 0.08, 4)
            width, height = whole.size
            box = left * width, top * height, (1 - right) * width, (1 - bottom) * height
            label = CLASSES["NORMAL" not in path.as_posix()]
            whole.resize((SIDE, SIDE), box=box).save(folder / label / f"person{i}_{i}.jpeg")


def stages(root: Path) -> dict[str, tuple[str, dict[str, str], dict[str, Any]]]:
    """Return of each stage its function, its inputs by the stages they are of, and its parameters."""
    classes = [{"id": c, "label": c} for c in CLASSES]
    pixels = {"records": "read", "images": "images", "split": "split"}
    rule = {
        "protocol": "stratified",
        "test": 0.2,
        "val": 0.2,
        "seed": 42,
        "group": "none",
        "classes": CLASSES,
    }
    rule |= {"draw": "stratified", "official_val": "val", "subset": {}}
    asked = {"classes": CLASSES, "seed": 42, "splits": ("val", "test")}
    network = {
        "architecture": "analysis.models.assignment:baseline",
        "params": {},
        "size": SIZE,
        "channels": 3,
        "classes": 2,
    }
    return {
        "read": (
            "analysis.datasets.class_folders:read",
            {"data": "data"},
            {"classes": classes, "exclude": (), "max_excluded": 0.5, "folders": {}},
        ),
        "images": (
            "analysis.preparation:prepare",
            {"records": "read", "data": "data"},
            {"size": SIZE, "fit": "squash", "resample": "area"},
        ),
        "split": ("analysis.splitting:split", {"records": "read"}, rule),
        "duplicates": ("analysis.audit.duplicates:find", {"records": "read", "data": "data"}, {}),
        "model": ("benchmarks.growth:untrained", {}, network),
        "predict": ("analysis.models.prediction:predict", {"model": "model", **pixels}, asked),
    }


def untrained(inputs: Any, out: Path, *, scratch: Path, progress: Any, **network: Any) -> None:
    """Write an untrained network as a training would."""
    import json

    from analysis.models.architecture import build

    build(**network).save(out / "model.keras")
    seen = {"size": SIZE, "channels": 3, "fit": "squash", "resample": "area"}
    seen |= {"scale": 1 / 255, "offset": 0.0, "pixels": "in-place"}
    (out / "input.json").write_text(json.dumps(seen))


def run(root: Path, name: str, told: Any) -> None:
    """Run a stage in this process, and tell its CPU seconds, its peak, and the peak before it, in MB."""
    import importlib

    function, inputs, params = stages(root)[name]
    module, _, attribute = function.partition(":")
    work: Callable[..., None] = getattr(importlib.import_module(module), attribute)
    out, scratch = root / name, root / f"{name}-scratch"
    for folder in (out, scratch):
        folder.mkdir()
    before, begun = _peak(), time.process_time()
    given = {key: root / stage for key, stage in inputs.items()}
    work(given, out, scratch=scratch, progress=lambda *_, **__: None, **params)
    told.put((time.process_time() - begun, _peak(), before))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run all stages at every number of images."""
    source, numbers = Path(sys.argv[1]), [int(n) for n in sys.argv[2:]] or NUMBERS
    spawn, found = multiprocessing.get_context("spawn"), {}
    for number in numbers:
        root = Path(tempfile.mkdtemp())
        copy(source, root / "data", number)
        for name in stages(root):
            told = spawn.Queue()
            process = spawn.Process(target=run, args=(root, name, told))
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(f"{name} failed at {number} images")
            found[name, number] = told.get()
            print(number, name, *(f"{value:.1f}" for value in found[name, number]), flush=True)
        shutil.rmtree(root)
    names = [name for name in dict.fromkeys(name for name, _ in found) if name != "model"]
    few, many = numbers[0], numbers[-1]
    growth = {n: found[n, many][0] / many / (found[n, few][0] / few) for n in names}
    added = {n: found[n, many][1] - found[n, many][2] for n in names}
    harness.keep(
        f"growth_{many}",
        work=f"stages that see every image, from {few:,} to {many:,} images",
        goal="time per image flat within 10 %; under 1.5 GB beside TensorFlow's own",
        reached=f"time per image at most {max(growth.values()):.2f} of that at {few:,}; at most {max(added.values()):.0f} MB",
        met=max(growth.values()) <= 1.1 and max(added.values()) < LIMIT,
        notes=[
            "Of each stage, time per image at the larger number as a share of that at the smaller, CPU seconds there, and what it"
            " adds to the memory of its imports: "
            + ", ".join(f"{n} {growth[n]:.2f}, {found[n, many][0]:.1f} s, {added[n]:.0f} MB" for n in names)
            + "."
        ],
    )


if __name__ == "__main__":
    main()

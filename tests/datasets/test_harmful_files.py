"""What harms no reader: files that cannot be read or are made to do harm, and names that no one expects."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Mapping
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.datasets.reasons import UNDECODABLE
from analysis.progress import silent
from tests.datasets.images.test_robustness import png

CLASSES = {"normal": "NORMAL", "pneumonia": "PNEUMONIA"}
NAMES = ("a b", "it's", 'say "hi", twice', "two\nlines", "-rf", "#%;&", "é ü", "a" * 200)
BAD = {"empty": "an empty file", "lost": "cannot be read", "locked": "cannot be read", "bomb": "pixels"}
"""What cannot be read, and a word of the reason."""
Files = Mapping[tuple[str, str], bytes | None]
"""Contents by class and stem; None for a link to nothing."""


def draw_files() -> Files:
    """Return an image of each name and class, all different, and the harmful files in one of the classes."""
    files: dict[tuple[str, str], bytes | None] = {}
    for number, (folder, name) in enumerate((f, n) for f in CLASSES.values() for n in NAMES):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 20), dtype=np.uint8)
        buffer = BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files[folder, f"{name} {folder}"] = buffer.getvalue()
    harm = {"empty": b"", "lost": None, "locked": b"x", "bomb": png(60_000, 60_000)}
    return {**files, **{("NORMAL", name): data for name, data in harm.items()}}


def write(path: Path, data: bytes | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if data is None:
        path.symlink_to("nowhere\nat all")
    else:
        path.write_bytes(data)


def in_folders(pattern: str) -> Callable[[Path, Files], dict[str, Any]]:
    def lay_out(root: Path, files: Files) -> dict[str, Any]:
        for (folder, name), data in files.items():
            write(root / pattern.format(folder) / f"{name}.png", data)
        return {"folders": {}}

    return lay_out


def with_table(root: Path, files: Files) -> dict[str, Any]:
    text = StringIO()
    rows = csv.writer(text)
    rows.writerow(["file", "label"])
    for (folder, name), data in files.items():
        write(root / "images" / f"{name}.png", data)
        rows.writerow([f"images/{name}.png", folder])
    write(root / "labels.csv", text.getvalue().encode())
    columns = dict.fromkeys(("patient", "split", "view", "age", "sex", "source"))
    named = {**columns, "file": "file", "label": "label"}
    return {
        "table": "labels.csv",
        "columns": named,
        "values": {},
        "several": "leave-out",
        "uncertain": "leave-out",
    }


def annotated(root: Path, files: Files) -> dict[str, Any]:
    for number, ((folder, name), data) in enumerate(files.items()):
        write(root / "images" / f"{name}.png", data)
        image = {"width": 20, "height": 24, "filename": "1.png", "original_filename": f"{name}.png"}
        annotation = {"image": image, "annotations": [{"name": folder, "tag": {}}]}
        write(root / "releases" / "all" / f"{number}.json", json.dumps(annotation).encode())
    return {"label_rule": "covid-first"}


LAYOUTS: dict[str, Callable[[Path, Files], dict[str, Any]]] = {
    "class_folders": in_folders("{}"),
    "kermany": in_folders("chest_xray/train/{}"),
    "radiography": in_folders("COVID-19_Radiography_Dataset/{}/images"),
    "table": with_table,
    "v7": annotated,
}


@pytest.mark.parametrize("reader", LAYOUTS)
def test_harmful_files_are_left_out_with_their_reason_and_odd_names_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    out.mkdir()
    own = LAYOUTS[reader](data, draw_files())
    whole = Path.read_bytes

    def locked(path: Path) -> bytes:  # root reads what has no permissions
        if path.stem == "locked":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", locked)
    settings = {"classes": [{"id": id_, "label": label} for id_, label in CLASSES.items()], "exclude": []}
    read = importlib.import_module(f"analysis.datasets.{reader}").read
    read({"data": data}, out, scratch=out, progress=silent, max_excluded=1.0, **settings, **own)
    records = pd.read_csv(out / "records.csv", keep_default_na=False)
    excluded = pd.read_csv(out / "excluded.csv", keep_default_na=False)
    stems = records["image_id"].map(lambda name: Path(name).stem)
    assert sorted(stems) == sorted(
        f"{name} {folder}".replace("\n", "\\x0a") for name in NAMES for folder in CLASSES.values()
    )
    assert records["label"].value_counts().to_dict() == dict.fromkeys(CLASSES, len(NAMES))
    told = {Path(row.file).stem: (row.reason, row.detail) for row in excluded.itertuples()}
    assert {name: reason for name, (reason, _) in told.items()} == dict.fromkeys(BAD, UNDECODABLE)
    assert all(BAD[name] in detail for name, (_, detail) in told.items()), told

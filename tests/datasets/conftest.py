import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.datasets import v7
from analysis.datasets.sample import v7_sample
from analysis.progress import silent

CLASSES = [
    {"id": "bacterial", "label": "Bacterial Pneumonia"},
    {"id": "covid_19", "label": "COVID-19"},
    {"id": "healthy", "label": "No Pneumonia (healthy)"},
    {"id": "viral", "label": "Viral Pneumonia"},
]


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not root.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the real X-rays are not at {root}")
        pytest.skip("the real X-rays are not beside the project")
    return root


@pytest.fixture
def case(real_data: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes the input of one of ``../shared/cases`` and returns its folder."""

    def make(name: str) -> Path:
        out = tmp_path / name
        out.mkdir()
        subprocess.run([sys.executable, real_data.parent / "cases" / name / "make.py", out], check=True)
        return out

    return make


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample")
    v7_sample.write({}, out, scratch=out, progress=silent, pictures=80, seed=7)
    return out


@pytest.fixture(scope="session")
def real_v7(real_data: Path, once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """Return what the reader makes of the real dataset of the assignment."""

    def read(out: Path) -> None:
        params = {"classes": CLASSES, "label_rule": "covid-first", "exclude": [], "max_excluded": 0.05}
        v7.read({"data": real_data / "v7"}, out, scratch=out, progress=silent, **params)

    return once("real-v7", read)


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    def make(seed: int = 0, width: int = 40, height: int = 30, **options: Any) -> bytes:
        pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
        buffer = BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", **options)
        return buffer.getvalue()

    return make


class Dataset:
    """A small V7 folder that a test fills, and what the reader makes of it."""

    def __init__(self, root: Path, out: Path, jpeg: Callable[..., bytes]) -> None:
        self.root, self.out, self.jpeg = root, out, jpeg
        self.count = 0

    def image(self, path: str, data: bytes | None = None) -> None:
        self.count += 1
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.jpeg(self.count) if data is None else data)

    def annotate(self, name: str, *tags: str, file: str = "") -> None:
        target = self.root / (file or f"releases/all/annotations/{name}.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        polygon = {"name": "Lung", "polygon": {"path": [{"x": 1, "y": 2}]}}
        image = {"width": 400, "height": 300, "filename": "00000001.jpg", "original_filename": name}
        annotations = [polygon, *({"name": tag, "tag": {}} for tag in tags)]
        target.write_text(json.dumps({"image": image, "annotations": annotations}), encoding="utf-8")

    def item(self, file: str, name: str, *tags: str, path: str = "/", sources: Sequence[str] = ()) -> None:
        """Write an annotation of Darwin JSON 2.0; of several ``sources`` each lies in a slot of its own."""
        slots = [
            {"slot_name": str(number), "source_files": [{"file_name": source}]}
            for number, source in enumerate(sources or (name,))
        ]
        annotations = [{"name": tag, "tag": {}} for tag in tags]
        content = {"item": {"name": name, "path": path, "slots": slots}, "annotations": annotations}
        target = self.root / "releases" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps({"version": "2.0", **content}), encoding="utf-8")

    def add(self, name: str, *tags: str) -> None:
        self.image(f"images/{name}")
        self.annotate(name, *tags)

    def read(self, **options: Any) -> pd.DataFrame:
        params = {"classes": CLASSES, "label_rule": "covid-first", "exclude": [], "max_excluded": 0.9}
        self.out.mkdir(exist_ok=True)
        v7.read({"data": self.root}, self.out, scratch=self.out, progress=silent, **(params | options))
        return pd.read_csv(self.out / "records.csv")

    def excluded(self) -> dict[str, str]:
        table = pd.read_csv(self.out / "excluded.csv")
        assert table["file"].is_unique
        return dict(zip(table["file"], table["reason"], strict=True))


@pytest.fixture
def dataset(tmp_path: Path, jpeg: Callable[..., bytes]) -> Dataset:
    (tmp_path / "data").mkdir()
    return Dataset(tmp_path / "data", tmp_path / "out", jpeg)

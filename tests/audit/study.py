"""Made-up records and images, with what the audit is to find planted in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.progress import silent

CLASSES = ("healthy", "viral")
COLUMNS = (
    *("image_id", "label", "patient_id", "source", "width", "height", "mode"),
    *("original_width", "original_height", "sha256", "tags", "official"),
)


@dataclass
class Study:
    """The folders of the stages ``read`` and ``images``, and of one that audits them."""

    root: Path

    @property
    def inputs(self) -> dict[str, Path]:
        return {"records": self.root / "read", "images": self.root / "images"}

    def write(self, records: pd.DataFrame, images: np.ndarray | None = None) -> None:
        for folder in self.inputs.values():
            folder.mkdir(exist_ok=True)
        records.to_csv(self.root / "read" / "records.csv", index=False)
        if images is not None:
            np.save(self.root / "images" / "images.npy", images)

    def run(self, stage: Callable[..., None], more: dict[str, Path] | None = None, **params: Any) -> Path:
        """Run a stage, and return the folder that it has written."""
        out = self.root / f"audit.{stage.__name__}"
        out.mkdir()
        stage({**self.inputs, **(more or {})}, out, scratch=self.root, progress=silent, **params)
        return out


def draw_records(n: int, seed: int = 0, **columns: object) -> pd.DataFrame:
    """Return records of ``n`` images, two of each patient, whose classes have nothing to do with the other columns."""
    rng = np.random.default_rng(seed)
    patient = np.arange(n) // 2
    of_patient = {
        "label": rng.choice(CLASSES, n),
        "sex": rng.choice(["F", "M"], n),
        "age": rng.integers(1, 90, n),
        "view": rng.choice(["PA", "AP"], n),
    }
    known = {name: values[patient] for name, values in of_patient.items()}
    rows = zip(known["age"], known["sex"], known["view"], strict=True)
    table = pd.DataFrame("", range(n), list(COLUMNS)).assign(
        image_id=[f"images/{i}.png" for i in range(n)],
        label=known["label"],
        patient_id=[f"p{g}" for g in patient],
        source="cohen",
        width=rng.integers(200, 400, n).astype(str),
        height=rng.integers(200, 400, n).astype(str),
        mode="L",
        tags=[f"Age:{age}|Sex/{sex}|View/{view}" for age, sex, view in rows],
    )
    return table.assign(**columns)


def draw_images(n: int, seed: int = 0, size: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size)).astype(np.uint8)


def read(out: Path, name: str = "results") -> Any:
    return json.loads((out / f"{name}.json").read_text())

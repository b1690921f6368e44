"""Images and tables of labels that a test writes, and what the reader makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.datasets import table
from analysis.datasets.checks import data_check
from analysis.progress import silent

TWO = [{"id": "normal", "label": "No Finding"}, {"id": "pneumonia", "label": "Pneumonia"}]


PLAIN = {"file": "filename", "label": "label"}


class Labelled:
    """Images and tables that a test writes, and what the reader makes of them."""

    def __init__(self, root: Path, out: Path, jpeg: Callable[..., bytes]) -> None:
        self.root, self.out, self.jpeg = root, out, jpeg
        self.count = 0

    def add(self, *paths: str) -> None:
        for path in paths:
            self.count += 1
            self.write(path, self.jpeg(self.count))

    def write(self, path: str, content: bytes | str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, **options: Any) -> pd.DataFrame:
        settings = {
            "classes": TWO,
            "table": "labels.csv",
            "columns": PLAIN,
            "values": {},
            "several": "leave-out",
            "uncertain": "leave-out",
            "exclude": [],
            "max_excluded": 0.9,
        }
        self.out.mkdir(exist_ok=True)
        table.read({"data": self.root}, self.out, scratch=self.out, progress=silent, **(settings | options))
        return pd.read_csv(self.out / "records.csv", keep_default_na=False).set_index("image_id")

    def labels(self, **options: Any) -> dict[str, str]:
        return self.read(**options)["label"].to_dict()

    def excluded(self) -> dict[str, tuple[str, str]]:
        found = pd.read_csv(self.out / "excluded.csv", keep_default_na=False)
        assert found["file"].is_unique
        return {file: (reason, detail) for file, reason, detail in found.itertuples(index=False)}

    def tell(self, settings: dict[str, Any] | None = None) -> dict[str, Any]:
        self.out.mkdir(exist_ok=True)
        data_check.check({"data": self.root}, self.out, scratch=self.out, progress=silent, settings=settings)
        found: dict[str, Any] = json.loads((self.out / "data_check.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def data(tmp_path: Path, jpeg: Callable[..., bytes]) -> Labelled:
    (tmp_path / "data").mkdir()
    return Labelled(tmp_path / "data", tmp_path / "out", jpeg)


NIH = {"file": "Image Index", "label": "Finding Labels", "patient": "Patient ID", "view": "View Position"}


def nih(data: Labelled) -> None:
    lines = ["Image Index,Finding Labels,Follow-up #,Patient ID,View Position,Size[Width,Height],"]
    for k, label in enumerate(("No Finding", "Effusion", "Pneumonia", "Effusion|Pneumonia", "Mass")):
        data.add(f"images_00{k % 2 + 1}/images/0000000{k // 2}_00{k}.png")
        lines.append(f"0000000{k // 2}_00{k}.png,{label},0,{k // 2},PA,48,48,")
    data.write("Data_Entry_2017.csv", "\n".join(lines) + "\n")


THREE = [*TWO, {"id": "effusion", "label": "Effusion"}]


def chexpert(data: Labelled) -> dict[str, Any]:
    rows = {"1": "1.0,,", "2": ",1.0,", "3": ",-1.0,", "4": ",,1.0", "5": ",0.0,-1.0", "6": "1.0,,-1.0"}
    lines = ["Path,Sex,Frontal/Lateral,No Finding,Pneumonia,Edema"]
    for patient, cells in rows.items():
        path = f"train/patient0000{patient}/study1/view1_frontal.jpg"
        data.add(path)
        lines.append(f"CheXpert-v1.0-small/{path},Male,Frontal,{cells}")
    data.add("train/patient00001/study1/view2_lateral.jpg")
    lines.append("CheXpert-v1.0-small/train/patient00001/study1/view2_lateral.jpg,Male,Lateral,,1.0,")
    data.write("train.csv", "\n".join(lines))
    columns = {"file": "Path", "label": ["No Finding", "Pneumonia", "Edema"], "view": "Frontal/Lateral"}
    return {"table": "train.csv", "columns": columns}

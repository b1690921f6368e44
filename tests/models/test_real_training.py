"""The improved network on 64 real X-rays, at full size."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.models import architecture
from analysis.progress import silent

V7 = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "v7"
TAGS = {"COVID-19": "covid_19", "Bacterial Pneumonia": "bacterial", "No Pneumonia (healthy)": "healthy"}
CLASSES = ["bacterial", "covid_19", "healthy", "viral"]


def labelled() -> dict[Path, str]:
    """Return 16 pictures of each class, the first by name."""
    pictures = {p.stem: p for p in sorted((V7 / "images").iterdir())}
    found: dict[str, list[Path]] = {c: [] for c in CLASSES}
    for path in sorted((V7 / "releases/all-images/annotations").iterdir()):
        annotation = json.loads(path.read_bytes())
        tags = {a["name"] for a in annotation["annotations"]}
        label = next((c for tag, c in TAGS.items() if tag in tags), "viral")
        picture = pictures.get(Path(annotation["image"]["original_filename"]).stem)
        if picture and len(found[label]) < 16:
            found[label].append(picture)
        if all(len(paths) == 16 for paths in found.values()):
            break
    return {path: label for label, paths in found.items() for path in paths}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if not V7.exists():
        assert os.environ.get("CI") != "true", f"{V7} is missing"
        pytest.skip("no real X-rays beside the project")
    folder = tmp_path_factory.mktemp("real")
    pictures = labelled()
    levels = [
        np.asarray(Image.open(io.BytesIO(p.read_bytes())).convert("L").resize((156, 156))) for p in pictures
    ]
    np.save(folder / "images.npy", np.stack(levels))
    ids = [f"images/{p.name}" for p in pictures]
    pd.DataFrame({"image_id": ids, "label": list(pictures.values()), "patient_id": ""}).to_csv(
        folder / "records.csv", index=False
    )
    split = np.array(["train", "train", "val", "test"])[np.arange(len(ids)) % 4]
    pd.DataFrame({"image_id": ids, "split": split, "fold": ""}).to_csv(folder / "split.csv", index=False)
    return dict.fromkeys(("records", "images", "split", "architecture"), folder)


@pytest.mark.real
def test_one_epoch_on_real_pictures(
    real: dict[str, Path],
    recipe: dict[str, Any],
    train: Callable[..., Path],
    predict: Callable[..., Path],
    tmp_path: Path,
) -> None:
    architecture.describe(
        {},
        real["architecture"],
        scratch=tmp_path,
        progress=silent,
        architecture="analysis.models.assignment:improved",
        params={},
        size=156,
        channels=3,
        classes=4,
    )
    changes = {"classes": CLASSES, "epochs": 1, "batch_size": 16, "learning_rate": 0.001}
    out = train(real, tmp_path, {**recipe, **changes})
    assert json.loads((out / "training.json").read_text())["steps_per_epoch"] == 2
    table = pd.read_csv(predict(real, out, tmp_path / "predicted", CLASSES))
    assert len(table) == 32
    assert list(table["y_true"].value_counts()) == [8, 8, 8, 8]
    np.testing.assert_allclose(table[CLASSES].sum(axis=1), 1, rtol=1e-5)

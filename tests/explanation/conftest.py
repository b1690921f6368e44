"""A small trained network with its predictions, and the folder of its data, some of which has lung masks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.models.conftest import CLASSES, RECIPE, SIZE, predict, train, write_architecture, write_pictures

MASKED = 3
"""So many test images have a mask: their left half."""


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the inputs of the stage on one network, ``net``."""
    root = tmp_path_factory.mktemp("explained")
    folders = write_pictures(root / "prepared")
    write_architecture(folders["architecture"])
    model = train(folders, root, RECIPE)
    said = predict(folders, model, root / "predicted", CLASSES).parent
    (root / "data" / "masks").mkdir(parents=True)
    split = pd.read_csv(folders["split"] / "split.csv")
    for image_id in split["image_id"][split["split"] == "test"][:MASKED]:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[:, : SIZE // 2] = 255
        (root / "data" / "masks" / Path(image_id).name).write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    del folders["architecture"]
    return {**folders, "data": root / "data", "model_net": model, "predictions_net": said}


@pytest.fixture(scope="session", name="explain")
def _explain() -> Callable[..., Path]:
    """Return a function that runs the stage and returns its folder."""

    def run(inputs: dict[str, Path], out: Path, **changes: Any) -> Path:
        from analysis.explanation import attention
        from analysis.progress import silent

        out.mkdir()
        settings = {"classes": CLASSES, "models": {"net": None}, "seed": 42, "fit": "squash", **changes}
        attention.explain(inputs, out, scratch=out, progress=silent, **settings)
        return out

    return run


@pytest.fixture(scope="session")
def explained(
    study: dict[str, Path], explain: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return explain(study, tmp_path_factory.mktemp("attention") / "out")

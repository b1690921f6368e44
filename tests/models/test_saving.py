from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import h5py


def test_saved_network_has_no_dates_and_no_optimizer(trained: Path) -> None:
    with zipfile.ZipFile(trained / "model.keras") as file:
        assert file.namelist() == sorted(file.namelist())
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(json.loads(file.read("metadata.json"))) == {"keras_version"}
        with h5py.File(io.BytesIO(file.read("model.weights.h5"))) as weights:
            assert "optimizer" not in weights
    assert json.loads((trained / "input.json").read_text()) == {
        "size": 32,
        "channels": 3,
        "scale": 1 / 255,
        "offset": 0.0,
        "pixels": "in-place",
        "fit": "squash",
        "resample": "area",
        "averaged_over": [],
    }

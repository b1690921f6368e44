"""Trains in a process of its own and, when told to, kills itself: ``train_apart.py FOLDER JOB``."""

import json
import os
import signal
import sys
from pathlib import Path

from analysis.models import prediction, training
from analysis.progress import silent


def main(folder: Path, job: dict) -> None:
    calls = 0

    def progress(done: int, total: int, unit: str, **figures: float) -> None:
        nonlocal calls
        calls += unit == "epochs"
        if calls == job["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    inputs = {name: Path(path) for name, path in job["inputs"].items()}
    for name in ("out", "scratch", "predicted"):
        (folder / name).mkdir(exist_ok=True)
    training.train(inputs, folder / "out", scratch=folder / "scratch", progress=progress, **job["recipe"])
    prediction.predict(
        {**inputs, "model": folder / "out"},
        folder / "predicted",
        scratch=folder / "scratch",
        progress=silent,
        classes=job["recipe"]["classes"],
        seed=job["recipe"]["seed"],
        splits=["val", "test"],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

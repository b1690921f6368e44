"""The whole real assignment, and the notebook's way for its two trainings alone: once each, hours together.

``python -m benchmarks.whole_assignment DATA [bfloat16]``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import harness

SIZE, CLASSES = 156, 4


def notebook(records: Path, data: Path) -> Callable[[], None]:
    """Return the work of reading the images and training both models, as a notebook does it."""

    def run() -> None:
        import keras
        import numpy as np
        import pandas as pd
        from PIL import Image
        from sklearn.model_selection import train_test_split

        from analysis.models import assignment

        table = pd.read_csv(records)
        paths = [data / name for name in table["image_id"]]
        x: Any = np.array([np.array(Image.open(p).convert("RGB").resize((SIZE, SIZE))) for p in paths])
        x = x.astype("float32") / 255
        y: Any = keras.utils.to_categorical(pd.factorize(table["label"], sort=True)[0])
        x, _, y, _ = train_test_split(x, y, test_size=0.2, stratify=y, random_state=42)
        x, x_val, y, y_val = train_test_split(x, y, test_size=0.2, stratify=y, random_state=42)
        stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
        _fit(assignment.baseline, x, y, epochs=10, validation_data=(x_val, y_val))
        most = y.sum(axis=0).max()
        rows = np.concatenate([np.resize(np.flatnonzero(y[:, k]), int(most)) for k in range(CLASSES)])
        moved = keras.Sequential(
            [keras.layers.RandomFlip("horizontal"), keras.layers.RandomTranslation(0.12, 0.12)]
        )

        def improved(**shape: int) -> keras.Model:
            inputs = keras.Input((SIZE, SIZE, 3))
            return keras.Model(inputs, assignment.improved(**shape)(moved(inputs)))

        _fit(improved, x[rows], y[rows], epochs=50, validation_data=(x_val, y_val), callbacks=[stop])

    return run


def _fit(network: Callable[..., Any], x: Any, y: Any, **given: Any) -> None:
    model = network(size=SIZE, channels=3, classes=CLASSES)
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=32, verbose=2, **given)


def main() -> None:
    """Build the report with a cold cache, then train as a notebook does, on the same images."""
    data, precision = Path(sys.argv[1]), (sys.argv[2:] or ["float32"])[0]
    with tempfile.TemporaryDirectory() as name:
        cache, out = Path(name, "cache"), Path(name, "out")
        words = ("-m", "report", "build", "assignment", "--data", data, "--cache", cache, "--out", out)
        chosen = "--set", f'training.precision="{precision}"'
        ours, _ = harness.measure(harness.python(*words, *chosen))
        run = json.loads((out / "run.json").read_text(encoding="utf-8"))
        records = next(iter((out / "predictions").rglob("records.csv")))
        theirs, _ = harness.measure(notebook(records, data))
    ratio, goal = ours[0] / theirs[0], 0.6 if precision == "bfloat16" else 1.1
    harness.keep(
        f"whole_assignment_{precision}",
        work=f"the whole real assignment, both models, both analyses, {precision}",
        goal=f"under {goal} of the notebook's two trainings alone",
        reached=f"{ratio:.2f} of it in CPU",
        met=ratio < goal,
        timings={
            "ours": harness.Timing([ours[0]], [ours[1]]),
            "the notebook's way": harness.Timing([theirs[0]], [theirs[1]]),
        },
        notes=[f"{len(run)} entries in run.json. The second analysis trains both models again."],
    )


if __name__ == "__main__":
    main()

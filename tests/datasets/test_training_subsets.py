"""Parts of the training images: nested, of whole patients, and as large as asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import training_subsets
from analysis.errors import DataError
from analysis.progress import silent

CLASSES = ["common", "rare"]


def write(root: Path, patients: int = 200) -> dict[str, Path]:
    """Write one to four images of each patient, every fifth patient with the rare class, and one class for each image."""
    rng = np.random.default_rng(3)
    rows = [
        {"image_id": f"{p}-{k}.png", "patient_id": f"p{p}", "label": CLASSES[p % 5 == 0]}
        for p in range(patients)
        for k in range(rng.integers(1, 5))
    ]
    table = pd.DataFrame(rows)
    table.loc[table.index[-10:], "patient_id"] = ""
    split = rng.choice(["train", "train", "train", "val", "test"], len(table))
    inputs = {name: root / name for name in ("records", "split")}
    for folder in inputs.values():
        folder.mkdir()
    table.to_csv(inputs["records"] / "records.csv", index=False)
    table[["image_id"]].assign(split=split, fold="").to_csv(inputs["split"] / "split.csv", index=False)
    return inputs


def draw(inputs: dict[str, Path], out: Path, share: float, seed: int) -> pd.DataFrame:
    out.mkdir(exist_ok=True)
    training_subsets.draw(inputs, out, scratch=out, progress=silent, share=share, seed=seed, classes=CLASSES)
    drawn = pd.read_csv(out / "split.csv", keep_default_na=False)
    records = pd.read_csv(inputs["records"] / "records.csv", keep_default_na=False)
    return drawn.assign(patient_id=records["patient_id"], label=records["label"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_part_has_its_share_of_each_class_and_is_within_a_larger_one(tmp_path: Path, seed: int) -> None:
    inputs = write(tmp_path)
    whole = pd.read_csv(inputs["split"] / "split.csv")
    small, large = (draw(inputs, tmp_path / "out", share, seed) for share in (0.25, 0.5))
    for part, share in ((small, 0.25), (large, 0.5)):
        assert (part["image_id"] == whole["image_id"]).all()
        others = whole["split"] != "train"
        assert (part["split"][others] == whole["split"][others]).all()
        assert set(part["split"][~others]) == {"train", ""}
        for name in CLASSES:
            mine = (part["label"] == name) & ~others
            assert (part["split"][mine] == "train").sum() == pytest.approx(share * mine.sum(), abs=4)
        known = part[~others & (part["patient_id"] != "")]
        assert known.groupby("patient_id")["split"].nunique().max() == 1
    kept = [set(part["image_id"][part["split"] == "train"]) for part in (small, large)]
    assert kept[0] < kept[1]


def test_seeds_draw_other_patients_and_the_same_ones_again(tmp_path: Path) -> None:
    inputs = write(tmp_path)
    first, again, other = (draw(inputs, tmp_path / "out", 0.5, seed)["split"] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_strata_of_one_patient_are_drawn_as_often_as_their_share() -> None:
    train = pd.DataFrame(
        [{"image_id": f"{k}", "patient_id": "one", "label": f"c{k}"} for k in range(2)]
        + [{"image_id": f"x{k}", "patient_id": f"p{k}", "label": "c0"} for k in range(50)]
    )
    drawn = [training_subsets.place_patients(train, seed)[0] <= 0.25 for seed in range(400)]
    assert np.mean(drawn) == pytest.approx(0.25, abs=0.07)


def test_a_class_without_a_training_image_is_refused(tmp_path: Path) -> None:
    inputs = write(tmp_path, patients=12)
    with pytest.raises(DataError, match=r"1 % of the training images have none of common, rare"):
        draw(inputs, tmp_path / "out", 0.01, 1)

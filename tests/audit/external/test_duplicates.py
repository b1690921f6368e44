"""External images that the study has too are found by what the networks see."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from analysis.audit.external.duplicates import find
from analysis.audit.external.facts import read_duplicates
from analysis.datasets.images.decode import decode
from analysis.datasets.sample import phantom
from analysis.datasets.sample.v7_sample import jpeg
from analysis.errors import DataError
from analysis.preparation import fit_square, square
from analysis.progress import silent


def write(root: Path, name: str, levels, ids) -> dict[str, Path]:
    folder = root / name
    folder.mkdir()
    pd.DataFrame({"image_id": ids}).to_csv(folder / "records.csv", index=False)
    splits = [("train", "val", "test")[place % 3] for place in range(len(ids))]
    pd.DataFrame({"image_id": ids, "split": splits}).to_csv(folder / "split.csv", index=False)
    np.save(folder / "images.npy", np.asarray(levels, np.uint8))
    return folder


def look(tmp_path: Path, own: Path, known: Path) -> pd.DataFrame:
    inputs = {
        "records": own,
        "images": own,
        "study_records": known,
        "study_images": known,
        "study_split": known,
    }
    find(inputs, tmp_path, scratch=tmp_path, progress=silent)
    return read_duplicates(tmp_path)


def test_equal_images_are_found_under_other_names_and_others_are_not(tmp_path):
    levels = np.random.default_rng(1).integers(0, 256, (4, 16, 16))
    own = write(tmp_path, "own", [levels[2], levels[3], levels[0]], ["x", "y", "z"])
    found = look(tmp_path, own, write(tmp_path, "known", levels[:3], ["a", "b", "c"]))
    assert [*found.itertuples(index=False, name=None)] == [
        ("x", "c", "test", "exact", "1.0"),
        ("z", "a", "train", "exact", "1.0"),
    ]


@pytest.mark.parametrize("size", [64, 156])
def test_an_x_ray_in_another_resolution_and_compression_is_found_too(tmp_path, size):
    chests = [draw_chest(seed) for seed in range(9)]
    changed = decode(
        jpeg(cv2.resize(chests[1], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)[5:, 5:], quality=50)
    )
    known = [fit_square(pixels, size, "squash") for pixels in chests[:3]]
    own = [fit_square(pixels, size, "squash") for pixels in (*chests[3:], changed.pixels, chests[2])]
    found = look(
        tmp_path, write(tmp_path, "own", own, list("qrstuvwx")), write(tmp_path, "known", known, list("abc"))
    )
    assert found[["image_id", "study_image_id", "split", "how"]].to_numpy().tolist() == [
        ["w", "b", "val", "near"],
        ["x", "c", "test", "exact"],
    ]
    assert 0.9 < float(found["score"].iloc[0]) < 1


def draw_chest(seed):
    rng = np.random.default_rng(seed)
    return phantom.draw_chest(phantom.VIRAL, phantom.draw_anatomy(rng), rng, width=260, height=220).pixels


def test_of_several_copies_the_one_trained_on_is_named_and_one_left_out_of_the_split_is_not(tmp_path):
    levels = np.random.default_rng(1).integers(0, 256, (2, 16, 16))
    known = write(tmp_path, "known", [levels[0], levels[0], levels[0], levels[1]], list("abcd"))
    (known / "split.csv").write_text("image_id,split\nb,test\nc,train\n")
    found = look(tmp_path, write(tmp_path, "own", levels, ["x", "y"]), known)
    assert found[["study_image_id", "split"]].to_numpy().tolist() == [["c", "train"], ["d", ""]]


def test_what_a_network_has_learnt_first_is_no_test_of_it_either(tmp_path):
    levels = np.random.default_rng(1).integers(0, 256, (3, 16, 16))
    own, known = write(tmp_path, "own", levels, list("xyz")), write(tmp_path, "known", levels[:1], ["a"])
    first = write(tmp_path, "first", levels[1:2], ["b"])
    inputs = {"records": own, "images": own, "first_records": first, "first_images": first}
    study = dict.fromkeys(("study_records", "study_images", "study_split"), known)
    find({**inputs, **study}, tmp_path, scratch=tmp_path, progress=silent)
    found = read_duplicates(tmp_path)[["image_id", "study_image_id", "split"]]
    assert found.to_numpy().tolist() == [["x", "a", "train"], ["y", "b", ""]]


def test_files_are_taken_by_themselves_too(tmp_path):
    levels = np.zeros((1, 16, 16))
    own, known = write(tmp_path, "own", levels, ["x"]), write(tmp_path, "known", levels, ["a"])
    inputs = {
        "records": own,
        "images": own,
        "study_records": known / "records.csv",
        "study_images": known / "images.npy",
        "study_split": known / "split.csv",
    }
    find(inputs, tmp_path, scratch=tmp_path, progress=silent)
    assert len(read_duplicates(tmp_path)) == 1


def test_images_of_another_size_are_refused(tmp_path):
    own = write(tmp_path, "own", np.zeros((1, 16, 16)), ["x"])
    with pytest.raises(DataError, match="16 px, those of the study 8 px"):
        look(tmp_path, own, write(tmp_path, "known", np.zeros((1, 8, 8)), ["a"]))


@pytest.mark.real
def test_originals_of_images_of_the_study_are_found_among_others(tmp_path, real_data):
    """Of the reduced paediatric images and their originals each is found, and no other two are taken for one."""
    folders = [real_data / name / "chest_xray/test" for name in ("kermany", "kermany_fullres_subset")]
    names = sorted(path.relative_to(folders[1]).as_posix() for path in folders[1].rglob("*.jpeg"))[::4]
    others = sorted(path.relative_to(folders[0]).as_posix() for path in folders[0].rglob("*.jpeg"))
    study = [*names, *(name for name in others if name not in names)][:120]
    levels = [
        [square((folder / name).read_bytes(), 156, "squash", "area") for name in of]
        for folder, of in zip(folders, (study, names), strict=True)
    ]
    own, known = (tmp_path / name for name in ("own", "known"))
    for folder, images, ids in ((known, levels[0], study), (own, levels[1], names)):
        folder.mkdir()
        np.save(folder / "images.npy", np.stack(images))
        pd.DataFrame({"image_id": ids, "split": "train"}).to_csv(folder / "records.csv", index=False)
        pd.DataFrame({"image_id": ids, "split": "train"}).to_csv(folder / "split.csv", index=False)
    found = look(tmp_path, own, known)
    assert found["image_id"].tolist() == found["study_image_id"].tolist() == names
    assert set(found["how"]) == {"near"}

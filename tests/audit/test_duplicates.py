"""Exact and near duplicates among generated X-rays, of which the test knows every copy."""

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.audit import duplicates, leaks
from analysis.audit.near_pairs import find_near_pairs, find_near_pairs_between, join
from analysis.audit.registration import thumbnail
from analysis.datasets.images.decode import Grey, decode
from analysis.datasets.sample import phantom
from analysis.errors import DataError
from analysis.progress import silent
from analysis.vocabulary.audit import duplicate_results, leak_results

SIZE = 200


@pytest.fixture(scope="module")
def chests() -> list[Grey]:
    rng = np.random.default_rng(3)
    kinds = (phantom.HEALTHY, phantom.BACTERIAL, phantom.VIRAL, phantom.COVID_19)
    return [
        phantom.draw_chest(kinds[k % 4], phantom.draw_anatomy(rng), rng, width=SIZE, height=SIZE).pixels
        for k in range(12)
    ]


def encoded(pixels: Grey, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def compressed(pixels: Grey, quality: int) -> Grey:
    return decode(encoded(pixels, "JPEG", quality=quality)).pixels


def turned(pixels: Grey, degrees: float) -> Grey:
    middle = ((SIZE - 1) / 2, (SIZE - 1) / 2)
    return np.asarray(
        cv2.warpAffine(pixels, cv2.getRotationMatrix2D(middle, degrees, 1), (SIZE, SIZE)), np.uint8
    )


def shrunk(pixels: Grey) -> Grey:
    return np.asarray(cv2.resize(pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)


COPIES = {
    "quality 50": lambda pixels: compressed(pixels, 50),
    "quality 75": lambda pixels: compressed(pixels, 75),
    "turned by 2 degrees": lambda pixels: turned(pixels, 2),
    "60 % of the size": shrunk,
    "5 % of two sides cut off": lambda pixels: pixels[10:, :-10],
    "5 % of four sides cut off": lambda pixels: pixels[10:-10, 10:-10],
    "all at once": lambda pixels: compressed(shrunk(turned(pixels, -2)[:-6, 4:-6]), 75),
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_changed_copy_is_found_and_no_other_image(chests: list[Grey], kind: str) -> None:
    changed = [COPIES[kind](pixels) for pixels in chests[:3]]
    pairs = find_near_pairs(np.stack([thumbnail(p) for p in (*chests, *changed)]), silent)
    assert [(a, b) for a, b, _ in pairs] == [(0, 12), (1, 13), (2, 14)]
    between = find_near_pairs_between(
        np.stack([thumbnail(p) for p in chests]), np.stack([thumbnail(p) for p in changed]), silent
    )
    assert [(a, b) for a, b, _ in between] == [(0, 0), (1, 1), (2, 2)]


def test_every_pair_of_several_copies_is_found(chests: list[Grey]) -> None:
    copies = [chests[0], *(compressed(chests[0], quality) for quality in (30, 40, 50, 60, 70, 80))]
    pairs = find_near_pairs(np.stack([thumbnail(p) for p in (*copies, *chests[1:])]), silent)
    assert [(a, b) for a, b, _ in pairs] == [(a, b) for a in range(7) for b in range(a + 1, 7)]


def test_few_or_flat_images_have_no_pairs(chests: list[Grey]) -> None:
    none = np.zeros((0, 128, 128), np.uint8)
    assert find_near_pairs(none, silent) == find_near_pairs(thumbnail(chests[0])[None], silent) == []
    assert (
        find_near_pairs(np.stack([np.full((128, 128), level, np.uint8) for level in (0, 90, 255)]), silent)
        == []
    )


def test_what_is_joined_by_pairs_is_one_group() -> None:
    assert join([(4, 5), (1, 2), (7, 2), (5, 6), (3, 1)]) == [[1, 2, 3, 7], [4, 5, 6]]


@pytest.fixture
def study(tmp_path: Path, chests: list[Grey]) -> dict[str, Path]:
    """Return the inputs of a study in which copies go across labels, patients and splits."""
    files = {
        "a.png": (encoded(chests[0], "PNG"), "ill", "p1", "train"),
        "b.bmp": (encoded(chests[0], "BMP"), "ill", "p1", "test"),
        "c.jpg": (encoded(chests[1], "JPEG", quality=90), "ill", "p2", "train"),
        "d, copy.jpg": (encoded(chests[1], "JPEG", quality=50), "well", "p3", "val"),
        **{f"e{k}.png": (encoded(chests[k], "PNG"), "well", f"p{k + 10}", "train") for k in range(2, 8)},
        "f.png": (encoded(turned(chests[2], 2), "PNG"), "well", "", "test"),
    }
    (tmp_path / "data").mkdir()
    for name, (data, *_) in files.items():
        (tmp_path / "data" / name).write_bytes(data)
    rows = [
        (
            name,
            label,
            patient or f"file-{name}",
            "name" if patient else "unknown",
            hashlib.sha256(data).hexdigest(),
        )
        for name, (data, label, patient, _) in files.items()
    ]
    columns = ["image_id", "label", "patient_id", "source", "sha256"]
    (tmp_path / "records").mkdir()
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "records" / "records.csv", index=False)
    split = pd.DataFrame(
        [(name, split) for name, (*_, split) in files.items()], columns=["image_id", "split"]
    )
    (tmp_path / "split").mkdir()
    split.to_csv(tmp_path / "split" / "split.csv", index=False)
    return {name: tmp_path / name for name in ("records", "data", "split")}


def run(inputs: dict[str, Path], out: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    out.mkdir()
    duplicates.find(inputs, out, scratch=out, progress=silent)
    pairs, groups = (pd.read_csv(out / name, keep_default_na=False) for name in ("pairs.csv", "groups.csv"))
    return pairs, groups, json.loads((out / "results.json").read_text())


def test_groups_pairs_and_facts_of_a_study(study: dict[str, Path], tmp_path: Path) -> None:
    pairs, groups, facts = run(study, tmp_path / "out")
    known = pairs[["kind", "first", "second", "across_labels", "across_patients"]]
    assert sorted(known.itertuples(index=False, name=None)) == [
        ("exact", "a.png", "b.bmp", 0, 0),
        ("near", "c.jpg", "d, copy.jpg", 1, 1),
        ("near", "e2.png", "f.png", 0, 0),
    ]
    assert pairs["score"].iloc[0] == 1
    assert groups.groupby("group")["image_id"].agg(list).tolist() == [
        ["a.png", "b.bmp"],
        ["c.jpg", "d, copy.jpg"],
        ["e2.png", "f.png"],
    ]
    values = {name.removeprefix("duplicates."): fact["value"] for name, fact in facts.items()}
    assert values == {
        **{"images": 11, "groups": 3, "grouped_images": 6, "exact.groups": 1, "exact.images": 2},
        **{"near.pairs": 2, "near.images": 4, "conflicting_labels.groups": 1, "conflicting_labels.images": 2},
        **{"across_patients.groups": 1, "across_patients.images": 2},
    }
    assert set(facts) == {name for name, _ in duplicate_results()}
    found = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [(f["subject"], f["level"]) for f in found] == [
        ("conflicting_labels", "strong"),
        ("across_patients", "weak"),
        ("groups", "weak"),
    ]
    assert {name for finding in found for name in finding["results"]} <= set(facts)


def test_without_duplicates_there_is_no_finding(study: dict[str, Path], tmp_path: Path) -> None:
    records = pd.read_csv(study["records"] / "records.csv")
    alone = records[~records["image_id"].isin(["b.bmp", "d, copy.jpg", "f.png"])]
    alone.to_csv(study["records"] / "records.csv", index=False)
    pairs, groups, facts = run(study, tmp_path / "out")
    assert (len(pairs), len(groups), facts["duplicates.groups"]["value"]) == (0, 0, 0)
    assert json.loads((tmp_path / "out" / "findings.json").read_text()) == []


def test_what_is_in_two_splits(study: dict[str, Path], tmp_path: Path) -> None:
    run(study, tmp_path / "duplicates")
    out = tmp_path / "leaks"
    out.mkdir()
    leaks.find(
        {"records": study["records"], "duplicates": tmp_path / "duplicates", "split": study["split"]},
        out,
        scratch=out,
        progress=silent,
    )
    facts = json.loads((out / "results.json").read_text())
    assert {name.removeprefix("leaks."): fact["value"] for name, fact in facts.items()} == {
        **{"groups": 3, "images": 6, "val.exact_in_train": 0, "val.any_in_train": 1},
        **{"test.exact_in_train": 1, "test.any_in_train": 2, "test.exact_in_val": 0, "test.any_in_val": 0},
        **{"test.exact_in_train_or_val": 1, "test.any_in_train_or_val": 2},
        **{"val.any_of_known_patients": 0, "test.any_of_known_patients": 1},
        **dict.fromkeys(
            (f"left_out.{of}" for of in ("train", "val", "test", "copy", "conflicting_labels")), 0
        ),
    }
    assert set(facts) == {name for name, _ in leak_results()}
    pairs = pd.read_csv(out / "leaking_pairs.csv")
    assert sorted(zip(pairs["first"], pairs["split_first"], pairs["split_second"], strict=True)) == [
        ("a.png", "train", "test"),
        ("c.jpg", "train", "val"),
        ("e2.png", "train", "test"),
    ]
    found = json.loads((out / "findings.json").read_text())
    assert [(f["subject"], f["level"]) for f in found] == [("val", "strong"), ("test", "strong")]


def test_an_image_that_is_in_two_splits_by_its_labels_leaks_too(
    study: dict[str, Path], tmp_path: Path
) -> None:
    run(study, tmp_path / "duplicates")
    path = study["split"] / "split.csv"
    split = pd.read_csv(path)
    split["split"] = "train"
    pd.concat([split, pd.DataFrame([{"image_id": "e5.png", "split": "test"}])]).to_csv(path, index=False)
    out = tmp_path / "leaks"
    out.mkdir()
    leaks.find(
        {"records": study["records"], "duplicates": tmp_path / "duplicates", "split": study["split"]},
        out,
        scratch=out,
        progress=silent,
    )
    facts = json.loads((out / "results.json").read_text())
    assert (facts["leaks.groups"]["value"], facts["leaks.test.exact_in_train"]["value"]) == (1, 1)
    assert pd.read_csv(out / "leaks.csv")["image_id"].tolist() == ["e5.png", "e5.png"]


def test_an_image_that_has_changed_since_is_an_error(study: dict[str, Path], tmp_path: Path) -> None:
    (study["data"] / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.png has changed"):
        run(study, tmp_path / "out")


@pytest.mark.real
def test_patients_that_are_one_under_two_numbers_are_found(real_data: Path, tmp_path: Path) -> None:
    """Cohen's patients 97 and 178 are the same four X-rays, and 78 and 201 share one."""
    data = real_data / "covid19"
    known = pd.read_csv(data / "metadata.csv", dtype=str, keep_default_na=False).sort_values("filename")
    known = known[known["patientid"].isin(["97", "178", "78", "201", "51", "226", "46"])]
    records = pd.DataFrame(
        {"image_id": known["filename"], "label": "covid_19", "patient_id": known["patientid"]}
    )
    records["sha256"] = [
        hashlib.sha256((data / name).read_bytes()).hexdigest() for name in records["image_id"]
    ]
    (tmp_path / "records").mkdir()
    records.to_csv(tmp_path / "records" / "records.csv", index=False)
    pairs, _, _ = run({"records": tmp_path / "records", "data": data}, tmp_path / "out")
    across = pairs[pairs["across_patients"] == 1]
    found = [
        (kind, *sorted(both))
        for kind, *both in zip(
            *(across[c] for c in ("kind", "patient_id_first", "patient_id_second")), strict=True
        )
    ]
    assert sorted(found) == [("exact", 78, 201), *[("near", 97, 178)] * 4]

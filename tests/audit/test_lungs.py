from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from analysis.audit import lungs
from analysis.audit.lung_masks import find_masks, square_masks
from analysis.datasets.checks import data_check
from analysis.errors import DataError
from analysis.preparation import prepare
from analysis.progress import silent
from tests.audit.study import CLASSES, draw_images, draw_records, read

MASK = np.zeros((32, 32), bool)
MASK[8:20, 6:12] = MASK[8:20, 18:26] = True


@pytest.fixture
def masked(study):
    """Write 80 images whose lungs tell the class, with masks of all but those named."""

    def write(*without: str) -> dict:
        records, images = draw_records(80), draw_images(80)
        viral = (records["label"] == "viral").to_numpy()
        images[np.ix_(viral, range(8, 20), range(6, 26))] //= 2
        study.write(records, images)
        data = study.root / "data"
        (data / "masks").mkdir(parents=True)
        (data / "images").mkdir()
        for i, (name, image) in enumerate(zip(records["image_id"], images, strict=True)):
            Image.fromarray(image).save(data / name)
            if records["label"][i] not in without:
                Image.fromarray(MASK.astype(np.uint8) * 255).save(data / "masks" / f"{i}.png")
        return {"data": data}

    return write


def test_what_the_lungs_tell_is_gone_when_they_are_blanked(study, masked):
    out = study.run(lungs.lungs, masked(), classes=CLASSES, fit="squash")
    results = read(out)
    assert results["probes.lungs_only.auroc.macro"]["value"] > 0.9
    assert results["probes.lungs_blanked.auroc.macro"]["low"] < 0.6
    assert [f["subject"] for f in read(out, "findings")] == ["lungs_only"]


def test_masks_of_one_class_alone_are_refused_with_the_reason(study, masked):
    with pytest.raises(
        DataError, match=r"a lung mask is known of 0 of \d+ images of viral, and every class needs 95%"
    ):
        study.run(lungs.lungs, masked("viral"), classes=CLASSES, fit="squash")


def test_the_rectangle_is_dilated_and_the_lungs_alone_are_kept():
    image = np.full((32, 32), 200, np.uint8)
    blanked, kept = lungs.blank_lungs(image, MASK), lungs.keep_lungs(image, MASK)
    assert np.argwhere(blanked == 0).min(axis=0).tolist() == [
        7,
        4,
    ]  # 12 rows and 20 columns, a tenth more on each side
    assert np.argwhere(blanked == 0).max(axis=0).tolist() == [20, 27]
    assert np.array_equal(kept == 200, MASK)


def square(left: int) -> list[dict]:
    return [{"x": left + x, "y": 50 + y} for x, y in ((0, 0), (100, 0), (100, 200), (0, 200))]


@pytest.mark.parametrize(
    "content",
    [
        {
            "image": {"original_filename": "7.jpg", "width": 400, "height": 300},
            "annotations": [
                {"name": "Lung", "polygon": {"path": square(50)}},
                {"name": "Lung", "complex_polygon": {"path": [square(250)]}},
                {"name": "Heart", "polygon": {"path": square(150)}},
                {"name": "COVID-19", "tag": {}},
            ],
        },
        {
            "version": "2.0",
            "item": {
                "name": "7.jpg",
                "slots": [{"width": 400, "height": 300, "source_files": [{"file_name": "7.jpg"}]}],
            },
            "annotations": [{"name": "lung", "polygon": {"paths": [square(50), square(250)]}}],
        },
    ],
    ids=["1.0", "2.0"],
)
def test_polygons_are_drawn_as_the_image_was_prepared(tmp_path, content):
    (tmp_path / "7.json").write_text(json.dumps(content))
    masks = find_masks(tmp_path, ["a/7.png", "b/8.png"])
    assert set(masks) == {"a/7.png"}
    drawn, none = square_masks(masks, ["a/7.png", "b/8.png"], 40, "squash")
    assert none is None
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    assert (rows[0], rows[-1]) in {(7, 32), (7, 33)}  # of 300: 50 to 250, on 40 pixels
    edges = np.flatnonzero(np.diff(columns) > 1)
    found = np.array([columns[0], columns[edges[0]], columns[edges[0] + 1], columns[-1]])
    assert len(edges) == 1
    assert np.abs(found - [5, 15, 25, 35]).max() <= 1  # of 400: 50 to 150 and 250 to 350


def test_a_stem_that_two_images_share_has_no_polygon_and_the_mask_of_its_own_folder(tmp_path):
    content = {
        "image": {"original_filename": "1.png", "width": 40, "height": 30},
        "annotations": [{"name": "Lung", "polygon": {"path": square(0)}}],
    }
    (tmp_path / "1.json").write_text(json.dumps(content))
    assert find_masks(tmp_path, ["a/images/1.png", "b/images/1.png"]) == {}
    for folder, level in (("a", 255), ("b", 0)):
        (tmp_path / folder / "masks").mkdir(parents=True)
        Image.fromarray(np.full((4, 4), level, np.uint8)).save(tmp_path / folder / "masks" / "1.png")
    masks = find_masks(tmp_path, ["a/images/1.png", "b/images/1.png"])
    whole, empty = square_masks(masks, ["a/images/1.png", "b/images/1.png"], 8, "squash")
    assert whole.all()
    assert empty is None


@pytest.mark.real
def test_the_real_masks_are_of_covid_19_alone_so_they_are_refused(real_data):
    names = sorted(path.name for path in (real_data / "v7" / "images").iterdir())
    masks = find_masks(real_data / "v7", names)
    assert 300 < len(masks) < 430
    drawn = next(square_masks(masks, [next(iter(sorted(masks)))], 64, "squash"))
    assert 0.05 < drawn.mean() < 0.6


@pytest.mark.real
def test_real_masks_of_every_image_tell_what_is_known_beside_the_lungs(study, real_data, tmp_path):
    kermany, data = real_data / "kermany", tmp_path / "data"
    data.mkdir()
    (data / "test").symlink_to(kermany / "chest_xray" / "test")
    (data / "lung_masks").symlink_to(kermany / "v7_lung_masks")
    for folder in study.inputs.values():
        folder.mkdir(exist_ok=True)
    records, images = study.inputs["records"], study.inputs["images"]
    data_check.read({"data": data}, records, scratch=tmp_path, progress=silent, settings=None)
    inputs = {"records": records, "data": data}
    prepare(inputs, images, scratch=tmp_path, progress=silent, size=64, fit="squash", resample="area")
    found = read(study.run(lungs.lungs, inputs, classes=["normal", "pneumonia"], fit="squash"))
    # Measured: .795 (.755 to .830) without the lungs, .896 (.866 to .921) of the lungs alone.
    assert 0.7 < found["probes.lungs_blanked.auroc.macro"]["value"] < 0.85
    assert 0.85 < found["probes.lungs_only.auroc.macro"]["value"] < 0.95

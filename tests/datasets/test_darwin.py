import json

import pytest

from analysis.datasets.darwin import Annotation, parse


def data(content: object) -> bytes:
    return json.dumps(content).encode()


def test_version_1() -> None:
    content = {
        "image": {"width": 2000, "height": 1500, "filename": "0001.jpg", "original_filename": "a b.jpeg"},
        "annotated": True,
        "annotations": [
            {"name": "Lung", "polygon": {"path": [{"x": 1, "y": 2}]}},
            {"name": "Viral Pneumonia", "tag": {}},
            {"name": "Lung", "complex_polygon": {"path": [[{"x": 1, "y": 2}]]}},
            {"name": "COVID-19", "tag": {}},
        ],
    }
    assert parse(data(content)) == Annotation("a b.jpeg", 2000, 1500, ("Viral Pneumonia", "COVID-19"))


def test_version_2() -> None:
    content = {
        "version": "2.0",
        "item": {
            "name": "renamed.jpg",
            "path": "/",
            "slots": [
                {"slot_name": "0", "width": 9, "height": 8, "source_files": [{"file_name": "a.jpg"}]},
            ],
        },
        "annotations": [
            {"name": "CT", "tag": {}, "slot_names": ["0"]},
            {"name": "Lung", "polygon": {"paths": [[]]}, "slot_names": ["0"]},
        ],
    }
    assert parse(data(content)) == Annotation("a.jpg", 9, 8, ("CT",))
    content["item"] = {"name": "renamed.jpg", "path": "/"}
    assert parse(data(content)) == Annotation("renamed.jpg", None, None, ("CT",))


def test_of_an_item_with_several_pictures_the_first_is_read_with_its_own_tags() -> None:
    slots = [{"slot_name": name, "source_files": [{"file_name": f"{name}.jpg"}]} for name in ("pa", "side")]
    tags = [
        {"name": "COVID-19", "tag": {}},
        {"name": "View/PA", "tag": {}, "slot_names": ["pa"]},
        {"name": "View/Lateral", "tag": {}, "slot_names": ["side"]},
    ]
    content = {"version": "2.0", "item": {"name": "study", "slots": slots}, "annotations": tags}
    assert parse(data(content)) == Annotation("pa.jpg", None, None, ("COVID-19", "View/PA"))


def test_a_picture_is_looked_for_by_its_name_without_folders() -> None:
    image = {"original_filename": "C:\\x-rays\\a.jpg", "width": -1, "height": "tall"}
    assert parse(data({"image": image, "annotations": []})) == Annotation("a.jpg", None, None, ())


@pytest.mark.parametrize("content", [[], 3, None, {}, {"annotations": []}, {"images": [], "annotations": []}])
def test_other_json_is_no_annotation(content: object) -> None:
    assert parse(data(content)) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        data({"image": {}, "annotations": []}),
        data({"image": {"original_filename": "a"}, "annotations": None}),
    ],
)
def test_broken_annotations_are_errors(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(broken)

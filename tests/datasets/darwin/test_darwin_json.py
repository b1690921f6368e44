import json
from collections.abc import Sequence

import pytest

from analysis.datasets.darwin.darwin_json import Annotation, parse


def data(content: object) -> bytes:
    return json.dumps(content).encode()


def read(content: object) -> Annotation:
    (annotation,) = parse(data(content))
    return annotation


def item(
    name: str, *slots: dict[str, object], path: str = "/", tags: Sequence[object] = ()
) -> dict[str, object]:
    return {
        "version": "2.0",
        "item": {"name": name, "path": path, "slots": slots},
        "annotations": tags,
    }


def slot(source: str, name: str = "0") -> dict[str, object]:
    return {"slot_name": name, "width": 9, "height": 8, "source_files": [{"file_name": source}]}


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
    assert read(content) == Annotation(
        name="a b.jpeg",
        path=None,
        places=(("a b.jpeg",),),
        other="0001.jpg",
        width=2000,
        height=1500,
        tags=("Viral Pneumonia", "COVID-19"),
    )
    content["image"] = {"filename": "0001.jpg", "path": "/site a/b"}
    found = read(content)
    assert (found.name, found.path, found.width) == ("0001.jpg", ("site a", "b"), None)


def test_an_image_of_version_2_has_the_name_of_the_item_with_the_suffix_of_the_file() -> None:
    tags = [
        {"name": "CT", "tag": {}, "slot_names": ["0"]},
        {"name": "Lung", "polygon": {"paths": [[]]}, "slot_names": ["0"]},
        {"name": "X-ray", "tag": {}},
    ]
    assert read(item("renamed.jpg", slot("a.png"), path="/site_a", tags=tags)) == Annotation(
        name="renamed.jpg",
        path=("site_a",),
        places=(("renamed.png",), ("renamed.jpg",), ("renamed.jpg", "0", "a.png")),
        other="a.png",
        width=9,
        height=8,
        tags=("CT", "X-ray"),
    )
    bare = {"item": {"name": "renamed.jpg"}, "annotations": []}
    assert read(bare) == Annotation("renamed.jpg", None, (("renamed.jpg",),), "", None, None, ())
    no_suffix = read(item("1.2.840", slot("x.dcm"))).places
    assert no_suffix[:3] == (("1.2.dcm",), ("1.2.840.dcm",), ("1.2.840",))


def test_an_item_has_an_image_in_each_slot_with_the_tags_of_this_slot_and_of_the_item() -> None:
    tags = [
        {"name": "COVID-19", "tag": {}},
        {"name": "View/PA", "tag": {}, "slot_names": ["pa"]},
        {"name": "View/Lateral", "tag": {}, "slot_names": ["side"]},
    ]
    side, pa = parse(data(item("study", slot("b.jpg", "side"), slot("a.jpg", "pa"), tags=tags)))
    assert (side.name, side.tags) == ("study/side/b.jpg", ("COVID-19", "View/Lateral"))
    assert (pa.name, pa.tags) == ("study/pa/a.jpg", ("COVID-19", "View/PA"))
    assert side.places == (("study", "side", "b.jpg"), ("study", "b.jpg"))
    assert pa.places == (("study", "pa", "a.jpg"), ("study", "a.jpg"))


def test_of_a_slot_with_several_files_the_images_are_read() -> None:
    frame = slot("film.mp4") | {"source_files": [{"file_name": "film.mp4"}, {"file_name": "film_1.png"}]}
    assert read(item("film_1.png", frame)).other == "film_1.png"
    series = slot("1.dcm") | {"source_files": [{"file_name": "1.dcm"}, {"file_name": "2.dcm"}]}
    assert [a.places[0] for a in parse(data(item("ct", series)))] == [
        ("ct", "0", "1.dcm"),
        ("ct", "0", "2.dcm"),
    ]


def test_a_name_may_have_folders_in_it_as_any_system_writes_them() -> None:
    image = {"original_filename": "C:\\x-rays\\a.jpg", "width": -1, "height": "tall"}
    found = read({"image": image, "annotations": []})
    assert found.places == (("C:", "x-rays", "a.jpg"), ("C:_x-rays_a.jpg",), ("a.jpg",))
    assert (found.width, found.height) == (None, None)
    assert read(item("a.jpg", slot("a.jpg"), path="\\sites\\b")).path == ("sites", "b")


@pytest.mark.parametrize("content", [[], 3, None, {}, {"annotations": []}, {"images": [], "annotations": []}])
def test_other_json_is_no_annotation(content: object) -> None:
    assert parse(data(content)) == ()


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        data({"image": {}, "annotations": []}),
        data({"image": {"original_filename": "a"}, "annotations": None}),
        data({"image": {"original_filename": "/"}, "annotations": []}),
        data({"item": {"name": "a", "slots": []}, "annotations": None}),
        data({"item": {"slots": [{}]}, "annotations": []}),
    ],
)
def test_broken_annotations_are_errors(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(broken)

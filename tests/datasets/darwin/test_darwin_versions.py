"""The same dataset annotated in Darwin JSON 1.0, 2.0 or a mix of both gives the same records."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ANNOTATIONS = "releases/all-images/annotations"
EVERY = 12  # one annotation in so many: about 530 files, 40 of them of COVID-19


def version_2(old: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation of version 1.0 as V7 exports it today."""
    image = old["image"]
    name = image["original_filename"]
    source = {"file_name": name, "url": image.get("url")}
    slot = {"type": "image", "slot_name": "0", "width": image["width"], "height": image["height"]}
    return {
        "version": "2.0",
        "schema_ref": "https://darwin-public.s3.eu-west-1.amazonaws.com/darwin_json/2.0/schema.json",
        "item": {"name": name, "path": "/", "slots": [{**slot, "source_files": [source]}]},
        "annotations": [_annotation_2(a) for a in old["annotations"]],
    }


def _annotation_2(old: dict[str, Any]) -> dict[str, Any]:
    new = {key: value for key, value in old.items() if key not in ("polygon", "complex_polygon")}
    if "polygon" in old:
        new["polygon"] = {"paths": [old["polygon"]["path"]]}
    elif "complex_polygon" in old:
        new["polygon"] = {"paths": old["complex_polygon"]["path"]}
    return {**new, "slot_names": ["0"], "properties": []}


def copy(source: Path, target: Path, convert: Callable[[int], bool]) -> None:
    """Lay out part of the real dataset, the annotations chosen by ``convert`` in version 2.0."""
    (target / ANNOTATIONS).mkdir(parents=True)
    (target / "images").mkdir()
    images = {image.stem: image for image in (source / "images").iterdir()}
    for number, path in enumerate(sorted((source / ANNOTATIONS).glob("*.json"))[::EVERY]):
        content = json.loads(path.read_bytes())
        if image := images.get(Path(content["image"]["original_filename"]).stem):
            (target / "images" / image.name).symlink_to(image)
        written = json.dumps(version_2(content) if convert(number) else content)
        (target / ANNOTATIONS / path.name).write_text(written, encoding="utf-8")


@pytest.mark.real
def test_real_annotations_give_the_same_records_in_either_version(dataset, real_data: Path) -> None:
    choices = {"1.0": lambda n: False, "2.0": lambda n: True, "mix": lambda n: n % 2 == 0}
    found: dict[str, tuple[pd.DataFrame, str]] = {}
    for name, convert in choices.items():
        dataset.root = dataset.out.parent / name
        copy(real_data / "v7", dataset.root, convert)
        table = dataset.read()
        found[name] = table, (dataset.out / "excluded.csv").read_text(encoding="utf-8")
    first, excluded = found["1.0"]
    assert len(first) > 400
    assert first["label"].nunique() == 4
    assert "CT slice" in excluded
    for name in ("2.0", "mix"):
        pd.testing.assert_frame_equal(found[name][0], first)
        assert found[name][1] == excluded


def test_a_second_export_of_the_same_annotations_costs_no_image(dataset) -> None:
    for name in ("a.jpg", "b.jpg"):
        dataset.add(name, "Viral Pneumonia")
        old = json.loads((dataset.root / f"releases/all/annotations/{name}.json").read_bytes())
        again = dataset.root / f"releases/second/{name}.json"
        again.parent.mkdir(exist_ok=True)
        again.write_text(json.dumps(version_2(old)), encoding="utf-8")
    assert len(dataset.read(max_excluded=0.1)) == 2
    assert set(dataset.excluded().values()) == {"second annotation of the image"}

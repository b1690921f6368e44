"""An image gets the label of its own annotation, or the reader says that it cannot tell."""

import json
import shutil
import subprocess
import sys
import unicodedata
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.errors import DataError

TAGS = ("Bacterial Pneumonia", "Viral Pneumonia", "COVID-19", "No Pneumonia (healthy)")
IDS = dict(zip(TAGS, ("bacterial", "viral", "covid_19", "healthy"), strict=True))
BACTERIAL, VIRAL, COVID, HEALTHY = TAGS


def labels(dataset, **options) -> dict[str, str]:
    table = dataset.read(**options)
    return dict(zip(table["image_id"], table["label"], strict=True))


def refused(dataset, **options) -> DataError:
    with pytest.raises(DataError) as error:
        dataset.read(**options)
    assert error.value.hint
    assert not (dataset.out / "records.csv").exists()
    return error.value


def test_the_name_of_a_renamed_item_counts_and_not_that_of_its_file(dataset) -> None:
    for number, tag in enumerate(TAGS):
        dataset.image(f"images/{number}.png")
        dataset.item(f"all/annotations/{number}.json", f"{number}.png", tag, sources=[f"{number + 1}.png"])
    expected = {f"images/{number}.png": IDS[tag] for number, tag in enumerate(TAGS)}
    assert labels(dataset) == expected
    (dataset.root / "images/0.png").unlink()
    expected.pop("images/0.png")
    assert labels(dataset) == expected
    assert dataset.excluded() == {"releases/all/annotations/0.json": "no image for the annotation"}


def test_images_called_as_they_were_before_the_items_were_renamed(dataset) -> None:
    for number, tag in enumerate(TAGS):
        dataset.image(f"images/old{number}.jpg")
        dataset.item(f"all/{number}.json", f"new{number}.png", tag, sources=[f"old{number}.png"])
    assert labels(dataset) == {f"images/old{number}.jpg": IDS[tag] for number, tag in enumerate(TAGS)}
    dataset.image("images/new0.png")
    (dataset.out / "records.csv").unlink()
    error = refused(dataset)
    assert "1 annotations find an image by the name in the dataset, 4 by another" in error.message
    assert "releases/all/0.json (new0.png), also old0.png" in error.message


@pytest.mark.parametrize("both", [True, False])
def test_the_folder_that_a_pull_makes_is_none_of_the_platform_even_if_that_has_one_called_so(
    dataset, both: bool
) -> None:
    for number in range(3):
        dataset.image(f"images/{number}.png")
        dataset.item(f"all/{number}.json", f"{number}.png", VIRAL, path="/")
        dataset.item(f"all/{number}_2.json", f"{'' if both else 'b'}{number}.png", COVID, path="/images")
    if both:
        assert "images/0.png fits two annotations" in refused(dataset).message
    else:
        assert labels(dataset) == {f"images/{number}.png": "viral" for number in range(3)}


def test_a_mask_beside_an_image_of_its_name_is_none(dataset) -> None:
    mask = BytesIO()
    Image.fromarray(np.eye(30, 40, dtype=np.uint8) * 255).save(mask, "PNG")
    for number, tag in enumerate(TAGS):
        dataset.image(f"images/{number}.jpg")
        dataset.image(f"images/{number}.png", mask.getvalue())
        dataset.item(f"all/{number}.json", f"{number}.png", tag)
    assert labels(dataset, max_excluded=0) == {f"images/{n}.jpg": IDS[tag] for n, tag in enumerate(TAGS)}
    assert dataset.excluded() == {f"images/{number}.png": "mask, not an image" for number in range(4)}


def test_darwin_py_gives_the_suffix_of_the_file_to_the_name_of_the_item(dataset) -> None:
    dataset.image("images/a.jpg")
    dataset.image("images/a.png")
    dataset.item("all/a.json", "a.png", VIRAL, sources=["x.jpg"])
    dataset.item("all/a_2.json", "a.jpg", COVID, sources=["y.png"])
    assert labels(dataset) == {"images/a.jpg": "viral", "images/a.png": "covid_19"}


def test_the_path_of_an_item_tells_images_of_one_name_apart(dataset) -> None:
    for path, tag in (("", HEALTHY), ("/site_a", VIRAL), ("/site_b", BACTERIAL), ("/site_b/site_a", COVID)):
        dataset.image(f"pulled/images{path}/0.png")
        dataset.item(
            f"all/0_{len(path)}{path[-1:]}.json", "0.PNG", tag, path=path.replace("/", "\\\\") or "/"
        )
    expected = {
        "pulled/images/0.png": "healthy",
        "pulled/images/site_a/0.png": "viral",
        "pulled/images/site_b/0.png": "bacterial",
        "pulled/images/site_b/site_a/0.png": "covid_19",
    }
    assert labels(dataset) == expected


@pytest.mark.parametrize("gone", ["/site_a", ""])
def test_an_annotation_takes_no_image_from_the_folder_of_other_items(dataset, gone: str) -> None:
    for number in range(3):
        for path, tag in (("", HEALTHY), ("/site_a", VIRAL), ("/site_b", BACTERIAL)):
            dataset.image(f"images{path}/{number}.png")
            dataset.item(f"all{path}/{number}.json", f"{number}.png", tag, path=path or "/")
    (dataset.root / f"images{gone}/0.png").unlink()
    for path in {"", "/site_a", "/site_b"} - {gone}:
        (dataset.root / f"releases/all{path}/0.json").unlink()
    found = labels(dataset)
    assert len(found) == 6
    assert not any(name.endswith("0.png") for name in found)
    assert dataset.excluded()[f"releases/all{gone}/0.json"] == "no image for the annotation"


def test_a_folder_of_the_dataset_that_is_called_images(dataset) -> None:
    for path, tag in (("", HEALTHY), ("/images", VIRAL)):
        for number in range(2):
            dataset.image(f"images{path}/{number}.png")
            dataset.item(f"all{path}/{number}.json", f"{number}.png", tag, path=path or "/")
    assert labels(dataset) == {
        **{f"images/{number}.png": "healthy" for number in range(2)},
        **{f"images/images/{number}.png": "viral" for number in range(2)},
    }


def test_images_pulled_without_folders(dataset) -> None:
    for number, tag in enumerate(TAGS):
        dataset.image(f"images/{number}.png")
        dataset.item(
            f"all/{number}.json", f"{number}.png", tag, path=f"/site_{number % 2}" if number else "/"
        )
    assert labels(dataset) == {f"images/{number}.png": IDS[tag] for number, tag in enumerate(TAGS)}
    (dataset.out / "records.csv").unlink()
    dataset.item("all/0_2.json", "0.png", HEALTHY, path="/site_b")
    error = refused(dataset)
    assert "images/0.png fits two annotations and can be the image of one only" in error.message
    assert "releases/all/0.json (0.png) and releases/all/0_2.json (site_b/0.png)" in error.message


def test_images_numbered_as_their_annotation_files(dataset) -> None:
    for number, (path, tag) in enumerate(
        (("/site_b", VIRAL), ("/site_a", COVID), ("/site_c", HEALTHY)), start=1
    ):
        name = f"0_{number}" if number > 1 else "0"
        dataset.image(f"images/{name}.jpg")
        dataset.item(f"all/{name}.json", "0.png", tag, path=path, sources=["0.jpg"])
    found = {"images/0.jpg": "viral", "images/0_2.jpg": "covid_19", "images/0_3.jpg": "healthy"}
    assert labels(dataset) == found
    (dataset.root / "releases/all/0.json").unlink()
    found.pop("images/0.jpg")
    assert labels(dataset) == found


def test_each_slot_of_an_item_is_an_image(dataset) -> None:
    for study, tag in (("p1", VIRAL), ("p2", COVID)):
        for number in range(2):
            dataset.image(f"images/ward/{study}.dcm/{number}/x.png")
        dataset.item(f"all/{study}.json", f"{study}.dcm", tag, path="/ward", sources=["x.png", "x.png"])
        dataset.image(f"images/ward/{study}-older/a.png")
        dataset.image(f"images/ward/{study}-older/b.png")
        dataset.item(
            f"all/{study}-older.json", f"{study}-older", tag, path="/ward", sources=["a.png", "b.png"]
        )
    dataset.image("images/ward/single/0/y.png")  # with --force-slots
    dataset.item("all/single.json", "single", HEALTHY, path="/ward", sources=["y.png"])
    expected = {
        "p1.dcm/0/x": "viral",
        "p1.dcm/1/x": "viral",
        "p2.dcm/0/x": "covid_19",
        "p2.dcm/1/x": "covid_19",
    }
    expected |= {
        "p1-older/a": "viral",
        "p1-older/b": "viral",
        "p2-older/a": "covid_19",
        "p2-older/b": "covid_19",
    }
    expected["single/0/y"] = "healthy"
    assert labels(dataset) == {f"images/ward/{name}.png": label for name, label in expected.items()}


def test_slots_have_tags_of_their_own(dataset) -> None:
    dataset.image("images/p1/0/a.png")
    dataset.image("images/p1/1/b.png")
    slots = [
        {"slot_name": n, "source_files": [{"file_name": f"{f}.png"}]} for n, f in zip("01", "ab", strict=True)
    ]
    tags = [{"name": t, "tag": {}, "slot_names": [n]} for t, n in ((VIRAL, "0"), (COVID, "1"))]
    content = {"item": {"name": "p1", "path": "/", "slots": slots}, "annotations": tags}
    (dataset.root / "p1.json").write_text(json.dumps(content), encoding="utf-8")
    assert labels(dataset) == {"images/p1/0/a.png": "viral", "images/p1/1/b.png": "covid_19"}
    tags[1]["slot_names"] = []
    (dataset.root / "p1.json").write_text(json.dumps(content), encoding="utf-8")
    assert labels(dataset) == {"images/p1/0/a.png": "covid_19", "images/p1/1/b.png": "covid_19"}


def test_an_image_of_items_in_one_folder_is_not_that_of_another_path_that_is_not_there(dataset) -> None:
    for number in range(3):
        dataset.image(f"images/site_a/{number}.png")
        dataset.item(f"all/{number}.json", f"{number}.png", VIRAL, path="/site_a")
    dataset.image("images/0.png")
    dataset.item("all/0_2.json", "0.png", COVID, path="/site_b")
    assert labels(dataset) == {f"images/site_a/{number}.png": "viral" for number in range(3)}
    assert dataset.excluded()["releases/all/0_2.json"] == "no image for the annotation"


def test_masks_are_never_taken_for_images(dataset) -> None:
    for number, tag in enumerate(TAGS):
        dataset.image(f"images/{number}.png")
        dataset.item(f"all/annotations/{number}.json", f"{number}.png", tag)
    masks = ("annotations/all-semantic-mask", "Lung_Masks", "releases/all/annotations", "annotations")
    for folder in masks:
        for number in range(4):
            dataset.image(f"{folder}/{number}.png")
    (dataset.root / "images/3.png").unlink()
    assert labels(dataset) == {f"images/{number}.png": IDS[tag] for number, tag in enumerate(TAGS[:3])}
    reasons = pd.Series(dataset.excluded().values()).value_counts().to_dict()
    assert reasons == {"mask, not an image": 16, "no image for the annotation": 1}
    dataset.read(max_excluded=0.25)
    shutil.rmtree(dataset.root / "images")
    (dataset.out / "records.csv").unlink()
    error = refused(dataset)
    assert (
        "4 annotations and no images (16 lie in folders of masks, such as Lung_Masks/0.png)" in error.message
    )


def test_names_as_other_systems_write_them(dataset) -> None:
    pairs = {
        unicodedata.normalize("NFD", "tórax.png"): "tórax.png",
        "ä.png": unicodedata.normalize("NFD", "ä.png"),
        "what_.jpg": "what?.jpg",
        "b_c.png": "b/c.png",
        "d.png": "folder\\d.png",
        "E.JPEG": "E.jpg",
        "1.2.840.dcm.png": "1.2.840.dcm",
        "heic.jpg": "heic.HEIC",
    }
    for number, (file, name) in enumerate(pairs.items()):
        dataset.image(f"images/{file}")
        dataset.item(f"all/{number}.json", name, TAGS[number % 4])
    expected = {f"images/{file}": IDS[TAGS[number % 4]] for number, file in enumerate(pairs)}
    assert labels(dataset) == expected


def test_names_that_are_the_same_but_for_their_composition_are_not_told_apart(dataset) -> None:
    for form in ("NFC", "NFD"):
        dataset.image("images/" + unicodedata.normalize(form, "tórax.png"))
    dataset.item("all/1.json", "torax.png", VIRAL)
    dataset.item("all/2.json", unicodedata.normalize("NFC", "tórax.jpg"), COVID)
    assert "releases/all/2.json (tórax.jpg) fits 2 images" in refused(dataset).message


def test_an_annotation_that_fits_several_images_is_refused_until_one_is_excluded(dataset) -> None:
    for name in ("a/three.jpg", "b/three.jpg", "a/four.jpg", "b/four.jpg"):
        dataset.image(name)
    dataset.annotate("three.jpg", VIRAL, file="elsewhere/3.json")
    dataset.annotate("four.jpg", VIRAL, file="elsewhere/4.json")
    error = refused(dataset)
    assert (
        "elsewhere/3.json (three.jpg) fits 2 images: a/three.jpg, b/three.jpg; so do 1 more" in error.message
    )
    assert "exclude" in error.hint
    assert labels(dataset, exclude=["a/*"]) == {"b/three.jpg": "viral", "b/four.jpg": "viral"}


def test_of_images_that_are_the_same_file_one_is_taken(dataset) -> None:
    for name in ("copy/a.jpg", "images/a.jpg"):
        dataset.image(name, dataset.jpeg())
    dataset.annotate("a.jpg", VIRAL)
    assert labels(dataset, max_excluded=0) == {"copy/a.jpg": "viral"}
    assert dataset.excluded() == {"images/a.jpg": "same file as an image that is kept"}


def test_a_stem_counts_only_where_one_image_and_one_annotation_have_it(dataset) -> None:
    dataset.image("images/a.png")
    dataset.item("all/a.json", "a.gif", VIRAL)
    dataset.item("all/a_2.json", "a.bmp", COVID)
    assert "images/a.png fits two annotations" in refused(dataset).message
    dataset.item("all/a_3.json", "a.png", HEALTHY)
    assert labels(dataset) == {"images/a.png": "healthy"}
    dataset.image("images/a.webp")
    assert labels(dataset) == {"images/a.png": "healthy"}
    assert set(dataset.excluded().values()) == {
        "no image for the annotation",
        "no annotation for the image",
    }


def test_two_releases_that_agree_count_once_and_others_are_refused(dataset) -> None:
    for name, tag in zip("ab", TAGS, strict=False):
        dataset.image(f"images/{name}.png")
        dataset.item(f"one/annotations/{name}.json", f"{name}.png", "X-ray", tag)
        dataset.item(f"two/annotations/{name}.json", f"{name}.png", tag, "X-ray")
    assert labels(dataset, max_excluded=0) == {"images/a.png": "bacterial", "images/b.png": "viral"}
    assert set(dataset.excluded().values()) == {"second annotation of the image"}
    (dataset.out / "records.csv").unlink()
    dataset.item("two/annotations/b.json", "b.png", COVID)
    error = refused(dataset)
    assert (
        "images/b.png has two annotations that differ: releases/one/annotations/b.json has tags X-ray"
        in str(error)
    )
    assert "releases/two/annotations/b.json has tags COVID-19" in error.message
    found = labels(dataset, exclude=["releases/one/*"], max_excluded=0)
    assert found == {"images/a.png": "bacterial", "images/b.png": "covid_19"}


def test_the_order_of_tags_counts_where_the_first_gives_the_class(dataset) -> None:
    dataset.image("images/a.png")
    dataset.item("one/a.json", "a.png", VIRAL, BACTERIAL)
    dataset.item("two/a.json", "a.png", BACTERIAL, VIRAL)
    assert "two annotations that differ" in refused(dataset, label_rule="first-tag").message
    assert sorted(dataset.read(label_rule="every-tag")["label"]) == ["bacterial", "viral"]


def test_two_datasets_side_by_side_keep_to_themselves(dataset) -> None:
    for hospital, tag in (("north", VIRAL), ("south", COVID)):
        for number in range(3):
            dataset.image(f"{hospital}/images/{number}.png")
            dataset.annotate(f"{number}.png", tag, file=f"{hospital}/releases/all/annotations/{number}.json")
    (dataset.root / "north/images/0.png").unlink()
    (dataset.root / "south/releases/all/annotations/0.json").unlink()
    assert labels(dataset) == {
        **{f"north/images/{number}.png": "viral" for number in (1, 2)},
        **{f"south/images/{number}.png": "covid_19" for number in (1, 2)},
    }


def test_a_dataset_that_lies_in_the_folder_twice_counts_once(dataset) -> None:
    for number, tag in enumerate(TAGS):
        for folder in ("v1", "v2"):
            dataset.image(f"{folder}/images/{number}.png", dataset.jpeg(number))
            dataset.annotate(f"{number}.png", tag, file=f"{folder}/releases/all/annotations/{number}.json")
    assert labels(dataset, max_excluded=0) == {f"v1/images/{n}.png": IDS[tag] for n, tag in enumerate(TAGS)}
    assert dataset.excluded()["v2/images/0.png"] == "same file as an image that is kept"
    (dataset.out / "records.csv").unlink()
    dataset.annotate("1.png", COVID, file="v2/releases/all/annotations/1.json")
    assert "v1/images/1.png has two annotations that differ: v1/releases" in refused(dataset).message


def test_version_1_without_paths_beside_version_2(dataset) -> None:
    for number in range(4):
        dataset.image(f"images/site/{number}.png")
        if number != 1:
            dataset.item(f"new/{number}.json", f"{number}.png", VIRAL, path="/site")
        if number != 0:
            dataset.annotate(f"{number}.png", VIRAL, file=f"releases/old/{number}.json")
    assert labels(dataset, max_excluded=0) == {f"images/site/{number}.png": "viral" for number in range(4)}
    (dataset.out / "records.csv").unlink()
    dataset.annotate("3.png", COVID, file="releases/old/3.json")
    assert "images/site/3.png has two annotations that differ" in refused(dataset).message


def test_where_annotations_find_no_image_names_of_both_sides_are_shown(dataset) -> None:
    for number in range(5):
        dataset.image(f"images/scan{number}.png")
        dataset.item(f"all/{number}.json", f"patient{number}.png", VIRAL)
    error = refused(dataset, max_excluded=1)
    assert error.message.startswith(
        "5 of 5 annotations find no image: patient0.png, patient1.png, patient2.png, and 2 more;"
        " images without an annotation: images/scan0.png, images/scan1.png, images/scan2.png, and 2 more"
    )
    dataset.image("images/patient0.png")
    assert refused(dataset, max_excluded=0.5).message.startswith(
        "4 of 5 annotations find no image: patient1.png"
    )
    assert labels(dataset, max_excluded=1) == {"images/patient0.png": "viral"}


def build(name: str, dataset) -> None:
    make = Path(__file__).resolve().parents[3].parent / "shared" / "cases" / name / "make.py"
    if not make.is_file():
        pytest.skip("the cases are not beside the project")
    subprocess.run([sys.executable, make, dataset.root], check=True)


def right(path: str, *, first: int = 0) -> dict[str, str]:
    return {path.format(number): IDS[TAGS[(number + first) % 4]] for number in range(48)}


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("darwin-renamed-items", right("images/{}.png")),
        (
            "darwin-same-names-in-folders",
            right("images/site_b/{}.png") | right("images/site_a/{}.png", first=1),
        ),
        ("darwin-masks-before-images", right("images/x{}.png")),
    ],
)
def test_the_case(dataset, name: str, expected: dict[str, str]) -> None:
    build(name, dataset)
    assert labels(dataset) == expected


@pytest.mark.real
def test_the_case_of_names_in_another_composition(dataset) -> None:
    build("darwin-unmatched-names", dataset)
    found = {unicodedata.normalize("NFC", name): label for name, label in labels(dataset).items()}
    assert found == {f"images/tórax{number}.png": IDS[TAGS[number % 4]] for number in range(24)}


@pytest.mark.real
def test_a_real_dataset_whose_items_lie_in_folders_keeps_its_labels(dataset, real_data: Path) -> None:
    """The real images under names that say nothing, in folders, in version 2.0."""
    source = real_data / "v7"
    images = {path.stem: path for path in (source / "images").iterdir()}
    truth = {}
    for number, path in enumerate(sorted(source.glob("releases/all-images/annotations/*.json"))[::40]):
        old = json.loads(path.read_bytes())
        image = images.get(Path(old["image"]["original_filename"]).stem)
        tags = [a["name"] for a in old["annotations"] if "tag" in a]
        kept = next((tag for tag in (COVID, *TAGS) if tag in tags), None)
        if image and kept:
            folder, name = f"site_{number % 3}", f"{number // 3}"
            target = dataset.root / "images" / folder / f"{name}{image.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(image)
            dataset.item(f"all/{number}.json", f"{name}.png", kept, path=f"/{folder}", sources=[image.name])
            truth[target.relative_to(dataset.root).as_posix()] = IDS[kept]
    assert len(truth) > 140
    assert labels(dataset) == truth

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from analysis.errors import DataError

BOTH = ("Viral Pneumonia", "COVID-19")


def labels(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["image_id"], table["label"], strict=True))


def test_records_have_what_file_and_annotation_say(dataset) -> None:
    dataset.add("person1_virus_2.jpeg", "X-ray", "Viral Pneumonia")
    row = dataset.read().iloc[0]
    assert pd.isna(row.pop("official"))
    data = (dataset.root / "images/person1_virus_2.jpeg").read_bytes()
    assert row.to_dict() == {
        "image_id": "images/person1_virus_2.jpeg",
        "label": "viral",
        "patient_id": "kermany-person1_virus",
        "source": "kermany",
        "width": 40,
        "height": 30,
        "mode": "L",
        "original_width": 400,
        "original_height": 300,
        "sha256": hashlib.sha256(data).hexdigest(),
        "tags": "X-ray|Viral Pneumonia",
    }


def test_label_rules(dataset) -> None:
    dataset.add("a.jpg", *BOTH)
    dataset.add("b.jpg", *BOTH[::-1])
    dataset.add("c.jpg", "Bacterial Pneumonia", "Viral Pneumonia", "Viral Pneumonia")
    dataset.add("d.jpg", "No Pneumonia (healthy)")
    ids = [f"images/{n}.jpg" for n in "abcd"]
    first = dataset.read(label_rule="covid-first")
    assert labels(first) == {ids[0]: "covid_19", ids[1]: "covid_19", ids[3]: "healthy"}
    assert dataset.excluded() == {ids[2]: "several class labels"}
    assert list(dataset.read(label_rule="first-tag")["label"]) == [
        "viral",
        "covid_19",
        "bacterial",
        "healthy",
    ]
    every = dataset.read(label_rule="every-tag")
    assert list(every["image_id"].str[7]) == list("aabbccd")
    assert list(every["label"]) == [
        *("viral", "covid_19", "covid_19", "viral", "bacterial", "viral", "healthy"),
    ]
    assert pd.read_csv(dataset.out / "flow.csv").tail(2)["count"].tolist() == [4, 7]


def test_a_misspelt_label_is_named_with_the_tags_like_it(dataset) -> None:
    dataset.add("a.jpg", "Viral Pneumonia", "View/Frontal")
    dataset.add("b.jpg", "COVID-19")
    misspelt = [{"id": "viral", "label": "Viral pneumonia"}, {"id": "covid_19", "label": "COVID-19"}]
    with pytest.raises(
        DataError, match='has the tag "Viral pneumonia", the label of the class viral'
    ) as error:
        dataset.read(classes=misspelt)
    assert error.value.hint.startswith('tags like it: "Viral Pneumonia"; mend')


def test_covid_19_never_counts_as_another_class_where_the_study_has_no_such_class(dataset) -> None:
    dataset.add("a.jpg", *BOTH)
    dataset.add("b.jpg", "Viral Pneumonia")
    table = dataset.read(classes=[{"id": "viral", "label": "Viral Pneumonia"}])
    assert labels(table) == {"images/b.jpg": "viral"}
    assert dataset.excluded() == {"images/a.jpg": "no class label"}


def test_each_file_that_is_left_out_has_one_reason(dataset) -> None:
    annotations = "releases/all/annotations"
    dataset.add("good.jpg", *BOTH)
    dataset.add("slice.jpg", "CT", "View/Axial", *BOTH)
    dataset.add("coronal.jpg", "View/Coronal", *BOTH)
    dataset.add("side.jpg", "View/Lateral", "X-ray")
    dataset.add("plain.jpg", "X-ray")
    dataset.add("bare.jpg")
    dataset.add("skip-1.jpg", "CT")
    dataset.image("images/cut.jpg", dataset.jpeg()[:300])
    dataset.annotate("cut.jpg", *BOTH)
    dataset.annotate("gone.jpg", *BOTH)
    dataset.annotate("gone-slice.jpg", "CT")
    dataset.annotate("good.jpeg", "Bacterial Pneumonia", file=f"{annotations}/z.json")
    dataset.image("images/loose.jpg")
    dataset.image("images/skip-2.jpg")
    dataset.image("images/again.jpg", (dataset.root / "images/good.jpg").read_bytes())
    dataset.image("lung_masks/good.png")
    (dataset.root / annotations / "broken.json").write_text('{"image": ', encoding="utf-8")
    (dataset.root / "package.json").write_text('{"name": "x"}', encoding="utf-8")
    (dataset.root / ".hidden").mkdir()
    (dataset.root / ".hidden" / "a.json").write_text("{", encoding="utf-8")
    assert labels(dataset.read(exclude=["skip-*"], max_excluded=1)) == {"images/good.jpg": "covid_19"}
    assert dataset.excluded() == {
        "images/bare.jpg": "no class label",
        "images/coronal.jpg": "CT slice",
        "images/cut.jpg": "image does not decode",
        "images/loose.jpg": "no annotation for the image",
        "images/plain.jpg": "no class label",
        "images/side.jpg": "lateral view",
        "images/skip-1.jpg": "excluded by the study",
        "images/skip-2.jpg": "excluded by the study",
        "images/slice.jpg": "CT slice",
        f"{annotations}/broken.json": "annotation is not valid JSON",
        f"{annotations}/gone-slice.jpg.json": "CT slice",
        f"{annotations}/gone.jpg.json": "no image for the annotation",
        f"{annotations}/z.json": "no image for the annotation",
        "images/again.jpg": "same file as an image that is kept",
        "lung_masks/good.png": "mask, not an image",
    }
    flow = pd.read_csv(dataset.out / "flow.csv")
    assert set(flow["kind"]) == {"found", "beside", "excluded", "kept"}
    count = dict(zip(flow["step"], flow["count"], strict=True))
    assert (count["annotations found"], count["images found"], count["images kept"]) == (12, 12, 1)
    assert count["CT slice"] == 3


def test_an_image_is_found_wherever_it_lies_and_whatever_its_extension(dataset) -> None:
    dataset.image("deep/down/scan.one.PNG")
    dataset.annotate("scan.one.jpeg", "Viral Pneumonia", file="elsewhere/1.JSON")
    dataset.image("two.jpg")
    dataset.image("two.png")
    dataset.annotate("two.png", "Viral Pneumonia", file="elsewhere/2.json")
    assert list(dataset.read()["image_id"]) == ["deep/down/scan.one.PNG", "two.png"]
    assert dataset.excluded() == {"two.jpg": "no annotation for the image"}


def test_rows_are_sorted_by_the_bytes_of_the_path(dataset) -> None:
    for name in ("ä.jpg", "b.jpg", "B.jpg", "a-1.jpg", "a.jpg"):
        dataset.add(name, "Viral Pneumonia")
    assert [n[7:] for n in dataset.read()["image_id"]] == ["B.jpg", "a-1.jpg", "a.jpg", "b.jpg", "ä.jpg"]


def test_the_link_to_the_latest_release_is_not_read_twice(dataset) -> None:
    dataset.add("a.jpg", "Viral Pneumonia")
    (dataset.root / "releases/latest").symlink_to("all", target_is_directory=True)
    dataset.read()
    assert dataset.excluded() == {}


def test_too_many_exclusions_are_an_error_that_names_the_reasons(dataset) -> None:
    dataset.add("a.jpg", "Viral Pneumonia")
    dataset.add("b.jpg", "CT")
    dataset.add("c.jpg", "CT")
    dataset.annotate("d.jpg", "Viral Pneumonia")
    dataset.image("e.jpg")
    with pytest.raises(DataError, match=r"4 of 5 images .* CT slice \(2\), no image") as error:
        dataset.read(max_excluded=0.5)
    assert "max_excluded" in error.value.hint
    assert not (dataset.out / "records.csv").exists()
    dataset.read(max_excluded=0.5, exclude=["d", "b.jpg", "images/c*"])
    with pytest.raises(DataError, match=r"1 of 2 images .* no annotation for the image \(1\)"):
        dataset.read(max_excluded=0.4, exclude=["d", "b.jpg", "images/c*"])


def test_folders_that_are_no_dataset(dataset, tmp_path: Path) -> None:
    def refused(root: Path) -> DataError:
        dataset.root = root
        with pytest.raises(DataError) as error:
            dataset.read()
        assert error.value.hint
        return error.value

    root = dataset.root
    assert "is empty" in str(refused(root))
    assert "no data folder" in str(refused(tmp_path / "nowhere"))
    (tmp_path / "v7.zip").write_bytes(b"PK")
    assert "is a file" in str(refused(tmp_path / "v7.zip"))
    dataset.root = root
    dataset.image("images/a.jpg")
    (root / "coco.json").write_text('{"images": [], "annotations": []}', encoding="utf-8")
    error = refused(root)
    assert "no Darwin JSON annotations (1 images)" in str(error)
    assert "darwin dataset pull" in error.hint
    (root / "images/a.jpg").unlink()
    dataset.annotate("a.jpg", "Viral Pneumonia")
    assert "1 annotations and no images" in str(refused(root))
    dataset.image("images/a.jpg")
    dataset.annotate("a.jpg", "Fracture")
    with pytest.raises(DataError, match=r"no image in .* can be used"):
        dataset.read(max_excluded=1.0)


@pytest.mark.real
def test_the_real_dataset(real_v7: Path, real_data: Path) -> None:
    table = pd.read_csv(real_v7 / "records.csv")
    assert table["label"].value_counts().to_dict() == {
        "bacterial": 2780,
        "healthy": 1583,
        "viral": 1493,
        "covid_19": 425,
    }
    assert table["source"].value_counts().to_dict() == {"kermany": 5856, "cohen": 425}
    flow = pd.read_csv(real_v7 / "flow.csv")
    assert dict(zip(flow["step"], flow["count"], strict=True)) == {
        "files found": 12659,
        "annotations found": 6373,
        "images found": 6286,
        "CT slice": 59,
        "lateral view": 24,
        "no image for the annotation": 9,
        "no annotation for the image": 5,
        "images kept": 6281,
    }
    manifest = pd.read_csv(real_data / "manifest.csv", dtype=str)
    manifest = manifest[manifest["set"].isin(["kermany", "covid19"])]
    names = manifest["path"].str.rsplit("/", n=1).str[-1]
    known = dict(zip(names, manifest["patient_id"], strict=True))
    expected = (
        table["image_id"].str[7:].map(known).replace({"cohen-178": "cohen-97", "cohen-201": "cohen-78"})
    )
    assert (table["patient_id"] == expected).all()
    digests = dict(zip(names, manifest["sha256"], strict=True))
    assert (table["sha256"] == table["image_id"].str[7:].map(digests)).all()

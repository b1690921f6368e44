from __future__ import annotations

import os
import unicodedata

import pytest

from analysis.datasets.folders.layout import (
    is_generic,
    masks_folder,
    official_split,
    plain,
    split_of,
    unmasked,
)


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (("Lung_Opacity", "LUNG-OPACITY", "lung  opacity", "Lung.Opacity "), "lung opacity"),
        (("COVID-19", "Covid_19", "COVID 19", "COVID - 19", "COVID–19", "COVID19"), "covid 19"),
        (("COVID+", "covid_+", "COVID (+)", "COVID＋"), "covid +"),
        (("COVID-", "Covid_-", "COVID (-)", "COVID −", "COVID -"), "covid −"),
        (
            ("Neumonía", unicodedata.normalize("NFD", "NEUMONÍA"), os.fsdecode("Neumonía".encode("latin-1"))),
            "neumonía",
        ),
        (("Neumonia",), "neumonia"),
        (("HIV- TB+",), "hiv − tb +"),
        (("HIV+ TB-",), "hiv + tb −"),
        (("-1",), "− 1"),
        (("1",), "1"),
        (("Age<65",), "age < 65"),
        (("Age>65",), "age > 65"),
        (("सामान्य",), "सामान्य"),
    ],
)
def test_spelling_makes_no_difference_and_signs_do(names, key):
    assert {plain(name) for name in names} == {key}


def test_a_name_of_separators_alone_stays_itself():
    assert plain("__") == "__"


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train TRAIN Train_Data training trainset TrainData train_images stage_1_train_images chest_xray_train",
        ),
        ("train", "Training-Set TrainingSet Training_Images train2 traindata train_224x224 train_80%"),
        ("val", "val Valid validation dev val_data Validation_Set valid_images devset dev-set"),
        ("test", "test Testing test-set Test_Images testset holdout hold-out stage_2_test_images xray_test"),
        (
            "",
            "untrained latest contest attest pretest train_val data images Test_positive negative-test valida trains",
        ),
    ],
)
def test_parts_of_a_split_by_any_usual_name(split, names):
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


def test_the_uppermost_part_counts():
    assert official_split(("xray_dataset_covid19", "test", "train", "x")) == "test"
    assert official_split(("chest_xray", "NORMAL")) == ""


@pytest.mark.parametrize(
    ("is_mask", "names"),
    [
        (
            True,
            "mask|Masks|lung masks|infection_masks|ManualMask|leftMask|Ground-truths|ground_truth|GroundTruth",
        ),
        (True, "groundtruths|masks_png|mask images|lungmasks|v7_lung_masks|Ground truth images|Masks 2"),
        (
            False,
            "images and masks|images&masks|without masks|unmasked|Masked|maskless|ground glass|Lung Segmentation Data",
        ),
        (False, "segmentation|labels|images"),
    ],
)
def test_folders_of_masks_by_any_usual_name(is_mask, names):
    assert {name: bool(masks_folder(("Normal", name))) for name in names.split("|")} == dict.fromkeys(
        names.split("|"), is_mask
    )


def test_what_tells_no_class():
    assert all(map(is_generic, ("images", "IMG", "png", "Image files", "images_001", "Test_Images", "train")))
    assert not any(map(is_generic, ("Normal", "X-ray", "chest", "frontal", "patient 1", "001")))


@pytest.mark.parametrize(
    "stem", ["a 1_mask", "A-1-Mask", "mask_a_1", "a_1_lung_mask", "a 1 seg", "a_1_gt", "a_1"]
)
def test_the_image_of_a_mask(stem):
    assert unmasked(stem) == "a 1"


def test_a_name_that_begins_like_a_mask_is_its_own():
    assert unmasked("MASKEqualized41591") == "maskequalized 41591"
    assert unmasked("mask") == "mask"

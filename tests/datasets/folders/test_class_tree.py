from __future__ import annotations

import unicodedata

from analysis.datasets.folders.class_tree import ClassTree


def judged(names: dict[str, list[str]], *folders: str) -> dict[str, str]:
    above = [tuple(folder.split("/")) for folder in folders]
    tree = ClassTree(above, names)
    return {"/".join(a): tree.judge(a)[0] for a in above}


SICK = {"normal": ["Normal"], "pneumonia": ["Pneumonia"]}


def test_a_folder_with_other_classes_below_is_no_class_folder():
    assert judged(
        SICK,
        *("Pneumonia/train/NORMAL", "Pneumonia/train/PNEUMONIA/images", "Pneumonia/predict", "Pneumonia"),
    ) == {
        "Pneumonia/train/NORMAL": "normal",
        "Pneumonia/train/PNEUMONIA/images": "pneumonia",
        "Pneumonia/predict": "",
        "Pneumonia": "",
    }


def test_nor_is_one_with_its_own_class_below_for_what_lies_beside():
    assert judged(
        SICK, "Pneumonia/train/Pneumonia", "Pneumonia/train/Other", "Pneumonia/images", "Normal"
    ) == {
        "Pneumonia/train/Pneumonia": "pneumonia",
        "Pneumonia/train/Other": "",
        "Pneumonia/images": "pneumonia",
        "Normal": "normal",
    }


def test_accents_tell_apart_where_both_are_there():
    names = {"one": ["Neumonía"], "two": ["Neumonia"]}
    nfd = unicodedata.normalize("NFD", "neumonía")
    assert judged(names, nfd, "NEUMONIA") == {nfd: "one", "NEUMONIA": "two"}
    assert judged({"one": ["Neumonía"]}, "Neumonia", "Normal") == {"Neumonia": "one", "Normal": ""}
    assert judged({"one": ["Neumonía"]}, "Neumonia", "Neumonía") == {"Neumonia": "", "Neumonía": "one"}
    assert judged({"one": ["Neumonia"]}, "Neumonía", "Neumonìa") == {"Neumonía": "", "Neumonìa": ""}


def test_a_sign_is_never_passed_over():
    assert judged({"sick": ["COVID+"]}, "COVID-", "COVID") == {"COVID-": "", "COVID": ""}

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from analysis.audit import features, probes
from analysis.errors import DataError
from analysis.evaluation.results_file import Basis, entry
from analysis.vocabulary.audit import STRONG_AREA, file_results, probe_results
from tests.audit.study import CLASSES, draw_images, draw_records, read


def test_a_planted_border_is_found_where_it_is_and_nowhere_else(study):
    records, images = draw_records(160), draw_images(160, size=64)
    viral = (records["label"] == "viral").to_numpy()
    images[viral, :4, :4] = 255 * (
        np.indices((4, 4)).sum(axis=0) % 2
    )  # as bright as elsewhere: no thumbnail shows it
    study.write(records, images)
    out = study.run(probes.probe, classes=CLASSES)
    results, (finding, *others) = read(out), read(out, "findings")
    assert (finding["subject"], finding["level"], others) == ("border", "strong", [])
    assert results[finding["results"][0]]["value"] > STRONG_AREA
    declared = {*dict(probe_results(CLASSES)), *dict(file_results())}
    assert set(results) == {name for name in declared if ".left_out." not in name}
    table = pd.read_csv(out / "probes.csv").set_index(["probe", "class"])
    assert table.loc[("border", "macro"), "auroc"] == results["probes.border.auroc.macro"]["value"]
    assert table.loc[("border", "macro"), "patients"] == 80
    reason = "the original's size is known of 0 of "
    assert results["probes.original_facts.auroc.macro"]["reason_null"].startswith(reason)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_there_is_nothing(study, seed):
    study.write(draw_records(120, seed), draw_images(120, seed))
    out = study.run(probes.probe, classes=CLASSES)
    assert read(out, "findings") == []
    assert read(out)["probes.thumbnail.auroc.macro"]["n"] == 120


@pytest.mark.slow
def test_of_twenty_seeds_without_a_shortcut_at_most_one_has_a_finding():
    found = 0
    for seed in range(20):
        records = draw_records(200, seed)
        labelled = probes.label(records, CLASSES)
        images = draw_images(200, seed)
        shown = {
            "file_facts": features.file_facts(records),
            "border": features.border(images, lambda *_, **__: None),
            "thumbnail": features.thumbnail(images, lambda *_, **__: None),
        }
        found += any(probes.find(probes.try_probe(name, one, labelled)) for name, one in shown.items())
    assert found <= 1


def test_a_probe_beside_a_model(study, tmp_path):
    basis = Basis("x", 10, 5)
    folders = {}
    for name, areas in (
        ("probes", {"border": 0.8, "thumbnail": 0.6}),
        ("evaluate_net", {}),
        ("evaluate_bad", {}),
    ):
        folders[name] = tmp_path / name
        folders[name].mkdir()
        found = {f"probes.{probe}.auroc.macro": entry(area, "AUROC", basis) for probe, area in areas.items()}
        if name == "probes":
            found["probes.thumbnail.left_out.viral"] = entry(4, "count", basis)
        model = {"evaluate_net": ("net", 0.9), "evaluate_bad": ("bad", 0.5)}.get(name)
        if model:
            found[f"{model[0]}.test.auroc.macro"] = entry(model[1], "AUROC", basis)
        (folders[name] / "results.json").write_text(json.dumps(found))
    results = read(study.run(probes.compare_with_models, folders, models=["net", "bad"], split="test"))
    assert results["probes.border.share_of.net"]["value"] == pytest.approx(0.75)
    assert (
        results["probes.thumbnail.share_of.net"]["reason_null"]
        == "the probe leaves out a class that the model has"
    )
    assert results["probes.border.share_of.bad"]["reason_null"] == "the model does no better than chance"


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(DataError, match='the label "viral", none of the classes'):
        probes.label(draw_records(20), ["healthy"])


def test_the_commonest_side_tells_files_that_were_made_smaller(study):
    records = draw_records(60, width="320", height="200", original_width="1000", original_height="625")
    study.write(records, draw_images(60))
    results = read(study.run(probes.probe, classes=CLASSES))
    assert results["probes.file_facts.commonest_side"]["value"] == 320
    assert results["probes.file_facts.commonest_side_share"]["value"] == 1
    assert results["probes.file_facts.not_original_size"]["value"] == 60
    assert results["probes.file_facts.auroc.macro"]["value"] == 0.5  # all alike: the scores are the same


@pytest.mark.real
def test_the_size_of_the_originals_gives_the_class_away_in_the_paediatric_images(real_data):
    manifest = pd.read_csv(real_data / "manifest.csv", dtype=str, keep_default_na=False)
    table = manifest[manifest["set"] == "kermany"].reset_index(drop=True)
    records = pd.DataFrame(
        {
            "image_id": table["path"],
            "label": table["label"].str.lower(),
            "patient_id": table["patient_id"],
            "width": table["width"],
            "height": table["height"],
            "mode": "L",
            "original_width": table["orig_w"],
            "original_height": table["orig_h"],
        }
    )
    shown = features.original_facts(records)
    assert (~shown.known).sum() == 6
    values, ill = shown.values, (records["label"] == "pneumonia").to_numpy()
    test = (table["split"] == "test").to_numpy() & shown.known
    tree = DecisionTreeClassifier(max_depth=4, random_state=0)
    tree.fit(values[~test & shown.known], ill[~test & shown.known])
    assert 0.87 <= roc_auc_score(ill[test], tree.predict_proba(values[test])[:, 1]) <= 0.91
    found = probes.try_probe("original_facts", shown, probes.label(records, ["normal", "pneumonia"]))
    assert 0.87 <= found.results["probes.original_facts.auroc.macro"]["value"] <= 0.92
    finding = probes.find(found)
    assert finding is not None
    assert finding.level == "strong"

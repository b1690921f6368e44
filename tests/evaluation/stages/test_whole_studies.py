"""The evaluation of whole studies: what is named, what it rests on, and that tables and results agree."""

from __future__ import annotations

import ast
import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import evaluation
from analysis.evaluation.results_file import Basis, entry
from analysis.evaluation.stages.evaluate import evaluate
from analysis.progress import silent
from report.engine.code import Code
from report.pipeline.stages import PROGRAM

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SPLITS = ["val", "test"]
MODELS = ["baseline", "improved"]
ANALYSES = ["", "@patient"]
PER_CLASS = ("sensitivity", "specificity", "ppv", "npv", "f1", "auroc")
FACTS = re.compile(
    r"data|published|ledger\.(tolerance|(accuracy|test|training|parameters)\.\w+)$|.*\.(training|architecture|n|support|confusion|confusion_share|temperature|threshold_at_\d\d|detectable_\w+"
    r"|both_right|both_wrong|fixed|broken|sign_flip_p|sign_flip_deff|p|p_holm|false_better|variance|[np]pv_at_90)(\.|$)"
)
"""Counts, what was chosen, p-values, and what is computed of measures that have intervals themselves."""


OF_ONE_MODEL = {
    *("stages.evaluate", "statistics.roc", "statistics.calibration", "statistics.operating_points"),
    *("tables.learning_curves", "tables.calibration"),
}
OF_TWO_MODELS = {"stages.compare", "statistics.significance", "statistics.pairs", "statistics.verdict"}


@pytest.mark.parametrize(
    ("stage", "unused"),
    [
        (
            "compare:compare",
            OF_ONE_MODEL | {"tables.data", "stages.ledger", "stages.collect", "stages.average"},
        ),
        ("ledger:write", OF_ONE_MODEL | OF_TWO_MODELS | {"statistics.intervals", "statistics.resampled"}),
        ("collect:collect", OF_ONE_MODEL | OF_TWO_MODELS | {"stages.ledger", "stages.average"}),
        (
            "average:average",
            OF_ONE_MODEL
            | {"statistics.intervals", "statistics.resampling", "statistics.resampled", "statistics.metrics"}
            | {"predictions"},
        ),
        ("evaluate:evaluate", OF_TWO_MODELS | {"stages.ledger", "stages.collect", "tables.data"}),
    ],
)
def test_no_stage_is_keyed_by_code_that_it_does_not_use(tmp_path: Path, stage: str, unused: set[str]) -> None:
    closure = Code(PROGRAM, tmp_path).closure([f"analysis.evaluation.stages.{stage}"])
    reached = {name.removeprefix("analysis.evaluation.") for name in closure}
    assert f"stages.{stage.partition(':')[0]}" in reached
    folder = Path(evaluation.__file__).parent
    assert all((folder / f"{name.replace('.', '/')}.py").is_file() for name in unused)
    assert reached & unused == set()


@pytest.mark.parametrize(("analysis", "split"), list(product(ANALYSES, SPLITS)))
def test_every_model_has_every_measure(assignment, analysis: str, split: str) -> None:
    measures = {
        *(f"{m}.{c}" for m in PER_CLASS for c in (*CLASSES, "macro")),
        *(f"{m}.{c}" for m in ("mcc", "support", "ece", "average_precision") for c in CLASSES),
        *(f"{m}_{at}.{c}" for at in ("at_90", "at_95") for c in ("abnormal", *CLASSES)
          for m in ("sensitivity", "specificity")),
        *(f"{m}.{t}.{p}" for m in ("confusion", "confusion_share") for t in CLASSES for p in CLASSES),
        *(f"f1.macro_without_{c}" for c in CLASSES),
        *("n", "accuracy", "mcc", "auroc.micro", "ece_expected"),
        *(f"{m}{stage}" for m in ("brier", "log_loss", "ece") for stage in ("", "_scaled")),
    }  # fmt: skip
    for model in (*MODELS, "low_detail"):
        start = f"{model}{analysis}.{split}."
        names = {name.removeprefix(start) for name in assignment.results if name.startswith(start)}
        prior = {f"{m}_prior" for m in ("brier", "log_loss", "ece")} if model == "improved" else set()
        values_of_test = {f"{m}_at_90.prevalence_{p}" for m in ("ppv", "npv") for p in (10, 30, 50)}
        chosen = {"temperature"} | {f"threshold_at_{s}.{c}" for s in (90, 95) for c in ("abnormal", *CLASSES)}
        assert names == measures | prior | (chosen if split == "val" else values_of_test)


def test_the_same_models_are_evaluated_in_both_analyses(assignment) -> None:
    owners = {name.partition(".")[0] for name in assignment.results}
    first = {*MODELS, "low_detail", "majority", "data", "planning"}
    pairs = {"improved_vs_baseline", "baseline_vs_low_detail", "improved_vs_low_detail"}
    both = {f"{owner}{analysis}" for owner in first | pairs for analysis in ANALYSES}
    assert owners == both | {"published", "ledger"}
    assert [(v["pair"], v["analysis"]) for v in assignment.verdicts] == [
        (f"improved_vs_baseline{analysis}", analysis) for analysis in ANALYSES
    ]


def test_the_facts_of_a_training(assignment) -> None:
    found = {
        name: assignment.value(f"baseline@patient.training.{name}")
        for name in ("best_epoch", "weights_epoch")
    }
    assert found == {"best_epoch": 3, "weights_epoch": 5}
    assert assignment.value("baseline.training.overfitting_epoch") == 4
    assert assignment.value("baseline.training.rise_after_best") == pytest.approx(0.2)
    assert not any(
        name.startswith(("low_detail.training", "majority.training")) for name in assignment.results
    )


@pytest.mark.parametrize("study", ["assignment", "three_seeds"])
def test_every_entry_has_an_interval_or_a_reason(study: str, request: pytest.FixtureRequest) -> None:
    for name, item in request.getfixturevalue(study).results.items():
        bounds = [item[key] for key in ("low", "high", "level")]
        known = None not in bounds
        assert known or bounds == [None] * 3, name
        assert not (known and item["reason_null"]), name
        if item["value"] is None:
            assert not known, name
            assert item["reason_null"], name
        elif FACTS.match(name):
            assert not known, name
        else:
            assert known or item["reason_null"], name
        if known:
            assert item["low"] <= item["value"] <= item["high"], name
            assert item["low"] < item["high"], name
            assert "interval: " in item["method"], name


def test_only_a_proportion_of_none_or_all_has_an_interval_without_a_standard_error(assignment) -> None:
    for name, item in assignment.results.items():
        if item["low"] is not None and "ece_expected" not in name:
            assert item["se"] > 0 or item["value"] in {0, 1}, name
    never_called = assignment.results["majority.test.f1.viral"]
    assert (never_called["value"], never_called["low"]) == (0, None)
    assert never_called["reason_null"].startswith("the same in every resample")


@pytest.mark.parametrize("study", ["assignment", "three_seeds"])
def test_every_result_names_a_file_of_its_own_analysis(study: str, request: pytest.FixtureRequest) -> None:
    built = request.getfixturevalue(study)
    for name, item in built.results.items():
        stage, _, file = item["artifact"].partition("/")
        assert (built.root / stage / file).is_file(), name
        if stage != "read" and not name.startswith("data"):
            assert ("@patient" in stage) == ("@patient" in name), name


def test_results_rest_on_the_pictures_of_their_own_split(assignment) -> None:
    records = pd.read_csv(assignment.root / "read" / "records.csv", dtype=str, keep_default_na=False)
    for analysis, split in product(ANALYSES, SPLITS):
        rows = records[assignment.table(f"split{analysis}", "split")["split"] == split]
        known = rows["patient_id"] != ""
        expected = len(rows), rows.loc[known, "patient_id"].nunique() + (~known).sum()
        for name in ("baseline{}.{}.accuracy", "improved{}.{}.f1.viral", "majority{}.{}.accuracy",
                     "improved_vs_baseline{}.{}.accuracy", "low_detail{}.{}.brier"):  # fmt: skip
            item = assignment.results[name.format(analysis, split)]
            assert (item["n"], item["clusters"]) == expected, name


def test_a_share_rests_on_the_pictures_it_is_a_share_of(assignment) -> None:
    n, support = (assignment.value(f"baseline.test.{name}") for name in ("n", "support.viral"))
    predicted = sum(assignment.value(f"baseline.test.confusion.{true}.viral") for true in CLASSES)
    rests_on = {m: assignment.results[f"baseline.test.{m}.viral"]["n"] for m in PER_CLASS}
    assert rests_on == {
        "sensitivity": support, "specificity": n - support,
        "ppv": predicted, "npv": n - predicted, "f1": n, "auroc": n,
    }  # fmt: skip
    assert assignment.results["baseline.test.sensitivity_at_90.viral"]["n"] == support
    assert assignment.results["baseline.test.specificity_at_90.abnormal"]["n"] == assignment.value(
        "baseline.test.support.healthy"
    )


def test_tables_say_the_same_as_the_results(assignment) -> None:
    results = assignment.results
    measures = assignment.table("evaluate.baseline", "measures").set_index(["split", "class"])
    assert list(measures) == [*PER_CLASS, "support"]
    for split, of, measure in product(SPLITS, (*CLASSES, "macro"), PER_CLASS):
        assert measures.loc[(split, of), measure] == results[f"baseline.{split}.{measure}.{of}"]["value"]
    confusion = assignment.table("evaluate.baseline", "confusion")
    n = {split: assignment.value(f"baseline.{split}.n") for split in SPLITS}
    assert confusion.groupby("split")["count"].sum().to_dict() == n
    for measure, curves in (("auroc", [*CLASSES, "macro", "micro"]), ("average_precision", CLASSES)):
        table = assignment.table("evaluate.baseline", measure)
        assert table["curve"].tolist() == curves * 2
        for row in table.to_dict("records"):
            item = results[f"baseline.{row['split']}.{measure}.{row['curve']}"]
            assert (row[measure], row["low"], row["high"]) == (item["value"], item["low"], item["high"])
    assert list(assignment.table("evaluate.baseline", "roc")) == ["split", "curve", "fpr", "tpr"]


def test_bands_lie_about_their_curves(assignment) -> None:
    bands = assignment.table("evaluate.improved", "bands")
    assert list(bands) == ["split", "kind", "curve", "x", "y", "low", "high"]
    drawn = set(zip(bands["split"], bands["kind"], bands["curve"], strict=True))
    curves = {("pr", c) for c in CLASSES} | {("roc", c) for c in (*CLASSES, "macro")}
    assert drawn == {(split, *curve) for split in SPLITS for curve in curves}
    assert (bands.groupby(["split", "kind", "curve"]).size() == 101).all()
    known = bands.dropna()
    assert len(known) > 0.95 * len(bands)
    assert ((known["low"] <= known["y"] + 1e-12) & (known["y"] <= known["high"] + 1e-12)).mean() > 0.98
    ends = bands[(bands["kind"] == "roc") & (bands["x"] == 1)]
    assert (ends[["y", "low", "high"]] == 1).all(axis=None)
    macro = bands[(bands["kind"] == "roc") & (bands["split"] == "test")].pivot(
        index="x", columns="curve", values="y"
    )
    np.testing.assert_allclose(macro["macro"], macro[CLASSES].mean(axis=1))


def test_undefined_values_are_null_with_the_reason(assignment, tmp_path: Path) -> None:
    """A model that calls every picture bacterial, on a test set without viral pneumonia."""
    table = assignment.table("predict.baseline", "predictions")
    table[CLASSES] = [0.7, 0.1, 0.1, 0.1]
    table.loc[(table["split"] == "test") & (table["y_true"] == "viral"), "y_true"] = "healthy"
    table.to_csv(tmp_path / "predictions.csv", index=False)
    inputs = {
        "predictions": tmp_path,
        "records": assignment.root / "read",
        "split": assignment.root / "split",
    }
    evaluate(
        inputs, tmp_path, scratch=tmp_path, progress=silent, model="poor", classes=CLASSES, normal="healthy",
        splits=SPLITS, class_balance="none",
    )  # fmt: skip
    results = json.loads((tmp_path / "results.json").read_text(), parse_constant=pytest.fail)
    reasons = {
        name.removeprefix("poor.test."): item["reason_null"]
        for name, item in results.items()
        if item["value"] is None and ".test." in name
    }
    expected = {
        "ppv.covid_19": "class never predicted",
        "ppv.macro": "undefined for covid_19, healthy, viral",
        "npv.bacterial": "no other class ever predicted",
        "sensitivity.viral": "no image of this class",
        "f1.viral": "class neither present nor predicted",
        "auroc.macro": "undefined for viral",
        "average_precision.viral": "no image of this class",
        "mcc": "truths or predictions are all of one class",
        "mcc.viral": "truths or predictions are all on one side",
        "sensitivity_at_90.viral": "no image or no threshold",
        "ppv_at_90.prevalence_10": "no image is predicted positive, or none negative",
    }
    assert {name: reasons.get(name) for name in expected} == expected
    assert "accuracy" not in reasons
    assert "f1.bacterial" not in reasons
    # One score for all: no threshold keeps any negative out, so nothing is called positive.
    assert results["poor.val.threshold_at_90.viral"]["value"] is None
    assert results["poor.test.sensitivity_at_90.bacterial"]["value"] == 0
    assert results["poor.test.specificity_at_90.bacterial"]["value"] == 1
    assert pd.read_csv(tmp_path / "auroc.csv")["auroc"].isna().sum() == 2


@pytest.mark.parametrize("analysis", ANALYSES)
def test_the_majority_floor_calls_the_commonest_class_of_train(assignment, analysis: str) -> None:
    counts = {c: assignment.value(f"data{analysis}.train.count.{c}") for c in CLASSES}
    assert max(counts, key=counts.get) == "bacterial"
    for split in SPLITS:
        floor = {
            name: assignment.results[f"majority{analysis}.{split}.{name}"]
            for name in ("accuracy", "f1.macro")
        }
        share = assignment.value(f"data{analysis}.{split}.share.bacterial")
        assert floor["accuracy"]["value"] == share
        assert floor["f1.macro"]["value"] == pytest.approx(2 * share / (1 + share) / 4)
        assert floor["f1.macro"]["low"] < floor["f1.macro"]["value"] < floor["f1.macro"]["high"]


def test_facts_of_the_data(assignment) -> None:
    records = pd.read_csv(assignment.root / "read" / "records.csv", dtype=str, keep_default_na=False)
    records["split"] = assignment.table("split", "split")["split"]
    train = records[records["split"] == "train"]
    test = records[records["split"] == "test"]
    expected = {
        "data.annotations_found": 600,
        "data.images_found": 602,
        "data.excluded": 2,
        "data.excluded.ct_slice": 2,
        "data.images": 600,
        "data.patients": 300 + 60,  # of 60 pairs the first picture has no known patient
        "data.all.count.viral": (records["label"] == "viral").sum(),
        "data.train.count": len(train),
        "data.train.share.viral": (train["label"] == "viral").mean(),
        "data.test.same_patient_in_train": (
            (test["patient_id"] != "") & test["patient_id"].isin(train["patient_id"])
        ).sum(),
        "data.test.exact_duplicate_elsewhere": 0,
        "data@patient.test.same_patient_in_train": 0,
        "data@patient.val.same_patient_in_train": 0,
        "improved.architecture.parameters": 10,
    }
    assert {name: assignment.value(name) for name in expected} == expected
    assert expected["data.test.same_patient_in_train"] > 0
    assert assignment.of("results")["study"] == {"classes": CLASSES, "models": MODELS}


def test_results_are_the_same_bytes_again(assignment, tmp_path: Path) -> None:
    for stage in ("evaluate.improved@patient", "compare", "results"):
        again = assignment.again(stage, tmp_path / stage)
        names = {path.name for path in again.iterdir()}
        assert names == {path.name for path in (assignment.root / stage).iterdir()}
        for name in names:
            assert (again / name).read_bytes() == (assignment.root / stage / name).read_bytes(), (stage, name)
    assert (tmp_path / "results" / "results.json").read_bytes().endswith(b"}\n")


def test_a_study_without_a_normal_class_has_no_operating_point_of_any_disease(
    assignment, tmp_path: Path
) -> None:
    out = assignment.again("evaluate.baseline", tmp_path / "out", normal=None)
    without, usual = json.loads((out / "results.json").read_text()), assignment.of("evaluate.baseline")
    left_out = usual.keys() - without.keys()
    assert left_out == {name for name in usual if "abnormal" in name or "prevalence" in name}
    assert {name: usual[name] for name in without} == without
    assert not (out / "decision.csv").exists()
    assert not (out / "predictive.csv").exists()


def test_an_undefined_entry_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        entry(float("nan"), "count", Basis("a.csv"))
    whole = entry(np.int64(3), "count", Basis("a.csv"), reason_null="never")
    assert type(whole["value"]) is int
    assert whole["reason_null"] is None


def test_nothing_here_imports_a_network_library() -> None:
    for path in Path(evaluation.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in {"tensorflow", "keras"} for name in names), path

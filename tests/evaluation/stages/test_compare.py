"""Differences, tests and verdicts of models on the same pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn import metrics as reference
from threadpoolctl import threadpool_limits

from analysis.errors import DataError
from analysis.evaluation import settings as fixed
from analysis.evaluation.predictions import Predictions, read_predictions
from analysis.evaluation.stages.compare import compare
from analysis.evaluation.statistics import power, resampling, significance
from analysis.evaluation.statistics.intervals import auroc_difference, auroc_influences
from analysis.evaluation.statistics.metrics import f1, macro
from analysis.evaluation.statistics.verdict import Evidence, Rule, decide
from analysis.progress import silent

slow = partial(pytest.param, marks=pytest.mark.slow)
"""Of two conditions that have nothing to do with each other: either is tried with another of the other every time."""
CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SPLITS = ["val", "test"]
# A seed and a skill each: b is clearly better than a, c a little, and twin of the same skill.
MODELS = {"a": (1, 1.2), "b": (2, 3.0), "c": (7, 1.3), "twin": (5, 1.2), "low_detail": (4, 0.5)}


FEW = 1_000
"""Resamples of the declared difference, in the place of ten thousand: enough for p below 1/32 and for the ends of intervals."""


@dataclass(frozen=True)
class Compared:
    """The predictions that were compared, and what the stage wrote."""

    folder: Path
    inputs: dict[str, Path]

    @cached_property
    def results(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            (self.folder / "results.json").read_text(), parse_constant=pytest.fail
        )
        return found

    @cached_property
    def verdicts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "verdicts.json").read_text())
        return found

    def value(self, name: str) -> Any:
        return self.results[name]["value"]

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"{name}.csv", keep_default_na=False)

    def predictions(self, name: str, split: str = "test") -> Predictions:
        return read_predictions(self.inputs[name] / "predictions.csv", CLASSES, SPLITS)[split]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, prediction_table) -> dict[str, Path]:
    """The predictions of each of ``MODELS``."""
    folders = {name: tmp_path_factory.mktemp(name) for name in MODELS}
    for name, (seed, skill) in MODELS.items():
        tables = [prediction_table(seed, split=split, skill=skill) for split in SPLITS]
        pd.concat(tables).to_csv(folders[name] / "predictions.csv", index=False)
    return folders


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, inputs: dict[str, Path]):
    """Return a function that compares models with a baseline, and takes other settings of the stage.

    It draws a tenth of the resamples unless it is asked for ``all_draws``.
    """

    def compared(
        baseline: str | None, against: Sequence[str], *, all_draws: bool = False, **changes: Any
    ) -> Compared:
        out = tmp_path_factory.mktemp("compare")
        given = changes.pop("inputs", inputs)
        networks = {name: [name] for name in (baseline or "a", *against)}
        settings = {
            "analysis": "", "classes": CLASSES, "splits": SPLITS, "networks": networks, "reference": "low_detail",
            "baseline": baseline, "against": against, "primary": "f1.macro", "split": "test", "margin": 0.03,
            "alpha": 0.05, "declared_late": False, "corrections": (),
        }  # fmt: skip
        with threadpool_limits(1), pytest.MonkeyPatch.context() as patch:
            if not all_draws:
                patch.setattr(fixed, "DECLARED_RESAMPLES", FEW)
                patch.setattr(fixed, "RESAMPLES", 200)
            compare(given, out, scratch=out, progress=silent, **{**settings, **changes})
        return Compared(out, given)

    return compared


@pytest.fixture(scope="module")
def one(run) -> Compared:
    """Model c against a: better by little."""
    return run("a", ["c"])


@pytest.fixture(scope="module")
def family(run) -> Compared:
    """Two declared comparisons: b against a is clear, c against a is not."""
    return run("a", ["b", "c"])


def f1_macro(p: Predictions) -> float:
    return float(reference.f1_score(p.y_true, p.y_pred, average="macro"))


def drawn(a: Predictions, b: Predictions, weights: np.ndarray) -> np.ndarray:
    """Return the difference b - a of macro F1 in each resample."""
    each = [macro(f1(resampling.confusion_matrices(weights, p.y_true, p.y_pred, 4))) for p in (a, b)]
    return np.asarray(each[1] - each[0])


def test_differences_are_those_of_the_measures(one: Compared) -> None:
    for split in SPLITS:
        a, b = (one.predictions(name, split) for name in "ac")
        expected = {
            "f1.macro": f1_macro(b) - f1_macro(a),
            "accuracy": np.mean(b.y_pred == b.y_true) - np.mean(a.y_pred == a.y_true),
            "mcc": reference.matthews_corrcoef(b.y_true, b.y_pred)
            - reference.matthews_corrcoef(a.y_true, a.y_pred),
            "auroc.macro": reference.roc_auc_score(b.y_true, b.y_score, multi_class="ovr")
            - reference.roc_auc_score(a.y_true, a.y_score, multi_class="ovr"),
            "log_loss": reference.log_loss(b.y_true, b.y_score) - reference.log_loss(a.y_true, a.y_score),
        }
        for name, difference in expected.items():
            item = one.results[f"c_vs_a.{split}.{name}"]
            assert item["value"] == pytest.approx(difference, abs=1e-12), name
            assert item["low"] < item["value"] < item["high"], name
            assert (item["n"], item["clusters"], item["level"]) == (120, 72, 0.95)


def test_swapping_the_models_turns_every_sign(one: Compared, run) -> None:
    swapped = run("c", ["a"])
    there = {n.removeprefix("c_vs_a."): i for n, i in one.results.items() if n.startswith("c_vs_a.")}
    back = {n.removeprefix("a_vs_c."): i for n, i in swapped.results.items() if n.startswith("a_vs_c.")}
    assert there.keys() == back.keys()
    same = (
        "both_right",
        "both_wrong",
        "sign_flip_p",
        "sign_flip_deff",
        "p",
        "p_holm",
        "detectable_difference",
    )
    turned = {"fixed": "broken", "broken": "fixed"}
    for name, item in there.items():
        split, _, measure = name.partition(".")
        kind, dot, of = measure.partition(".")
        if kind in turned:
            assert item["value"] == back[f"{split}.{turned[kind]}{dot}{of}"]["value"], name
        elif kind in same:
            assert item["value"] == pytest.approx(back[name]["value"]), name
        elif kind == "false_better":
            assert item["value"] + back[name]["value"] == pytest.approx(1)
        else:
            ends = [-item["value"], -item["high"], -item["low"], item["se"]]
            assert [back[name][key] for key in ("value", "low", "high", "se")] == pytest.approx(ends), name
    opposite = {"better": "worse", "worse": "better"}
    said = one.verdicts[0]["verdict"]
    assert swapped.verdicts[0]["verdict"] == opposite.get(said, said)


def test_a_verdict_turns_too(family: Compared, run) -> None:
    assert family.verdicts[0]["verdict"] == "better"
    assert run("b", ["a"]).verdicts[0]["verdict"] == "worse"


def test_the_declared_interval_and_p_follow_the_definitions(run) -> None:
    one = run("a", ["c"], all_draws=True)
    a, c = one.predictions("a"), one.predictions("c")
    patients = resampling.clusters(a.patient_id, a.y_true)
    draws = drawn(a, c, resampling.bootstrap(patients, 10_000))
    primary, narrow = (one.results[f"c_vs_a.test.{name}"] for name in ("primary", "equivalence"))
    for item, level in ((primary, 0.95), (narrow, 0.9)):
        ends = [float(end) for end in resampling.percentile(draws, level)]
        assert [item["low"], item["high"], item["level"]] == pytest.approx([*ends, level])
    assert primary["se"] == pytest.approx(draws.std(ddof=1))
    below, above = (draws <= 0).sum(), (draws >= 0).sum()
    assert one.value("c_vs_a.test.p") == pytest.approx(min(1, 2 * min(1 + below, 1 + above) / 10_001))
    assert one.value("c_vs_a.test.p_holm") == one.value("c_vs_a.test.p")
    detectable = (norm.ppf(0.975) + 0.8416) * draws.std(ddof=1)
    assert one.value("c_vs_a.test.detectable_difference") == pytest.approx(detectable, rel=1e-4)
    weighted = drawn(a, c, resampling.bayesian(patients, 10_000))
    assert one.value("c_vs_a.test.false_better") == np.mean(weighted <= 0)
    assert "c_vs_a.val.primary" not in one.results


def test_two_declared_comparisons_are_one_family(family: Compared) -> None:
    p = [family.value(f"{pair}.test.p") for pair in ("b_vs_a", "c_vs_a")]
    steps = significance.holm(p, 0.05)
    assert p[0] < p[1]
    for pair, step in zip(("b_vs_a", "c_vs_a"), steps, strict=True):
        assert family.value(f"{pair}.test.p_holm") == step.adjusted
        assert family.results[f"{pair}.test.primary"]["level"] == step.level
        assert family.results[f"{pair}.test.equivalence"]["level"] == 0.9
        assert "2 declared" in family.results[f"{pair}.test.p_holm"]["method"]
        detectable = (norm.ppf(1 - 0.05 / 4) + 0.8416) * family.results[f"{pair}.test.primary"]["se"]
        assert family.value(f"{pair}.test.detectable_difference") == pytest.approx(detectable, rel=1e-4)
    # The smaller p is tested at .05/2; it is found, so the other one is tested at .05.
    assert family.value("b_vs_a.test.p_holm") == 2 * p[0] < 0.05
    assert [family.results[f"{pair}.test.primary"]["level"] for pair in ("b_vs_a", "c_vs_a")] == [0.975, 0.95]


def test_without_a_discovery_every_interval_is_at_the_first_level(run) -> None:
    found = run("a", ["c", "twin"])
    for pair in ("c_vs_a", "twin_vs_a"):
        assert found.value(f"{pair}.test.p_holm") > 0.05
        assert found.results[f"{pair}.test.primary"]["level"] == 0.975


def test_the_verdict_agrees_with_the_printed_interval(family: Compared, one: Compared) -> None:
    seen = set()
    for compared, said in [(found, said) for found in (family, one) for said in found.verdicts]:
        start = f"{said['pair']}.test"
        item, narrow = (compared.results[f"{start}.{name}"] for name in ("primary", "equivalence"))
        p, detectable = (compared.value(f"{start}.{name}") for name in ("p_holm", "detectable_difference"))
        assert (said["verdict"] == "better") == (item["low"] > 0)
        assert (said["verdict"] == "worse") == (item["high"] < 0)
        assert (p <= 0.05) == (not item["low"] <= 0 <= item["high"])
        ends = narrow["low"], narrow["high"]
        evidence = Evidence(item["value"], p, ends, detectable)
        rule = Rule(said["measure"], said["margin"], said["alpha"])
        assert said["verdict"] == decide(evidence, rule)
        seen.add(said["verdict"])
    assert len(seen) > 1


@pytest.mark.parametrize(("margin", "verdict"), [(0.19, "not_distinguishable"), (0.5, "equivalent")])
def test_the_margin_changes_what_is_said_and_no_number(
    run, one: Compared, margin: float, verdict: str
) -> None:
    other = run("a", ["c"], margin=margin)
    assert (one.verdicts[0]["verdict"], other.verdicts[0]["verdict"]) == ("underpowered", verdict)
    assert other.results == one.results


def test_alpha_sets_the_level(run) -> None:
    found = run("a", ["b", "c"], alpha=0.2)
    assert [found.results[f"{pair}.test.primary"]["level"] for pair in ("b_vs_a", "c_vs_a")] == [0.9, 0.8]
    detectable = (norm.ppf(1 - 0.2 / 4) + 0.8416) * found.results["b_vs_a.test.primary"]["se"]
    assert found.value("b_vs_a.test.detectable_difference") == pytest.approx(detectable, rel=1e-4)


def test_facts_beside_a_verdict(run, inputs: dict[str, Path]) -> None:
    named = {f"{name}@patient": folder for name, folder in inputs.items()}
    found = run(
        "a", ["c"], analysis="@patient", inputs=named, networks={m: [f"{m}@patient"] for m in "ac"},
        declared_late=True, primary="accuracy",
    )  # fmt: skip
    assert found.verdicts == [
        {
            "pair": "c_vs_a@patient", "a": "a", "b": "c", "analysis": "@patient", "measure": "accuracy",
            "split": "test", "verdict": "underpowered", "margin": 0.03, "alpha": 0.05, "seeds": 1,
            "declared_late": True,
        }
    ]  # fmt: skip
    assert {name.partition(".")[0] for name in found.results} == {
        f"{owner}@patient" for owner in ("c_vs_a", "a_vs_low_detail", "c_vs_low_detail", "planning")
    }
    assert found.results["planning@patient.test.detectable_gain.discordance_20"]["artifact"] == (
        "split@patient/split.csv"
    )


def test_a_comparison_may_be_declared_on_validation(run) -> None:
    found = run("a", ["c"], split="val")
    names = {name.split(".")[1] for name in found.results if name.endswith((".primary", ".p_holm"))}
    assert names == {"val"}
    assert found.verdicts[0]["split"] == "val"


def test_differences_of_areas_have_delongs_interval_by_patients(one: Compared) -> None:
    a, c = one.predictions("a"), one.predictions("c")
    influences = [auroc_influences(p) for p in (a, c)]
    for of in (*CLASSES, "macro"):
        item = one.results[f"c_vs_a.test.auroc.{of}"]
        phi = influences[1][f"auroc.{of}"] - influences[0][f"auroc.{of}"]
        expected = auroc_difference(item["value"], phi, a.patient_id, 0.95)
        assert (item["low"], item["high"], item["se"]) == (expected.low, expected.high, expected.se)
        assert "DeLong" in item["method"]
    assert "bootstrap" in one.results["c_vs_a.test.auroc.micro"]["method"]


def test_an_area_as_primary_measure_is_decided_by_the_resamples(run) -> None:
    found = run("a", ["b"], primary="auroc.macro")
    declared, explored = (found.results[f"b_vs_a.test.{name}"] for name in ("primary", "auroc.macro"))
    assert declared["value"] == explored["value"] > 0
    assert "bootstrap" in declared["method"]
    assert [declared["low"], declared["high"]] == pytest.approx([explored["low"], explored["high"]], abs=0.02)
    assert found.verdicts[0]["verdict"] == "better"
    assert found.value("b_vs_a.test.false_better") < 0.01


def test_every_model_is_compared_with_the_low_detail_baseline(family: Compared) -> None:
    for name in "abc":
        for split in SPLITS:
            model, floor = (family.predictions(of, split) for of in (name, "low_detail"))
            difference = f1_macro(model) - f1_macro(floor)
            assert family.value(f"{name}_vs_low_detail.{split}.f1.macro") == pytest.approx(difference)
    assert {n for n in family.results if "_vs_low_detail" in n} == {
        f"{name}_vs_low_detail.{split}.f1.macro" for name in "abc" for split in SPLITS
    }


def test_of_a_pair_between_only_the_primary_difference_is_told(run) -> None:
    found = run("a", ["b"], networks={m: [m] for m in "abc"}, between=[("b", "c")])
    turned = run("a", ["b"], networks={m: [m] for m in "abc"}, between=[("c", "b")])
    assert {name for name in found.results if name.startswith("c_vs_b.")} == {
        "c_vs_b.val.f1.macro",
        "c_vs_b.test.f1.macro",
    }
    one, other = found.results["c_vs_b.test.f1.macro"], turned.results["b_vs_c.test.f1.macro"]
    assert one["low"] is not None and one["value"] == pytest.approx(-other["value"])
    assert [verdict["b"] for verdict in found.verdicts] == ["b"]


def test_a_study_that_declares_no_comparison_is_held_against_the_floor_alone(run) -> None:
    found = run(None, [], networks={"a": ["a"], "b": ["b"]}, margin=None)
    assert found.verdicts == []
    assert found.results.keys() == {f"{m}_vs_low_detail.{s}.f1.macro" for m in "ab" for s in SPLITS}
    assert {path.name for path in found.folder.iterdir()} == {"results.json", "verdicts.json"}


def test_images_that_changed_sides_are_listed_the_largest_changes_first(family: Compared) -> None:
    flips, moved = family.table("flips.b"), family.table("moved.b")
    for split in SPLITS:
        a, b = (family.predictions(name, split) for name in "ab")
        rows = flips[flips["split"] == split]
        places = [a.image_id.tolist().index(image) for image in rows["image_id"]]
        for side, p in (("a", a), ("b", b)):
            assert rows[f"said_{side}"].tolist() == [CLASSES[k] for k in p.y_pred[places]]
            assert rows[f"p_said_{side}"].to_numpy() == pytest.approx(p.y_score[places].max(axis=1))
        true = a.y_true[places]
        assert rows["change"].to_numpy() == pytest.approx(b.y_score[places, true] - a.y_score[places, true])
        assert ((rows["said_b"] == rows["y_true"]) == (rows["direction"] == "fixed")).all()
        counts = moved[moved["split"] == split].set_index("y_true")
        for (true_class, direction), mine in rows.groupby(["y_true", "direction"]):
            column = {"fixed": "a_wrong_b_right", "broken": "a_right_b_wrong"}[direction]
            assert len(mine) == counts.loc[true_class, column]
            assert mine["change"].abs().is_monotonic_decreasing
            assert (mine["number"] != "").tolist() == [k < 3 for k in range(len(mine))]
        numbers = [int(number) for number in rows["number"] if number]
        assert numbers == list(range(1, len(numbers) + 1))


def test_pictures_that_changed_sides(family: Compared) -> None:
    moved = family.table("moved.b")
    assert list(moved) == [
        "split", "y_true", "a_right_b_wrong", "a_wrong_b_right", "both_right", "both_wrong",
    ]  # fmt: skip
    for split in SPLITS:
        a, b = (family.predictions(name, split) for name in "ab")
        right = [p.y_pred == p.y_true for p in (a, b)]
        fixed, broken = ~right[0] & right[1], right[0] & ~right[1]
        start = f"b_vs_a.{split}"
        assert [family.value(f"{start}.{name}") for name in ("fixed", "broken")] == [
            fixed.sum(),
            broken.sum(),
        ]
        rows = moved[moved["split"] == split].set_index("y_true")
        assert rows["a_wrong_b_right"].to_dict() == {
            c: fixed[a.y_true == k].sum() for k, c in enumerate(CLASSES)
        }
        assert rows.drop(columns="split").to_numpy().sum() == 120
        for c in CLASSES:
            assert family.value(f"{start}.broken.{c}") == rows.loc[c, "a_right_b_wrong"]
        gain = (fixed.sum() - broken.sum()) / 120
        assert family.value(f"{start}.accuracy") == pytest.approx(gain)
        test = significance.sign_flip(*right, a.patient_id)
        assert (family.value(f"{start}.sign_flip_p"), family.value(f"{start}.sign_flip_deff")) == (
            test.p,
            test.deff,
        )


def test_the_table_of_differences_says_the_same_as_the_results(family: Compared) -> None:
    rows = family.table("differences.c")
    assert list(rows) == ["split", "measure", "class", "a", "b", "difference", "low", "high", "level"]
    assert rows["measure"].iloc[0] == "accuracy"
    assert rows["class"].iloc[0] == ""
    assert (
        rows[rows["measure"] == "f1"]["class"].tolist()
        == [
            *CLASSES,
            "macro",
            *(f"macro_without_{c}" for c in CLASSES),
        ]
        * 2
    )
    for row in rows.to_dict("records"):
        of = f".{row['class']}" if row["class"] else ""
        item = family.results[f"c_vs_a.{row['split']}.{row['measure']}{of}"]
        assert [row[key] for key in ("difference", "low", "high", "level")] == [
            item[key] for key in ("value", "low", "high", "level")
        ]
        assert row["b"] - row["a"] == pytest.approx(row["difference"])
    assert not any("support" in name or "confusion" in name for name in family.results)


DECIDED = ("p", "p_holm", "detectable_difference", "false_better")


def test_two_models_that_say_the_same_are_not_compared(run, inputs: dict[str, Path]) -> None:
    found = run("a", ["c"], inputs={**inputs, "c": inputs["a"]})
    assert found.verdicts[0]["verdict"] == "cannot_be_decided"
    why = "the models do not differ on any image: no variation to judge by"
    for name in ("f1.macro", "primary", "equivalence", "auroc.macro", "accuracy"):
        item = found.results[f"c_vs_a.test.{name}"]
        assert (item["value"], item["low"], item["level"], item["reason_null"]) == (0, None, None, why)
    for name in DECIDED:
        item = found.results[f"c_vs_a.test.{name}"]
        assert (item["value"], item["reason_null"]) == (None, why)
    assert found.value("c_vs_a.test.sign_flip_p") == 1
    assert found.results["c_vs_a.test.sign_flip_deff"]["reason_null"].startswith("no image that only one")


@pytest.fixture(scope="module")
def few(run, inputs, tmp_path_factory: pytest.TempPathFactory):
    """Return a function that compares a with a model that is right about more pictures, those of so many patients."""

    def compared(patients: int, *, pictures: int = 1, copies: int = 1, **changes: Any) -> Compared:
        base = pd.read_csv(inputs["a"] / "predictions.csv", keep_default_na=False)
        base["patient_id"] = [f"p{i // pictures}" for i in range(len(base))]
        wrong = base.assign(**dict.fromkeys(CLASSES, 0.1))
        wrong["bacterial"] = np.where(wrong["y_true"] == "bacterial", 0.1, 0.7)
        wrong["viral"] = np.where(wrong["y_true"] == "bacterial", 0.7, 0.1)
        folders = {}
        for name in ("a", *[f"b{i}" for i in range(copies)]):
            table = wrong.copy()
            if name != "a":
                test = table.index[table["split"] == "test"][: patients * pictures]
                for label in CLASSES:
                    table.loc[test, label] = np.where(table.loc[test, "y_true"] == label, 0.7, 0.1)
            folders[name] = tmp_path_factory.mktemp(name)
            table.to_csv(folders[name] / "predictions.csv", index=False)
        given = {**inputs, **folders, "low_detail": folders["a"]}
        return run("a", list(folders)[1:], inputs=given, primary="accuracy", **changes)

    return compared


@pytest.mark.parametrize(
    ("patients", "pictures"), [(1, 1), (2, 1), (5, 1), (6, 1), slow(1, 10), slow(2, 10), (5, 10), (6, 10)]
)
def test_fewer_than_six_patients_decide_nothing(few, patients: int, pictures: int) -> None:
    """The sign-flip's smallest p is 2^(1 - G): 1/16 of five patients, 1/32 of six."""
    found = few(patients, pictures=pictures)
    said, start = found.verdicts[0]["verdict"], "b0_vs_a.test"
    p = found.value(f"{start}.sign_flip_p")
    assert p == pytest.approx(min(1, 2 ** (1 - patients)))
    if patients == 6:
        assert said == "better"
        assert found.value(f"{start}.p") == pytest.approx(1 / 32)
        assert found.results[f"{start}.primary"]["low"] > 0
        return
    assert said == "cannot_be_decided"
    one = f"{patients} patient{'s' * (patients > 1)}"
    why = f"the models differ on images of {one}, and fewer than 6 cannot decide at 0.05"
    for name in ("primary", "accuracy", "equivalence"):
        item = found.results[f"{start}.{name}"]
        assert (item["value"], item["low"], item["reason_null"]) == (
            pytest.approx(patients * pictures / 120),
            None,
            why,
        )
    assert [found.value(f"{start}.{name}") for name in DECIDED] == [None] * 4
    floor = found.results["b0_vs_low_detail.test.accuracy"]
    assert (floor["low"], floor["reason_null"]) == (None, why)


def test_twenty_patients_decide(few) -> None:
    found = few(20)
    assert found.verdicts[0]["verdict"] == "better"
    assert found.value("b0_vs_a.test.p") == pytest.approx(2 / (FEW + 1))
    assert few(20, margin=0.5).verdicts[0]["verdict"] == "better"


def test_two_patients_are_not_equivalent_either(few) -> None:
    assert few(2, margin=0.5).verdicts[0]["verdict"] == "cannot_be_decided"


def test_of_a_family_of_two_six_patients_each_are_too_few(few) -> None:
    """1/32 is more than .05/2, the level of the first of two tests; seven patients are enough."""
    found = few(6, copies=2)
    assert [said["verdict"] for said in found.verdicts] == ["cannot_be_decided"] * 2
    assert found.results["b0_vs_a.test.primary"]["reason_null"].endswith(
        "fewer than 7 cannot decide at 0.025"
    )
    assert [said["verdict"] for said in few(7, copies=2).verdicts] == ["better"] * 2


def collapsed(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return what a network says that calls every picture ``label``."""
    others = dict.fromkeys(CLASSES, 0.1)
    return table.assign(**(others | {label: 0.7}))


@pytest.mark.parametrize(
    ("primary", "labels"),
    [
        ("f1.macro", ("viral", "viral")),
        *((primary, ("viral", "healthy")) for primary in ("f1.macro", "accuracy", "auroc.macro")),
        slow("sensitivity.macro", ("viral", "healthy")),
        *(slow(primary, ("viral", "viral")) for primary in ("sensitivity.macro", "accuracy", "auroc.macro")),
    ],
)
def test_networks_of_one_answer_each_have_no_verdict(
    run, inputs, tmp_path: Path, labels: tuple[str, str], primary: str
) -> None:
    given = dict(inputs)
    for name, label in zip("ac", labels, strict=True):
        given[name] = tmp_path / name
        given[name].mkdir()
        table = collapsed(pd.read_csv(inputs[name] / "predictions.csv"), label)
        table.to_csv(given[name] / "predictions.csv", index=False)
    found = run("a", ["c"], inputs=given, primary=primary, margin=0.5)
    item = found.results["c_vs_a.test.primary"]
    assert found.verdicts[0]["verdict"] == "cannot_be_decided"
    assert item["low"] is None
    assert item["reason_null"].endswith("no variation to judge by")


def test_differences_by_few_patients_of_a_class_have_no_interval(run, inputs, tmp_path: Path) -> None:
    """Of covid_19 the models differ on pictures of two patients, of all classes on more."""
    table = pd.read_csv(inputs["a"] / "predictions.csv", keep_default_na=False)
    rows = table.index[(table["split"] == "test") & (table["y_true"] == "covid_19")]
    predicted = table.loc[rows, CLASSES].to_numpy().argmax(axis=1)
    changed = rows[predicted != 1][:2]
    others = table.index[(table["split"] == "test") & (table["y_true"] == "healthy")][:15]
    table.loc[changed, CLASSES] = [0, 1, 0, 0]
    table.loc[others, CLASSES] = [0, 0, 0, 1]
    table.to_csv(tmp_path / "predictions.csv", index=False)
    found = run("a", ["c"], inputs={**inputs, "c": tmp_path})
    of_class = found.results["c_vs_a.test.sensitivity.covid_19"]
    assert of_class["value"] > 0
    assert of_class["low"] is None
    assert of_class["reason_null"].startswith("the models differ on images of ")
    assert found.results["c_vs_a.test.sensitivity.healthy"]["low"] is not None


def test_an_undefined_measure_has_no_difference_and_no_verdict(run, inputs, tmp_path: Path) -> None:
    table = pd.read_csv(inputs["c"] / "predictions.csv")
    table["bacterial"] += table["covid_19"]
    table["covid_19"] = 0
    table.to_csv(tmp_path / "predictions.csv", index=False)
    found = run("a", ["c", "b"], inputs={**inputs, "c": tmp_path}, primary="ppv.macro")
    item = found.results["c_vs_a.test.ppv.macro"]
    assert (item["value"], item["reason_null"]) == (None, "undefined for b")
    assert [said["verdict"] for said in found.verdicts] == [None, "better"]
    assert "c_vs_a.test.primary" not in found.results
    assert found.results["b_vs_a.test.primary"]["level"] == 0.975, "it stays one of two that were declared"
    rows = found.table("differences.c").set_index(["split", "measure", "class"])
    assert rows.loc[("test", "ppv", "covid_19"), ["b", "difference", "low"]].tolist() == ["", "", ""]


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_difference_that_resamples_often_leave_undefined_has_no_verdict(
    run, inputs, tmp_path: Path, seeds: int
) -> None:
    """Model c calls one picture covid_19: in a third of the resamples its PPV is undefined."""
    table = pd.read_csv(inputs["c"] / "predictions.csv")
    table["bacterial"] += table["covid_19"]
    table["covid_19"] = 0
    for split in SPLITS:
        row = table.index[(table["split"] == split) & (table["y_true"] == "covid_19")][0]
        table.loc[row, CLASSES] = [0, 1, 0, 0]
    table.to_csv(tmp_path / "predictions.csv", index=False)
    given = {**inputs, "c": tmp_path, "a2": inputs["twin"], "a3": inputs["b"], "c2": tmp_path, "c3": tmp_path}
    networks = {m: [m, f"{m}2", f"{m}3"][:seeds] for m in "ac"}
    found = run("a", ["c"], inputs=given, networks=networks, primary="ppv.macro")
    item = found.results["c_vs_a.test.ppv.macro"]
    assert item["value"] is not None
    assert (item["low"], item["reason_null"]) == (None, "undefined in more than 5 % of the resamples")
    assert found.verdicts[0]["verdict"] is None


def test_planning_rests_on_the_number_of_pictures_alone(one: Compared, family: Compared) -> None:
    for share in (5, 10, 20, 30):
        name = f"planning.test.detectable_gain.discordance_{share}"
        item = one.results[name]
        assert (item["n"], item["artifact"]) == (120, "split/split.csv")
        assert item == family.results[name]
        gain = power.detectable_gain(120, share / 100)
        assert item["value"] == (None if np.isnan(gain) else gain)
        assert (item["value"] is None) == bool(item["reason_null"])


def reordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[::-1]


def relabelled(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(y_true=table["y_true"].replace("viral", "healthy"))


def shortened(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[:-1]


@pytest.mark.parametrize(("change", "split"), [(reordered, "val"), (relabelled, "val"), (shortened, "test")])
@pytest.mark.parametrize("model", ["c", "low_detail"])
def test_models_must_have_seen_the_same_pictures(
    run, inputs, tmp_path: Path, model: str, change, split: str
) -> None:
    change(pd.read_csv(inputs[model] / "predictions.csv")).to_csv(tmp_path / "predictions.csv", index=False)
    with pytest.raises(DataError, match=f"a and {model}, split {split}: .* not given the same images"):
        run("a", ["c"], inputs={**inputs, model: tmp_path})


def collapsed_seeds(inputs: dict[str, Path], folder: Path, labels: dict[str, str]) -> dict[str, Path]:
    """Return predictions of trainings by name: those named in ``labels`` call all pictures that class."""
    given = dict(inputs)
    for name, label in labels.items():
        given[name] = folder / name
        given[name].mkdir()
        table = pd.read_csv(inputs["a"] / "predictions.csv", keep_default_na=False)
        (collapsed(table, label) if label else table).to_csv(given[name] / "predictions.csv", index=False)
    return given


@pytest.mark.parametrize("label", ["viral", ""], ids=["one answer", "equal predictions"])
def test_three_seeds_that_all_say_the_same_divide_by_nothing(run, inputs, tmp_path: Path, label: str) -> None:
    networks = {m: [f"{m}{seed}" for seed in (1, 2, 3)] for m in "xy"}
    given = collapsed_seeds(
        inputs, tmp_path, dict.fromkeys([n for names in networks.values() for n in names], label)
    )
    found = run("x", ["y"], inputs=given, networks=networks)
    why = "the models do not differ on any image: no variation to judge by"
    item = found.results["y_vs_x.test.primary"]
    assert (found.verdicts[0]["verdict"], found.verdicts[0]["seeds"]) == ("cannot_be_decided", 3)
    assert (item["value"], item["low"], item["reason_null"]) == (pytest.approx(0), None, why)
    assert not [name for name in found.results if ".variance." in name]


def test_one_collapsed_network_of_three_seeds_widens_the_interval(run, inputs, tmp_path: Path) -> None:
    networks = {"x": ["a", "twin", "c"], "y": ["b", "b2", "y3"]}
    given = collapsed_seeds(inputs, tmp_path, {"y3": "viral"}) | {"b2": inputs["b"]}
    one = run("x", ["y"], inputs=given, networks=networks)
    all_well = run("x", ["y"], inputs={**given, "y3": inputs["b"]}, networks=networks)
    widths = [
        f.results["y_vs_x.test.primary"]["high"] - f.results["y_vs_x.test.primary"]["low"]
        for f in (one, all_well)
    ]
    assert widths[0] > 3 * widths[1]
    assert one.verdicts[0]["verdict"] == "underpowered"
    assert one.value("y_vs_x.test.variance.b") > one.value("y_vs_x.test.variance.patients")


@pytest.mark.parametrize(
    ("primary", "rare"),
    [
        *(("f1.macro", 1), ("f1.macro", 2), ("sensitivity.macro", 1), ("auroc.macro", 2)),
        *(slow("sensitivity.macro", 2), slow("auroc.macro", 1)),
    ],
)
def test_a_class_with_one_or_two_test_pictures_has_no_intervals_of_its_own(
    run, inputs, tmp_path: Path, rare: int, primary: str
) -> None:
    given = {}
    for name in ("a", "b", "low_detail"):
        table = pd.read_csv(inputs[name] / "predictions.csv", keep_default_na=False)
        of_class = table.index[(table["split"] == "test") & (table["y_true"] == "viral")]
        given[name] = tmp_path / name
        given[name].mkdir()
        table.drop(of_class[rare:]).to_csv(given[name] / "predictions.csv", index=False)
    found = run("a", ["b"], inputs=given, primary=primary)
    item = found.results["b_vs_a.test.sensitivity.viral"]
    assert (item["low"], bool(item["reason_null"])) == (None, True)
    assert found.results["b_vs_a.test.accuracy"]["low"] is not None
    assert found.verdicts[0]["verdict"] in {"better", "underpowered", "not_distinguishable", None}

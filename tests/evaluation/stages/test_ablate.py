"""What components of a network are worth, on made-up predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from analysis.errors import DataError
from analysis.evaluation import settings
from analysis.evaluation.stages.ablate import ablate
from analysis.evaluation.stages.compare import compare
from analysis.progress import silent
from analysis.vocabulary.ablation import names
from tests.resampling import take_few_resamples

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
RULE = {"primary": "f1.macro", "margin": 0.03, "alpha": 0.05}
SKILL = {"full": 2.6, "base": 1.2, "weak": 1.0, "strong": 3.6, "same": 2.6, "with": 1.3, "far": 2.6}


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory, prediction_table) -> Callable[[str, int], Path]:
    """Return a function that gives the predictions of a training of one of ``SKILL``."""
    root = tmp_path_factory.mktemp("predictions")

    def of(name: str, seed: int) -> Path:
        folder = root / f"{name}-{seed}"
        if not folder.exists():
            folder.mkdir()
            number = 100 * list(SKILL).index("full" if name == "same" else name) + seed
            tables = [
                prediction_table(number, split=split, skill=SKILL[name], n=400) for split in ("val", "test")
            ]
            table = pd.concat(tables)
            if name == "same":  # as many images change sides one way as the other
                scores, truth = table[CLASSES].to_numpy(), table["y_true"].map(CLASSES.index).to_numpy()
                right = scores.argmax(axis=1) == truth
                of_test = (table["split"] == "test").to_numpy()
                for which, shift in ((right, 1), (~right, 0)):
                    rows = np.flatnonzero(which & of_test)[:8]
                    scores[rows] = 0.01 + 0.96 * np.eye(4)[(truth[rows] + shift) % 4]
                table[CLASSES] = scores
            table.to_csv(folder / "predictions.csv", index=False)
        return folder

    return of


@pytest.fixture
def run(predicted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs the stage on components, each with the trainings of its effects; a tenth of the resamples."""
    monkeypatch.setattr(settings, "DECLARED_RESAMPLES", 1_000)

    def ablated(*effects: dict[str, Any], **changes: Any) -> tuple[dict[str, Any], pd.DataFrame]:
        of = {name for e in effects for name in (*e["own"], *e["beside"], *e["baseline"])}
        inputs = {name: predicted(*(name.split("-")[0], int(name.split("-")[1]))) for name in of}
        params = {"classes": CLASSES, "effects": effects, "split": "test", **RULE, **changes}
        ablate(inputs, tmp_path, scratch=tmp_path, progress=silent, **params)
        results = json.loads((tmp_path / "results.json").read_text(), parse_constant=pytest.fail)
        return results, pd.read_csv(tmp_path / "effects.csv").set_index(["component", "effect"])

    return ablated


def effect(component: str, kind: str, own: str, beside: str, seeds: int = 1) -> dict[str, Any]:
    """Return an effect of networks that were trained so many times."""
    networks = {"own": own, "beside": beside, "baseline": "base"}
    trainings = {k: [f"{name}-{n}" for n in range(seeds)] for k, name in networks.items()}
    return {"component": component, "effect": kind, **trainings}


LEFT_OUT = [
    effect("helps", "leave", "weak", "full"),
    effect("hurts", "leave", "strong", "full"),
    effect("idle", "leave", "same", "full"),
]


def test_each_component_has_its_case(run):
    results, table = run(*LEFT_OUT)
    cases = table["case"].to_dict()
    assert cases == {
        ("helps", "leave"): "contributes",
        ("hurts", "leave"): "harms",
        ("idle", "leave"): "negligible",
    }
    assert results["ablation.helps.leave"]["value"] > 0 > results["ablation.hurts.leave"]["value"]
    narrow = results["ablation.idle.leave.equivalence"]
    assert -0.03 < narrow["low"] < narrow["high"] < 0.03
    assert results["ablation.idle.leave.p_holm"]["value"] > 0.05


def test_without_a_decision_it_is_undetermined(run):
    _, table = run(effect("some", "leave", "far", "full"), margin=0.001)
    assert table.loc[("some", "leave"), "case"] == "undetermined"
    results, table = run(effect("none", "leave", "full", "full"))
    assert table.loc[("none", "leave"), "case"] == "undetermined"
    assert "do not differ" in table.loc[("none", "leave"), "reason"]
    assert results["ablation.none.leave.p_holm"]["value"] is None


@pytest.mark.parametrize("seeds", [1, 2])
def test_an_effect_is_the_difference_that_the_comparison_computes(
    run, predicted, tmp_path, monkeypatch, seeds
):
    take_few_resamples(monkeypatch)  # the same in both
    results, table = run(effect("helps", "leave", "weak", "full", seeds))
    of = {name: [f"{name}-{n}" for n in range(seeds)] for name in ("weak", "full", "base")}
    inputs = {run: predicted(name, int(run[-1])) for name, runs in of.items() for run in runs}
    out = tmp_path / "compare"
    out.mkdir()
    compare(
        {**inputs, "trees": predicted("base", 0)}, out, scratch=out, progress=silent,
        analysis="", classes=CLASSES, splits=["val", "test"], networks=of, reference="trees",
        baseline="weak", against=["full"], split="test", declared_late=False, corrections=[],
        between=[("base", "weak")], **RULE,
    )  # fmt: skip
    same = json.loads((out / "results.json").read_text())
    left, told = results["ablation.helps.leave.remaining"], same["weak_vs_base.test.f1.macro"]
    assert [left[k] for k in ("value", "low", "high")] == [told[k] for k in ("value", "low", "high")]
    for name, other in (("", "primary"), (".equivalence", "equivalence"), (".p_holm", "p_holm")):
        ours, theirs = results[f"ablation.helps.leave{name}"], same[f"full_vs_weak.test.{other}"]
        assert {k: v for k, v in ours.items() if k != "artifact"} == {
            k: v for k, v in theirs.items() if k != "artifact"
        }
    assert table.loc[("helps", "leave"), "trainings"] == seeds


def test_effects_of_leaving_out_and_of_adding_are_families_of_their_own(run):
    alone, _ = run(LEFT_OUT[0])
    three, _ = run(*LEFT_OUT)
    added, _ = run(*LEFT_OUT[:1], effect("helps", "add", "with", "base"))
    p, level = ("ablation.helps.leave.p_holm", "ablation.helps.leave")
    assert three[p]["value"] == pytest.approx(3 * alone[p]["value"])
    assert added[p] == alone[p]
    assert three[level]["level"] > alone[level]["level"] == 0.95
    assert alone[p]["value"] == pytest.approx(2 / (settings.DECLARED_RESAMPLES + 1))


def test_synergy_is_the_difference_of_both_effects_on_the_same_resamples(run):
    results, table = run(effect("c", "leave", "base", "full"), effect("c", "add", "with", "base"))
    item = results["ablation.c.synergy"]
    assert item["value"] == pytest.approx(
        results["ablation.c.leave"]["value"] - results["ablation.c.add"]["value"]
    )
    assert item["low"] > 0
    assert table.loc[("c", "synergy"), "case"] == "synergy"
    turned, table = run(effect("c", "leave", "with", "base"), effect("c", "add", "full", "base"))
    assert turned["ablation.c.synergy"]["high"] < 0
    assert table.loc[("c", "synergy"), "case"] == "redundancy"


def test_two_equal_effects_show_neither(run):
    _, table = run(effect("c", "leave", "weak", "full"), effect("c", "add", "full", "weak"))
    assert table.loc[("c", "synergy"), "case"] == "neither"


def test_synergy_is_over_seeds_too_where_there_are_several(run):
    once, _ = run(effect("c", "leave", "base", "full", 2), effect("c", "add", "with", "base"))
    twice, _ = run(effect("c", "leave", "base", "full", 2), effect("c", "add", "with", "base", 2))
    assert "percentile" in once["ablation.c.synergy"]["method"]
    assert "seeds" in twice["ablation.c.synergy"]["method"]


def test_all_names_are_known_beforehand(run):
    results, _ = run(*LEFT_OUT, effect("helps", "add", "with", "base"))
    assert set(results) == set(names({"helps": True, "hurts": False, "idle": False}))
    assert {item["artifact"] for item in results.values()} == {"ablation/effects.csv"}


def test_other_images_are_refused(run, predicted):
    path = predicted("far", 3) / "predictions.csv"
    table = pd.read_csv(path, keep_default_na=False)
    table.iloc[::-1].to_csv(path, index=False)
    with pytest.raises(DataError, match="not given the same images"):
        run(effect("c", "leave", "far", "full") | {"own": ["far-3"]})


def test_single_trainings_without_a_component_are_told_by_their_ends(run, predicted):
    results, _ = run(effect("helps", "leave", "weak", "full", 3))
    each = []
    for seed in range(3):
        table = pd.read_csv(predicted("weak", seed) / "predictions.csv").query("split == 'test'")
        y_pred = table[CLASSES].to_numpy().argmax(axis=1)
        each.append(f1_score(table["y_true"].map(CLASSES.index), y_pred, average="macro"))
    ends = [results[f"ablation.helps.leave.{end}"]["value"] for end in ("lowest", "highest")]
    assert ends == pytest.approx([min(each), max(each)])

"""What is to be compared is declared before the test set is read: a later change is known and told."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from report.commands.execution import build_plan
from report.engine.events import Finished, Started
from report.engine.store import Store
from report.engine.upkeep.remove_unused import collect
from report.errors import StageError
from report.workspace.plan import Plan, make_plan
from report.workspace.request import Request
from tests.specimen import TWO_NETWORKS

OTHER = ("comparison.margin=0.05",)


@pytest.fixture
def planned(tmp_path: Path):
    """Return a function that plans the assignment's sample in a cache of its own."""

    def make(*overrides: str, study: str = "assignment", cache: str = "cache") -> Plan:
        return make_plan(Request(study, sample=True, overrides=overrides, cache=tmp_path / cache))

    return make


def late(plan: Plan) -> bool:
    """Return whether the comparisons will say that they were declared late, all of them alike."""
    said = {s.params["declared_late"] for s in plan.stages if s.name.startswith("compare")}
    assert len(said) == 1
    return said.pop()


def kept(plan: Plan) -> dict[str, str]:
    return Store(plan.cache).latest(plan.cache_name, "declared")


def test_before_any_build_nothing_is_late(planned) -> None:
    assert not late(planned())
    assert not late(planned(*OTHER))
    assert kept(planned()) == {}


def test_the_first_build_records_and_a_later_change_is_late(planned) -> None:
    first = planned()
    first.keep_declaration(["read", "train.baseline", "predict.baseline"])
    assert kept(first) == {"comparison": first.study.declaration}
    assert not late(planned())
    for override in (*OTHER, "comparison.alpha=0.1", "comparison.primary=accuracy", "comparison.split=val"):
        assert late(planned(override)), override


def test_going_back_is_not_late(planned) -> None:
    planned().keep_declaration(["predict.baseline"])
    changed = planned(*OTHER)
    assert late(changed)
    changed.keep_declaration(["predict.baseline", "predict.improved"])
    assert late(planned(*OTHER)), "a build of the change does not make it the first"
    assert not late(planned())


def test_what_is_no_part_of_the_declaration_may_change(planned) -> None:
    planned().keep_declaration(["predict.baseline"])
    assert not late(planned("models.improved.epochs=3", "split.also=none", "training.seeds=[1,2,3]"))


@pytest.mark.parametrize(
    ("stages", "records"),
    [
        (["sample", "read", "images", "split", "split@patient"], False),
        (["architecture.baseline", "train.baseline", "train.improved@patient"], False),
        (["predict.low_detail"], True),
        (["predict.improved@patient"], True),
        (["predict.baseline@seed_43"], True),
        ([], False),
    ],
)
def test_only_predictions_make_the_test_set_known(planned, stages: list[str], records: bool) -> None:
    planned().keep_declaration(stages)
    assert bool(kept(planned())) == records
    assert late(planned(*OTHER)) == records


def test_another_study_and_another_cache_are_not_touched(planned, tmp_path: Path) -> None:
    other = tmp_path / "second"
    shutil.copytree(TWO_NETWORKS, other)
    planned().keep_declaration(["predict.baseline"])
    assert late(planned(*OTHER))
    assert not late(planned(*OTHER, study=str(other)))
    assert not late(planned(*OTHER, cache="fresh"))
    planned(*OTHER, study=str(other)).keep_declaration(["predict.baseline"])
    assert not late(planned(*OTHER, study=str(other)))
    assert late(planned(study=str(other)))
    assert not late(planned())


def test_the_sample_says_nothing_of_the_data(planned, tmp_path: Path) -> None:
    planned().keep_declaration(["predict.baseline"])
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.json").write_text("{}")
    real = make_plan(Request("assignment", data=data, overrides=OTHER, cache=tmp_path / "cache"))
    assert real.name != planned().name
    assert not late(real)


def test_a_comparison_that_is_added_after_the_test_set_was_read_is_late(planned, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    shutil.copytree(TWO_NETWORKS, folder)
    whole = (folder / "study.toml").read_text(encoding="utf-8")
    start, end = whole.index("[comparison]"), whole.index("[report]")
    (folder / "study.toml").write_text(whole[:start] + whole[end:], encoding="utf-8")
    planned(study=str(folder)).keep_declaration(["predict.baseline"])
    assert not late(planned(study=str(folder)))
    (folder / "study.toml").write_text(whole, encoding="utf-8")
    assert late(planned(study=str(folder)))


def test_cleaning_up_forgets_no_declaration(planned, tmp_path: Path) -> None:
    planned().keep_declaration(["predict.baseline"])
    collect(tmp_path / "cache", keep_days=0, max_size=0)
    assert late(planned(*OTHER))


def built_until(failing: str, *finished: str):
    """Return what stands for a build that finishes some stages and then fails."""

    def build(stages, cache, options):
        for name in finished:
            options.on_event(Started(name, None))
            options.on_event(Finished(name, "ran", 1.0))
        raise StageError(f"{failing}: ValueError: odd", log=failing)

    return build


@pytest.mark.parametrize(
    ("finished", "records"),
    [(("train.baseline", "predict.baseline"), True), (("read", "train.baseline"), False)],
)
def test_a_build_that_fails_after_it_has_read_the_test_set_has_read_it(
    planned, monkeypatch: pytest.MonkeyPatch, finished: tuple[str, ...], records: bool
) -> None:
    monkeypatch.setattr("report.engine.run.build", built_until("train.improved", *finished))
    monkeypatch.setattr("report.terminal.progress.display", lambda: nullcontext(lambda event: None))
    with pytest.raises(StageError):
        build_plan(planned(), ["results"])
    assert late(planned(*OTHER)) == records


def test_predictions_found_in_the_cache_count_as_read(planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("report.engine.run.build", lambda *_, **__: {"predict.baseline": None})
    monkeypatch.setattr("report.terminal.progress.display", lambda: nullcontext(lambda event: None))
    build_plan(planned(), ["results"])
    assert json.loads(
        (planned().cache / "v2" / "latest" / planned().cache_name / "declared.json").read_text()
    ) == {"comparison": planned().study.declaration}
    assert late(planned(*OTHER))

"""How stages are built for a command: hints, damaged results, and how long trainings take."""

from __future__ import annotations

from pathlib import Path

import pytest

from report.commands import data, execution, predict
from report.commands.execution import (
    _announce_trainings,
    build_plan,
    list_new_trainings,
    retry_damaged,
)
from report.engine.events import Planned, Waiting
from report.engine.store import Store
from report.engine.system.files import write_atomically
from report.errors import DamagedError, RenderError, StageError
from report.workspace.plan import make_plan
from report.workspace.request import Request
from report.workspace.trained import Trained
from tests.commands.process import ROOT, run_here
from tests.pipeline.plans import ABLATED
from tests.specimen import TWO_NETWORKS


def flip(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))


def test_what_is_damaged_is_made_anew_within_the_same_command(toy, capsys):
    def make() -> str:
        return toy.build()["words"].path("words.txt").read_text()

    toy.build()
    toy.edit("toy.letters", "'total '", "'all '")
    for damaged in ("total", "words"):  # where it is read by a stage, and where by the command
        flip(toy.store.blob(next(iter(outputs(toy, damaged).values()))["sha256"]))
        assert retry_damaged(make) == "all 3"
        warning = f"warning: {damaged}: its result is damaged in the cache, and removed: "
        assert capsys.readouterr().err.count(warning) == 1


def outputs(toy, stage):
    return toy.store.find_record(toy.store.latest("default")[stage]).outputs


def test_a_disk_that_damages_everything_does_not_hold_a_build_for_ever(toy):
    def make() -> str:
        built = toy.build()["a"]
        flip(toy.store.blob(built.record.outputs["number.txt"]["sha256"]))
        return built.path("number.txt").read_text()

    with pytest.raises(DamagedError) as caught:
        retry_damaged(make)
    assert caught.value.hint == "run the same command again: a is made anew"


@pytest.fixture
def failing(monkeypatch):
    def fail(stages, *_, **__):
        raise StageError(f"{stages[-1].name}: odd", log=stages[-1].name)

    monkeypatch.setattr("report.engine.run.build", fail)


def hint_of(function, *arguments) -> str:
    with pytest.raises(StageError) as caught:
        function(*arguments)
    return caught.value.hint


def test_the_hints_of_predict_and_of_data_check_lead_to_their_logs(tmp_path, failing, monkeypatch):
    plan = make_plan(Request(sample=True, cache=tmp_path))
    trained = Trained("improved", (tmp_path / "model.keras", tmp_path / "input.json"), {"a": "A", "b": "B"})
    asked = hint_of(predict.ask, plan, trained, [])
    checked = hint_of(data.examine, ROOT / "templates", None, tmp_path)
    assert asked == f"report log answer --study assignment --sample --cache {tmp_path}"
    assert checked == f"report log check --cache {tmp_path}"
    store = Store(tmp_path)
    for name, hint in (("assignment-sample-classify", asked), (data.CHECK_NAME, checked)):
        store.point(name, {hint.split()[2]: name}, "runs")
        write_atomically(store.log(name), f"what {name} has said".encode())
        assert run_here(*hint.split()[1:], cache=tmp_path).stdout == f"what {name} has said\n"


def test_the_hint_of_a_failed_stage_is_a_whole_command(tmp_path, failing):
    plan = make_plan(Request("studies/assignment/study.toml", sample=True, cache=tmp_path))
    study = "--study studies/assignment/study.toml --sample"
    assert hint_of(build_plan, plan, ["results"]) == f"report log pdf {study} --cache {tmp_path}"


def test_a_mistake_of_the_author_is_told_by_his_file(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise RenderError("unexpected 'y'", file="prose/references.bib", line=3)

    monkeypatch.setattr(execution, "build_stages", fail)
    with pytest.raises(RenderError, match=r"^studies/assignment/references\.bib:3: unexpected 'y'"):
        build_plan(make_plan(Request(sample=True, cache=tmp_path)), ["source"])


def test_trainings_that_never_ran_are_told_by_the_minutes_of_the_study():
    waiting = {
        name: Waiting(seconds, 2, frozenset())
        for name, seconds in {
            "train.a": None, "train.a@patient": None, "train.b": None, "train.c": 60.0, "predict.a": None,
        }.items()
    }  # fmt: skip
    found = list_new_trainings(Planned(6, waiting, 1, 2), {"a": 10.0, "b": None, "c": 7.0})
    assert found == [10.0, 10.0, None]
    assert list_new_trainings(Planned(6, {}, 1, 2), {}) == []


def test_trainings_of_an_ablation_are_in_the_forecast(capsys):
    plan = make_plan(Request(str(TWO_NETWORKS), sample=True, overrides=ABLATED))
    waiting = {
        s.name: Waiting(None, 1, frozenset())
        for s in plan.stages
        if s.kind == "train" and "without" in s.name
    }
    _announce_trainings(plan, Planned(6, waiting, 1, 2))
    assert "2 trainings for the first time: about 40 min 00 s on 2 cores;" in capsys.readouterr().err

from __future__ import annotations

from dataclasses import replace

from report.engine import recipe
from report.engine.stage import Output, Source, Stage


def test_never_built(toy):
    found = toy.status()
    assert {s.state for s in found.values()} == {"missing"}
    assert found["total"].reasons == ("never built", "waits for a, b")
    assert found["a"].key


def test_fresh_stale_and_waiting(toy):
    toy.build()
    assert {(s.state, s.reasons) for s in toy.status().values()} == {("fresh", ())}
    found = toy.status(toy.stages(a=12))
    assert (found["a"].state, found["a"].reasons) == ("stale", ("value: 1 -> 12",))
    assert (found["total"].state, found["total"].reasons) == ("waiting", ("waits for a",))
    assert found["total"].key is None
    assert found["a"].expected_seconds is not None
    assert found["b"].state == "fresh"
    assert toy.ran() == set(), "looking changes nothing"


def test_every_reason_in_words(toy, monkeypatch):
    data = toy.root / "data"
    data.mkdir()
    for name in ("x", "y"):
        (data / name).write_text(name)
    models = [{"id": "baseline", "epochs": 10}, {"id": "improved", "epochs": 5}]
    stage = Stage(
        "s", "toy.steps:number", {"data": Source(data)}, {"value": models}, packages=("numpy",), threads=1
    )
    toy.build([stage])
    changed = replace(
        stage,
        params={"value": [{"id": "baseline", "epochs": 12}, {"id": "improved", "epochs": 5}], "more": True},
        threads=2,
    )
    toy.edit("toy.arithmetic", "sum", "max")
    for name in ("x", "z"):
        (data / name).write_text("new")
    (data / "y").unlink()
    real = recipe.find_version
    monkeypatch.setattr(recipe, "find_version", lambda name: "99" if name == "numpy" else real(name))
    assert toy.status([changed])["s"].reasons == (
        "more: true added",
        "value.baseline.epochs: 10 -> 12",
        "code of toy.arithmetic changed",
        f"numpy {real('numpy')} -> 99",
        "threads: 1 -> 2",
        f"{data}: 1 file added, 1 file removed, 1 file changed (first: x)",
    )


def test_inputs_that_come_and_go_or_differ(toy):
    toy.build()
    stages = toy.stages()
    stages[2] = replace(stages[2], inputs={"a": Output("a"), "c": Output("b")})
    assert toy.status(stages)["total"].reasons == ("input b is no longer read", "input c is read now")
    toy.build(toy.stages(a=7), only=["a"])
    found = toy.status(toy.stages(a=7))
    assert (found["a"].state, found["total"].reasons) == ("fresh", ("a comes out differently",))


def test_new_and_dropped_modules(toy):
    toy.build()
    toy.edit("toy.words", "from toy import letters", "from toy import steps as letters")
    assert toy.status()["words"].reasons == (
        "code of toy.arithmetic is used now",
        "code of toy.letters is no longer used",
        "code of toy.steps is used now",
        "code of toy.words changed",
    )


def test_lost_files(toy):
    toy.build()
    next(toy.store.root.glob("blobs/*/*")).unlink()
    reasons = {reason for found in toy.status().values() for reason in found.reasons}
    assert "its files are missing from the cache" in reasons

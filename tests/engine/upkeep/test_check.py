"""What a check finds, and what a repair leaves."""

from __future__ import annotations

import pytest

from report.engine.system.files import write_atomically
from report.engine.upkeep.check import check
from report.engine.upkeep.remove_unused import collect
from tests.engine.upkeep.made_up import action, put, there


def test_a_sound_cache(store):
    first, last = put(store, "first", 1), put(store, "last", 2)
    store.point("plan", {"first": first.key})
    told = []
    checked = check(store.cache, on_read=lambda *so_far: told.append(so_far))
    assert (checked.files, checked.records, checked.damage, checked.strays) == (2, 2, [], [])
    assert told == [(1, 2), (2, 2)]
    sizes = {"plan": action(store, first), "older results": action(store, last)}
    assert checked.sizes == {name: path.stat().st_size + 1 for name, path in sizes.items()} | {
        "unfinished runs": 0
    }


def flip(path):
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def truncate(path):
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("which", "harm", "what"),
    [
        ("blob", flip, "damaged file"),
        ("blob", truncate, "damaged file"),
        ("blob", lambda path: path.unlink(), "missing file"),
        ("record", truncate, "damaged record"),
        ("record", flip, "damaged record"),
    ],
)
def test_damage_is_found_named_and_removed(store, which, harm, what):
    sound, record = put(store, "sound", 1), put(store, "total", 2)
    store.point("plan", {"total": record.key})
    blob = store.blob(record.outputs["number.txt"]["sha256"])
    path = blob if which == "blob" else action(store, record)
    harm(path)
    for repair in (False, True):
        found = check(store.cache, repair=repair).damage
        assert [(damage.what, damage.path, damage.stages) for damage in found] == [
            (what, path, ("total of plan",))
        ]
    checked = check(store.cache)
    assert (checked.damage, checked.strays, checked.records) == ([], [], 1)
    assert there(store, sound, record) == [True, False]


def test_what_was_damaged_is_made_anew(toy):
    built = toy.build()
    flip(built["total"].path("number.txt"))
    assert [damage.stages for damage in check(toy.cache, repair=True).damage] == [("total of default",)]
    assert toy.ran() == {"total"}
    assert check(toy.cache).damage == []


def test_files_that_are_nobodys_are_no_damage(store):
    put(store, "a")
    names = ("blobs/ab/notes.txt", f"blobs/cd/{'cd' * 32}", "actions/ab/.half")
    strays = sorted(store.root / name for name in names)
    for path in strays:
        write_atomically(path, b"x")
    checked = check(store.cache, repair=True)
    assert (checked.damage, sorted(checked.strays)) == ([], strays)
    assert [path for path in strays if path.exists()] == []
    assert check(store.cache).records == 1


def test_an_empty_cache(tmp_path):
    assert collect(tmp_path, keep_days=30).waste == []
    assert check(tmp_path).files == 0

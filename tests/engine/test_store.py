from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest

from report.engine.store import Store
from report.engine.system.files import translate_disk_errors, write_atomically
from report.errors import EnvironmentProblem, StageError


def corrupt(path: Path, change) -> None:
    path.chmod(0o644)
    path.write_bytes(change(path.read_bytes()))


@pytest.fixture
def built(toy):
    return toy.build(toy.stages()[:1])["a"]


def blob(built) -> Path:
    return built.store.blob(built.record.outputs["number.txt"]["sha256"])


def action(built) -> Path:
    return next(built.store.root.glob("actions/*/*.json"))


def test_blobs_are_read_only_and_nothing_is_left_over(built):
    assert blob(built).stat().st_mode & 0o777 == 0o444
    assert [p.name for kind in ("tmp", "scratch") for p in (built.store.root / kind).glob("*")] == []


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b.replace(b"number.txt", b"nvmber.txt"), lambda b: b"{}"]
)
def test_a_damaged_record_is_no_record(built, change):
    corrupt(action(built), change)
    assert built.store.read(built.key) is None


def test_a_record_under_another_key_is_no_record(built):
    other = "0" * 64
    place = built.store.root / "actions" / "00" / f"{other}.json"
    place.parent.mkdir()
    place.write_bytes(action(built).read_bytes())
    assert built.store.read(other) is None


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: corrupt(path, lambda b: b[:-1])])
def test_a_missing_or_short_blob_is_made_anew(toy, built, damage):
    damage(blob(built))
    assert toy.ran(toy.stages()[:1]) == {"a"}
    assert built.path("number.txt").read_text() == "1"


def test_a_flipped_bit_is_found_where_the_bytes_are_used(toy, built):
    corrupt(blob(built), lambda b: bytes([b[0] ^ 1]))
    with pytest.raises(StageError, match="damaged in the cache"):
        built.path("number.txt")
    assert toy.ran(toy.stages()[:1]) == {"a"}
    corrupt(blob(built), lambda b: bytes([b[0] ^ 1]))
    with pytest.raises(StageError, match="damaged in the cache"):
        toy.build()
    assert toy.ran() == {"a", "total", "words"}


def test_another_format_version_lies_in_another_folder(toy, built):
    assert built.store.root == toy.cache / "v2"


def test_folder_of_a_run_is_lent_to_one_at_a_time(tmp_path):
    store = Store(tmp_path)
    order = []

    def second() -> None:
        with store.lend_run_folder("key"):
            order.append("second")

    with store.lend_run_folder("key") as folder:
        other = threading.Thread(target=second)
        other.start()
        store.sweep()
        assert folder.is_dir()
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_sweep_removes_what_killed_runs_left(tmp_path):
    store = Store(tmp_path)
    write_atomically(store.root / "tmp" / "dead" / "out" / "x", b"")
    store.sweep()
    assert list((store.root / "tmp").glob("*")) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "no room left"), (errno.EACCES, "cannot be written"), (errno.EROFS, "cannot be written")],
)
def test_disk_and_permissions_are_told_as_such(tmp_path, number, words):
    with pytest.raises(EnvironmentProblem, match=words), translate_disk_errors(tmp_path):
        raise OSError(number, "why", str(tmp_path / "x"))


def test_a_cache_that_is_a_file_is_told_as_such(toy):
    toy.cache.write_text("")
    with pytest.raises(EnvironmentProblem, match="the cache cannot be written"):
        toy.build()


def test_interrupted_writing_leaves_the_old_content(tmp_path, monkeypatch):
    write_atomically(tmp_path / "x", b"old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"old"

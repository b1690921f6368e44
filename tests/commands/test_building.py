from __future__ import annotations

from pathlib import Path

import pytest

from report.commands.execution import retry_damaged
from report.errors import DamagedError


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

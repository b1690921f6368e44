from __future__ import annotations

import os
from pathlib import Path

import pytest

from analysis.errors import DataError
from analysis.image_files import escape_name, unescape_name
from analysis.walk import list_files, walk
from report.engine.sources import digest_source
from report.engine.stage import Source


def fill(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fill(tmp_path / "data", "a.png", "sub/b.png", "sub/deep/c.png")
    return tmp_path / "data"


def test_every_entry_is_in_one_place(root):
    fill(
        root,
        ".DS_Store",
        "sub/._b.png",
        "__MACOSX/sub/b.png",
        "sub/Thumbs.db",
        ".git/objects/1",
        "@eaDir/b.png",
    )
    (root / ".git" / "up").symlink_to(root)
    (root / "lost").symlink_to("nowhere")
    (root / "self").symlink_to("self")
    os.mkfifo(root / "pipe")
    found = walk(root)
    assert set(found.files) == {"a.png", "sub/b.png", "sub/deep/c.png"}
    assert set(found.hidden) == {
        *(
            ".DS_Store",
            "sub/._b.png",
            "__MACOSX/sub/b.png",
            "sub/Thumbs.db",
            ".git/objects/1",
            "@eaDir/b.png",
        ),
    }
    nothing = "a link to nothing"
    assert found.skipped == {"lost": nothing, "self": nothing, "pipe": "neither a file nor a folder"}
    assert found.files["a.png"].st_size == 5


def test_links_are_followed_wherever_they_lead(root, tmp_path):
    fill(tmp_path / "store", "pneumonia/1.png", "pneumonia/old/2.png", "x.png")
    (root / "train").symlink_to(tmp_path / "store" / "pneumonia")
    (root / "sub" / "link.png").symlink_to(tmp_path / "store" / "x.png")
    (root / "chain").symlink_to(root / "train" / "old")
    found = walk(root)
    assert set(found.files) - {"a.png", "sub/b.png", "sub/deep/c.png"} == {
        *("train/1.png", "chain/2.png", "sub/link.png"),
    }
    assert found.skipped == {"train/old": "a second name of chain"}


def test_a_root_of_links(tmp_path):
    fill(tmp_path / "store", "train/1.png", "test/2.png")
    (tmp_path / "data").mkdir()
    for name in ("train", "test"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "store" / name)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert set(walk(tmp_path / "link").files) == {"train/1.png", "test/2.png"}


def test_no_folder_is_read_twice_and_what_lies_here_keeps_its_name(root, tmp_path):
    (root / "a link before it").symlink_to(root / "sub")
    found = walk(root)
    assert set(found.files) == {"a.png", "sub/b.png", "sub/deep/c.png"}
    assert found.skipped == {"a link before it": "a second name of sub"}


@pytest.mark.parametrize("target", ["data", "data/sub", ""])
def test_a_circle_is_an_error_that_names_the_link(root, tmp_path, target):
    (root / "sub" / "up").symlink_to(tmp_path / target)
    with pytest.raises(DataError, match="sub/up is a link to a folder that it lies in") as error:
        walk(root)
    assert error.value.hint == f"remove the link: rm {root / 'sub' / 'up'}"


def test_a_circle_through_two_links(root, tmp_path):
    fill(tmp_path / "store", "x/y.png")
    (root / "out").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "x" / "back").symlink_to(root)
    with pytest.raises(DataError, match="out/x/back is a link"):
        walk(root)


@pytest.mark.parametrize("file", ["b.png", ".hidden"])
def test_a_cache_goes_by_all_that_readers_hear_of(root, tmp_path, file):
    data = Source(root, listing="analysis.walk:list_files")
    before = digest_source(data, tmp_path / "i")
    fill(root, file)
    (root / "again").symlink_to(root / "sub")
    found, digests = walk(root), digest_source(data, tmp_path / "i")
    assert digests.keys() == found.files.keys() | found.hidden.keys() | found.skipped.keys()
    assert digests.keys() - before.keys() == {file, "again"}
    assert list_files(root)[0].keys() == found.files.keys() | found.hidden.keys()
    (root / "sub" / "up").symlink_to(root)
    with pytest.raises(DataError, match="sub/up is a link to a folder that it lies in"):
        digest_source(data, tmp_path / "i")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain.png", "plain.png"),
        (b"caf\xe9.png", r"caf\xe9.png"),
        (b"two\nlines\r.png", r"two\x0alines\x0d.png"),
        ("a\u2028b".encode(), r"a\xe2\x80\xa8b"),
        (rb"not\x41.png", r"not\x5cx41.png"),
        (rb"back\slash\xZZ.png", r"back\slash\xZZ.png"),
        (b"\xe9\\xe9", r"\xe9\x5cxe9"),
        ('ünï, "|'.encode(), 'ünï, "|'),
    ],
)
def test_names_in_tables_are_text_and_can_be_turned_back(name, text):
    assert escape_name(os.fsdecode(name)) == text
    assert os.fsencode(unescape_name(text)) == name
    assert escape_name(text).encode().isascii() or "ü" in text

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from report.engine import sources
from report.engine.index import RECENT_SECONDS
from report.engine.sources import digest_source, digest_tree
from report.engine.stage import Source
from report.engine.store import digest_files
from report.errors import SourceError

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "data"
    for name in ("one.md", "two.txt", "sub/three.md", "sub/deep/four.md"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    return data


def test_every_file_by_its_posix_path(folder, tmp_path):
    assert set(digest_source(Source(folder), tmp_path / "i")) == {
        "one.md",
        "two.txt",
        "sub/three.md",
        "sub/deep/four.md",
    }


@pytest.mark.parametrize(
    ("include", "names"),
    [
        (("*.md",), {"one.md"}),
        (("**/*.md",), {"one.md", "sub/three.md", "sub/deep/four.md"}),
        (("sub/*", "t?o.txt"), {"sub/three.md", "two.txt"}),
    ],
)
def test_only_what_is_included(folder, tmp_path, include, names):
    assert set(digest_source(Source(folder, include), tmp_path / "i")) == names


def test_a_source_and_a_result_with_the_same_files_have_one_digest(folder, tmp_path):
    digests = digest_source(Source(folder), tmp_path / "i")
    result = {name: {"sha256": sha256, "size": 1} for name, sha256 in digests.items()}
    assert digest_tree(digests) == digest_files(result)


def test_a_source_may_be_a_file(folder, tmp_path):
    first = digest_source(Source(folder / "one.md"), tmp_path / "i")
    (folder / "one.md").rename(folder / "renamed.md")
    assert digest_source(Source(folder / "renamed.md"), tmp_path / "i") == first


def test_a_missing_source_is_the_users_to_mend(tmp_path):
    with pytest.raises(SourceError, match="nowhere: no such file or folder"):
        digest_source(Source(tmp_path / "nowhere"), tmp_path / "i")


def test_a_link_in_a_circle_is_followed_once(folder, tmp_path):
    before = digest_source(Source(folder), tmp_path / "i")
    (folder / "sub" / "up").symlink_to(folder)
    assert digest_source(Source(folder), tmp_path / "i").keys() - before.keys() == {"sub/up"}


def test_a_folder_is_listed_as_its_source_says(folder, tmp_path, monkeypatch):
    module = SimpleNamespace(
        first=lambda path: ({"one.md": (path / "one.md").stat()}, {"two.txt": "not read"})
    )
    monkeypatch.setitem(sys.modules, "listings", module)
    digests = digest_source(Source(folder, listing="listings:first"), tmp_path / "i")
    assert set(digests) == {"one.md", "two.txt"}
    assert digests["one.md"] == digest_source(Source(folder), tmp_path / "i")["one.md"]


def test_what_a_reader_hears_of_links_counts(folder, tmp_path):
    before = digest_source(Source(folder), tmp_path / "i")
    (folder / "again").symlink_to(folder / "sub")
    (folder / "lost").symlink_to(folder / "nothing")
    after = digest_source(Source(folder), tmp_path / "i")
    assert after.keys() - before.keys() == {"again", "lost"}
    (folder / "again").unlink()
    (folder / "again").symlink_to(folder / "sub" / "deep")
    other = digest_source(Source(folder), tmp_path / "i")
    assert {name for name in other if other[name] != after[name]} == {"again"}
    assert digest_source(Source(folder, ("**/*.md",)), tmp_path / "i").keys() <= before.keys()


def test_a_change_behind_a_link_is_a_change(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "five.md").write_text("five")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    before = digest_source(Source(folder), tmp_path / "i")
    (tmp_path / "elsewhere" / "five.md").write_text("5")
    after = digest_source(Source(folder), tmp_path / "i")
    assert {name for name in after if after[name] != before[name]} == {"linked/five.md"}


def test_names_that_are_no_utf_8_are_kept(folder, tmp_path):
    name = os.fsdecode(b"caf\xe9.md")
    (folder / name).write_text("x")
    for _ in range(2):
        assert name in digest_source(Source(folder), tmp_path / "i")
        age(folder)


def age(folder: Path) -> None:
    """Let everything look as if it had been there for long: by waiting, as ctime cannot be set."""
    newest = max(path.stat().st_ctime for path in folder.rglob("*"))
    time.sleep(max(0.0, newest + RECENT_SECONDS + 0.1 - time.time()))


def test_files_are_read_once_until_they_are_touched(folder, tmp_path, monkeypatch):
    read: list[str] = []
    real = sources.digest_file
    monkeypatch.setattr(sources, "digest_file", lambda path: (read.append(Path(path).name), real(path))[1])
    first = digest_source(Source(folder), tmp_path / "i")
    digest_source(Source(folder), tmp_path / "i")
    assert len(read) == 8  # too young to be trusted
    age(folder)
    digest_source(Source(folder), tmp_path / "i")
    read.clear()
    assert digest_source(Source(folder), tmp_path / "i") == first
    assert read == []
    times = (folder / "two.txt").stat()
    (folder / "two.txt").write_text("TWO.txt")
    os.utime(folder / "two.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digest_source(Source(folder), tmp_path / "i")["two.txt"] != first["two.txt"]
    assert read == ["two.txt"]


def test_a_damaged_index_is_made_anew(folder, tmp_path):
    first = digest_source(Source(folder), tmp_path / "i")
    age(folder)
    digest_source(Source(folder), tmp_path / "i")
    (index,) = (tmp_path / "i").glob("*.index")
    whole = index.read_bytes()
    for damaged in (whole[:-1], whole[:20], b"", b"[1]", whole.replace(b"one.md", b"One.md")):
        index.write_bytes(damaged)
        assert digest_source(Source(folder), tmp_path / "i") == first


@pytest.mark.real
def test_the_real_dataset_is_read_once(tmp_path, monkeypatch):
    if not REAL.exists():
        assert os.environ.get("CI") != "true", f"{REAL} is missing"
        pytest.skip("no real X-rays beside the project")
    told: list[int] = []
    first = digest_source(
        Source(REAL / "v7", listing="analysis.walk:list_files"), tmp_path, lambda done, _: told.append(done)
    )
    assert told[-1] == len(first) > 12_000
    monkeypatch.setattr(sources, "digest_file", None)  # a file that is as it was is not read again
    assert digest_source(Source(REAL / "v7", listing="analysis.walk:list_files"), tmp_path) == first


def test_an_image_that_may_not_be_read_has_a_digest_of_its_own_until_it_may(folder, tmp_path, monkeypatch):
    digest_file = sources.digest_file

    def refuse(path: str) -> str:
        if path.endswith("two.txt"):
            raise PermissionError(13, "Permission denied", path)
        return digest_file(path)

    whole = digest_source(Source(folder), tmp_path / "i")
    monkeypatch.setattr(sources, "digest_file", refuse)
    with pytest.raises(SourceError, match=r"two\.txt: permission denied"):
        digest_source(Source(folder), tmp_path / "other")
    images = Source(folder, private=True)
    refused = digest_source(images, tmp_path / "images")
    assert refused["two.txt"] != whole["two.txt"]
    assert {**refused, "two.txt": whole["two.txt"]} == whole
    monkeypatch.undo()
    assert digest_source(images, tmp_path / "images") == whole

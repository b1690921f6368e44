"""A build folder is one build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from report.cli import find_exit_code
from report.delivery import build_folder
from report.delivery.evidence import STUDY
from report.engine.system.files import digest_file
from report.errors import ENVIRONMENT, USAGE, EnvironmentProblem, UsageError


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_part_never_lies_beside_a_report(tmp_path):
    out = tmp_path / "build" / "toy"
    beside = out.with_name("toy-only-net")
    assert (
        build_folder.choose_folder(out, "", given=False)
        == build_folder.choose_folder(out, "", given=True)
        == out
    )
    assert build_folder.choose_folder(out, "net", given=False) == beside
    assert build_folder.choose_folder(out, "net", given=True) == out, "a new folder that was named"
    write(out, report_html="")
    assert build_folder.choose_folder(out, "net", given=True) == beside
    write(beside, predictions__study_json="{}", run_json='{"files": ["predictions/study.json"]}')
    with pytest.raises(UsageError, match="holds a whole report"):
        build_folder.require_usable(beside, "net")
    build_folder.require_usable(beside, "")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    build_folder.require_usable(tmp_path, "")
    write(tmp_path, graph_svg="")
    (tmp_path / ".hidden").touch()
    build_folder.require_usable(tmp_path, "")
    write(tmp_path, thesis_tex="")
    with pytest.raises(UsageError, match="holds something else than a build") as caught:
        build_folder.require_usable(tmp_path, "")
    assert find_exit_code(caught.value) == USAGE
    write(tmp_path, run_json='{"files": ["results.json"]}')
    build_folder.require_usable(tmp_path, "")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentProblem, match="file: is not a folder") as caught:
        build_folder.require_usable(tmp_path / "file" / "build", "")
    assert find_exit_code(caught.value) == ENVIRONMENT
    monkeypatch.setattr(build_folder.os, "access", lambda path, how: False)
    with pytest.raises(EnvironmentProblem, match=f"{tmp_path}: cannot be written") as caught:
        build_folder.require_usable(tmp_path / "new" / "build", "")
    assert "--out" in caught.value.hint


def test_a_document_that_was_not_asked_for_stays_while_all_it_is_made_from_is_the_same(tmp_path):
    write(tmp_path, report_html="page", report_pdf="pages", results_json="{}")
    files = {name: digest_file(tmp_path / name) for name in ("report.html", "report.pdf", "results.json")}
    before = {"commit": "1", "program": {"pango": "1", "numpy": "2"}, "files": files}
    write(tmp_path, predictions__study_json=json.dumps(before))
    now = {**before, "program": {"numpy": "2"}, "files": {n: files[n] for n in files if n != "report.pdf"}}
    assert build_folder.find_current_documents(tmp_path, now) == {"report.pdf": tmp_path / "report.pdf"}
    for other in (
        {**now, "commit": "2"},
        {**now, "program": {"numpy": "3"}},
        {**now, "files": {**now["files"], "results.json": "other"}},
    ):
        assert build_folder.find_current_documents(tmp_path, other) == {}
    write(tmp_path, report_pdf="edited")
    assert build_folder.find_current_documents(tmp_path, now) == {}


def test_what_is_written_down_of_a_folder_leads_nowhere_else(tmp_path):
    write(tmp_path, run_json=json.dumps({"files": ["a", "../b", "/c", 1, None]}))
    assert build_folder.list_written(tmp_path) == {"a", "run.json"}
    write(tmp_path, predictions__study_json='{"files": {"results.json": ""}}')
    assert build_folder.list_written(tmp_path) == {"a", "run.json", "results.json", STUDY}
    write(tmp_path, run_json="{")
    assert build_folder.list_written(tmp_path) == {"results.json", STUDY}

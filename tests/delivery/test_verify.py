"""What was handed in, compared with the same report made again from its predictions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pikepdf
import pytest

from analysis.errors import DataError
from report.commands import verify as command
from report.delivery import evidence, verify
from report.delivery.differences import Difference
from report.delivery.verify import Verification
from tests.delivery.handed_in import (
    change_digit,
    halve,
    list_differences,
    replace_one,
)


def test_an_untouched_folder_agrees(case):
    assert case.again.failures == {}
    assert verify.compare(case.folder, case.given, case.again) == ([], [])
    told = verify.count_parts(case.folder, case.given)
    counts = {part: int(count.partition(" ")[0].replace(",", "")) for part, count in told.items()}
    assert counts["results.json"] == len(json.loads((case.folder / "results.json").read_text())["results"])
    assert counts["report.html"] > 500
    assert told["report.pdf"] == f"{len(pikepdf.open(case.folder / 'report.pdf').pages)} pages"
    assert min(counts["predictions"], counts["tables"], counts["figures"]) > 20


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        ("results.json", Path.unlink, "results.json: is missing"),
        ("predictions/improved.csv", Path.unlink, "predictions/improved.csv: is missing"),
        ("figures/counts.svg", Path.unlink, "figures/counts.svg: is missing"),
        ("results.json", halve, "results.json: cannot be read: JSONDecodeError: "),
        ("report.pdf", halve, "report.pdf: cannot be read: "),
        ("report.html", halve, "report.html: says “"),
        ("tables/extra.csv", Path.touch, "tables/extra.csv: is not of this build"),
        ("predictions/split/split.csv", halve, "predictions/split/split.csv: "),
        ("predictions/read/flow.csv", halve, "predictions/read/flow.csv: is not the file that was built"),
        (
            "predictions/prose/discussion.md",
            halve,
            "predictions/prose/discussion.md: is not the file that was built",
        ),
    ],
)
def test_a_missing_damaged_or_added_file_is_named(copy, file, change, named):
    change(copy.folder / file)
    told = list_differences(copy)
    assert [line for line in told if line.startswith(named)], told


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"predictions/a.csv"}, "predictions/a.csv is not of the build that made the report"),
        (
            {"predictions/a.csv", "predictions/b.csv", "predictions/c.csv"},
            "b.csv and 1 more are not of the build",
        ),
        ({"report.html"}, "report.html is not as built, while the predictions are"),
        ({"report.html", "predictions/a.csv"}, "the folder was changed after its build, or is of two"),
        (set(), "no file was changed after the build: this program gives other results"),
    ],
)
def test_the_cause_is_told_by_what_was_changed(changed, said):
    assert said in verify.describe_cause(changed)


def test_predictions_of_another_build_are_told_to_be_so(copy):
    replace_one(copy.folder / "predictions/baseline.csv", r"0\.(\d)", "0.0")
    changed = verify.find_changed(copy.folder, copy.given)
    assert changed == {"predictions/baseline.csv"}
    assert "predictions/baseline.csv is not of the build" in verify.describe_cause(changed)


def test_files_beside_the_report_are_told(copy):
    for name in ("run.json", "graph.svg", ".hidden", "letter.txt"):
        (copy.folder / name).touch()
    differences, remarks = verify.compare(copy.folder, copy.given, copy.again)
    assert (differences, [*map(str, remarks)]) == ([], ["letter.txt is not of this build, so not checked"])


def test_a_change_beyond_the_precision_of_the_check_is_told(copy):
    replace_one(
        copy.folder / "results.json",
        r'("improved.val.log_loss": \{[^}]*"value": \d\.\d{13})(\d)()',
        change_digit,
    )
    (difference,) = list_differences(copy)
    assert difference == f"results.json: {verify.CHANGED}"


def test_another_version_is_told_and_excuses_drawing_alone(case):
    drawing = Difference("report.pdf", "drawn otherwise", "drawing")
    version = Difference("report.html", "says", "number", "3.10.1,", "3.11.0,")
    number = Difference("report.html", "says", "number", "0.812", "0.813")
    everything = [drawing, version, number]
    left, remarks = verify._excuse_versions(everything, {"matplotlib": "3.10.1"}, {"matplotlib": "3.11.0"})
    assert left == [number]
    assert str(remarks[0]) == "another program built this report (matplotlib 3.10.1 there, 3.11.0 here)"
    assert "not checked is how 1 file is drawn" in str(remarks[1])
    assert Verification({}, [], remarks).is_partial
    assert verify._excuse_versions(everything, {"matplotlib": "3.11.0"}, {"matplotlib": "3.11.0"}) == (
        everything,
        [],
    )


def test_a_report_without_a_pdf_is_checked_and_said_to_have_none(copy):
    path = copy.folder / evidence.STUDY
    facts = json.loads(path.read_text())
    del facts["files"]["report.pdf"]
    path.write_text(json.dumps(facts))
    assert list_differences(copy) == ["report.pdf: is not of this build"]
    (copy.folder / "report.pdf").unlink()
    differences, remarks = verify.compare(copy.folder, evidence.read_evidence(copy.folder), copy.again)
    assert (differences, [*map(str, remarks)]) == ([], ["report.pdf was not built, so not checked"])


def test_numbers_typed_by_the_author_are_told(copy):
    (copy.folder / "predictions/prose/introduction.md").write_text(
        'In 2019, << r("data.all.count") >> of 100.'
    )
    _, remarks = verify.compare(copy.folder, copy.given, copy.again)
    assert [*map(str, remarks)] == ["typed by the author, so not checked: numbers, 2 in introduction.md"]


def test_the_command_in_another_place_without_tensorflow_or_cache(case):
    assert case.done.returncode == 0, case.done.stdout + case.done.stderr
    *_, agreed, heavy = case.done.stdout.splitlines()
    assert agreed.startswith("everything agrees")
    assert heavy == "[]"
    assert not (case.folder.parent / "cache").exists()


def test_the_command_tells_twenty_disagreements_and_their_number(tmp_path, monkeypatch, capsys):
    wrong = [Difference("results.json", f"result_{i} is 1, recomputed 2", "number") for i in range(25)]
    monkeypatch.setattr(
        verify,
        "verify",
        lambda *_: Verification({"results.json": "30 results"}, wrong, [verify.Remark("a remark")]),
    )
    with pytest.raises(DataError, match="25 things do not agree with the predictions, of which 20 are told"):
        command.verify(tmp_path)
    told = capsys.readouterr().out
    assert re.search(r"results\.json +30 results +25\n", told)
    assert told.count("recomputed 2") == 20
    assert "note: a remark" in told

"""Whether a changed digit anywhere in a build folder is found and named."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pikepdf
import pytest

from analysis.errors import DataError
from report import PROJECT
from report.commands import verify as command
from report.delivery import evidence, publish, recompute, verify
from report.delivery.differences import Difference
from report.delivery.recompute import Failure, Recomputation, RepeatedStage
from report.delivery.verify import Verification
from report.document.svg import SVG
from report.engine.fingerprint import Surroundings
from report.engine.stage import Stage
from report.engine.system.files import digest_file
from report.pipeline.data import Place
from report.pipeline.stages import PROGRAM, stages
from report.study.loading import load

ASSIGNMENT = PROJECT / "studies" / "assignment"
TINY = ("sample.pictures=160", "sample.size=32")
LAYER = {
    "class_name": "Dense",
    "config": {"activation": "softmax", "kernel_initializer": {"class_name": "GlorotUniform"}},
}
RUN = """
import sys
from report.cli import main
sys.argv = ["report", "verify", sys.argv[1]]
try:
    main()
finally:
    print([name for name in ("tensorflow", "keras", "torch") if name in sys.modules])
"""


class Case(NamedTuple):
    """A build folder, what it tells, and what is recomputed from it."""

    folder: Path
    given: evidence.Evidence
    again: Recomputation


def write_architecture(out: Path) -> None:
    layers = "name,type,settings,output_shape,parameters\nout,Dense,4 units,4,1200\n"
    summary = {
        "parameters": 1200,
        "trainable_parameters": 1200,
        "input_shape": [32, 32, 3],
        "head": "softmax",
    }
    (out / "architecture.json").write_text(json.dumps({"config": {"layers": [LAYER]}}))
    (out / "layers.csv").write_text(layers)
    (out / "summary.json").write_text(json.dumps(summary))


def write_training(out: Path) -> None:
    loss = [1.2, 0.9, 0.7, 0.6]
    columns = {"loss": loss, "accuracy": 0.5, "val_loss": [1.3, 1.0, 0.9, 0.95], "val_accuracy": 0.5}
    pd.DataFrame({"epoch": range(1, 5), **columns}).to_csv(out / "history.csv", index=False)
    facts = {"epochs_run": 4, "best_epoch": 3, "stopped": "all epochs run", "restored": False}
    (out / "training.json").write_text(
        json.dumps({**facts, "weights_epoch": 4, "seed": 42, "class_weights": None})
    )


def write_predictions(out: Path, stage: Stage, records: Path, split: Path) -> None:
    """Write probabilities of no network: right more often than not."""
    table = pd.read_csv(records).merge(pd.read_csv(split, dtype=str), on="image_id")
    table = table[table["split"] != "train"]
    classes = stage.params["classes"]
    truth = np.eye(len(classes))[[classes.index(label) for label in table["label"]]]
    score = np.random.default_rng(len(stage.name)).random(truth.shape) + truth * 0.6
    rows = table[["image_id", "split", "fold"]].assign(
        seed=42, patient_id=table["patient_id"], y_true=table["label"]
    )
    rows[classes] = score / score.sum(axis=1, keepdims=True)
    rows.to_csv(out / "predictions.csv", index=False)


def make(stage: Stage, files: dict[str, dict[str, Path]], place: Path) -> RepeatedStage:
    """Run a stage; what a network would give is made up."""
    if not stage.function.startswith("analysis.models."):
        return recompute.run_stage(stage, files, place)
    out = place / "out"
    out.mkdir(parents=True)
    if stage.kind == "predict":
        split = files[stage.inputs["split"].stage]["split.csv"]
        write_predictions(out, stage, files["read"]["records.csv"], split)
    else:
        {"architecture": write_architecture, "train": write_training}[stage.kind](out)
    return RepeatedStage(out)


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Case:
    """Return a build of the assignment's sample whose networks are made up, and what is recomputed from it."""
    work = tmp_path_factory.mktemp("build")
    study = load(ASSIGNMENT / "study.toml", TINY).for_sample()
    plan = stages(study, Place(ASSIGNMENT, None, TINY))
    moment = Surroundings(PROGRAM, work / "index")
    files: dict[str, dict[str, Path]] = {}
    built = {}
    for stage in plan:
        result = make(stage, files, work / "stages" / stage.name)
        files[stage.name] = {name: result.path(name) for name in result.files}
        record = SimpleNamespace(recipe=moment.recipe(stage, {}), seconds=1.0, host={})
        built[stage.name] = SimpleNamespace(
            files=result.files, path=result.path, record=record, outcome="ran", key=""
        )
    out = work / "built"
    publish.publish(SimpleNamespace(name="sample", out=out, cache=work, study=study, stages=plan), built, 1.0)
    given = evidence.read_evidence(out)
    ElementTree.register_namespace("", SVG)  # that WeasyPrint has taken away
    return Case(out, given, recompute.recompute(out, given, work / "again", lambda *_: None))


@pytest.fixture
def copy(case, tmp_path) -> Case:
    """Return the case with a copy of its build folder."""
    folder = tmp_path / "handed in"
    shutil.copytree(case.folder, folder)
    return case._replace(folder=folder)


def found(case: Case) -> list[str]:
    given = evidence.read_evidence(case.folder)
    return list(map(str, verify.compare(case.folder, given, case.again)[0]))


def sign(folder: Path) -> None:
    """Put the digests of all files into study.json, as one who changes numbers could."""
    path = folder / evidence.STUDY
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["files"] = {n: digest_file(folder / n) for n in facts["files"] if (folder / n).is_file()}
    path.write_text(json.dumps(facts), encoding="utf-8")


def replaced(path: Path, pattern: str, new: str | Callable[[re.Match[str]], str]) -> None:
    text = path.read_text(encoding="utf-8")
    changed = re.sub(pattern, new, text, count=1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


RESULT = r'("{}": \{{[^}}]*"{}": \d\.\d\d)(\d)(\d)'


def other_digit(match: re.Match[str]) -> str:
    """Return what a pattern with three groups found, its second group another digit."""
    return f"{match[1]}{(int(match[2]) + 1) % 10}{match[3]}"


def test_an_untouched_folder_agrees(case):
    assert case.again.failures == {}
    assert verify.compare(case.folder, case.given, case.again) == ([], [])
    told = verify.count_parts(case.folder, case.given)
    counts = {part: int(count.partition(" ")[0].replace(",", "")) for part, count in told.items()}
    assert counts["results.json"] == len(json.loads((case.folder / "results.json").read_text())["results"])
    assert counts["report.html"] > 1000
    assert told["report.pdf"] == f"{len(pikepdf.open(case.folder / 'report.pdf').pages)} pages"
    assert min(counts["predictions"], counts["tables"], counts["figures"]) > 20


def test_everything_is_recomputed_but_what_needs_pictures_or_a_network(case):
    taken = {stage.partition(".")[0].partition("@")[0] for stage in evidence.group_by_stage(case.given.files)}
    assert taken == {"read", "split", "architecture", "train", "predict", "figure", "prose"}
    assert {name for name in evidence.group_by_stage(case.given.files) if name.startswith("figure")} == {
        "figure.examples"
    }
    assert {
        "evaluate.baseline",
        "compare@patient",
        "results",
        "split",
        "source",
        "pdf",
    } <= case.again.results.keys()


@pytest.mark.parametrize(
    ("file", "pattern", "named"),
    [
        (
            "results.json",
            RESULT.format("improved.test.accuracy", "value"),
            r"improved\.test\.accuracy, value is {}",
        ),
        (
            "results.json",
            RESULT.format("baseline@patient.val.log_loss", "low"),
            r"baseline@patient\.val\.log_loss, low is {}",
        ),
        ("results.json", r'("margin": 0\.0)(\d)()', r"verdicts, .*margin is {}"),
        ("tables/improved_measures.csv", r"(\ntest,macro,0\.)(\d)()", r"line 11, column sensitivity is {}"),
        ("figures/counts.csv", r"(train,\d*)(\d)(,)", r"line 2, column count is {}"),
        ("figures/confusion_improved.svg", r"(>\d*)(\d)( %<)", r"says “.*\[\d+\] %.*”, recomputed \[\d+\]"),
        (
            "figures/counts.svg",
            r'(<path d="M \d)(\d)(\.)',
            r"its text is the same, but it is drawn otherwise: d=M .* for d=M .*",
        ),
        (
            "report.html",
            r"(>[^<>]*accuracy\s0\.\d)(\d)(\d)",
            r"says “.*accuracy.* \[0\.\d+[,;]?\] .*”, recomputed \[0\.\d+[,;]?\]",
        ),
        ("report.html", r"(<td[^>]*>0\.\d)(\d)(\d)", r"says “.*\[0\.\d+\].*”, recomputed \[0\.\d+\]"),
        ("report.html", r'(aria-label="[^"]*0\.\d)(\d)(\d)', r"says “.*”, recomputed \[0\.\d+.*"),
        ("report.html", r"()(\d)(px)", r"its text is the same, but its markup differs: .*px.* for .*px.*"),
    ],
)
def test_a_changed_digit_is_named(copy, file, pattern, named):
    replaced(copy.folder / file, pattern, other_digit)
    sign(copy.folder)
    (difference,) = found(copy)
    numbers = r"-?\d+(\.\d+)?, recomputed -?\d+(\.\d+)?"
    assert re.fullmatch(f"{re.escape(file)}: {named.replace('{}', numbers)}", difference), difference


def test_a_changed_word_is_named(copy):
    replaced(copy.folder / "report.html", r"(<p>[^<]*)\bpictures\b", r"\1paintings")
    sign(copy.folder)
    (difference,) = found(copy)
    assert "[paintings]" in difference
    assert "recomputed [pictures]" in difference


def letters(font: pikepdf.Object) -> dict[bytes, str]:
    """Return the letter of each glyph in a font of a PDF."""
    pairs = re.findall(rb"<([0-9a-f]{4})> <([0-9a-f]{4})>", font.ToUnicode.read_bytes())
    return {bytes.fromhex(glyph.decode()): chr(int(letter, 16)) for glyph, letter in pairs}


def change_a_digit(path: Path) -> None:
    """Print 8 instead of the first 3 on the first page of a PDF."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        fonts = {name: letters(font) for name, font in page.Resources.Font.items()}
        content = list(pikepdf.parse_content_stream(page))
        known: dict[bytes, str] = {}
        for operands, operator in content:
            known = fonts[str(operands[0])] if str(operator) == "Tf" else known
            strings = operands[0] if str(operator) == "TJ" else []
            for i, part in enumerate(strings):
                if (
                    isinstance(part, pikepdf.String)
                    and known.get(bytes(part)) == "3"
                    and "8" in known.values()
                ):
                    strings[i] = pikepdf.String(
                        next(glyph for glyph, letter in known.items() if letter == "8")
                    )
                    page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(content))
                    pdf.save()
                    return
    raise AssertionError("no 3 is printed on the first page")


def cover_a_page(path: Path) -> None:
    """Draw a white box over the first page of a PDF."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].contents_add(b"q 1 1 1 rg 0 0 600 800 re f Q")
        pdf.save()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_a_digit, r"report\.pdf: page 1 says “.*\[\S*8\S*\].*”, recomputed \[\S*3\S*\]"),
        (cover_a_page, r"report\.pdf: its text is the same, but it is drawn otherwise: page 1, .*"),
    ],
)
def test_a_changed_page_of_the_pdf_is_named(copy, change, named):
    change(copy.folder / "report.pdf")
    sign(copy.folder)
    (difference,) = found(copy)
    assert re.fullmatch(named, difference), difference


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        ("results.json", Path.unlink, "results.json: is missing"),
        ("predictions/improved.csv", Path.unlink, "predictions/improved.csv: is missing"),
        ("figures/counts.svg", Path.unlink, "figures/counts.svg: is missing"),
        ("results.json", cut, "results.json: cannot be read: JSONDecodeError: "),
        ("report.pdf", cut, "report.pdf: cannot be read: "),
        ("report.html", cut, "report.html: says “"),
        ("tables/extra.csv", Path.touch, "tables/extra.csv: is not of this build"),
        ("predictions/split/split.csv", cut, "predictions/split/split.csv: "),
        ("predictions/read/flow.csv", cut, "predictions/read/flow.csv: is not the file that was built"),
        (
            "predictions/prose/discussion.md",
            cut,
            "predictions/prose/discussion.md: is not the file that was built",
        ),
    ],
)
def test_a_missing_damaged_or_added_file_is_named(copy, file, change, named):
    change(copy.folder / file)
    told = found(copy)
    assert [line for line in told if line.startswith(named)], told


def test_what_could_not_be_recomputed_is_not_said_to_agree(copy):
    lost = {"compare", "results", "source", "html", "pdf"}
    results = {name: made for name, made in copy.again.results.items() if name not in lost}
    again = dataclasses.replace(copy.again, results=results, failures={"compare": Failure("odd")})
    for name in ("results.json", "report.pdf"):
        cut(copy.folder / name)
    differences, _ = verify.compare(copy.folder, copy.given, again)
    checked = Verification(
        verify.count_parts(copy.folder, copy.given), differences, [], verify.find_unchecked(copy.given, again)
    )
    assert {part: checked.verdict(part) for part in checked.counts} == {
        "predictions": "none",
        **dict.fromkeys(("tables", "figures", "results.json", *verify.DOCUMENTS), "not checked"),
    }
    assert checked.counts["results.json"] == checked.counts["report.pdf"] == "cannot be read"
    told = list(map(str, differences))
    assert told[0] == "compare: could not be recomputed: odd"
    assert [line.partition("cannot be read")[0] for line in told[1:]] == ["report.pdf: ", "results.json: "]
    assert verify.find_unchecked(copy.given, copy.again) == frozenset()


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
    replaced(copy.folder / "predictions/baseline.csv", r"0\.(\d)", "0.0")
    changed = verify.find_changed(copy.folder, copy.given)
    assert changed == {"predictions/baseline.csv"}
    assert "predictions/baseline.csv is not of the build" in verify.describe_cause(changed)


def test_files_beside_the_report_are_told(copy):
    for name in ("run.json", "graph.svg", ".hidden", "letter.txt"):
        (copy.folder / name).touch()
    differences, remarks = verify.compare(copy.folder, copy.given, copy.again)
    assert (differences, [*map(str, remarks)]) == ([], ["letter.txt is not of this build, so not checked"])


def test_a_change_beyond_the_precision_of_the_check_is_told(copy):
    replaced(
        copy.folder / "results.json",
        r'("improved.val.log_loss": \{[^}]*"value": \d\.\d{13})(\d)()',
        other_digit,
    )
    (difference,) = found(copy)
    assert difference == f"results.json: {verify.CHANGED}"


@pytest.mark.parametrize(
    ("file", "pattern", "named"),
    [
        ("predictions/improved.csv", r"(,test,.*,0\.\d{6})(\d)()", r"^results\.json: improved\.test\."),
        (
            "predictions/low_detail@patient.csv",
            r"(,test,.*,0\.\d{6})(\d)()",
            r"^results\.json: low_detail@patient\.test",
        ),
        (
            "predictions/train.baseline/history.csv",
            r"(4,0\.)(\d)()",
            r"^results\.json: baseline\.training\.last_loss",
        ),
        ("predictions/study.json", r'("margin": 0\.0)(\d)()', r"^results\.json: verdicts"),
        (
            "predictions/split/split.csv",
            r"(-)(\d)(\.jpg)",
            r"^predictions/split/split\.csv: line \d+, column image_id",
        ),
    ],
)
def test_from_a_changed_prediction_other_results_follow(copy, tmp_path, monkeypatch, file, pattern, named):
    monkeypatch.setattr(evidence, "TARGETS", ("results",))
    replaced(copy.folder / file, pattern, other_digit)
    sign(copy.folder)
    given = evidence.read_evidence(copy.folder)
    again = recompute.recompute(copy.folder, given, tmp_path / "again", lambda *_: None)
    told = list(map(str, verify.compare(copy.folder, given, again)[0]))
    assert [line for line in told if re.search(named, line)], told[:10]


def test_what_cannot_be_recomputed_is_told_with_its_place(copy, tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "TARGETS", ("results",))
    replaced(copy.folder / "predictions/improved.csv", r",0\.\d+", ",lots")
    again = recompute.recompute(copy.folder, copy.given, tmp_path / "again", lambda *_: None)
    told = list(map(str, verify.compare(copy.folder, copy.given, again)[0]))
    place = 'predictions/improved.csv, line 2, column bacterial: "lots" is no probability from 0 to 1'
    assert told[:2] == [
        f"{stage}: could not be recomputed: {place}" for stage in ("evaluate.improved", "compare")
    ]


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
    assert found(copy) == ["report.pdf: is not of this build"]
    (copy.folder / "report.pdf").unlink()
    differences, remarks = verify.compare(copy.folder, evidence.read_evidence(copy.folder), copy.again)
    assert (differences, [*map(str, remarks)]) == ([], ["report.pdf was not built, so not checked"])


def test_numbers_typed_by_the_author_are_told(copy):
    (copy.folder / "predictions/prose/introduction.md").write_text(
        'In 2019, << r("data.all.count") >> of 100.'
    )
    _, remarks = verify.compare(copy.folder, copy.given, copy.again)
    assert [*map(str, remarks)] == ["typed by the author, so not checked: numbers, 2 in introduction.md"]


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (None, "no such folder"),
        ({}, "is no build folder"),
        ({"run.json": "{}", "predictions/baseline.csv": ""}, "holds no report, as after report build --only"),
        ({"report.html": ""}, "its report has no predictions/study.json"),
        ({"predictions/study.json": "{"}, "damaged, or of another version of this program"),
        ({"predictions/study.json": '{"format": 2}'}, "format: "),
    ],
)
def test_a_folder_that_cannot_be_checked(tmp_path, files, error):
    folder = tmp_path / "build"
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if files == {}:
        folder.mkdir()
    with pytest.raises(DataError, match=error) as caught:
        evidence.read_evidence(folder)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../elsewhere"),
        ("name", ".."),
        ("files", {"predictions/../../x/y": ""}),
        ("files", {"/etc/passwd": ""}),
    ],
)
def test_no_path_leads_out_of_the_folder(copy, key, value):
    path = copy.folder / evidence.STUDY
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(DataError, match="damaged"):
        evidence.read_evidence(copy.folder)


def test_the_command_in_another_place_without_tensorflow_or_cache(copy, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(copy.folder)],
        cwd=PROJECT,
        env={**os.environ, "REPORT_CACHE": str(tmp_path / "cache"), "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, agreed, heavy = done.stdout.splitlines()
    assert agreed.startswith("everything agrees")
    assert heavy == "[]"
    assert not (tmp_path / "cache").exists()


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

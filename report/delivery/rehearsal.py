"""The document made once before anything is trained, with made-up results: what would be refused at the end is refused now.

The stages of the document run as they are, on files in the form of those that they will read. No number of them says
anything; all names, tables, figures, ids and references are there.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from analysis.vocabulary.splits import EVALUATED
from report import PROJECT
from report.delivery.verify import run
from report.document.lint import find_origin
from report.document.pandoc import SOURCE
from report.engine.sources import list_source
from report.engine.stage import Output, Source, Stage
from report.errors import RenderError, StudyError, did_you_mean, nearest
from report.study.complaints import line_of
from report.study.trainings import analyses, compared
from report.workspace.places import find_study_folder
from report.writing.names import names

if TYPE_CHECKING:
    from report.study.study import Study
    from report.workspace.plan import Plan

WHOLE, PARTS, SHARE, HALF_WIDTH = 8, 5, 0.5, 0.1
"""A made-up count, how many of it all pictures are, a made-up share, and how far its interval reaches."""
_OF_ALL = re.compile(r"^data(@\w+)?\.(all\.count|pictures|\w+_found)$")
_COUNTED = re.compile(
    r"\.(n|excluded|pictures|patients|\w+_found|parameters|trainable_parameters|\w+_epoch|epochs_run|count"
    r"|same_patient_in_train|exact_duplicate_elsewhere)$"
    r"|\.(count|support|confusion|fixed|broken|both_right|both_wrong|age_known|age_median|female|male|view_\w+|excluded)\."
    r"|\.(fixed|broken|both_right|both_wrong)$|^ledger\.\w+\.(agrees|differs|not_\w+)$"
)
_QUOTED = re.compile(r"""["'](data(?:@\w+)?\.excluded\.[a-z0-9_]+)["']""")
_PLACE = re.compile(rf"{re.escape(SOURCE)}:(\d+)")
_EQUATION = re.compile(r"the equation (.+) is not understood|cannot draw the equation '(.+)':", re.S)
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="9mm" height="9mm" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'


def rehearse(plan: Plan) -> str:
    """Make the document of a plan with made-up results; return what could not be tried, "" if all was.

    An expression of a template that made-up numbers do not fit is no mistake of the author.

    Raises
    ------
    RenderError
        The author's words or a template cannot be carried by the report; the message names file and line.
    StudyError
        A requirement is answered in a part that the report will not have.
    """
    stages = {stage.name: stage for stage in plan.stages}
    words = stages["source"].inputs["prose"]
    assert isinstance(words, Source)
    prose = [words.path / name for name in sorted(list_source(words))]
    with TemporaryDirectory(prefix="report-rehearsal-") as work:
        source = Path(work) / "source"
        try:
            _document(
                stages, _made(stages["source"], plan.study, Path(work) / "made", _read_all(prose)), source
            )
        except RenderError as error:
            if (text := source / "out" / SOURCE).is_file():
                _require_answers(
                    plan.study,
                    text.read_text(encoding="utf-8"),
                    find_study_folder(plan.request.study) / "study.toml",
                )
            message = _located(error.message, text, prose)
            if isinstance(error.__cause__, ArithmeticError | TypeError) and ".j2:" in message:
                return message
            raise RenderError(message, hint=error.hint) from error
    return ""


def _document(stages: Mapping[str, Stage], files: dict[str, dict[str, Path]], source: Path) -> None:
    """Run the stages of the document on ``files``, the source in the folder ``source``, and draw its equations."""
    written = run(stages["source"], files, source)
    files["source"] = {name: written.path(name) for name in written.files}
    page = (
        run(stages["html"], files, source.with_name("html")).path("report.html").read_text(encoding="utf-8")
    )
    if "<math" in page:
        from report.document.equations import draw_equations

        draw_equations(page)


def _read_all(files: Iterable[Path]) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def _require_answers(study: Study, source: str, file: Path) -> None:
    """Refuse a requirement that refers to no part of the report."""
    ids = set(re.findall(r"\{#((?:sec|fig|tbl)-[\w-]+)", source))
    for number, requirement in enumerate(study.report.requirements):
        if requirement.where not in ids:
            key = f"report.requirements.{number}.where"
            line = line_of(key, file.read_text(encoding="utf-8-sig"))
            raise StudyError(
                f"{file}:{line}: {key}: the report has no part {requirement.where}",
                hint=did_you_mean(
                    nearest(requirement.where, ids), f"parts are: {', '.join(sorted(ids)[:8])}"
                ),
            )


def _located(message: str, source: Path, prose: Sequence[Path]) -> str:
    """Return a complaint about a line of the source as one about the line that the author or a template has."""
    if equation := _EQUATION.search(message):
        words = (equation[1] or equation[2]).split()
        pattern = re.compile(r"\s*".join(map(re.escape, words)))
        for path in prose:
            text = path.read_text(encoding="utf-8", errors="replace")
            if found := pattern.search(text):
                line = text.count("\n", 0, found.start()) + 1
                return f"{path.name}:{line}: {message.partition(': ')[2]}"
    place = _PLACE.match(message)
    if place is None or not source.is_file():
        return message
    written = source.read_text(encoding="utf-8").split("\n")[int(place[1]) - 1]
    where = find_origin(written, PROJECT / "templates", *{path.parent for path in prose})
    return message.replace(place[0], where, 1) if where else message


def results(study: Study, words: str) -> dict[str, Any]:
    """Return a made-up ``results.json``, with a verdict for each declared comparison; ``words`` are the author's."""
    known = sorted(names(study) | set(_QUOTED.findall(words)))
    return {"results": {name: _entry(name) for name in known}, "verdicts": list(_verdicts(study))}


def _entry(name: str) -> dict[str, Any]:
    counted = bool(_COUNTED.search(name))
    value = PARTS * WHOLE if _OF_ALL.search(name) else WHOLE if counted else SHARE
    ends = {"low": None, "high": None} if counted else {"low": value - HALF_WIDTH, "high": value + HALF_WIDTH}
    level = None if counted else 0.95
    return {
        "value": value,
        **ends,
        "level": level,
        "n": WHOLE,
        "clusters": WHOLE,
        "se": 0.05,
        "reason_null": None,
    }


def _verdicts(study: Study) -> Iterable[dict[str, Any]]:
    declared = study.comparison
    for analysis in analyses(study):
        for other in compared(study):
            assert declared is not None
            yield {
                "pair": f"{other}_vs_{declared.baseline}{analysis}",
                "a": declared.baseline,
                "b": other,
                "analysis": analysis,
                "measure": declared.primary,
                "split": declared.split,
                "verdict": "better",
                "margin": declared.margin,
                "alpha": declared.alpha,
                "seeds": len(study.training.seeds),
                "declared_late": False,
            }


def _made(source: Stage, study: Study, folder: Path, words: str) -> dict[str, dict[str, Path]]:
    """Write what the source reads of other stages, in their form; return the files of each."""
    needed = sorted({given.stage for given in source.inputs.values() if isinstance(given, Output)})
    for stage in needed:
        place = folder / stage
        place.mkdir(parents=True)
        _FORMS[re.split("[.@]", stage)[0]](place, study, stage, words)
    return {stage: {path.name: path for path in sorted((folder / stage).iterdir())} for stage in needed}


def _table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _read(place: Path, study: Study, *_: str) -> None:
    record = {
        "image_id": "picture",
        "label": study.classes[0].id,
        "patient_id": "",
        "source": "made up",
        **dict.fromkeys(("width", "height", "original_width", "original_height"), WHOLE),
    }
    _table(place / "records.csv", [record, {**record, "width": 2 * WHOLE, "original_width": 2 * WHOLE}])
    _table(place / "excluded.csv", [{"file": "f", "reason": "made up", "detail": ""}])
    flow = (("pictures found", "found"), ("made up", "excluded"), ("pictures kept", "kept"))
    _table(place / "flow.csv", [{"step": step, "count": WHOLE, "kind": kind} for step, kind in flow])


def _split(place: Path, *_: Any) -> None:
    _table(place / "split.csv", [{"image_id": "picture", "split": "test", "fold": ""}])


def _architecture(place: Path, study: Study, stage: str, _: str) -> None:
    number = [m.id for m in study.models].index(stage.partition(".")[2])
    layer = {"class_name": "Dense", "config": {"kernel_initializer": {"class_name": "GlorotUniform"}}}
    _json(place / "architecture.json", {"config": {"layers": [layer]}})
    settings = f"{WHOLE + number} units, softmax"  # no two networks alike, so that each has its table
    _table(
        place / "layers.csv",
        [{"name": "out", "type": "Dense", "settings": settings, "output_shape": "8", "parameters": WHOLE}],
    )
    shape = [study.image.size, study.image.size, 3]
    summary = {"parameters": WHOLE, "trainable_parameters": WHOLE, "input_shape": shape, "head": "softmax"}
    _json(place / "summary.json", summary)


def _train(place: Path, *_: Any) -> None:
    figures = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy"), SHARE)
    _table(place / "history.csv", [{"epoch": 1, **figures}])


def _evaluate(place: Path, study: Study, *_: str) -> None:
    first, last = study.classes[0].id, study.classes[-1].id
    _table(
        place / "errors.csv",
        [{"y_true": first, "y_pred": last, "probability": SHARE, "image_id": "picture"}],
    )


def _compare(place: Path, study: Study, *_: str) -> None:
    counts = ("both_right", "a_wrong_b_right", "a_right_b_wrong", "both_wrong")
    rows = [
        {"split": split, "y_true": c.id, **dict.fromkeys(counts, WHOLE)}
        for split in EVALUATED
        for c in study.classes
    ]
    for other in compared(study):
        _table(place / f"moved.{other}.csv", rows)


def _ledger(place: Path, study: Study, *_: str) -> None:
    assert study.published is not None
    rows = [
        {
            **{"model": r.model, "run": r.run or "", "figure": name, "source": r.source, "printed": printed},
            **{"published": printed, "published_se": "", "ours": WHOLE, "low": "", "high": "", "se": ""},
            **{"verdict": "not comparable", "why": "made up"},
        }
        for r in study.published.results
        for name, printed in r.figures.items()
    ]
    _table(place / "ledger.csv", rows)


def _results(place: Path, study: Study, _: str, words: str) -> None:
    _json(place / "results.json", results(study, words))


def _figure(place: Path, *_: Any) -> None:
    (place / "figure.svg").write_text(DRAWING, encoding="utf-8")
    _table(place / "figure.csv", [{"made": "up"}])
    _json(place / "figure.json", {"alt": "Made up.", "width_mm": 9})


_FORMS: dict[str, Callable[[Path, Study, str, str], None]] = {
    "read": _read,
    "split": _split,
    "architecture": _architecture,
    "train": _train,
    "evaluate": _evaluate,
    "compare": _compare,
    "ledger": _ledger,
    "results": _results,
    "figure": _figure,
}

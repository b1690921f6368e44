"""Made-up results in the form of those that the document will read: all names are there, and no number says anything."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.audit.findings import Level
from analysis.evaluation.settings import LEVEL
from analysis.vocabulary.ablation import EFFECTS_TABLE, EQUIVALENCE, UNDETERMINED
from analysis.vocabulary.attention import (
    ATTENTION,
    MAPS_TABLE,
    NETWORK,
)
from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.external import EXTERNAL
from analysis.vocabulary.folds import FOLDS_TABLE
from analysis.vocabulary.measures import LEARNING_CURVES, pair_name
from analysis.vocabulary.pretraining import quantity
from analysis.vocabulary.published import NOT_COMPARABLE
from analysis.vocabulary.results import ABLATION, MOVES, OF_ARCHITECTURE, P_HOLM, Quantity
from analysis.vocabulary.run_names import FOLDS
from analysis.vocabulary.splits import EVALUATED
from analysis.vocabulary.subsets import SUBSETS
from analysis.vocabulary.verdicts import BETTER
from report.delivery.made_up_audit import make_up_value, write_audit
from report.engine.stage import Stage
from report.pipeline.subsets import TABLES
from report.study.study import Study
from report.study.trainings import list_analyses, list_compared, list_explained, list_variants
from report.writing.result_names import result_names

WHOLE, PARTS, SHARE, HALF_WIDTH = 8, 5, 0.5, 0.1
"""A made-up count, how many of it all images are, a made-up share, and how far its interval reaches."""
_OF_ALL = re.compile(r"^data(@\w+)?\.(all\.count|images|\w+_found)$")
_WHOLE = {Quantity.COUNT, Quantity.YEARS}
_QUOTED = re.compile(r"""["'](data(?:@\w+)?\.excluded\.[a-z0-9_]+)["']""")
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="9mm" height="9mm" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>'


@dataclass(frozen=True)
class _Case:
    """A stage whose files are made up, the study that it is of, and the author's words."""

    stage: Stage
    study: Study
    words: str


def make_up(stages: Iterable[Stage], study: Study, words: str, folder: Path) -> dict[str, dict[str, Path]]:
    """Write what the document reads of these stages, in their form.

    Parameters
    ----------
    stages : iterable of Stage
        The stages whose files are wanted.
    study : Study
        Has the names of all results, together with those that are quoted in ``words``.
    words : str
        The author's words.
    folder : Path
        Gets a folder for each stage.

    Returns
    -------
    dict of str to dict of str to Path
        Of each stage, by its name, its files by theirs.
    """
    stages = list(stages)
    if not any(stage.kind == EXTERNAL for stage in stages):  # declared, and no images of it are there
        study = study.model_copy(update={EXTERNAL: None})
    files: dict[str, dict[str, Path]] = {}
    for stage in stages:
        place = folder / stage.name
        place.mkdir(parents=True)
        _WRITERS[stage.kind](place, _Case(stage, study, words))
        files[stage.name] = {path.name: path for path in sorted(place.iterdir())}
    return files


def make_up_results(study: Study, words: str) -> dict[str, Any]:
    """Return a made-up ``results.json``, with a verdict for each declared comparison; ``words`` are the author's."""
    known = sorted(result_names(study) | set(_QUOTED.findall(words)))
    return {"results": {name: make_entry(name) for name in known}, "verdicts": list(_make_verdicts(study))}


def make_entry(name: str, findings: Level | None = "strong") -> dict[str, Any]:
    """Return a made-up entry of the result ``name``; ``findings`` is the level of all findings of the audit."""
    counted = quantity(name) in _WHOLE
    value = PARTS * WHOLE if _OF_ALL.search(name) else WHOLE if counted else SHARE
    ends = {"low": None, "high": None} if counted else {"low": value - HALF_WIDTH, "high": value + HALF_WIDTH}
    level = None if counted else LEVEL
    return {
        "value": value,
        **ends,
        "level": level,
        "n": WHOLE,
        "clusters": WHOLE,
        "se": 0.05,
        "reason_null": None,
        **make_up_value(name, findings),
    }


def _make_verdicts(study: Study) -> Iterable[dict[str, Any]]:
    declared = study.comparison
    for analysis in list_analyses(study):
        for other in list_compared(study):
            assert declared is not None
            yield {
                "pair": f"{pair_name(other, declared.baseline)}{analysis}",
                "a": declared.baseline,
                "b": other,
                "analysis": analysis,
                "measure": declared.primary,
                "split": declared.split,
                "verdict": BETTER,
                "margin": declared.margin,
                "alpha": declared.alpha,
                "seeds": len(study.training.seeds),
                "declared_late": False,
            }


def _write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _write_records(place: Path, case: _Case) -> None:
    record = {
        "image_id": "picture",
        "label": case.study.classes[0].id,
        "patient_id": "",
        "source": "made up",
        **dict.fromkeys(("width", "height", "original_width", "original_height"), WHOLE),
    }
    _write_table(place / "records.csv", [record, {**record, "width": 2 * WHOLE, "original_width": 2 * WHOLE}])
    _write_table(place / "excluded.csv", [{"file": "f", "reason": "made up", "detail": ""}])
    flow = (("images found", "found"), ("made up", "excluded"), ("images kept", "kept"))
    _write_table(place / "flow.csv", [{"step": step, "count": WHOLE, "kind": kind} for step, kind in flow])


def _write_split(place: Path, _: _Case) -> None:
    _write_table(place / "split.csv", [{"image_id": "picture", "split": "test", "fold": ""}])


def _write_architecture(place: Path, case: _Case) -> None:
    first = [case.study.pretraining.model] if case.study.pretraining else []
    networks = [*case.study.models, *(v.model for v in list_variants(case.study)), *first]
    number = [m.id for m in networks].index(case.stage.name.partition(".")[2])
    layer = {"class_name": "Dense", "config": {"kernel_initializer": {"class_name": "GlorotUniform"}}}
    _write_json(place / "architecture.json", {"config": {"layers": [layer]}})
    settings = f"{WHOLE + number} units, softmax"  # no two networks alike, so that each has its table
    row = {"name": "out", "type": "Dense", "settings": settings, "output_shape": "8", "parameters": WHOLE}
    _write_table(place / "layers.csv", [{**row, "inputs": ""}])
    shape = [case.study.image.size, case.study.image.size, 3]
    parameters = {result.id: WHOLE for result in OF_ARCHITECTURE}
    summary = {**parameters, "input_shape": shape, "head": "softmax", "precision": "bfloat16"}
    _write_json(place / "summary.json", summary)


def _write_training(place: Path, _: _Case) -> None:
    figures = dict.fromkeys(LEARNING_CURVES, SHARE)
    _write_table(place / "history.csv", [{"epoch": 1, **figures}])


def _write_pretrained(place: Path, _: _Case) -> None:
    facts = {"study": "study", "model": "model", "sha256": "0" * 64, "parameters": WHOLE}
    (place / "pretrained.json").write_text(json.dumps(facts), encoding="utf-8")


def _write_evaluation(place: Path, case: _Case) -> None:
    first, last = case.study.classes[0].id, case.study.classes[-1].id
    _write_table(
        place / "errors.csv",
        [{"y_true": first, "y_pred": last, "probability": SHARE, "image_id": "picture"}],
    )


def _write_comparison(place: Path, case: _Case) -> None:
    rows = [
        {"split": split, "y_true": c.id, **dict.fromkeys(MOVES.values(), WHOLE)}
        for split in EVALUATED
        for c in case.study.classes
    ]
    of_class = case.study.classes[0].id
    answers = {"said_a": of_class, "p_said_a": SHARE, "said_b": of_class, "p_said_b": SHARE}
    flips = [
        {"split": split, "y_true": of_class, **answers, "image_id": "picture", "number": 1}
        for split in EVALUATED
    ]
    for other in list_compared(case.study):
        _write_table(place / f"moved.{other}.csv", rows)
        _write_table(place / f"flips.{other}.csv", flips)


def _write_folds(place: Path, case: _Case) -> None:
    row = {"fold": 1, "model": case.study.trained[0].id, "measure": "accuracy", "value": SHARE}
    _write_table(place / FOLDS_TABLE, [row])


def _write_ledger(place: Path, case: _Case) -> None:
    assert case.study.published is not None
    rows = [
        {
            **{"model": r.model, "run": r.run or "", "figure": name, "source": r.source, "printed": printed},
            **{"published": printed, "published_se": "", "ours": WHOLE, "low": "", "high": "", "se": ""},
            **{"verdict": NOT_COMPARABLE, "why": "made up"},
        }
        for r in case.study.published.results
        for name, printed in r.figures.items()
    ]
    _write_table(place / "ledger.csv", rows)


def _write_ablation(place: Path, case: _Case) -> None:
    """Write the effects of the networks alone: where one component has both, that of their difference is told by results."""
    ends = {"value": SHARE, "low": SHARE - HALF_WIDTH, "high": SHARE + HALF_WIDTH, "level": LEVEL}
    narrow = {f"{EQUIVALENCE}_{end}": ends[end] for end in ("low", "high")}
    rest = {**ends, **narrow, P_HOLM: SHARE, "trainings": 1, "case": UNDETERMINED, "reason": ""}
    rows = [{"component": v.component, "effect": v.effect, **rest} for v in list_variants(case.study)]
    _write_table(place / EFFECTS_TABLE, rows)


def _write_external(place: Path, case: _Case) -> None:
    assert case.study.external is not None
    of_label = {"label": case.study.external.class_ids[0], "y_pred": case.study.classes[0].id}
    counts = dict.fromkeys(("n", "patients", "count"), WHOLE)
    shares = {"share": SHARE, "low": SHARE - HALF_WIDTH, "high": SHARE + HALF_WIDTH}
    _write_table(place / "confusion.csv", [{**of_label, **counts, **shares}])
    _write_table(place / "groups.csv", [{"kind": "sex", "group": "female", **of_label, **counts, **shares}])


def _write_audit(place: Path, case: _Case) -> None:
    write_audit(place, case.stage.name, case.study.class_ids)


def _write_subsets(place: Path, _: _Case) -> None:
    for name in TABLES:
        _write_table(place / name, [{"model": "made up", "share": SHARE, "images": WHOLE, "value": SHARE}])


def _write_attention(place: Path, case: _Case) -> None:
    model, *_ = list_explained(case.study)[case.stage.name.partition(".")[2]]
    write_attention(place, model.id, case.study.class_ids)


def write_attention(place: Path, model: str, classes: Sequence[str]) -> None:
    """Write which network it is, and a table of maps, in which the lungs of images of two classes are known."""
    _write_json(place / NETWORK, {"model": model, "layer": "made up", "size": [WHOLE, WHOLE]})
    ends = (classes[0], classes[-1])
    _write_table(place / MAPS_TABLE, [{"y_true": name, "lung_area": SHARE} for name in ends])


def _write_results(place: Path, case: _Case) -> None:
    _write_json(place / "results.json", make_up_results(case.study, case.words))


def _write_figure(place: Path, _: _Case) -> None:
    (place / "figure.svg").write_text(DRAWING, encoding="utf-8")
    _write_table(place / "figure.csv", [{"split": split} for split in EVALUATED])
    _write_json(place / "figure.json", {"alt": "Made up.", "width_mm": 9})


_WRITERS: dict[str, Callable[[Path, _Case], None]] = {
    "read": _write_records,
    "split": _write_split,
    "architecture": _write_architecture,
    "pretrained": _write_pretrained,
    "train": _write_training,
    "evaluate": _write_evaluation,
    "compare": _write_comparison,
    FOLDS: _write_folds,
    "ledger": _write_ledger,
    ABLATION: _write_ablation,
    EXTERNAL: _write_external,
    AUDIT: _write_audit,
    SUBSETS: _write_subsets,
    ATTENTION: _write_attention,
    "results": _write_results,
    "figure": _write_figure,
}

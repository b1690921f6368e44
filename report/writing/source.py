"""Write the document's one source: a ``.qmd`` with its figures, tables and references."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.evaluation import settings
from analysis.vocabulary.measures import COLUMNS
from analysis.vocabulary.splits import SPLITS
from report.document import lint
from report.study.prose import find_prose
from report.writing.across import Across
from report.writing.author.doubts import find_doubts
from report.writing.author.passages import close_passage
from report.writing.facts import Facts
from report.writing.floats import bold_row, figure_writer, references, row, rule
from report.writing.ledger import Ledger
from report.writing.sentences import Sentences
from report.writing.study_facts import StudyFacts
from report.writing.tables import PRIMARY, Tables
from report.writing.templates import locate_errors, make_engine
from report.writing.values import NO_BREAK, Values, percent, unbroken
from report.writing.verdicts import Verdicts

if TYPE_CHECKING:
    from analysis.progress import Progress

SAMPLE_NOTICE = "Built on generated pictures, not on X-rays"
EVALUATION = (
    *("measures.csv", "confusion.csv", "auroc.csv", "average_precision.csv"),
    *("reliability.csv", "predictive.csv", "decision.csv", "errors.csv"),
)


@dataclass(frozen=True)
class Request:
    """What a report is asked to be written of.

    Parameters
    ----------
    study : dict
        The study file as JSON values.
    together : list of str
        The models whose curves lie over one another.
    many : bool
        Whether the models are so many that the report tells of them together and not one by one.
    name : str
        The study's folder, as the commands of the appendix call it.
    sample : bool
        Whether the images are generated ones.
    overrides : list of str
        Changes to the study file made on the command line, as ``key=value``.
    declaration : str
        The digest of what the study declares to compare.
    commit : str
        The version of the program, "" where it is not known.
    versions : list of str
        Distributions that the appendix lists with their versions.
    """

    study: dict[str, Any]
    together: list[str]
    many: bool
    name: str
    sample: bool
    overrides: list[str]
    declaration: str
    commit: str
    versions: list[str]


def write(
    inputs: Mapping[str, Path], out: Path, *, scratch: Path, progress: Progress, **request: Any
) -> None:
    """Write ``report.qmd``, ``figures/``, ``tables/``, ``references.bib`` and ``doubts.json`` into ``out``.

    Parameters
    ----------
    **request
        The fields of `Request`.

    Raises
    ------
    RenderError
        A template or the author's prose is wrong, or the source fails our check; the message names file and line.
    """
    asked = Request(**request)
    found = json.loads((inputs["results"] / "results.json").read_text(encoding="utf-8"))
    figures = copy_figures(inputs, out)
    copy_tables(inputs, out)
    shutil.copyfile(inputs["templates"] / "references.bib", out / "references.bib")
    facts = StudyFacts(asked.study, Values(found["results"]), inputs, asked.many, asked.sample)
    known = names_of_templates(facts, found["verdicts"], figures) | _of_request(asked, facts)
    text = fill(inputs["templates"], inputs["prose"], known)
    (out / "report.qmd").write_text(text, encoding="utf-8")
    lines, folders = text.split("\n"), (inputs["templates"], inputs["prose"])
    lint.require_sound(out, lambda p: lint.find_origin(lines[p.line - 1], *folders, word=p.word))
    decided = bool(found["verdicts"]) and all(v["verdict"] in {"better", "worse"} for v in found["verdicts"])
    doubts = [d for path in find_prose(inputs["prose"]) for d in find_doubts(path, decided=decided)]
    listing = json.dumps(doubts, indent=1, ensure_ascii=False)
    (out / lint.DOUBTS).write_text(listing + "\n", encoding="utf-8")


def names_of_templates(
    facts: StudyFacts,
    verdicts: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return what every template can use: results, what things are called, and the facts of each section."""
    values = facts.values
    tables = Tables(facts.study, values, facts.inputs, facts.many, facts.sample)
    decided = Verdicts(facts.study, values, tables, verdicts)
    return {
        "study": facts.study,
        "sample": facts.sample,
        "many": facts.many,
        "grouped": facts.is_grouped,
        "reported_class": facts.reported_class,
        "r": values,
        "value": values.value,
        "ci": values.bounded,
        "aside": values.aside,
        "entry": values.entry,
        "text": values.text,
        "interval": values.interval,
        "settings": {name: value for name, value in vars(settings).items() if name.isupper()},
        "title": facts.title,
        "label": facts.label,
        "splits": SPLITS,
        "analyses": facts.analyses,
        "classifiers": facts.classifiers(),
        "normal_class": facts.normal_class,
        "several": facts.several,
        "titles": facts.titles,
        "ends": facts.ends,
        "nbsp": NO_BREAK,
        "cell": lambda name: unbroken(values.cell(name)),
        "columns": COLUMNS,
        "level": percent(settings.LEVEL),
        "facts": Facts.of(facts, verdicts),
        "row": row,
        "bold_row": bold_row,
        "rule": rule,
        "references": references,
        "figure": figure_writer(figures),
        # not yet in sections of their own
        "tables": tables,
        "verdict": decided,
        "across": Across(facts.study, values, tables),
        "ledger": Ledger(facts.study, values, tables),
        "sentences": Sentences(
            facts.study, values, tables, decided, "generated pictures" if facts.sample else "chest X-rays"
        ),
        "primary_name": PRIMARY.get((facts.study["comparison"] or {}).get("primary", ""), ""),
        "has_normal": bool(facts.normal_class),
    }


def _of_request(asked: Request, facts: StudyFacts) -> dict[str, Any]:
    """Return what the report says of itself: its commands, software, data and architectures, as they are."""
    inputs = facts.inputs
    return {
        "name": asked.name,
        "sample_notice": SAMPLE_NOTICE,
        "command": build_command(asked.name, asked.overrides, sample=asked.sample),
        "command_on_data": shlex.join(["report", "build", asked.name, "--data", "DIR"]),
        "status_command": shlex.join(["report", "status", asked.name, *["--sample"] * asked.sample]),
        "together": [facts.title(m) for m in asked.together],
        "declaration": asked.declaration,
        "commit": asked.commit,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "software": [f"{package} {metadata.version(package)}" for package in asked.versions],
        "fingerprint": {
            "records": digest(inputs["records"] / "records.csv"),
            "split": digest(inputs["split"] / "split.csv"),
        },
        "output_activation": {m: head(inputs, m) for m in facts.trained},
        "initializers": sorted({name for m in facts.trained for name in kernel_initializers(inputs, m)}),
    }


def fill(templates: Path, prose: Path, known: Mapping[str, Any]) -> str:
    """Return the document's source with every template and the author's prose filled in."""
    found = {path.name: close_passage(path, known, templates) for path in find_prose(prose)}
    written = {name: text for name, text in found.items() if text}
    with locate_errors():
        return make_engine(templates, known).get_template("report.qmd.j2").render(prose=written)


def copy_figures(inputs: Mapping[str, Path], out: Path) -> dict[str, dict[str, Any]]:
    """Copy every figure and its table into ``out/figures``; return alternative text and width by name."""
    folder = out / "figures"
    folder.mkdir()
    figures = {}
    for key, source in sorted(inputs.items()):
        kind, _, name = key.partition("_")
        if kind == "figure":
            figures[name] = json.loads((source / "figure.json").read_text(encoding="utf-8"))
            for suffix in ("svg", "csv"):
                shutil.copyfile(source / f"figure.{suffix}", folder / f"{name}.{suffix}")
    return figures


def copy_tables(inputs: Mapping[str, Path], out: Path) -> None:
    """Copy the tables that the report prints or refers to into ``out/tables``."""
    folder = out / "tables"
    folder.mkdir()
    for key, source in sorted(inputs.items()):
        kind, _, name = key.partition("_")
        if kind == "evaluate":
            _copy(source, folder, name, EVALUATION)
        elif kind == "architecture":
            _copy(source, folder, name, ("layers.csv",))
        elif kind == "training":
            _copy(source, folder, name, ("history.csv",))
        elif kind.startswith("compare"):
            _copy(source, folder, kind.partition("@")[2], [path.name for path in source.glob("*.csv")])
        elif kind == "ledger":
            _copy(source, folder, "", ("ledger.csv",))
        elif kind == "records":
            _copy(source, folder, name, ("excluded.csv", "flow.csv"))


def _copy(source: Path, folder: Path, prefix: str, names: Sequence[str]) -> None:
    for file in names:
        if (source / file).exists():  # some only of studies with a normal class
            shutil.copyfile(source / file, folder / "_".join(filter(None, (prefix, file))))


def build_command(name: str, overrides: Sequence[str], *, sample: bool) -> str:
    """Return the command that builds this very report."""
    data = ["--sample"] if sample else ["--data", "DIR"]
    changes = [word for change in overrides for word in ("--set", change)]
    return shlex.join(["report", "build", name, *data, *changes])


def head(inputs: Mapping[str, Path], model: str) -> str:
    """Return what a model ends in: ``softmax``, ``sigmoid`` or ``logits``."""
    text = (inputs[f"architecture_{model}"] / "summary.json").read_text(encoding="utf-8")
    return str(json.loads(text)["head"])


def layers(inputs: Mapping[str, Path], model: str) -> list[dict[str, Any]]:
    """Return the settings of a model's layers, as Keras wrote them down."""
    text = (inputs[f"architecture_{model}"] / "architecture.json").read_text(encoding="utf-8")
    return [layer["config"] for layer in json.loads(text)["config"]["layers"]]


def kernel_initializers(inputs: Mapping[str, Path], model: str) -> set[str]:
    """Return the names of the initialisers of a model's kernels."""
    found = [layer.get("kernel_initializer") for layer in layers(inputs, model)]
    return {str(initializer["class_name"]) for initializer in found if initializer}


def digest(path: Path) -> str:
    """Return the sha256 of a file's bytes in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

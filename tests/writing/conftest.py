"""A whole study's artifacts, made by the real evaluation on made-up predictions."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.audit.findings import Level
from analysis.evaluation.stages import collect, compare, evaluate, ledger
from analysis.progress import silent
from analysis.vocabulary import attention, audit
from analysis.vocabulary.attention import ATTENTION
from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.run_names import join_run
from report import PROJECT
from report.delivery import made_up
from report.delivery.made_up_audit import write_audit
from report.document import html, lint, pdf
from report.engine.stage import Output, Stage
from report.pipeline.data import Place
from report.pipeline.stages import make_stages
from report.study.loading import load
from report.writing.facts import known_to_templates
from report.writing.source import write
from report.writing.study_facts import StudyFacts
from report.writing.templates import make_engine
from report.writing.values import Values
from tests.resampling import take_few_resamples
from tests.specimen import TWO_NETWORKS

CLASSES = ["bacterial", "covid_19", "healthy", "viral"]
SPLITS = ["val", "test"]
VAL_LOSS = [0.9, 0.5, 0.8]
INPUTS = "inputs.json"
ASSIGNMENT = TWO_NETWORKS
STUDY = load(ASSIGNMENT / "study.toml").for_document()
LAYER = {
    "class_name": "Dense",
    "config": {"activation": "softmax", "kernel_initializer": {"class_name": "GlorotUniform"}},
}


def facts_of(inputs: Mapping[str, Path], study: Mapping[str, Any] = STUDY) -> StudyFacts:
    """Return what the document knows of a study with such artifacts."""
    found = json.loads((inputs["results"] / "results.json").read_text())["results"]
    return StudyFacts(study, Values(found), inputs)


def macro(
    facts: StudyFacts, name: str, *about: Any, verdicts: Sequence[Mapping[str, Any]] = (), **named: Any
) -> str:
    """Return what a macro of the templates writes: ``sentences/data.flow`` is ``flow`` of ``sentences/data.qmd.j2``."""
    file, _, function = name.partition(".")
    engine = make_engine(PROJECT / "templates", known_to_templates(facts, verdicts, {}))
    return str(getattr(engine.get_template(f"{file}.qmd.j2").module, function)(*about, **named))


@dataclass(frozen=True)
class Written:
    """The sentences about a study, called by template and macro: ``written("verdicts.decided", "improved")``."""

    facts: StudyFacts
    verdicts: Sequence[Mapping[str, Any]] = ()

    def __call__(self, name: str, *about: Any) -> str:
        return macro(self.facts, f"sentences/{name}", *about, verdicts=self.verdicts)

    @property
    def results(self) -> Mapping[str, Mapping[str, Any]]:
        return self.facts.values.results

    def having(self, results: Mapping[str, Mapping[str, Any]]) -> Written:
        """Return the sentences about the same study with other results."""
        return replace(self, facts=replace(self.facts, values=Values(results)))


def write_records(folder: Path, n: int = 200) -> pd.DataFrame:
    labels = [CLASSES[i % 4] for i in range(n)]
    records = pd.DataFrame(
        {
            "image_id": [f"images/p{i:03}.jpeg" for i in range(n)],
            "label": labels,
            "patient_id": [f"patient-{i // 2}" for i in range(n)],
            "source": "made up",
            "width": 300,
            "height": 200,
            "mode": "L",
            "original_width": 600,
            "original_height": 400,
            "sha256": [f"{i:064x}" for i in range(n)],
            "tags": labels,
        }
    )
    records.to_csv(folder / "records.csv", index=False)
    (folder / "excluded.csv").write_text("file,reason,detail\nimages/odd.png,CT slice,\n")
    (folder / "flow.csv").write_text(
        f"step,count,kind\nannotations found,{n + 1},found\nimages found,{n + 1},found\nCT slice,1,excluded\nimages kept,{n},kept\n"
    )
    return records


def write_split(folder: Path, records: pd.DataFrame) -> pd.DataFrame:
    parts = np.array(["train", "train", "train", "val", "test"])[(np.arange(len(records)) // 4) % 5]
    split = pd.DataFrame({"image_id": records["image_id"], "split": parts, "fold": ""})
    split.to_csv(folder / "split.csv", index=False)
    return split


def write_predictions(
    folder: Path, records: pd.DataFrame, split: pd.DataFrame, skill: float, seed: int
) -> None:
    kept = split["split"].isin(SPLITS)
    rows = records[kept]
    truth = np.eye(4)[[CLASSES.index(label) for label in rows["label"]]]
    score = np.random.default_rng(seed).random((len(rows), 4)) + skill * truth
    score /= score.sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "image_id": rows["image_id"],
            "split": split.loc[kept, "split"],
            "fold": "",
            "seed": 42,
            "patient_id": rows["patient_id"],
            "y_true": rows["label"],
        }
    )
    table[CLASSES] = score
    table.to_csv(folder / "predictions.csv", index=False)


def write_training(folder: Path, val_loss: list[float]) -> None:
    epochs = range(1, len(val_loss) + 1)
    history = pd.DataFrame({"epoch": epochs, "loss": [1 / e for e in epochs], "accuracy": 0.5})
    history["val_loss"], history["val_accuracy"] = val_loss, 0.5
    history.to_csv(folder / "history.csv", index=False)
    best = int(np.argmin(val_loss)) + 1
    training = {
        "epochs_run": len(val_loss),
        "best_epoch": best,
        "stopped": "all epochs run",
        "restored": False,
        "weights_epoch": len(val_loss),
        "seed": 42,
        "class_weights": None,
    }
    (folder / "training.json").write_text(json.dumps(training))


def write_architecture(folder: Path) -> None:
    (folder / "architecture.json").write_text(json.dumps({"config": {"layers": [LAYER]}}))
    (folder / "layers.csv").write_text(
        'name,type,settings,output_shape,parameters\nout,Dense,"4 units, softmax",4,1200\n'
    )
    summary = {
        "parameters": 1200,
        "trainable_parameters": 1200,
        "input_shape": [64, 64, 3],
        "head": "softmax",
    }
    (folder / "summary.json").write_text(json.dumps(summary))


@pytest.fixture(scope="session")
def evaluated(once):
    """Return a function that makes the artifacts of a study, those of equal validation losses once.

    Those of other losses than usual are made for the course of trainings: intervals are of few resamples there.
    """

    def make(val_loss: dict[str, list[float]]) -> tuple[Path, dict[str, str]]:
        other = {model: course for model, course in val_loss.items() if course != VAL_LOSS}

        def fill(folder: Path) -> None:
            with pytest.MonkeyPatch.context() as patch:
                if other:
                    take_few_resamples(patch)
                evaluate_study(folder, other)

        root = once(f"study-{zlib.crc32(json.dumps(other).encode())}", fill)
        return root, json.loads((root / INPUTS).read_text())

    return make


@pytest.fixture(scope="session")
def whole_report(once, evaluated) -> Path:
    """Return the folder of the assignment's report from made-up predictions, its HTML and its PDF."""

    def make(folder: Path) -> None:
        inputs = {"source": write_report(*evaluated({}), folder), "templates": PROJECT / "templates"}
        for stage in (html, pdf):
            stage.render(inputs, folder, scratch=folder, progress=silent)

    return once("whole-report", make)


def write_report(root: Path, folders: dict[str, str], out: Path) -> Path:
    """Write the source of the assignment's report from made-up predictions."""
    inputs = {name: root / folder for name, folder in folders.items()}
    of_study = {
        "study": STUDY,
        "name": "assignment",
        "sample": True,
        "overrides": [],
        "declaration": "0" * 64,
        "together": [m["id"] for m in STUDY["models"]],
    }
    write(
        {**inputs, "templates": PROJECT / "templates", "prose": ASSIGNMENT},
        out,
        scratch=out,
        progress=silent,
        commit="0123abc",
        versions=["numpy"],
        many=False,
        **of_study,
    )
    return out


class Artifacts(dict[str, Path]):
    """The folders of a study by the names of inputs; one that a test asks for is a copy of its own, which it may change."""

    def __init__(self, root: Path, inputs: Mapping[str, str], own: Path) -> None:
        self.root, self.own = root, own
        places = {folder: own if (own / folder).exists() else root for folder in inputs.values()}
        super().__init__({name: places[folder] / folder for name, folder in inputs.items()})
        self |= {"templates": PROJECT / "templates", "prose": ASSIGNMENT}

    def __getitem__(self, name: str) -> Path:
        folder = super().__getitem__(name)
        if folder.parent != self.root:
            return folder
        copy = shutil.copytree(folder, self.own / folder.name)
        self |= {other: copy for other, place in self.items() if place == folder}
        return copy

    def as_they_are(self) -> dict[str, Path]:
        """Return the folders to be read: those not asked for are no copies."""
        return dict(self.items())


@pytest.fixture
def artifacts(tmp_path: Path, evaluated):
    """Return a function that makes the inputs of the source stage; its arguments are validation losses."""

    def make(**val_loss: list[float]) -> Artifacts:
        return Artifacts(*evaluated(val_loss), tmp_path / "artifacts")

    return make


@pytest.fixture
def source(tmp_path: Path, artifacts):
    """Return a function that writes the source and returns its text."""

    def make(inputs=None, study=STUDY, *, sample=False, overrides=(), commit="0123abc", many=False) -> str:
        out = tmp_path / "source-out"
        out.mkdir()
        inputs = inputs or artifacts()
        write(
            inputs.as_they_are() if isinstance(inputs, Artifacts) else inputs,
            out,
            scratch=tmp_path,
            progress=silent,
            study=study,
            together=[m["id"] for m in study["models"]],
            many=many,
            name="assignment",
            sample=sample,
            overrides=list(overrides),
            declaration="0" * 64,
            commit=commit,
            versions=["numpy"],
        )
        lint.require_sound(out)
        return (out / "report.qmd").read_text(encoding="utf-8")

    return make


def evaluate_study(root: Path, val_loss: dict[str, list[float]]) -> None:
    """Write the artifacts of the assignment into ``root``, and which of them are the inputs of its source stage."""
    plan = make_stages(load(ASSIGNMENT / "study.toml"), Place(ASSIGNMENT, "sample"))
    folders = {stage.name: root / stage.name for stage in plan}
    for folder in folders.values():
        folder.mkdir()
    records = write_records(folders["read"])
    for model in ("baseline", "improved"):
        write_architecture(folders[f"architecture.{model}"])
    for analysis in ("", "@patient"):
        split = write_split(folders[f"split{analysis}"], records)
        for i, model in enumerate(("low_detail", "baseline", "improved")):
            write_predictions(folders[f"predict.{model}{analysis}"], records, split, skill=0.4 * i, seed=i)
        for model in ("baseline", "improved"):
            write_training(folders[f"train.{model}{analysis}"], val_loss.get(model, VAL_LOSS))
    run = {
        "evaluate": evaluate.evaluate,
        "compare": compare.compare,
        "ledger": ledger.write,
        "results": collect.collect,
    }
    for stage in sorted(plan, key=lambda stage: stage.kind not in (AUDIT, ATTENTION)):
        inputs = inputs_of(plan, stage.name, folders)
        kind = re.split("[.@]", stage.name)[0]
        if kind in run:
            run[kind](inputs, folders[stage.name], scratch=root, progress=silent, **stage.params)
        elif kind == "figure":
            write_figure(folders[stage.name])
        elif kind == AUDIT:
            write_findings(folders[stage.name], None)
        elif kind == ATTENTION:
            write_attention(folders[stage.name])
    read = {name: folder.name for name, folder in inputs_of(plan, "source", folders).items()}
    (root / INPUTS).write_text(json.dumps(read))


def inputs_of(plan: list[Stage], name: str, folders: dict[str, Path]) -> dict[str, Path]:
    stage = next(stage for stage in plan if stage.name == name)
    return {n: folders[given.stage] for n, given in stage.inputs.items() if isinstance(given, Output)}


OF_ANOTHER = {"probe_reach": ("probes", "share_of"), "labels_by_networks": ("labels", "by_networks")}
"""Stages whose results have names of another topic, and the word by which these are told from its own."""


def write_findings(folder: Path, level: Level | None) -> None:
    """Write what a stage of the audit has found: made up, and all of one level."""
    stage = folder.name
    about, analysis = stage.removeprefix(f"{AUDIT}.").partition("@")[::2]
    owner = join_run(AUDIT, analysis)
    topic, word = OF_ANOTHER.get(about, (about, ""))
    known = list(audit.names(CLASSES, ("baseline", "improved"), ("", "@patient")))
    of_another = {n for n in known for _, mark in OF_ANOTHER.values() if f".{mark}." in n}
    of_stage = [n for n in known if n.startswith(f"{owner}.{topic}.") and (n in of_another) == bool(word)]
    results = {name.removeprefix(f"{owner}."): made_up.make_entry(name, level) for name in of_stage}
    (folder / "results.json").write_text(json.dumps(results))
    if about != "probe_reach":
        write_audit(folder, stage, CLASSES, level)


def write_attention(folder: Path) -> None:
    """Write what the stage on where the scores of a network come from has found: made up."""
    model = folder.name.partition(".")[2]
    made_up.write_attention(folder, model, CLASSES)
    known = {name: made_up.make_entry(name) for name in attention.names([model])}
    results = {name.removeprefix(f"{ATTENTION}."): entry for name, entry in known.items()}
    (folder / "results.json").write_text(json.dumps(results))


@pytest.fixture
def found(artifacts):
    """Return a function that makes the inputs of the source stage, with all findings of one level or none."""

    def make(level: Level | None) -> dict[str, Path]:
        inputs = artifacts()
        for folder in {inputs[name] for name in [*inputs] if name.startswith(f"{AUDIT}_")}:
            write_findings(folder, level)
        path = inputs["results"] / "results.json"
        whole = json.loads(path.read_text())
        for name in whole["results"]:
            if name.startswith(AUDIT):
                whole["results"][name] = made_up.make_entry(name, level)
        path.write_text(json.dumps(whole))
        return inputs

    return make


@pytest.fixture
def known(artifacts) -> dict[str, Any]:
    """Return what templates know of the assignment without its requirements, with figures that are none."""
    inputs = artifacts()
    verdicts = json.loads((inputs["results"] / "results.json").read_text())["verdicts"]
    figures = {name.removeprefix("figure_"): {"alt": "A", "width_mm": 160} for name in inputs}
    study = {**STUDY, "report": {**STUDY["report"], "requirements": []}}
    return known_to_templates(facts_of(inputs, study), verdicts, figures)


def write_figure(folder: Path) -> None:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="160mm" height="48mm" viewBox="0 0 160 48"><rect width="160" height="48"/></svg>'
    (folder / "figure.svg").write_text(drawing)
    (folder / "figure.csv").write_text("split,y\nval,1\ntest,2\n")
    (folder / "figure.json").write_text(json.dumps({"alt": 'A black "box".', "width_mm": 160}))

"""What a data folder or archive holds, in words: the data check of ``analysis``, run and told."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from analysis.errors import DataError
from report.commands.running import run
from report.errors import StudyError
from report.pipeline.data import data_check_stages
from report.study.loading import load
from report.terminal import console
from report.workspace.places import ARCHIVES, cache_folder, data_problem, study_folder, study_names
from report.writing.values import listed

Found = Mapping[str, Any]
SIDES = ("width", "height")
STUDIES = {"v7": "assignment", "kermany": "pediatric-resplit", "radiography": "radiography"}
"""The study that is named first of those that read the data of a reader with no setting more."""
FEW = 10
"""Of fewer pictures of a class than this, a split leaves next to none in one of its parts."""
MOST_ARCHIVES = 3
OTHER_DATASET = "of another dataset in the folder"
"""A reason of `analysis.datasets.records`, which imports pandas."""
TOLD_BY = {"table": "the table", "name": "patient_pattern", "dicom": "PatientID (DICOM)"}
"""What tells patients, by the source in the records, if it is not a tag or the name of a file as its dataset gives it."""
CHECK_PLAN = "check"
"""The name under which the cache remembers the last check."""


def check(data: Path, study: str | None, cache: Path | None) -> Found:
    """Return what the reader that fits ``data`` finds there; the settings of ``study`` are tried first.

    Raises
    ------
    DataError
        There is no such folder or archive, or no reader fits it.
    """
    if problem := data_problem(data):
        raise DataError(
            f"{data}: {problem}", hint="name the data folder, or the archive as it was downloaded"
        )
    settings = load(study_folder(study) / "study.toml") if study else None
    stages = data_check_stages(data.resolve(), settings)
    place = ["--cache", str(cache)] if cache else []
    built = run(
        stages,
        cache_folder(cache),
        CHECK_PLAN,
        log_command=lambda stage: shlex.join(["report", "log", stage, *place]),
    )
    found: Found = json.loads(built["check"].path("data_check.json").read_text(encoding="utf-8"))
    return found


def tell(found: Found, data: Path, study: str | None) -> None:
    """Print what was found, and what to do with it."""
    console.say(f"reader {found['reader']}: {found['why']}")
    for note in found["notes"]:
        console.say(f"as in the study {study} it cannot be read: {note}")
    for there in found["tables"]:
        console.say(f"not read: {there}; {_to_read_it(found)}")
    console.say()
    rows = [[c["id"], c["label"], f"{c['pictures']:,}", f"{c['patients']:,}"] for c in found["classes"]]
    console.table(["class", "label", "pictures", "patients"], rows)
    console.say()
    if found["excluded"]:
        console.table(["left out", "files", "for example"], map(_excluded, found["excluded"]))
        console.say()
    if found["beside"]:
        rows = [[row["what"], f"{row['files']:,}", row["example"]] for row in found["beside"]]
        console.table(["not read", "files", "for example"], rows)
        console.say()
    for name, text in _facts(found):
        console.say(f"{name:<16}{text}")
    console.say()
    for line in _advice(found, data):
        console.say(f"{line}\n")
    for line in _next(found, data, study):
        console.say(line)


def _to_read_it(found: Found) -> str:
    return "name it under [dataset]: table" if found["reader"] == "table" else "the reader table reads it"


def _excluded(reason: Found) -> list[str]:
    first = reason["examples"][0]
    detail = f" ({first['detail']})" if first["detail"] else ""
    return [reason["reason"], f"{reason['files']:,}", first["file"] + detail]


def _facts(found: Found) -> Iterator[tuple[str, str]]:
    patients, sizes, twins = found["patients"], found["sizes"], found["duplicates"]
    yield "files", f"{found['files']:,}; {patients['pictures']:,} pictures are read"
    ways = dict.fromkeys(TOLD_BY.get(source, "tag or file name") for source in patients["sources"])
    known = f"told by {listed([*ways])} for {patients['known_for']:,} of {patients['pictures']:,} pictures"
    most = f"{patients['number']:,}, {known}; up to {patients['most_pictures']} pictures of one"
    yield (
        "patients",
        most if patients["known_for"] else "no tag or file name tells them; each picture counts as one",
    )
    if found["official"]:
        parts = ", ".join(f"{name} {count:,}" for name, count in found["official"].items())
        yield "official split", f"{parts}; {patients['across_official']} patients in more than one part"
    sides = [f"{of['least']} to {of['most']} (median {of['median']})" for of in map(sizes.get, SIDES)]
    yield "pixels", f"{sides[0]} wide, {sides[1]} high"
    common = ", ".join(f"{s['width']} x {s['height']} ({s['pictures']:,})" for s in sizes["commonest"])
    yield "sizes", f"{sizes['different']:,}; the commonest {common}"
    yield "modes", ", ".join(f"{mode} ({count:,})" for mode, count in found["modes"].items())
    if found["depth"]:
        yield (
            "depth",
            f"{found['depth']} bits by the highest level of the pictures stored in 16 whose files tell no depth",
        )
    across = f"{twins['across_classes']} of them across classes"
    if found["official"]:
        across += f", {twins['across_official']} across the official split"
    groups = f"{twins['groups']} groups of equal files, {twins['pictures']} pictures; {across}"
    yield "duplicates", groups if twins["groups"] else "none; no two files are equal"
    for group in twins["examples"]:
        yield "", " = ".join(group)


def _advice(found: Found, data: Path) -> Iterator[str]:
    """Return what the user should know of, and what to type."""
    datasets = found["datasets"]
    if len(datasets) > 1:
        yield f"{len(datasets)} datasets lie side by side and are read as one: {listed([_dataset(d) for d in datasets])}"
        if same := sum(d["same_names"] for d in datasets):
            yield f"{same:,} of these pictures have the class and name of one in another: versions of one dataset?"
        *_, last = (d["folder"] for d in datasets)
        one, without = shlex.quote(str(data / last)), f"exclude = [{_toml(last + '/*')}]"
        yield f"to read one of them: report data check {one}; to leave it out, under [dataset]: {without}"
    if conflicts := found["duplicates"]["conflicts"]:
        wrong = f"exclude = [{_toml(conflicts[0][0])}]"
        yield f"the same file is of two classes: {' = '.join(conflicts[0])}; leave out the wrong one: {wrong}"
    for name, label, folder in found["astray"][:1]:
        count = len(found["astray"])
        yield f"{count:,} pictures lie in a folder of another class than the table says: {name} ({label}, in one of {folder})"
        yield 'which is right cannot be told; to go by the folders: reader = "class-folders"'
    if found["annotated"]:
        one = shlex.quote(str(data / found["annotated"]))
        yield f"all annotations lie in {found['annotated']}; to read it alone: report data check {one}"
    for name in found["archives"][:MOST_ARCHIVES]:
        packed = f", or see what it has: report data check {shlex.quote(str(data / name))}"
        yield f"{name} is not read: unpack it{packed if name.lower().endswith(ARCHIVES) else ''}"


def _dataset(dataset: Found) -> str:
    counts = ", ".join(f"{id_} {count:,}" for id_, count in dataset["classes"].items())
    return f"{dataset['folder'] or 'the folder itself'} ({counts})"


def _next(found: Found, data: Path, study: str | None) -> Iterator[str]:
    """Return the command that builds a report from the data, and the settings that a study needs for it."""
    name = study or STUDIES.get(found["reader"], "STUDY")
    if any(e["reason"] == OTHER_DATASET for e in found["excluded"]) and len(found["datasets"]) == 1:
        data /= found["datasets"][0]["folder"]
    if not found["of_study"] and (study or name == "STUDY"):
        name = "STUDY"
        yield "a study reads these data with this in its study.toml:"
        yield ""
        for c in found["classes"]:
            yield f"[[classes]]\nid = {_toml(c['id'])}\nlabel = {_toml(c['label'])}\n"
        root = _toml(str(data.resolve()))
        named = f"folders = {_toml(found['folders'])}\n" if found["folders"] else ""
        keys = "".join(f"{key} = {_toml(value)}\n" for key, value in found["keys"].items() if value)
        yield f"[dataset]\nreader = {_toml(found['reader'])}\nroot = {root}\n{named}{keys}"
    few = [c["id"] for c in found["classes"] if c["pictures"] < FEW]
    spared = few and len(few) + 1 < len(found["classes"])
    without = f" --set {shlex.quote(f'dataset.without={json.dumps(few)}')}" if spared else ""
    yield f"next: report build {name} --data {shlex.quote(str(data))}{without}"
    others = [other for other in _readers_of(found["reader"]) if other != name]
    if name != "STUDY" and others:
        yield f"also read by {listed(others)}"


def _readers_of(reader: str) -> list[str]:
    """Return the studies that read the data of a reader with no setting more."""
    fitting = []
    for name in study_names() if reader in STUDIES else []:
        with suppress(StudyError):  # one that is being written
            if load(study_folder(name) / "study.toml").dataset.reader == reader:
                fitting.append(name)
    return fitting


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(inner)}' for key, inner in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)

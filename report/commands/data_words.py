"""What a data folder or archive holds, in words: the findings of ``report data check``, and what to type next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.datasets.reasons import OTHER_DATASET
from report.terminal.console import align_columns
from report.workspace.data import ARCHIVES
from report.writing.values import listed

Findings = Mapping[str, Any]
"""What the stage of the data check writes."""
FEW_IMAGES = 10
"""Of fewer images of a class than this, a split leaves next to none in one of its parts."""
SIDES = ("width", "height")
PATIENT_SOURCES = {"table": "the table", "name": "patient_pattern", "dicom": "PatientID (DICOM)"}
"""What tells patients, by the source in the records, if it is not a tag or the name of a file as its dataset gives it."""
MOST_ARCHIVES = 3


def describe_findings(findings: Findings, study: str | None) -> Iterator[str]:
    """Yield lines and tables that say what was found, with the settings of ``study`` if one was named."""
    yield f"reader {findings['reader']}: {findings['why']}"
    for note in findings["notes"]:
        yield f"as in the study {study} it cannot be read: {note}"
    by_table = findings["reader"] == "table"
    remedy = "name it under [dataset]: table" if by_table else "the reader table reads it"
    for name in findings["tables"]:
        yield f"not read: {name}; {remedy}"
    yield ""
    rows = [[c["id"], c["label"], f"{c['pictures']:,}", f"{c['patients']:,}"] for c in findings["classes"]]
    yield from align_columns(["class", "label", "images", "patients"], rows)
    yield ""
    if findings["excluded"]:
        yield from align_columns(
            ["left out", "files", "for example"], map(_excluded_row, findings["excluded"])
        )
        yield ""
    if findings["beside"]:
        rows = [[row["what"], f"{row['files']:,}", row["example"]] for row in findings["beside"]]
        yield from align_columns(["not read", "files", "for example"], rows)
        yield ""
    for name, text in _describe_facts(findings):
        yield f"{name:<16}{text}"
    yield ""


def _excluded_row(reason: Findings) -> list[str]:
    first = reason["examples"][0]
    detail = f" ({first['detail']})" if first["detail"] else ""
    return [reason["reason"], f"{reason['files']:,}", first["file"] + detail]


def _describe_facts(findings: Findings) -> Iterator[tuple[str, str]]:
    patients, sizes = findings["patients"], findings["sizes"]
    yield "files", f"{findings['files']:,}; {patients['pictures']:,} images are read"
    yield "patients", _describe_patients(patients)
    if findings["official"]:
        parts = ", ".join(f"{name} {count:,}" for name, count in findings["official"].items())
        yield "official split", f"{parts}; {patients['across_official']} patients in more than one part"
    width, height = (
        f"{side['least']} to {side['most']} (median {side['median']})" for side in map(sizes.get, SIDES)
    )
    yield "pixels", f"{width} wide, {height} high"
    common = ", ".join(f"{s['width']} x {s['height']} ({s['pictures']:,})" for s in sizes["commonest"])
    yield "sizes", f"{sizes['different']:,}; the commonest {common}"
    yield "modes", ", ".join(f"{mode} ({count:,})" for mode, count in findings["modes"].items())
    if depth := findings["depth"]:
        yield (
            "depth",
            f"{depth} bits by the highest level of the images stored in 16 whose files tell no depth",
        )
    yield "duplicates", _describe_duplicates(findings)
    for group in findings["duplicates"]["examples"]:
        yield "", " = ".join(group)


def _describe_patients(patients: Findings) -> str:
    if not patients["known_for"]:
        return "no tag or file name tells them; each image counts as one"
    sources = dict.fromkeys(PATIENT_SOURCES.get(source, "tag or file name") for source in patients["sources"])
    share = f"for {patients['known_for']:,} of {patients['pictures']:,} images"
    most = f"up to {patients['most_pictures']} images of one"
    return f"{patients['number']:,}, told by {listed([*sources])} {share}; {most}"


def _describe_duplicates(findings: Findings) -> str:
    duplicates = findings["duplicates"]
    if not duplicates["groups"]:
        return "none; no two files are equal"
    across = f"{duplicates['across_classes']} of them across classes"
    if findings["official"]:
        across += f", {duplicates['across_official']} across the official split"
    return f"{duplicates['groups']} groups of equal files, {duplicates['pictures']} images; {across}"


def describe_advice(findings: Findings, data: Path) -> Iterator[str]:
    """Yield what the user should know of, each with what to type."""
    if len(findings["datasets"]) > 1:
        yield from _describe_datasets(findings["datasets"], data)
    if conflicts := findings["duplicates"]["conflicts"]:
        exclude = f"exclude = [{_as_toml(conflicts[0][0])}]"
        yield f"the same file is of two classes: {' = '.join(conflicts[0])}; leave out the wrong one: {exclude}"
    if astray := findings["astray"]:
        name, label, folder = astray[0]
        yield (
            f"{len(astray):,} images lie in a folder of another class than the table says: {name} ({label},"
            f" in one of {folder})"
        )
        yield 'which is right cannot be told; to go by the folders: reader = "class-folders"'
    if folder := findings["annotated"]:
        yield f"all annotations lie in {folder}; to read it alone: {_check_command(data / folder)}"
    for name in findings["archives"][:MOST_ARCHIVES]:
        is_readable = name.lower().endswith(ARCHIVES)
        look = f", or see what it has: {_check_command(data / name)}" if is_readable else ""
        yield f"{name} is not read: unpack it{look}"


def _describe_datasets(datasets: list[Findings], data: Path) -> Iterator[str]:
    words = [_describe_dataset(dataset) for dataset in datasets]
    yield f"{len(datasets)} datasets lie side by side and are read as one: {listed(words)}"
    if same := sum(dataset["same_names"] for dataset in datasets):
        yield f"{same:,} of these images have the class and name of one in another: versions of one dataset?"
    last = datasets[-1]["folder"]
    without = f"exclude = [{_as_toml(last + '/*')}]"
    yield f"to read one of them: {_check_command(data / last)}; to leave it out, under [dataset]: {without}"


def _describe_dataset(dataset: Findings) -> str:
    counts = ", ".join(f"{id_} {count:,}" for id_, count in dataset["classes"].items())
    return f"{dataset['folder'] or 'the folder itself'} ({counts})"


def _check_command(path: Path) -> str:
    return f"report data check {shlex.quote(str(path))}"


def describe_next_step(
    findings: Findings, data: Path, study: str | None, readers: Sequence[str]
) -> Iterator[str]:
    """Yield the command that builds a report from the data, and the settings that a study needs for it.

    ``study`` is the one that was named; ``readers`` are those that read such data with no setting more.
    """
    name = study or next(iter(readers), "")
    is_other = any(e["reason"] == OTHER_DATASET for e in findings["excluded"])
    if is_other and len(findings["datasets"]) == 1:
        data /= findings["datasets"][0]["folder"]
    if not findings["of_study"] and (study or not name):
        name = ""
        yield "a study reads these data with this in its study.toml:"
        yield ""
        yield from _describe_settings(findings, data)
    small = [c["id"] for c in findings["classes"] if c["pictures"] < FEW_IMAGES]
    can_spare = small and len(small) + 1 < len(findings["classes"])
    without = f" --set {shlex.quote(f'dataset.without={json.dumps(small)}')}" if can_spare else ""
    yield f"next: report build {name or 'STUDY'} --data {shlex.quote(str(data))}{without}"
    others = [other for other in readers if other != name]
    if name and others:
        yield f"also read by {listed(others)}"


def _describe_settings(findings: Findings, data: Path) -> Iterator[str]:
    for c in findings["classes"]:
        yield f"[[classes]]\nid = {_as_toml(c['id'])}\nlabel = {_as_toml(c['label'])}\n"
    folders = f"folders = {_as_toml(findings['folders'])}\n" if findings["folders"] else ""
    keys = "".join(f"{key} = {_as_toml(value)}\n" for key, value in findings["keys"].items() if value)
    root = _as_toml(str(data.resolve()))
    yield f"[dataset]\nreader = {_as_toml(findings['reader'])}\nroot = {root}\n{folders}{keys}"


def _as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_as_toml(inner)}' for key, inner in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)

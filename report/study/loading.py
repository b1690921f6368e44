"""A study read from its files, with changes of the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from report.errors import StudyError, UsageError, did_you_mean, nearest
from report.study.complaints import StudyFile, describe_refusal, describe_unreadable
from report.study.exclusions import with_lists
from report.study.folder import PUBLISHED, STUDIES, find_prose, find_strays
from report.study.study import Study
from report.study.texts import UNPRINTABLE_HINT, find_unprintable

ELSEWHERE = {
    "left_out": "classes are left out by dataset.without",
    "has_imagenet": "weights learnt on ImageNet are named by --weights DIR",
}
"""What a study has and no study file says, with how it is said."""


def load(path: Path, overrides: tuple[str, ...] = (), *, has_imagenet: bool = False) -> Study:
    """Return the study of a study file, with the published figures that belong to it.

    Parameters
    ----------
    path : Path
        A ``study.toml``.
    overrides : tuple of str
        Changes to it as ``table.key=value``, the later ones on top.
    has_imagenet : bool
        Whether the weights that were learnt on ImageNet are at hand.

    Raises
    ------
    StudyError
        The file is missing, is no TOML, or says something that is not allowed.
    UsageError
        An override is not of the form ``table.key=value``, or gives what is not allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text)
    except FileNotFoundError as error:
        raise StudyError(f"{path}: no such file", hint="report studies") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise describe_unreadable(path, error) from error
    for override in overrides:
        _apply(override, data)
    file, published = StudyFile(path, text, data, overrides), _read_published(path, data)
    _require_printable(file)
    data = with_lists(file)
    if published:
        _require_printable(published)
        data = {**data, "published": published.data}
    if has_imagenet:
        data = {**data, "has_imagenet": True}
    try:
        # JSON mode: strict, yet arrays are tuples
        study = Study.model_validate_json(json.dumps(data, default=str)).without_classes()
        study = study.with_random_told()
    except ValidationError as error:
        raise describe_refusal(error, file, published) from error
    _require_own_sections(file, study.report.sections)
    for stray in find_strays(path.parent, study.report.sections):
        hint = f"put a copy in place of the link {stray}"
        place = _place_of(stray, file, study.report.sections)
        name = stray.relative_to(path.parent).as_posix()
        raise StudyError(f"{place}: {name} leads out of the study's folder", hint=hint)
    return study


def _place_of(own: Path, file: StudyFile, sections: tuple[str, ...]) -> str:
    """Return file and line that name one of a study's own files; the file itself if none does."""
    if own.name in sections and "sections" in file.data.get("report", {}):
        return file.place("report.sections")
    shown = f"]({own.relative_to(file.path.parent).as_posix()}"
    for prose in find_prose(file.path.parent, sections):
        before, found, _ = prose.read_text(encoding="utf-8", errors="replace").partition(shown)
        if found:
            return f"{prose}:{before.count(chr(10)) + 1}"
    return str(own)


def _require_own_sections(file: StudyFile, names: tuple[str, ...]) -> None:
    """Refuse a section whose file the study file names and that is not there."""
    key, folder = "report.sections", file.path.parent
    named = names if "sections" in file.data.get("report", {}) else ()
    for name in named:
        if not name.endswith(".md") or (folder / name).is_file():
            continue
        near = nearest(name, [path.name for path in folder.glob("*.md")])
        hint = did_you_mean(near, f"write {folder / name}, or take it out of the list")
        if override := file.override_of(key):
            raise UsageError(f"--set {override}: {name}: no such file", hint=hint)
        raise StudyError(f"{file.place(key)}: {key}: {name}: no such file", hint=hint)


def _require_printable(file: StudyFile) -> None:
    for key, text in _texts(file.data):
        if found := find_unprintable(text):
            if file.override_of(key):
                raise UsageError(f"--set {key}: {found[1]}", hint=UNPRINTABLE_HINT)
            raise StudyError(f"{file.place(key)}: {key}: {found[1]}", hint=UNPRINTABLE_HINT)


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text within a value of the study file, each after the dotted name of its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield key, name
            yield from _texts(item, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("id", number) if isinstance(item, dict) else number
            yield from _texts(item, f"{key}.{name}")


def _read_published(path: Path, data: dict[str, Any]) -> StudyFile | None:
    """Return the ``published.toml`` that belongs to a study file; None if there is none."""
    section = data.get("report")
    named = section.get("published") if isinstance(section, dict) else None
    file = (STUDIES / str(named) if named else path.parent) / PUBLISHED
    if "published" in data:
        raise StudyError(f"{path}: published figures belong into {file.name} beside it")
    for key, hint in ELSEWHERE.items():
        if key in data:
            raise StudyError(f"{path}: {key}: unknown key", hint=hint)
    try:
        text = file.read_text(encoding="utf-8-sig")
        return StudyFile(file, text, tomllib.loads(text))
    except FileNotFoundError as error:
        if named:
            raise StudyError(f"{path}: report.published: {file}: no such file") from error
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise describe_unreadable(file, error) from error


def _apply(override: str, data: dict[str, Any]) -> None:
    """Apply ``models.baseline.epochs=3`` to ``data``; lists of tables are reached by their ``id``."""
    dotted, equals, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(
            f"--set {override}: not of the form table.key=value", hint="--set models.baseline.epochs=3"
        )
    table: Any = data
    for key in keys[:-1]:
        table = _child(table, key, override)
    if not isinstance(table, dict):
        raise UsageError(f"--set {override}: {'.'.join(keys[:-1])} is not a table")
    table[keys[-1]] = _value(text, override)


def _value(text: str, override: str) -> Any:
    """Return a value as TOML has it; what is none is a text whose quotes the shell has taken."""
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError as error:
        if text.startswith(("[", "{")):
            hint = "put it in single quotes, so that the shell leaves the others: --set 'dataset.exclude=[\"*.png\"]'"
            raise UsageError(f"--set {override}: not valid TOML: {error}", hint=hint) from error
        return text
    return read["value"] if len(read) == 1 else text


def _child(table: Any, key: str, override: str) -> Any:
    if isinstance(table, list):
        for item in table:
            if isinstance(item, dict) and item.get("id") == key:
                return item
        known = ", ".join(str(item.get("id")) for item in table if isinstance(item, dict))
        raise UsageError(f"--set {override}: nothing is called {key!r}", hint=f"there are: {known}")
    if isinstance(table, dict):
        return table.setdefault(key, {})
    raise UsageError(f"--set {override}: {key!r} is not a table")

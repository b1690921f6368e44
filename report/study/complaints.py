"""What is wrong with a study file, in one line: the file, the line, the key and the nearest name that is known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from report.errors import ReportError, StudyError, UsageError, and_more, did_you_mean, nearest
from report.study.study import OUTSIDE_FILE, Study
from report.study.value_types import NAME, REFUSED

WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "missing",
    "union_tag_not_found": "kind is missing",
    "union_tag_invalid": "kind must be one of {expected_tags}, got {tag!r}",
    "too_long": "at most {max_length}, got {actual_length}",
    "too_short": "at least {min_length}, got {actual_length}",
    "value_error": "{error}",
    REFUSED: "{problem}",
}
"""What to say for each of pydantic's types of error that it does not say in plain words itself."""
_TABLE = re.compile(r"\s*(\[{1,2})\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=\s*["']?([^"']*)""")


@dataclass(frozen=True)
class StudyFile:
    """A file of a study as it was read: its text, and its tables with the ``key=value`` overrides applied."""

    path: Path
    text: str
    data: dict[str, Any]
    overrides: tuple[str, ...] = ()

    def place(self, key: str) -> str:
        """Return ``study.toml:7`` for the line of a key; the file alone where none leads to it."""
        line = find_line(key, self.text)
        return f"{self.path}:{line}" if line else str(self.path)

    def override_of(self, key: str) -> str:
        """Return the last override that sets a key, or one above or below it; "" if none does."""
        return next((o for o in reversed(self.overrides) if _reaches(o, key)), "")


def describe_first(error: ValidationError) -> str:
    """Return the first thing that is wrong with what was read, with its place if it has one: ``size: ...``."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def _reaches(override: str, where: str) -> bool:
    key = override.partition("=")[0].strip()
    return f"{where}.".startswith(f"{key}.") or f"{key}.".startswith(f"{where}.")


def find_line(setting: str, text: str) -> int:
    """Return the line that leads furthest to a setting such as ``models.baseline.epochs``; 0 if none leads there.

    Tables of a list are called by their ``id``, or by their number from 0.
    """
    wanted, furthest, line = setting.split("."), 0, 0
    table, many, last = list[str](), Counter[str](), dict[str, list[str]]()
    for number, content in enumerate(text.splitlines(), 1):
        if head := _TABLE.match(content):
            table = here = _below_last(head[2], last)
            if head[1] == "[[":
                table = here = [*head[2].split("."), str(many[head[2]])]  # until its id is known
                many[head[2]] += 1
                last[head[2]] = table
        elif key := _KEY.match(content):
            if key[1] == "id" and table and table[-1].isdigit():
                table[-1] = key[2]
            here = [*table, *key[1].split(".")]
        else:
            continue
        agree = len([*takewhile(lambda pair: pair[0] == pair[1], zip(wanted, here, strict=False))])
        if agree > furthest:
            furthest, line = agree, number
    return line


def _below_last(table: str, last: Mapping[str, list[str]]) -> list[str]:
    """Return the keys that lead to a table; ``models.input`` belongs to the last of the ``[[models]]`` before it."""
    owner, _, key = table.partition(".")
    return [*last[owner], *key.split(".")] if key and owner in last else table.split(".")


def describe_unreadable(path: Path, error: ValueError) -> StudyError:
    """Return the error of a file that is no UTF-8 or no TOML, with its line."""
    if isinstance(error, UnicodeDecodeError):
        number = len(re.findall(rb"\r\n?|\n", error.object[: error.start])) + 1
        return StudyError(f"{path}:{number}: not UTF-8 text: {error.reason}", hint="save the file as UTF-8")
    line = re.search(r"at line (\d+)", str(error))
    place = f"{path}:{line[1]}" if line else str(path)
    return StudyError(f"{place}: not valid TOML: {error}", hint=f"mend {path} and run again")


def describe_refusal(
    error: ValidationError, file: StudyFile, published: StudyFile | None = None
) -> ReportError:
    """Return pydantic's first complaint in one line that names the key, with the nearest known names.

    Parameters
    ----------
    error : pydantic.ValidationError
        Of a `Study`.
    file : StudyFile
        Its ``study.toml``.
    published : StudyFile or None
        Its ``published.toml``, if it has one: what is wrong below the key ``published`` stands there.
    """
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")  # a misspelt key is missing too
    context, complaint = first.get("ctx", {}), _complaint(first)
    above = _dotted(first["loc"], {**file.data, "published": published.data if published else None})
    where, *others = (
        f"{above}.{key}".strip(".") for key in (context.get("key", ""), *context.get("others", ()))
    )
    for key in (where, *others):
        if override := file.override_of(key):
            is_named = override.partition("=")[0].strip() == where
            said = complaint if is_named or not where else f"{where}: {complaint}"
            return UsageError(
                f"--set {override}: {said}", hint=_hint(first, "change the value, or leave it out")
            )
    if published and where.startswith("published."):
        file, where = published, where.removeprefix("published.")
        complaint += _name_result(where, published.data)
    message = f"{file.place(where)}: {where + ': ' if where else ''}{complaint}"
    message += and_more(error.error_count())
    return StudyError(message, hint=_hint(first, f"mend {file.path} and run again"))


def _name_result(key: str, published: Mapping[str, Any]) -> str:
    """Return which of the published results a key belongs to, as the end of a complaint; "" if to none."""
    table, _, rest = key.partition(".")
    number = rest.partition(".")[0]
    if table != "results" or not number.isdigit():
        return ""
    result = published["results"][int(number)]
    named = [
        str(result[name])
        for name in ("model", "run", "title", "source")
        if isinstance(result, dict) and result.get(name)
    ]
    return f", in the result of {', '.join(named)}" if named else ""


def _dotted(location: tuple[int | str, ...], data: Any) -> str:
    """Return ``models.baseline.epochs`` for a pydantic location, lists of tables named by their ``id``."""
    names = []
    for key in (key for key in location if key != "[key]"):  # pydantic's mark of a key that is refused itself
        child = data[key] if isinstance(data, list) and isinstance(key, int) and key < len(data) else None
        if isinstance(child, dict):
            names.append(str(child.get("id", key)))
            data = child
        elif isinstance(data, dict) and key in data:
            names.append(str(key))
            data = data[key]
        elif not (isinstance(data, dict) and data.get("kind") == key):
            names.append(str(key))
    return ".".join(names)


def _complaint(first: Any) -> str:
    context = first.get("ctx", {})
    if first["type"] in WORDS:
        return WORDS[first["type"]].format(**context)
    if context.get("pattern") == NAME:
        return f"{first['input']!r} is no name: lower-case letters, digits and _ only, a letter first"
    message: str = first["msg"][0].lower() + first["msg"][1:]
    return f"{message}, got {first['input']!r}"


def _hint(first: Any, otherwise: str) -> str:
    if first["type"] != "extra_forbidden":
        return str(first.get("ctx", {}).get("hint", otherwise))
    *above, name = first["loc"]
    known = _known_keys(above)
    return did_you_mean(nearest(str(name), known), f"known keys here: {', '.join(known)}")


def _known_keys(location: list[int | str]) -> list[str]:
    """Return the keys that the study file may have at a pydantic location."""
    sections: list[type[BaseModel]] = [Study]
    if not location:
        return [name for name in _fields(Study) if name not in OUTSIDE_FILE]
    for key in location:
        if isinstance(key, str):
            tagged = [s for s in sections if "kind" in s.model_fields and key in _choices(s)]
            below = [_fields(s)[key] for s in sections if key in _fields(s)]
            sections = tagged or [inner for annotation in below for inner in _sections_in(annotation)]
    return [name for section in sections for name in _fields(section)]


def _fields(section: type[BaseModel]) -> dict[str, Any]:
    """Return the type of each field of a table, by its key in the study file."""
    return {field.alias or name: field.annotation for name, field in section.model_fields.items()}


def _choices(section: type[BaseModel]) -> tuple[str, ...]:
    return tuple(getattr(section.model_fields["kind"].annotation, "__args__", ()))


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _sections_in(inner)]

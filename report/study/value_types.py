"""The kinds of values that a study file may have: what is refused of each, and in which words."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from report.study import readers
from report.study.architectures import find_problem

NAME = r"^[a-z][a-z0-9_]*$"
RANDOM, IMAGENET, PRETRAINING = "random", "imagenet", "pretraining"
"""The weights that a network begins with, where they are not those of a model of another study."""
LANGUAGES = ("en-GB", "en-US", "en")
REFUSED = "refused"
"""The type of an error that is raised with a message and a hint of ours."""


class Section(BaseModel):
    """A table of the study file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    def select(self, *names: str) -> dict[str, Any]:
        """Return the settings of these names as JSON values."""
        return self.model_dump(mode="json", include=set(names))


def is_folder_name(name: str) -> bool:
    """Tell whether a folder can have this name: a name is no path."""
    return name.strip() == name and not set(name) & {*"/\\\n\t"} and name not in {".", ".."}


def refuse(problem: str, *, key: str = "", others: Sequence[str] = (), hint: str = "") -> PydanticCustomError:
    """Return the error of a value that is refused, to be raised by a validator.

    Parameters
    ----------
    problem : str
        What is wrong, without the key.
    key : str
        The dotted name of the faulty key below what is validated, as ``against`` for a ``[comparison]``; "" for itself.
    others : sequence of str
        Keys below it that the faulty one does not agree with: an override of one of them is at fault, too.
    hint : str
        What to try next; "" where nothing better can be said than to mend the file.
    """
    context = {"problem": problem, "key": key, "others": tuple(others)}
    return PydanticCustomError(REFUSED, "{problem}", {**context, "hint": hint} if hint else context)


def _known_architecture(name: str) -> str:
    """Refuse a function that does not exist, before anything runs."""
    if found := find_problem(name):
        raise refuse(found[0], hint=found[1])
    return name


def _known_weights(weights: str) -> str:
    """Refuse what names no weights to begin with."""
    if weights in {RANDOM, IMAGENET, PRETRAINING} or re.fullmatch(
        r".*[^/]/[a-z][a-z0-9_]*(@[a-z0-9_]+)?", weights
    ):
        return weights
    known = f'"{RANDOM}", "{IMAGENET}", "{PRETRAINING}", or a model that another study has trained: "pediatric-official/cnn_2"'
    raise refuse(f"no weights are called {weights!r}", hint=f"write {known}")


def _known_reader(name: str) -> str:
    """Refuse a reader that does not exist, before anything runs."""
    if found := readers.find_problem(name):
        raise refuse(found[0], hint=found[1])
    return name


def _described_as(words: str) -> WrapValidator:
    """Describe in these words what a value of one form or another must be."""

    def check(value: Any, as_either: ValidatorFunctionWrapHandler) -> Any:
        try:
            return as_either(tuple(value) if isinstance(value, list) else value)
        except ValidationError as error:
            raise ValueError(f"{words}, got {value!r}") from error

    return WrapValidator(check)


def _inside_data(path: str) -> str:
    """Refuse a path that leads out of the data folder."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("not below the data folder")
    return path


def _patient_pattern(pattern: str) -> str:
    """Refuse what is no regular expression with one group."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if pattern and groups != 1:
        raise ValueError(f"{pattern!r} has {groups} groups; it needs one, the patient: '(patient\\d+)/'")
    return pattern


def _as_tuple(given: Any) -> Any:
    """Return one text as a tuple of one."""
    if isinstance(given, str):
        return (given,) if given else ()
    return tuple(given) if isinstance(given, list) else given


def _iso_date(given: Any) -> str:
    """Return a day, month or year in ISO form; a time of the day is left out."""
    text = str(given).strip()
    if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", text):
        return text
    try:
        ordinal = re.fullmatch(r"\d{4}-\d{3}", text)
        day = datetime.datetime.strptime(text, "%Y-%j") if ordinal else datetime.datetime.fromisoformat(text)
        return day.date().isoformat()
    except ValueError as error:
        hint = 'write 2026-11-21, or "2026-11" or "2026" where the day or month does not matter'
        raise refuse(f"{text!r} is no date in ISO form", hint=hint) from error


def _known_language(given: Any) -> str:
    """Return the usual spelling of a language; refuse one that the report cannot be written in."""
    text = str(given).strip().replace("_", "-")
    known = {name.lower(): name for name in LANGUAGES}
    if text.lower() in known:
        return known[text.lower()]
    raise refuse(
        f"the report's words stand in its templates, in English only, not in {text!r}",
        hint=f"write one of {', '.join(LANGUAGES)}; another language would need templates/, report/writing/ and "
        "analysis/figures/ translated",
    )


def _folder_name(name: str) -> str:
    if not is_folder_name(name):
        raise ValueError(f"{name!r} is no name of a folder")
    return name


def _one_line(text: str) -> str:
    """Return a title or label on one line."""
    if all(unicodedata.category(character)[0] in "ZC" for character in text):
        raise ValueError("is empty")
    return re.sub(r" *[\n\t]\s*", " ", text)


Identifier = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Identifiers = Annotated[tuple[Identifier, ...], BeforeValidator(_as_tuple)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_one_line)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_one_line)]
Rationale = Annotated[str, StringConstraints(max_length=600), AfterValidator(_one_line)]
Citation = Annotated[str, StringConstraints(pattern=r"^(@[A-Za-z0-9_][\w:-]*(; @[A-Za-z0-9_][\w:-]*)*)?$")]
Authors = Annotated[tuple[Annotated[str, AfterValidator(_one_line)], ...], BeforeValidator(_as_tuple)]
IsoDate = Annotated[str, BeforeValidator(_iso_date)]
Language = Annotated[str, BeforeValidator(_known_language)]
SectionId = Annotated[str, StringConstraints(pattern=r"^(sec|fig|tbl)-[a-z0-9_-]+$")]
Architecture = Annotated[
    str, StringConstraints(pattern=r"^[a-z_][\w.]*:[a-z_]\w*$"), AfterValidator(_known_architecture)
]
InitialWeights = Annotated[str, AfterValidator(_known_weights)]
ReaderName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z][a-z0-9-]*|[a-z_][\w.]*:[a-z_]\w*)$"),
    AfterValidator(_known_reader),
]
FolderName = Annotated[Label, AfterValidator(_folder_name)]
PatientPattern = Annotated[str, AfterValidator(_patient_pattern)]
TablePath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_inside_data)]
TablePaths = Annotated[
    TablePath | Annotated[tuple[TablePath, ...], Field(min_length=1)],
    _described_as("the path of a table from the data folder on, or a list of such paths"),
]
AnyColumn = Annotated[str, StringConstraints(min_length=1)] | Annotated[int, Field(ge=1)]
Column = Annotated[AnyColumn, _described_as("the name of a column, or its number from 1")]
LabelColumns = Annotated[
    AnyColumn | Annotated[tuple[AnyColumn, ...], Field(min_length=1)],
    _described_as("the name of a column or its number from 1, or a list of them, one for each finding"),
]
ClassOrder = Annotated[
    Literal["leave-out"] | Annotated[tuple[Identifier, ...], Field(min_length=1)],
    _described_as('"leave-out", or a list of classes, the first of which counts'),
]


class ExcludedImage(Section):
    """Why an image is left out, and where that stands: ``exclude.csv:12``."""

    reason: str
    place: str


class ExclusionList(Section):
    """What a list of images says that are left out; ``images`` has them by path or by name."""

    file: str
    images: dict[str, ExcludedImage]


Exclude = Annotated[
    tuple[str, ...] | ExclusionList,
    _described_as("a list of patterns, or the name of a CSV file beside the study file"),
]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]
Subset = dict[Identifier, Annotated[int, Field(ge=1)]]

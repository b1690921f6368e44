"""The study file: what an experiment is, checked before anything runs."""

from __future__ import annotations

import datetime
import difflib
import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
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
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from report.errors import ReportError, StudyError, UsageError
from report.study import architectures, collisions, letters
from report.study.published import Published, setting
from report.study.toml_lines import line_of


def _architecture(name: str) -> str:
    """Refuse a function that is not there, before anything runs."""
    if found := architectures.problem(name):
        raise PydanticCustomError("architecture", "{problem}", {"problem": found[0], "hint": found[1]})
    return name


def _said(words: str) -> WrapValidator:
    """Say in these words what a value of one form or another must be."""

    def check(value: Any, as_either: ValidatorFunctionWrapHandler) -> Any:
        try:
            return as_either(tuple(value) if isinstance(value, list) else value)
        except ValidationError as error:
            raise ValueError(f"{words}, got {value!r}") from error

    return WrapValidator(check)


def _below(path: str) -> str:
    """Refuse a path that leads out of the data folder."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("not below the data folder")
    return path


def _pattern(pattern: str) -> str:
    """Refuse what is no regular expression with one group."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    if pattern and groups != 1:
        raise ValueError(f"{pattern!r} has {groups} groups; it needs one, the patient: '(patient\\d+)/'")
    return pattern


def _authors(given: Any) -> Any:
    """Take one author as a list of one."""
    if isinstance(given, str):
        return (given,) if given else ()
    return tuple(given) if isinstance(given, list) else given


def _day(given: Any) -> str:
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
        why = "{given!r} is no date in ISO form"
        raise PydanticCustomError("date", why, {"given": text, "hint": hint}) from error


def _language(given: Any) -> Any:
    """Refuse a language that the report cannot be written in, and say what it would need."""
    text = str(given).strip().replace("_", "-")
    known = {name.lower(): name for name in LANGUAGES}
    if text.lower() in known:
        return known[text.lower()]
    hint = (
        f"write one of {', '.join(LANGUAGES)}; another language would need templates/, report/writing/ and "
        "analysis/figures/ translated"
    )
    why = "the report's words stand in its templates, in English only, not in {given!r}"
    raise PydanticCustomError("language", why, {"given": text, "hint": hint})


def is_folder_name(name: str) -> bool:
    """Tell whether a folder can be called so: a name is no path."""
    return name.strip() == name and not set(name) & {*"/\\\n\t"} and name not in {".", ".."}


def _folder_name(name: str) -> str:
    if not is_folder_name(name):
        raise ValueError(f"{name!r} is no name of a folder")
    return name


def _line(text: str) -> str:
    """Return a title or label on one line."""
    if all(unicodedata.category(sign)[0] in "ZC" for sign in text):
        raise ValueError("is empty")
    return re.sub(r" *[\n\t]\s*", " ", text)


STUDIES = Path(__file__).resolve().parents[2] / "studies"
NAME = r"^[a-z][a-z0-9_]*$"
Identifier = Annotated[str, StringConstraints(pattern=NAME, max_length=40)]
Architecture = Annotated[
    str, StringConstraints(pattern=r"^[a-z_][\w.]*:[a-z_]\w*$"), AfterValidator(_architecture)
]
SectionId = Annotated[str, StringConstraints(pattern=r"^(sec|fig|tbl)-[a-z0-9_-]+$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_line)]
FolderName = Annotated[Label, AfterValidator(_folder_name)]
TablePath = Annotated[str, StringConstraints(min_length=1), AfterValidator(_below)]
Tables = Annotated[
    TablePath | Annotated[tuple[TablePath, ...], Field(min_length=1)],
    _said("the path of a table from the data folder on, or a list of such paths"),
]
AnyColumn = Annotated[str, StringConstraints(min_length=1)] | Annotated[int, Field(ge=1)]
Column = Annotated[AnyColumn, _said("the name of a column, or its number from 1")]
LabelColumns = Annotated[
    AnyColumn | Annotated[tuple[AnyColumn, ...], Field(min_length=1)],
    _said("the name of a column or its number from 1, or a list of them, one for each finding"),
]
Order = Annotated[
    Literal["leave-out"] | Annotated[tuple[Identifier, ...], Field(min_length=1)],
    _said('"leave-out", or a list of classes, the first of which counts'),
]
Pattern = Annotated[str, AfterValidator(_pattern)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]
Subset = dict[Identifier, Annotated[int, Field(ge=1)]]
MIN_SEEDS, MIN_CLASSES = 3, 2
LANGUAGES = ("en-GB", "en-US", "en")
TABLE_KEYS = ("table", "columns", "values", "several", "uncertain")
READER_KEYS = {
    "label_rule": ("v7",),
    "folders": ("class-folders", "kermany", "radiography"),
    **dict.fromkeys(TABLE_KEYS, ("table",)),
}
"""The keys of ``[dataset]`` that not every reader understands, and those that do."""
COMPLAINTS = {
    "extra_forbidden": "unknown key",
    "missing": "missing",
    "union_tag_not_found": "kind is missing",
    "union_tag_invalid": "kind must be one of {expected_tags}, got {tag!r}",
    "too_long": "at most {max_length}, got {actual_length}",
    "too_short": "at least {min_length}, got {actual_length}",
    "value_error": "{error}",
    "architecture": "{problem}",
    "date": "{given!r} is no date in ISO form",
    "language": "the report's words stand in its templates, in English only, not in {given!r}",
}
"""What to say for each of pydantic's types of error that it does not say in plain words itself."""


class Section(BaseModel):
    """A table of the study file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class About(Section):
    """Who hands in what, and when: a day, month or year. ``author`` is one or a list; ``tools`` is the author's declaration of the tools used."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(_line)]
    author: Annotated[tuple[Annotated[str, AfterValidator(_line)], ...], BeforeValidator(_authors)] = ()
    course: str = ""
    tools: str = ""
    date: Annotated[str, BeforeValidator(_day)]
    language: Annotated[str, BeforeValidator(_language)] = "en-GB"
    kind: Literal["assignment", "replication"] = "assignment"


class ClassLabel(Section):
    """A class: its name in results and its label in the data and the report.

    ``normal`` marks the one class without disease: with it the report tells of finding any disease at all.
    """

    id: Identifier
    label: Label
    normal: bool = False


class Columns(Section):
    """Columns of a table of labels: names, or numbers from 1, which all of them are where it has no header."""

    file: Column
    label: LabelColumns
    patient: Column | None = None
    split: Column | None = None
    view: Column | None = None


class Dataset(Section):
    """Where the pictures come from and which label a picture gets.

    ``source`` says where the data are had. ``label_rule`` is about tags, so for the reader ``v7`` alone; ``folders``,
    names of folders by class id, is for the readers of class folders. ``without`` names classes of the study that are
    left out, because the data at hand have no or few pictures of them. ``archive_encoding`` is that of the names in an
    archive that does not tell it, such as ``cp850``. ``patient_pattern`` is a regular expression whose one group, found
    in the path of a picture, is its patient.

    For the reader ``table``: ``table`` is the path of the table below the data folder, or several; ``columns`` says what
    its columns are, ``values`` what a class is called in it, by class id; ``several`` which class comes before which
    where a picture has several, ``uncertain`` what -1 is.
    """

    reader: Literal["v7", "class-folders", "kermany", "radiography", "table"] = "v7"
    root: str
    source: str = ""
    label_rule: Literal["covid-first", "first-tag", "every-tag"] = "covid-first"
    folders: dict[Identifier, Annotated[tuple[FolderName, ...], Field(min_length=1)]] = {}
    table: Tables | None = None
    columns: Columns | None = None
    values: dict[Identifier, Annotated[tuple[Label, ...], Field(min_length=1)]] = {}
    several: Order = "leave-out"
    uncertain: Literal["leave-out", "positive", "negative"] = "leave-out"
    patient_pattern: Pattern = ""
    exclude: tuple[str, ...] = ()
    without: tuple[Identifier, ...] = ()
    max_excluded: Annotated[float, Field(ge=0, le=1)] = 0.5
    archive_encoding: str = ""

    @field_validator("archive_encoding")
    @classmethod
    def _encoding_is_known(cls, name: str) -> str:
        try:
            "".encode(name or "utf-8")
        except LookupError as error:
            raise ValueError(f"no encoding is called {name!r}; such as 'cp850' or 'gbk'") from error
        return name

    @model_validator(mode="after")
    def _keys_fit_the_reader(self) -> Dataset:
        for key, readers in READER_KEYS.items():
            if key in self.model_fields_set and self.reader not in readers:
                known = " or ".join(map(repr, readers))
                raise ValueError(f"{key} is for the reader {known}, and this one is {self.reader!r}")
        if self.reader == "table" and (self.table is None or self.columns is None):
            raise ValueError(
                'the reader \'table\' needs table = "labels.csv" and columns = { file = "...", label = "..." }'
            )
        return self


class Split(Section):
    """How pictures are shared among training, validation and test.

    ``protocol`` is one of

    - ``stratified``: the share ``test`` of each class is set aside, then the share ``val`` of what is left;
    - ``holdout``: the shares ``test`` and ``val`` of the whole are set aside together, then parted;
    - ``splitfolders``: the shares ``test`` and ``val`` of each class, as the program of this name cuts them;
    - ``official``: the dataset's own test set; the share ``val`` of its training set is for validation, drawn
      ``stratified`` or as ``image_dataset_from_directory`` of ``keras`` does. ``official_val`` says whether the
      dataset's own validation pictures are pooled with the training ones or are for validation. ``subset``, numbers of
      pictures by class, draws those to train on; all others but the test set are for validation then.

    With ``also = "patient"`` everything is built a second time with all pictures of a patient in one part.
    """

    protocol: Literal["stratified", "holdout", "splitfolders", "official"] = "stratified"
    test: Fraction = 0.2
    val: Fraction = 0.2
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    draw: Literal["stratified", "keras"] = "stratified"
    official_val: Literal["train", "val"] = "val"
    subset: Subset = {}
    group: Literal["none", "patient"] = "none"
    also: Literal["none", "patient"] = "patient"

    @property
    def groups(self) -> tuple[str, ...]:
        """What the analyses of the study keep together: first that of the declared split, then the second one's."""
        return (self.group, self.also) if self.group == "none" != self.also else (self.group,)

    @model_validator(mode="after")
    def _keys_fit_the_protocol(self) -> Split:
        official = self.protocol == "official"
        idle = {"test"} if official else {"draw", "official_val", "subset"}
        if self.subset:
            idle |= {"val", "draw", "official_val"}
        for key in sorted(idle & self.model_fields_set):
            case = " with a subset" if self.subset and official else ""
            raise ValueError(f"{key} has no part in the protocol {self.protocol!r}{case}")
        if self.protocol in ("holdout", "splitfolders") and self.test + self.val >= 1:
            raise ValueError("test and val are shares of the whole, and leave nothing to train on")
        return self


class Picture(Section):
    """What a network sees: side in pixels, colour, how a picture is fitted into the square, and how it is resized.

    ``area`` averages sides that shrink and interpolates those that grow; the others are what published studies used:
    ``nearest`` as Keras' ``ImageDataGenerator``, ``bilinear`` as ``tf.image.resize``, ``lanczos`` as Pillow.
    """

    size: Annotated[int, Field(ge=16, le=1024)] = 156
    color: Literal["rgb", "grey"] = "rgb"
    fit: Literal["squash", "pad", "crop"] = "squash"
    resample: Literal["area", "nearest", "bilinear", "lanczos"] = "area"


class Scale(Section):
    """Grey levels 0 to 255 become ``scale * level + offset``."""

    scale: float = 1 / 255
    offset: float = 0.0


class InputScaling(Scale):
    """What a network sees of the pictures: their scale, and the order of their pixels.

    ``pixels = "interleaved"`` is the mistake of ``reshape(-1, n).T``: a row gets every n-th number of all n pictures.
    """

    pixels: Literal["in-place", "interleaved"] = "in-place"


class HorizontalFlip(Section):
    """Mirror left and right with probability one half."""

    kind: Literal["horizontal_flip"]


class Warp(Section):
    """A change that moves pixels, and what fills the edges."""

    fill: Literal["nearest", "constant", "reflect"] = "nearest"


class Shift(Warp):
    """Move by up to a fraction of the side, uniformly drawn."""

    kind: Literal["shift"]
    width: Annotated[float, Field(ge=0, lt=1)] = 0.0
    height: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Rotation(Warp):
    """Turn by up to so many degrees either way."""

    kind: Literal["rotation"]
    degrees: Annotated[float, Field(gt=0, le=180)]


class Shear(Warp):
    """Shear by up to so many degrees either way."""

    kind: Literal["shear"]
    degrees: Annotated[float, Field(gt=0, lt=90)]


class Zoom(Warp):
    """Enlarge or reduce width and height, each by a factor of its own between ``1 - range`` and ``1 + range``."""

    kind: Literal["zoom"]
    range: Fraction


class Brightness(Section):
    """Add the same to all pixels: up to so many grey levels either way."""

    kind: Literal["brightness"]
    levels: Annotated[float, Field(gt=0, le=255)]


class Contrast(Section):
    """Multiply the differences from the picture's mean by a factor between ``low`` and ``high``."""

    kind: Literal["contrast"]
    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _ordered(self) -> Contrast:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


Change = Annotated[
    HorizontalFlip | Shift | Rotation | Shear | Zoom | Brightness | Contrast, Field(discriminator="kind")
]


class Monitored(Section):
    """What is watched during a training."""

    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"


class EarlyStopping(Monitored):
    """Stop when ``monitor`` has not improved for ``patience`` epochs."""

    kind: Literal["early_stopping"]
    patience: Annotated[int, Field(ge=0)] = 5
    restore_best: bool = True


class ReduceLearningRate(Monitored):
    """Multiply the learning rate by ``factor`` when ``monitor`` has not improved for ``patience`` epochs."""

    kind: Literal["reduce_learning_rate"]
    factor: Fraction = 0.1
    patience: Annotated[int, Field(ge=0)] = 10
    min_delta: Annotated[float, Field(ge=0)] = 1e-4


class BestCheckpoint(Monitored):
    """Keep the weights of the best epoch by ``monitor``, and end with them."""

    kind: Literal["checkpoint"]


Callback = Annotated[EarlyStopping | ReduceLearningRate | BestCheckpoint, Field(discriminator="kind")]


class Model(Section):
    """An architecture and how it is trained.

    ``class_weights`` weigh the loss: "balanced" by n / (K n_k), "other-share" by the share of the other classes in two
    decimals, or as given by class id. ``init_from`` is a model whose trained weights this training begins with.
    ``test_input`` scales the test pictures where that differs from training, which is a mistake. ``corrects`` names the
    model that has the mistake which this one does not have. With ``weights = "imagenet"`` a model is described and
    not trained. ``minutes`` is what its training takes on two cores, to say before the first one how long it will take.
    """

    id: Identifier
    title: Label
    architecture: Architecture
    params: dict[str, Any] = {}
    weights: Literal["random", "imagenet"] = "random"
    init_from: Identifier | None = None
    corrects: Identifier | None = None
    input: InputScaling = InputScaling()
    test_input: Scale | None = None
    class_balance: Literal["none", "oversample"] = "none"
    class_weights: Literal["none", "balanced", "other-share"] | dict[Identifier, Weight] = "none"
    augmentation: tuple[Change, ...] = ()
    augmented: Literal["each-epoch", "once"] = "each-epoch"
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0)] = 0.001
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)] = 32
    callbacks: tuple[Callback, ...] = ()
    minutes: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _interleaved_once(self) -> Model:
        if self.input.pixels == "interleaved" and self.augmentation and self.augmented != "once":
            raise ValueError('pixels are interleaved once, so augmentation must be too: augmented = "once"')
        return self


class Training(Section):
    """What fixes the numbers of every training. With several seeds each model is trained once with each."""

    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)] = (42,)
    threads: Annotated[int, Field(ge=1)] = 2
    precision: Literal["float32"] = "float32"

    @field_validator("seeds")
    @classmethod
    def _enough(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(seeds) == MIN_SEEDS - 1 or len(set(seeds)) < len(seeds):
            raise ValueError(
                f"one seed, or {MIN_SEEDS} different ones or more, so that their spread can be told"
            )
        return seeds


class Comparison(Section):
    """Which models are compared with which, by what, on which pictures, and what difference would matter."""

    primary: Literal["accuracy", "f1.macro", "sensitivity.macro", "auroc.macro"] = "f1.macro"
    split: Literal["val", "test"] = "test"
    baseline: Identifier
    against: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    margin: Fraction = 0.03
    alpha: Annotated[float, Field(gt=0, le=0.2)] = 0.05


class Requirement(Section):
    """A demand of the assignment, the part of the report that answers it, and settings that it asks for.

    ``holds`` has values of the study file by dotted name, such as ``"image.size" = 156``; where a setting is
    another one (in the sample, or by ``--set``), the report says that the demand is not met.
    """

    text: str
    where: SectionId
    holds: dict[str, int | float | str] = {}


class Mistake(Section):
    """A mistake of the published study, and the models that were trained with it and without it.

    ``text`` says what was done and what should have been, as a sentence.
    """

    text: Annotated[str, StringConstraints(min_length=1, max_length=600)]
    faithful: Identifier
    corrected: Identifier


class Report(Section):
    """How the document looks and what it must cover.

    ``published`` names the study whose ``published.toml`` has the figures to compare with, if it is another one.
    """

    paper: Literal["a4", "letter"] = "a4"
    published: str = ""
    requirements: tuple[Requirement, ...] = ()


class Sample(Section):
    """What ``--sample`` changes: generated pictures, small and few; ``subset`` stands in for that of the split."""

    pictures: Annotated[int, Field(ge=80, le=20_000)] = 480
    size: Annotated[int, Field(ge=16, le=1024)] = 64
    epochs: Annotated[int, Field(ge=1)] = 12
    seed: int = 7
    subset: Subset = {}


class Study(Section):
    """A whole study as its ``study.toml`` declares it.

    Two keys are not for that file: ``published`` has what ``published.toml`` says, and ``left_out`` the classes that
    `load` has taken out of the study, because its data are read without them.
    """

    study: About
    classes: Annotated[tuple[ClassLabel, ...], Field(min_length=MIN_CLASSES)]
    dataset: Dataset
    split: Split = Split()
    image: Picture = Picture()
    models: Annotated[tuple[Model, ...], Field(min_length=1)]
    training: Training = Training()
    comparison: Comparison | None = None
    mistakes: tuple[Mistake, ...] = ()
    report: Report = Report()
    sample: Sample = Sample()
    published: Published | None = None
    left_out: tuple[ClassLabel, ...] = ()

    @model_validator(mode="after")
    def _names_agree(self) -> Study:
        for what, names in (
            ("classes", [c.id for c in self.classes]),
            ("class labels", [c.label for c in self.classes]),
            ("models", [m.id for m in self.models]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} declared twice")
        if problem := collisions.problem(self):
            raise ValueError(problem)
        if sum(c.normal for c in self.classes) > 1:
            raise ValueError("classes: only one can be the normal one")
        self._check_classes()
        self._models_agree()
        models = {m.id for m in self.trained}
        compared = (self.comparison.baseline, *self.comparison.against) if self.comparison else ()
        for name in compared:
            if name not in models:
                raise ValueError(
                    f"comparison: no model is called {name!r} (models: {', '.join(sorted(models))})"
                )
        if len(set(compared)) < len(compared):
            raise ValueError("comparison: a model is compared with itself")
        for name in self.published.protocol.models if self.published else ():
            self.as_published(name)
        self._check_requirements()
        return self

    def _check_requirements(self) -> None:
        """Refuse a requirement of a setting that there is not."""
        said = self.model_dump(mode="json") if any(r.holds for r in self.report.requirements) else {}
        for number, requirement in enumerate(self.report.requirements):
            for name in requirement.holds:
                owner, _, key = name.rpartition(".")
                table = setting(said, owner) if owner else said
                if not isinstance(table, dict) or key not in table:
                    raise ValueError(f"report.requirements.{number}.holds: the study has no setting {name}")

    def as_published(self, model: str) -> Model | None:
        """Return a model with the settings that ``published.toml`` tells; None where it tells none."""
        tables = self.published.protocol.models if self.published else {}
        if model not in tables:
            return None
        try:
            return Model.model_validate_json(json.dumps({"id": model, "title": model, **tables[model]}))
        except ValidationError as error:
            problem = error.errors()[0]
            place = ".".join(map(str, problem["loc"]))
            raise ValueError(f"published.toml: protocol.models.{model}.{place}: {problem['msg']}") from error

    def _models_agree(self) -> None:
        """Check what models say of other models and of classes."""
        ids = [m.id for m in self.models]
        for i, model in enumerate(self.models):
            for key, other in (("corrects", model.corrects), ("init_from", model.init_from)):
                if other is not None and other not in ids[:i]:
                    raise ValueError(f"models.{model.id}.{key}: no model before it is called {other!r}")
            if model in self.trained and model.init_from in {m.id for m in self.untrained}:
                raise ValueError(f"models.{model.id}.init_from: {model.init_from} is not trained")
            weights = model.class_weights
            if isinstance(weights, dict) and weights.keys() != {c.id for c in self.classes}:
                raise ValueError(f"models.{model.id}.class_weights: needs one weight for each class")
        if not self.trained:
            raise ValueError("models: none of them is trained")
        for mistake in self.mistakes:
            for name in (mistake.faithful, mistake.corrected):
                if name not in ids:
                    raise ValueError(f"mistakes: no model is called {name!r}")

    @property
    def trained(self) -> tuple[Model, ...]:
        """The models that a build trains."""
        return tuple(m for m in self.models if m.weights == "random")

    @property
    def untrained(self) -> tuple[Model, ...]:
        """The models that are described and not trained."""
        return tuple(m for m in self.models if m.weights != "random")

    def _check_classes(self) -> None:
        """Refuse names of classes that are not declared, and more classes left out than the study can spare."""
        ids = {c.id for c in self.classes}
        named: dict[str, Iterable[str]] = {
            "dataset.folders": self.dataset.folders,
            "dataset.values": self.dataset.values,
            "dataset.several": () if isinstance(self.dataset.several, str) else self.dataset.several,
            "dataset.without": self.dataset.without,
            "split.subset": self.split.subset,
            "sample.subset": self.sample.subset,
        }
        for key, names in named.items():
            for name in sorted(set(names) - ids):
                raise ValueError(f"{key}: no class is called {name!r}")
        if len(ids - set(self.dataset.without)) < MIN_CLASSES:
            raise ValueError(f"dataset.without: fewer than {MIN_CLASSES} classes are left")
        if self.split.subset:
            for key in ("split.subset", "sample.subset"):
                for name in sorted(ids - set(named[key])):
                    raise ValueError(f"{key}: says nothing of the class {name!r}")

    @property
    def corrections(self) -> tuple[Mistake, ...]:
        """The mistakes of which both models are trained."""
        trained = {m.id for m in self.trained}
        return tuple(m for m in self.mistakes if {m.faithful, m.corrected} <= trained)

    def told(self) -> dict[str, Any]:
        """Return the study as the document sees it: models that are only described apart from those trained."""
        models, untrained = ([m.model_dump(mode="json") for m in ms] for ms in (self.trained, self.untrained))
        return {**self.model_dump(mode="json"), "models": models, "untrained": untrained}

    @property
    def declaration(self) -> str:
        """The sha256 of what the study declares to compare, and how it is decided."""
        comparison = self.comparison.model_dump(mode="json") if self.comparison else None
        return hashlib.sha256(json.dumps(comparison, sort_keys=True).encode()).hexdigest()

    def sampled(self) -> Study:
        """Return the study as ``--sample`` builds it: smaller pictures, fewer epochs."""
        image = self.image.model_copy(update={"size": min(self.image.size, self.sample.size)})
        models = tuple(
            m.model_copy(update={"epochs": min(m.epochs, self.sample.epochs)}) for m in self.models
        )
        split = self.split
        if split.subset:
            split = split.model_copy(update={"subset": self.sample.subset})
        dataset = self.dataset.model_copy(update={"patient_pattern": ""})  # of the names in the real data
        return self.model_copy(update={"image": image, "models": models, "split": split, "dataset": dataset})

    def trimmed(self) -> Study:
        """Return the study without the classes that its data are to be read without; its title says so."""
        if not self.dataset.without:
            return self
        ids = [c.id for c in self.classes if c.id not in self.dataset.without]

        def kept(of: Mapping[str, Any]) -> dict[str, Any]:
            return {name: of[name] for name in ids if name in of}

        left_out = tuple(c for c in self.classes if c.id not in ids)
        title = f"{self.study.title} (without {', '.join(c.label for c in left_out)})"
        changed: dict[str, Any] = {
            "study": self.study.model_copy(update={"title": title}),
            "classes": tuple(c for c in self.classes if c.id in ids),
            "dataset": self.dataset.model_copy(update={**self._named_of(ids), "without": ()}),
            "left_out": left_out,
        }
        if self.split.subset:
            changed["split"] = self.split.model_copy(update={"subset": kept(self.split.subset)})
            changed["sample"] = self.sample.model_copy(update={"subset": kept(self.sample.subset)})
        return self.model_copy(update=changed)

    def _named_of(self, ids: Collection[str]) -> dict[str, Any]:
        """Return the settings of the dataset that name classes, with those of ``ids`` alone."""
        data = self.dataset
        named: dict[str, Any] = {
            key: {id_: names for id_, names in getattr(data, key).items() if id_ in ids}
            for key in ("folders", "values")
            if getattr(data, key)
        }
        if not isinstance(data.several, str):
            named["several"] = tuple(id_ for id_ in data.several if id_ in ids) or "leave-out"
        return named


def load(path: Path, overrides: tuple[str, ...] = ()) -> Study:
    """Return the study of ``path`` (a ``study.toml``) with ``key=value`` overrides applied.

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
        raise _no_toml(path, error) from error
    for override in overrides:
        _override(data, override)
    if published := _published(path, data):
        data["published"] = published
    for where, words in _texts(data):
        if found := letters.unprintable(words):
            blamed = _blamed(overrides, where)
            said = f"--set {where}" if blamed else f"{_line_in(path, where, text)}: {where}"
            raise (UsageError if blamed else StudyError)(f"{said}: {found[1]}", hint=letters.HINT)
    try:
        return Study.model_validate_json(
            json.dumps(data, default=str)
        ).trimmed()  # JSON mode: strict, yet arrays are tuples
    except ValidationError as error:
        raise _explained(error, path, text, data, overrides) from error


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text within a value of the study file, and the dotted name of its key."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield where, key
            yield from _texts(item, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("id", number) if isinstance(item, dict) else number
            yield from _texts(item, f"{where}.{name}")


def _published(path: Path, data: dict[str, Any]) -> Any:
    """Return the content of the ``published.toml`` that belongs to a study file; None if there is none."""
    section = data.get("report")
    named = section.get("published") if isinstance(section, dict) else None
    file = (STUDIES / str(named) if named else path.parent) / "published.toml"
    if "published" in data:
        raise StudyError(f"{path}: published figures belong into {file.name} beside it")
    if "left_out" in data:
        raise StudyError(f"{path}: left_out: unknown key", hint="classes are left out by dataset.without")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        if named:
            raise StudyError(f"{path}: report.published: {file}: no such file") from error
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _no_toml(file, error) from error


def _no_toml(path: Path, error: ValueError) -> StudyError:
    if isinstance(error, UnicodeDecodeError):
        number = len(re.findall(rb"\r\n?|\n", error.object[: error.start])) + 1
        return StudyError(f"{path}:{number}: not UTF-8 text: {error.reason}", hint="save the file as UTF-8")
    line = re.search(r"at line (\d+)", str(error))
    place = f"{path}:{line[1]}" if line else str(path)
    return StudyError(f"{place}: not valid TOML: {error}", hint=f"mend {path} and run again")


def _override(data: dict[str, Any], override: str) -> None:
    """Apply ``models.baseline.epochs=3`` to ``data``; lists of tables are reached by their ``id``."""
    dotted, equals, text = override.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise UsageError(
            f"--set {override}: not of the form table.key=value", hint="--set models.baseline.epochs=3"
        )
    try:
        read = tomllib.loads(f"value = {text}")
        value = read["value"] if len(read) == 1 else text
    except tomllib.TOMLDecodeError as error:
        if text.startswith(("[", "{")):  # the shell has taken the quotes
            hint = "put it in single quotes, so that the shell leaves the others: --set 'dataset.exclude=[\"*.png\"]'"
            raise UsageError(f"--set {override}: not valid TOML: {error}", hint=hint) from error
        value = text
    place: Any = data
    for key in keys[:-1]:
        place = _child(place, key, override)
    if not isinstance(place, dict):
        raise UsageError(f"--set {override}: {'.'.join(keys[:-1])} is not a table")
    place[keys[-1]] = value


def _child(place: Any, key: str, override: str) -> Any:
    if isinstance(place, list):
        for item in place:
            if isinstance(item, dict) and item.get("id") == key:
                return item
        known = ", ".join(str(item.get("id")) for item in place if isinstance(item, dict))
        raise UsageError(f"--set {override}: nothing is called {key!r}", hint=f"there are: {known}")
    if isinstance(place, dict):
        return place.setdefault(key, {})
    raise UsageError(f"--set {override}: {key!r} is not a table")


def _explained(
    error: ValidationError, path: Path, text: str, data: dict[str, Any], overrides: tuple[str, ...]
) -> ReportError:
    """Turn pydantic's first complaint into one line that names the key, with the nearest known names."""
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")  # a misspelt key is missing too
    where, complaint = _place(first["loc"], data), _complaint(first)
    key = where or complaint.partition(":")[0]
    if blamed := _blamed(overrides, key):
        said = complaint if blamed.partition("=")[0].strip() == where else f"{where}: {complaint}"
        return UsageError(
            f"--set {blamed}: {said.removeprefix(': ')}",
            hint=_nearest(first, "change the value, or leave it out"),
        )
    more = error.error_count() - 1
    message = f"{_line_in(path, key, text)}: {where + ': ' if where else ''}{complaint}"
    message += f" (and {more} more)" if more else ""
    return StudyError(message, hint=_nearest(first, f"mend {path} and run again"))


def _line_in(path: Path, key: str, text: str) -> str:
    """Return ``study.toml:7`` for the line of a key; the file alone where none leads to it."""
    line = line_of(key, text)
    return f"{path}:{line}" if line else str(path)


def _blamed(overrides: tuple[str, ...], key: str) -> str:
    """Return the last override that sets a key; "" if none does."""
    return next((o for o in reversed(overrides) if _reaches(o, key)), "")


def _reaches(override: str, where: str) -> bool:
    """Tell whether an override sets the key ``where``, or one above or below it."""
    key = override.partition("=")[0].strip()
    return f"{where}.".startswith(f"{key}.") or f"{key}.".startswith(f"{where}.")


def _place(location: tuple[int | str, ...], data: Any) -> str:
    """Return ``models.baseline.epochs`` for a pydantic location, lists of tables named by their ``id``."""
    names = []
    for key in location:
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
    given = first.get("ctx", {})
    if first["type"] in COMPLAINTS:
        return COMPLAINTS[first["type"]].format(**given)
    if given.get("pattern") == NAME:
        return f"{first['input']!r} is no name: lower-case letters, digits and _ only, a letter first"
    message: str = first["msg"][0].lower() + first["msg"][1:]
    return f"{message}, got {first['input']!r}"


def _nearest(first: Any, otherwise: str) -> str:
    if first["type"] != "extra_forbidden":
        return str(first.get("ctx", {}).get("hint", otherwise))
    known = _known_keys(first["loc"][:-1])
    nearest = difflib.get_close_matches(str(first["loc"][-1]), known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(nearest)}?" if nearest else f"known keys here: {', '.join(known)}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the study file may have at a pydantic location."""
    sections: list[type[BaseModel]] = [Study]
    if not location:
        return [name for name in Study.model_fields if name not in {"published", "left_out"}]
    for key in location:
        if isinstance(key, str):
            tagged = [s for s in sections if "kind" in s.model_fields and key in _choices(s)]
            below = [s.model_fields[key].annotation for s in sections if key in s.model_fields]
            sections = tagged or [inner for annotation in below for inner in _sections_in(annotation)]
    return [name for section in sections for name in section.model_fields]


def _choices(section: type[BaseModel]) -> tuple[str, ...]:
    return tuple(getattr(section.model_fields["kind"].annotation, "__args__", ()))


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _sections_in(inner)]

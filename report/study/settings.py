"""The tables of a study file, those of its models apart: what each may say."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from analysis.vocabulary.measures import DEFAULT_ALPHA, DEFAULT_PRIMARY, Primary
from analysis.vocabulary.splits import EvaluatedSplit
from report.study import readers
from report.study.folder import SECTIONS
from report.study.sections import SectionNames
from report.study.value_types import (
    Authors,
    ClassOrder,
    Column,
    Exclude,
    ExclusionList,
    FolderName,
    Fraction,
    Identifier,
    IsoDate,
    Label,
    LabelColumns,
    Language,
    PatientPattern,
    ReaderName,
    Section,
    SectionId,
    Subset,
    TablePaths,
    Title,
    refuse,
)

READER_KEYS = ("params", "label_rule", "folders", "table", "columns", "values", "several", "uncertain")
"""The keys of ``[dataset]`` that not every reader understands."""

NAMELESS = "Name of the author"
"""What stands in a study file until its author writes a name."""

MIN_SEEDS = 3
"""Fewer trainings than these tell nothing of their spread."""


MIN_FOLDS = 3
"""Fewer tell nothing of how results vary over them."""


class About(Section):
    """Who hands in what, and when: a day, month or year.

    ``author`` is one or a list; ``tools`` is the author's declaration of the tools used.
    """

    title: Title
    author: Authors = ()
    course: str = ""
    tools: str = ""
    date: IsoDate
    language: Language = "en-GB"
    kind: Literal["assignment", "replication"] = "assignment"

    @property
    def is_signed(self) -> bool:
        """Whether an author is named, and not the one that the studies come with."""
        return any(name != NAMELESS for name in self.author)


class ClassLabel(Section):
    """A class: its name in results and its label in the data and the report.

    ``normal`` marks the one class without disease: with it the report tells of finding any disease at all.
    """

    id: Identifier
    label: Label
    normal: bool = False


class Columns(Section):
    """Columns of a table of labels: names, or numbers from 1, which all of them are where it has no header.

    ``age``, ``sex`` and ``source`` of an image are tags of its record, as ``Age:60``, ``Sex/F`` and ``Source/Hannover``.
    """

    file: Column
    label: LabelColumns
    patient: Column | None = None
    split: Column | None = None
    view: Column | None = None
    age: Column | None = None
    sex: Column | None = None
    source: Column | None = None


class Dataset(Section):
    """Where the images come from and which label an image gets.

    ``reader`` is the name of a module in ``analysis/datasets``, or ``module:function`` of one's own.
    ``source`` says where the data are had. ``label_rule`` is about tags, so for the reader ``v7`` alone; ``folders``,
    names of folders by class id, is for the readers of class folders. ``without`` names classes of the study that are
    left out, because the data at hand have no or few images of them. ``archive_encoding`` is that of the names in an
    archive that does not tell it, such as ``cp850``. ``patient_pattern`` is a regular expression whose one group, found
    in the path of an image, is its patient. ``exclude`` has patterns of names of images to leave out, or names a CSV file
    beside the study file with the columns ``file`` (a path below the data folder, or a name) and ``reason``.
    With ``lung_masks`` the audit looks at images without lungs and at lungs alone, which needs masks of nearly all images.

    For the reader ``table``: ``table`` is the path of the table below the data folder, or several; ``columns`` says what
    its columns are, ``values`` what a class is called in it, by class id; ``several`` which class comes before which
    where an image has several, ``uncertain`` what -1 is.

    ``params`` has settings of a reader of one's own that have no key here: one argument of its function.
    """

    reader: ReaderName = "v7"
    params: dict[str, Any] = {}
    root: str
    source: str = ""
    label_rule: Literal["covid-first", "first-tag", "every-tag"] = "covid-first"
    folders: dict[Identifier, Annotated[tuple[FolderName, ...], Field(min_length=1)]] = {}
    table: TablePaths | None = None
    columns: Columns | None = None
    values: dict[Identifier, Annotated[tuple[Label, ...], Field(min_length=1)]] = {}
    several: ClassOrder = "leave-out"
    uncertain: Literal["leave-out", "positive", "negative"] = "leave-out"
    patient_pattern: PatientPattern = ""
    exclude: Exclude = ()
    lung_masks: bool = False
    without: tuple[Identifier, ...] = ()
    max_excluded: Annotated[float, Field(ge=0, le=1)] = 0.5
    archive_encoding: str = ""

    @property
    def exclusions(self) -> list[str] | dict[str, dict[str, str]]:
        """What readers are told to leave out: patterns, or images by name with the reason and its place."""
        if isinstance(self.exclude, ExclusionList):
            return {name: image.model_dump() for name, image in self.exclude.images.items()}
        return list(self.exclude)

    def without_real_names(self) -> Self:
        """Return the settings for generated images: without what goes by the real data's names, or needs their masks."""
        listed = isinstance(self.exclude, ExclusionList)
        changed = {"patient_pattern": "", "lung_masks": False}
        return self.model_copy(update={**changed, **({"exclude": ()} if listed else {})})

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
        reader = readers.look_up(self.reader)
        for key in READER_KEYS:
            if key in self.model_fields_set and key not in reader.keys:
                known = " or ".join(map(repr, readers.find_readers_with(key)))
                whose = f"the reader {known}" if known else "readers of one's own that name it"
                problem = f"is for {whose}, and this one is {self.reader!r}"
                raise refuse(problem, key=key, others=["reader"])
        if any(getattr(self, key) is None for key in reader.needs):
            needs = " and ".join(f"{key} = {example}" for key, example in reader.needs.items())
            raise refuse(f"{self.reader!r} needs {needs}", key="reader")
        return self


class Split(Section):
    """How images are shared among training, validation and test.

    ``protocol`` is one of

    - ``stratified``: the share ``test`` of each class is set aside, then the share ``val`` of what is left;
    - ``holdout``: the shares ``test`` and ``val`` of the whole are set aside together, then parted;
    - ``splitfolders``: the shares ``test`` and ``val`` of each class, as the program of this name cuts them;
    - ``official``: the dataset's own test set; the share ``val`` of its training set is for validation, drawn
      ``stratified`` or as ``image_dataset_from_directory`` of ``keras`` does. ``official_val`` says whether the
      dataset's own validation images are pooled with the training ones or are for validation. ``subset``, numbers of
      images by class, draws those to train on; all others but the test set are for validation then.

    With ``also = "patient"`` everything is built a second time with all images of a patient in one part.

    With ``exclude_duplicates`` no X-ray is in two parts: of images that are equal to the pixel or nearly, those in training
    give way to those in validation or test, and those in validation to those in test; where their labels differ, all are
    left out.

    With ``folds`` the patients are parted into so many folds, and ``fold_models``, by default those of the comparison, are
    trained once with each fold as the test set, the share ``val`` of the other images validating.

    With ``seeds`` the images are drawn again with each of them, and all networks trained again on each draw, so that what
    the draw does to the measures has an interval.
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
    exclude_duplicates: bool = False
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = ()
    folds: Annotated[int, Field(ge=0, le=10)] = 0
    fold_models: tuple[Identifier, ...] = ()

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
            problem = f"has no part in the protocol {self.protocol!r}{case}"
            raise refuse(problem, key=key, others=["protocol", "subset"])
        for key in ("seeds", "folds"):
            if getattr(self, key) and official:
                problem = "the test set is the dataset's own, so no other can be drawn"
                raise refuse(problem, key=key, others=["protocol"])
        if self.folds in range(1, MIN_FOLDS):
            raise refuse(f"{MIN_FOLDS} folds or more, or 0 for none", key="folds")
        if self.fold_models and not self.folds:
            raise refuse("there are no folds", key="fold_models", others=["folds"])
        if self.seeds and (
            len(self.seeds) < MIN_SEEDS - 1 or len({self.seed, *self.seeds}) <= len(self.seeds)
        ):
            problem = (
                f"{MIN_SEEDS - 1} seeds or more, different ones and none of them split.seed, {self.seed}"
            )
            raise refuse(problem, key="seeds", others=["seed"])
        if self.protocol in ("holdout", "splitfolders") and self.test + self.val >= 1:
            problem = "test and val are shares of the whole, and leave nothing to train on"
            raise refuse(problem, key="test", others=["val", "protocol"])
        return self


class Image(Section):
    """What a network sees: side in pixels, colour, how an image is fitted into the square, and how it is resized.

    ``area`` averages sides that shrink and interpolates those that grow; the others are what published studies used:
    ``nearest`` as Keras' ``ImageDataGenerator``, ``bilinear`` as ``tf.image.resize``, ``lanczos`` as Pillow.
    """

    size: Annotated[int, Field(ge=16, le=1024)] = 156
    color: Literal["rgb", "grey"] = "rgb"
    fit: Literal["squash", "pad", "crop"] = "squash"
    resample: Literal["area", "nearest", "bilinear", "lanczos"] = "area"


class Training(Section):
    """What fixes the numbers of every training. With several seeds each model is trained once with each.

    ``subset_models`` are trained on each of the shares ``subsets`` of the training images too, which each seed draws anew.
    """

    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)] = (42,)
    threads: Annotated[int, Field(ge=1)] = 2
    precision: Literal["float32", "bfloat16"] = "float32"
    subsets: tuple[Annotated[float, Field(ge=0.01, lt=1)], ...] = ()
    subset_models: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _subsets_fit(self) -> Training:
        whole = [round(100 * share) for share in self.subsets]
        if any(abs(100 * share - n) > 1e-9 for share, n in zip(self.subsets, whole, strict=True)):
            raise refuse("a share is of whole per cent, such as 0.25", key="subsets")
        if whole != sorted(set(whole)):
            raise refuse("each share is larger than the one before", key="subsets")
        if self.subsets and len(self.seeds) < MIN_SEEDS:
            problem = f"needs {MIN_SEEDS} seeds or more in training.seeds, each of which draws the images"
            raise refuse(problem, key="subsets", others=["seeds"], hint="--set 'training.seeds=[42, 43, 44]'")
        if self.subset_models and not self.subsets:
            raise refuse("there are no subsets to train on", key="subset_models", others=["subsets"])
        return self

    @field_validator("seeds")
    @classmethod
    def _enough(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(seeds) == MIN_SEEDS - 1 or len(set(seeds)) < len(seeds):
            raise ValueError(
                f"one seed, or {MIN_SEEDS} different ones or more, so that their spread can be told"
            )
        return seeds


class Evaluation(Section):
    """Whether predictions of the test set are there. While it is ``locked``, models are evaluated on validation images alone.

    ``unlocked`` is the day on which it was opened, for the report to say; it may be locked again, to try something else.
    """

    test: Literal["open", "locked"] = "open"
    unlocked: date | None = None


class Comparison(Section):
    """Which models are compared with which, by what, on which images, and what difference would matter.

    Each model of ``against`` is compared with the ``baseline``; the first of them is the one that the report is about. Of the
    pairs ``between``, each a model and one held against it, the difference is told and nothing is decided.
    """

    primary: Primary = DEFAULT_PRIMARY
    split: EvaluatedSplit = "test"
    baseline: Identifier
    against: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    between: tuple[tuple[Identifier, Identifier], ...] = ()
    margin: Fraction = 0.03
    alpha: Annotated[float, Field(gt=0, le=0.2)] = DEFAULT_ALPHA


class Requirement(Section):
    """A demand of the assignment, the part of the report that answers it (or several), and settings that it asks for.

    ``holds`` has values of the study file by dotted name, such as ``"image.size" = 156``; where a setting is
    another one (in the sample, or by ``--set``), the report says that the demand is not met.
    """

    text: str
    where: SectionId | Annotated[tuple[SectionId, ...], Field(min_length=1)]
    holds: dict[str, int | float | str] = {}

    @property
    def places(self) -> tuple[str, ...]:
        """The ids of the parts of the report that answer it."""
        return (self.where,) if isinstance(self.where, str) else self.where


class Mistake(Section):
    """A mistake of the published study, and the models that were trained with it and without it.

    ``text`` says what was done and what should have been, as a sentence.
    """

    text: Annotated[str, StringConstraints(min_length=1, max_length=600)]
    faithful: Identifier
    corrected: Identifier


class Report(Section):
    """How the document looks and what it must cover.

    ``sections`` are those it has, in their order: ours by the names of their templates, and files of the author.
    ``published`` names the study whose ``published.toml`` has the figures to compare with, if it is another one.
    ``main`` are the models that the main text tells of, all if it is not said; the others have a chapter of the appendix.
    ``feature_maps`` names the model of which the section ``attention`` shows what its first convolutions make of an image.
    """

    paper: Literal["a4", "letter"] = "a4"
    sections: SectionNames = SECTIONS
    main: tuple[Identifier, ...] = ()
    feature_maps: Identifier | None = None
    published: str = ""
    requirements: tuple[Requirement, ...] = ()


StageKind = Literal[
    "sample",
    "archive",
    "read",
    "images",
    "audit",
    "architecture",
    "weights",
    "split",
    "pretraining",
    "pretrained",
    "train",
    "predict",
    "evaluate",
    "validate",
    "compare",
    "folds",
    "ledger",
    "ablation",
    "subsets",
    "external",
    "attention",
    "activations",
    "results",
    "figure",
    "source",
    "html",
    "pdf",
]


class StageResources(Section):
    """What the stages of a kind ask of a cluster, which is part of no result: see `report.engine.stage.Resources`.

    At most one of ``gpus``: a network that is trained on several is another than its key says, as each of them draws its
    dropout and normalises its part of a batch by itself.
    """

    cores: Annotated[int, Field(ge=1)] | None = None
    memory: Annotated[float, Field(gt=0, strict=False)] = 4.0
    minutes: Annotated[int, Field(ge=1)] = 60
    gpus: Annotated[int, Field(ge=0, le=1)] = 0


class Sample(Section):
    """What ``--sample`` changes: generated images, small and few; ``subset`` stands in for that of the split.

    ``clean`` is for a sample with faults planted for the audit to find: without them. ``seeds`` are so many of those of
    ``[training]``, the first ones; all if it is not said.
    """

    pictures: Annotated[int, Field(ge=80, le=20_000)] = 480
    size: Annotated[int, Field(ge=16, le=1024)] = 64
    epochs: Annotated[int, Field(ge=1)] = 12
    seed: int = 7
    clean: bool = False
    subset: Subset = {}
    seeds: Annotated[int, Field(ge=1)] | None = None

"""A whole study: its tables, and what must agree between them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from report.study import readers
from report.study.ablation import Ablation, Component, vary
from report.study.collisions import find_collision
from report.study.dotted_names import find_setting
from report.study.external import External, find_unmatched
from report.study.model_settings import Model, read_model
from report.study.pretraining import Pretraining
from report.study.published import Published
from report.study.settings import (
    MIN_SEEDS,
    About,
    ClassLabel,
    Comparison,
    Dataset,
    Evaluation,
    Image,
    Mistake,
    Report,
    Sample,
    Split,
    StageKind,
    StageResources,
    Training,
)
from report.study.value_types import IMAGENET, PRETRAINING, RANDOM, Section, refuse

MIN_CLASSES = 2
UNLEARNT = " (random weights)"
AT_HAND = "--weights DIR (or REPORT_WEIGHTS), a folder with Keras' files of them, or --weights keras, which fetches them"
OUTSIDE_FILE = {"published", "left_out", "has_imagenet"}
"""Keys of a study that do not stand in its ``study.toml``."""


class Study(Section):
    """A whole study as its ``study.toml`` declares it.

    Three keys are not for that file: ``published`` has what ``published.toml`` says, ``left_out`` the classes that
    `report.study.loading.load` has taken out of the study, because its data are read without them, and ``has_imagenet``
    whether the weights that were learnt on ImageNet are at hand.
    """

    about: Annotated[About, Field(alias="study")]
    classes: Annotated[tuple[ClassLabel, ...], Field(min_length=MIN_CLASSES)]
    dataset: Dataset
    split: Split = Split()
    image: Image = Image()
    models: Annotated[tuple[Model, ...], Field(min_length=1)]
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    comparison: Comparison | None = None
    external: External | None = None
    pretraining: Pretraining | None = None
    ablation: Ablation | None = None
    mistakes: tuple[Mistake, ...] = ()
    report: Report = Report()
    sample: Sample = Sample()
    resources: dict[StageKind, StageResources] = {}
    published: Published | None = None
    left_out: tuple[ClassLabel, ...] = ()
    has_imagenet: bool = False

    @property
    def class_ids(self) -> list[str]:
        """The ids of the classes, in their order."""
        return [c.id for c in self.classes]

    @property
    def trained(self) -> tuple[Model, ...]:
        """The models that a build trains."""
        return tuple(m for m in self.models if m not in self.untrained)

    @property
    def in_main_text(self) -> tuple[Model, ...]:
        """The trained models that the main text tells of."""
        return tuple(m for m in self.trained if m.id in self.report.main) or self.trained

    @property
    def untrained(self) -> tuple[Model, ...]:
        """The models that are described and not trained, as the weights that they begin with are not at hand."""
        found: list[Model] = []
        for model in self.models:
            lacks = model.weights == IMAGENET and not self.has_imagenet
            if lacks or model.init_from in [m.id for m in found]:
                found.append(model)
        return tuple(found)

    def first_of(self, model: Model) -> Model:
        """Return the model with whose initial weights the training of ``model`` began: itself, or one of ``init_from``."""
        before = next((m for m in self.models if m.id == model.init_from), None)
        return model if before is None else self.first_of(before)

    def begins_elsewhere(self, model: Model) -> bool:
        """Tell whether a model's weights up to its head are not its own: it is fine-tuned, or stands on a backbone."""
        before = next((m for m in self.models if m.id == model.init_from), None)
        known = model.weights != RANDOM or bool(model.backbone)
        return known or (before is not None and self.begins_elsewhere(before))

    @property
    def subset_models(self) -> tuple[Model, ...]:
        """The models that are trained on subsets too: those named, or the first that is compared, or the last."""
        if not self.training.subsets:
            return ()
        compared = self.comparison.against[:1] if self.comparison else ()
        named = self.training.subset_models or compared or (self.trained[-1].id,)
        return tuple(m for m in self.trained if m.id in named)

    @property
    def corrections(self) -> tuple[Mistake, ...]:
        """The mistakes of which both models are trained."""
        trained = {m.id for m in self.trained}
        return tuple(m for m in self.mistakes if {m.faithful, m.corrected} <= trained)

    @property
    def ends_of_ablation(self) -> tuple[Model, Model]:
        """The network whose components the ablation takes away, and the baseline that it adds them to."""
        assert self.ablation is not None
        assert self.comparison is not None
        models = {m.id: m for m in self.trained}
        return models[self.ablation.model], models[self.comparison.baseline]

    def vary(self, component: Component) -> dict[str, Model]:
        """Return the network ``without`` a component, and the baseline ``with`` it if it can bear that."""
        ends = zip(self.ends_of_ablation, component.changes, strict=False)
        return {key: vary(model, component, key) for model, key in ends}

    @property
    def declaration(self) -> str:
        """The sha256 of what the study declares to compare, how it is decided, and when the test set was opened."""
        told = {"between"}  # and not decided
        declared = self.comparison.model_dump(mode="json", exclude=told) if self.comparison else None
        if self.evaluation.unlocked:
            declared = {"comparison": declared, "unlocked": self.evaluation.unlocked.isoformat()}
        return hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()

    @property
    def is_locked(self) -> bool:
        """Whether no prediction of a test image may be there yet."""
        return self.evaluation.test == "locked"

    def as_json(self, *, without_defaults: bool = False) -> dict[str, Any]:
        """Return the study as JSON values under the keys of the study file, with or without what it leaves unsaid."""
        never_told = {"resources"}  # on which nothing depends
        return self.model_dump(mode="json", by_alias=True, exclude_unset=without_defaults, exclude=never_told)

    def for_document(self) -> dict[str, Any]:
        """Return the study as the document sees it.

        Models that are only described are apart from those trained, and the dataset says which template has its words.
        """
        models, untrained = ([m.model_dump(mode="json") for m in ms] for ms in (self.trained, self.untrained))
        study = self.as_json()
        dataset = {**study["dataset"], "words": readers.look_up(self.dataset.reader).words}
        if self.ablation and self.ablation.run:
            for component, told in zip(
                self.ablation.components, study["ablation"]["components"], strict=True
            ):
                told["models"] = [m.model_dump(mode="json") for m in self.vary(component).values()]
        return {**study, "dataset": dataset, "models": models, "untrained": untrained}

    def for_sample(self) -> Study:
        """Return the study as ``--sample`` builds it: smaller images, fewer epochs, perhaps fewer seeds, networks too small for
        two threads.

        With fewer seeds than subsets of the training images need there are none.
        """
        image = self.image.model_copy(update={"size": min(self.image.size, self.sample.size)})
        models = tuple(m.for_sample(self.sample.epochs) for m in self.models)
        split = self.split
        if split.subset:
            split = split.model_copy(update={"subset": self.sample.subset})
        dataset = self.dataset.without_real_names()
        seeds = self.training.seeds[: self.sample.seeds]
        few = {"subsets": (), "subset_models": ()} if self.training.subsets and len(seeds) < MIN_SEEDS else {}
        training = self.training.model_copy(update={"threads": 1, "seeds": seeds, **few})
        changed = {
            "image": image,
            "models": models,
            "split": split,
            "dataset": dataset,
            "training": training,
        }
        if self.external:
            changed["external"] = self.external.without_real_names()
        if self.pretraining:
            model = self.pretraining.model.for_sample(self.sample.epochs)
            first = self.pretraining.without_real_names()
            changed["pretraining"] = first.model_copy(update={"model": model})
        if self.ablation and self.ablation.run:
            changed["ablation"] = self.ablation.model_copy(
                update={
                    "components": tuple(
                        c.for_sample(self.vary(c), self.sample.epochs) for c in self.ablation.components
                    )
                }
            )
        return self.model_copy(update=changed)

    def without_classes(self) -> Study:
        """Return the study without the classes that its data are to be read without; its title says so."""
        if not self.dataset.without:
            return self
        ids = [c.id for c in self.classes if c.id not in self.dataset.without]
        left_out = tuple(c for c in self.classes if c.id not in ids)
        title = f"{self.about.title} (without {', '.join(c.label for c in left_out)})"
        changed: dict[str, Any] = {
            "about": self.about.model_copy(update={"title": title}),
            "classes": tuple(c for c in self.classes if c.id in ids),
            "dataset": self._dataset_of(ids),
            "left_out": left_out,
            "external": self.external and self.external.match(ids),
        }
        for key, section in (("split", self.split), ("sample", self.sample)):
            if self.split.subset:
                subset = {name: section.subset[name] for name in ids if name in section.subset}
                changed[key] = section.model_copy(update={"subset": subset})
        return self.model_copy(update=changed)

    def with_random_told(self) -> Study:
        """Return the study in which the titles of models say so whose backbone begins with random weights."""
        models = list[Model]()
        for model in self.models:
            told = [m.id for m in models if m.title.endswith(UNLEARNT)]
            begins = model.init_from in told if model.init_from else model.weights == RANDOM
            random = bool(model.backbone) and begins
            title = {"title": f"{model.title}{UNLEARNT}"} if random else {}
            models.append(model.model_copy(update=title))
        return self.model_copy(update={"models": tuple(models)})

    def _dataset_of(self, ids: Collection[str]) -> Dataset:
        """Return the settings of the dataset with only the classes ``ids`` named in them."""
        data = self.dataset
        changed: dict[str, Any] = {
            key: {id_: names for id_, names in getattr(data, key).items() if id_ in ids}
            for key in ("folders", "values")
            if getattr(data, key)
        }
        if not isinstance(data.several, str):
            changed["several"] = tuple(id_ for id_ in data.several if id_ in ids) or "leave-out"
        return data.model_copy(update={**changed, "without": ()})

    def as_published(self, model: str) -> Model | None:
        """Return a model with the settings that ``published.toml`` tells; None where it tells none."""
        tables = self.published.protocol.models if self.published else {}
        if model not in tables:
            return None
        return read_model(
            {"id": model, "title": model, **tables[model]}, f"published.protocol.models.{model}"
        )

    @model_validator(mode="after")
    def _check(self) -> Study:
        self._check_names()
        self._check_classes()
        self._check_models()
        self._check_mistakes()
        self._check_comparison()
        self._check_report()
        self._check_folds()
        self._check_ablation()
        self._check_subsets()
        for name in self.published.protocol.models if self.published else ():
            self.as_published(name)
        self._check_requirements()
        if self.sample.clean and not readers.look_up(self.dataset.reader).planted:
            raise refuse(
                f"the sample of the reader {self.dataset.reader} has no faults planted", key="sample.clean"
            )
        return self

    def _check_names(self) -> None:
        """Refuse names that are declared twice, or that read like others."""
        networks = (*self.models, *([self.pretraining.model] if self.pretraining else []))
        for key, names in (("classes", self.class_ids), ("models", [m.id for m in networks])):
            for number, name in enumerate(names):
                if name in names[:number]:
                    raise refuse(f"{name} is declared twice", key=f"{key}.{number}.id")
        if collision := find_collision(self.classes, networks):
            raise refuse(collision[1], key=collision[0])

    def _check_classes(self) -> None:
        """Refuse names of classes that are not declared, and more classes left out than the study can spare."""
        for second in [c.id for c in self.classes if c.normal][1:]:
            raise refuse("only one class can be the normal one", key=f"classes.{second}.normal")
        ids = {c.id for c in self.classes}
        named: Mapping[str, Iterable[str]] = {
            "dataset.folders": self.dataset.folders,
            "dataset.values": self.dataset.values,
            "dataset.several": () if isinstance(self.dataset.several, str) else self.dataset.several,
            "dataset.without": self.dataset.without,
            "split.subset": self.split.subset,
            "sample.subset": self.sample.subset,
        }
        for key, names in named.items():
            for name in sorted(set(names) - ids):
                raise refuse(f"no class is called {name!r}", key=key)
        for key, name in find_unmatched(self.external, self.class_ids) if self.external else ():
            raise refuse(f"no class is called {name!r}", key=key)
        if len(ids - set(self.dataset.without)) < MIN_CLASSES:
            raise refuse(f"fewer than {MIN_CLASSES} classes are left", key="dataset.without")
        if self.split.subset:
            for key in ("split.subset", "sample.subset"):
                for name in sorted(ids - set(named[key])):
                    raise refuse(f"says nothing of the class {name!r}", key=key)

    def _check_models(self) -> None:
        """Check what models say of other models and of classes."""
        ids = [m.id for m in self.models]
        for i, model in enumerate(self.models):
            table = f"models.{model.id}"
            for key, other in (("corrects", model.corrects), ("init_from", model.init_from)):
                if other is not None and other not in ids[:i]:
                    raise refuse(f"no model before it is called {other!r}", key=f"{table}.{key}")
            if model.weights == IMAGENET and self.image.color != "rgb":
                raise refuse(
                    'weights learnt on ImageNet are of three channels: color = "rgb", which shows grey images in each',
                    key="image.color",
                    others=[f"{table}.weights"],
                )
            if model.weights == PRETRAINING and self.pretraining is None:
                raise refuse("the study has no [pretraining]", key=f"{table}.weights")
            self._check_class_weights(model, table)
        if self.pretraining and self.split.folds:
            problem = (
                "each image is in the test part of one fold, so a network may learn from none of them first"
            )
            raise refuse(problem, key="split.folds", others=["pretraining"])
        if self.pretraining and PRETRAINING not in {m.weights for m in self.models}:
            problem = "no model begins with what it has learnt"
            raise refuse(problem, key="pretraining", hint=f'weights = "{PRETRAINING}" in one of [[models]]')
        if not self.trained:
            raise refuse("none of them is trained", key="models", hint=AT_HAND if self.untrained else "")

    def _check_class_weights(self, model: Model, table: str) -> None:
        weights = model.class_weights
        if isinstance(weights, dict) and weights.keys() != {c.id for c in self.classes}:
            raise refuse("needs one weight for each class", key=f"{table}.class_weights")

    def _check_mistakes(self) -> None:
        ids = {m.id for m in self.models}
        for number, mistake in enumerate(self.mistakes):
            for key, name in (("faithful", mistake.faithful), ("corrected", mistake.corrected)):
                if name not in ids:
                    raise refuse(f"no model is called {name!r}", key=f"mistakes.{number}.{key}")

    def _check_comparison(self) -> None:
        if self.comparison is None:
            return
        models = {m.id for m in self.trained}
        baseline, against = self.comparison.baseline, self.comparison.against
        between = [name for pair in self.comparison.between for name in pair]
        for key, names in (("baseline", (baseline,)), ("against", against), ("between", between)):
            for name in names:
                if name in {m.id for m in self.untrained}:
                    problem = f"{name} begins with weights learnt on ImageNet, which are not at hand"
                    raise refuse(problem, key=f"comparison.{key}", hint=AT_HAND)
                if name not in models:
                    known = ", ".join(sorted(models))
                    problem = f"no model is called {name!r} (models: {known})"
                    raise refuse(problem, key=f"comparison.{key}")
        if len({baseline, *against}) <= len(against):
            others = ["comparison.baseline"]
            raise refuse("a model is compared with itself", key="comparison.against", others=others)
        pairs = [{baseline, other} for other in against]
        for pair in map(set, self.comparison.between):
            if len(pair) == 1 or pair in pairs:
                raise refuse(
                    "compared already, or with itself",
                    key="comparison.between",
                    others=["comparison.against"],
                )
            pairs.append(pair)

    def _check_folds(self) -> None:
        """Refuse models of a cross-validation that are not trained, and one of no models."""
        models = {m.id for m in self.trained}
        for name in self.split.fold_models:
            if name not in models:
                problem = (
                    f"no model that is trained is called {name!r}; there are {', '.join(sorted(models))}"
                )
                raise refuse(problem, key="split.fold_models", others=[f"models.{name}.weights"])
        if self.split.folds and not (self.split.fold_models or self.comparison):
            raise refuse("the study compares no models: name some as fold_models", key="split.folds")

    def _check_ablation(self) -> None:
        """Refuse an ablation that is to run and cannot."""
        declared, models = self.ablation, {m.id for m in self.trained}
        if declared is None or not declared.run:
            return
        if self.comparison is None:
            raise refuse("there is no [comparison], whose baseline components are added to", key="ablation")
        if declared.model not in models - {self.comparison.baseline}:
            known = ", ".join(sorted(models - {self.comparison.baseline}))
            others = ["comparison.baseline"]
            problem = f"no other model than the baseline is called {declared.model!r} (models: {known})"
            raise refuse(problem, key="ablation.model", others=others)
        seeds = len(self.training.seeds)
        for key, asked in (("leave_seeds", declared.leave_seeds), ("add_seeds", declared.add_seeds)):
            if asked > seeds > 1:
                others = ["training.seeds"]
                raise refuse(f"training.seeds has only {seeds}", key=f"ablation.{key}", others=others)
        for component in declared.components:
            where = f"ablation.components.{component.id}"
            for key, varied in self.vary(component).items():
                self._check_class_weights(varied, f"{where}.{key}")
                if varied.id in models:
                    raise refuse(f"a model is called {varied.id}; choose another id", key=f"{where}.id")

    def _check_report(self) -> None:
        """Refuse a main text, or feature maps, of models that are not trained, and one without what others are compared with."""
        main, trained = self.report.main, [m.id for m in self.trained]
        for key, names in {"feature_maps": filter(None, [self.report.feature_maps]), "main": main}.items():
            if unknown := [name for name in names if name not in trained]:
                problem = f"no model is called {unknown[0]!r} (models: {', '.join(sorted(trained))})"
                raise refuse(problem, key=f"report.{key}", others=[f"models.{unknown[0]}.weights"])
        compared = [self.comparison.baseline, self.comparison.against[0]] if self.comparison else []
        if main and (missing := [name for name in compared if name not in main]):
            problem = f"{missing[0]} is missing, and the first comparison is about it"
            raise refuse(problem, key="report.main", others=["comparison"])

    def _check_subsets(self) -> None:
        """Refuse models that cannot be trained on a part of the images."""
        trained = {m.id: m for m in self.trained}
        for name in self.training.subset_models:
            if name not in trained:
                known = ", ".join(sorted(trained))
                raise refuse(f"no model is called {name!r} (models: {known})", key="training.subset_models")
        for model in self.subset_models:
            if model.init_from:
                raise refuse(
                    f"{model.id} begins with weights that were trained on all images",
                    key="training.subset_models" if self.training.subset_models else "training.subsets",
                    others=[f"models.{model.id}.init_from"],
                )

    def _check_requirements(self) -> None:
        """Refuse a requirement of a setting that does not exist."""
        values = self.as_json() if any(r.holds for r in self.report.requirements) else {}
        for number, requirement in enumerate(self.report.requirements):
            for name in requirement.holds:
                owner, _, key = name.rpartition(".")
                table = find_setting(values, owner) if owner else values
                if not isinstance(table, dict) or key not in table:
                    key = f"report.requirements.{number}.holds"
                    raise refuse(f"the study has no setting {name}", key=key)

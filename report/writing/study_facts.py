"""What every section of the report knows of a study: its settings, results and artifacts, and what its parts are called."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from analysis.vocabulary.measures import DEFAULT_PRIMARY
from analysis.vocabulary.reference_classifiers import REFERENCES
from analysis.vocabulary.splits import ANALYSES, GROUPED
from report.document.markdown import escape
from report.study.texts import without_article
from report.writing.findings import Found, read_findings
from report.writing.values import Values, listed, spelled

UNDECLARED = {"primary": DEFAULT_PRIMARY, "split": "test"}
"""By what models are held against the reference classifiers where the study declares no comparison."""
FEW = 3
"""So many models are named one by one."""


@dataclass(frozen=True)
class Origin:
    """How a report came to be.

    Parameters
    ----------
    name : str
        The study's folder, as the commands of the appendix call it.
    overrides : sequence of str
        Changes to the study file made on the command line, as ``key=value``.
    declaration : str
        The digest of what the study declares to compare.
    commit : str
        The version of the program, "" where it is not known.
    versions : sequence of str
        Distributions that the appendix lists with their versions.
    """

    name: str = ""
    overrides: Sequence[str] = ()
    declaration: str = ""
    commit: str = ""
    versions: Sequence[str] = ()


@dataclass(frozen=True)
class StudyFacts:
    """One study with its results.

    Parameters
    ----------
    study : mapping
        The study file as JSON values.
    values : Values
        Its results.
    inputs : mapping of str to Path
        The artifacts that the document reads.
    many : bool
        Whether the trained models are so many that the report tells of them together and not one by one.
    sample : bool
        Whether the images are generated ones.
    together : sequence of str
        The models whose curves lie over one another.
    origin : Origin
        How the report came to be.
    """

    study: Mapping[str, Any]
    values: Values
    inputs: Mapping[str, Path]
    many: bool = False
    sample: bool = False
    together: Sequence[str] = ()
    origin: Origin = Origin()

    @property
    def reported_class(self) -> str:
        """The class by which a study of two classes is reported, the one that is not normal; "" with more classes.

        What is found of one class is what is left out for the other, so one of them says everything.
        """
        classes = self.study["classes"]
        return next(c["id"] for c in reversed(classes) if not c["normal"]) if len(classes) == 2 else ""

    @property
    def normal_class(self) -> str:
        """The normal class, "" where there is none."""
        return next((str(c["id"]) for c in self.study["classes"] if c["normal"]), "")

    @property
    def declared(self) -> Mapping[str, Any]:
        """What is declared to be compared; where nothing is, by what models are held against reference classifiers."""
        return self.study["comparison"] or UNDECLARED

    @property
    def compared(self) -> list[str]:
        """The models that are compared with the one of the comparison."""
        return list(self.study["comparison"]["against"]) if self.study["comparison"] else []

    @property
    def analyses(self) -> dict[str, str]:
        """What the study's analyses add to the names of models, and what they are called."""
        known = self.values.results
        return {s: a.name for s, a in ANALYSES.items() if f"data{s}.test.count" in known}

    @property
    def is_grouped(self) -> bool:
        """Whether everything is done a second time by patient."""
        return GROUPED.suffix in self.analyses

    @property
    def trained(self) -> list[str]:
        """The ids of the models that are trained."""
        return [m["id"] for m in self.study["models"]]

    @property
    def main(self) -> list[str]:
        """The ids of the trained models that the main text tells of."""
        return [m for m in self.trained if m in self.study["report"]["main"]] or self.trained

    @property
    def described(self) -> list[str]:
        """The ids of all models, those that are trained first."""
        return [m["id"] for m in (*self.study["models"], *self.study["untrained"])]

    @property
    def classes(self) -> list[str]:
        """The ids of the classes."""
        return [c["id"] for c in self.study["classes"]]

    @cached_property
    def findings(self) -> list[Found]:
        """What the audit has found, strong findings first."""
        return read_findings(self.inputs)

    def model(self, model: str) -> Mapping[str, Any]:
        """Return a model's part of the study file."""
        every = (*self.study["models"], *self.study["untrained"])
        found: Mapping[str, Any] = next(m for m in every if m["id"] == model)
        return found

    def title(self, model: str, *, capital: bool = False) -> str:
        """Return a model's title as it stands in a sentence: ``baseline CNN``; with a ``capital`` as declared."""
        title = str(self.model(model)["title"])
        return escape(title if capital else uncapitalised(title))

    def label(self, class_id: str) -> str:
        """Return a class' label as markdown."""
        return next(escape(c["label"]) for c in self.study["classes"] if c["id"] == class_id)

    def several(self, models: Sequence[str], article: str = "") -> str:
        """Return the titles of models, or how many they are if they are too many to be named."""
        return f"{spelled(len(models))} networks" if len(models) > FEW else self.titles(models, article)

    def titles(self, models: Sequence[str], article: str = "") -> str:
        """Return the titles of models as they stand in a sentence, each behind its ``article``."""
        return listed([f"{article}{self.title(m)}" for m in models])

    def ends(self, name: str) -> list[dict[str, Any]]:
        """Return the lowest and the highest ``value`` of a result among the trained models, each with its ``models``.

        ``name`` has ``{}`` for the model.
        """
        found = {m: self.values.value(name.format(m)) for m in self.trained}
        known = [value for value in found.values() if value is not None]
        of_end = ([m for m in found if found[m] == end] for end in (min(known), max(known)))
        return [{"value": self.values(name.format(models[0])), "models": models} for models in of_end]

    def classifiers(self) -> list[tuple[str, str]]:
        """Return id and title of every model and reference classifier."""
        models = [(m["id"], escape(m["title"])) for m in self.study["models"]]
        return [*models, *((reference.id, reference.title) for reference in REFERENCES)]

    def architecture(self, model: str) -> dict[str, Any]:
        """Return a model as Keras describes it."""
        text = (self.inputs[f"architecture_{model}"] / "architecture.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found

    def layers(self, model: str) -> list[dict[str, str]]:
        """Return the layers of a model, as Keras built them."""
        return read_rows(self.inputs[f"architecture_{model}"] / "layers.csv")


@dataclass(frozen=True)
class Section:
    """Facts for one section of the document, which its template asks for."""

    facts: StudyFacts

    @property
    def study(self) -> Mapping[str, Any]:
        """The study file as JSON values."""
        return self.facts.study

    @property
    def values(self) -> Values:
        """The results."""
        return self.facts.values


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV artifact."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def uncapitalised(title: str) -> str:
    """Return a title as it stands behind "the": without an article of its own, names such as ``Xception`` as they are.

    Only a first word of those that describe a network begins small: no rule tells other words from names.
    """
    if (rest := without_article(title)) != title:
        return rest
    return title[:1].lower() + title[1:] if title.partition(" ")[0].lower() in DESCRIBING else title


_DESCRIBING = """
    augmented balanced baseline basic best big bigger classical classifier convolutional custom deep
    deeper dense dropout ensemble final first fine-tuned four frozen full improved large larger last
    linear logistic low model narrow net network new old original other plain pretrained proposed
    random regularised regularized residual second shallow simple small smaller standard student
    teacher third tiny transfer tuned two three unfrozen untuned weighted wide wider
"""
DESCRIBING = frozenset(_DESCRIBING.split())
"""Words with which a title can begin that are no name."""

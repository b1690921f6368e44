"""What goes with a trained network that leaves this program: its card, in the form of model hubs, and a script that uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.vocabulary.measures import HEADLINES, parse
from analysis.vocabulary.splits import EVALUATED
from report import PROJECT, __version__
from report.writing.templates import locate_errors, make_engine
from report.writing.values import Values

CARD, SCRIPT = "README.md", "predict.py"
OF_CLASS = ("sensitivity", "specificity", "auroc")
TYPES = {"accuracy": "accuracy", "f1.macro": "f1", "auroc.macro": "roc_auc"}
"""What model hubs call our measures."""


@dataclass(frozen=True)
class CardFacts:
    """What a card tells of a network beside what its ``input.json`` says.

    Attributes
    ----------
    study, source : str
        The title of the study, and where its data are had.
    title, name, digest : str
        Of the model and of its training, and the sha256 of the file.
    group : str
        What the split keeps together.
    generated : bool
        Whether the images are those of a sample.
    weights : str
        Those that its training began with, as the study file says.
    pretraining : str
        What the images are called that the study trains on first, "" where the study pretrains nothing.
    license : str
        As model hubs call it, "other" where nobody has said one.
    split : str
        The part that the ``results`` are of, which are named by measure and class.
    external : mapping
        As ``results``, of the images from elsewhere; none where it was not tried on any.
    elsewhere : mapping of str to str
        The label of each class of those images by its id.
    where : str
        What those images are called.
    shown_otherwise : bool
        Whether the images of the results were shown in another way than those of the training.
    description : mapping
        The ``model.json`` of the network.
    """

    study: str
    source: str
    title: str
    name: str
    digest: str
    group: str
    generated: bool
    weights: str
    pretraining: str
    license: str
    split: str
    results: Mapping[str, Mapping[str, Any]]
    external: Mapping[str, Mapping[str, Any]]
    elsewhere: Mapping[str, str]
    where: str
    shown_otherwise: bool
    description: Mapping[str, Any]


def write_files(facts: CardFacts, seen: Mapping[str, Any], templates: Path | None = None) -> dict[str, str]:
    """Return the texts of the card and of the script by the names of their files; ``seen`` is the ``input.json``."""
    classes = {c["id"]: c["label"] for c in seen["classes"]}
    counts, start = facts.description["counts"], f"{facts.name}.{facts.split}."
    known = {
        **vars(facts),
        **seen,
        "version": __version__,
        "classes": classes,
        "head": facts.description["head"],
        "counts": counts,
        "parts": [part for part in ("train", *EVALUATED) if part in counts],
        "start": start,
        "values": Values({f"{start}{name}": entry for name, entry in facts.results.items()}),
        "types": TYPES,
        "headlines": [name for name in HEADLINES if facts.results.get(name, {}).get("value") is not None],
        "rows": [*_rows(facts.results, classes)],
        "temperature": seen["calibration"]["temperature"],
        "rebalanced": len({*seen["calibration"]["factors"]}) > 1,
        "flipped": "horizontal_flip" in seen["averaged_over"],
    }
    engine = make_engine(templates or PROJECT / "templates" / "model", known)
    with locate_errors():
        return {name: engine.get_template(f"{name}.j2").render() for name in (CARD, SCRIPT)}


def _rows(
    results: Mapping[str, Mapping[str, Any]], classes: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each result of the card, what it measures, and the label of its class, "" for all."""
    names = [*HEADLINES, *(f"{measure}.{c}" for c in classes for measure in OF_CLASS)]
    for name in names:
        if name in results:
            measure, of = parse(name)
            of_class = of in classes
            yield name, measure.name if of_class else f"{of} {measure.name}".lstrip(), classes.get(of, "")

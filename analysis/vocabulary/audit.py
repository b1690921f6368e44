"""The audit's probes, variables and results: what each is called, and from where on it is a finding.

Results are ``audit.<topic>.<rest>``; those of topics that depend on the split, `OF_ANALYSES`, are there for each analysis, as
``audit@patient.leaks.test.any_in_train``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from analysis.vocabulary import external
from analysis.vocabulary.measures import BETWEEN, MACRO
from analysis.vocabulary.results import Quantity
from analysis.vocabulary.run_names import split_run
from analysis.vocabulary.splits import EVALUATED, SPLITS

AUDIT = "audit"
"""What results are named by, and the kind of the stages."""
DUPLICATES, LEAKS, PATIENTS, PROBING = "duplicates", "leaks", "patients", "probes"
CONFOUNDING, LABELS = "confounding", "labels"
OF_ANALYSES = (LEAKS, PATIENTS)
"""Topics that depend on the split."""
LEFT_OUT_TABLE = "left_out.csv"
LEFT_OUT = ("image_id", "split", "reason", "stays")
CONFLICT, COPY = "conflicting_labels", "copy"
"""Why `split.exclude_duplicates` leaves an image out: others of the same X-ray have another label, or are in a later split."""
DRAWS, DRAWS_TABLE = "splits", "draws.csv"
"""What draws of the images do to the measures, in a study with ``split.seeds``."""
OVER_DRAWS = ("accuracy", "f1.macro", "sensitivity.macro", "auroc.macro")
"""The measures that are told over draws."""
ENDS = ("mean", "lowest", "highest")
OTHERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "val": (("train",),),
    "test": (("train",), ("val",), ("train", "val")),
}
"""Where an image of a split must not be again: in each alone, and, last, in all of them together."""

ORIGINAL, FILE, BORDER, THUMBNAIL = "original_facts", "file_facts", "border", "thumbnail"
PROBES = (ORIGINAL, FILE, BORDER, THUMBNAIL)
"""What a fixed model is shown of an image. A thumbnail holds opacity and the chest's shape, the others hold no lung."""
BLANKED, LUNGS_ONLY = "lungs_blanked", "lungs_only"
LUNG_PROBES = (BLANKED, LUNGS_ONLY)
LUNGS = "lungs"
"""The topic of the stage that tries these: only where a study asks for it, as few datasets have masks of the lungs."""
"""Those with lung masks."""
WITHOUT_LUNGS = (ORIGINAL, FILE, BORDER, BLANKED)
"""Those that hold no lung: what they tell is a shortcut. What the others tell may be disease too."""
WEAK_AREA, STRONG_AREA = 0.60, 0.75
"""What the lower end of a probe's macro AUROC must exceed for a finding."""

VARIABLES = ("source", "population", "age_group", "sex", "view", "device")
"""What may go with the class. ``population`` is children or adults: by the age, else by what is published of the source."""
VALUES, MISSING = "values", "missing"
"""What goes with the class: the values of a variable, or whether it is known at all."""
WEAK_V, STRONG_V = 0.1, 0.3
"""What Cramer's V must exceed for a finding: about a small and a medium association in the words of Cohen (1988)."""
ALPHA = 0.01
"""Of all associations together, after Holm: chance gives a finding in at most one of a hundred datasets."""
OF_KNOWN_PATIENTS = "any_of_known_patients"
"""Images that are again in a split before theirs, exactly or nearly, and whose patient has training images."""
WHOLE = "all"
"""In the place of a class: images of all of them."""
SAME_PATIENT = "same_patient_in_train"
COPIES, COLLECTION, TAGS = "copies", "collection", "tags"
CONFLICTS = (COPIES, COLLECTION, TAGS)
"""What contradicts a label: a copy of the image that bears another, the collection it came from, another class' tag."""
CONTRADICTING = (COPIES, COLLECTION)
"""Those by which a label is wrong or not known; an image may have tags of two classes and both be right."""
BY_NETWORKS = f"{LABELS}.by_networks"
"""What networks say of labels, as ``labels`` has it of the fixed model."""


def probe_results(classes: Sequence[str], probes: Sequence[str] = PROBES) -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result of the probes; a class of few patients has none, but ``left_out``."""
    for probe in probes:
        yield from ((f"probes.{probe}.auroc.{name}", Quantity.NUMBER) for name in (*classes, MACRO))
        yield f"probes.{probe}.fold_error", Quantity.NUMBER
        yield from ((f"probes.{probe}.left_out.{name}", Quantity.COUNT) for name in classes)


def file_results() -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of what tells reduced copies from originals."""
    label = f"probes.{FILE}"
    for name in ("commonest_side", "original_known", "not_original_size"):
        yield f"{label}.{name}", Quantity.COUNT
    yield f"{label}.commonest_side_share", Quantity.SHARE


def confounding_results(classes: Sequence[str]) -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result on what goes with the class."""
    for variable in VARIABLES:
        label = f"confounding.{variable}"
        for kind in (VALUES, MISSING):
            if (variable, kind) != ("population", MISSING):  # follows from age and source
                yield from (
                    (f"{label}.{kind}.{name}", Quantity.NUMBER) for name in ("cramers_v", "p", "p_holm")
                )
        for name in classes:
            yield f"{label}.known.{name}", Quantity.COUNT
            yield f"{label}.known_share.{name}", Quantity.SHARE
            yield f"{label}.exclusive.{name}", Quantity.COUNT
    for word in ("median", "lowest", "highest"):
        yield from ((f"confounding.age.{word}.{name}", Quantity.YEARS) for name in classes)


def patient_results(classes: Sequence[str], *, parted: bool = True) -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result on patients; ``parted``: the images are split."""
    yield from ((f"patients.known.{name}", Quantity.COUNT) for name in (WHOLE, *classes))
    yield "patients.images.mean", Quantity.NUMBER
    yield "patients.images.median", Quantity.NUMBER
    for name in ("images.most", "several_images", "several_classes"):
        yield f"patients.{name}", Quantity.COUNT
    if parted:
        yield "patients.in_several_splits", Quantity.COUNT
    for split in EVALUATED if parted else ():
        for name in (WHOLE, *classes):
            yield f"patients.{split}.{SAME_PATIENT}.{name}", Quantity.COUNT
            yield f"patients.{split}.{SAME_PATIENT}_share.{name}", Quantity.SHARE
            yield f"patients.{split}.{SAME_PATIENT}_patients.{name}", Quantity.COUNT


def duplicate_results() -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result on images that are there twice."""
    alone = (
        "images",
        "groups",
        "grouped_images",
        "exact.groups",
        "exact.images",
        "near.pairs",
        "near.images",
    )
    joined = (
        f"{name}.{what}"
        for name in ("conflicting_labels", "across_patients")
        for what in ("groups", "images")
    )
    yield from ((f"{DUPLICATES}.{name}", Quantity.COUNT) for name in (*alone, *joined))


def leak_results() -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result on images that are in two splits."""
    left_out = (f"left_out.{name}" for name in (*SPLITS, CONFLICT, COPY))
    yield from ((f"{LEAKS}.{name}", Quantity.COUNT) for name in ("groups", "images", *left_out))
    for split, places in OTHERS.items():
        for elsewhere in map("_or_".join, places):
            yield from (
                (f"{LEAKS}.{split}.{kind}_in_{elsewhere}", Quantity.COUNT) for kind in ("exact", "any")
            )
        yield f"{LEAKS}.{split}.{OF_KNOWN_PATIENTS}", Quantity.COUNT


def reach_results(models: Sequence[str]) -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of what each probe has above chance, as a share of what each model has."""
    yield from (
        (f"{PROBING}.{probe}.share_of.{model}", Quantity.SHARE) for probe in PROBES for model in models
    )


def label_results(
    classes: Sequence[str], owner: str = LABELS, conflicts: Sequence[str] = CONFLICTS
) -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result on labels; ``owner`` is ``labels`` or `BY_NETWORKS`, which has no ``conflicts``."""
    for name in (WHOLE, *classes):
        yield f"{owner}.images.{name}", Quantity.COUNT
        yield f"{owner}.agreeing.{name}", Quantity.SHARE
        yield f"{owner}.candidates.{name}", Quantity.COUNT
        yield from ((f"{owner}.conflicts.{kind}.{name}", Quantity.COUNT) for kind in conflicts)


def draw_results(models: Sequence[str], pairs: Sequence[str]) -> Iterator[tuple[str, Quantity]]:
    """Yield name and quantity of every result over draws of the images, of models and of ``pairs`` of them."""
    yield f"{DRAWS}.count", Quantity.COUNT
    for kind, names in ((Quantity.NUMBER, models), (Quantity.DIFFERENCE, pairs)):
        yield from ((f"{DRAWS}.{end}.{name}.{m}", kind) for end in ENDS for name in names for m in OVER_DRAWS)


def names(
    classes: Sequence[str], models: Sequence[str], analyses: Sequence[str], *, lungs: bool = False
) -> Iterator[str]:
    """Yield the names of all results of the audit of a study.

    Parameters
    ----------
    classes, models : sequence of str
        Ids, of the models that are trained.
    analyses : sequence of str
        What the names of each analysis end with.
    lungs : bool
        Whether `LUNG_PROBES` are tried too.
    """
    probes = (*PROBES, *LUNG_PROBES) if lungs else PROBES
    once = (
        *duplicate_results(), *probe_results(classes, probes), *file_results(), *reach_results(models),
        *confounding_results(classes), *label_results(classes), *label_results(classes, BY_NETWORKS, ()),
    )  # fmt: skip
    yield from (f"{AUDIT}.{name}" for name, _ in once)
    for analysis in analyses:
        of_split = (*leak_results(), *patient_results(classes))
        yield from (f"{AUDIT}{analysis}.{name}" for name, _ in of_split)


_QUANTITIES = {
    **dict.fromkeys(("auroc", "fold_error", VALUES, MISSING, "mean"), Quantity.NUMBER),
    **dict.fromkeys(
        ("share_of", "commonest_side_share", "known_share", f"{SAME_PATIENT}_share", "agreeing"),
        Quantity.SHARE,
    ),
    **dict.fromkeys(("age.lowest", "age.median", "age.highest"), Quantity.YEARS),
    "images.median": Quantity.NUMBER,
}
"""By the first of these words in a name, behind the topic; all else is counted. Probes, variables and splits are none."""


def quantity(name: str) -> Quantity:
    """Return what kind of number the result ``name`` is, of the audit or any other."""
    owner, *rest = name.split(".")
    if split_run(owner)[0] != AUDIT:
        return external.quantity(name)
    if rest[0] == DRAWS and len(rest) > 2:
        return Quantity.DIFFERENCE if BETWEEN in rest[2] else Quantity.NUMBER
    words = (key for pair in pairwise([*rest[1:], ""]) for key in (".".join(pair), pair[0]))
    return next((_QUANTITIES[word] for word in words if word in _QUANTITIES), Quantity.COUNT)


def is_difference(name: str) -> bool:
    """Tell whether a result is a difference, so that it is printed with its sign."""
    return quantity(name) is Quantity.DIFFERENCE


def is_percentage(name: str) -> bool:
    """Tell whether a result is a share that is printed in per cent; measures are not."""
    return quantity(name) is Quantity.SHARE

"""The audit's probes, variables and results: what each is called, and from where on it is a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.vocabulary.measures import MACRO
from analysis.vocabulary.results import Quantity
from analysis.vocabulary.splits import EVALUATED

ORIGINAL, FILE, BORDER, THUMBNAIL = "original_facts", "file_facts", "border", "thumbnail"
PROBES = (ORIGINAL, FILE, BORDER, THUMBNAIL)
"""What a fixed model is shown of an image. A thumbnail holds opacity and the chest's shape, the others hold no lung."""
BLANKED, LUNGS_ONLY = "lungs_blanked", "lungs_only"
LUNG_PROBES = (BLANKED, LUNGS_ONLY)
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
WHOLE = "all"
"""In the place of a class: images of all of them."""
SAME_PATIENT = "same_patient_in_train"


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

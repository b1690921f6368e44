"""Facts of the section on the data: what was found, left out and kept, in which classes and sizes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from analysis.vocabulary.splits import SPLITS
from report.writing.study_facts import Section, read_rows
from report.writing.values import count

UNEQUAL = 1.5
"""From this ratio of the commonest class to the rarest on, classes are called unequal."""
FEW_IMAGES = 30
"""With fewer test images of a class its sensitivity goes in steps of more than three percentage points."""
SAME_SHARE = 0.05
"""A class' share of the training set that is nearer to that of all images is not told apart."""


class Data(Section):
    """What the report says of a study's data."""

    @property
    def has_annotations(self) -> bool:
        """Whether the dataset has annotations; without, masks are among the files that were found."""
        return "data.annotations_found" in self.values.results

    @property
    def knows_patients(self) -> bool:
        """Whether tags or file names tell the patient of any image."""
        return any(source != "unknown" for source in self.patient_sources())

    def patient_sources(self) -> dict[str, str]:
        """Return of how many images the patient is told by each source, such as ``kermany``, or ``unknown``."""
        found = Counter(row["source"] for row in self._records())
        return {source: count(images) for source, images in found.most_common()}

    def _records(self) -> list[dict[str, str]]:
        return read_rows(self.facts.inputs["records"] / "records.csv")

    def flow(self) -> list[dict[str, str]]:
        """Return the steps from the files found to the images kept: ``kind``, ``step`` and ``count``."""
        rows = read_rows(self.facts.inputs["records"] / "flow.csv")
        return [{**row, "count": count(int(row["count"]))} for row in rows]

    @property
    def lacks_excluded_images(self) -> bool:
        """Whether what its annotations exclude has no image among those found: these were all kept, or have no annotation."""
        bare = self.values.results.get("data.excluded.no_annotation_for_the_image", {"value": 0})["value"]
        return bool(self.values.value("data.images_found") - bare == self.values.value("data.images"))

    def extremes(self) -> dict[str, Any]:
        """Return the ``commonest`` and the ``rarest`` class, and whether they are ``unequal`` and ``same_in_training``."""
        images = {c: self.values.value(f"data.all.count.{c}") for c in self.facts.classes}
        rarest, *_, commonest = sorted(images, key=lambda c: (images[c], c))
        apart = (
            abs(self.values.value(f"data.train.share.{c}") - self.values.value(f"data.all.share.{c}"))
            for c in (commonest, rarest)
        )
        return {
            "commonest": commonest,
            "rarest": rarest,
            "unequal": images[commonest] >= UNEQUAL * images[rarest],
            "same_in_training": all(difference < SAME_SHARE for difference in apart),
        }

    def other_counts(self) -> list[str]:
        """Return the sets that have another number of images in the analysis by patient."""
        counts = {s: [self.values.value(f"data{a}.{s}.count") for a in self.facts.analyses] for s in SPLITS}
        return [s for s, numbers in counts.items() if len(set(numbers)) > 1]

    def rare_on_test(self) -> list[str]:
        """Return the classes with few test images, the rarest first."""
        images = {c: self.values.value(f"data.test.count.{c}") for c in self.facts.classes}
        return sorted((c for c in images if images[c] < FEW_IMAGES), key=lambda c: images[c])

    @property
    def has_one_size(self) -> bool:
        """Whether all images were of one size before they were prepared."""
        sizes = {
            (row["original_width"] or row["width"], row["original_height"] or row["height"])
            for row in self._records()
        }
        return len(sizes) == 1

    def scaling(self) -> list[dict[str, Any]]:
        """Return what networks see of a grey level, ``scale`` times it plus ``offset``, and the ``models`` that see it so."""
        alike: dict[tuple[float, float], list[str]] = {}
        for model in self.study["models"]:
            seen = model["input"]["scale"], model["input"]["offset"]
            alike.setdefault(seen, []).append(model["id"])
        return [
            {"scale": s, "offset": o, "to_one": abs(255 * s - 1) < 1e-9 and o == 0, "models": models}
            for (s, o), models in alike.items()
        ]

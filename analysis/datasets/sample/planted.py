"""What is wrong on purpose with the sample in the layout of V7, for the audit to find; its clean twin has none of it.

=================== ==================================================================== ===========================
fault               where                                                                found by
=================== ==================================================================== ===========================
leak                copies of an X-ray, of which the split parts many                    duplicates: across_splits
exact duplicates    the same pixels in another file under another patient's name         duplicates: exact
near duplicates     resized, cut at two sides and compressed again, likewise             duplicates: near
conflicting labels  copies of a bacterial pneumonia among the viral ones                 duplicates: conflicting_labels
patients            several images each, which a split by image parts                    patients
shortcut            each class has its own exposure, `phantom.BRIGHTNESS`                probes: border
confounder          COVID-19 is of another source, of adults, and alone has age,         confounding
                    sex and view told
=================== ==================================================================== ===========================

The clean twin has as many images of the same classes: of one exposure and one source, one of each patient, all with age, sex
and view, whose findings are drawn as in the sample. So what tells its classes apart is in the lungs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis.datasets.sample.phantom import BACTERIAL, HEALTHY, VIRAL

ONE_IN, ONE_CONFLICT_IN = 60, 240
"""So many images have one exact and one near copy among them, and one conflicting label."""
ONE_EXPOSURE = 1.0
"""Of all images of the clean twin."""
SMALLER, CUT = 0.8, 0.03
"""What a near copy is: so much of the width and height, and without so much of the left and the upper side."""
QUALITY = 60
"""Of a near copy as JPEG."""
COMMENT = b"A copy of another image, under another name."
"""In the file of an exact copy: its bytes are others, its pixels are the same."""
COPIED = (BACTERIAL, HEALTHY, VIRAL)
"""Classes of which there are copies; of COVID-19 there are too few images to give any away."""


class Entry(Protocol):
    """What is asked of an image of the sample."""

    @property
    def kind(self) -> str:
        """The class."""

    @property
    def patient(self) -> int:
        """The number of the patient within the class."""


@dataclass(frozen=True)
class Copy:
    """An image that shows what another does, whose place is ``of``; ``near`` if it is changed."""

    of: int
    near: bool


def plan_copies(items: Sequence[Entry], seed: int) -> dict[int, Copy]:
    """Return which images are copies of which, by their places: no image has two copies, and no copy is of the same patient.

    Patients are numbered from 1.
    """
    rng = np.random.default_rng([seed, 4])
    left = {kind: [i for i, item in enumerate(items) if item.kind == kind] for kind in COPIED}

    def draw(kind: str, other_than: int = 0) -> int:
        fitting = [place for place in left[kind] if items[place].patient != other_than]
        place = fitting[int(rng.integers(len(fitting)))]
        left[kind].remove(place)
        return place

    copies: dict[int, Copy] = {}
    for _ in range(max(1, len(items) // ONE_CONFLICT_IN)):
        copies[draw(VIRAL)] = Copy(draw(BACTERIAL), near=False)
    for number in range(2 * max(1, len(items) // ONE_IN)):
        kind = COPIED[number % len(COPIED)]
        of = draw(kind)
        copies[draw(kind, items[of].patient)] = Copy(of, near=number % 2 == 1)
    return copies


def change(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return grey levels (height, width) as a near copy has them."""
    height, width = pixels.shape
    top, left = round(CUT * height), round(CUT * width)
    part = Image.fromarray(pixels[top:, left:])
    size = round(SMALLER * part.width), round(SMALLER * part.height)
    return np.asarray(part.resize(size, Image.Resampling.BICUBIC), dtype=np.uint8)

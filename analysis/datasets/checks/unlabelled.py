"""Images of which no label is known, for the audit of a folder: all of one class. No study can be made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from analysis.datasets import reasons, records
from analysis.datasets.copies import drop_copies, drop_masks
from analysis.datasets.folders import layout
from analysis.datasets.folders.files import find_files
from analysis.datasets.patients import no_patient
from analysis.datasets.reasons import Exclusion
from analysis.datasets.records import Candidate
from analysis.progress import Progress


def read(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[Mapping[str, str]],
    max_excluded: float,
) -> None:
    """Write the records of all images in ``inputs["data"]``, what is left out, and the flow.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        The one class that they are all given.
    max_excluded : float
        Not asked: an audit tells what was left out.

    Raises
    ------
    DataError
        If no image is usable.
    """
    root, (only,) = inputs["data"], classes
    contents = find_files(root)
    masks = {image: layout.masks_folder(PurePosixPath(image).parts[:-1]) for image in contents.images}
    exclusions = [
        Exclusion(image, reasons.MASK, f"folder {folder}") for image, folder in masks.items() if folder
    ]
    candidates, copies = drop_copies(
        root, [Candidate(i, (only["id"],)) for i in contents.images if not masks[i]]
    )
    candidates, more = drop_masks(root, candidates)
    table, broken = records.verify(root, candidates, progress, no_patient, "")
    if table.empty:
        raise reasons.nothing_usable(broken, len(broken))
    exclusions += copies + more + broken
    records.write(
        out, table, exclusions, records.first_steps(contents, [("images found", len(contents.images))])
    )

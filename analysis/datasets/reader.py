"""What a reader of datasets is: a function that writes the records, and beside it ``READER``, what else must be known of it.

A study names it ``reader = "analysis.datasets.mine:read"``, or by the module's name alone. The command line reads
``READER`` in the file, without importing it: its values are written out (texts, tuples, dicts), not computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.datasets import reasons


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What a module says of the reader in it.

    Parameters
    ----------
    keys : tuple of str
        The keys of ``[dataset]`` that it understands beside those of `Reading`: arguments of its function.
    needs : mapping of key to str
        Those without which it reads nothing, with an example of each.
    files : mapping of suffix to str
        Suffixes of files of which one at least must be there, and what these files are called.
    obtained : str
        How the data are had, as a hint to whoever has none.
    sample : str
        ``"module:function"`` that writes the generated sample in this layout.
    sample_params : mapping
        Arguments of that function which are always the same.
    sample_keys : tuple of str
        What else it is given: ``classes``, with the name of each in the data, and keys of ``[dataset]``.
    planted : bool
        Faults are planted in the sample for the audit to find, and it is written without them if told ``clean``.
    results : tuple of str
        The results ``data.<name>`` that only its data have.
    words : str
        The template ``templates/datasets/<words>.qmd.j2``: what the report says of the dataset.
    """

    keys: tuple[str, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    obtained: str = "put the images into the data folder"
    sample: str = "analysis.datasets.sample.folder_sample:write"
    sample_params: Mapping[str, Any] = field(default_factory=lambda: {"layout": "class-folders"})
    sample_keys: tuple[str, ...] = ("classes",)
    planted: bool = False
    results: tuple[str, ...] = ()
    words: str = "any"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What every reader is told: arguments of its function.

    Parameters
    ----------
    classes : sequence of {"id", "label"}
        The classes of the study.
    exclude : sequence of str, or mapping
        Glob patterns for the path, the name or the stem of an image; or a list of images, as `reasons.Exclude` has it.
    max_excluded : float
        Share of the images that may be left out, 0 to 1.
    patient_pattern : str, optional
        A regular expression whose one group is the patient, searched in the path of an image.
    """

    classes: Sequence[Mapping[str, str]]
    exclude: reasons.Exclude
    max_excluded: float
    patient_pattern: str = ""


def function_of(reader: str) -> str:
    """Return ``"module:function"`` of a reader as a study names it: so, or by its module's name in this folder."""
    return reader if ":" in reader else f"analysis.datasets.{reader.replace('-', '_')}:read"

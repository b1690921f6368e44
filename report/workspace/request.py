"""What the command line asks for."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from report import PROJECT
from report.study.folder import STUDIES
from report.workspace.places import find_study_folder


@dataclass(frozen=True)
class Request:
    """A study, real or generated data, and changes to the study file.

    Attributes
    ----------
    study : str
        A name, or a path of a study file or its folder.
    data : Path, optional
        The data folder or archive; None where the user named none.
    sample : bool
        Whether generated images take the place of data.
    overrides : tuple of str
        Changes to the study file, each ``key=value``.
    cache : Path, optional
        Where results are kept; None for the usual place.
    external : Path, optional
        The folder or archive of the external set; None where the user named none.
    pretraining : Path, optional
        The folder or archive of the images to learn from first; None where the user named none.
    weights : str
        The folder with weights learnt on ImageNet, or ``keras``; "" where the user named none.
    """

    study: str = "assignment"
    data: Path | None = None
    sample: bool = False
    overrides: tuple[str, ...] = ()
    cache: Path | None = None
    external: Path | None = None
    weights: str = ""
    pretraining: Path | None = None

    @property
    def named_external(self) -> Path | None:
        """The external set that the user names: ``--external``, else ``REPORT_EXTERNAL``."""
        environment = os.environ.get("REPORT_EXTERNAL")
        return self.external or (Path(environment) if environment else None)

    @property
    def named_pretraining(self) -> Path | None:
        """The images to learn from first that the user names: ``--pretraining``, else ``REPORT_PRETRAINING``."""
        environment = os.environ.get("REPORT_PRETRAINING")
        return self.pretraining or (Path(environment) if environment else None)

    @property
    def named_weights(self) -> str:
        """The weights learnt on ImageNet that the user names: ``--weights``, else ``REPORT_WEIGHTS``."""
        return self.weights or os.environ.get("REPORT_WEIGHTS", "")

    @property
    def named_data(self) -> Path | None:
        """The data that the user names: ``--data``, else ``REPORT_DATA``."""
        environment = os.environ.get("REPORT_DATA")
        return self.data or (Path(environment) if environment else None)

    @property
    def cache_name(self) -> str:
        """The name under which the cache remembers the results.

        Studies of the same name in other folders than ``studies/`` have names apart.
        """
        folder = find_study_folder(self.study)
        name = folder.name
        if folder.parent != STUDIES:
            place = folder.relative_to(PROJECT) if folder.is_relative_to(PROJECT) else folder
            name += f"-{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
        return name + ("-sample" if self.sample else "")

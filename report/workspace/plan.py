"""A request becomes a plan: a study with its stages, its data, its cache and the folders that are written."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import DataError
from analysis.vocabulary.external import EXTERNAL
from analysis.vocabulary.pretraining import PRETRAINING
from report import PROJECT
from report.engine.stage import Stage, kind_of, select
from report.engine.store import Store
from report.engine.system.files import translate_disk_errors
from report.errors import UsageError
from report.pipeline.data import Place, find_kind
from report.pipeline.stages import make_stages
from report.study.build_command import format_build
from report.study.loading import load
from report.study.study import Study
from report.workspace.data import find_data, find_external, find_pretraining
from report.workspace.places import find_cache, find_study_folder
from report.workspace.request import Request
from report.workspace.version import find_commit
from report.workspace.weights import FROM_KERAS, WEIGHTS, find_networks, find_weights, require_files


@dataclass(frozen=True)
class Plan:
    """A study with its stages and the folders that belong to it.

    Attributes
    ----------
    name : str
        The name of its folders in ``build/`` and ``document/``.
    data : Path, optional
        The data folder or archive; None for the sample, or if there is none.
    cache, out, document : Path
        Where results are kept, the build is published and the document's source is written.
    commit : str
        The version of the program, "" if git does not tell it.
    external : Path, optional
        The folder or archive of the external set; None for the sample, or if there is none.
    pretraining : Path, optional
        The folder or archive of the images to learn from first; None for the sample, or if the study has none.
    weights : str
        The folder with weights learnt on ImageNet, or ``keras``; "" where they are not at hand.
    """

    request: Request
    name: str
    study: Study
    stages: list[Stage]
    data: Path | None
    cache: Path
    out: Path
    document: Path
    commit: str = ""
    external: Path | None = None
    weights: str = ""
    pretraining: Path | None = None

    @property
    def lacks_external(self) -> bool:
        """Whether the study has an external set whose images are not there, so that nothing is tried on it."""
        return bool(self.study.external) and not self.external and not self.request.sample

    @property
    def cache_name(self) -> str:
        """The name under which the cache remembers its results."""
        return self.request.cache_name

    @property
    def guesses_data(self) -> bool:
        """Whether nobody named the data, and they lie where the last build found them."""
        usual = (PROJECT / self.study.dataset.root).resolve()
        return self.data is not None and not self.request.named_data and self.data != usual

    def select_upstream(self, names: Iterable[str]) -> list[Stage]:
        """Return the stages called ``names`` and all that they read, in the plan's order."""
        return select(self.stages, [*names])

    def build_command(self, *words: str) -> str:
        """Return the command line that builds this plan."""
        data = [] if self.request.sample else ["--data", str(self.data or "DIR")]
        request = self.request
        if request.external:
            data += ["--external", str(request.external)]
        if request.pretraining:
            data += ["--pretraining", str(request.pretraining)]
        if request.weights:
            data += ["--weights", request.weights]
        return format_build(request.study, request.overrides, *self._common_options(), *data, *words)

    def log_command(self, stage: str) -> str:
        """Return the command line that prints the log of a stage of this plan."""
        return shlex.join(["report", "log", stage, "--study", self.request.study, *self._common_options()])

    def keep_declaration(self, stages: Iterable[str]) -> None:
        """Keep which comparison is declared when predictions of the test set first become known."""
        if self.study.is_locked:
            return
        store = Store(self.cache)
        begun = any(kind_of(name) == "predict" for name in stages)
        if begun and not store.latest(self.cache_name, "declared"):
            store.point(self.cache_name, {"comparison": self.study.declaration}, "declared")

    def _common_options(self) -> list[str]:
        cache = ["--cache", str(self.request.cache)] if self.request.cache else []
        return [*(["--sample"] if self.request.sample else []), *cache]

    def remember_data(self) -> None:
        """Keep where the data are, for commands that are not told."""
        if self.data:
            with translate_disk_errors(self.cache):
                Store(self.cache).point(self.cache_name, {"folder": str(self.data)}, "data")
        for kind, folder in ((EXTERNAL, self.external), (PRETRAINING, self.pretraining)):
            if folder:
                with translate_disk_errors(self.cache):
                    Store(self.cache).point(self.cache_name, {"folder": str(folder)}, kind)

    def remember_weights(self) -> None:
        """Keep where the weights are that it was built with, for commands that are not told."""
        if self.weights:
            with translate_disk_errors(self.cache):
                Store(self.cache).point(self.cache_name, {"folder": self.weights}, WEIGHTS)


def make_plan(request: Request, *, needs_data: bool = True) -> Plan:
    """Return the plan that ``request`` asks for; without ``needs_data`` the data folder may be missing.

    Raises
    ------
    UsageError
        There is no such study, or both data and the sample are asked for.
    StudyError
        The study file is wrong.
    DataError
        There is no data folder.
    WeightsError
        Weights that models begin with are not there.
    """
    if request.sample:
        _require_no_data(request)
    folder = find_study_folder(request.study)
    weights = find_weights(request)
    study = load(folder / "study.toml", request.overrides, has_imagenet=bool(weights))
    files = None if weights in {"", FROM_KERAS} else Path(weights)
    if files:
        require_files(files, study)
    networks = find_networks(request, study)
    if request.sample:
        study, found, external, pretraining = study.for_sample(), None, None, None
    else:
        found = _find_data(request, study, needed=needs_data)
        external = find_external(request, study)
        pretraining = find_pretraining(request, study, needed=needs_data)
    external_kind = find_kind(external) if study.external and (external or request.sample) else ""
    data = None if request.sample else found or PROJECT / study.dataset.root
    name = folder.name + ("-sample" if request.sample else "")
    cache = find_cache(request.cache)
    version = find_commit()
    declared = Store(cache).latest(request.cache_name, "declared").get("comparison", study.declaration)
    return Plan(
        request=request,
        name=name,
        study=study,
        stages=make_stages(
            study,
            Place(
                folder,
                find_kind(data),
                data,
                # No result depends on resources.
                tuple(o for o in request.overrides if not o.startswith("resources.")),
                declared != study.declaration,
                version,
                external_kind,
                external,
                files,
                networks,
                find_kind(pretraining) if study.pretraining else "",
                pretraining,
            ),
        ),
        data=found,
        cache=cache,
        out=PROJECT / "build" / name,
        document=PROJECT / "document" / name,
        commit=version,
        external=external,
        weights=weights,
        pretraining=pretraining,
    )


def _require_no_data(request: Request) -> None:
    """Refuse folders of images beside generated ones."""
    named = {"data": request.data, EXTERNAL: request.external, PRETRAINING: request.pretraining}
    for option, folder in named.items():
        if folder is not None:
            raise UsageError(f"--{option} and --sample contradict each other", hint="leave one of them out")


def _find_data(request: Request, study: Study, *, needed: bool) -> Path | None:
    """Return the data; None if there are none and they are neither ``needed`` nor named."""
    try:
        return find_data(request, study)
    except DataError:
        if needed or request.data:
            raise
        return None

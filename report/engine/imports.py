"""Imports our own modules in a worker, as they are on disk and as the key of the running stage has them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

from report.engine.code import Project, hash_code, reports_only
from report.errors import ChangedError

ENGINE = __name__.rpartition(".")[0]
KEPT = (ENGINE.partition(".")[0], f"{ENGINE.partition('.')[0]}.errors")
"""Beside the engine itself, what it is made of."""


class OwnCode:
    """Finds our own modules, and compares each with the key; compiled files are passed over.

    These go by whole seconds and lengths, which a quick edit can keep.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.stage = ""
        self.closure: Mapping[str, str] | None = None
        self.uncovered: set[str] = set()
        sys.path.insert(0, str(project.root))
        sys.meta_path.insert(0, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of ours is, and None for all others."""
        if name.partition(".")[0] not in self.project.packages:
            return None
        spec = PathFinder.find_spec(name, path or [str(self.project.root)])
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
            spec.loader.own_code = self
        return spec

    def check(self, name: str, source: bytes, path: str) -> None:
        """Refuse code that is not what the key of the running stage stands for; note what it does not cover."""
        if self.closure is None or reports_only(source, path):
            return
        if name not in self.closure:
            self.uncovered.add(name)
        elif self.closure[name] != hash_code(source, path):
            raise changed_error(self.stage, f"code of {name} changed")

    @contextmanager
    def only(self, stage: str, closure: Mapping[str, str]) -> Iterator[set[str]]:
        """Import our own modules anew, as they are on disk now; yield the set of those outside ``closure``."""
        for name in [n for n in sys.modules if n.partition(".")[0] in self.project.packages]:
            if name not in KEPT and not name.startswith(ENGINE):
                del sys.modules[name]
        importlib.invalidate_caches()
        self.stage, self.closure, self.uncovered = stage, closure, set()
        try:
            yield self.uncovered
        finally:
            self.closure = None


_compiled: dict[str, tuple[bytes, CodeType]] = {}
"""What this process has compiled, by file, with its text: the next stage imports most of it anew."""


class _Loader(SourceFileLoader):
    own_code: OwnCode

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path)
        self.own_code.check(fullname, source, self.path)
        text, code = _compiled.get(self.path, (None, None))
        if code is None or text != source:
            code = self.source_to_code(source, self.path)
            _compiled[self.path] = source, code
        return code


def changed_error(stage: str, what: str) -> ChangedError:
    """Return the error of a result that must not be stored under its key."""
    message = f"{stage}: what it is made from has changed while the stage ran: {what}"
    return ChangedError(message, hint="run the same command again")

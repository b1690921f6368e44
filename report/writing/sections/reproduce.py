"""Facts of the appendix on reproducing the report: commands, software, and digests of data and split."""

from __future__ import annotations

import shlex
import sys
from importlib import metadata

from report.engine.system.files import digest_file
from report.study.build_command import format_build
from report.writing.study_facts import Section


class Reproduce(Section):
    """How a report is made again, and of what it was made."""

    def build_command(self) -> str:
        """Return the command that builds this very report."""
        origin = self.facts.origin
        data = ["--sample"] if self.facts.sample else ["--data", "DIR"]
        return format_build(origin.name, origin.overrides, *data)

    def build_command_on_data(self) -> str:
        """Return the command that builds the report on real data."""
        return format_build(self.facts.origin.name, (), "--data", "DIR")

    def status_command(self) -> str:
        """Return the command that says which results are up to date."""
        return shlex.join(["report", "status", self.facts.origin.name, *["--sample"] * self.facts.sample])

    def python(self) -> str:
        """Return the version of Python, as it is and not as it was asked for."""
        return f"{sys.version_info.major}.{sys.version_info.minor}"

    def software(self) -> list[str]:
        """Return the distributions that the report names, with their versions."""
        return [f"{package} {metadata.version(package)}" for package in self.facts.origin.versions]

    def fingerprint(self, artifact: str) -> str:
        """Return the digest of the ``records`` or of the ``split``."""
        return digest_file(self.facts.inputs[artifact] / f"{artifact}.csv")

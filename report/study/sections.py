"""Which sections a report may have: ours and the author's."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from report.errors import did_you_mean, nearest
from report.study.folder import PROSE_FILES, SECTIONS, find_section
from report.study.value_types import refuse

ALWAYS = "reproduce"
"""The section that says how a report was made, and what its author has changed in it."""
_OWN = re.compile(r"[a-z][a-z0-9-]*\.md")
_TAKEN = {*SECTIONS, "coverage", "introduction", "preparation", "split", "training"}
"""What follows ``sec-`` in ids of ours."""


def _known_sections(names: tuple[str, ...]) -> tuple[str, ...]:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise refuse(f"{name} is named twice", hint="take one of them away")
        if name in SECTIONS:
            continue
        if name in PROSE_FILES:
            section = find_section(name)
            raise refuse(f"{name} stands in the section {section}", hint=f'name "{section}"')
        if not name.endswith(".md"):
            hint = did_you_mean(nearest(name, SECTIONS), f"there are: {', '.join(SECTIONS)}")
            raise refuse(
                f"there is no section {name!r}", hint=f"{hint} A section of your own is a file: {name}.md"
            )
        if not _OWN.fullmatch(name):
            hint = "lower-case letters, digits and hyphens, a letter first, such as related-work.md"
            raise refuse(f"{name!r} is no name of a section's file", hint=hint)
        if name.removesuffix(".md").replace("-", "_") in _TAKEN:
            raise refuse(f"{name} is called as a section of ours", hint="give the file another name")
    if ALWAYS not in names:
        raise refuse(f"{ALWAYS} is missing: it says how the report was made", hint=f'add "{ALWAYS}"')
    return names


SectionNames = Annotated[tuple[str, ...], AfterValidator(_known_sections)]

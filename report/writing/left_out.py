"""What a report leaves out, and the pointers to it in the sections that it has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from jinja2 import Environment

from report.study.folder import SECTIONS

_ID = re.compile(r"\{[^{}\n]*#((?:sec|fig|tbl|eq)-[\w-]+)")


def find_left_out(engine: Environment, sections: Collection[str], text: str) -> dict[str, str]:
    """Return the ids that the ``text`` lacks because its ``sections`` are not all, and the section of each."""
    found: dict[str, str] = {}
    for name in SECTIONS:
        if name not in sections and not name.endswith(".md"):
            words = engine.get_template(f"sections/{name}.qmd.j2").render()
            found |= dict.fromkeys(_ID.findall(words), name)
    return {key: found[key] for key in sorted(found.keys() - set(_ID.findall(text)))}


def drop_pointers(text: str, left_out: Collection[str], prose: Iterable[str]) -> str:
    """Return the ``text`` without what only points to the ids ``left_out``; the author's ``prose`` stays as it is.

    These are brackets, sentences and parts of a sentence that begin with such an id: ``(@sec-a)``, ``@sec-a has the
    rest.``, ``; @sec-a has the rest``. Another reference is left for the check of the source to name.
    """
    if not left_out:
        return text
    one = rf"@(?:{'|'.join(map(re.escape, left_out))})(?![\w-])"
    own = [passage for passage in prose if passage]
    parts = re.split(f"({'|'.join(map(re.escape, own))})", text) if own else [text]
    return "".join(part if part in own else _drop(part, one) for part in parts)


def _drop(text: str, one: str) -> str:
    text = re.sub(rf"[ \u00a0]\({one}(?:(?:,|\sand)\s{one})*\)", "", text)
    text = re.sub(rf"(?:[;,]| and) {one} [^.,;\n]*(?=[.,;])", "", text)
    whole = rf"(^|(?<=[.:])\s)(?:[A-Z]\w+:\s)?{one}(?:\s[^;\n]*?)?(?:\.(?:[ ]+|$)|;\s(\w))"
    return re.sub(whole, lambda m: m[1] + (m[2] or "").upper(), text, flags=re.M)

"""On which line of a TOML file a key stands."""

from __future__ import annotations

import re
from collections import Counter
from itertools import takewhile

_TABLE = re.compile(r"\s*(\[{1,2})\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"""\s*([\w.-]+)\s*=\s*["']?([^"']*)""")


def line_of(setting: str, text: str) -> int:
    """Return the line that leads furthest to a setting such as ``models.baseline.epochs``; 0 if none leads there.

    Tables of a list are called by their ``id``, or by their number from 0.
    """
    wanted, furthest, line = setting.split("."), 0, 0
    table, many = [""], Counter[str]()
    for number, content in enumerate(text.splitlines(), 1):
        if head := _TABLE.match(content):
            table = here = head[2].split(".")
            if head[1] == "[[":
                table.append(str(many[head[2]]))  # until its id is known
                many[head[2]] += 1
        elif key := _KEY.match(content):
            if key[1] == "id" and table[-1].isdigit():
                table[-1] = key[2]
            here = [*table, *key[1].split(".")]
        else:
            continue
        agree = len([*takewhile(lambda pair: pair[0] == pair[1], zip(wanted, here, strict=False))])
        if agree > furthest:
            furthest, line = agree, number
    return line

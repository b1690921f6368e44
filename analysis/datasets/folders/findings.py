"""Words for what radiographs show, by which the names of classes are told from those of hospitals, years or sexes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis.datasets.folders import layout

FINDINGS = re.compile(
    r"normal|abnormal|healthy|control|negative|positive|neg|pos|[+−]|no finding|covid|corona|sars|pneumon|neumon|viral"
    r"|virus|bacteri|fung|tubercul|tb|opaci|effusion|edema|oedema|nodul|mass|cardiomegal|atelecta|infiltrat|consolidat"
    r"|pneumothora|fibros|emphysema|hernia|sick|disease|cancer|benign|malign|lesion|gesund|krank|sano|enfermo|sain|malade"
)
"""How a word in the name of a class begins, or the name itself."""


def share_of_findings(names: Sequence[str]) -> float:
    """Return the share of names that sound like a finding, and not like a dataset."""
    like = [
        any(map(FINDINGS.match, (*words, " ".join(words)))) and not layout.COLLECTIVE & {*words}
        for words in map(layout.words, names)
    ]
    return sum(like) / max(1, len(like))

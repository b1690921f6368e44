"""The assignment as most hand it in: two networks, each trained once; made of the study file of this project."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from pathlib import Path

from report import PROJECT

_PLACE = Path(tempfile.mkdtemp(prefix="two-networks-"))
atexit.register(shutil.rmtree, _PLACE, ignore_errors=True)


def _write(folder: Path) -> Path:
    shutil.copytree(PROJECT / "studies" / "assignment", folder)
    discussion = folder / "discussion.md"
    discussion.write_text(
        discussion.read_text(encoding="utf-8").replace("residual", "improved"), encoding="utf-8"
    )
    (folder / "experiments.md").unlink()  # of the network that these studies have not
    introduction = folder / "introduction.md"
    words = introduction.read_text(encoding="utf-8")
    assert " (@sec-experiments)" in words
    introduction.write_text(words.replace(" (@sec-experiments)", ""), encoding="utf-8")
    text = (folder / "study.toml").read_text(encoding="utf-8")
    for pattern, words in (
        (r'\[\[models\]\]\nid = "residual"\n(?s:.*?)(?=^\[(?!\[)|^\[\[models)', ""),
        (r"^\[ablation\]\n(?s:.*?)(?=^# Images)", ""),
        (r"^seeds = \[42, 43, 44\]$", "seeds = [42]"),
        (r'^against = \["residual", "improved"\]$', 'against = ["improved"]'),
        (r"^between = .*\n", ""),
        (r"^seeds = 1\n", ""),
        (r"^main = .*\n", ""),
    ):
        text, found = re.subn(pattern, words, text, flags=re.MULTILINE)
        assert found == 1, pattern
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


TWO_NETWORKS = _write(_PLACE / "assignment")
"""A folder of the name of the study."""

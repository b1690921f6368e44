"""Copies of figures and tables beside the document's source."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.vocabulary.ablation import EFFECTS_TABLE
from analysis.vocabulary.attention import ATTENTION
from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.external import EXTERNAL
from analysis.vocabulary.folds import FOLDS_TABLE
from analysis.vocabulary.results import ABLATION
from analysis.vocabulary.run_names import FOLDS, split_run
from analysis.vocabulary.subsets import SUBSETS

EVALUATION = (
    *("measures.csv", "confusion.csv", "auroc.csv", "average_precision.csv"),
    *("reliability.csv", "predictive.csv", "decision.csv", "errors.csv"),
)


def copy_figures(inputs: Mapping[str, Path], out: Path) -> dict[str, dict[str, Any]]:
    """Copy every figure and its table into ``out/figures``; return alternative text and width by name."""
    folder = out / "figures"
    folder.mkdir()
    figures = {}
    for key, source in sorted(inputs.items()):
        kind, _, name = key.partition("_")
        if kind == "figure":
            figures[name] = json.loads((source / "figure.json").read_text(encoding="utf-8"))
            for suffix in ("svg", "csv"):
                shutil.copyfile(source / f"figure.{suffix}", folder / f"{name}.{suffix}")
    return figures


def copy_tables(inputs: Mapping[str, Path], out: Path) -> None:
    """Copy the tables that the report prints or refers to into ``out/tables``."""
    folder = out / "tables"
    folder.mkdir()
    for key, source in sorted(inputs.items()):
        kind, _, name = key.partition("_")
        if kind == "evaluate":
            _copy(source, folder, name, EVALUATION)
        elif kind == "architecture":
            _copy(source, folder, name, ("layers.csv",))
        elif kind == "training":
            _copy(source, folder, name, ("history.csv",))
        elif kind.startswith("compare"):
            _copy(source, folder, split_run(kind)[1], [path.name for path in source.glob("*.csv")])
        elif kind == SUBSETS:
            _copy(source, folder, kind, [path.name for path in source.glob("*.csv")])
        elif kind == "ledger":
            _copy(source, folder, "", ("ledger.csv",))
        elif kind == FOLDS:
            _copy(source, folder, "", (FOLDS_TABLE,))
        elif kind == ABLATION:
            _copy(source, folder, kind, (EFFECTS_TABLE,))
        elif kind == EXTERNAL:
            _copy(source, folder, f"{kind}_{name}", ("confusion.csv", "groups.csv"))
        elif kind in (AUDIT, ATTENTION):
            _copy(source, folder, f"{kind}_{name}", [path.name for path in source.glob("*.csv")])
        elif kind == "records":
            _copy(source, folder, name, ("excluded.csv", "flow.csv"))


def _copy(source: Path, folder: Path, prefix: str, names: Sequence[str]) -> None:
    for file in names:
        if (source / file).exists():  # some only of studies with a normal class
            shutil.copyfile(source / file, folder / "_".join(filter(None, (prefix, file))))

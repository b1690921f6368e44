"""The stages that write the report: its source from all results, HTML and PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from graphlib import TopologicalSorter
from typing import Any

from analysis.vocabulary.audit import AUDIT
from analysis.vocabulary.folds import FOLDS_TABLE
from analysis.vocabulary.reference_classifiers import LOW_DETAIL
from analysis.vocabulary.run_names import FOLDS
from report import PROJECT
from report.engine.stage import Input, Json, Output, Source, Stage
from report.pipeline import packages
from report.pipeline.ablation import find_ablation
from report.pipeline.attention import TABLES as OF_ATTENTION
from report.pipeline.attention import find_attention
from report.pipeline.audit import find_audit_tables
from report.pipeline.data import Place
from report.pipeline.external import find_external_tables
from report.pipeline.pretraining import find_pretraining_network
from report.pipeline.subsets import TABLES, find_subsets
from report.pipeline.weights import PRETRAINED, has_own_weights
from report.study.folder import list_prose
from report.study.study import Study
from report.study.trainings import (
    has_many_models,
    list_analyses,
    list_variants,
    name_first_run,
    select_together,
)

DOCUMENT_KINDS = frozenset({"figure", "source", "html", "pdf"})
"""The kinds of stages that make the document: cheap, and never a training."""
WORDS = (
    *("*.j2", "datasets/*.j2", "sections/*.j2", "sentences/*.j2", "floats/*.j2", "words/*.j2"),
    *("filters/passage.lua", "references.bib"),
)
OWN = ("templates/**/*.j2", "figures/*", "references.bib")
"""What else may lie in a study's folder for its report."""
THEME = (
    "theme/*.html",
    "theme/*.css",
    "theme/*.js",
    "theme/fonts/*.woff2",
    "theme/fonts/*.ttf",
    "filters/report.lua",
)


def make_document_stages(study: Study, place: Place, before: Sequence[Stage]) -> Iterator[Stage]:
    """Yield the stages of the document, which shows the stages ``before`` it too."""
    drawing = Stage("figure.stages", "report.writing.stages_figure:draw", params={"kinds": _kinds(before)})
    yield drawing
    figures = [stage.name for stage in (*before, drawing) if stage.kind == "figure"]
    yield _source(study, place, figures)
    theme: dict[str, Input] = {
        "source": Output("source"),
        "templates": Source(PROJECT / "templates", include=THEME),
    }
    paper: dict[str, Json] = {"paper": study.report.paper}
    yield Stage("html", "report.document.html:render", theme, packages=packages.HTML)
    yield Stage("pdf", "report.document.pdf:render", theme, paper, packages=packages.PDF)


def _kinds(stages: Iterable[Stage]) -> list[Json]:
    """Return the kinds of stages, how many there are of each, what they run and which kinds they read, those before it."""
    stages = list(stages)
    kind_of = _group(stages)
    kinds: dict[str, dict[str, Any]] = {}
    for stage in stages:
        kind = kind_of[stage.name]
        found = kinds.setdefault(kind, {"kind": kind, "many": 0, "run": set(), "read": set()})
        found["many"] += 1
        found["run"].add(stage.function)
        found["read"] |= {kind_of[name] for name in stage.needs} - {kind}
    ordered = TopologicalSorter({name: sorted(kind["read"]) for name, kind in kinds.items()}).static_order()
    return [
        {**kinds[name], "run": sorted(kinds[name]["run"]), "read": sorted(kinds[name]["read"])}
        for name in ordered
    ]


def _group(stages: Sequence[Stage]) -> dict[str, str]:
    """Return the kind of each stage; one of the audit that a split reads is its own, as the others read the split."""
    before = {name for stage in stages if stage.kind == "split" for name in stage.needs}
    return {s.name: s.name if s.kind == AUDIT and s.name in before else s.kind for s in stages}


def _source(study: Study, place: Place, figures: Sequence[str]) -> Stage:
    return Stage(
        "source",
        "report.writing.source:write",
        {
            "templates": Source(PROJECT / "templates", include=WORDS),
            "prose": Source(place.study, include=(*list_prose(study.report.sections), *OWN)),
            **_results(study, place),
            **{name.replace(".", "_"): Output(name) for name in figures},
        },
        {
            "study": study.for_document(),
            "together": [m.id for m in select_together(study)],
            "many": has_many_models(study),
            "name": place.study.name,
            "sample": place.kind == "sample",
            "overrides": [*place.overrides],
            "declaration": study.declaration,
            "commit": place.commit,
            "versions": [*packages.SOFTWARE],
        },
        packages=packages.SOFTWARE,
    )


def _results(study: Study, place: Place) -> dict[str, Input]:
    """Return what the source reads of the results: of each analysis its split and comparison, of models one run."""
    shown = {m.id: name_first_run(study, m) for m in study.trained}
    return {
        "records": Output("read"),
        **{f"split{analysis}": Output(f"split{analysis}") for analysis in list_analyses(study)},
        "results": Output("results"),
        **{f"architecture_{m.id}": Output(f"architecture.{m.id}") for m in study.models},
        **{f"training_{m}": Output(f"train.{run}", ("history.csv",)) for m, run in shown.items()},
        **{
            f"pretrained_{m.id}": Output(f"pretrained.{shown[m.id]}", PRETRAINED)
            for m in study.trained
            if not has_own_weights(m)
        },
        **{f"evaluate_{m}": Output(f"evaluate.{run}") for m, run in shown.items()},
        f"evaluate_{LOW_DETAIL.id}": Output(f"evaluate.{LOW_DETAIL.id}"),
        **{f"compare{analysis}": Output(f"compare{analysis}") for analysis in list_analyses(study)},
        **({"ledger": Output("ledger")} if study.published else {}),
        **({FOLDS: Output(FOLDS, (FOLDS_TABLE,))} if study.split.folds else {}),
        **find_ablation(study),
        **{f"architecture_{v.model.id}": Output(f"architecture.{v.model.id}") for v in list_variants(study)},
        **find_pretraining_network(study),
        **find_subsets(study, *TABLES),
        **(find_external_tables(study.trained) if study.external and place.external_kind else {}),
        **find_audit_tables(study),
        **find_attention(study, *OF_ATTENTION),
    }

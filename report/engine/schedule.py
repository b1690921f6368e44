"""In which order stages run, and what of them cannot run after a failure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from report.engine.stage import Stage

UNKNOWN_SECONDS = 1.0
"""What a stage is taken to need that never ran."""


def by_urgency(stages: Sequence[Stage], seconds: Mapping[str, float]) -> list[Stage]:
    """Return the stages of a plan, first the early ones, then what begins the longest way to the end, on fewer threads first.

    Parameters
    ----------
    stages : sequence of Stage
        Each after the stages that it reads.
    seconds : mapping of str to float
        What the last run of a stage took, by its name.
    """
    rank = {stage.name: 0.0 for stage in stages}
    for stage in reversed(stages):
        rank[stage.name] += seconds.get(stage.name, UNKNOWN_SECONDS)
        for name in stage.needs:
            rank[name] = max(rank[name], rank[stage.name])
    return sorted(stages, key=lambda stage: (not stage.early, -rank[stage.name], stage.threads))


def hopeless(stages: Sequence[Stage], failed: Collection[str]) -> set[str]:
    """Return the stages that have failed, those that cannot run for it, and those that nobody but these reads."""
    lost = set(failed)
    readers: dict[str, set[str]] = {stage.name: set() for stage in stages}
    for stage in stages:
        if stage.needs & lost:
            lost.add(stage.name)
        for name in stage.needs:
            readers[name].add(stage.name)
    return lost | {name for name, by in readers.items() if by and by <= lost}

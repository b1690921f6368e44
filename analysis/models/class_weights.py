"""How much each class counts in the training loss."""

from __future__ import annotations

from collections.abc import Mapping


def weights(rule: str | Mapping[str, float], counts: Mapping[str, int]) -> dict[str, float] | None:
    """Return the weight of each class, in the order of ``counts``; None where all count the same.

    Parameters
    ----------
    rule : {"none", "balanced", "other-share"} or mapping
        "balanced" gives n / (K n_k), "other-share" the share of the other classes in two decimals, a mapping its values.
    counts : mapping of str to int
        Training pictures of each class.
    """
    total = sum(counts.values())
    match rule:
        case "none":
            return None
        case "balanced":
            return {c: total / (len(counts) * n) for c, n in counts.items()}
        case "other-share":
            return {c: round((total - n) / total, 2) for c, n in counts.items()}
        case Mapping():
            return {c: float(rule[c]) for c in counts}
    raise ValueError(f"no class weights are called {rule!r}")

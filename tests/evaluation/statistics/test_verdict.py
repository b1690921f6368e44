from __future__ import annotations

import numpy as np
import pytest

from analysis.evaluation.statistics.resampling import percentile
from analysis.evaluation.statistics.significance import holm, p_value
from analysis.evaluation.statistics.verdict import Evidence, Rule, decide

NAN = float("nan")


@pytest.mark.parametrize(
    ("difference", "p_holm", "equivalence", "mdd", "expected"),
    [
        (0.10, 0.001, (0.07, 0.13), 0.05, "better"),
        (-0.10, 0.001, (-0.13, -0.07), 0.05, "worse"),
        (0.10, 0.05, (0.01, 0.19), 0.05, "better"),
        (0.10, 0.0500001, (0.01, 0.19), 0.05, "underpowered"),
        # A sure but small gain is a gain first.
        (0.02, 0.001, (0.01, 0.029), 0.01, "better"),
        (0.01, 0.3, (-0.01, 0.029), 0.02, "equivalent"),
        # Equivalence that was shown stands, whatever the power that was planned.
        (0.00, 1.0, (-0.029, 0.029), 0.05, "equivalent"),
        (0.01, 0.3, (-0.01, 0.03), 0.02, "not_distinguishable"),
        (-0.01, 0.3, (-0.03, 0.01), 0.02, "not_distinguishable"),
        (0.01, 0.3, (-0.04, 0.06), 0.03, "not_distinguishable"),
        (0.01, 0.3, (-0.04, 0.06), 0.030001, "underpowered"),
        (0.00, 1.0, (0.0, 0.0), 0.0, "equivalent"),
        (NAN, NAN, (NAN, NAN), NAN, "not_distinguishable"),
    ],
)
def test_rule_in_its_order(
    difference: float, p_holm: float, equivalence: tuple[float, float], mdd: float, expected: str
) -> None:
    evidence = Evidence(difference, p_holm, equivalence, mdd)
    assert decide(evidence, Rule("f1.macro", margin=0.03, alpha=0.05)) == expected


@pytest.mark.parametrize("seed", range(40))
def test_verdict_and_printed_interval_never_disagree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    family = rng.normal(rng.uniform(-0.1, 0.1, 4), 0.04, (2_000, 4))
    steps = holm([p_value(values) for values in family.T], 0.05)
    for values, step in zip(family.T, steps, strict=True):
        low, high = percentile(values, step.level)
        equivalence = tuple(float(end) for end in percentile(values, 0.9))
        evidence = Evidence(float(values.mean()), step.adjusted, equivalence, 0.1)
        verdict = decide(evidence, Rule("f1.macro", 0.03, 0.05))
        assert (verdict == "better") == (low > 0)
        assert (verdict == "worse") == (high < 0)

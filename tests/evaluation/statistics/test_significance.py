from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm, ttest_ind

from analysis.evaluation import settings
from analysis.evaluation.statistics.significance import (
    compare_recipes,
    fewest_patients,
    holm,
    p_value,
    sign_flip,
    smallest_p,
)


def single(fixed: int, broken: int, alike: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    correct_a = np.repeat([False, True, True], [fixed, broken, alike])
    correct_b = np.repeat([True, False, True], [fixed, broken, alike])
    return correct_a, correct_b, np.arange(len(correct_a))


def test_exact_mcnemar_of_airway_responsiveness() -> None:
    """Fagerland, Lydersen and Laake (2013), doi:10.1186/1471-2288-13-91: 1 and 7 discordant, p = 0.070."""
    found = sign_flip(*single(1, 7, 13))
    assert round(found.p, 3) == 0.070
    assert (found.discordant_fixed, found.discordant_broken, found.deff) == (1, 7, 1)


@pytest.mark.parametrize(
    ("fixed", "broken"), [(0, 1), (3, 3), (5, 17), (40, 12), (0, 25), (150, 120), (700, 640)]
)
def test_exact_mcnemar_of_single_pictures(fixed: int, broken: int) -> None:
    found = sign_flip(*single(fixed, broken))
    assert found.p == pytest.approx(binomtest(fixed, fixed + broken).pvalue, rel=1e-9)
    assert found.deff == 1


def several(seed: int, patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    lean = rng.normal(size=patients)[patient]
    a, b = (rng.normal(size=len(patient)) + lean * scale > 0 for scale in (0.5, 1.5))
    return a, b, np.array([f"p{g}" for g in patient], dtype=object)


@pytest.mark.parametrize("seed", range(8))
def test_every_pattern_of_signs_is_counted(seed: int) -> None:
    a, b, patient = several(seed, 11)
    d = np.array([(b[patient == g].astype(int) - a[patient == g]).sum() for g in np.unique(patient)])
    sums = [abs(np.dot(signs, d)) for signs in itertools.product((-1, 1), repeat=len(d))]
    assert sign_flip(a, b, patient).p == pytest.approx(np.mean(np.array(sums) >= abs(d.sum())))


def test_drawn_signs_agree_and_so_does_the_design_effect() -> None:
    a, b, patient = several(3, 300)
    d = np.array([(b[patient == g].astype(int) - a[patient == g]).sum() for g in np.unique(patient)])
    found = sign_flip(a, b, patient)
    signs = np.random.default_rng(1).choice([-1, 1], (10_000, len(d)))
    drawn = (np.abs(signs @ d) >= abs(d.sum())).mean()
    assert found.p == pytest.approx(drawn, abs=4 * math.sqrt(drawn * (1 - drawn) / 10_000) + 1e-4)
    assert found.deff == pytest.approx((d**2).sum() / (found.discordant_fixed + found.discordant_broken))
    assert found.deff > 1
    assert found.discordant_fixed - found.discordant_broken == d.sum()


def test_models_swapped_and_models_alike() -> None:
    a, b, patient = several(4, 60)
    assert sign_flip(a, b, patient).p == sign_flip(b, a, patient).p
    assert sign_flip(a, b, patient).discordant_fixed == sign_flip(b, a, patient).discordant_broken
    alike = sign_flip(a, a, patient)
    assert (alike.p, alike.discordant_fixed, alike.discordant_broken) == (1, 0, 0)
    assert math.isnan(alike.deff)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([1] * 99, 2 / 100),
        ([-1] * 99, 2 / 100),
        ([1] * 95 + [-1] * 4, 2 * 5 / 100),
        ([1] * 95 + [0] * 4, 2 * 5 / 100),
        ([0] * 99, 1),
        ([1, -1] * 50, 1),
        ([1] * 96 + [math.nan] * 3, 2 / 97),
    ],
)
def test_p_of_resampled_differences(differences: list[float], expected: float) -> None:
    assert p_value(np.array(differences, float)) == pytest.approx(expected)


def test_p_is_undefined_where_the_interval_is() -> None:
    assert math.isnan(p_value(np.array([1.0] * 94 + [math.nan] * 6)))
    assert not math.isnan(p_value(np.array([1.0] * 95 + [math.nan] * 5)))


def closed(p: list[float], test: int) -> float:
    """Return the adjusted p by closed testing: the largest Bonferroni p of the sets that hold the test."""
    others = [k for k in range(len(p)) if k != test]
    sets = ((test, *extra) for size in range(len(p)) for extra in itertools.combinations(others, size))
    return max(min(1, len(those) * min(p[k] for k in those)) for those in sets)


@pytest.mark.parametrize("seed", range(10))
def test_holm_is_closed_testing(seed: int) -> None:
    p = np.random.default_rng(seed).beta(0.5, 6, 5).tolist()
    for test, step in enumerate(holm(p, 0.05)):
        assert step.p == p[test]
        assert step.adjusted == pytest.approx(closed(p, test))


def test_level_stays_where_holm_stopped() -> None:
    steps = holm([0.03, 0.001, 0.04, 0.01], 0.05)
    # Ranks: .001 at .05/4 and .01 at .05/3 are rejected; .03 is not at .05/2, and .04 is not tested.
    assert [step.adjusted for step in steps] == pytest.approx([0.06, 0.004, 0.06, 0.03])
    assert [1 - step.level for step in steps] == pytest.approx([0.025, 0.0125, 0.025, 0.05 / 3])
    assert [step.level for step in holm([0.001, 0.002], 0.05)] == pytest.approx([0.975, 0.95])
    assert [step.level for step in holm([0.9, 0.8], 0.05)] == pytest.approx([0.975, 0.975])


def test_holm_of_one_of_none_and_of_an_undefined_test() -> None:
    assert holm([], 0.05) == []
    [only] = holm([0.02], 0.05)
    assert (only.adjusted, only.level) == pytest.approx((0.02, 0.95))
    first, undefined, last = holm([0.03, math.nan, 0.001], 0.05)
    assert (first.adjusted, last.adjusted) == pytest.approx((0.06, 0.003))
    assert math.isnan(undefined.adjusted)


@pytest.mark.parametrize("seed", range(5))
def test_recipes_without_patients_are_welchs_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0.60, 0.02, 3), rng.normal(0.64, 0.01, 5)
    found = compare_recipes(a.tolist(), b.tolist(), 0.0, 0.9)
    expected = ttest_ind(b, a, equal_var=False)
    interval = expected.confidence_interval(0.9)
    assert found.df == pytest.approx(expected.df)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.difference == pytest.approx(b.mean() - a.mean())


def test_recipes_by_hand() -> None:
    """s^2/S are .0004/3 and .0001/3; SE^2 = .0003 + .0005/3; df = SE^4 / [(.0004/3)^2/2 + (.0001/3)^2/2]."""
    found = compare_recipes([0.58, 0.60, 0.62], [0.64, 0.65, 0.66], 0.0003)
    assert (found.variance_a, found.variance_b) == pytest.approx((0.0004 / 3, 0.0001 / 3))
    variance = 0.0003 + 0.0005 / 3
    assert found.df == pytest.approx(variance**2 / ((0.0004 / 3) ** 2 / 2 + (0.0001 / 3) ** 2 / 2))
    assert found.difference == pytest.approx(0.05)
    assert found.high - found.difference > norm.ppf(0.975) * math.sqrt(variance)
    assert found.high - 0.05 == pytest.approx(0.05 - found.low)


def test_seeds_that_agree_leave_the_patients_alone() -> None:
    found = compare_recipes([0.6, 0.6], [0.7, 0.7], 0.0025)
    assert found.df == math.inf
    assert found.low == pytest.approx(0.1 - 1.959964 * 0.05)
    assert found.p == pytest.approx(2 * norm.sf(2))
    assert compare_recipes([0.6, 0.6], [0.6, 0.6], 0.0).p == 1
    with pytest.raises(ValueError, match="at least two"):
        compare_recipes([0.6], [0.7, 0.8], 0.0025)


def test_patients_that_tell_models_apart_bound_the_p_of_their_signs() -> None:
    for patients in range(1, 12):
        gain = np.ones(patients, bool)
        found = sign_flip(~gain, gain, np.arange(patients))
        assert found.p == pytest.approx(smallest_p(patients))
    assert smallest_p(0) == 1
    assert [fewest_patients(alpha) for alpha in (0.05, 0.025, 0.05 / 3, 0.0625, 0.03125, 0.1)] == [
        6,
        7,
        7,
        5,
        6,
        5,
    ]


def test_so_few_patients_decide_at_the_usual_level() -> None:
    assert fewest_patients(1 - settings.LEVEL) == settings.FEWEST_PATIENTS

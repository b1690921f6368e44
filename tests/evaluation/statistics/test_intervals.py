from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, t
from sklearn.metrics import roc_auc_score

from analysis.evaluation.statistics.intervals import (
    auroc,
    auroc_difference,
    auroc_influence,
    clustered_variance,
    proportion,
)

# DeLong, DeLong and Clarke-Pearson (1988), doi:10.2307/2531595: albumin, total protein, K-G score and outcome of
# 43 of their patients, as the SAS/STAT User's Guide (LOGISTIC, "Comparing ROC Curves") has them.
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1
3.8 5.7 5 1   3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0
2.3 4.4 6 1   4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1
3.1 6.6 6 1   4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0
3.7 6.1 5 1   3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1
3.3 5.7 6 1   3.7 6.9 5 1  3.6 6.6 5 1"""
ALBUMIN, PROTEIN, KG, POPIND = np.array(OVARIAN.split(), float).reshape(-1, 4).T
SCORES = {"albumin": ALBUMIN, "protein": PROTEIN, "kg": -KG}

# Obuchowski (1997), doi:10.2307/2533958: arteries by patient; patient, 1 if stenosed, reader 1, reader 2.
ARTERIES = """
1 1 87 87  1 1 79 83  2 1 88 94  2 1 95 93  3 1 100 100  3 1 68 79  4 1 65 61  4 1 89 91  5 1 97 97
5 1 100 100  6 1 100 99  6 1 89 88  7 1 77 77  8 1 94 89  8 0 45 44  9 1 89 92  9 0 -11 -17  10 1 95 91
10 0 30 14  11 1 95 95  11 0 10 -122  12 1 100 100  12 0 19 -3  13 1 75 75  14 0 70 73  14 1 70 81
15 0 26 27  15 1 86 93  16 0 0 8  16 1 65 70  17 0 6 23  17 1 100 100  18 0 76 79  18 1 96 95
19 0 44 55  19 1 100 100  20 0 73 67  20 1 97 94  21 1 85 86  22 0 58 60  22 1 100 99  23 0 -2 -2
23 1 100 100  24 0 -3 -14  24 0 0 -11  25 0 47 -3  25 0 -94 -90  26 0 -16 17  26 0 75 85  27 0 5 -22
27 0 -1 -14  28 0 -6 -52  29 0 37 38  29 0 47 35  30 0 42 40  30 0 4 6  31 0 55 23  31 0 55 45
32 0 4 -87  32 0 -13 -65  33 0 49 24  33 0 35 9  34 0 53 66  35 0 2 -15  36 0 -48 -78"""
PATIENT, STENOSED, *READERS = np.array(ARTERIES.split(), int).reshape(-1, 4).T
# S10, S01 and S11 as that example prints them: reader 1, reader 2; of both readers the sum of both S11.
COMPONENTS = {
    (0, 0): (0.0013151307, 0.0022375873, 2 * 0.0051785478),
    (1, 1): (0.0009284122, 0.0022598583, 2 * -0.0005015760),
    (0, 1): (0.0008484357, 0.0019241250, 0.0028648340 - 0.0015136931),
}


def alone(n: int) -> np.ndarray:
    return np.arange(n)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_of_single_pictures(right: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), table I, method 3; doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E."""
    correct = np.arange(n) < right
    found = proportion(correct, alone(n))
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    for level in (0.9, 0.95, 0.99):
        expected = binomtest(right, n).proportion_ci(level, method="wilson")
        found = proportion(correct, alone(n), level)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert found.level == level
    assert found.se == pytest.approx(math.sqrt(right * (n - right) / n**3))


def as_one(groups: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    patient = np.repeat([f"p{g}" for g in range(len(groups))], [len(group) for group in groups])
    return np.concatenate(groups).astype(bool), patient


def test_effective_number_of_pictures_by_hand() -> None:
    """p = 5/8; the patients' sums of x - p are 6/8, 1/8, 3/8 and -10/8."""
    correct, patient = as_one([[1, 1], [1, 1, 0], [1], [0, 0]])
    variance = 4 / 3 * (6**2 + 1 + 3**2 + 10**2) / 8**2 / 8**2
    effective = 1 + 5 / 8 * 3 / 8 / variance
    assert effective < 8
    found = proportion(correct, patient)
    assert found.se == pytest.approx(math.sqrt(5 / 8 * 3 / 8 / effective))
    wilson = binomtest(5, 8).proportion_ci(method="wilson")
    assert found.low < wilson.low < wilson.high < found.high


def test_pictures_of_a_patient_that_differ_more_than_chance_earn_nothing() -> None:
    correct, patient = as_one([[1, 0]] * 20)
    assert proportion(correct, patient) == proportion(correct, alone(40))


def test_pictures_that_are_copies_count_about_once() -> None:
    correct, patient = as_one([[1, 1]] * 60 + [[0, 0]] * 40)
    found = proportion(correct, patient)
    expected = binomtest(60, 100).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_network_that_calls_all_but_one_alike_is_not_sure_of_its_accuracy() -> None:
    """456 of 624 are right, as they would be by chance of who is ill: Wilson's interval, not [.7275, .7342]."""
    y_true = np.repeat([1, 0], [455, 169])
    correct = y_true == np.r_[np.ones(623, int), 0]
    found = proportion(correct, alone(624))
    expected = binomtest(456, 624).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert (round(correct.mean(), 4), round(found.low, 3), round(found.high, 3)) == (0.7308, 0.695, 0.764)


@pytest.mark.parametrize("seed", range(20))
def test_no_interval_is_narrower_than_wilsons_of_all_pictures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 80))
    correct, patient = rng.random(n) < rng.random(), rng.integers(0, rng.integers(1, n + 1), n)
    found = proportion(correct, patient)
    wilson = binomtest(int(correct.sum()), n).proportion_ci(method="wilson")
    assert 0 <= found.low <= wilson.low + 1e-12
    assert wilson.high - 1e-12 <= found.high <= 1


@pytest.mark.parametrize("share", [0, 1])
def test_all_right_or_all_wrong(share: int) -> None:
    correct, patient = as_one([[share] * m for m in (1, 1, 2, 4)])
    effective = 8 / ((1 + 1 + 4 + 16) / 8)
    bound = 1.959964**2 / (effective + 1.959964**2)
    found = proportion(correct, patient)
    assert (found.low, found.high) == pytest.approx((0, bound) if share == 0 else (1 - bound, 1))
    assert found.se == 0


def test_one_patient_counts_as_one_picture_and_none_as_nothing() -> None:
    correct, patient = as_one([[1, 1, 0]])
    found = proportion(correct, patient)
    assert found.se == pytest.approx(math.sqrt(2 / 9))
    assert 0 < found.low < 0.2
    assert 0.95 < found.high < 1
    nothing = proportion(np.zeros(0, bool), np.zeros(0, object))
    assert math.isnan(nothing.low)
    assert math.isnan(nothing.high)
    assert nothing.reason_null == "no images"


@pytest.mark.parametrize(
    ("score", "area", "se", "low", "high"),
    [
        ("albumin", 0.7366, 0.0927, 0.5549, 0.9182),
        ("kg", 0.7258, 0.1028, 0.5243, 0.9273),
        ("protein", 0.6478, 0.1000, 0.4518, 0.8439),
    ],
)
def test_delong_of_the_ovarian_data(score: str, area: float, se: float, low: float, high: float) -> None:
    positive = POPIND == 1
    phi = auroc_influence(positive, SCORES[score])
    found = math.sqrt(clustered_variance(phi, alone(43)))
    value = roc_auc_score(positive, SCORES[score])
    assert (round(value, 4), round(found, 4)) == (area, se)
    assert (round(value - 1.959964 * found, 4), round(value + 1.959964 * found, 4)) == (low, high)


@pytest.mark.parametrize(("score", "d", "se"), [("albumin", 0.0108, 0.0953), ("protein", -0.0780, 0.1046)])
def test_delong_of_two_scores_of_the_ovarian_data(score: str, d: float, se: float) -> None:
    positive = POPIND == 1
    phi = auroc_influence(positive, SCORES[score]) - auroc_influence(positive, SCORES["kg"])
    value = roc_auc_score(positive, SCORES[score]) - roc_auc_score(positive, SCORES["kg"])
    found = auroc_difference(value, phi, alone(43))
    assert (round(value, 4), round(found.se, 4)) == (d, se)
    half = reach(phi, 0.95)
    assert (found.low, found.high) == pytest.approx((value - half, value + half))
    assert half > 1.96 * found.se


def reach(phi: np.ndarray, level: float) -> float:
    """Return t SE for single pictures, df = 2 V^2 / Var(V), V the sum of the squares of ``phi``."""
    n, squares = len(phi), phi**2
    df = 2 * squares.sum() ** 2 / (n * squares.var())
    return t.ppf((1 + level) / 2, df) * math.sqrt(n / (n - 1) * squares.sum())


def test_degrees_of_freedom_are_about_the_patients_if_alike_and_few_if_some_outweigh() -> None:
    rng = np.random.default_rng(1)
    alike = rng.normal(size=3_000)
    some = alike * np.where(np.arange(3_000) < 30, 30, 1)
    for phi, low, high in ((alike, 2_500, 3_500), (some, 10, 60)):
        found = auroc_difference(0.1, phi, alone(3_000))
        quantile = (found.high - found.low) / 2 / found.se
        assert t.ppf(0.975, high) < quantile < t.ppf(0.975, low)


def placements(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return DeLong's V10 of the positive and V01 of the negative pictures, pair by pair."""
    ahead = score[positive][:, None] - score[~positive][None, :]
    right = (ahead > 0) + 0.5 * (ahead == 0)
    return right.mean(axis=1), right.mean(axis=0)


@pytest.mark.parametrize("seed", range(10))
def test_variance_is_delongs_when_every_patient_has_one_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 60))
    positive = np.r_[True, True, False, False, rng.random(n - 4) < 0.3]
    a, b = np.round(rng.normal(size=(2, n)) + positive, 1)
    of_a, of_b = placements(positive, a), placements(positive, b)
    expected = sum(np.cov(va, vb) / len(va) for va, vb in zip(of_a, of_b, strict=True))
    phi_a, phi_b = auroc_influence(positive, a), auroc_influence(positive, b)
    assert phi_a.sum() == pytest.approx(0, abs=1e-12)
    assert clustered_variance(phi_a, alone(n)) == pytest.approx(expected[0, 0])
    difference = expected[0, 0] + expected[1, 1] - 2 * expected[0, 1]
    assert clustered_variance(phi_b - phi_a, alone(n)) == pytest.approx(difference, abs=1e-12)


@pytest.mark.parametrize("pair", COMPONENTS)
def test_sums_by_patient_are_obuchowskis(pair: tuple[int, int]) -> None:
    """Her components from our influence values, with her factors for few patients put back."""
    positive = STENOSED == 1
    m, n, total = positive.sum(), (~positive).sum(), len(positive)
    scale = math.sqrt((total - 1) / total)
    by_side = []
    for reader in pair:
        phi = auroc_influence(positive, READERS[reader].astype(float)) / scale
        of_positive = np.where(positive, phi, 0) * math.sqrt(m * (m - 1))
        of_negative = np.where(positive, 0, phi) * math.sqrt(n * (n - 1))
        by_side.append([np.bincount(PATIENT, weights=side) for side in (of_positive, of_negative)])
    (x1, y1), (x2, y2) = by_side
    s10, s01, s11 = COMPONENTS[pair]
    assert 23 / 22 / m * (x1 @ x2) == pytest.approx(s10, abs=5e-11)
    assert 27 / 26 / n * (y1 @ y2) == pytest.approx(s01, abs=5e-11)
    assert 36 / 35 * (x1 @ y2 + x2 @ y1) == pytest.approx(s11, abs=2e-10)


def test_standard_errors_are_close_to_obuchowskis() -> None:
    """She has .0108 and .0097, of the difference .0066, on 36 patients; with so few her factors still show."""
    positive = STENOSED == 1
    phi = [auroc_influence(positive, reader.astype(float)) for reader in READERS]
    found = [math.sqrt(clustered_variance(values, PATIENT)) for values in (*phi, phi[1] - phi[0])]
    assert found == pytest.approx([0.0108, 0.0097, 0.0066], rel=0.02)
    apart = [math.sqrt(clustered_variance(values, alone(65))) for values in phi]
    assert apart != pytest.approx([0.0108, 0.0097], rel=0.02)


def test_interval_of_an_area_on_the_logit_scale() -> None:
    positive = POPIND == 1
    phi = auroc_influence(positive, ALBUMIN)
    area = roc_auc_score(positive, ALBUMIN)
    se = math.sqrt(clustered_variance(phi, alone(43)))
    found = auroc(area, phi, alone(43), 0.9)
    odds, half = math.log(area / (1 - area)), reach(phi, 0.9) / (area * (1 - area))
    assert found.low == pytest.approx(1 / (1 + math.exp(half - odds)))
    assert found.high == pytest.approx(1 / (1 + math.exp(-half - odds)))
    assert (found.se, found.level, found.reason_null) == (se, 0.9, "")


@pytest.mark.parametrize("value", [0, 1])
def test_area_without_error_has_no_interval(value: int) -> None:
    positive = np.array([True, True, False, False])
    score = np.where(positive, value, 0.5)
    found = auroc(float(value), auroc_influence(positive, score), alone(4))
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.reason_null == f"AUROC is {value} on 4 images: no variation to judge by"


def test_single_picture_on_a_side_and_single_patients_have_no_interval() -> None:
    positive = np.array([True, False, False, False])
    score = np.array([0.4, 0.3, 0.5, 0.1])
    phi = auroc_influence(positive, score)
    for found in (auroc(2 / 3, phi, alone(4)), auroc_difference(0.1, phi, alone(4))):
        assert math.isnan(found.low)
        assert "fewer than two images" in found.reason_null
    positive[1] = True
    phi = auroc_influence(positive, score)
    assert auroc(0.5, phi, np.zeros(4)).reason_null
    assert auroc_difference(0.5, phi, np.zeros(4)).reason_null
    assert auroc_difference(0.0, phi - phi, alone(4)).reason_null
    assert auroc(float("nan"), np.full(4, np.nan), alone(4)).reason_null
    assert not auroc(0.5, phi, alone(4)).reason_null


def test_constant_scores() -> None:
    positive = np.arange(20) < 8
    found = auroc(0.5, auroc_influence(positive, np.full(20, 0.25)), alone(20))
    assert np.isnan([found.low, found.high, found.se]).all()
    assert found.reason_null == "all 20 images have equal scores: no variation to judge by"

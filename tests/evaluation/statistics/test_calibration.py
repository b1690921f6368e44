from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom
from sklearn import metrics as reference
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB

from analysis.evaluation.settings import TEMPERATURES
from analysis.evaluation.statistics import calibration

SEEDS = range(12)
Sample = tuple[np.ndarray, np.ndarray]


def draw(seed: int, *, digits: int = 12, sharpness: float = 1.0) -> Sample:
    """Return classes drawn from probabilities, and these made sharper: calibrated at a sharpness of 1."""
    rng = np.random.default_rng(seed)
    k, n = int(rng.integers(2, 6)), int(rng.integers(40, 400))
    truth = rng.dirichlet(np.full(k, 0.5), n).clip(1e-9)
    y_true = np.array([rng.choice(k, p=p / p.sum()) for p in truth])
    sharp = truth**sharpness
    return y_true, np.round(sharp / sharp.sum(axis=1, keepdims=True), digits)


@pytest.mark.parametrize("digits", [12, 2, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_reliability_agrees_with_scikit_learn(seed: int, digits: int) -> None:
    """With a whole number of pictures a bin; otherwise the borders may differ by one rank."""
    y_true, y_score = draw(seed, digits=digits)
    n = len(y_true) // 15 * 15
    y_true, y_score = y_true[:n], y_score[:n]
    for k, score in enumerate(y_score.T):
        table = calibration.class_reliability(y_true == k, score)
        accuracy, confidence = calibration_curve(y_true == k, score, n_bins=15, strategy="quantile")
        np.testing.assert_allclose(table["accuracy"], accuracy)
        np.testing.assert_allclose(table["confidence"], confidence)
        assert table["n"].sum() == n
        assert table["bin"].tolist() == list(range(1, len(table) + 1))
        by_hand = table["n"] @ np.abs(table["confidence"] - table["accuracy"]) / n
        assert calibration.classwise_ece(y_true, y_score)[k] == pytest.approx(by_hand)


@pytest.mark.parametrize("n", [3, 15, 16, 31, 100, 624, 1258])
def test_bins_have_equal_mass(n: int) -> None:
    score = np.random.default_rng(n).permutation(n) / n
    sizes = calibration.class_reliability(score > 0.5, score)["n"]
    assert len(sizes) == min(n, 15)
    assert sizes.max() - sizes.min() <= 1


def test_ties_are_never_parted() -> None:
    score = np.repeat([0.1, 0.4, 0.95, 1.0], [3, 30, 2, 65])
    table = calibration.class_reliability(np.arange(100) % 3 == 0, score)
    assert table["n"].sum() == 100
    # Borders of the 15 bins fall on .4, .95 and 1 only.
    assert table["n"].tolist() == [33, 2, 65]
    np.testing.assert_allclose(table["confidence"], [(0.3 + 12) / 33, 0.95, 1])
    assert calibration.class_reliability(score > 2, np.full(100, 0.3))["n"].tolist() == [100]


def test_error_worked_by_hand() -> None:
    y_score = np.array([[0.6, 0.4], [0.3, 0.7], [0.8, 0.2], [0.1, 0.9]])
    y_true = np.array([0, 0, 0, 1])
    # Two bins: confidence .65, half of them right; .85, all right. (.3 + .3) / 4
    assert calibration.top_label_ece(y_true, y_score, bins=2) == pytest.approx((0.15 * 2 + 0.15 * 2) / 4)
    # Class 0: (.1, .3), half true: |.2 - .5|; (.6, .8), all true: |.7 - 1|. Class 1 is its mirror image.
    np.testing.assert_allclose(calibration.classwise_ece(y_true, y_score, bins=2), [0.3, 0.3])
    np.testing.assert_allclose(calibration.classwise_ece(y_true, y_score, bins=1), [0.3, 0.3])
    table = calibration.class_reliability(*calibration.top_label(y_true, y_score), bins=2)
    assert table.to_numpy().tolist() == [
        [1, 2, pytest.approx(0.65), 0.5],
        [2, 2, pytest.approx(0.85), 1.0],
    ]


def test_certain_and_right_or_certain_and_wrong() -> None:
    y_score = np.eye(3)[[0, 1, 2, 0]]
    assert calibration.top_label_ece(np.array([0, 1, 2, 0]), y_score) == 0
    assert calibration.top_label_ece(np.array([1, 2, 0, 1]), y_score) == 1


def test_top_label_is_the_first_of_equals() -> None:
    right, score = calibration.top_label(np.array([0, 1]), np.full((2, 2), 0.5))
    assert (right.tolist(), score.tolist()) == ([True, False], [0.5, 0.5])


def test_expected_range_holds_the_error_of_calibrated_probabilities() -> None:
    y_score = np.random.default_rng(0).dirichlet(np.ones(4), 300)
    rng = np.random.default_rng(1)
    low, high = calibration.expected_ece(y_score)
    inside = []
    for _ in range(400):
        y_true = (rng.random(300)[:, None] >= y_score.cumsum(axis=1)[:, :-1]).sum(axis=1)
        inside.append(low <= calibration.top_label_ece(y_true, y_score) <= high)
    # 95 % within four standard errors of 400 trials.
    assert 0.906 <= np.mean(inside) <= 0.994


def test_overconfidence_lies_above_the_expected_range() -> None:
    y_true, y_score = draw(3, sharpness=4)
    assert calibration.top_label_ece(y_true, y_score) > calibration.expected_ece(y_score)[1]


@pytest.mark.parametrize("probability", [0.03, 0.5, 0.9])
def test_consistency_bars_of_one_bin_are_binomial(probability: float) -> None:
    score = np.full(200, probability)
    bars = calibration.consistency_bars(score, draws=20_000)
    expected = binom.ppf([0.025, 0.975], 200, probability) / 200
    np.testing.assert_allclose(np.ravel(bars), expected, atol=0.006)


def test_consistency_bars_stand_beside_the_rows_of_the_table() -> None:
    y_true, y_score = draw(5, digits=1)
    right, score = calibration.top_label(y_true, y_score)
    table = calibration.class_reliability(right, score)
    low, high = calibration.consistency_bars(score)
    assert len(low) == len(high) == len(table) < 15
    assert ((low <= table["confidence"]) & (table["confidence"] <= high)).all()


def test_pictures_of_one_patient_widen_the_expected_range() -> None:
    y_score = np.repeat(np.random.default_rng(2).dirichlet(np.ones(3), 60), 5, axis=0)
    patient = np.repeat([f"p{i}" for i in range(60)], 5).astype(object)
    alone, together = calibration.expected_ece(y_score), calibration.expected_ece(y_score, patient)
    # Five pictures of a patient tell as much as one: errors grow by the root of five.
    assert together[1] / alone[1] == pytest.approx(5**0.5, rel=0.15)
    bars = calibration.consistency_bars(np.full(9, 0.5), np.full(9, "p", dtype=object))
    assert np.ravel(bars).tolist() == [0, 1]
    own = np.array([f"p{i}" for i in range(300)], dtype=object)
    assert calibration.expected_ece(y_score, own) == pytest.approx(alone, abs=0.005)


def test_the_same_seed_draws_the_same() -> None:
    _, y_score = draw(1)
    function = calibration.expected_ece
    np.testing.assert_array_equal(function(y_score, draws=50), function(y_score, draws=50))
    assert np.not_equal(function(y_score, draws=50), function(y_score, draws=50, seed=1)).any()
    narrow, wide = (function(y_score, level=level) for level in (0.5, 0.95))
    assert (np.less(wide[0], narrow[0]) & np.less(narrow[1], wide[1])).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_prior_correction_agrees_with_naive_bayes_of_other_priors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y_true = np.r_[np.arange(4), np.arange(4), rng.integers(0, 4, 80)]
    x = rng.normal(size=(88, 3)) + y_true[:, None]
    priors = rng.dirichlet(np.full(4, 3), 2)
    posterior = [GaussianNB(priors=p / p.sum()).fit(x, y_true).predict_proba(x) for p in priors]
    np.testing.assert_allclose(calibration.prior_corrected(posterior[0], *priors), posterior[1])
    np.testing.assert_allclose(calibration.prior_corrected(posterior[0], priors[0], priors[0]), posterior[0])


def test_prior_correction_keeps_certainty_and_refuses_absent_classes() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(calibration.prior_corrected(certain, [0.5, 0.5], [0.9, 0.1]), certain)
    for priors in ([0.0, 1.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match="priors must be positive"):
            calibration.prior_corrected(certain, priors, [0.5, 0.5])
        with pytest.raises(ValueError, match="priors must be positive"):
            calibration.prior_corrected(certain, [0.5, 0.5], priors)


def test_effective_priors() -> None:
    counts = np.array([60, 30, 10])
    np.testing.assert_allclose(calibration.effective_priors(counts, "none", None), [0.6, 0.3, 0.1])
    np.testing.assert_allclose(calibration.effective_priors(counts, "oversample", None), np.full(3, 1 / 3))
    np.testing.assert_allclose(calibration.effective_priors([5, 0, 9], "oversample", None), [0.5, 0, 0.5])
    np.testing.assert_allclose(calibration.effective_priors([4, 9, 25], "square-root", None), [0.2, 0.3, 0.5])


def test_correction_undoes_class_weights_and_oversampling() -> None:
    """A weighted maximum likelihood fit of counts, corrected, is the unweighted one."""
    counts = np.array([[40, 5, 1], [10, 20, 3], [10, 5, 6]])  # rows: what is seen; columns: classes
    of_classes = counts.sum(axis=0)
    plain = counts / counts.sum(axis=1, keepdims=True)
    for balance, weights, seen in (
        ("none", [0.5, 1.0, 4.0], counts * [0.5, 1.0, 4.0]),
        ("oversample", None, counts / of_classes),
        ("oversample", [1.0, 2.0, 3.0], counts / of_classes * [1.0, 2.0, 3.0]),
    ):
        learnt = seen / seen.sum(axis=1, keepdims=True)
        effective = calibration.effective_priors(of_classes, balance, weights)
        corrected = calibration.prior_corrected(learnt, effective, of_classes / of_classes.sum())
        np.testing.assert_allclose(corrected, plain)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sharpness", [0.4, 1, 3])
def test_temperature_minimises_the_log_loss(seed: int, sharpness: float) -> None:
    y_true, y_score = draw(seed, sharpness=sharpness)

    def loss(log_temperature: float) -> float:
        logits = np.log(np.clip(y_score, 1e-12, 1)) / np.exp(log_temperature)
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return float(reference.log_loss(y_true, scores, labels=range(y_score.shape[1])))

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), options={"xatol": 1e-8})
    assert calibration.fit_temperature(y_true, y_score) == pytest.approx(np.exp(found.x), rel=1e-4)


def test_temperature_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(6)
    y_true = rng.integers(0, 3, 500)
    x = np.repeat(rng.normal(size=(500, 2)) + y_true[:, None] * 0.7, 2, axis=1)  # copies: overconfident
    model = GaussianNB().fit(x[:250], y_true[:250])
    scaled = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(x[:250], y_true[:250])
    temperature = calibration.fit_temperature(y_true[:250], model.predict_proba(x[:250]))
    assert temperature > 1.5
    expected = scaled.predict_proba(x[250:])
    np.testing.assert_allclose(
        calibration.tempered(model.predict_proba(x[250:]), temperature), expected, rtol=1e-4, atol=1e-7
    )


def test_temperature_finds_how_much_sharper_the_scores_were_made() -> None:
    rng = np.random.default_rng(9)
    truth = rng.dirichlet(np.ones(4), 40_000)
    y_true = (rng.random(40_000)[:, None] >= truth.cumsum(axis=1)[:, :-1]).sum(axis=1)
    for temperature in (0.5, 1, 2.5):
        sharp = truth**temperature / (truth**temperature).sum(axis=1, keepdims=True)
        assert calibration.fit_temperature(y_true, sharp) == pytest.approx(temperature, rel=0.03)
        np.testing.assert_allclose(calibration.tempered(sharp, temperature), truth, atol=2e-5)


def test_temperature_stays_within_its_limits() -> None:
    y_score = np.array([[0.9, 0.1], [0.2, 0.8]] * 10)
    right = y_score.argmax(axis=1)
    assert calibration.fit_temperature(right, y_score) == 0.05
    assert calibration.fit_temperature(1 - right, y_score) == 20
    assert calibration.fit_temperature(right, np.eye(2)[right]) == 0.05


def test_tempering_keeps_the_order_and_one_changes_nothing() -> None:
    _, y_score = draw(4)
    for temperature in (0.3, 1, 7):
        scaled = calibration.tempered(y_score, temperature)
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
        assert (scaled.argmax(axis=1) == y_score.argmax(axis=1)).all()
    np.testing.assert_allclose(calibration.tempered(y_score, 1), y_score, atol=1e-10)
    certain = calibration.tempered(np.array([[1.0, 0.0]]), 2)
    np.testing.assert_allclose(certain, [[1, 1e-6]], rtol=1e-5)

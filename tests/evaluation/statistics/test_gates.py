"""Do the intervals cover and the tests keep their size? 2,000 simulated test sets at a time.

A patient has one to eight pictures, which are of one class or, for a few patients, of two. The logits of a
picture are the class's own plus normal terms: of the patient and of the picture, each with a part that all
models share and a part of the model alone. Truths are those of 250,000 pictures of each class. ``twin``
is another model of just the same skill as ``a``: between these two nothing differs but chance.

The figures of every gate: ``python -m pytest tests/evaluation/statistics/test_gates.py -s``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from analysis.evaluation.statistics import metrics
from analysis.evaluation.statistics.intervals import (
    Interval,
    auroc,
    auroc_difference,
    auroc_influence,
    proportion,
)
from analysis.evaluation.statistics.resampling import (
    bootstrap,
    clusters,
    confusion_matrices,
    percentile,
    weighted_auroc,
)
from analysis.evaluation.statistics.significance import compare_recipes, p_value, sign_flip

pytestmark = pytest.mark.slow

SETS = 2_000
RESAMPLES = 1_000
LEVEL = 0.95
SHARES = np.array([0.44, 0.07, 0.25, 0.24])
# Pictures a patient, 1 to 8, in each class: much as in a test set of the V7 pictures that keeps patients together.
CHANCE_OF_SIZE = np.array(
    [
        [0.66, 0.14, 0.07, 0.04, 0.035, 0.025, 0.015, 0.015],
        [0.62, 0.22, 0.11, 0.04, 0.01, 0, 0, 0],
        [0.95, 0.01, 0.04, 0, 0, 0, 0, 0],
        [0.87, 0.09, 0.02, 0.01, 0.01, 0, 0, 0],
    ]
)
SIZES = np.arange(1, 9)
TWO_CLASSES = 0.04  # of the patients of class 3 also have pictures of class 0
SKILL = {
    "a": np.array(
        [[2.0, -0.3, 0.1, 0.9], [0.0, 2.2, -0.3, 0.4], [0.2, -0.4, 2.4, 0.2], [0.9, 0.4, 0.2, 1.2]]
    ),
    "b": np.array(
        [[2.3, -0.2, 0.0, 0.6], [-0.2, 2.45, -0.3, 0.35], [0.1, -0.4, 2.6, 0.2], [0.6, 0.4, 0.2, 1.6]]
    ),
}
SKILL["twin"] = SKILL["a"]
SHARED_PATIENT, OWN_PATIENT, SHARED_PICTURE, OWN_PICTURE = 0.6, 0.4, 0.7, 0.6


@dataclass(frozen=True)
class TestSet:
    """n pictures: their patients and classes, and the probabilities of each model."""

    __test__ = False
    patient: np.ndarray
    y_true: np.ndarray
    score: dict[str, np.ndarray]


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def draw(n: int, rng: np.random.Generator) -> TestSet:
    """Return a test set of about ``n`` pictures with a fixed number of patients of each class."""
    main = np.repeat(np.arange(4), np.rint(SHARES * n / (CHANCE_OF_SIZE @ SIZES)).astype(int))
    size = 1 + (rng.random(len(main))[:, None] > CHANCE_OF_SIZE.cumsum(axis=1)[main]).sum(axis=1)
    two = (main == 3) & (rng.random(len(main)) < TWO_CLASSES)
    patient = np.repeat(np.arange(len(main)), size)
    y_true = main[patient]
    y_true[two[patient] & (rng.random(len(patient)) < 0.5)] = 0
    return TestSet(patient, y_true, scores(patient, y_true, rng))


def scores(patient: np.ndarray, y_true: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    def of_patient(scale: float) -> np.ndarray:
        return scale * rng.standard_normal((patient.max() + 1, 4))[patient]

    def of_picture(scale: float) -> np.ndarray:
        return scale * rng.standard_normal((len(patient), 4))

    shared = of_patient(SHARED_PATIENT) + of_picture(SHARED_PICTURE)
    return {
        model: softmax(skill[y_true] + shared + of_patient(OWN_PATIENT) + of_picture(OWN_PICTURE))
        for model, skill in SKILL.items()
    }


def picture_shares() -> np.ndarray:
    """Return the expected share of each class among pictures, when some patients of 3 have some of 0."""
    moved = SHARES[3] * TWO_CLASSES / 2
    return SHARES + np.array([moved, 0, 0, -moved])


def truths() -> dict[str, float]:
    """Return the value of every measure of ``a`` and ``b`` among all the pictures that could be drawn."""
    rng = np.random.default_rng(11)
    each = 250_000
    y_true = np.repeat(np.arange(4), each)
    found = scores(np.arange(4 * each), y_true, rng)
    weight = picture_shares()[y_true]
    values = {}
    for model in ("a", "b"):
        matrix = np.zeros((4, 4))
        np.add.at(matrix, (y_true, found[model].argmax(axis=1)), weight)
        areas = [roc_auc_score(y_true == k, found[model][:, k], sample_weight=weight) for k in range(4)]
        values |= {f"{name}.{model}": value for name, value in of_matrix(matrix).items()}
        values |= {f"auroc.{k}.{model}": area for k, area in enumerate(areas)}
        values[f"auroc.macro.{model}"] = np.mean(areas)
        thinned = slice(None, None, 10)
        one_hot = np.eye(4, dtype=bool)[y_true[thinned]]
        values[f"auroc.micro.{model}"] = roc_auc_score(
            one_hot.ravel(), found[model][thinned].ravel(), sample_weight=np.repeat(weight[thinned], 4)
        )
    names = [name.removesuffix(".a") for name in values if name.endswith(".a")]
    return values | {f"{name}.b-a": values[f"{name}.b"] - values[f"{name}.a"] for name in names}


def of_matrix(matrix: np.ndarray) -> dict[str, np.ndarray]:
    by_class = {
        "sensitivity": metrics.sensitivity(matrix),
        "specificity": metrics.specificity(matrix),
        "ppv": metrics.ppv(matrix),
        "npv": metrics.npv(matrix),
        "f1": metrics.f1(matrix),
    }
    values = {f"{name}.{k}": value[..., k] for name, value in by_class.items() for k in range(4)}
    values |= {"accuracy": metrics.accuracy(matrix), "mcc": metrics.mcc(matrix)}
    return values | {"f1.macro": metrics.macro(by_class["f1"])}


def proportions(test: TestSet, model: str) -> Iterator[tuple[str, Interval]]:
    """Yield the Wilson intervals of accuracy and of the class proportions of at least 80 pictures."""
    y_true, y_pred = test.y_true, test.score[model].argmax(axis=1)
    yield f"accuracy.{model}", proportion(y_true == y_pred, test.patient, LEVEL)
    for k in range(4):
        for name, counted, right in (
            ("sensitivity", y_true == k, y_pred == k),
            ("specificity", y_true != k, y_pred != k),
            ("ppv", y_pred == k, y_true == k),
            ("npv", y_pred != k, y_true != k),
        ):
            if counted.sum() >= 80:
                yield f"{name}.{k}.{model}", proportion(right[counted], test.patient[counted], LEVEL)


def areas(test: TestSet) -> Iterator[tuple[str, Interval]]:
    """Yield the intervals of AUROCs and of their differences by influence values."""
    phi, area = {}, {}
    for model in ("a", "b"):
        for k in range(4):
            positive, score = test.y_true == k, test.score[model][:, k]
            phi[f"{k}", model] = auroc_influence(positive, score)
            area[f"{k}", model] = roc_auc_score(positive, score)
        phi["macro", model] = np.mean([phi[f"{k}", model] for k in range(4)], axis=0)
        area["macro", model] = np.mean([area[f"{k}", model] for k in range(4)])
    for of in ("0", "1", "2", "3", "macro"):
        for model in ("a", "b"):
            yield f"auroc.{of}.{model}", auroc(area[of, model], phi[of, model], test.patient, LEVEL)
        d, phi_d = area[of, "b"] - area[of, "a"], phi[of, "b"] - phi[of, "a"]
        yield f"auroc.{of}.b-a", auroc_difference(d, phi_d, test.patient, LEVEL)


def resampled(test: TestSet, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return each measure in each resample, of the models and of their differences."""
    values = {}
    one_hot = np.eye(4, dtype=bool)[test.y_true]
    for model, score in test.score.items():
        matrices = confusion_matrices(weights, test.y_true, score.argmax(axis=1), 4)
        values |= {f"{name}.{model}": value for name, value in of_matrix(matrices).items()}
        if model != "twin":
            every = np.repeat(weights, 4, axis=1)
            values[f"auroc.micro.{model}"] = weighted_auroc(every, one_hot.ravel(), score.ravel())
    names = [name.removesuffix(".twin") for name in values if name.endswith(".twin")]
    values |= {f"{name}.twin-a": values[f"{name}.twin"] - values[f"{name}.a"] for name in names}
    names.append("auroc.micro")
    return values | {f"{name}.b-a": values[f"{name}.b"] - values[f"{name}.a"] for name in names}


def bootstrapped(values: dict[str, np.ndarray]) -> Iterator[tuple[str, Interval]]:
    """Yield the percentile intervals of composites and of all differences."""
    for name, value in values.items():
        composite = name.startswith(("f1", "mcc", "auroc.micro"))
        if "twin" not in name and (composite or name.endswith("b-a")):
            low, high = percentile(value, LEVEL)
            yield name, Interval(float(low), float(high), LEVEL, float(value.std()), "percentile")


def found_where_nothing_is(
    test: TestSet, values: dict[str, np.ndarray], truth: dict[str, float]
) -> dict[str, bool]:
    """Return which tests found what is not there: twin against a, or b equivalent to a at the very margin."""
    right = {model: score.argmax(axis=1) == test.y_true for model, score in test.score.items()}
    p = {name: p_value(values[f"{name}.twin-a"]) for name in ("accuracy", "f1.macro", "mcc", "f1.1")}
    p["sign flip"] = sign_flip(right["a"], right["twin"], test.patient).p
    low, high = percentile(values["f1.macro.b-a"], 0.90)
    margin = truth["f1.macro.b-a"]
    return {name: value <= 1 - LEVEL for name, value in p.items()} | {
        "equivalence": bool(-margin < low and high < margin)
    }


@dataclass(frozen=True)
class Figures:
    """Shares of all test sets: where an interval held the truth, and where a test found what is not there."""

    covered: dict[str, float]
    found: dict[str, float]
    rare: frozenset[str]
    """Measures of a class with fewer than 80 pictures, for which no gate is set."""

    def outside(self, names: Iterable[str], low: float, high: float) -> dict[str, float]:
        """Return the coverage of those that are not between ``low`` and ``high``."""
        return {name: self.covered[name] for name in names if not low <= self.covered[name] <= high}


def run(n: int) -> Figures:
    truth = truths()
    covered: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for number, rng in enumerate(np.random.default_rng(n).spawn(SETS)):
        test = draw(n, rng)
        of = clusters(test.patient, test.y_true)
        values = resampled(test, bootstrap(of, RESAMPLES, seed=number))
        for name, interval in (
            *proportions(test, "a"),
            *proportions(test, "b"),
            *areas(test),
            *bootstrapped(values),
        ):
            seen[name] += 1
            covered[name] += interval.low <= truth[name] <= interval.high
        found.update(
            {name: int(is_found) for name, is_found in found_where_nothing_is(test, values, truth).items()}
        )
    return Figures(
        {name: covered[name] / seen[name] for name in sorted(seen)},
        {name: found[name] / SETS for name in sorted(found)},
        frozenset(name for k in np.flatnonzero(SHARES * n < 80) for name in seen if f".{k}." in name),
    )


@pytest.fixture(scope="module", params=[1258, 624])
def figures(request: pytest.FixtureRequest) -> Figures:
    found = run(request.param)
    print(
        f"\nn = {request.param}: coverage and size in %, standard error {100 * (0.05 * 0.95 / SETS) ** 0.5:.2f}"
    )
    for name, share in (*found.covered.items(), *found.found.items()):
        print(f"  {name:20} {100 * share:5.1f}")
    return found


def test_shares_composites_and_differences_cover(figures: Figures) -> None:
    overall = ("accuracy", "f1.macro", "mcc", "auroc")
    names = [name for name in figures.covered.keys() - figures.rare if name.startswith(overall)]
    assert figures.outside(names, 0.93, 0.97) == {}


def test_measures_of_one_class_cover(figures: Figures) -> None:
    of_class = ("sensitivity", "specificity", "f1")
    names = [name for name in figures.covered.keys() - figures.rare if name.startswith(of_class)]
    assert figures.outside(names, 0.92, 0.98) == {}


def test_predictive_values_cover_at_least(figures: Figures) -> None:
    """Up to 99.5 % here, where the numbers of each class are fixed: the intervals are for numbers that vary as well."""
    names = [name for name in figures.covered if name.startswith(("ppv", "npv")) and "b-a" not in name]
    assert figures.outside(names, 0.92, 1) == {}


def test_measures_of_a_rare_class_are_not_far_off(figures: Figures) -> None:
    """44 pictures of some 29 patients, of which a handful is wrong."""
    names = [name for name in figures.rare if not name.startswith(("ppv", "npv")) or "b-a" in name]
    assert figures.outside(names, 0.90, 0.98) == {}


def test_tests_find_nothing_where_there_is_nothing(figures: Figures) -> None:
    assert {name: share for name, share in figures.found.items() if share > 0.06} == {}


def test_sensitivity_near_one_of_few_pictures() -> None:
    """.95 of about 86 pictures: Wilson holds where percentiles do not."""
    rng = np.random.default_rng(3)
    patients = round(86 / (CHANCE_OF_SIZE[1] @ SIZES))
    held = {"wilson": 0, "percentile": 0}
    for _ in range(SETS):
        patient = np.repeat(np.arange(patients), rng.choice(SIZES, patients, p=CHANCE_OF_SIZE[1]))
        latent = np.sqrt(0.4) * rng.normal(size=patients)[patient] + np.sqrt(0.6) * rng.normal(
            size=len(patient)
        )
        correct = latent < norm.ppf(0.95)
        interval = proportion(correct, patient)
        held["wilson"] += interval.low <= 0.95 <= interval.high
        drawn = bootstrap(clusters(patient, np.zeros(len(patient), dtype=np.intp)), 400)
        low, high = percentile(drawn @ correct / drawn.sum(axis=1), LEVEL)
        held["percentile"] += low <= 0.95 <= high
    print(f"\nsensitivity .95 of 86 images: { ({name: held[name] / SETS for name in held}) }")
    assert 0.92 <= held["wilson"] / SETS <= 0.98
    assert held["percentile"] / SETS < 0.92


PREVALENCE, SENSITIVITY, SPECIFICITY = 0.625, 0.95, 0.30
PICTURES_EACH = np.array([0.6, 0.25, 0.1, 0.05])


def of_two_classes(fixed: bool, alone: bool, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return patients, classes and calls of about 624 pictures, by a model of sensitivity .95 and specificity .30."""
    size = np.ones(624, int) if alone else rng.choice(np.arange(1, 5), 390, p=PICTURES_EACH)
    patients = len(size)
    ill = np.arange(patients) < PREVALENCE * patients if fixed else rng.random(patients) < PREVALENCE
    patient = np.repeat(np.arange(patients), size)
    y_true = ill[patient]
    latent = np.sqrt(0.5) * (rng.normal(size=patients)[patient] + rng.normal(size=len(patient)))
    right = latent < norm.ppf(np.where(y_true, SENSITIVITY, SPECIFICITY))
    return patient, y_true, np.where(right, y_true, ~y_true)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "patients"])
@pytest.mark.parametrize("fixed", [False, True], ids=["random", "fixed"])
def test_a_network_that_calls_nearly_all_ill_covers_with_random_and_with_fixed_numbers(
    fixed: bool, alone: bool
) -> None:
    """At least 93 %, whether the numbers of each class are drawn with the patients or fixed beforehand.

    Intervals within strata covered 83 (accuracy) and 63 % (PPV) with random numbers. With fixed ones ours cover up to
    100 %: accuracy 99.5 and PPV 100 % here. That is the price of holding in both cases, and is not tuned away.
    """
    rng = np.random.default_rng(13)
    se, sp, pi = SENSITIVITY, SPECIFICITY, PREVALENCE
    truth = {
        "accuracy": pi * se + (1 - pi) * sp,
        "sensitivity": se,
        "specificity": sp,
        "ppv": pi * se / (pi * se + (1 - pi) * (1 - sp)),
        "npv": (1 - pi) * sp / ((1 - pi) * sp + pi * (1 - se)),
    }
    held: Counter[str] = Counter()
    for _ in range(SETS):
        patient, y_true, y_pred = of_two_classes(fixed, alone, rng)
        right, every = y_true == y_pred, np.ones(len(y_true), bool)
        sides = {"sensitivity": y_true, "specificity": ~y_true, "ppv": y_pred, "npv": ~y_pred}
        for name, counted in {"accuracy": every, **sides}.items():
            interval = proportion(right[counted], patient[counted], LEVEL)
            held[name] += interval.low <= truth[name] <= interval.high
    covered = {name: count / SETS for name, count in held.items()}
    print(f"\nsensitivity .95, specificity .30, {'fixed' if fixed else 'random'} numbers: {covered}")
    assert min(covered.values()) >= 0.93
    assert fixed or max(covered.values()) <= 0.97


@pytest.mark.parametrize("of_seeds", [0.2, 1.0, 5.0])
def test_recipes_over_three_seeds_cover(of_seeds: float) -> None:
    """The spread over seeds as a multiple of that over patients."""
    rng = np.random.default_rng(4)
    sets = 10_000
    patients = rng.normal(0, 0.01, sets)
    a = rng.normal(0.60, 0.01 * of_seeds, (sets, 3))
    b = rng.normal(0.65, 0.005 * of_seeds, (sets, 3)) + patients[:, None]
    spreads = [compare_recipes(x.tolist(), y.tolist(), 0.01**2, LEVEL) for x, y in zip(a, b, strict=True)]
    covered = np.mean([spread.low <= 0.05 <= spread.high for spread in spreads])
    print(f"\nrecipes, seeds {of_seeds} of patients: {covered:.3f}")
    assert 0.93 <= covered <= 0.97

"""Intervals and tests, against scipy and against their own promise."""

import math

import numpy as np
import pytest
from scipy import stats

from weighbridge.evaluate.statistics import (
    DIFFERENCE,
    SHARE,
    compare_pairs,
    examples_needed,
    mean_interval,
    quantile_interval,
)
from weighbridge.intervals import holm, sign_flip


def sample(n: int, seed: int = 0) -> list[float]:
    return np.random.default_rng(seed).beta(0.7, 1.6, n).tolist()


@pytest.mark.parametrize("n", [12, 40])
def test_the_bootstrap_of_unbounded_values_is_scipys(n: int):
    """Skewed enough that the correction for skew moves an end by a tenth of the width, and that for bias by 2 %."""
    values = np.random.default_rng(4).lognormal(0.0, 1.0, n).tolist()
    ours = [mean_interval(values, seed) for seed in range(25)]
    theirs = stats.bootstrap((values,), np.mean, n_resamples=100_000, method="BCa", rng=2).confidence_interval
    near = 0.012 * (theirs.high - theirs.low)
    assert ours[0].value == pytest.approx(np.mean(values))
    assert np.mean([interval.low for interval in ours]) == pytest.approx(theirs.low, abs=near)
    assert np.mean([interval.high for interval in ours]) == pytest.approx(theirs.high, abs=near)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 12), (12, 12), (5, 12), (199, 200)])
def test_right_or_wrong_gets_wilsons_interval(right: int, n: int):
    ours = mean_interval([1.0] * right + [0.0] * (n - right), 1, bounds=SHARE)
    theirs = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert (ours.value, ours.scored) == (right / n, n)


def test_equal_values_are_not_certain():
    equal = mean_interval([0.5] * 12, 1, bounds=SHARE)
    assert 0 < equal.low < 0.5 < equal.high < 1
    assert mean_interval([0.5] * 100, 1, bounds=SHARE).low > equal.low
    single = mean_interval([0.5], 1, bounds=SHARE)
    assert single.low < equal.low
    ties = mean_interval([0.0] * 12, 1, bounds=DIFFERENCE)
    assert ties.high == -ties.low
    assert ties.high == pytest.approx(stats.binomtest(0, 12).proportion_ci(method="wilson").high, rel=0.15)


def test_without_bounds_equal_values_have_no_width():
    estimate = mean_interval([250.0] * 5, 1, unscored=2)
    assert (estimate.low, estimate.value, estimate.high) == (250.0, 250.0, 250.0)
    assert (estimate.scored, estimate.unscored) == (5, 2)


def test_no_values_are_an_error():
    for interval in (mean_interval, quantile_interval):
        with pytest.raises(ValueError, match="at least one value"):
            interval([], 1)


@pytest.mark.parametrize("bounded", [True, False])
def test_the_interval_covers_the_mean_as_often_as_it_says(*, bounded: bool):
    generator = np.random.default_rng(5)
    trials, hits = (100 if bounded else 300), 0
    for _ in range(trials):
        values = generator.beta(0.7, 1.6, 40) if bounded else generator.gamma(4.0, 0.5, 40)
        truth = 0.7 / 2.3 if bounded else 2.0
        interval = mean_interval(values.tolist(), 1, bounds=SHARE if bounded else None)
        hits += interval.low <= truth <= interval.high
    assert 0.9 <= hits / trials <= 1.0


def test_a_quantile_lies_between_two_of_the_values():
    seconds = [0.1 * n for n in range(1, 13)]
    median = quantile_interval(seconds, 0.5, unscored=1)
    assert median.value == pytest.approx(0.65)
    assert (median.low, median.high, median.open_above) == (seconds[2], seconds[9], False)
    assert stats.binom.cdf(9, 12, 0.5) - stats.binom.cdf(2, 12, 0.5) > 0.95
    assert (median.scored, median.unscored) == (12, 1)


@pytest.mark.parametrize(("n", "open_above"), [(1, True), (11, True), (58, True), (59, False), (200, False)])
def test_a_high_quantile_of_few_values_is_open_above(n: int, *, open_above: bool):
    """All of 58 values lie below the 95th percentile in 5.1 % of the cases, so the highest does not bound it."""
    slowest = quantile_interval([0.1 * second for second in range(n)], 0.95)
    assert slowest.open_above == open_above
    assert slowest.low <= slowest.value <= slowest.high
    assert slowest.high <= 0.1 * (n - 1)


@pytest.mark.parametrize(("n", "q"), [(5, 0.5), (11, 0.5), (59, 0.95), (60, 0.95), (100, 0.95), (300, 0.95), (40, 0.1)])
def test_the_interval_of_a_quantile_covers_what_it_says(n: int, q: float):
    drawn = np.random.default_rng(6).random((4000, n))
    found = [quantile_interval(values.tolist(), q) for values in drawn[:1000]]
    hits = np.mean([each.low <= q and (q <= each.high or each.open_above) for each in found])
    assert hits >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 1000)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [2, 5, 10])
def test_few_pairs_are_tested_exactly_as_scipy_does(n: int, seed: int):
    left, right = sample(n, seed), sample(n, seed + 100)
    theirs = stats.permutation_test(
        (left, right), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert compare_pairs(left, right, 1).p_value == pytest.approx(theirs.pvalue)


def test_many_pairs_are_tested_as_scipy_does():
    left, right = sample(60, 1), [0.9 * value for value in sample(60, 2)]
    theirs = stats.permutation_test(
        (left, right), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=9999, rng=3
    )
    assert compare_pairs(left, right, 1).p_value == pytest.approx(theirs.pvalue, abs=0.02)


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError, match="shorter"):
        compare_pairs([1.0, 0.0], [1.0], 1)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.5, 0.9]) == pytest.approx((1.0, 1.0))
    assert holm([]) == ()


def test_the_examples_needed_give_the_power_they_promise():
    generator = np.random.default_rng(3)
    effect, spread = 0.25, 0.8
    pilot = generator.normal(effect, spread, 4000)
    needed = examples_needed(pilot.tolist())
    assert needed is not None
    assert needed == pytest.approx((2.8016 * spread / effect) ** 2, rel=0.15)
    found = sum(stats.ttest_1samp(generator.normal(effect, spread, needed), 0).pvalue < 0.05 for _ in range(400))
    assert found / 400 == pytest.approx(0.8, abs=0.08)


def test_no_number_of_examples_finds_nothing_and_six_find_the_obvious():
    assert examples_needed([0.0, 0.0]) is None
    assert examples_needed([1.0, -1.0]) is None
    obvious = examples_needed([1.0] * 20)
    assert obvious == 6
    assert sign_flip({1.0: obvious}) < 0.05 < sign_flip({1.0: obvious - 1})


def test_the_same_seed_gives_the_same_numbers():
    values = [10 * value for value in sample(50)]
    assert mean_interval(values, 1) == mean_interval(values, 1)
    assert mean_interval(values, 1) != mean_interval(values, 2)
    assert math.isclose(mean_interval(values, 1).low, mean_interval(values, 2).low, rel_tol=0.05)

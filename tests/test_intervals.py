"""Score intervals against the closed forms they generalise, and sign flips against counting all of them."""

import math
from itertools import product
from random import Random

import numpy as np
import pytest
from scipy import stats

from weighbridge.intervals import CONFIDENCE, Tally, Z, score_interval, sign_flip, tally, tally_mean


def differences(won: int, lost: int, tied: int) -> Tally:
    return {value: count for value, count in ((1.0, won), (-1.0, lost), (0.0, tied)) if count}


def tango(won: int, lost: int, n: int, correction: float) -> tuple[float, float]:
    """Tango's interval from the root of his quadratic (1998, section 3), by bisection."""

    def rejects(delta: float) -> bool:
        a, b, c = 2 * n, -won - lost + (2 * n - won + lost) * delta, -lost * delta * (1 - delta)
        losing = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = n * (2 * losing + delta * (1 - delta))
        return max(0.0, abs(won - lost - n * delta) - correction) > Z * math.sqrt(max(0.0, variance))

    def end(bound: float) -> float:
        outside, inside = bound, (won - lost) / n
        for _ in range(80):
            middle = (outside + inside) / 2
            outside, inside = (middle, inside) if rejects(middle) else (outside, middle)
        return inside

    return end(-1.0), end(1.0)


@pytest.mark.parametrize(
    ("won", "lost", "n"), [(3, 0, 300), (0, 0, 60), (1, 0, 60), (10, 4, 60), (5, 5, 60), (0, 7, 90), (20, 3, 100)]
)
def test_the_interval_of_a_paired_difference_is_tangos(won: int, lost: int, n: int):
    ours = score_interval(differences(won, lost, n - won - lost), -1.0, 1.0)
    assert ours == pytest.approx(tango(won, lost, n, 0.25), abs=1e-7)
    without = tango(won, lost, n, 0.0)
    assert ours[0] <= without[0] <= without[1] <= ours[1]
    assert ours[1] - ours[0] - (without[1] - without[0]) < 1 / n


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 12), (12, 12), (5, 12), (199, 200)])
def test_the_interval_of_right_or_wrong_is_wilsons(right: int, n: int):
    theirs = stats.binomtest(right, n).proportion_ci(method="wilson")
    seen = {value: count for value, count in ((1.0, right), (0.0, n - right)) if count}
    assert score_interval(seen, 0.0, 1.0) == pytest.approx((theirs.low, theirs.high), abs=1e-8)


def test_what_all_values_have_in_common_is_not_certain():
    """A share u of all values may be another one: u is Wilson's end for none of n."""
    u = stats.binomtest(0, 12).proportion_ci(method="wilson").high
    assert score_interval({0.25: 12}, 0.0, 1.0) == pytest.approx((0.25 - 0.25 * u, 0.25 + 0.75 * u), abs=1e-8)


def test_no_values_have_no_interval():
    with pytest.raises(ValueError, match="at least one value"):
        score_interval({}, 0.0, 1.0)


@pytest.mark.parametrize("differ", [0.03, 0.1, 0.4])
@pytest.mark.parametrize("bias", [0.5, 0.8])
def test_the_interval_of_graded_differences_covers_them_where_few_differ(differ: float, bias: float):
    """The bootstrap covers 85 to 93 % here."""
    generator, n, trials, hits = np.random.default_rng(8), 80, 250, 0
    truth = differ * 0.6 * (2 * bias - 1)
    for _ in range(trials):
        size = generator.integers(1, 6, n) / 5 * np.where(generator.random(n) < bias, 1, -1)
        low, high = score_interval(tally(np.where(generator.random(n) < differ, size, 0.0).tolist()), -1.0, 1.0)
        hits += low <= truth <= high
    assert hits / trials >= CONFIDENCE - 0.01 - 2 * math.sqrt(0.05 * 0.95 / trials)


def chance_of(n: int, winning: float, losing: float) -> float:
    """Return the exact probability that the interval of n paired differences holds their mean."""
    covered, tied = 0.0, 1 - winning - losing
    law = stats.multinomial(n, [winning, losing, tied])
    reach_won = stats.binom.interval(1 - 1e-5, n, winning)
    reach_lost = stats.binom.interval(1 - 1e-5, n, losing)
    for won, lost in product(range(int(reach_won[0]), int(reach_won[1]) + 1), range(int(reach_lost[1]) + 1)):
        if won + lost > n:
            continue
        low, high = tango(won, lost, n, 0.25)
        if low <= winning - losing <= high:
            covered += float(law.pmf([won, lost, n - won - lost]))
    return covered


@pytest.mark.parametrize(("n", "winning", "losing"), [(60, 0.05, 0.05), (60, 0.03, 0.01), (200, 0.02, 0.0004)])
def test_the_interval_of_a_paired_difference_covers_it_within_a_point_or_more(n: int, winning: float, losing: float):
    """The last is the worst of a fine grid without the continuity correction: 93.2 %."""
    assert chance_of(n, winning, losing) >= CONFIDENCE - 0.01


@pytest.mark.parametrize(("won", "lost"), [(3, 0), (10, 4), (1, 1), (30, 15), (200, 170), (0, 9)])
def test_sign_flips_of_right_or_wrong_are_mcnemars_exact_test(won: int, lost: int):
    theirs = stats.binomtest(won, won + lost).pvalue
    assert sign_flip(differences(won, lost, 500)) == pytest.approx(theirs, rel=1e-9)


def test_three_wins_and_no_loss_are_no_evidence():
    assert sign_flip({1.0: 3, 0.0: 297}) == 0.25


@pytest.mark.parametrize("unit", [0.1, 1 / 3, 0.0625])
def test_sign_flips_are_counted_not_sampled(unit: float):
    random = Random(3)
    for _ in range(10):
        values = [unit * random.randint(-8, 9) for _ in range(11)]
        total = sum(values)
        flipped = [sum(sign * value for sign, value in zip(signs, values, strict=True)) for signs in _SIGNS]
        as_far = np.mean([abs(each) >= abs(total) - 1e-9 for each in flipped])
        assert sign_flip(tally(values)) == pytest.approx(as_far, abs=1e-12)


_SIGNS = list(product((1, -1), repeat=11))


def test_values_without_a_common_unit_are_nearly_exact():
    random = Random(5)
    values = [random.gauss(0.4, 1.0) for _ in range(11)]
    flipped = [sum(sign * value for sign, value in zip(signs, values, strict=True)) for signs in _SIGNS]
    as_far = np.mean([abs(each) >= abs(sum(values)) - 1e-9 for each in flipped])
    assert sign_flip(tally(values)) == pytest.approx(as_far, abs=2 / len(_SIGNS))


def test_very_many_values_are_tested_by_the_normal_distribution():
    exact = stats.binomtest(780, 1500).pvalue
    assert sign_flip({1.0: 780, -1.0: 720}) == pytest.approx(exact, abs=0.01)
    assert sign_flip({1.0: 900, -1.0: 600}) < 1e-9


def test_ties_are_no_evidence():
    assert sign_flip({0.0: 50}) == sign_flip({}) == 1.0
    assert sign_flip({1.0: 5, 0.0: 500}) == 2 / 32


def test_a_mean_of_counted_values():
    assert tally_mean(tally([0.5, 0.5, 1.0, 0.0])) == 0.5

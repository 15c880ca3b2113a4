"""What intervals and tests keep for any values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.evaluate.statistics import DIFFERENCE, SHARE, compare_pairs, mean_interval, quantile_interval
from weighbridge.intervals import holm, sign_flip, tally

shares = st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0])
some_shares = st.lists(shares, min_size=1, max_size=25)
pairs = st.lists(st.tuples(shares, shares), min_size=1, max_size=25)
p_values = st.lists(st.floats(0, 1), max_size=12)


@given(some_shares)
def test_an_interval_of_shares_holds_its_mean_and_stays_a_share(values: list[float]):
    estimate = mean_interval(values, 1, bounds=SHARE)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert estimate.low < estimate.high
    assert estimate.scored == len(values)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=25))
def test_an_interval_without_bounds_stays_among_its_values(values: list[float]):
    estimate = mean_interval(values, 1)
    slack = 1e-9 * max(map(abs, values))
    assert min(values) - slack <= estimate.low <= estimate.value <= estimate.high <= max(values) + slack


@given(some_shares, st.floats(0, 1))
def test_a_quantile_lies_in_its_interval_among_the_values(values: list[float], q: float):
    estimate = quantile_interval(values, q)
    assert min(values) - 1e-12 <= estimate.low <= estimate.value <= estimate.high <= max(values) + 1e-12


@given(pairs)
def test_a_comparison_turned_round_is_the_same_comparison(values: list[tuple[float, float]]):
    left, right = [a for a, _ in values], [b for _, b in values]
    there, back = compare_pairs(left, right, 1), compare_pairs(right, left, 1)
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert there.p_value == back.p_value
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert -1 <= there.difference.low <= there.difference.high <= 1


@given(pairs)
def test_a_p_value_is_a_probability_above_zero(values: list[tuple[float, float]]):
    differences = [a - b for a, b in values]
    assert 0 < sign_flip(tally(differences)) <= 1
    assert sign_flip(tally([*differences, 0.0])) == sign_flip(tally(differences))


@given(p_values)
def test_holm_raises_p_values_keeps_their_order_and_their_range(values: list[float]):
    adjusted = holm(values)
    assert all(p <= a <= 1 for p, a in zip(values, adjusted, strict=True))
    ordered = [a for _, a in sorted(zip(values, adjusted, strict=True))]
    assert ordered == sorted(ordered)


@given(p_values, st.randoms())
def test_holm_does_not_depend_on_the_order(values: list[float], random: object):
    places = list(range(len(values)))
    random.shuffle(places)
    adjusted, shuffled = holm(values), holm([values[place] for place in places])
    assert sorted(shuffled) == sorted(adjusted)


@given(some_shares)
def test_equal_arms_are_never_told_apart(values: list[float]):
    same = compare_pairs(values, values, 1)
    assert same.p_value == 1.0
    assert same.difference.low < 0 < same.difference.high


def test_bounds_are_those_of_differences():
    assert compare_pairs([1.0], [0.0], 1).difference.high == DIFFERENCE.high

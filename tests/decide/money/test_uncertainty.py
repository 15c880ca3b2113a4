"""Draws, chances and tornados: against the closed form, and against a library for sensitivity analysis."""

from dataclasses import replace
from random import Random
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from SALib.analyze import sobol
from SALib.sample import sobol as sobol_sample

from weighbridge.decide.money.ledger import Band, exact, likely_values, make_timeline, total_cost
from weighbridge.decide.money.ownership import ownership
from weighbridge.decide.money.uncertainty import draw_pert, plan_swings, simulate_totals

from .plans import make_case

numbers = st.floats(0, 1e6)
triples = st.tuples(numbers, numbers, st.floats(0, 1))


@for_all(st.dictionaries(st.sampled_from(["a", "b", "c"]), triples, min_size=1), st.integers(0, 9), st.floats(0, 1))
def test_without_spread_every_draw_is_the_closed_form(arms, seed, growth):
    case = make_case(arms, growth=growth, discount=0.07)
    case = replace(case, trials=replace(case.trials, seed=seed))
    timeline = make_timeline(36, growth=growth, discount=0.07)
    for arm in ownership(case).arms:
        plan = next(plan for plan in case.plans if plan.name == arm.name)
        total = total_cost(plan, likely_values(case.inputs), timeline)
        assert arm.total == arm.band.low == arm.band.likely == arm.band.high == total


def test_the_spread_of_one_arm_leaves_the_draws_of_another_exactly_alone():
    case = make_case({"sure": (100, 10, 0.1), "unsure": (Band(50, 100, 400), 10, 0.1)})
    simulation = simulate_totals(case.plans, case.inputs, case.trials)
    (closed,) = {arm.total for arm in ownership(case).arms if arm.name == "sure"}
    assert set(simulation.totals["sure"]) == {closed}
    assert len(set(simulation.totals["unsure"])) == case.trials.draws


def test_a_pert_draw_has_the_published_mean_and_its_ends():
    """The mean is (low + 4 likely + high) / 6."""
    random, band = Random(3), Band(10.0, 20.0, 60.0)
    draws = [draw_pert(band, random) for _ in range(20_000)]
    assert fmean(draws) == pytest.approx((10 + 80 + 60) / 6, rel=0.01)
    assert 10 <= min(draws) < 11
    assert 50 < max(draws) <= 60
    assert draw_pert(exact(5.0), random) == 5.0


def test_the_same_seed_gives_the_same_bands():
    case = make_case({"a": (Band(1, 2, 9), 0, 0), "b": (3, 0, 0)})
    assert ownership(case) == ownership(case)
    other = replace(case, trials=replace(case.trials, seed=8))
    assert ownership(case).arm("a").band != ownership(other).arm("a").band


def test_the_chance_to_be_the_cheapest_is_a_share_of_the_draws():
    """A uniform-like symmetric band around the price of the other: an even chance."""
    even = ownership(make_case({"a": (Band(50, 100, 150), 0, 0), "b": (100, 0, 0)}, draws=4000))
    assert even.arm("a").chance == pytest.approx(0.5, abs=0.03)
    assert sum(arm.chance or 0 for arm in even.arms) == pytest.approx(1)
    tie = ownership(make_case({"a": (100, 0, 0), "b": (100, 0, 0), "c": (101, 0, 0)}))
    assert [arm.chance for arm in tie.arms] == [0.5, 0.5, 0.0]
    half = ownership(make_case({"a": (Band(50, 100, 150), 0, 0), "b": (100, 0, 0), "c": (100, 0, 0)}, draws=4000))
    assert [arm.chance for arm in half.arms] == pytest.approx([0.5, 0.25, 0.25], abs=0.03)


def test_one_draw_has_one_volume_for_all_arms():
    """The arms differ by 1 at any volume: with a volume of its own for each, the dearer one would often win."""
    shared = ownership(make_case({"a": (0, 0, 1.0), "b": (1, 0, 1.0)}, volume=Band(10, 1000, 9000)))
    assert shared.chance == 1.0


@settings(deadline=None, max_examples=3)
@for_all(st.integers(1, 99))
def test_the_tornado_has_the_order_of_sobols_indices(seed):
    """SALib's total indices, over the same ranges: where they differ clearly, the bars have their order."""
    case = make_case({"a": (Band(0, 5000, 20_000), Band(900, 1000, 1100), Band(0.01, 0.02, 0.05))})
    swings = {swing.input: swing.width for swing in plan_swings(case.plans[0], case.inputs, case.trials)}
    names = list(swings)
    bounds = [[case.inputs[name].band.low, case.inputs[name].band.high] for name in names]
    problem = {"num_vars": len(names), "names": names, "bounds": bounds}
    drawn = sobol_sample.sample(problem, 256, calc_second_order=False, seed=seed)
    timeline, likely = make_timeline(36), likely_values(case.inputs)
    totals = [
        total_cost(case.plans[0], likely | dict(zip(names, map(float, row), strict=True)), timeline) for row in drawn
    ]
    indices = sobol.analyze(problem, np.array(totals), calc_second_order=False, seed=seed)["ST"]
    by_index = sorted(zip(names, indices, strict=True), key=lambda pair: -pair[1])
    assert [name for name, _ in by_index] == sorted(names, key=lambda name: -swings[name])
    assert list(swings) == [name for name, _ in by_index]


def test_a_swing_that_only_the_middle_shows_is_seen():
    """At both ends of the volume the two rent as many machines as each other; between them one more."""
    case = make_case({"a": (Band(1, 2, 3), 0, 0)})
    (swing,) = plan_swings(case.plans[0], case.inputs, case.trials)
    assert (swing.low, swing.likely, swing.high, swing.width) == (1, 2, 3, 2)
    assert replace(swing, low=1.0, high=1.0).width == 1

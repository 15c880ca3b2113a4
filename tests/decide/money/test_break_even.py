"""Crossings of two costs: by hand, and against a scan of the curves."""

import math
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from weighbridge.decide.money.break_even import BreakEven, NamedCurve, time_break_even, volume_break_even
from weighbridge.decide.money.ledger import CostStep, VolumeCurve, likely_values, make_timeline, volume_curve
from weighbridge.decide.money.ownership import MoneyCase, ownership

from .plans import machine_plan, make_case

PUBLISHED = {"rag": (50_000.0, 20_000.0, 0.01), "fine-tuned": (200_000.0, 60_000.0, 0.05)}
"""Set-up, a year, an answer: the published table that has no break-even, although texts about it promise one."""


def curves(case: MoneyCase) -> list[NamedCurve]:
    values = likely_values(case.inputs)
    timeline = make_timeline(case.trials.months, growth=values["growth"], discount=case.trials.discount)
    return [NamedCurve(plan.name, volume_curve(plan, values, timeline)) for plan in case.plans]


def crossing_points(found: BreakEven) -> list[float]:
    return [crossing.at for crossing in found.crossings]


def test_the_published_table_has_no_break_even_at_any_volume():
    priced = ownership(make_case(PUBLISHED))
    (by_volume,), (by_time,) = priced.over_volume, priced.over_time
    assert by_volume.crossings == by_time.crossings == ()
    assert by_volume.cheaper == by_time.cheaper == "rag"
    assert by_volume.up_to is None
    assert [arm.total for arm in priced.arms] == pytest.approx([50_000 + 60_000 + 3600, 200_000 + 180_000 + 18_000])
    assert (priced.range.low, priced.range.high) == (0.0, None)


def test_one_crossing_stands_where_the_equation_says():
    """50,000 + 3 * 20,000 + 36 v * 0.05 = 200,000 + 3 * 10,000 + 36 v * 0.01."""
    case = make_case({"rag": (50_000, 20_000, 0.05), "fine-tuned": (200_000, 10_000, 0.01)})
    found = volume_break_even(*curves(case))
    (crossing,) = found.crossings
    assert crossing.at == pytest.approx(120_000 / (36 * 0.04))
    assert (crossing.before, crossing.after) == ("rag", "fine-tuned")
    assert (found.cheaper, found.up_to) == (None, None)


def with_machines(case: MoneyCase, *, capacity: float, once: float) -> list[NamedCurve]:
    """Add own machines for 730 a month each, for so many answers a month."""
    inputs = dict(case.inputs)
    own = machine_plan("own", inputs, price=1.0, capacity=capacity, once=once)
    return curves(replace(case, inputs=inputs, plans=(*case.plans, own)))


def test_two_crossings_between_the_idle_floor_and_the_second_machine():
    """730 a month for 100,000 answers, against 100 and 0.0065 an answer: 630 / 0.0065, and the second machine."""
    found = volume_break_even(*with_machines(make_case({"endpoint": (100, 0, 0.0065)}, months=1), capacity=1e5, once=0))
    assert crossing_points(found) == pytest.approx([630 / 0.0065, 100_000])
    assert [crossing.after for crossing in found.crossings] == ["own", "endpoint"]
    assert found.up_to is None


def test_every_further_machine_may_cross_again():
    """100 and 730 a machine against 0.01 an answer: after the fourth machine the endpoint never is the cheaper."""
    found = volume_break_even(*with_machines(make_case({"endpoint": (0, 0, 0.01)}, months=1), capacity=1e5, once=100.0))
    expected = [83_000, 100_000, 156_000, 200_000, 229_000, 300_000, 302_000]
    assert crossing_points(found) == pytest.approx(expected)
    assert [crossing.after for crossing in found.crossings] == ["own", "endpoint"] * 3 + ["own"]


@pytest.mark.parametrize(("days", "expected"), [(360, 116_184), (90, 131_403), (30, 171_986)])
def test_the_crossing_moves_with_the_frequency_of_training(days: float, expected: float):
    """A training costs 600, and 36 months hold 36 * 30.4375 / d of them."""
    trainings = 365.25 / days * 600.0
    case = make_case({"rag": (10_000, 5_000, 0.02), "tuned": (50_000, 5_000 + trainings, 0.01)})
    found = volume_break_even(*curves(case))
    assert crossing_points(found) == pytest.approx([expected], rel=1e-5)


def test_costs_that_only_touch_do_not_cross():
    flat = NamedCurve("flat", VolumeCurve(fixed=10.0, slope=0.0))
    assert volume_break_even(flat, NamedCurve("same", flat.curve)).crossings == ()
    assert volume_break_even(flat, NamedCurve("same", flat.curve)).cheaper is None
    stairs = NamedCurve("stairs", VolumeCurve(fixed=0.0, slope=0.0, steps=(CostStep(5.0, 0.01),)))
    found = volume_break_even(flat, stairs)
    assert crossing_points(found) == pytest.approx([200.0])


def test_costs_that_begin_equal_do_not_cross_where_they_part():
    found = volume_break_even(
        NamedCurve("a", VolumeCurve(fixed=5.0, slope=1.0)), NamedCurve("b", VolumeCurve(fixed=5.0, slope=2.0))
    )
    assert (found.crossings, found.cheaper) == ((), "a")


def test_parallel_stairs_are_searched_as_far_as_they_are_said_to_be():
    """Two machines of one price for an answer, with other steps, cross for ever."""
    one = NamedCurve("one", VolumeCurve(fixed=0.0, slope=0.0, steps=(CostStep(1.0, 0.01),)))
    two = NamedCurve("two", VolumeCurve(fixed=0.0, slope=0.0, steps=(CostStep(2.0, 0.005),)))
    found = volume_break_even(one, two)
    assert found.up_to is not None
    assert found.cheaper == "one"  # it is never dearer: 1, 2, 3, 4 machines against 2, 2, 4, 4


def test_months_are_crossed_where_the_costs_meet():
    """1,000 at once and 10 a month, against 40 a month: after 33 months and a third."""
    left = [1000.0 + 10 * month for month in range(37)]
    right = [40.0 * month for month in range(37)]
    found = time_break_even(("own", left), ("rented", right))
    (crossing,) = found.crossings
    assert crossing.at == pytest.approx(100 / 3)
    assert (crossing.before, crossing.after, found.up_to) == ("rented", "own", 36)


money = st.floats(0, 1e6).map(lambda value: round(value, 2))
steps = st.lists(st.builds(CostStep, st.floats(0.1, 1e4), st.floats(1e-6, 1e-2)), max_size=2).map(tuple)
some_curve = st.builds(VolumeCurve, fixed=money, slope=st.floats(0, 10), steps=steps)


@for_all(some_curve, some_curve)
def test_the_order_of_the_two_does_not_matter(left: VolumeCurve, right: VolumeCurve):
    one, other = NamedCurve("a", left), NamedCurve("b", right)
    assert volume_break_even(one, other) == volume_break_even(other, one)


@for_all(some_curve, some_curve, st.lists(st.floats(0, 1e7), min_size=1, max_size=20))
def test_the_cheaper_one_is_the_cheaper_at_every_volume(left: VolumeCurve, right: VolumeCurve, volumes: list[float]):
    found = volume_break_even(NamedCurve("a", left), NamedCurve("b", right))
    for volume in volumes:
        costs = {"a": left.at(volume), "b": right.at(volume)}
        near = any(math.isclose(volume, point, rel_tol=1e-6) for point in crossing_points(found))
        equal = math.isclose(costs["a"], costs["b"], rel_tol=1e-6)
        if near or equal or (found.up_to is not None and volume >= found.up_to):
            continue
        passed = [crossing for crossing in found.crossings if crossing.at < volume]
        first = found.crossings[0].before if found.crossings else found.cheaper
        assert min(costs, key=costs.__getitem__) == (passed[-1].after if passed else first)


@for_all(some_curve, some_curve, st.floats(0.01, 100))
def test_a_price_of_everything_moves_no_crossing(left: VolumeCurve, right: VolumeCurve, factor: float):
    def dearer(curve: VolumeCurve) -> VolumeCurve:
        stairs = tuple(CostStep(step.weight * factor, step.load) for step in curve.steps)
        return VolumeCurve(fixed=curve.fixed * factor, slope=curve.slope * factor, steps=stairs)

    found = volume_break_even(NamedCurve("a", left), NamedCurve("b", right))
    scaled = volume_break_even(NamedCurve("a", dearer(left)), NamedCurve("b", dearer(right)))
    if found.up_to is None and scaled.up_to is None and len(found.crossings) == len(scaled.crossings):
        assert crossing_points(scaled) == pytest.approx(crossing_points(found), rel=1e-6)

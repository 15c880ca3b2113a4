"""Every limit: kept, broken, not measured, and close."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from weighbridge.decide.limits import below_floor, broken_limits, close_calls, limit_verdicts
from weighbridge.results import Estimate, Measurement
from weighbridge.settings.needs import Limits

Make = Callable[..., Measurement]
FIGURES = {
    "accuracy": 0.5,
    "hallucination": 0.3,
    "latency_p95": 3.2,
    "memory": 2.0 * 2**30,
    "cost_per_thousand": 1.5,
}


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        ({"maximum_p95_seconds": 2.0}, "latency p95 is 3.20 s; you allow 2.00 s"),
        ({"maximum_memory_gib": 1.0}, "memory is 2.00 GiB; you allow 1.00 GiB"),
        ({"maximum_cost_per_thousand": 1.0}, "cost per 1,000 is $1.50; you allow $1.00"),
        ({"minimum_accuracy": 0.6}, "accuracy is 50 %; you ask for 60 %"),
        ({"minimum_accuracy": 0.502}, "accuracy is just under 50 %; you ask for 50 %"),
        ({"maximum_hallucination": 0.0}, "hallucination is 30 %; you allow 0 %"),
        ({"offline": True}, "it sends questions to an endpoint; you allow offline strategies only"),
        ({"must_cite": True}, "it reads no passages and cannot cite; you require citations"),
    ],
)
def test_a_broken_limit_is_said_with_its_figures(measurement: Make, limits: dict[str, float], sentence: str):
    (broken,) = broken_limits(measurement("prompt", FIGURES, offline=False), Limits(**limits))
    assert broken.sentence.replace("\u00a0", " ") == sentence
    assert broken.setting == next(iter(limits))
    assert broken.excess > 0


def test_a_limit_met_exactly_is_kept(measurement: Make):
    limits = Limits(
        maximum_p95_seconds=3.2,
        maximum_memory_gib=2.0,
        maximum_cost_per_thousand=1.5,
        minimum_accuracy=0.5,
        maximum_hallucination=0.3,
        offline=True,
        must_cite=True,
    )
    assert broken_limits(measurement("rag", FIGURES | {"citation": 0.9}), limits) == ()


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ({"citation": 0.89}, "verbatim citation is 89 %; you ask for 90 %"),
        ({}, "verbatim citation was not measured; you ask for 90 %"),
    ],
)
def test_a_strategy_that_reads_must_cite_what_it_says(measurement: Make, figures: dict[str, float], sentence: str):
    (broken,) = broken_limits(measurement("rag", FIGURES | figures), Limits(must_cite=True))
    assert broken.sentence.replace("\u00a0", " ") == sentence
    assert broken.setting == "must_cite"
    assert broken_limits(measurement("rag", FIGURES | figures), Limits()) == ()


def test_what_was_not_measured_keeps_no_limit(measurement: Make):
    (broken,) = broken_limits(measurement("rag", {"accuracy": 0.5}), Limits(maximum_p95_seconds=2.0))
    assert broken.sentence == "latency p95 was not measured; you allow 2.00\u00a0s"


@pytest.mark.parametrize(("failures", "count"), [(0, 0), (5, 0), (6, 1), (100, 1)])
def test_more_than_one_failure_in_twenty_rules_a_strategy_out(measurement: Make, failures: int, count: int):
    broken = broken_limits(measurement("rag", FIGURES, failures=failures), Limits())
    assert len(broken) == count
    assert all("; at most 5\u00a0% may" in limit.sentence and not limit.setting for limit in broken)


def test_nothing_scored_rules_a_strategy_out(measurement: Make):
    assert [b.sentence for b in broken_limits(measurement("rag", {}), Limits())] == ["no answer could be scored"]


def test_a_limit_inside_the_interval_is_a_close_call(measurement: Make):
    limits = Limits(minimum_accuracy=0.45, maximum_hallucination=0.6, maximum_p95_seconds=3.2)
    (call,) = close_calls(measurement("rag", FIGURES), limits)
    told = (
        "rag keeps the limit on accuracy, 45 %, but not for certain: it has 50 % (42\u201358); "
        "the chance that it truly breaks the limit is 11 %"
    )
    assert call.replace("\u00a0", " ") == told
    assert close_calls(measurement("rag", FIGURES), Limits(minimum_accuracy=0.6)) == ()


def with_p95(made: Measurement, estimate: Estimate) -> Measurement:
    return replace(made, figures={**made.figures, "latency_p95": estimate})


def test_a_percentile_that_nothing_bounds_keeps_no_limit_for_certain(measurement: Make):
    """Of 11 timings the slowest took 1.3 s: the 95th percentile may still be above 5."""
    few = Estimate(value=1.2, low=1.0, high=1.3, scored=11, open_above=True)
    (call,) = close_calls(with_p95(measurement("rag", FIGURES), few), Limits(maximum_p95_seconds=5.0))
    assert call.replace("\u00a0", " ") == (
        "rag keeps the limit on latency p95, 5.00 s, but not for certain: it has 1.20 s (1.00 or more)"
    )
    enough = replace(few, scored=59, open_above=False)
    assert close_calls(with_p95(measurement("rag", FIGURES), enough), Limits(maximum_p95_seconds=5.0)) == ()


def test_a_limit_is_broken_for_certain_where_the_whole_interval_breaks_it(measurement: Make):
    (surely,) = broken_limits(measurement("rag", FIGURES), Limits(minimum_accuracy=0.6))
    (maybe,) = broken_limits(measurement("rag", FIGURES), Limits(minimum_accuracy=0.55))
    assert (surely.certain, maybe.certain) == (True, False)
    few = Estimate(value=1.2, low=1.0, high=1.3, scored=11, open_above=True)
    found = [
        broken_limits(with_p95(measurement("rag", FIGURES), few), Limits(maximum_p95_seconds=most))
        for most in (0.9, 1.1)
    ]
    assert [limit.certain for (limit,) in found] == [True, False]


@pytest.mark.parametrize(("accuracy", "below"), [(0.41, True), (0.42, False), (0.5, False)])
def test_the_floor_is_a_half_and_needs_the_whole_interval(measurement: Make, accuracy: float, *, below: bool):
    """The intervals of these measurements reach 0.08 to both sides."""
    measured = measurement("rag", FIGURES | {"accuracy": accuracy})
    assert below_floor(measured, Limits()) == below
    assert not below_floor(measured, Limits(minimum_accuracy=0.0))
    assert not below_floor(measured, Limits(minimum_accuracy=0.3))


@pytest.mark.parametrize(
    ("limits", "chance"),
    [({"minimum_accuracy": 0.42}, 0.025), ({"minimum_accuracy": 0.5}, 0.5), ({"maximum_hallucination": 0.38}, 0.025)],
)
def test_the_chance_of_a_broken_limit_agrees_with_the_interval(
    measurement: Make, limits: dict[str, float], chance: float
):
    (verdict,) = limit_verdicts(measurement("rag", FIGURES), (), Limits.model_validate(limits))
    assert verdict.chance == pytest.approx(chance)


def test_each_side_of_an_interval_has_its_own_width(measurement: Make):
    made = measurement("rag", FIGURES)
    skewed = replace(made, figures={**made.figures, "accuracy": Estimate(value=0.95, low=0.79, high=0.98, scored=30)})
    for bound, chance in ((0.79, 0.025), (0.98, 0.975)):
        (verdict,) = limit_verdicts(skewed, (), Limits(minimum_accuracy=bound))
        assert verdict.chance == pytest.approx(chance)

"""The Pareto front by hand: who dominates whom, and whether that is certain."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.front import front_sentence, pareto_front
from weighbridge.results import Comparison, Estimate, Measurement

Make = Callable[..., Measurement]
Compare = Callable[..., tuple[Comparison, ...]]


def made(name: str, accuracy: float, seconds: float, cost: float, half: float = 0.0) -> Measurement:
    values = {"accuracy": accuracy, "latency_p50": seconds, "cost_per_thousand": cost}
    return Measurement(
        strategy=name,
        figures={key: Estimate(value=v, low=v - half, high=v + half, scored=100) for key, v in values.items()},
        outcomes={},
        attempts=100,
        failures=0,
    )


def test_the_dominated_are_named_with_those_that_dominate_them(comparisons: Compare):
    weighed = [made("a", 0.9, 1.0, 1.0), made("b", 0.8, 2.0, 2.0), made("c", 0.5, 0.5, 0.5), made("d", 0.8, 2.0, 2.0)]
    front = pareto_front(weighed, comparisons(weighed, half=0.05))
    places = {place.strategy: [each.by for each in place.dominated_by] for place in front}
    assert places == {"a": [], "b": ["a"], "c": [], "d": ["a"]}, "equals do not dominate each other"
    assert all(each.certain for place in front for each in place.dominated_by)
    assert front_sentence(front) == (
        "By accuracy, latency and cost, a and c stand on the front; b is dominated by a; d is dominated by a."
    )
    assert front_sentence(front[:1]) == ""


def test_within_the_uncertainty_it_is_only_as_measured(comparisons: Compare):
    weighed = [made("a", 0.9, 1.0, 1.0, half=0.6), made("b", 0.8, 2.0, 2.0, half=0.6)]
    (_, place) = pareto_front(weighed, comparisons(weighed, half=0.05))
    assert [each.certain for each in place.dominated_by] == [False], "the intervals of the seconds overlap"
    surer = [made("a", 0.9, 1.0, 1.0), made("b", 0.8, 2.0, 2.0)]
    (_, place) = pareto_front(surer, comparisons(surer, half=0.2))
    assert [each.certain for each in place.dominated_by] == [False], "the accuracy may be the other way"
    assert front_sentence((place,)).endswith("b is dominated by a as measured.")


def test_a_figure_that_one_of_them_lacks_does_not_count(comparisons: Compare):
    cheap, dear = made("a", 0.9, 2.0, 1.0), made("b", 0.8, 1.0, 2.0)
    slow = replace(dear, figures={k: v for k, v in dear.figures.items() if k != "latency_p50"})
    places = {place.strategy: place.dominated_by for place in pareto_front([cheap, slow], ())}
    assert [each.by for each in places["b"]] == ["a"]
    assert all(not place.dominated_by for place in pareto_front([cheap, dear], ()))


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=6))
def test_somebody_stands_on_the_front_and_everybody_else_is_dominated_by_one_of_them(rows: list[tuple[int, int, int]]):
    weighed = [made(f"s{place}", a / 3, 1.0 + b, 1.0 + c) for place, (a, b, c) in enumerate(rows)]
    front = pareto_front(weighed, ())
    on_front = {place.strategy for place in front if not place.dominated_by}
    assert on_front
    assert all({each.by for each in place.dominated_by} & on_front for place in front if place.dominated_by)

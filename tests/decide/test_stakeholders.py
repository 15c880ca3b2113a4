"""Stakeholders: their rankings, and Kendall's W against a computation by scipy."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from weighbridge.decide.decide import decide
from weighbridge.decide.stakeholders import kendall_w
from weighbridge.errors import SettingsError
from weighbridge.results import Comparison, Measurement
from weighbridge.settings.needs import Needs

Make = Callable[..., Measurement]
Compare = Callable[..., tuple[Comparison, ...]]


def test_full_agreement_is_one_and_opposites_are_none():
    up, down = {"a": 3.0, "b": 2.0, "c": 1.0}, {"a": 1.0, "b": 2.0, "c": 3.0}
    assert kendall_w([up, up, up]) == pytest.approx(1.0)
    assert kendall_w([up, down]) == pytest.approx(0.0)
    assert kendall_w([up]) is None
    assert kendall_w([{"a": 1.0}, {"a": 1.0}]) is None
    assert kendall_w([{"a": 1.0, "b": 1.0}] * 2) is None, "nobody sees a difference"


def test_the_worked_example_with_ties():
    """Four things ranked by three judges, by hand: rank sums 4, 5.5, 8.5 and 12 about 7.5, and one tie of two."""
    judges = [
        {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0},
        {"a": 4.0, "b": 3.0, "c": 3.0, "d": 1.0},
        {"a": 3.0, "b": 4.0, "c": 2.0, "d": 1.0},
    ]
    sums = [1 + 1 + 2, 2 + 2.5 + 1, 3 + 2.5 + 3, 4 + 4 + 4]
    spread = sum((value - 7.5) ** 2 for value in sums)
    assert kendall_w(judges) == pytest.approx(12 * spread / (9 * (64 - 4) - 3 * 6))


@given(
    st.integers(2, 5).flatmap(
        lambda items: st.lists(st.lists(st.integers(0, 9), min_size=items, max_size=items, unique=True), min_size=2)
    )
)
def test_without_ties_it_is_the_mean_rank_correlation(judges: list[list[int]]):
    """W = (1 + (m - 1) r) / m, with the mean r of Spearman over all pairs of m judges (Kendall 1948)."""
    found = kendall_w([{str(place): float(value) for place, value in enumerate(row)} for row in judges])
    pairs = [
        float(spearmanr(rankdata(left), rankdata(right)).statistic)
        for place, left in enumerate(judges)
        for right in judges[place + 1 :]
    ]
    mean, count = sum(pairs) / len(pairs), len(judges)
    assert found == pytest.approx((1 + (count - 1) * mean) / count)


def test_each_stakeholder_has_a_ranking_and_those_who_would_decide_otherwise_are_named(
    measurement: Make, comparisons: Compare
):
    weighed = [
        measurement("a", {"accuracy": 0.9, "hallucination": 0.1, "latency_p50": 5.0}),
        measurement("b", {"accuracy": 0.7, "hallucination": 0.3, "latency_p50": 1.0}),
    ]
    needs = Needs(stakeholders={"lawyers": {"hallucination": 1}, "operators": {"latency": 1}, "users": {"accuracy": 1}})
    decision = decide(weighed, comparisons(weighed), needs)
    views = {view.stakeholder: view.order for view in decision.agreement.views}
    assert views == {"lawyers": ("a", "b"), "operators": ("b", "a"), "users": ("a", "b")}
    assert decision.agreement.concordance == pytest.approx(1 / 9)
    assert decision.agreement.summary == (
        "The stakeholders would decide differently: lawyers and users would put a first; operators would put b first. "
        "Their whole rankings hardly agree (Kendall's W 0.11, from 0 to 1)."
    )
    assert decision.agreement.summary in decision.reasons
    alone = decide(weighed, comparisons(weighed), Needs(stakeholders={"users": {"accuracy": 1}}))
    assert alone.agreement.summary == "users would put a first."
    assert decide(weighed, comparisons(weighed), Needs()).agreement is None
    both = Needs(stakeholders={"users": {"accuracy": 1}, "lawyers": {"hallucination": 1}})
    assert decide(weighed, comparisons(weighed), both).agreement.summary == (
        "Both stakeholders would put a first. Their whole rankings largely agree (Kendall's W 1.00, from 0 to 1)."
    )
    only = decide(weighed[:1], (), both).agreement
    assert only.summary == "Only a keeps every limit, so no stakeholder would decide otherwise."


def test_a_stakeholder_who_weighs_only_what_was_not_measured_is_an_error(measurement: Make):
    needs = Needs(stakeholders={"ops": {"memory": 1}})
    with pytest.raises(SettingsError, match=r"needs\.stakeholders\.ops: nothing to rank by"):
        decide([measurement("a", {"accuracy": 0.9, "hallucination": 0.1})], (), needs)

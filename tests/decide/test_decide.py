"""Decisions: recommended, not decisive, none; and the sentences that go with them."""

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from weighbridge.decide.decide import decide
from weighbridge.errors import DataError, SettingsError
from weighbridge.results import Comparison, Cost, Decision, Estimate, Measurement
from weighbridge.settings.needs import Limits, Needs, Priorities

Make = Callable[..., Measurement]
Compare = Callable[..., tuple[Comparison, ...]]


def figures(accuracy: float, hallucination: float, seconds: float = 1.0, cost: float = 1.0) -> dict[str, float]:
    return {
        "accuracy": accuracy,
        "hallucination": hallucination,
        "latency_p50": seconds,
        "latency_p95": 2 * seconds,
        "cost_per_thousand": cost,
    }


def said(decision: Decision) -> list[str]:
    """Return the reasons with plain spaces."""
    return [reason.replace("\u00a0", " ") for reason in decision.reasons]


@pytest.fixture
def three(measurement: Make) -> list[Measurement]:
    return [
        measurement("prompt", figures(0.1, 0.6, 0.5, 0.5)),
        measurement("rag", figures(0.45, 0.3, 1.0, 1.0)),
        measurement("raft", figures(0.8, 0.1, 1.0, 1.2)),
    ]


def test_a_clear_lead_is_recommended(three: list[Measurement], comparisons: Compare):
    decision = decide(three, comparisons(three), Needs())
    assert decision.outlook == "recommended"
    assert decision.recommended == "raft"
    assert decision.contenders == ("raft",)
    assert decision.examples_needed is None
    assert [verdict.strategy for verdict in decision.verdicts] == ["raft", "rag", "prompt"]
    cost = 1 - math.log(1.2 / 0.5) / math.log(100)
    assert decision.verdicts[0].total == pytest.approx((5 * 0.8 + 3 * 0.9 + 1 + cost) / 10)
    assert said(decision) == [
        (
            "raft has 85 points of 100 by your priorities, rag, the next, 62; "
            "its lead over rag is 23.1 points, at least 15.1 with 95 % confidence (p = 0.04, 100 questions)."
        ),
        (
            "The chance that raft is truly the best by your priorities is over 99 %; choosing it loses 0.0 points of "
            "100 on average, measured against the one that is."
        ),
        "raft: accuracy 80 % (72\u201388), rag 45 % (37\u201353): +35 percentage points (+25 to +45).",
        (
            "raft: hallucination 10 % (2\u201318), rag 30 % (22\u201338): "
            "\N{MINUS SIGN}20 percentage points (\N{MINUS SIGN}30 to \N{MINUS SIGN}10)."
        ),
        "raft: latency p50 1.00 s, rag 1.00 s; within 1 s no answer loses points.",
        "raft: cost per 1,000 $1.20, rag $1.00.",
    ]


def test_the_least_certain_lead_is_told_where_it_is_over_another_than_the_next(
    three: list[Measurement], comparisons: Compare
):
    unsure = {"raft", "prompt"}
    found = [
        replace(c, difference=replace(c.difference, low=-0.9, high=0.9)) if {c.left, c.right} == unsure else c
        for c in comparisons(three, half=0.0)
    ]
    decision = decide(three, found, Needs(priorities=Priorities(accuracy=1, hallucination=0, latency=0, cost=0)))
    assert decision.contenders == ("raft", "prompt")
    assert said(decision)[0] == (
        "raft and prompt cannot be told apart. raft has 80 points of 100 by your priorities, rag, the next, 45; "
        "its lead over prompt is 70.0 points (\N{MINUS SIGN}90.0 to +90.0 with 95 % confidence; p = 0.02, "
        "100 questions)."
    )


def test_a_saving_of_seconds_that_nobody_notices_does_not_outweigh_accuracy(measurement: Make):
    """What a real run measured on 60 questions: 12 % in 0.17 s must not count as much as 49 % in 0.71 s."""
    weighed = [
        measurement("raft", figures(0.49, 0.27, 0.709, 0.0158)),
        measurement("fine-tuned", figures(0.12, 0.52, 0.174, 0.00379)),
    ]
    gaps = {"accuracy": (0.38, 0.24, 0.49), "hallucination": (-0.25, -0.42, -0.07)}
    found = tuple(
        Comparison(
            figure=figure,
            left="raft",
            right="fine-tuned",
            difference=Estimate(value=value, low=low, high=high, scored=60),
            p_value=0.001,
            p_adjusted=0.03,
            examples_needed=None,
        )
        for figure, (value, low, high) in gaps.items()
    )
    decision = decide(weighed, found, Needs())
    assert decision.recommended == "raft"
    lead = 0.5 * 0.38 + 0.3 * 0.25 - 0.1 * math.log10(0.0158 / 0.00379) / 2
    least = lead - 0.5 * (0.38 - 0.24) - 0.3 * (0.25 - 0.07)
    assert least > 0.1
    assert f"its lead over fine-tuned is {100 * lead:.1f} points, at least {100 * least:.1f} with" in said(decision)[0]


def test_a_lead_within_its_doubt_is_not_decisive(measurement: Make, comparisons: Compare):
    weighed = [
        measurement("rag", figures(0.50, 0.3, cost=0.7)),
        measurement("raft", figures(0.56, 0.25)),
        measurement("prompt", figures(0.1, 0.9)),
    ]
    decision = decide(weighed, comparisons(weighed), Needs())
    assert decision.outlook == "not decisive"
    assert decision.recommended is None
    assert decision.contenders == ("raft", "rag")
    lead, doubt = 0.5 * 0.06 + 0.3 * 0.05 - 0.1 * math.log10(1 / 0.7) / 2, 0.08
    as_measured = 100 * (1.4294 * doubt / lead) ** 2
    assert as_measured < decision.examples_needed < 5 * as_measured
    even, nearly_sure = decision.examples_range
    assert even < decision.examples_needed
    assert nearly_sure is None or nearly_sure > decision.examples_needed
    assert said(decision)[0].startswith("raft and rag cannot be told apart. raft has 70 points of 100 by your ")
    assert "If you have to choose before then, rag is the cheapest: $0.70 for a thousand answers." in said(decision)
    more = decision.examples_needed - 100
    assert decision.would_change[0].startswith(f"About {more:,} more questions would settle it between raft and rag")


def test_equal_strategies_are_told_that_no_question_settles_it(measurement: Make, comparisons: Compare):
    weighed = [measurement(name, figures(0.5, 0.3)) for name in ("b", "a")]
    decision = decide(weighed, comparisons(weighed, half=0.0), Needs(indifference=0))
    assert decision.outlook == "not decisive"
    assert decision.contenders == ("a", "b")
    assert decision.examples_needed is None
    assert decision.would_change[0] == "a and b have the same points: no number of questions would settle it."


def test_without_a_comparison_nothing_is_certain(three: list[Measurement]):
    decision = decide(three, (), Needs())
    assert decision.outlook == "not decisive"
    assert "it shares no scored question with rag, so they cannot be compared" in decision.reasons[0]


def test_latency_alone_needs_no_comparison(measurement: Make):
    needs = Needs(priorities=Priorities(accuracy=0, hallucination=0, latency=1, cost=0))
    noticed = [measurement("prompt", figures(0.1, 0.6, 0.5)), measurement("rag", figures(0.45, 0.3, 2.0))]
    decision = decide(noticed, (), needs)
    assert decision.recommended == "prompt"
    assert "prompt: latency p50 0.50 s, rag 2.00 s." in said(decision)
    unnoticed = [measurement("prompt", figures(0.1, 0.6, 0.5)), measurement("rag", figures(0.45, 0.3, 1.0))]
    assert decide(unnoticed, (), needs).contenders == ("rag", "prompt"), "equal, and rag is the more accurate"


def test_a_limit_rules_the_best_out_and_says_so(three: list[Measurement], comparisons: Compare):
    needs = Needs(limits=Limits(maximum_cost_per_thousand=1.1))
    decision = decide(three, comparisons(three), needs)
    assert decision.recommended == "rag"
    assert decision.verdicts[-1].strategy == "raft"
    assert decision.verdicts[-1].broken_limits == ("cost per 1,000 is $1.20; you allow $1.10",)
    assert "raft is out: cost per 1,000 is $1.20; you allow $1.10." in decision.reasons
    assert "Without needs.limits.maximum_cost_per_thousand, raft would be first." in decision.would_change


def test_when_none_keeps_the_limits_the_nearest_is_named(three: list[Measurement], comparisons: Compare):
    needs = Needs(limits=Limits(minimum_accuracy=0.9, maximum_p95_seconds=1.5))
    decision = decide(three, comparisons(three), needs)
    assert decision.outlook == "none meets your limits"
    assert (decision.recommended, decision.contenders) == (None, ())
    nearest = "prompt is nearest: accuracy is 10 %; you ask for 90 %."
    assert said(decision)[0] == f"No strategy keeps every limit. {nearest}"
    assert [verdict.strategy for verdict in decision.verdicts] == ["prompt", "raft", "rag"]
    assert decision.would_change[0] == "Without needs.limits.minimum_accuracy, prompt would be eligible."


def test_failures_are_named_and_too_many_rule_out(measurement: Make, comparisons: Compare):
    weighed = [
        measurement("rag", figures(0.5, 0.3), failures=4),
        measurement("raft", figures(0.9, 0.0), failures=9),
    ]
    decision = decide(weighed, comparisons(weighed), Needs())
    assert decision.recommended == "rag"
    assert decision.reasons[0] == "rag is the only strategy that keeps every limit."
    assert "raft is out: 9 of 100 attempts failed; at most 5 % may." in said(decision)
    failed = (
        "rag failed on 4 of 100 questions; these have no score and earn no points; most often: the endpoint is down."
    )
    assert failed in decision.reasons


@pytest.mark.parametrize(("asked", "out"), [(10, True), (9, False)])
def test_one_that_declines_every_question_is_out(measurement: Make, comparisons: Compare, asked: int, *, out: bool):
    """Where many questions cannot be answered, it is often right, and it asserts nothing wrong."""
    weighed = [measurement("mute", figures(0.6, 0.0)), measurement("rag", figures(0.55, 0.4))]
    declined = Estimate(value=1.0, low=0.7, high=1.0, scored=asked)
    weighed[0] = replace(weighed[0], figures={**weighed[0].figures, "needless_abstention": declined})
    decision = decide(weighed, comparisons(weighed, half=0.01), Needs())
    assert decision.recommended == ("rag" if out else "mute")
    assert ("mute is out: it declines every question that can be answered." in decision.reasons) == out


def test_one_strategy_is_enough(measurement: Make):
    decision = decide([measurement("rag", figures(0.5, 0.3))], (), Needs())
    assert decision.recommended == "rag"
    assert decision.reasons[0] == "rag is the only strategy weighed."


def test_a_strategy_of_which_nothing_could_be_scored_is_out_even_where_only_that_counts(measurement: Make):
    weighed = [measurement("rag", figures(0.5, 0.3)), measurement("raft", {}, failures=100)]
    only_accuracy = Needs(priorities=Priorities(accuracy=1, hallucination=0, latency=0, cost=0))
    decision = decide(weighed, (), only_accuracy)
    assert decision.recommended == "rag"
    assert decision.verdicts[1].points == {}
    assert decide(weighed[1:], (), Needs()).outlook == "none meets your limits"


def test_a_priority_that_was_not_measured_for_all_is_left_out(measurement: Make, comparisons: Compare):
    weighed = [measurement("rag", {"accuracy": 0.8, "hallucination": 0.1}), measurement("prompt", figures(0.1, 0.9))]
    decision = decide(weighed, comparisons(weighed), Needs())
    assert decision.recommended == "rag"
    assert "The priority latency is left out: it was not measured for all of them." in decision.reasons
    assert set(decision.verdicts[0].points) == {"accuracy", "hallucination"}


def test_nothing_to_decide_on_is_an_error(measurement: Make):
    with pytest.raises(DataError, match="no measurements to decide on"):
        decide([], (), Needs())
    with pytest.raises(DataError, match="of one name"):
        decide([measurement("rag", figures(0.5, 0.3))] * 2, (), Needs())
    nothing = Needs(priorities=Priorities(accuracy=0, hallucination=0, latency=0, cost=0))
    with pytest.raises(SettingsError, match=r"needs\.priorities: nothing to rank by"):
        decide([measurement("rag", figures(0.5, 0.3))], (), nothing)


def test_a_cost_in_another_currency_is_written_in_it(measurement: Make):
    cost = Cost(upfront=1.0, per_thousand_answers=1.0, currency="EUR")
    decision = decide([measurement("rag", figures(0.5, 0.3), cost=cost)], (), Needs())
    assert "rag: cost per 1,000 \N{EURO SIGN}1.00." in said(decision)


def test_deciding_loads_no_arrays():
    program = "import sys, weighbridge.decide.decide, weighbridge.decide.money.cost; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)

"""What would change a decision holds when it is tried."""

import math
import re
from collections.abc import Callable

import pytest

from weighbridge.decide.decide import decide
from weighbridge.decide.money.cost import cost_per_thousand
from weighbridge.results import Comparison, Cost, Decision, Measurement
from weighbridge.settings.needs import Limits, Needs, Priorities

Make = Callable[..., Measurement]
Compare = Callable[..., tuple[Comparison, ...]]
COSTS = {
    "prompt": Cost(upfront=0.0, per_thousand_answers=2.0),
    "raft": Cost(upfront=300.0, per_thousand_answers=1.0),
}
QUALITY = {
    "prompt": {"accuracy": 0.5, "hallucination": 0.3, "latency_p50": 1.0, "latency_p95": 2.0},
    "raft": {"accuracy": 0.6, "hallucination": 0.25, "citation": 0.95, "latency_p50": 2.0, "latency_p95": 4.0},
}


def decided(measurement: Make, compare: Compare, needs: Needs) -> Decision:
    answers = needs.answers_per_month * needs.months
    weighed = [
        measurement(name, {**QUALITY[name], "cost_per_thousand": at}, cost=cost, offline=name == "raft")
        for name, cost in COSTS.items()
        for at in [cost_per_thousand(cost, answers)]
    ]
    return decide(weighed, compare(weighed, half=0.0), needs)


def one(decision: Decision, pattern: str) -> re.Match[str]:
    lines = [line.replace("\u00a0", " ") for line in decision.would_change]
    (found,) = [match for line in lines if (match := re.fullmatch(pattern, line))]
    return found


def test_beyond_the_volume_it_names_another_is_first(measurement: Make, comparisons: Compare):
    here = decided(measurement, comparisons, Needs(answers_per_month=200_000))
    assert here.verdicts[0].strategy == "raft"
    pattern = r"At ([\d,]+) answers a month or fewer \(now 200,000\), prompt would be first\."
    volume = int(one(here, pattern)[1].replace(",", ""))
    level = 2 * 100 ** (0.5 + 0.15 - math.log10(2))  # the cost at which raft's lead in quality and time is used up
    assert volume == math.floor(300 * 1000 / (level - 1) / 12)
    at = [decided(measurement, comparisons, Needs(answers_per_month=volume + more)) for more in (0, 1)]
    assert [decision.verdicts[0].strategy for decision in at] == ["prompt", "raft"]
    below = decided(measurement, comparisons, Needs(answers_per_month=volume // 2))
    above = one(below, r"At ([\d,]+) answers a month or more \(now [\d,]+\), raft would be first\.")
    assert int(above[1].replace(",", "")) == volume + 1


@pytest.mark.parametrize("priority", ["accuracy", "hallucination", "latency", "cost"])
def test_beyond_the_weight_it_names_another_is_first(measurement: Make, comparisons: Compare, priority: str):
    needs = Needs(answers_per_month=200_000, priorities=Priorities(accuracy=5, hallucination=3, latency=0.9, cost=0.1))
    here = decided(measurement, comparisons, needs)
    lines = [line for line in here.would_change if line.startswith(f"If {priority} weighed")]
    assert bool(lines) == (priority in {"accuracy", "latency"})
    for line in lines:
        side, weight = re.match(r"If \w+ weighed (more|less) than ([\d.]+)", line).groups()
        beyond, short = (1.02, 0.98) if side == "more" else (0.98, 1.02)
        for factor, first in ((beyond, "prompt"), (short, "raft")):
            changed = needs.priorities.model_copy(update={priority: float(weight) * factor})
            tried = decided(measurement, comparisons, Needs(answers_per_month=200_000, priorities=changed))
            assert tried.verdicts[0].strategy == first


def test_a_limit_it_names_rules_the_first_out(measurement: Make, comparisons: Compare):
    here = decided(measurement, comparisons, Needs(answers_per_month=200_000))
    one(here, r"A limit on latency p95 below 4\.00 s would rule raft out; prompt would be first\.")
    limits = Limits(maximum_p95_seconds=3.9)
    tried = decided(measurement, comparisons, Needs(answers_per_month=200_000, limits=limits))
    assert tried.recommended == "prompt"
    one(tried, r"Without needs\.limits\.maximum_p95_seconds, raft would be first\.")


def test_kinds_of_strategies_are_limits_too(measurement: Make, comparisons: Compare):
    few = decided(measurement, comparisons, Needs(answers_per_month=1000))
    assert few.verdicts[0].strategy == "prompt"
    one(few, r"Allowing offline strategies only would rule prompt out; raft would be first\.")
    one(few, r"Requiring citations would rule prompt out; raft would be first\.")


def test_limits_that_leave_the_same_first_are_told_together(measurement: Make, comparisons: Compare):
    few = decided(measurement, comparisons, Needs(answers_per_month=1000))
    one(few, r"A limit on accuracy above 50 % or hallucination below 30 % would rule prompt out; raft would be first\.")

"""Targets of operation: a limit of the user where one is set, else the measured figure; alarms by its interval."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from weighbridge.decide.limits import FLOOR
from weighbridge.decide.rollout.facts import RolloutFacts
from weighbridge.decide.rollout.rollout_plan import Basis, Direction, GateUnit, Kpi
from weighbridge.formatting import percentage

_COST_SLACK = 1.2
"""Questions of users are not those of the test: a fifth more tokens or seconds is no reason for an alarm."""
_TIME_SLACK = 14
"""Days after the planned end that raise the alarm: one phase."""
_HOW = {
    "accuracy": "each week, 50 answers drawn at random and graded by an expert (weighbridge score checks the scorer)",
    "hallucination": "the same 50 answers a week: those that assert something wrong",
    "latency_p95": "each day, from the log of answers",
    "cost_per_answer": "each month, the bills of machines and tokens over the number of answers",
    "needless_abstention": "each week, 50 abstentions drawn at random: those on questions that have an answer",
    "satisfaction": "each week, thumbs up over all thumbs",
    "time_to_market": "once, the days from the start to the opening for everyone",
}
SETTINGS = {
    "accuracy": "minimum_accuracy",
    "hallucination": "maximum_hallucination",
    "latency_p95": "maximum_p95_seconds",
    "cost_per_answer": "maximum_cost_per_thousand",
}
"""The limit under needs.limits that makes a target."""
_PER_THOUSAND = 1000


def operation_targets(facts: RolloutFacts, start: date, end: date) -> tuple[Kpi, ...]:
    """Return the targets to carry into operation. A figure that has neither a limit nor a measurement has none."""
    return tuple(_targets(facts, start, end))


def _targets(facts: RolloutFacts, start: date, end: date) -> Iterator[Kpi]:
    accuracy = _above_floor(_measured_target(facts, "accuracy", "accuracy", "share", "at least"))
    for target in (
        accuracy,
        _beside(accuracy, _measured_target(facts, "hallucination", "hallucination", "share", "at most")),
        _measured_target(facts, "latency_p95", "latency p95", "seconds", "at most"),
        _measured_target(facts, "cost_per_answer", "cost of an answer", "money", "at most"),
        _beside(accuracy, _measured_target(facts, "needless_abstention", "needless abstention", "share", "at most")),
    ):
        if target is not None:
            yield target
    if accuracy is not None:
        # Nobody measured satisfaction yet. A right answer should please: until the first month, accuracy stands for it.
        yield Kpi(
            name="satisfaction",
            label="satisfaction",
            unit="share",
            direction="at least",
            target=accuracy.target,
            alarm=accuracy.alarm,
            measured=None,
            currency="",
            how=_HOW["satisfaction"],
            basis=Basis(
                figure=accuracy.basis.figure,
                words=f"nobody measured it yet, so the target of accuracy stands for it: {accuracy.basis.words}",
            ),
        )
    days = (end - start).days + 1
    yield Kpi(
        name="time_to_market",
        label="time to market",
        unit="days",
        direction="at most",
        target=days,
        alarm=days + _TIME_SLACK,
        measured=None,
        currency="",
        how=_HOW["time_to_market"],
        basis=Basis(figure="plan.end", words=f"this plan: {days:,} days from its start to its end"),
    )


def _above_floor(accuracy: Kpi | None) -> Kpi | None:
    """Return the target of accuracy, no lower than the floor under which no strategy is recommended."""
    if accuracy is None or accuracy.target >= FLOOR or accuracy.basis.figure.startswith("needs."):
        return accuracy
    words = f"no limit is set, so the floor of {percentage(FLOOR)} counts; {accuracy.basis.words}"
    return replace(accuracy, target=FLOOR, alarm=FLOOR, basis=replace(accuracy.basis, words=words))


def _beside(accuracy: Kpi | None, mistakes: Kpi | None) -> Kpi | None:
    """Return the target of a kind of mistake, no higher than the target of accuracy leaves room for."""
    if accuracy is None or mistakes is None or mistakes.basis.figure.startswith("needs."):
        return mistakes
    room, worst = 1 - accuracy.target, 1 - accuracy.alarm
    if mistakes.target <= room and mistakes.alarm <= worst:
        return mistakes
    target = min(mistakes.target, room)
    words = f"{mistakes.basis.words}; no more than accuracy of {percentage(accuracy.target)} leaves room for"
    basis = replace(mistakes.basis, words=words)
    return replace(mistakes, target=target, alarm=max(target, min(mistakes.alarm, worst)), basis=basis)


def _measured_target(facts: RolloutFacts, name: str, label: str, unit: GateUnit, direction: Direction) -> Kpi | None:
    """Return a target of a measured figure: its limit, which is then the alarm too, else its value and interval."""
    figure = "cost_per_thousand" if name == "cost_per_answer" else name
    divisor = _PER_THOUSAND if name == "cost_per_answer" else 1
    estimate = facts.estimate(figure)
    limit = getattr(facts.settings.needs.limits, SETTINGS[name]) if name in SETTINGS else None
    if limit is not None:
        target = alarm = limit / divisor
        basis = Basis(figure=f"needs.limits.{SETTINGS[name]}", words=f"your limit needs.limits.{SETTINGS[name]}")
    elif estimate is not None:
        target = estimate.value / divisor
        bound = estimate.low if direction == "at least" else estimate.high
        alarm = bound / divisor
        if name == "cost_per_answer":
            alarm = max(alarm, target * _COST_SLACK)
        alarm = min(alarm, target) if direction == "at least" else max(alarm, target)
        words = facts.figure_basis(figure).words
        open_end = f", of {estimate.scored:,} timings" if estimate.open_above else ""
        basis = Basis(figure=f"measurements.{facts.arm}.figures.{figure}", words=f"as measured, {words}{open_end}")
    else:
        return None
    return Kpi(
        name=name,
        label=label,
        unit=unit,
        direction=direction,
        target=target,
        alarm=alarm,
        measured=estimate.value / divisor if estimate and math.isfinite(estimate.value) else None,
        currency=facts.currency if unit == "money" else "",
        how=_HOW[name],
        basis=basis,
    )

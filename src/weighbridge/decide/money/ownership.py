"""The total cost of ownership of every arm, side by side: rows, bands, crossings, and what moves them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from weighbridge.decide.money.break_even import BreakEven, NamedCurve, time_break_even, volume_break_even
from weighbridge.decide.money.ledger import (
    ArmPlan,
    Band,
    CostInput,
    CostRow,
    VolumeCurve,
    cost_rows,
    cumulative_costs,
    exact,
    likely_values,
    make_timeline,
    volume_curve,
)
from weighbridge.decide.money.uncertainty import Swing, Trials, gap_swings, plan_swings, simulate_totals


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyCase:
    """Everything that a total cost is computed from. It is data: no file, clock or model is needed any more."""

    currency: str
    inputs: Mapping[str, CostInput]
    """By name; plans name the inputs that they multiply. `volume` and `growth` are among them."""
    plans: tuple[ArmPlan, ...]
    """The arms that compete."""
    alternatives: tuple[ArmPlan, ...] = ()
    """Other ways to run them, which were not measured themselves. They do not compete."""
    accuracy: Mapping[str, float] = field(default_factory=dict)
    """The share of the answers that are right, by arm, where it was measured."""
    trials: Trials
    notes: tuple[str, ...] = ()
    """What is counted by assumption, and what could not be, as sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmOwnership:
    """The total cost of one arm, and what it is made of."""

    name: str
    measured_as: str
    """For an alternative: the measured arm that it is another way to run."""
    rows: tuple[CostRow, ...]
    total: float
    """The sum of the rows."""
    per_right_answer: float | None
    """The total for each answer that is right; None where nobody measured how many are."""
    band: Band
    """90 % of the draws lie between `low` and `high`; half of them below `likely`. For an alternative, its total."""
    chance: float | None
    """The chance that it costs least; None for an alternative."""
    curve: VolumeCurve
    """The total by the answers in the first month: `curve.at(volume)`."""
    by_month: tuple[float, ...]
    """Spent until the start, until the end of month 1, and so on."""
    swings: tuple[Swing, ...]
    """How far each input alone moves the total, the widest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheapestRange:
    """The volumes around the present one at which the cheapest arm stays the cheapest."""

    low: float
    """0 where nothing is cheaper below."""
    below: str | None
    """The arm that is cheaper under `low`."""
    high: float | None
    """None: without an end."""
    above: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """All totals side by side."""

    currency: str
    months: int
    volume: float
    """Answers in the first month."""
    arms: tuple[ArmOwnership, ...]
    """In the order they were given."""
    alternatives: tuple[ArmOwnership, ...]
    cheapest: str
    chance: float
    """The chance that `cheapest` costs least of the arms."""
    range: CheapestRange
    over_volume: tuple[BreakEven, ...]
    """Of every pair of arms."""
    over_time: tuple[BreakEven, ...]
    alternatives_over_volume: tuple[BreakEven, ...]
    """Of every alternative with the arm as it was measured, in the order of the alternatives."""
    runner_up: str | None
    gap: float
    """How much more the runner-up costs."""
    gap_swings: tuple[Swing, ...]
    """How far each input alone moves the gap, the widest first. Below zero, the runner-up is the cheaper."""
    inputs: Mapping[str, CostInput]
    draws: int
    notes: tuple[str, ...]

    def arm(self, name: str) -> ArmOwnership:
        """Return an arm, or an alternative, by its name."""
        return next(each for each in (*self.arms, *self.alternatives) if each.name == name)


def ownership(case: MoneyCase) -> Ownership:
    """Return the total cost of every arm over the time of the case, with crossings, bands and swings."""
    simulation = simulate_totals(case.plans, case.inputs, case.trials)
    values = likely_values(case.inputs)

    def price(plan: ArmPlan) -> ArmOwnership:
        timeline = make_timeline(case.trials.months, growth=values[plan.growth], discount=case.trials.discount)
        rows = cost_rows(plan, values, timeline)
        total, competes = math.fsum(row.amount for row in rows), plan.name in simulation.totals
        return ArmOwnership(
            name=plan.name,
            measured_as=plan.measured_as,
            rows=rows,
            total=total,
            per_right_answer=_per_right_answer(plan.name, total / (values[plan.volume] * sum(timeline.volumes))),
            band=simulation.band(plan.name) if competes else exact(total),
            chance=simulation.chances.get(plan.name),
            curve=volume_curve(plan, values, timeline),
            by_month=cumulative_costs(plan, values, timeline),
            swings=plan_swings(plan, case.inputs, case.trials),
        )

    def _per_right_answer(name: str, cost: float) -> float | None:
        accuracy = case.accuracy.get(name)
        return cost / accuracy if accuracy else None

    arms = tuple(price(plan) for plan in case.plans)
    first, *others = sorted(arms, key=lambda arm: arm.total)
    pairs = list(combinations(arms, 2))
    over_volume = tuple(_cross(left, right) for left, right in pairs)
    alternatives = tuple(price(plan) for plan in case.alternatives)
    by_name = {arm.name: arm for arm in arms}
    plans = {plan.name: plan for plan in case.plans}
    second = others[0] if others else None
    volume = values[case.plans[0].volume]
    return Ownership(
        currency=case.currency,
        months=case.trials.months,
        volume=volume,
        arms=arms,
        alternatives=alternatives,
        alternatives_over_volume=tuple(_cross(other, by_name[other.measured_as]) for other in alternatives),
        cheapest=first.name,
        chance=first.chance or 0.0,
        range=cheapest_range(first.name, volume, over_volume),
        over_volume=over_volume,
        over_time=tuple(
            time_break_even((left.name, left.by_month), (right.name, right.by_month)) for left, right in pairs
        ),
        runner_up=second.name if second else None,
        gap=second.total - first.total if second else 0.0,
        gap_swings=gap_swings(plans[second.name], plans[first.name], case.inputs, case.trials) if second else (),
        inputs=case.inputs,
        draws=len(simulation.totals[first.name]),
        notes=case.notes,
    )


def _cross(left: ArmOwnership, right: ArmOwnership) -> BreakEven:
    return volume_break_even(NamedCurve(left.name, left.curve), NamedCurve(right.name, right.curve))


def cheapest_range(cheapest: str, volume: float, crossings: Sequence[BreakEven]) -> CheapestRange:
    """Return the volumes around `volume` between which no other arm is cheaper than the cheapest."""
    low, below, high, above = 0.0, None, math.inf, None
    for pair in crossings:
        if cheapest not in (pair.left, pair.right):
            continue
        other = pair.right if pair.left == cheapest else pair.left
        for crossing in pair.crossings:
            is_here = math.isclose(crossing.at, volume)  # rounding may put it on either side
            if crossing.after == cheapest and low < crossing.at and (crossing.at <= volume or is_here):
                low, below = crossing.at, other
            if crossing.before == cheapest and crossing.at < high and (crossing.at >= volume or is_here):
                high, above = crossing.at, other
    return CheapestRange(low=low, below=below, high=None if high == math.inf else high, above=above)

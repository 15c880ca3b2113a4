"""How sure a total is: every uncertain input is drawn many times, and each is moved alone from its low to its high end.

Inputs are drawn from the beta-PERT distribution (Malcolm et al., 1959: "Application of a technique for research and
development program evaluation"), with its usual weight of 4 on the likeliest value. Against the triangular one it puts
less on the ends, which people tend to name as the worst and the best that could ever be.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from weighbridge.decide.money.ledger import ArmPlan, Band, CostInput, Values, likely_values, make_timeline, total_cost

PERT_WEIGHT = 4.0
LOW_SHARE, HIGH_SHARE = 0.05, 0.95
"""The ends of a band of totals: 90 % of the draws lie between them."""


def draw_pert(band: Band, random: Random) -> float:
    """Return a value of the beta-PERT distribution; the likeliest itself where the band has no width."""
    width = band.high - band.low
    if not width:
        return band.likely
    rise = PERT_WEIGHT * (band.likely - band.low) / width
    fall = PERT_WEIGHT * (band.high - band.likely) / width
    return band.low + width * random.betavariate(1 + rise, 1 + fall)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The totals of all draws."""

    totals: Mapping[str, tuple[float, ...]]
    """For each arm, in the order of the draws. One draw has the same volume and prices for every arm."""
    chances: Mapping[str, float]
    """For each arm: the share of the draws in which it costs least. Ties are shared out."""

    def band(self, name: str) -> Band:
        """Return the 5th, 50th and 95th percentile of the totals of an arm."""
        ordered = sorted(self.totals[name])
        low, middle, high = (ordered[round(share * (len(ordered) - 1))] for share in (LOW_SHARE, 0.5, HIGH_SHARE))
        return Band(low, middle, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How to draw."""

    draws: int
    seed: int
    months: int
    discount: float
    """A share a year. It is a choice and not a guess, so nothing is drawn for it."""


def simulate_totals(plans: Sequence[ArmPlan], inputs: Mapping[str, CostInput], trials: Trials) -> Simulation:
    """Return the totals of every plan under many draws of all its inputs, and how often each plan costs least."""
    random = Random(trials.seed)  # noqa: S311 - not for secrets
    totals: dict[str, list[float]] = {plan.name: [] for plan in plans}
    wins = dict.fromkeys(totals, 0.0)
    used = frozenset[str]().union(*(plan.inputs for plan in plans))
    bands = {name: given.band for name, given in inputs.items() if name in used}
    uncertain = {name: band for name, band in bands.items() if band.low < band.high}
    values = likely_values(inputs)
    # Without anything to draw, every draw is the closed form, and one is enough.
    for _ in range(trials.draws if uncertain else 1):
        for name, band in uncertain.items():
            values[name] = draw_pert(band, random)
        drawn = {plan.name: _total(plan, values, trials) for plan in plans}
        for name, total in drawn.items():
            totals[name].append(total)
        least = min(drawn.values())
        first = [name for name, total in drawn.items() if total == least]
        for name in first:
            wins[name] += 1 / len(first)
    made = math.fsum(wins.values())
    return Simulation(
        totals={name: tuple(each) for name, each in totals.items()},
        chances={name: won / made for name, won in wins.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """The total with one input at its low and at its high end, all others at their likeliest: a bar of a tornado."""

    input: str
    low: float
    """The total with the input at its low end."""
    likely: float
    """The same for all swings of a total."""
    high: float

    @property
    def width(self) -> float:
        """How far the total moves. Both ends may lie on one side: a third machine makes up for a second elsewhere."""
        return max(self.low, self.likely, self.high) - min(self.low, self.likely, self.high)


def measure_swings(
    total: Callable[[Values], float], inputs: Mapping[str, CostInput], names: Sequence[str]
) -> tuple[Swing, ...]:
    """Return the swings of a total under each named input, the widest first. Inputs that move nothing are left out."""
    likely = likely_values(inputs)
    middle = total(likely)
    swings = [
        Swing(
            input=name,
            low=total(likely | {name: inputs[name].band.low}),
            likely=middle,
            high=total(likely | {name: inputs[name].band.high}),
        )
        for name in names
    ]
    return tuple(sorted((swing for swing in swings if swing.width), key=lambda swing: (-swing.width, swing.input)))


def plan_swings(plan: ArmPlan, inputs: Mapping[str, CostInput], trials: Trials) -> tuple[Swing, ...]:
    """Return the swings of the total of one plan, the widest first."""
    return measure_swings(lambda values: _total(plan, values, trials), inputs, sorted(plan.inputs))


def gap_swings(dearer: ArmPlan, cheaper: ArmPlan, inputs: Mapping[str, CostInput], trials: Trials) -> tuple[Swing, ...]:
    """Return the swings of the difference of two plans: below zero the other one is the cheaper."""

    def gap(values: Values) -> float:
        return _total(dearer, values, trials) - _total(cheaper, values, trials)

    return measure_swings(gap, inputs, sorted(dearer.inputs | cheaper.inputs))


def _total(plan: ArmPlan, values: Values, trials: Trials) -> float:
    timeline = make_timeline(trials.months, growth=values[plan.growth], discount=trials.discount)
    return total_cost(plan, values, timeline)

"""The nouns of a total cost: uncertain inputs, lines that multiply them, and the months they are paid in.

A line is a product of inputs, paid once, every month or for every answer. A machine is the exception: it is rented
whole, so its cost steps up with the volume. Everything else (totals, break-even, bands) follows from the lines.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import mul
from typing import Literal

from weighbridge.errors import UserError

HOURS_A_MONTH = 730.0
"""8,760 hours of a year over twelve months. Cloud providers bill a month of a machine by the same number."""
DAYS_A_MONTH = 365.25 / 12
SECONDS_AN_HOUR = 3600.0
ANSWERING, WAITING = "machine, answering", "machine, waiting"
_ROUNDING = 1e-12
"""A volume that fills a machine exactly must not rent a second one because of the last digit."""

Basis = Literal["measured", "price book", "settings", "scenario"]


@dataclass(frozen=True, slots=True)
class Band:
    """The lowest, the likeliest and the highest value of something uncertain.

    Raises:
        UserError: the values are out of order, negative, or not finite.
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.likely <= self.high < math.inf):
            raise UserError(f"[{self.low:g}, {self.likely:g}, {self.high:g}] must be 0 or more, in rising order")


def exact(value: float) -> Band:
    """Return the band of something certain."""
    return Band(value, value, value)


def around(value: float, spread: float) -> Band:
    """Return the band of a value that may be off by a share of it, either way; `spread` is 0 to 1."""
    return Band(value * (1 - spread), value, value * (1 + spread))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostInput:
    """Something that a cost depends on: its words for people, its unit, its band, and where the numbers are from."""

    label: str
    unit: str
    band: Band
    basis: Basis


Values = Mapping[str, float]
"""One value for each input, by the name of the input."""


def likely_values(inputs: Mapping[str, CostInput]) -> dict[str, float]:
    """Return the likeliest value of each input."""
    return {name: given.band.likely for name, given in inputs.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """A cost that is a product of inputs: `scale * factor * factor ...`, in money each time it is paid."""

    label: str
    """The row it belongs to. Lines of one label add up to one row."""
    timing: Literal["once", "month", "answer"]
    factors: tuple[str, ...]
    """Names of inputs."""
    scale: float = 1.0
    """Converts units: seconds to hours, tokens to millions."""
    month: int = 0
    """For `once`: the month at whose end it is paid. 0 is the start."""

    def amount(self, values: Values) -> float:
        """Return the money of one payment."""
        product = self.scale
        for factor in self.factors:
            product *= values[factor]
        return product


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLine:
    """Rented machines that answer. The fields are names of inputs.

    A month has `HOURS_A_MONTH`. Answers need `seconds / utilisation` each, so that queues stay short. As many machines
    are rented as that takes, at least one; of the hours in which they wait, the share `idle_floor` is paid: all of
    them for a server that is always on (1), none where billing stops between answers (0).
    """

    price: str
    """Money for an hour of one machine."""
    seconds: str
    """Busy seconds of an answer."""
    utilisation: str
    """The share of its time that a machine may be busy, above 0 and at most 1."""
    idle_floor: str
    """0 to 1: the share of the waiting hours that is paid."""

    def load(self, values: Values) -> float:
        """Return the machines that one answer a month occupies."""
        return values[self.seconds] / SECONDS_AN_HOUR / values[self.utilisation] / HOURS_A_MONTH


def machines_needed(load: float) -> int:
    """Return the whole machines for a load in machines, at least one."""
    return max(1, math.ceil(load * (1 - _ROUNDING)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmPlan:
    """Everything that one way of answering costs."""

    name: str
    measured_as: str = ""
    """The measured arm that this is another way to run; empty for an arm itself."""
    lines: tuple[CostLine, ...]
    machine: MachineLine | None = None
    volume: str = "volume"
    """The input with the answers of the first month."""
    growth: str = "growth"
    """The input with the growth of the volume in a year: 0.2 is 20 % more after twelve months."""

    @property
    def inputs(self) -> frozenset[str]:
        """The names of the inputs that it depends on."""
        rented = self.machine
        machine = (rented.price, rented.seconds, rented.utilisation, rented.idle_floor) if rented else ()
        return frozenset((self.volume, self.growth, *machine, *(name for line in self.lines for name in line.factors)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The weights of the months: `discounts[m]` values a payment at the end of month m in today's money.

    `discounts[0]` is 1, for the start. `volumes[m - 1]` is the volume of month m relative to the first.
    """

    discounts: tuple[float, ...]
    volumes: tuple[float, ...]
    monthly: float
    """The weight of a payment in every month: the sum of the discounts."""
    answers: float
    """The weight of a payment for every answer of the first month, and for those of the others as the volume grows."""

    @property
    def months(self) -> int:
        """The number of months."""
        return len(self.volumes)


@lru_cache(maxsize=64)  # a simulation asks for the months of one growth once for every arm
def make_timeline(months: int, *, growth: float = 0.0, discount: float = 0.0) -> Timeline:
    """Return the weights of some months. Growth and discount are rates a year, and compound every month.

    A payment of month m is made at its end, as `numpy_financial.npv` reads a list that begins with today.
    """
    factor, rise = (1 + discount) ** (-1 / 12), (1 + growth) ** (1 / 12)
    discounts = tuple(factor**month for month in range(months + 1))
    volumes = tuple(rise**month for month in range(months))
    return Timeline(
        discounts=discounts,
        volumes=volumes,
        monthly=math.fsum(discounts[1:]),
        answers=math.fsum(map(mul, volumes, discounts[1:])),
    )


@dataclass(frozen=True, slots=True)
class CostRow:
    """A row of the breakdown: money of the whole time, in today's value."""

    label: str
    amount: float


def cost_rows(plan: ArmPlan, values: Values, timeline: Timeline) -> tuple[CostRow, ...]:
    """Return the breakdown of a plan. The total is `math.fsum` of the amounts, by definition."""
    return tuple(CostRow(label, math.fsum(amounts)) for label, amounts in _amounts(plan, values, timeline).items())


def total_cost(plan: ArmPlan, values: Values, timeline: Timeline) -> float:
    """Return the money of the whole time, in today's value: the sum of the rows."""
    return math.fsum(map(math.fsum, _amounts(plan, values, timeline).values()))


def _amounts(plan: ArmPlan, values: Values, timeline: Timeline) -> dict[str, list[float]]:
    """Return the money of every line, by label."""
    answers = values[plan.volume] * timeline.answers
    amounts: dict[str, list[float]] = {}
    for line in plan.lines:
        timing = line.timing
        times = (
            answers if timing == "answer" else timeline.monthly if timing == "month" else timeline.discounts[line.month]
        )
        amounts.setdefault(line.label, []).append(line.amount(values) * times)
    if machine := plan.machine:
        price, floor = values[machine.price], values[machine.idle_floor]
        busy = values[machine.seconds] / SECONDS_AN_HOUR * price * answers
        rented = (1 - floor) * busy / values[machine.utilisation]
        if floor:
            machine_months = _machine_months(machine.load(values) * values[plan.volume], timeline)
            rented += floor * HOURS_A_MONTH * price * machine_months
        amounts.setdefault(ANSWERING, []).append(busy)
        amounts.setdefault(WAITING, []).append(max(0.0, rented - busy))
    return amounts


def _machine_months(load: float, timeline: Timeline) -> float:
    """Return the machines of every month, weighted by its discount and added up. `load` is that of the first month."""
    volumes, discounts = timeline.volumes, timeline.discounts
    if volumes[0] == volumes[-1]:
        return machines_needed(load) * timeline.monthly
    return math.fsum(machines_needed(load * volume) * discounts[month] for month, volume in enumerate(volumes, start=1))


def cumulative_costs(plan: ArmPlan, values: Values, timeline: Timeline) -> tuple[float, ...]:
    """Return the money spent until the start, the end of month 1, and so on: one number more than months."""
    spent = [0.0] * (timeline.months + 1)
    per_month = math.fsum(line.amount(values) for line in plan.lines if line.timing == "month")
    per_answer = math.fsum(line.amount(values) for line in plan.lines if line.timing == "answer")
    for line in plan.lines:
        if line.timing == "once":
            spent[line.month] += line.amount(values)
    for month in range(1, timeline.months + 1):
        answers = values[plan.volume] * timeline.volumes[month - 1]
        spent[month] += per_month + per_answer * answers
        if machine := plan.machine:
            floor, load = values[machine.idle_floor], machine.load(values) * answers
            hours = (1 - floor) * load + floor * machines_needed(load)
            spent[month] += values[machine.price] * HOURS_A_MONTH * hours
    total, path = 0.0, []
    for payment, discount in zip(spent, timeline.discounts, strict=True):
        total += payment * discount
        path.append(total)
    return tuple(path)


@dataclass(frozen=True, slots=True)
class CostStep:
    """A cost that rises by `weight` each time the volume fills another machine: `weight * machines(load * volume)`."""

    weight: float
    load: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeCurve:
    """The total cost as a function of the answers in the first month: a line, and steps for rented machines."""

    fixed: float
    slope: float
    steps: tuple[CostStep, ...] = ()

    def at(self, volume: float) -> float:
        """Return the total cost at a volume."""
        stairs = (step.weight * machines_needed(step.load * volume) for step in self.steps)
        return math.fsum((self.fixed, self.slope * volume, *stairs))


def volume_curve(plan: ArmPlan, values: Values, timeline: Timeline) -> VolumeCurve:
    """Return how the total depends on the volume, all other inputs as given."""
    times = {"month": timeline.monthly, "answer": timeline.answers}
    fixed: list[float] = []
    slope: list[float] = []
    for line in plan.lines:
        amount = line.amount(values) * times.get(line.timing, timeline.discounts[line.month])
        (slope if line.timing == "answer" else fixed).append(amount)
    steps: Iterable[CostStep] = ()
    if machine := plan.machine:
        floor, load, month = values[machine.idle_floor], machine.load(values), HOURS_A_MONTH * values[machine.price]
        slope.append((1 - floor) * load * month * timeline.answers)
        steps = _merge_steps(
            CostStep(floor * month * discount, load * volume)
            for volume, discount in zip(timeline.volumes, timeline.discounts[1:], strict=True)
        )
    return VolumeCurve(fixed=math.fsum(fixed), slope=math.fsum(slope), steps=tuple(steps))


def _merge_steps(steps: Iterable[CostStep]) -> Iterable[CostStep]:
    """Join the steps that rise at the same volumes: without growth, all months do."""
    for load, same in groupby(steps, key=lambda step: step.load):
        weight = math.fsum(step.weight for step in same)
        if weight:
            yield CostStep(weight, load)

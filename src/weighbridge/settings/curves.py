"""Utility curves: how much each figure is worth, from 0 to 1, as points that a person can see and edit.

A curve is a list of [value, utility]. Between its points, seconds, money and bytes are interpolated in the logarithm,
since people notice ratios of these; shares are interpolated linearly. Outside its points a curve stays level.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from weighbridge.figures import FIGURES, FigureKind

Points = tuple[tuple[float, float], ...]

_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """The figure that a priority is judged by, the unit of its curve, and the curve by default."""

    figure: str
    default: Points
    unit: float = 1.0
    """The figure's unit is divided by this one: bytes become GiB."""
    relative: bool = False
    """Whether the default curve is of times the least of the strategies ranked together."""


CRITERIA: Mapping[str, Criterion] = {
    "accuracy": Criterion(figure="accuracy", default=((0.0, 0.0), (1.0, 1.0))),
    "hallucination": Criterion(figure="hallucination", default=((0.0, 1.0), (1.0, 0.0))),
    # A second does not interrupt a person's thought, ten are the limit of attention (Miller 1968; Nielsen, Usability
    # Engineering, 1993, chapter 5). The median, because a 95th percentile rests on too few timings to rank by.
    "latency": Criterion(figure="latency_p50", default=((1.0, 1.0), (10.0, 0.0))),
    # A hundredfold price is worth nothing: chosen, so that a factor of ten costs half of the points.
    "cost": Criterion(figure="cost_per_thousand", default=((1.0, 1.0), (100.0, 0.0)), relative=True),
    # In GiB. One is to spare on nearly every machine; with 64 the answering process needs a machine of its own.
    "memory": Criterion(figure="memory", default=((1.0, 1.0), (64.0, 0.0)), unit=2.0**30),
    # Set-up is repeated when documents change: after a minute the change is live, after a day it is yesterday's.
    "setup": Criterion(figure="setup", default=((60.0, 1.0), (86400.0, 0.0))),
    # Shares of answers: each one with a citation, or without a needless refusal, is worth as much as the next.
    "citation": Criterion(figure="citation", default=((0.0, 0.0), (1.0, 1.0))),
    "needless_abstention": Criterion(figure="needless_abstention", default=((0.0, 1.0), (1.0, 0.0))),
}
"""The priorities of the settings. Evidence recall is none of them: accuracy already shows its effect, and a strategy
that searches for nothing has none."""

USUAL = ("accuracy", "hallucination", "latency", "cost")
"""The priorities that have a weight by default."""
RELATIVE_COST = "relative_cost"
"""The name of a curve of cost in times the cheapest, where `cost` is one in money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A curve as it is used: its points, and how values between them are interpolated."""

    points: Points
    logarithmic: bool
    unit: float = 1.0
    relative: bool = False

    def utility(self, value: float, least: float = 0.0) -> float:
        """Return the utility of a figure's value, 0 to 1; `least` is that of the cheapest, for a relative curve."""
        if self.relative:
            value = value / least if least > 0 else 1.0 if value <= 0 else math.inf
        value /= self.unit
        points = self.points
        if value <= points[0][0]:
            return points[0][1]
        if value >= points[-1][0]:
            return points[-1][1]
        place = bisect_right(points, (value, math.inf))
        (left, before), (right, after) = points[place - 1], points[place]
        if self.logarithmic:
            return before + (after - before) * math.log(value / left) / math.log(right / left)
        return before + (after - before) * (value - left) / (right - left)

    @property
    def slope(self) -> float | None:
        """The slope of a curve that is one straight line over all shares; None where it bends or is logarithmic."""
        (left, before), (right, after) = self.points[0], self.points[-1]
        if self.logarithmic or left > 0 or right < 1:
            return None
        slope = (after - before) / (right - left)
        straight = all(abs(before + slope * (value - left) - worth) < _SAME for value, worth in self.points)
        return slope if straight else None


def curve_for(priority: str, given: Mapping[str, Points]) -> Curve:
    """Return the curve of a priority: the one that the settings name by the priority or its figure, or the default."""
    criterion = CRITERIA[priority]
    logarithmic = FIGURES[criterion.figure].unit != "share"
    if priority == "cost" and RELATIVE_COST in given:
        return Curve(points=given[RELATIVE_COST], logarithmic=logarithmic, relative=True)
    points = given.get(priority, given.get(criterion.figure))
    if points is None:
        return Curve(
            points=criterion.default, logarithmic=logarithmic, unit=criterion.unit, relative=criterion.relative
        )
    return Curve(points=points, logarithmic=logarithmic, unit=criterion.unit)


def curve_problem(name: str, points: Points, others: Collection[str]) -> str:
    """Return what is wrong with a curve and how to mend it; empty for a good one. `others` are all curves' names."""
    priority = next((key for key, one in CRITERIA.items() if name in {key, one.figure}), "")
    priority = "cost" if name == RELATIVE_COST else priority
    if not priority:
        names = ", ".join((*CRITERIA, RELATIVE_COST))
        return f"there is no priority {name!r} to draw a curve for; known are {names}"
    twins = {priority, CRITERIA[priority].figure, RELATIVE_COST if priority == "cost" else priority}
    if len(both := sorted(twins & set(others))) > 1:
        return f"two curves are for {priority}: {' and '.join(both)}; keep one of them"
    return next(_shape_problems(FIGURES[CRITERIA[priority].figure], points), "")


def _shape_problems(kind: FigureKind, points: Points) -> Iterator[str]:
    values, utilities = [value for value, _ in points], [utility for _, utility in points]
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        yield "a curve needs at least two points [value, utility]"
        return
    if not all(map(math.isfinite, (*values, *utilities))):
        yield "every value and utility must be a finite number"
    if any(right <= left for left, right in pairwise(values)):
        yield "the values must rise from point to point"
    if min(utilities) < 0 or max(utilities) > 1:
        yield "every utility must lie between 0 and 1"
    if kind.unit == "share" and (values[0] < 0 or values[-1] > 1):
        yield f"the values of {kind.label} are shares, from 0 to 1"
    if kind.unit != "share" and values[0] <= 0:
        yield f"the values of {kind.label} are interpolated in the logarithm, so the first must be above 0"
    better, turn, sign = ("more", "fall", 1) if kind.higher_is_better else ("less", "rise", -1)
    if any(sign * (right - left) < 0 for left, right in pairwise(utilities)):
        yield f"{better} {kind.label} is better, so the utility must not {turn} from point to point"
    if max(utilities) == min(utilities):
        yield "the curve is level and tells no strategies apart; give the priority a weight of 0 instead"

"""Swing weighting: the weight of a figure follows from the worth of its improvement from its worst to its best.

People who are asked for "the importance" of a figure do not think of its range, and so overrate figures that hardly
differ. Asked for the worth of an improvement, they do (von Winterfeldt and Edwards, Decision Analysis and Behavioral
Research, 1986, chapter 8). The improvement that is worth most counts 100, each other one 0 to 100 beside it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.decide.points import judged_value
from weighbridge.errors import UserError
from weighbridge.results import Measurement
from weighbridge.settings.curves import CRITERIA, USUAL, curve_for
from weighbridge.settings.needs import Needs

MOST = 100.0
_SAME = 1e-9
"""A span of utility below this is none: the strategies earn the same points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwingRange:
    """The worst and the best of a figure, and how far apart they are in utility."""

    priority: str
    worst: float
    best: float
    """In the unit of the figure, a failed attempt as a wrong answer; for a cost that was not measured, in times the
    cheapest."""
    span: float
    """The utility of the best minus that of the worst, above 0 and at most 1."""
    measured: bool
    """Whether strategies were measured at both ends; otherwise these are the ends of the curve."""


def asked_priorities(needs: Needs) -> tuple[str, ...]:
    """Return the priorities to ask about: the usual ones, and those that have a weight already."""
    return tuple(name for name in CRITERIA if name in USUAL or getattr(needs.priorities, name) > 0)


def swing_ranges(
    priorities: Sequence[str], needs: Needs, measurements: Sequence[Measurement]
) -> tuple[SwingRange, ...]:
    """Return the range of each priority: of the strategies as measured, or of its curve where they do not differ."""
    return tuple(_measured_range(name, needs, measurements) or _curve_range(name, needs) for name in priorities)


def swing_weights(worths: Mapping[str, float], ranges: Sequence[SwingRange]) -> dict[str, float]:
    """Return the weight of each priority, as a share of all weights.

    `worths` are those of the improvements, 0 to 100. A weight counts for the whole curve, so the worth of a part of
    it is divided by the utility of that part.

    Raises:
        UserError: a worth is missing, out of bounds or of no priority, or all are 0.
    """
    known = [one.priority for one in ranges]
    for name, worth in worths.items():
        if name not in known:
            raise UserError(f"swing: there is no priority '{name}'; asked are {', '.join(known)}")
        if not 0 <= worth <= MOST:
            raise UserError(f"swing: {name}: {worth:g} is not between 0 and 100")
    if missing := [name for name in known if name not in worths]:
        raise UserError(f"swing: {missing[0]} is missing; say what its improvement is worth, 0 to 100")
    parts = {one.priority: worths[one.priority] / one.span for one in ranges}
    total = math.fsum(parts.values())
    if total <= 0:
        raise UserError("swing: every improvement is worth 0; give the one you would make first 100")
    return {name: part / total for name, part in parts.items()}


def implied_worths(ranges: Sequence[SwingRange], needs: Needs) -> dict[str, float]:
    """Return the worths that the present weights imply, the largest 100; whole numbers, as defaults for a person."""
    parts = {one.priority: getattr(needs.priorities, one.priority) * one.span for one in ranges}
    most = max(parts.values(), default=0.0)
    return {name: float(round(MOST * part / most)) if most > 0 else MOST for name, part in parts.items()}


def _measured_range(name: str, needs: Needs, measurements: Sequence[Measurement]) -> SwingRange | None:
    curve = curve_for(name, needs.curves)
    values = [value for one in measurements if (value := judged_value(name, one)) is not None]
    if not values:
        return None
    ranked = sorted((curve.utility(value, min(values)), value) for value in values)
    span = ranked[-1][0] - ranked[0][0]
    if span <= _SAME:
        return None
    return SwingRange(priority=name, worst=ranked[0][1], best=ranked[-1][1], span=span, measured=True)


def _curve_range(name: str, needs: Needs) -> SwingRange:
    curve = curve_for(name, needs.curves)
    ranked = sorted((utility, value * curve.unit) for value, utility in (curve.points[0], curve.points[-1]))
    return SwingRange(
        priority=name, worst=ranked[0][1], best=ranked[1][1], span=ranked[1][0] - ranked[0][0], measured=False
    )

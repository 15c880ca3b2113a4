"""Where two costs cross: over the volume, and over the months. Exact, because both are lines with steps."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from weighbridge.decide.money.ledger import VolumeCurve

_MOST_STEPS = 5_000
"""Steps to walk through: milliseconds. Costs that still cross beyond it differ by one machine in thousands."""
_EQUAL = 1e-9
"""Costs that differ by a smaller share than this are equal: rounding, and far below a cent in a million."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A point from which on the other one is the cheaper."""

    at: float
    before: str
    """The cheaper one below this point."""
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """All crossings of two costs. `left` and `right` are in the order of the alphabet."""

    left: str
    right: str
    axis: Literal["volume", "months"]
    """Answers in the first month, or months since the start."""
    crossings: tuple[Crossing, ...]
    cheaper: str | None
    """The cheaper one where nothing crosses; None where both cost the same, or where they cross."""
    up_to: float | None
    """The crossings are complete up to here; None: there are no others at all."""


@dataclass(frozen=True, slots=True)
class NamedCurve:
    """The cost of an arm as a function of the volume."""

    name: str
    curve: VolumeCurve


def volume_break_even(one: NamedCurve, other: NamedCurve) -> BreakEven:
    """Return the volumes at which two arms cost the same, from 0 up. The order of the two does not matter.

    Between the steps both are lines, so each crossing is the solution of an equation or stands at a step. Far out the
    slopes decide: beyond the volume where they outweigh all fixed costs and one machine more, nothing crosses.
    """
    left, right = sorted((one, other), key=lambda each: each.name)
    reach, complete = _farthest_crossing(left.curve, right.curve)
    signs = _walk_signs(_volume_points(left.curve, right.curve, reach))
    return _assemble(left.name, right.name, signs, "volume", None if complete else reach)


def time_break_even(one: tuple[str, Sequence[float]], other: tuple[str, Sequence[float]]) -> BreakEven:
    """Return the months at which two arms have cost the same since the start. The order of the two does not matter.

    Each arm is its name and its cumulative costs: at the start, after month 1, and so on. Within a month the costs
    grow evenly.
    """
    (left, left_costs), (right, right_costs) = sorted((one, other))
    points = [
        (float(month), a - b, abs(a) + abs(b)) for month, (a, b) in enumerate(zip(left_costs, right_costs, strict=True))
    ]
    return _assemble(left, right, _walk_signs(points), "months", points[-1][0])


Point = tuple[float, float, float]
"""A place on the axis, the difference of the costs there, and their size."""


def _farthest_crossing(left: VolumeCurve, right: VolumeCurve) -> tuple[float, bool]:
    """Return a volume beyond which nothing crosses, and whether it is that, or only as far as we look."""
    slopes = [curve.slope + math.fsum(s.weight * s.load for s in curve.steps) for curve in (left, right)]
    rooms = [math.fsum(step.weight for step in curve.steps) for curve in (left, right)]
    gap, difference = left.fixed - right.fixed, slopes[0] - slopes[1]
    loads = math.fsum(step.load for curve in (left, right) for step in curve.steps)
    farthest = _MOST_STEPS / loads if loads else math.inf
    if abs(difference) <= _EQUAL * max(slopes):
        return (farthest, False) if any(rooms) and loads else (1.0, True)
    # A number of machines lies between the load and the load plus one, so each cost lies in a band around a line.
    bounds = (rooms[1] - gap) / difference, -(rooms[0] + gap) / difference
    needed = 1.0 + 2 * max(0.0, *bounds)
    return (needed, True) if needed <= farthest else (farthest, False)


def _volume_points(left: VolumeCurve, right: VolumeCurve, reach: float) -> Iterable[Point]:
    """Yield the difference at both ends of every stretch without a step, from 0 to `reach`."""
    jumps: dict[float, float] = {}
    for sign, curve in ((1, left), (-1, right)):
        for step in curve.steps:
            for number in range(1, math.ceil(step.load * reach)):
                place = float(f"{number / step.load:.12g}")  # both sides of one step, whatever their last digits
                jumps[place] = jumps.get(place, 0.0) + sign * step.weight
    rented = [math.fsum(step.weight for step in curve.steps) for curve in (left, right)]
    level = left.fixed - right.fixed + rented[0] - rented[1]
    slope, size = left.slope - right.slope, left.fixed + right.fixed + sum(rented)
    steep = left.slope + right.slope
    yield 0.0, level, size
    for place, weight in sorted(jumps.items()):
        yield place, level + slope * place, size + steep * place
        level, size = level + weight, size + abs(weight)
        yield place, level + slope * place, size + steep * place
    yield reach, level + slope * reach, size + steep * reach


def _walk_signs(points: Iterable[Point]) -> list[tuple[float, int]]:
    """Return the changes of the cheaper one: where it begins to be cheaper, and the sign of the difference from there.

    The first entry is the start. A difference of nothing changes nothing: costs that only touch do not cross.
    """
    changes: list[tuple[float, int]] = []
    points = list(points)
    for earlier, later in pairwise([points[0], *points]):
        difference, size = later[1], later[2]
        sign = 0 if abs(difference) <= _EQUAL * size else 1 if difference > 0 else -1
        if not sign or (changes and changes[-1][1] == sign):
            continue
        place = later[0]
        if changes and earlier[1] != difference and later[0] > earlier[0]:
            share = earlier[1] / (earlier[1] - difference)
            place = earlier[0] + min(1.0, max(0.0, share)) * (later[0] - earlier[0])
        changes.append((place if changes else 0.0, sign))
    return changes


def _assemble(
    left: str, right: str, changes: Sequence[tuple[float, int]], axis: Literal["volume", "months"], up_to: float | None
) -> BreakEven:
    names = {-1: left, 1: right}
    crossings = tuple(Crossing(at, names[sign], names[after]) for (_, sign), (at, after) in pairwise(changes))
    cheaper = names[changes[0][1]] if len(changes) == 1 else None
    return BreakEven(left=left, right=right, axis=axis, crossings=crossings, cheaper=cheaper, up_to=up_to)

"""A total cost in sentences, the same for the terminal and for the report."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from weighbridge.decide.money.break_even import BreakEven
from weighbridge.decide.money.ledger import CostRow
from weighbridge.decide.money.ownership import Ownership
from weighbridge.decide.money.uncertainty import Swing
from weighbridge.formatting import NB, Scale, money_scale, percentage

_WHOLE = 1000
"""From here on, cents say nothing in a total."""
_CLOSE = 0.005
"""Totals that differ by less than this share of them are called about the same: no assumption here is that good."""
_REAL = 0.05
"""A gap between two about equal totals that may become this share of them is worth a look."""
_TELLING = 0.0005
"""A number that moves a total by less than this share of it is not worth a line."""
_FEW = 4
"""Stretches that a sentence names."""
_NEAR = 1.1
"""Crossings within a tenth of each other count as one stretch: a volume is never known that well."""


def total_scale(size: float, currency: str) -> Scale:
    """Return the scale for totals of this size: whole units from a thousand on, else as other money."""
    scale = money_scale(abs(size), currency)
    return replace(scale, decimals=0) if abs(size) >= _WHOLE else scale


def write_total(amount: float, currency: str) -> str:
    """Return a total with its currency."""
    return total_scale(amount, currency).write(amount)


def write_years(months: int) -> str:
    """Return a time in words: 3 years, 18 months."""
    if months % 12 == 0:
        return "1 year" if months == 12 else f"{months // 12} years"  # noqa: PLR2004 - months of a year
    return f"{months} months" if months > 1 else "1 month"


def write_volume(answers: float) -> str:
    """Return a volume a month, to three digits that tell."""
    if answers >= _WHOLE:
        digits = max(0, math.floor(math.log10(answers)) - 3)
        answers = round(answers / 10**digits) * 10**digits
    return f"{answers:,.0f}{NB}answers a month"


def cost_headline(own: Ownership) -> tuple[str, ...]:
    """Return the result in sentences: the cheapest at this volume, the range in which it is, and how sure that is."""
    arm = own.arm(own.cheapest)
    total = write_total(arm.total, own.currency)
    if own.draws > 1:
        scale = total_scale(arm.total, own.currency)
        total += f" ({scale.number(arm.band.low)} to {scale.number(arm.band.high)} with a chance of 90{NB}%)"
    verb = "costs" if len(own.arms) == 1 else "costs least"
    first = f"Over {write_years(own.months)} at {write_volume(own.volume)}, {own.cheapest} {verb}: {total}."
    if own.runner_up is None:
        return (first,)
    return (first, _range_sentence(own), _chance_sentence(own), *_right_answers(own))


def _right_answers(own: Ownership) -> Iterator[str]:
    """Yield the arm that is the cheapest for each right answer, where that is another one."""
    costs = {arm.name: arm.per_right_answer for arm in own.arms if arm.per_right_answer is not None}
    best = min(costs, key=costs.__getitem__, default=own.cheapest)
    if best != own.cheapest:
        written = [
            money_scale(costs[name], own.currency).write(costs[name]) for name in (best, own.cheapest) if name in costs
        ]
        than = f", {own.cheapest} {written[1]}" if len(written) > 1 else ""
        yield f"Counting right answers alone, {best} is the cheapest: one costs {written[0]}{than}."


def _range_sentence(own: Ownership) -> str:
    given = own.range
    low = write_volume(given.low) if given.below else ""
    high = write_volume(given.high) if given.above and given.high is not None else ""
    if low and high:
        return f"Nothing costs less from {low} (below it, {given.below} does) to {high} (above it, {given.above} does)."
    if low:
        return f"Nothing costs less from {low} on; below it, {given.below} does."
    if high:
        return f"Nothing costs less up to {high}; above it, {given.above} does."
    least = min((pair.up_to for pair in own.over_volume if pair.up_to), default=None)
    return f"Nothing costs less at any volume{'' if least is None else f' up to {write_volume(least)}'}."


def _chance_sentence(own: Ownership) -> str:
    if own.gap < _CLOSE * own.arm(own.cheapest).total:
        return f"{own.runner_up} costs about the same: the difference is {write_total(own.gap, own.currency)}."
    following = f"the next is {own.runner_up}, for {write_total(own.gap, own.currency)} more"
    if own.draws == 1:
        return f"T{following[1:]}. No number has a spread, so nothing says how sure this is."
    return f"The chance that it is the cheapest is {percentage(own.chance)}; {following}."


def break_even_sentence(by_volume: BreakEven, by_time: BreakEven, own: Ownership) -> str:
    """Return where two arms cost the same, over the volume and over the time, or that they never do."""
    names = f"{by_volume.left} and {by_volume.right}"
    if not by_volume.crossings:
        reach = "any volume" if by_volume.up_to is None else f"any volume up to {write_volume(by_volume.up_to)}"
        if by_volume.cheaper is None:
            return f"{names} cost the same at {reach}."
        sentence = f"{names} have no break-even at {reach}: {by_volume.cheaper} never costs more"
    else:
        sentence = f"{names}: {_volume_parts(by_volume)}"
    return f"{sentence}. {_time_part(by_time, own)}"


def _volume_parts(pair: BreakEven) -> str:
    """Return who is the cheaper from volume to volume. Crossings close to each other are one stretch of turns."""
    parts, place, crossings = [], 0, pair.crossings
    while place < len(crossings):
        last = place
        while last + 1 < len(crossings) and crossings[last + 1].at < _NEAR * crossings[last].at:
            last += 1
        parts.append(f"up to {write_volume(crossings[place].at)} {crossings[place].before} is the cheaper")
        if last > place:
            parts.append(f"up to {write_volume(crossings[last].at)} they take turns")
        place = last + 1
    if len(parts) > _FEW:
        parts = [*parts[:_FEW], f"and so on, with {len(crossings)} changes in all"]
    return "; ".join((*parts, f"beyond that {crossings[-1].after} is"))


def _time_part(pair: BreakEven, own: Ownership) -> str:
    at = f"At {write_volume(own.volume)}"
    if pair.cheaper:
        return f"{at}, {pair.cheaper} has cost less in every month."
    if not pair.crossings:
        return f"{at}, they cost the same."
    last = pair.crossings[-1]
    month = max(1, math.ceil(last.at))
    return f"{at}, {last.after} has paid for itself in month {month} of {own.months}."


def telling_swings(own: Ownership) -> tuple[str, tuple[Swing, ...]]:
    """Return the swings that say most about the decision, below a heading.

    They are those of the gap between the two cheapest, or of the cheapest total where that gap never is a real one.
    """
    total = own.arm(own.cheapest).total
    if own.gap >= _CLOSE * total or any(swing.width >= _REAL * total for swing in own.gap_swings):
        heading = f"{own.runner_up} costs so much more than {own.cheapest} if one number alone goes to its ends:"
        swings = own.gap_swings
    else:
        heading, swings = (
            f"The total of {own.cheapest} if one number alone goes to its ends:",
            own.arm(own.cheapest).swings,
        )
    return heading, tuple(swing for swing in swings if swing.width >= _TELLING * total)


def pairs_with(own: Ownership, name: str) -> Iterator[tuple[BreakEven, BreakEven]]:
    """Yield the break-evens of an arm with every other, over the volume and over the time."""
    for by_volume, by_time in zip(own.over_volume, own.over_time, strict=True):
        if name in (by_volume.left, by_volume.right):
            yield by_volume, by_time


def rounded_amounts(rows: Sequence[CostRow], scale: Scale) -> tuple[float, ...]:
    """Return the amounts of rows, rounded so that a reader who adds them up gets the rounded total.

    Each is rounded down; then those with the largest rest are rounded up until the sum is right.
    """
    unit = scale.divisor / 10**scale.decimals
    units = [row.amount / unit for row in rows]
    floors = [math.floor(amount) for amount in units]
    short = round(math.fsum(units)) - sum(floors)
    by_rest = sorted(range(len(rows)), key=lambda place: floors[place] - units[place])
    for place in by_rest[:short]:
        floors[place] += 1
    return tuple(whole * unit for whole in floors)


def alternative_sentence(by_volume: BreakEven, own: Ownership, name: str) -> str:
    """Return how an alternative compares with the arm as measured: at this volume, and where that changes."""
    other = own.arm(name)
    measured = own.arm(other.measured_as)
    scale = total_scale(max(other.total, measured.total), own.currency)
    change = other.total - measured.total
    words = f"{scale.write(abs(change))} {'more' if change > 0 else 'less'}"
    if not round(abs(change) * 10**scale.decimals):
        words = "the same"
    following = next((crossing for crossing in by_volume.crossings if crossing.at > own.volume), None)
    if following is None:
        return words
    return f"{words}; {'cheaper' if following.after == name else 'dearer'} from {write_volume(following.at)}"

"""Figures as people read them: a value in its unit, with the interval it may really lie in. Reports use these too.

Everything here returns one line of plain text. A number is joined to its unit, and to its interval, by no-break spaces.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from weighbridge.figures import FigureKind
from weighbridge.results import Estimate
from weighbridge.verdicts import LeadVerdict

NB = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

_SYMBOLS = {"USD": "$", "EUR": "\N{EURO SIGN}", "GBP": "\N{POUND SIGN}"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MIB, _GIB = 2.0**20, 2.0**30
_SMALL_SHARE = 0.00995
"""Below this, and as near to all, a share is given to a tenth of a percent."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers of one figure are written: divided, rounded, and put between two texts."""

    divisor: float
    decimals: int
    before: str = ""
    after: str = ""

    def number(self, value: float) -> str:
        """Return the bare number; a value that rounds to zero has no sign."""
        text = f"{value / self.divisor:,.{self.decimals}f}"
        if text.startswith("-"):
            return MINUS + text[1:] if text.strip("-0.,") else text[1:]
        return text

    def write(self, value: float) -> str:
        """Return the number between its two texts, the sign in front of both."""
        text = self.number(value)
        return MINUS + self.before + text[1:] + self.after if text[0] == MINUS else self.before + text + self.after


def scale(kind: FigureKind, value: float, currency: str = "USD") -> Scale:
    """Return the scale for writing a value and the interval around it."""
    size = abs(value)
    match kind.unit:
        case "share":
            return _share(size)
        case "seconds":
            return _seconds(size)
        case "bytes":
            return Scale(_GIB, 2, after=f"{NB}GiB") if size >= _GIB else Scale(_MIB, 0, after=f"{NB}MiB")
        case "tokens":
            return Scale(1, 0 if size >= 20 or size == 0 else 1)  # noqa: PLR2004 - below 20, a tenth of a token tells
        case "money":
            return money_scale(size, currency)


def write_amount(kind: FigureKind, value: float, currency: str = "USD") -> str:
    """Return a value in its unit: ``46 %``, ``1.32 s``, ``412 MiB``, ``$0.021``."""
    return scale(kind, value, currency).write(value)


def interval(kind: FigureKind, estimate: Estimate, currency: str = "USD") -> str:
    """Return the bounds of an estimate on its value's scale, with a dash between; empty where both are the value.

    One that nothing bounds from above has its low end only: ``1.10 or more``.
    """
    written = scale(kind, estimate.value, currency)
    if estimate.open_above:
        return f"{written.number(estimate.low)}{NB}or{NB}more"
    if estimate.low == estimate.value == estimate.high:
        return ""
    return f"{written.number(estimate.low)}{DASH}{written.number(estimate.high)}"


def figure(kind: FigureKind, estimate: Estimate, currency: str = "USD") -> str:
    """Return an estimate with its 95 % interval: ``46 % (38-54)`` with a dash."""
    bounds = interval(kind, estimate, currency)
    value = write_amount(kind, estimate.value, currency)
    return f"{value}{NB}({bounds})" if bounds else value


def write_difference(
    kind: FigureKind, estimate: Estimate, currency: str = "USD", *, unit: str = f"percentage{NB}points"
) -> str:
    """Return a difference with its sign and interval: ``+8 percentage points (-2 to +18)``.

    `unit` is that of differences of shares, never "points" alone: these are the decision's.
    """
    written = scale(kind, estimate.value, currency)
    if kind.unit == "share":
        written = Scale(0.01, written.decimals, after=f"{NB}{unit}")
    bounds = [with_sign(written.number(bound)) for bound in (estimate.low, estimate.high)]
    return f"{with_sign(written.write(estimate.value))}{NB}({bounds[0]}{NB}to{NB}{bounds[1]})"


def with_sign(text: str) -> str:
    """Return a written number with a plus sign if it is above zero."""
    return text if text[0] == MINUS or not any(digit in text for digit in "123456789") else f"+{text}"


def percentage(value: float) -> str:
    """Return a share as a percentage."""
    return _share(abs(value)).write(value)


def points(total: float) -> str:
    """Return a share of all points, out of a hundred, to a tenth."""
    return Scale(0.01, 1).number(total)


def write_lead(lead: LeadVerdict) -> str:
    """Return a lead in points of 100 with its interval: ``+3.1 points (-0.4 to +6.6)``."""
    value, low, high = (with_sign(points(bound)) for bound in (lead.value, lead.low, lead.high))
    return f"{value}{NB}points" + (f"{NB}({low}{NB}to{NB}{high})" if low != high else "")


def probability(value: float) -> str:
    """Return a p-value: ``p = 0.03``, ``p < 0.001``."""
    if value < 0.001:  # noqa: PLR2004 - the usual floor of what is written
        return f"p{NB}<{NB}0.001"
    return f"p{NB}={NB}{value:.{3 if value < 0.01 else 2}f}"  # noqa: PLR2004 - a third digit near the floor


def write_chance(value: float) -> str:
    """Return a chance as a percentage: ``78 %``, ``under 1 %``, ``over 99 %``; it rests on draws, so no finer."""
    if value < 0.01:  # noqa: PLR2004 - a thousand draws tell no less
        return f"under 1{NB}%"
    return f"over 99{NB}%" if value > 0.99 else f"{100 * value:.0f}{NB}%"  # noqa: PLR2004 - as above


def seconds(value: float) -> str:
    """Return a duration: ``0.84 s``, ``3.5 min``, ``2.1 h``."""
    return _seconds(abs(value)).write(value)


def money_scale(size: float, currency: str) -> Scale:
    """Return the scale of money: cents from one unit up, below it two digits that tell, six decimals at most."""
    decimals = 2 if size >= 1 or size == 0 else min(6, max(2, 1 - math.floor(math.log10(size))))
    symbol = _SYMBOLS.get(currency)
    return Scale(1, decimals, before=symbol) if symbol else Scale(1, decimals, after=f"{NB}{currency}")


def join_words(parts: Sequence[str], last: str = "and") -> str:
    """Return parts as an English list: ``rag, raft and prompt``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def write_day(day: date, *, year: bool = True) -> str:
    """Return a day in words: ``7 Dec 2026``, or ``7 Dec`` without the year."""
    short = f"{day.day}{NB}{_MONTHS[day.month - 1]}"
    return f"{short}{NB}{day.year}" if year else short


def _share(size: float) -> Scale:
    return Scale(0.01, int(0 < min(size, abs(1 - size)) < _SMALL_SHARE), after=f"{NB}%")


def _seconds(size: float) -> Scale:
    steps = (
        (0.0005, Scale(1, 0, after=f"{NB}s")),
        (0.0995, Scale(1, 3, after=f"{NB}s")),
        (9.95, Scale(1, 2, after=f"{NB}s")),
        (119.5, Scale(1, 0, after=f"{NB}s")),
        (5970, Scale(60, 1, after=f"{NB}min")),
    )
    return next((written for below, written in steps if size < below), Scale(3600, 1, after=f"{NB}h"))

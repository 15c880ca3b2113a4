"""How the advisor writes a figure down. `FIGURES` says which unit a figure has."""

from weighbridge.figures import FIGURES
from weighbridge.results import Estimate


def share(value: float) -> str:
    """Return a share as a percentage: whole, or with a decimal below 10."""
    percent = f"{100 * value:.0f}" if abs(value) >= 0.1 else f"{100 * value:.1f}".removesuffix(".0")  # noqa: PLR2004 - ten percent
    return f"{percent} %"


def amount(figure: str, value: float, currency: str = "USD") -> str:
    """Return a value of a figure in its unit."""
    unit = FIGURES[figure].unit
    if unit == "share":
        return share(value)
    if unit == "seconds":
        return f"{_short(value)} s"
    if unit == "bytes":
        return f"{value / 2**30:.1f} GiB"
    return f"{_short(value)} {currency}" if unit == "money" else f"{value:,.0f} tokens"


def with_interval(figure: str, estimate: Estimate, currency: str = "USD") -> str:
    """Return an estimate with its 95 % interval, as "46 % (38 to 54 %)"."""
    value, low, high = (amount(figure, end, currency) for end in (estimate.value, estimate.low, estimate.high))
    if low == high:
        return value
    unit = value.rpartition(" ")[1] + value.rpartition(" ")[2]
    return f"{value} ({low.removesuffix(unit)} to {high})"


def points_apart(difference: Estimate) -> str:
    """Return a difference of shares in percentage points with its interval, as "30 points more (22 to 38)"."""
    value, low, high = (round(100 * end) for end in (difference.value, difference.low, difference.high))
    if value < 0:
        value, low, high = -value, -high, -low
    direction = "more" if difference.value >= 0 else "fewer"
    return f"{value} points {direction} ({low} to {high})"


def probability(p: float) -> str:
    """Return a p-value as it is written."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.01 else f"p = {p:.3f}"  # noqa: PLR2004 - the convention


def listed(names: tuple[str, ...]) -> str:
    """Return names as "a, b and c"."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _short(value: float) -> str:
    """Return a number with the three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits

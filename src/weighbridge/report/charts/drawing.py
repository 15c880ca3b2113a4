"""Charts as inline SVG: no script, no style but the page's classes, told by shape and label as well as by colour.

A series is `s0` to `s4` in the page's palette, and has a shape of its own. Strategies past the fifth repeat the shapes
in other colours: on several base models a shape stands for a strategy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

SHAPES = 5
"""Shapes, and colours of the palette."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A figure on an axis: its value and the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSegment:
    """A part of a stacked bar: a class of the page's style, a count, and its meaning."""

    style: str
    count: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values lie along an axis from 0 to 1, and the ticks on it."""

    low: float
    high: float
    logarithmic: bool
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return where a value lies; one outside the axis lies on its end."""
        if self.logarithmic:
            value = max(value, self.low)
            place = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            place = (value - self.low) / (self.high - self.low)
        return min(max(place, 0.0), 1.0)


def axis(values: Sequence[Reach], *, logarithmic_from: float) -> Axis:
    """Return an axis that holds all values: logarithmic if they are positive and their ratio is large, else from zero.

    The axis is logarithmic where the highest end is at least `logarithmic_from` times the lowest.
    """
    top = max(max(reach.high, reach.value) for reach in values)
    least = min(reach.value for reach in values)
    bottom = min(least, *(reach.low for reach in values if reach.low > 0), math.inf)
    if least > 0 and top / bottom >= logarithmic_from:
        ticks = _steps(bottom, top)
        return Axis(min(bottom * 0.85, ticks[0]), max(top * 1.15, ticks[-1]), logarithmic=True, ticks=ticks)
    step = _round_step(top)
    count = max(1, math.ceil(top * 1.02 / step))
    return Axis(0.0, count * step, logarithmic=False, ticks=tuple(step * n for n in range(count + 1)))


def colour(series: int) -> int:
    """Return the number of a series' colour in the palette. The first 25 series differ in colour or in shape."""
    return (series + series // SHAPES) % SHAPES


def glyph(series: int) -> Markup:
    """Return the small shape that stands for a strategy everywhere on the page."""
    drawn = draw_shape(series, 7, 7, 5)
    return Markup(f'<svg class="glyph s{colour(series)}" width="14" height="14" aria-hidden="true">{drawn}</svg>')  # noqa: S704 - numbers only


def whisker(reach: Reach, along: Axis, series: int) -> Markup:
    """Return a value and its interval as a line as wide as its cell."""
    low, value, high = (percent(along.at(x)) for x in (reach.low, reach.value, reach.high))
    body = (
        '<line class="track" x1="0" x2="100%" y1="6" y2="6"/>'
        f'<line class="reach" x1="{low}" x2="{high}" y1="6" y2="6"/><circle cx="{value}" cy="6" r="3.5"/>'
    )
    return Markup(f'<svg class="whisker s{colour(series)}" width="100%" height="12" aria-hidden="true">{body}</svg>')  # noqa: S704 - numbers only


def difference_bar(reach: Reach, widest: float) -> Markup:
    """Return a difference and its interval on an axis with zero in its middle that reaches `widest` both ways."""
    along = Axis(-widest, widest, logarithmic=False, ticks=())
    low, value, high = (percent(along.at(x)) for x in (reach.low, reach.value, reach.high))
    body = (
        '<line class="track" x1="0" x2="100%" y1="8" y2="8"/><line class="zero" x1="50%" x2="50%" y1="0" y2="16"/>'
        f'<line class="reach" x1="{low}" x2="{high}" y1="8" y2="8"/><circle cx="{value}" cy="8" r="4"/>'
    )
    return Markup(f'<svg class="whisker ink" width="100%" height="16" aria-hidden="true">{body}</svg>')  # noqa: S704 - numbers only


def swing_bar(reach: Reach, along: Axis) -> Markup:
    """Return how far a total moves: from its low end (light) over its value to its high end (dark)."""
    low, value, high = (along.at(x) for x in (reach.low, reach.value, reach.high))
    parts = [
        f'<rect class="{style}" x="{percent(min(end, value))}" width="{percent(abs(end - value))}" y="3" height="12"/>'
        for style, end in (("with-low", low), ("with-high", high))
    ]
    zero = f'<line class="zero" x1="{percent(along.at(0.0))}" x2="{percent(along.at(0.0))}" y1="0" y2="18"/>'
    middle = f'<line class="middle" x1="{percent(value)}" x2="{percent(value)}" y1="0" y2="18"/>'
    crosses = along.low < 0 < along.high
    body = "".join((*parts, zero if crosses else "", middle))
    return Markup(f'<svg class="swing" width="100%" height="18" aria-hidden="true">{body}</svg>')  # noqa: S704 - numbers only


def chance_bar(share: float, series: int) -> Markup:
    """Return a share, 0 to 1, as a bar on a track."""
    body = (
        '<rect class="track" x="0" width="100%" y="4" height="8" rx="4"/>'
        f'<rect class="part" x="0" width="{percent(share)}" y="4" height="8" rx="4"/>'
    )
    return Markup(f'<svg class="chance s{colour(series)}" width="100%" height="16" aria-hidden="true">{body}</svg>')  # noqa: S704 - numbers only


def stacked_bar(segments: Sequence[BarSegment], title: str) -> Markup:
    """Return a bar as wide as its place, cut by counts, each part wide enough with its number in it."""
    total = sum(segment.count for segment in segments) or 1
    told = ", ".join(f"{segment.count} {segment.meaning}" for segment in segments if segment.count)
    start, body = 0, []
    for segment in segments:
        body.append(_segment(segment, start / total, segment.count / total))
        start += segment.count
    label = escape(f"{title}: {told}")
    return Markup(f'<svg class="bar" width="100%" height="28" role="img" aria-label="{label}">{"".join(body)}</svg>')  # noqa: S704 - every text in it is escaped


def _segment(segment: BarSegment, start: float, width: float) -> str:
    if not segment.count:
        return ""
    place = f'x="{percent(start)}" y="0" width="{percent(width)}" height="28"'
    hatch = f'<rect {place} fill="url(#hatch)"/>' if "missed" in segment.style else ""
    wide = 0.06
    number = f'<text x="{percent(start + width / 2)}" y="19">{segment.count}</text>' if width > wide else ""
    told = escape(f"{segment.count} {segment.meaning}")
    return f'<g class="{escape(segment.style)}"><title>{told}</title><rect {place}/>{hatch}{number}</g>'


def draw_shape(series: int, x: float, y: float, size: float) -> str:
    """Draw a circle, square, triangle, diamond or cross of about the same area."""
    corners: Sequence[tuple[float, float]]
    match series % SHAPES:
        case 0:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>'
        case 1:
            corners = ((-0.87, -0.87), (0.87, -0.87), (0.87, 0.87), (-0.87, 0.87))
        case 2:
            corners = ((0, -1.15), (1.1, 0.85), (-1.1, 0.85))
        case 3:
            corners = ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0))
        case _:
            a, b = 0.42, 1.15
            corners = ((-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a),
                       (-a, -a))  # fmt: skip
    return f'<polygon points="{" ".join(f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in corners)}"/>'


def percent(place: float) -> str:
    """Return a place from 0 to 1 as a length in SVG."""
    return f"{100 * place:.2f}%"


def _steps(bottom: float, top: float) -> tuple[float, ...]:
    """Return 1-2-5 steps between the ends, thinned to at most six; where there are too few, those around them."""
    decades = range(math.floor(math.log10(bottom)) - 1, math.ceil(math.log10(top)) + 2)
    steps = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    within = [step for step in steps if bottom * 0.7 <= step <= top * 1.3]
    thinned = within[:: max(1, math.ceil(len(within) / 6))]
    around = (max(step for step in steps if step < bottom), min(step for step in steps if step > top))
    return tuple(thinned) if len(thinned) > 1 else around


def _round_step(top: float) -> float:
    """Return the 1-2-5 step that cuts zero to `top` into four to ten parts; 1 where there is nothing to cut."""
    if top <= 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(top / 4))
    return max(digit * decade for digit in (1, 2, 5) if digit * decade <= top / 4)

"""A scatter chart: shares against a figure, with intervals, labels and the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from weighbridge.report.charts.drawing import Axis, Reach, colour, draw_shape
from weighbridge.report.charts.label_places import LabelBox, place_labels

WIDTH, HEIGHT = 440, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 12, 14, 44
_AREA = LabelBox(_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM)
_MARK = 6.0
_RING = _MARK + 4
_CAP = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One strategy in a scatter chart; `y` is a share."""

    name: str
    series: int
    x: Reach
    y: Reach
    leads: bool = False
    dominated: bool = False
    """Drawn hollow, and not joined to the front."""


def scatter(
    points: Sequence[Point], *, title: str, x_label: str, ticks: Sequence[str], along: Axis, front: bool = False
) -> Markup:
    """Return shares against a figure, each point with both intervals and a label that overlaps no other.

    `ticks` are the words of `along.ticks`. With `front`, a stepped line joins the points that no other beats in both
    directions: further up, and further to the left.
    """
    told = "; ".join(f"{point.name} {point.y.value:.0%}{' (dominated)' if point.dominated else ''}" for point in points)
    parts = [
        _grid(along, ticks),
        _front(points, along) if front else "",
        *(_whiskers(point, along) for point in points),
    ]
    parts += [_mark(point, *_at(point, along)) for point in sorted(points, key=lambda point: point.leads)]
    parts += _labels(points, along)
    parts.append(f'<text class="axis" x="{_AREA.right}" y="{HEIGHT - 6}" text-anchor="end">{escape(x_label)}</text>')
    label = escape(f"{title}: {told}")
    body = "".join(parts)
    return Markup(f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{body}</svg>')  # noqa: S704 - every text in it is escaped


def _at(point: Point, along: Axis) -> tuple[float, float]:
    return _across(along.at(point.x.value)), _up(point.y.value)


def _across(place: float) -> float:
    return _AREA.left + 8 + place * (_AREA.right - _AREA.left - 16)


def _up(share: float) -> float:
    return _AREA.bottom - 6 - min(max(share, 0.0), 1.0) * (_AREA.bottom - _AREA.top - 12)


def _grid(along: Axis, ticks: Sequence[str]) -> str:
    rows = "".join(
        f'<line class="grid" x1="{_AREA.left}" x2="{_AREA.right}" y1="{_up(n / 4):.1f}" y2="{_up(n / 4):.1f}"/>'
        f'<text class="tick" x="{_AREA.left - 8}" y="{_up(n / 4) + 4:.1f}" text-anchor="end">{25 * n}</text>'
        for n in range(5)
    )
    columns = "".join(
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_AREA.top}" y2="{_AREA.bottom}"/>'
        f'<text class="tick" x="{x:.1f}" y="{_AREA.bottom + 17}" text-anchor="middle">{escape(word)}</text>'
        for x, word in ((_across(along.at(tick)), word) for tick, word in zip(along.ticks, ticks, strict=True))
    )
    return f'{rows}{columns}<text class="axis" x="0" y="10">%</text>'


def _front(points: Sequence[Point], along: Axis) -> str:
    steps, best = [], -1.0
    for point in sorted(
        (point for point in points if not point.dominated), key=lambda one: (one.x.value, -one.y.value)
    ):
        if point.y.value > best:
            best = point.y.value
            steps.append(_at(point, along))
    if len(steps) < 2:  # noqa: PLR2004 - a line needs two ends
        return ""
    (x, y), *others = steps
    drawn = f"M{x:.1f} {y:.1f}" + "".join(f"H{right:.1f}V{up:.1f}" for right, up in others)
    return f'<path class="front" d="{drawn}"/>'


def _whiskers(point: Point, along: Axis) -> str:
    x, y = _at(point, along)
    across, upright = _extents(point, along)
    lines = [(x, upright.bottom, x, upright.top), (across.left, y, across.right, y)]
    lines += [(x - _CAP, end, x + _CAP, end) for end in (upright.top, upright.bottom)]
    lines += [(end, y - _CAP, end, y + _CAP) for end in (across.left, across.right) if across.right - across.left > 1]
    drawn = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for a, b, c, d in lines)
    return f'<path class="whiskers s{colour(point.series)}" d="{drawn}"/>'


def _extents(point: Point, along: Axis) -> tuple[LabelBox, LabelBox]:
    """Return where a point's two intervals are drawn: the one across, the one upright."""
    x, y = _at(point, along)
    left, right = _across(along.at(point.x.low)), _across(along.at(point.x.high))
    return LabelBox(left, y - 1, right, y + 1), LabelBox(x - 1, _up(point.y.high), x + 1, _up(point.y.low))


def _mark(point: Point, x: float, y: float) -> str:
    ring = f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="{_RING:.0f}"/>' if point.leads else ""
    hollow = " hollow" if point.dominated else ""
    return f'<g class="mark{hollow} s{colour(point.series)}">{draw_shape(point.series, x, y, _MARK)}{ring}</g>'


def _labels(points: Sequence[Point], along: Axis) -> list[str]:
    marks = [_at(point, along) for point in points]
    lines = [box for point in points for box in _extents(point, along)]
    clear = [(_RING if point.leads else _MARK) + 1 for point in points]
    placed = place_labels([point.name for point in points], marks, _AREA, lines, clear=clear)
    return [
        (f'<path class="leader" d="M{x:.1f} {y:.1f}L{box.middle_x:.1f} {box.middle_y:.1f}"/>' if box.far else "")
        + f'<text class="label{" leads" if point.leads else ""}" x="{box.left + 2:.1f}" y="{box.bottom - 4:.1f}">'
        f"{escape(point.name)}</text>"
        for point, (x, y), box in zip(points, marks, placed, strict=True)
    ]

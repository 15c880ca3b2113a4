"""Costs as lines: over the volume and over the months, with the places where another strategy becomes the cheapest."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from weighbridge.report.charts.drawing import Axis, Reach, colour, draw_shape
from weighbridge.report.charts.label_places import LabelBox

WIDTH, HEIGHT = 440, 320
_AREA = LabelBox(52, 14, WIDTH - 84, HEIGHT - 44)
_MARK = 5.0
_CAP = 3.0
_LETTERS = 14.0
"""The height of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLine:
    """The cost of one strategy along an axis. Its mark stands at `mark`, with a band if there is one."""

    name: str
    series: int
    path: tuple[tuple[float, float], ...]
    """Places along the axis, and the money there."""
    mark: tuple[float, float]
    band: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleOfAxis:
    """An axis with its name and the words of its ticks."""

    axis: Axis
    label: str
    words: tuple[str, ...]

    def right(self, value: float) -> float:
        """Return the pixels from the left for a value on an axis that lies down."""
        return _AREA.left + self.axis.at(value) * (_AREA.right - _AREA.left)

    def down(self, value: float) -> float:
        """Return the pixels from the top for a value on an axis that stands."""
        return _AREA.bottom - self.axis.at(value) * (_AREA.bottom - _AREA.top)


@dataclass(frozen=True, slots=True)
class Notch:
    """A place along the axis that is marked by an upright line and a word."""

    at: float
    word: str
    is_now: bool = False


def money_lines(
    lines: Sequence[MoneyLine], *, title: str, across: ScaleOfAxis, upright: ScaleOfAxis, notches: Sequence[Notch] = ()
) -> Markup:
    """Return costs as lines, each with a mark of its strategy's shape and its name at the end."""
    told = "; ".join(f"{line.name}: {_ends(line, upright)}" for line in lines)
    parts = [_grid(across, upright), *(_notch(notch, across) for notch in notches)]
    parts += [_line(line, across, upright) for line in lines]
    parts += _labels(lines, upright)
    parts.append(
        f'<text class="axis" x="{_AREA.right}" y="{HEIGHT - 6}" text-anchor="end">{escape(across.label)}</text>'
    )
    label = escape(f"{title}. {told}" if told else title)
    body = "".join(parts)
    return Markup(f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{body}</svg>')  # noqa: S704 - every text in it is escaped


def _ends(line: MoneyLine, upright: ScaleOfAxis) -> str:
    first, last = line.path[0][1], line.path[-1][1]
    return f"{first:,.0f} to {last:,.0f} {upright.label}".rstrip()


def _grid(across: ScaleOfAxis, upright: ScaleOfAxis) -> str:
    rows = "".join(
        f'<line class="grid" x1="{_AREA.left}" x2="{_AREA.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_AREA.left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(word)}</text>'
        for y, word in zip(map(upright.down, upright.axis.ticks), upright.words, strict=True)
    )
    columns = "".join(
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_AREA.top}" y2="{_AREA.bottom}"/>'
        f'<text class="tick" x="{x:.1f}" y="{_AREA.bottom + 17}" text-anchor="middle">{escape(word)}</text>'
        for x, word in zip(map(across.right, across.axis.ticks), across.words, strict=True)
    )
    return rows + columns


def _notch(notch: Notch, across: ScaleOfAxis) -> str:
    x = across.right(notch.at)
    anchor = "end" if x > (_AREA.left + _AREA.right) / 2 else "start"
    beside = x - 4 if anchor == "end" else x + 4
    y = _AREA.top + (9 if notch.is_now else 22)
    return (
        f'<line class="{"now" if notch.is_now else "crossing"}" x1="{x:.1f}" x2="{x:.1f}" y1="{_AREA.top}" '
        f'y2="{_AREA.bottom}"/><text class="notch" x="{beside:.1f}" y="{y}" text-anchor="{anchor}">'
        f"{escape(notch.word)}</text>"
    )


def _line(line: MoneyLine, across: ScaleOfAxis, upright: ScaleOfAxis) -> str:
    path = "L".join(f"{across.right(x):.1f} {upright.down(y):.1f}" for x, y in line.path)
    x, y = across.right(line.mark[0]), upright.down(line.mark[1])
    band = ""
    if line.band:
        top, bottom = upright.down(line.band.high), upright.down(line.band.low)
        caps = "".join(f"M{x - _CAP:.1f} {end:.1f}H{x + _CAP:.1f}" for end in (top, bottom))
        band = f'<path class="whiskers" d="M{x:.1f} {top:.1f}V{bottom:.1f}{caps}"/>'
    mark = draw_shape(line.series, x, y, _MARK)
    return (
        f'<g class="cost s{colour(line.series)}"><path class="path" d="M{path}"/>{band}<g class="mark">{mark}</g></g>'
    )


def _labels(lines: Sequence[MoneyLine], upright: ScaleOfAxis) -> list[str]:
    """Return the names at the right ends of the lines, moved apart where they would cover each other."""
    ends = sorted((upright.down(line.path[-1][1]), line.name, line.series) for line in lines)
    places: list[float] = []
    for y, _, _ in ends:
        places.append(max(y, places[-1] + _LETTERS if places else _AREA.top))
    overhang = max(0.0, places[-1] - _AREA.bottom) if places else 0.0
    for number in reversed(range(len(places))):
        below = places[number + 1] - _LETTERS if number + 1 < len(places) else _AREA.bottom
        places[number] = min(places[number], below) if overhang else places[number]
    return [
        f'<path class="leader" d="M{_AREA.right + 1:.1f} {y:.1f}L{_AREA.right + 9:.1f} {place:.1f}"/>'
        f'<text class="label s{colour(series)}" x="{_AREA.right + 11}" y="{place + 4:.1f}">{escape(name)}</text>'
        for (y, name, series), place in zip(ends, places, strict=True)
    ]

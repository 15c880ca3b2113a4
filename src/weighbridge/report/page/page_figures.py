"""The page's figures: every measurement in rows, the charts made of them, and where each strategy fails."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from weighbridge.arms import base_of, bases_of, strategy_of
from weighbridge.figures import FIGURES, FigureKind
from weighbridge.formatting import NB, interval, scale, write_amount
from weighbridge.report.charts.drawing import SHAPES, Axis, BarSegment, Reach, axis, stacked_bar, whisker
from weighbridge.report.charts.scatter import Point, scatter
from weighbridge.report.findings import currency, kinds_taken, notes, why_absent
from weighbridge.report.safe_text import ABSENT, one_line
from weighbridge.results import Estimate, Measurement, Verdict, Weighing

_TAKEN_BY = {"latency_p50": "Accuracy against time", "cost_per_thousand": "Accuracy against cost"}
_LOGARITHMIC_FROM = {"seconds": 1.0, "money": 5.0}
"""Seconds are compared by their ratio; money by its amount, unless some of it would vanish."""
KEY_FIGURES = ("accuracy", "hallucination", "latency_p95", "memory", "cost_per_thousand")
"""The figures that stand under the decision."""
GLANCE = ("accuracy", "hallucination", "latency_p50", "latency_p95", "memory", "cost_per_thousand")
"""The figures of the table at a glance: the priorities and limits that most people set."""
_RETRIEVALS = {"retrieved": "evidence found", "none": "", "missed": "evidence missed"}
_OUTCOMES = ("right", "abstained", "wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureCell:
    """One figure of one strategy, in words and drawn. `note` is the number of the reason for its absence, or 0."""

    strategy: str
    value: str
    bounds: str
    drawn: Markup
    counts: str
    note: int = 0


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of all strategies."""

    kind: FigureKind
    cells: tuple[FigureCell, ...]


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """Figures that belong together under one heading."""

    title: str
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceRow:
    """One strategy at a glance: its verdict, and its cells in the order of the columns."""

    verdict: Verdict
    cells: tuple[FigureCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The strategies side by side in the figures that decide, the best first."""

    kinds: tuple[FigureKind, ...]
    rows: tuple[GlanceRow, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart with its title, and the strategies that could not be in it."""

    title: str
    drawn: Markup
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """The outcomes of one strategy's attempts."""

    strategy: str
    drawn: Markup
    counts: tuple[str, ...]


def series_of(weighing: Weighing) -> Mapping[str, int]:
    """Return the number of each strategy's shape and colour.

    On several base models a shape stands for a strategy, and the colour tells the models apart.
    """
    arms = [measurement.strategy for measurement in weighing.measurements]
    shapes, bases = list(dict.fromkeys(map(strategy_of, arms))), bases_of(arms)
    if len(bases) == 1 or len(shapes) > SHAPES:
        return {arm: place for place, arm in enumerate(arms)}
    return {arm: SHAPES * bases.index(base_of(arm)) + shapes.index(strategy_of(arm)) for arm in arms}


def glance_table(weighing: Weighing, names: Sequence[str] = GLANCE) -> Glance:
    """Return the strategies side by side in some figures, in the order of the decision."""
    measured = {measurement.strategy: measurement for measurement in weighing.measurements}
    taken = [name for name in names if any(name in one.figures for one in measured.values())]
    kinds, money = [FIGURES[name] for name in taken], currency(weighing)
    rows = []
    for verdict in weighing.decision.verdicts:
        figures = measured[verdict.strategy].figures if verdict.strategy in measured else {}
        cells = tuple(
            FigureCell(
                strategy=verdict.strategy,
                value=write_amount(kind, estimate.value, money) if (estimate := figures.get(kind.name)) else ABSENT,
                bounds=interval(kind, estimate, money) if estimate else "",
                drawn=Markup(),
                counts="",
            )
            for kind in kinds
        )
        rows.append(GlanceRow(verdict=verdict, cells=cells))
    return Glance(kinds=tuple(kinds), rows=tuple(rows))


def figure_groups(weighing: Weighing) -> tuple[FigureGroup, ...]:
    """Return every figure that was taken, under three headings."""
    kinds = kinds_taken(weighing)
    answers = [kind for kind in kinds if kind.unit == "share"]
    speed = [kind for kind in kinds if kind.unit == "seconds" and kind.name != "setup"]
    takes = [kind for kind in kinds if kind not in answers and kind not in speed]
    titled = (("How good the answers are", answers), ("How long they take", speed), ("What they need", takes))
    return tuple(FigureGroup(title, tuple(_row(weighing, kind) for kind in rows)) for title, rows in titled if rows)


def scatter_charts(weighing: Weighing) -> tuple[Chart, ...]:
    """Return accuracy against latency and against cost, where two strategies or more have both."""
    charts = (_scatter(weighing, FIGURES[name], title) for name, title in _TAKEN_BY.items())
    return tuple(chart for chart in charts if chart)


def outcome_bars(weighing: Weighing) -> tuple[Bar, ...]:
    """Return the outcomes of each strategy's attempts: evidence found or missed, then right or not."""
    return tuple(_bar(measurement) for measurement in weighing.measurements)


def _row(weighing: Weighing, kind: FigureKind) -> FigureRow:
    taken = [m.figures[kind.name] for m in weighing.measurements if kind.name in m.figures]
    top = 1.0 if kind.unit == "share" else max(max(e.high, e.value) for e in taken) or 1.0
    along = Axis(0.0, top, logarithmic=False, ticks=())
    reasons, series = notes(weighing, kinds_taken(weighing)), series_of(weighing)
    return FigureRow(
        kind,
        tuple(
            _cell(weighing, kind, measurement, series[measurement.strategy], along)
            if kind.name in measurement.figures
            else FigureCell(
                strategy=measurement.strategy, value=ABSENT, bounds="", drawn=Markup(), counts="",
                note=reasons.index(why_absent(kind, measurement)) + 1,
            )
            for measurement in weighing.measurements
        ),
    )  # fmt: skip


def _cell(weighing: Weighing, kind: FigureKind, measurement: Measurement, series: int, along: Axis) -> FigureCell:
    estimate = measurement.figures[kind.name]
    money = currency(weighing)
    unscored = f", {estimate.unscored:,} unscored" if estimate.unscored else ""
    return FigureCell(
        strategy=measurement.strategy,
        value=write_amount(kind, estimate.value, money),
        bounds=interval(kind, estimate, money),
        drawn=whisker(_reach(estimate), along, series),
        counts=f"n {estimate.scored:,}{unscored}" if unscored else "",
    )


def _scatter(weighing: Weighing, kind: FigureKind, title: str) -> Chart | None:
    dominated, series = {place.strategy for place in weighing.decision.front if place.dominated_by}, series_of(weighing)
    points = [
        Point(
            name=one_line(measurement.strategy, 24),
            series=series[measurement.strategy],
            x=_reach(measurement.figures[kind.name]),
            y=_reach(measurement.figures["accuracy"]),
            leads=measurement.strategy == weighing.decision.recommended,
            dominated=measurement.strategy in dominated,
        )
        for measurement in weighing.measurements
        if kind.name in measurement.figures and "accuracy" in measurement.figures
    ]
    if not points:
        return None
    along = axis([point.x for point in points], logarithmic_from=_LOGARITHMIC_FROM[kind.unit])
    ticks = [_tick(kind, tick, along, currency(weighing)) for tick in along.ticks]
    label = f"{kind.label}{', logarithmic' if along.logarithmic else ''} \N{RIGHTWARDS ARROW}"
    drawn = scatter(points, title=title, x_label=label, ticks=ticks, along=along, front=True)
    shown = {point.name for point in points}
    missing = [m.strategy for m in weighing.measurements if one_line(m.strategy, 24) not in shown]
    return Chart(title, drawn, tuple(missing))


def _tick(kind: FigureKind, tick: float, along: Axis, money: str) -> str:
    """Return a round number with the digits it needs: those of the step between ticks, or of itself."""
    written = scale(kind, tick or along.high, money)
    step = (tick if along.logarithmic else along.ticks[1]) / written.divisor
    return replace(written, decimals=max(0, -math.floor(math.log10(step) + 1e-9))).write(tick)


def _bar(measurement: Measurement) -> Bar:
    retrievals = _RETRIEVALS | ({"none": "no evidence named"} if measurement.cites else {})
    known = {
        f"{retrieval}/{outcome}": (f"{outcome} {retrieval}", f"{outcome}, {words}" if words else outcome)
        for retrieval, words in retrievals.items()
        for outcome in _OUTCOMES
    }
    segments = [
        BarSegment(style=style, count=measurement.outcomes.get(key, 0), meaning=meaning)
        for key, (style, meaning) in known.items()
    ]
    left = measurement.attempts - measurement.failures - sum(segment.count for segment in segments)
    segments.append(BarSegment(style="unscored", count=max(left, 0), meaning="unscored"))
    segments.append(BarSegment(style="error", count=measurement.failures, meaning="failed"))
    counts = tuple(f"{segment.count:,} {segment.meaning}".replace(" ", NB) for segment in segments if segment.count)
    return Bar(measurement.strategy, stacked_bar(segments, measurement.strategy), counts)


def _reach(estimate: Estimate) -> Reach:
    return Reach(estimate.value, estimate.low, estimate.high)

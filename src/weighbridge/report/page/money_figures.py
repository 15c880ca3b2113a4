"""The money of the page: totals in rows, costs over volume and over months, and what moves the gap."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from weighbridge.decide.money.break_even import BreakEven
from weighbridge.decide.money.cost_sentences import (
    break_even_sentence,
    cost_headline,
    pairs_with,
    rounded_amounts,
    telling_swings,
    total_scale,
    write_total,
    write_years,
)
from weighbridge.decide.money.ownership import ArmOwnership, Ownership
from weighbridge.decide.money.uncertainty import Swing
from weighbridge.formatting import percentage
from weighbridge.report.charts.drawing import Axis, Reach, axis, swing_bar, whisker
from weighbridge.report.charts.money_lines import MoneyLine, Notch, ScaleOfAxis, money_lines
from weighbridge.report.safe_text import one_line

_SPAN = 100.0
"""The chart over the volume reaches from a hundredth of the present one to a hundredfold: beyond, nobody plans."""
_STEPS = 80
_LOGARITHMIC_FROM = 100.0
"""Totals are compared by their amount, unless the smallest would vanish beside the largest."""
_SWINGS = 8
"""Inputs that the tornado shows. The rest move less than any of these."""
_ONE_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalRow:
    """The total of one arm, in words and drawn."""

    strategy: str
    total: str
    band: str
    chance: str
    drawn: Markup
    is_cheapest: bool
    parts: tuple[tuple[str, str], ...]
    """The rows of the breakdown: label and money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwingRow:
    """One bar of the tornado."""

    label: str
    low: str
    high: str
    drawn: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFigures:
    """Everything that the page says about money."""

    sentences: tuple[str, ...]
    years: str
    rows: tuple[TotalRow, ...]
    alternatives: tuple[TotalRow, ...]
    over_volume: Markup
    over_months: Markup
    break_evens: tuple[str, ...]
    swings: tuple[SwingRow, ...]
    swings_title: str
    runner_up: str
    gap_crosses: bool
    """Whether one input alone can make the runner-up the cheaper."""
    notes: tuple[str, ...]


def money_figures(own: Ownership, series: Mapping[str, int]) -> MoneyFigures:
    """Return the money of the page. `series` are the shapes and colours of the strategies."""
    top = max(arm.band.high for arm in (*own.arms, *own.alternatives)) or 1.0
    along = Axis(0.0, top, logarithmic=False, ticks=())
    heading, swings = telling_swings(own)
    ordered = sorted(own.arms, key=lambda arm: (arm.total, arm.name))
    return MoneyFigures(
        sentences=cost_headline(own),
        years=write_years(own.months),
        rows=tuple(_total_row(arm, own, along, series.get(arm.name, 0)) for arm in ordered),
        alternatives=tuple(
            _total_row(arm, own, along, series.get(arm.name.split(",")[0], 0)) for arm in own.alternatives
        ),
        over_volume=_over_volume(own, series),
        over_months=_over_months(own, series),
        break_evens=tuple(break_even_sentence(*pair, own) for pair in pairs_with(own, own.cheapest)),
        swings=tuple(_swing_rows(own, swings[:_SWINGS])),
        swings_title=heading.rstrip(":"),
        runner_up=own.runner_up or "",
        gap_crosses=any(min(swing.low, swing.high) < 0 for swing in swings[:_SWINGS]),
        notes=own.notes,
    )


def _total_row(arm: ArmOwnership, own: Ownership, along: Axis, series: int) -> TotalRow:
    scale = total_scale(arm.total, own.currency)
    spread = arm.band.low < arm.band.high
    return TotalRow(
        strategy=arm.name,
        total=write_total(arm.total, own.currency),
        band=f"{scale.number(arm.band.low)} to {scale.number(arm.band.high)}" if spread else "",
        chance="" if arm.chance is None or own.draws == 1 else percentage(arm.chance),
        drawn=whisker(Reach(arm.total, arm.band.low, arm.band.high), along, series),
        is_cheapest=arm.name == own.cheapest,
        parts=tuple(
            (row.label, scale.write(amount))
            for row, amount in zip(arm.rows, rounded_amounts(arm.rows, scale), strict=True)
        ),
    )


def _over_volume(own: Ownership, series: Mapping[str, int]) -> Markup:
    low, high = max(1.0, own.volume / _SPAN), max(100.0, own.volume * _SPAN)
    volumes = [low * (high / low) ** (step / _STEPS) for step in range(_STEPS + 1)]
    paths = {arm.name: tuple((volume, arm.curve.at(volume)) for volume in volumes) for arm in own.arms}
    across = axis([Reach(volume, volume, volume) for volume in (low, high)], logarithmic_from=1.0)
    across = Axis(low, high, logarithmic=True, ticks=tuple(tick for tick in across.ticks if low <= tick <= high))
    notches = [Notch(own.volume, "now", is_now=True)]
    notches += [Notch(place, _short_number(place)) for place in _turns(own, own.over_volume) if low <= place <= high]
    return money_lines(
        [
            MoneyLine(
                name=one_line(arm.name, 14),
                series=series.get(arm.name, place),
                path=paths[arm.name],
                mark=(own.volume, arm.curve.at(own.volume)),
            )
            for place, arm in enumerate(own.arms)
        ],
        title="Total cost by the volume",
        across=ScaleOfAxis(
            axis=across, label="answers a month, logarithmic \N{RIGHTWARDS ARROW}", words=_short_numbers(across.ticks)
        ),
        upright=_money_axis(own, [money for path in paths.values() for _, money in path]),
        notches=notches,
    )


def _over_months(own: Ownership, series: Mapping[str, int]) -> Markup:
    step = _ONE_YEAR // 2 if own.months > _ONE_YEAR else max(1, math.ceil(own.months / 6))
    ticks = tuple(float(month) for month in range(0, own.months + 1, step))
    across = Axis(0.0, float(own.months) * 1.02, logarithmic=False, ticks=ticks)
    turns = [place for place in _turns(own, own.over_time) if 0 < place < own.months]
    ends = [end for arm in own.arms for end in (arm.band.low, arm.band.high)]
    return money_lines(
        [
            MoneyLine(
                name=one_line(arm.name, 14),
                series=series.get(arm.name, place),
                path=tuple((float(month), spent) for month, spent in enumerate(arm.by_month)),
                mark=(float(own.months), arm.by_month[-1]),
                band=Reach(arm.total, arm.band.low, arm.band.high) if arm.band.low < arm.band.high else None,
            )
            for place, arm in enumerate(own.arms)
        ],
        title="Money spent by the month",
        across=ScaleOfAxis(
            axis=across,
            label="months since the start \N{RIGHTWARDS ARROW}",
            words=tuple(f"{tick:.0f}" for tick in ticks),
        ),
        upright=_money_axis(own, [*(spent for arm in own.arms for spent in arm.by_month), *ends]),
        notches=[Notch(place, f"month {math.ceil(place)}") for place in turns],
    )


def _money_axis(own: Ownership, amounts: Sequence[float]) -> ScaleOfAxis:
    upright = axis([Reach(max(amounts), min(amounts), max(amounts))], logarithmic_from=math.inf)
    least = min(amounts)
    if least > 0 and max(amounts) / least >= _LOGARITHMIC_FROM:
        upright = axis([Reach(amount, amount, amount) for amount in (least, max(amounts))], logarithmic_from=1.0)
    symbol = total_scale(0.0, own.currency)
    words = tuple(f"{symbol.before}{_short_number(tick)}" for tick in upright.ticks)
    return ScaleOfAxis(axis=upright, label=own.currency, words=words)


def _turns(own: Ownership, pairs: Sequence[BreakEven]) -> Iterator[float]:
    """Yield the crossings that involve the cheapest arm."""
    for pair in pairs:
        if own.cheapest in (pair.left, pair.right):
            yield from (crossing.at for crossing in pair.crossings)


def _swing_rows(own: Ownership, swings: Sequence[Swing]) -> Iterator[SwingRow]:
    base = own.gap if swings and swings[0] in own.gap_swings else own.arm(own.cheapest).total
    ends = [base, *(end for swing in swings for end in (swing.low, swing.high))]
    along = Axis(min(ends), max(ends) if max(ends) > min(ends) else min(ends) + 1, logarithmic=False, ticks=())
    for swing in swings:
        yield SwingRow(
            label=own.inputs[swing.input].label,
            low=write_total(swing.low, own.currency),
            high=write_total(swing.high, own.currency),
            drawn=swing_bar(Reach(base, swing.low, swing.high), along),
        )


def _short_numbers(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(map(_short_number, values))


def _short_number(value: float) -> str:
    """Return a number to three digits, with k for thousands and M for millions."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"

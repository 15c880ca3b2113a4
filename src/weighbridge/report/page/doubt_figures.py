"""The doubt of the page: the chance of each strategy to be the best, drawn, and the changes that flip the decision."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from weighbridge.formatting import points, write_chance
from weighbridge.report.charts.drawing import chance_bar
from weighbridge.results import Decision
from weighbridge.verdicts import Flip

_NONE = "not set"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceRow:
    """The chance of one strategy to be the best, and what choosing it is expected to lose."""

    strategy: str
    best: str
    regret: str
    drawn: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipRow:
    """The smallest change of one setting that puts another strategy first."""

    setting: str
    now: str
    beyond: str
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtFigures:
    """Everything that the page says about doubt."""

    rows: tuple[ChanceRow, ...]
    without: tuple[tuple[str, str], ...]
    """By priority: the first in the ranking if that priority does not count."""
    weights_kept: str
    """How often the first stays first under weights drawn around the given ones."""
    flips: tuple[FlipRow, ...]


def doubt_figures(decision: Decision, series: Mapping[str, int]) -> DoubtFigures | None:
    """Return the doubt of a decision; None where it was not computed. `series` are the strategies' colours."""
    doubt = decision.doubt
    if doubt is None:
        return None
    rows = tuple(
        ChanceRow(
            strategy=arm.strategy,
            best=write_chance(arm.best),
            regret=points(arm.regret),
            drawn=chance_bar(arm.best, series.get(arm.strategy, 0)),
        )
        for arm in doubt.arms
    )
    return DoubtFigures(
        rows=rows,
        without=tuple(doubt.without.items()),
        weights_kept=write_chance(doubt.weights_kept),
        flips=tuple(map(_flip_row, doubt.flips)),
    )


def _flip_row(flip: Flip) -> FlipRow:
    return FlipRow(
        setting=flip.setting,
        now=_NONE if flip.now is None else _number(flip.now),
        beyond=_number(flip.beyond),
        first=flip.first,
    )


def _number(value: float) -> str:
    """Return the value of a setting as it would be typed, with signs for thousands."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - thousands

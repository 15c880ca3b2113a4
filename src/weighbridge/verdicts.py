"""The nouns of a decision's certainty: limits with their chances, leads, doubt, the Pareto front and stakeholders.

All points are shares of all points, 0 to 1; people read them as points of 100. Files of earlier releases have none of
these.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitVerdict:
    """One limit on one strategy: kept or broken as measured, and the chance that it is truly broken."""

    setting: str
    """Its name under `needs.limits`; empty for a limit that always holds."""
    sentence: str
    """The measured value and the limit, in words."""
    broken: bool
    chance: float
    """The chance, 0 to 1, that the limit is truly broken, given the uncertainty of the figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadVerdict:
    """The lead of the first strategy over another, in shares of all points."""

    over: str
    value: float
    low: float
    high: float
    """The 95 % interval. From -1 to 1 where the two share no scored question."""
    p_value: float
    questions: int
    """Questions put to both; 0 where no question sets them apart."""
    certain: bool
    """Whether the lead is beyond chance."""
    equal: bool
    """Whether the lead is certainly smaller than `needs.indifference`, in either direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDoubt:
    """The chance that one strategy is the best, and the points that choosing it is expected to lose."""

    strategy: str
    best: float
    """The chance, 0 to 1, that it is the best of those that keep every limit."""
    regret: float
    """Expected regret: the mean share of all points by which the best is ahead of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The smallest change of one setting that puts another strategy first."""

    setting: str
    """For example `needs.priorities.latency`, `needs.answers_per_month` or `needs.limits.maximum_p95_seconds`."""
    now: float | None
    """Its present value; None for a limit that is not set."""
    beyond: float
    """The value beyond which the first changes, in the direction away from the present one."""
    first: str
    """The strategy that would then be first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The uncertainty of a decision: of the figures, of the weights, and of each figure's part in it."""

    draws: int
    """Draws of a state of the world that the measurements leave possible."""
    arms: tuple[ArmDoubt, ...]
    """Those that keep every limit, in the order of the ranking."""
    without: Mapping[str, str]
    """By priority: the strategy that is first where this priority does not count."""
    weights_kept: float
    """Share of 1,000 perturbed sets of weights in which the first strategy stays first."""
    flips: tuple[Flip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domination:
    """A strategy that is at least as good in every figure of the front, and better in one."""

    by: str
    certain: bool
    """Whether that holds beyond the uncertainty of the figures; otherwise it holds as measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPlace:
    """The place of a strategy in accuracy, latency and cost: on the Pareto front, or dominated."""

    strategy: str
    dominated_by: tuple[Domination, ...]
    """Empty for a strategy on the front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeholderView:
    """The ranking of the strategies that keep every limit, by the weights of one stakeholder."""

    stakeholder: str
    order: tuple[str, ...]
    """The strategies, the best first."""
    totals: tuple[float, ...]
    """Their points, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StakeholderAgreement:
    """The views of all stakeholders, and how well they agree."""

    views: tuple[StakeholderView, ...]
    concordance: float | None
    """Kendall's W, 0 (no agreement) to 1 (the same ranking); None with one stakeholder or one strategy."""
    summary: str
    """The agreement in a sentence, with those who would decide otherwise."""

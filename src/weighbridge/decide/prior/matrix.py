"""The published matrices as values: sources, questions, cells, claims with numbers, scenarios, studies, dated facts.

`matrix_file.py` reads them from matrix.toml. Nothing here is measured.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

STRATEGIES = ("prompt", "few-shot", "rag", "fine-tuning", "hybrid")
"""What the prior scores, simplest first: of two with equal points the simpler leads."""
MIDDLE, TOP = 3, 5
"""The score that moves nothing, and the highest. The lowest is 1."""
Answer = str | float
"""The value of a choice, or a number in the unit of its question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyProfile:
    """A strategy that the prior scores."""

    label: str
    arm: str
    """The strategy that `weighbridge compare` builds for it."""
    base: float
    """Points before any answer."""
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridBonus:
    """The points of the hybrid where a need for knowledge and one for behaviour stand together."""

    bonus: float
    source: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceSource:
    """Where advice comes from."""

    kind: Literal["advice", "measured", "provider", "reasoning"]
    short: str
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer of a question with five."""

    value: str
    score: int
    label: str
    setting: Literal["", "needs.limits.offline", "needs.limits.must_cite"] = ""
    """The setting of weighbridge.yaml that this answer turns on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One question of the interview, and how its answer becomes a score from 1 to 5."""

    label: str
    question: str
    why: str
    weight: float
    """The points that it moves at score 1 or 5, for a strategy with a slope of 1."""
    default: Answer
    need: Literal["", "knowledge", "behaviour"] = ""
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    minimum: float = 0.0
    maximum: float = 0.0
    bounds: tuple[float, ...] = ()
    """Four ascending limits, in the unit. A value at a limit belongs above it."""
    scores: tuple[int, ...] = ()
    """The scores below, between and from the limits on."""
    setting: Literal[
        "", "needs.limits.minimum_accuracy", "needs.limits.maximum_p95_seconds", "needs.answers_per_month"
    ] = ""
    divisor: float = 1.0

    def score(self, answer: Answer) -> int:
        """Return the score of an answer that `read_answer` accepted."""
        if isinstance(answer, str):
            return next(choice.score for choice in self.choices if choice.value == answer)
        return self.scores[bisect_right(self.bounds, answer)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCell:
    """One row of a published table, with its two cells."""

    source: str
    row: str
    rag: str
    fine_tuning: str
    effect: Mapping[str, float]
    """From -1 to 1 by strategy: how it fares as the score of the factor rises."""
    factor: str = ""
    figure: str = ""
    """The measured figure that can test it."""
    untested: str = ""
    """Why no figure can test it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPair:
    """A claim with numbers, as published: one for RAG, one for fine-tuning."""

    name: str
    source: str
    unit: Literal["share", "seconds"]
    better: Literal["higher", "lower"]
    figure: str
    rag: float
    fine_tuning: float
    factor: str = ""
    untested: str = ""
    """Why no figure can test it."""

    def effect(self, strategy: str) -> float:
        """Return 1 for the better strategy, -1 for the other, and 0 for both if they are equal."""
        sign = 1 if self.better == "higher" else -1
        lead = (self.rag > self.fine_tuning) - (self.rag < self.fine_tuning)
        return float(sign * lead if strategy == "rag" else -sign * lead)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedClaim:
    """One published number for one strategy. Published, not measured."""

    name: str
    """The words of the source: two claims of one name, one for each strategy, belong together."""
    figure: str
    """The figure of `weighbridge.figures` that tests it; empty if none does yet."""
    arm: str
    """The strategy as a measurement names it: `rag` or `fine-tuned`."""
    value: float
    """A share from 0 to 1, or seconds."""
    unit: Literal["share", "seconds"]
    better: Literal["higher", "lower"]
    source: str
    """The key of a source of the matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedOrder:
    """One published statement without a number: on a figure, one strategy is ahead of another."""

    figure: str
    ahead: str
    """The strategy as a measurement names it."""
    behind: str
    row: str
    source: str
    by: float = 0.0
    """How far, as published: a difference of shares, or a ratio less 1; 0 where only the order was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """How a strategy without a column in the tables fares as the scores of questions rise."""

    strategy: str
    source: str
    why: str
    effect: Mapping[str, float]
    """From -1 to 1 by factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """The least answer without which strategies cannot be built."""

    strategies: tuple[str, ...]
    factor: str
    at_least: float
    why: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A published situation with its advice. Questions that it does not answer are left at their defaults."""

    name: str
    source: str
    advice: tuple[str, ...]
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A measured finding, and the advice that it contradicts or limits."""

    source: str
    finding: str
    against: str
    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SunsetNotice:
    """A fact with a date: it is worded as ahead before that day, and as past from it on."""

    date: date
    source: str
    strategies: tuple[str, ...]
    ahead: str
    past: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceMatrix:
    """Everything that the prior knows."""

    format: Literal["weighbridge matrix"]
    version: int
    dated: date
    """When its sources were last checked."""
    margin: float
    """A lead of at most so many points settles nothing."""
    strategies: Mapping[str, StrategyProfile]
    hybrid: HybridBonus
    sources: Mapping[str, AdviceSource]
    factors: Mapping[str, Factor]
    cells: tuple[PublishedCell, ...]
    claims: tuple[NumberPair, ...] = ()
    orders: tuple[PublishedOrder, ...] = ()
    """Those that no cell gives by its effect."""
    directions: tuple[Direction, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    studies: tuple[Study, ...] = ()
    notices: tuple[SunsetNotice, ...] = ()


def published_claims(matrix: AdviceMatrix) -> tuple[PublishedClaim, ...]:
    """Return the claims with numbers, one for each strategy, in the order of the file."""
    claims = []
    for pair in matrix.claims:
        about = {"name": pair.name, "figure": pair.figure, "source": pair.source}
        for strategy, value in (("rag", pair.rag), ("fine-tuning", pair.fine_tuning)):
            arm = matrix.strategies[strategy].arm
            claims.append(PublishedClaim(arm=arm, value=value, unit=pair.unit, better=pair.better, **about))
    return tuple(claims)


def published_orders(matrix: AdviceMatrix) -> tuple[PublishedOrder, ...]:
    """Return who is said to be ahead on a figure: by the cells, then by the orders, in the order of the file."""
    orders = []
    for cell in matrix.cells:
        rag, tuned = cell.effect.get("rag", 0.0), cell.effect.get("fine-tuning", 0.0)
        if cell.figure and rag != tuned:
            ahead, behind = ("rag", "fine-tuning") if rag > tuned else ("fine-tuning", "rag")
            orders.append(
                PublishedOrder(
                    figure=cell.figure,
                    ahead=matrix.strategies[ahead].arm,
                    behind=matrix.strategies[behind].arm,
                    row=cell.row,
                    source=cell.source,
                )
            )
    return (*orders, *matrix.orders)

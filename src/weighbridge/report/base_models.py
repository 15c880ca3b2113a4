"""Base model against strategy: the effect of the base model, as the terminal and the page show it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weighbridge.arms import arm_on, base_of, bases_of, strategy_of, write_arm
from weighbridge.decide.decide import declines_everything
from weighbridge.decide.leads import LEVEL, swap_sides
from weighbridge.figures import FIGURES
from weighbridge.formatting import interval, join_words, probability, write_amount, write_difference
from weighbridge.report.findings import currency
from weighbridge.report.safe_text import ABSENT, count_noun, one_line
from weighbridge.results import Comparison, Measurement, Weighing

BESIDE = ("memory", "latency_p50", "cost_per_thousand", "setup")
"""What a base model costs, beside the accuracy that it brings."""
ACROSS = "across"
"""The scope of a pair of two base models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseCell:
    """One strategy on one base model, in words; dashes where it was not weighed there."""

    accuracy: str
    bounds: str = ""
    beside: tuple[str, ...] = ()
    """The figures of `BESIDE` that were taken, in their order."""
    arm: str = ""
    is_best: bool = False
    """Whether no other strategy that answers is right more often on this base model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePair:
    """Two arms whose difference in accuracy is claimed, or denied."""

    scope: str
    """The base model of both, or `ACROSS`."""
    left: str
    right: str
    words: str
    test: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModels:
    """The strategies on each base model side by side."""

    bases: tuple[str, ...]
    strategies: tuple[str, ...]
    cells: tuple[tuple[BaseCell, ...], ...]
    """A row for each strategy, with a cell for each base model."""
    beside: tuple[str, ...]
    """The names of the figures beside the accuracy."""
    pairs: tuple[BasePair, ...]
    sentences: tuple[str, ...]


def compare_bases(weighing: Weighing) -> BaseModels | None:
    """Return the strategies on each base model side by side; None where there is one base model."""
    measured = {measurement.strategy: measurement for measurement in weighing.measurements}
    bases = bases_of(measured)
    if len(bases) == 1:
        return None
    strategies = tuple(dict.fromkeys(map(strategy_of, measured)))
    best = {base: _best(measured, base) for base in bases}
    shown = tuple(name for name in BESIDE if any(name in one.figures for one in measured.values()))
    money = currency(weighing)
    cells = tuple(
        tuple(_cell(measured.get(arm_on(strategy, base)), shown, money, best[base]) for base in bases)
        for strategy in strategies
    )
    return BaseModels(
        bases=bases,
        strategies=strategies,
        cells=cells,
        beside=tuple(FIGURES[name].label for name in shown),
        pairs=tuple(_claimed_pairs(weighing, [arm for arm in best.values() if arm])),
        sentences=tuple(_sentences(weighing, best)),
    )


def _best(measured: dict[str, Measurement], base: str) -> str:
    """Return the arm of a base model that is right most often; empty where none is ever right, unless by declining.

    A strategy that declines everything is right on the questions without an answer, and is never recommended.
    """
    scored = {
        arm: one.figures["accuracy"].value
        for arm, one in measured.items()
        if base_of(arm) == base
        and "accuracy" in one.figures
        and one.figures["accuracy"].value > 0
        and not declines_everything(one)
    }
    return max(scored, key=lambda arm: scored[arm], default="")


def _cell(measurement: Measurement | None, shown: Sequence[str], money: str, best: str) -> BaseCell:
    if measurement is None or (accuracy := measurement.figures.get("accuracy")) is None:
        return BaseCell(accuracy=ABSENT)
    kind, figures = FIGURES["accuracy"], measurement.figures
    return BaseCell(
        accuracy=write_amount(kind, accuracy.value, money),
        bounds=interval(kind, accuracy, money),
        beside=tuple(
            write_amount(FIGURES[name], figures[name].value, money) if name in figures else ABSENT for name in shown
        ),
        arm=measurement.strategy,
        is_best=measurement.strategy == best,
    )


def _claimed_pairs(weighing: Weighing, best: Sequence[str]) -> Iterator[BasePair]:
    """Yield the best arm of each base model against the others there, then the best of each against each other."""
    accuracy = {m.strategy: m.figures["accuracy"].value for m in weighing.measurements if "accuracy" in m.figures}
    for first in best:
        rivals = [arm for arm in accuracy if arm != first and base_of(arm) == base_of(first)]
        for rival in sorted(rivals, key=lambda arm: -accuracy[arm]):
            yield from _pair(weighing, first, rival, one_line(base_of(first)))
    ranked = sorted(best, key=lambda arm: -accuracy[arm])
    for place, first in enumerate(ranked):
        for rival in ranked[place + 1 :]:
            yield from _pair(weighing, first, rival, ACROSS)


def _pair(weighing: Weighing, left: str, right: str, scope: str) -> Iterator[BasePair]:
    for one in weighing.comparisons:
        if one.figure == "accuracy" and {one.left, one.right} == {left, right}:
            turned: Comparison = one if one.left == left else swap_sides(one)
            certain = turned.p_adjusted <= LEVEL
            yield BasePair(
                scope=scope,
                left=left,
                right=right,
                words=write_difference(FIGURES["accuracy"], turned.difference, currency(weighing), unit="pp"),
                test=probability(turned.p_adjusted),
                verdict="beyond chance" if certain else "may be chance",
            )


def _sentences(weighing: Weighing, best: dict[str, str]) -> Iterator[str]:
    measured = {measurement.strategy: measurement for measurement in weighing.measurements}
    money = currency(weighing)
    told = []
    for arm in filter(None, best.values()):
        figures = measured[arm].figures
        words = [f"{write_amount(FIGURES['accuracy'], figures['accuracy'].value, money)} right"]
        words += [
            f"{FIGURES[name].label} {write_amount(FIGURES[name], figures[name].value, money)}"
            for name in ("memory", "latency_p50", "cost_per_thousand")
            if name in figures
        ]
        told.append(f"{write_arm(one_line(arm))} ({', '.join(words)})")
    if told:
        yield f"The best by accuracy on each base model: {join_words(told)}."
    within, across = _count_tests(weighing.comparisons)
    if within or across:
        yield (
            f"Tested by accuracy: {count_noun(within, 'pair')} on one base model, and {across:,} across two. Holm's "
            "correction runs over each of these groups, so the choice of the best of each afterwards is allowed for."
        )


def _count_tests(comparisons: Sequence[Comparison]) -> tuple[int, int]:
    """Return the pairs that were compared by accuracy on one base model, and across two."""
    pairs = [(base_of(one.left), base_of(one.right)) for one in comparisons if one.figure == "accuracy"]
    within = sum(left == right for left, right in pairs)
    return within, len(pairs) - within

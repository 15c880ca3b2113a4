"""What a weighing says, in sentences: shared by the terminal report and the page, so that they cannot disagree."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from weighbridge.figures import FIGURES, FigureKind
from weighbridge.report.words import NB, counted, listed, plain, probability, seconds
from weighbridge.results import Comparison, Decision, Estimate, Measurement, Weighing

_CHANCE = 0.05
"""Adjusted p-values below this are called a difference; the same level as the intervals."""

_WHY_ABSENT = {
    "needless_abstention": "no test question can be answered",
    "missed_abstention": "every test question can be answered",
    "token_f1": "no answer could be compared with a reference",
    "cost_per_thousand": "no price is set for this machine or endpoint",
    "memory": "the model runs elsewhere, or its memory was not taken",
}


@dataclass(frozen=True, slots=True)
class Headline:
    """The decision in one line, and what stands under it."""

    text: str
    sure: str
    """How sure that is: what the paired comparisons say of the leader's accuracy."""


def headline(weighing: Weighing) -> Headline:
    """Return the decision as an instruction, with how sure it is."""
    decision = weighing.decision
    texts = {
        "recommended": f"Use {decision.recommended}.",
        "none meets your limits": "None meets your limits.",
        "not decisive": f"Not decisive between {listed(decision.contenders)}{_settled_by(weighing)}",
    }
    return Headline(plain(texts[decision.outlook]), _how_sure(weighing))


def leader(decision: Decision) -> str | None:
    """Return the strategy that the others are compared with: the recommended one, or the best by points."""
    if decision.recommended or decision.contenders:
        return decision.recommended or decision.contenders[0]
    return max(decision.verdicts, key=lambda verdict: verdict.total).strategy if decision.verdicts else None


def against_leader(weighing: Weighing) -> tuple[Comparison, ...]:
    """Return the comparisons that involve the leader, turned so that it stands on the left."""
    first = leader(weighing.decision)
    return tuple(
        comparison if comparison.left == first else _turned(comparison)
        for comparison in weighing.comparisons
        if first in {comparison.left, comparison.right}
    )


def broken_limits(decision: Decision) -> tuple[str, ...]:
    """Return a sentence for each strategy that breaks a limit which the reasons do not tell of already."""
    told = " ".join(decision.reasons)
    return tuple(
        f"{verdict.strategy} breaks a limit: {'; '.join(plain(limit) for limit in verdict.broken_limits)}"
        for verdict in decision.verdicts
        if any(limit not in told for limit in verdict.broken_limits)
    )


def currency(weighing: Weighing) -> str:
    """Return the currency of the costs; dollars where there are none."""
    return next((m.cost.currency for m in weighing.measurements if m.cost), "USD")


def kinds_taken(weighing: Weighing) -> tuple[FigureKind, ...]:
    """Return the figures that at least one strategy has, in the order of the reports."""
    return tuple(kind for kind in FIGURES.values() if any(kind.name in m.figures for m in weighing.measurements))


def why_absent(kind: FigureKind, measurement: Measurement) -> str:
    """Return why a strategy lacks a figure, as far as a measurement can tell."""
    if measurement.failures == measurement.attempts:
        return "every attempt failed"
    if kind.name in {"recall", "citation"}:
        return "no test question names its evidence" if measurement.cites else "reads no passages"
    return _WHY_ABSENT.get(kind.name, "not measured in this run")


def notes(weighing: Weighing, kinds: Iterable[FigureKind]) -> tuple[str, ...]:
    """Return the distinct reasons for which figures are absent; a dash refers to one by its number, from 1."""
    missing = (
        why_absent(kind, measurement)
        for kind in kinds
        for measurement in weighing.measurements
        if kind.name not in measurement.figures
    )
    return tuple(dict.fromkeys(missing))


def shortfalls(weighing: Weighing) -> tuple[str, ...]:
    """Return what the means leave out: failed attempts with their messages, and answers that could not be scored."""
    failed = (_failed(measurement) for measurement in weighing.measurements if measurement.failures)
    return (*failed, *(line for kind in kinds_taken(weighing) if (line := _unscored(weighing, kind))))


def tested(weighing: Weighing) -> str:
    """Return what was asked, of what, with which model, on which machine."""
    settings = [plain(weighing.settings[key], 60) for key in ("model", "quantisation") if key in weighing.settings]
    parts = (
        counted(len(weighing.examples), "test question"),
        counted(weighing.documents, "document"),
        *settings,
        f"{plain(weighing.machine.processor, 60)} with {counted(weighing.machine.cores, 'core')}",
        f"{weighing.machine.memory_bytes / 2**30:.0f} GiB",
        plain(weighing.machine.system, 60),
    )
    return ", ".join(parts)


def leak_check(weighing: Weighing) -> str:
    """Return how the examples were divided and what the leak check found."""
    split = weighing.split
    found = "no near-duplicate of a test question" if split.leaks == 0 else counted(split.leaks, "near-duplicate")
    merged = counted(split.merged_near_duplicates, "near-duplicate pair")
    divided = f"split by {split.by} into {split.train:,} train, {split.dev:,} dev and {split.test:,} test"
    return (
        f"{counted(split.checked_pairs, 'pair')} of questions checked, {found} left in training ({merged} kept on one "
        f"side; {plain(split.thresholds)}); {divided}"
    )


def steps(weighing: Weighing) -> str:
    """Return the seconds of each step, in order."""
    return ", ".join(f"{plain(step)} {seconds(taken)}" for step, taken in weighing.seconds.items())


def _settled_by(weighing: Weighing) -> str:
    needed = weighing.decision.examples_needed
    more = needed - len(weighing.examples) if needed else 0
    return f": about {more:,} more question{'' if more == 1 else 's'} would settle it." if more > 0 else "."


def _how_sure(weighing: Weighing) -> str:
    compared = [c for c in against_leader(weighing) if c.figure == "accuracy"]
    if not compared:
        return "No paired comparison was made, so nothing says how sure this is."
    first = compared[0].left
    decisive = [c for c in compared if c.p_adjusted < _CHANCE]
    chance = [f"{c.right} ({probability(c.p_adjusted)})" for c in compared if c.p_adjusted >= _CHANCE]
    told = (
        _group(f"{first} is ahead of", [c.right for c in decisive if c.difference.value > 0]),
        _group(f"{first} is behind", [c.right for c in decisive if c.difference.value < 0]),
        f"what separates {first} from {listed(chance)} could be chance" if chance else "",
    )
    return f"On accuracy, {'; '.join(sentence for sentence in told if sentence)}."


def _group(relation: str, names: list[str]) -> str:
    return f"{relation} {listed(names)} beyond chance (adjusted p{NB}<{NB}{_CHANCE})" if names else ""


def _turned(comparison: Comparison) -> Comparison:
    old = comparison.difference
    turned = Estimate(value=-old.value, low=-old.high, high=-old.low, scored=old.scored, unscored=old.unscored)
    return replace(comparison, left=comparison.right, right=comparison.left, difference=turned)


def _failed(measurement: Measurement) -> str:
    first = f': "{plain(measurement.errors[0], 160)}"' if measurement.errors else ""
    others = f" and {counted(len(measurement.errors) - 1, 'other message')}" if len(measurement.errors) > 1 else ""
    return (
        f"{plain(measurement.strategy)}: {measurement.failures:,} of {counted(measurement.attempts, 'attempt')} failed "
        f"and {'is' if measurement.failures == 1 else 'are'} left out of the means{first}{others}"
    )


def _unscored(weighing: Weighing, kind: FigureKind) -> str:
    estimates = [(m.strategy, m.figures[kind.name]) for m in weighing.measurements if kind.name in m.figures]
    told = [f"{plain(name)} {e.unscored:,} of {e.scored + e.unscored:,}" for name, e in estimates if e.unscored]
    return f"{kind.label} could not be scored for some answers: {', '.join(told)}" if told else ""

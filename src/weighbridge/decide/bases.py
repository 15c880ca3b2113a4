"""Whether the choice of the strategy turns with the base model, by the decision on each base model alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from weighbridge.formatting import join_words
from weighbridge.results import BaseOutlook, Decision, Measurement
from weighbridge.settings.arms import base_of, bases_of, strategy_of, write_arms


def with_outlooks(
    decision: Decision, measurements: Sequence[Measurement], decide: Callable[[Sequence[Measurement]], Decision]
) -> Decision:
    """Return a decision with the outlook of each base model alone, and a reason that compares them.

    `decide` takes the decision among some of the measurements. With one base model the decision stays as it is.
    """
    bases = bases_of(measurement.strategy for measurement in measurements)
    if len(bases) == 1:
        return decision
    outlooks = tuple(_outlook(base, decide([m for m in measurements if base_of(m.strategy) == base])) for base in bases)
    return replace(decision, by_base=outlooks, reasons=(*decision.reasons, describe_turn(outlooks)))


def _outlook(base: str, decision: Decision) -> BaseOutlook:
    return BaseOutlook(
        base=base, outlook=decision.outlook, recommended=decision.recommended, contenders=decision.contenders
    )


def describe_turn(outlooks: Sequence[BaseOutlook]) -> str:
    """Return a sentence: whether the strategy of choice is the same on each base model."""
    chosen = {one.base: strategy_of(one.recommended) for one in outlooks if one.recommended}
    told = "; ".join(f"on {one.base} {_describe(one)}" for one in outlooks)
    if len(set(chosen.values())) > 1:
        return f"The choice of the strategy turns with the base model: {told}."
    if len(chosen) == len(outlooks):
        same = next(iter(chosen.values()))
        return f"The choice of the strategy does not turn with the base model: alone, each of them has {same}."
    return f"Whether the choice of the strategy turns with the base model is open: {told}."


def _describe(outlook: BaseOutlook) -> str:
    """Return the outlook on one base model in words, without its name."""
    if outlook.recommended:
        return f"it is {strategy_of(outlook.recommended)}"
    if outlook.outlook == "not decisive":
        return f"nothing sets {join_words([strategy_of(name) for name in outlook.contenders])} apart"
    return outlook.outlook


def in_words(decision: Decision) -> Decision:
    """Return a decision whose sentences name arms as people do: `rag on small` for `rag@small`."""
    names = [verdict.strategy for verdict in decision.verdicts]

    def write(sentences: Sequence[str]) -> tuple[str, ...]:
        return tuple(write_arms(sentence, names) for sentence in sentences)

    agreement = decision.agreement
    return replace(
        decision,
        reasons=write(decision.reasons),
        would_change=write(decision.would_change),
        verdicts=tuple(
            replace(
                verdict,
                broken_limits=write(verdict.broken_limits),
                limits=tuple(replace(limit, sentence=write([limit.sentence])[0]) for limit in verdict.limits),
            )
            for verdict in decision.verdicts
        ),
        agreement=replace(agreement, summary=write([agreement.summary])[0]) if agreement else None,
    )

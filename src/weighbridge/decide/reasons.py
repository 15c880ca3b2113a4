"""The reasons of a decision: sentences that name their figures, the first strategy's against those of the next."""

from collections.abc import Iterator, Mapping, Sequence

from weighbridge.decide.case import Case
from weighbridge.decide.leads import Lead, find_comparison
from weighbridge.decide.limits import FLOOR, Broken, close_calls
from weighbridge.decide.points import JUDGED_BY, UNNOTICED_SECONDS
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, figure, join_words, percentage, points, probability, with_sign, write_amount
from weighbridge.formatting import write_difference as apart_by
from weighbridge.results import Measurement


def reasons_for(case: Case) -> tuple[str, ...]:
    """Return why a strategy is recommended, or why none can be yet."""
    left_out = case.ranking.left_out
    return (
        _lead(case),
        *_shares(case),
        *_amounts(case),
        *(_until_then(case) if case.unsure else ()),
        *_ruled_out(case.by_name, case.broken),
        *_failures(case.by_name),
        *(f"The priority {name} is left out: it was not measured for all of them." for name in left_out),
        *(f"{call}." for call in close_calls(case.first, case.needs.limits)),
    )


def reasons_for_too_bad(case: Case) -> tuple[str, ...]:
    """Return why none is good enough, and name the best of them."""
    right = {m.strategy: m.figures["accuracy"] for m in (case.first, *case.others)}
    kind = FIGURES["accuracy"]
    if case.first.figures["accuracy"].value > 0:
        surely = f"each of them is right on fewer than {percentage(FLOOR)} of the questions for certain"
        other = f"needs.limits.minimum_accuracy sets another floor than {percentage(FLOOR)}"
    else:
        surely = f"by your priorities {case.first.strategy} comes first, and it gets no question right"
        other = "raise the priority of accuracy, or set needs.limits.minimum_accuracy"
    told = "; ".join(f"{name} {figure(kind, right[name], case.currency)}" for name in right)
    return (
        f"None is good enough: {surely}. Accuracy: {told}. If that suits your case, {other}.",
        *((_lead(case),) if case.others else ()),
        *_ruled_out(case.by_name, case.broken),
        *_failures(case.by_name),
    )


def reasons_for_none(
    nearest: Sequence[str], by_name: Mapping[str, Measurement], broken: Mapping[str, Sequence[Broken]]
) -> tuple[str, ...]:
    """Return why no strategy is recommended; `nearest` are all of them, the one that misses by least first."""
    sentences = "; ".join(limit.sentence for limit in broken[nearest[0]])
    others = {name: broken[name] for name in nearest[1:]}
    first = f"No strategy keeps every limit. {nearest[0]} is nearest: {sentences}."
    return (first, *_ruled_out(by_name, others), *_failures(by_name))


def _lead(case: Case) -> str:
    first, *others = case.ranking.rows
    if not others:
        alone = "the only strategy weighed" if len(case.by_name) == 1 else "the only strategy that keeps every limit"
        return f"{first.strategy} is {alone}."
    scored = (
        f"{first.strategy} has {100 * first.total:.0f}{NB}points of 100 by your priorities, "
        f"{others[0].strategy}, the next, {100 * others[0].total:.0f}"
    )
    if case.unsure:
        named = join_words((first.strategy, *(lead.over for lead in case.unsure)))
        return f"{named} cannot be told apart. {scored}; {_doubt(case.unsure[0])}."
    least = min(case.leads, key=lambda lead: lead.low)
    return f"{scored}; {_certainty(least)}."


def _certainty(lead: Lead) -> str:
    told = f"its lead over {lead.over} is {points(lead.value)}"
    if lead.asked == 0:
        return f"{told}, by latency and cost as measured"
    least = f"at least {points(lead.low)} with 95{NB}% confidence"
    return f"{told}, {least} ({probability(lead.p_value)}, {lead.asked:,}{NB}questions)"


def _doubt(lead: Lead) -> str:
    if not lead.comparable:
        return f"it shares no scored question with {lead.over}, so they cannot be compared"
    told = f"its lead over {lead.over} is {points(lead.value)}"
    if lead.asked == 0:
        return told
    low, high = with_sign(points(lead.low)), with_sign(points(lead.high))
    test = f"{probability(lead.p_value)}, {lead.asked:,}{NB}questions"
    return f"{told} ({low}{NB}to{NB}{high} with 95{NB}% confidence; {test})"


def _shares(case: Case) -> Iterator[str]:
    """Yield the accuracy and hallucination of the first strategy, and the difference from the next one.

    Without p-values: each figure alone may be undecided where the points of all priorities together are not.
    """
    for name in ("accuracy", "hallucination"):
        told = _against(case, name)
        if told is None:
            continue
        other = case.others[0].strategy if case.others else ""
        found = find_comparison(name, case.first.strategy, other, case.comparisons)
        yield f"{told}." if found is None else f"{told}: {apart_by(FIGURES[name], found.difference)}."


def _amounts(case: Case) -> Iterator[str]:
    """Yield the figures that are compared as measured, where they are a priority."""
    two = [found.value for m in (case.first, *case.others[:1]) if (found := case.figure(m.strategy, "latency_p50"))]
    are_fast = len(two) > 1 and max(two) <= UNNOTICED_SECONDS
    remark = f"; within {UNNOTICED_SECONDS:g}{NB}s no answer loses points" if are_fast else ""
    for priority in ("latency", "cost"):
        told = _against(case, JUDGED_BY[priority]) if case.ranking.weights.get(priority) else None
        if told is not None:
            yield f"{told}{remark if priority == 'latency' else ''}."


def _against(case: Case, name: str) -> str | None:
    """Return a figure of the first strategy, and of the next where it has one; None where the first has none."""
    own, kind = case.figure(case.first.strategy, name), FIGURES[name]
    if own is None:
        return None
    told = f"{case.first.strategy}: {kind.label} {figure(kind, own, case.currency)}"
    other = case.figure(case.others[0].strategy, name) if case.others else None
    return told if other is None else f"{told}, {case.others[0].strategy} {figure(kind, other, case.currency)}"


def _until_then(case: Case) -> Iterator[str]:
    """Yield the cheapest contender, for those who have to choose while nothing else tells them apart."""
    contenders = (case.first.strategy, *(lead.over for lead in case.unsure))
    costs = {name: found.value for name in contenders if (found := case.figure(name, "cost_per_thousand"))}
    if len(costs) == len(contenders):
        cheapest = min(costs, key=lambda name: (costs[name], name))
        cost = write_amount(FIGURES["cost_per_thousand"], costs[cheapest], case.currency)
        yield f"If you have to choose before then, {cheapest} is the cheapest: {cost} for a thousand answers."


def _ruled_out(by_name: Mapping[str, Measurement], broken: Mapping[str, Sequence[Broken]]) -> Iterator[str]:
    for name in by_name:
        if limits := broken.get(name):
            doubt = "" if any(limit.certain for limit in limits) else ", but within the uncertainty of the measurement"
            yield f"{name} is out: {'; '.join(limit.sentence for limit in limits)}{doubt}."


def _failures(by_name: Mapping[str, Measurement]) -> Iterator[str]:
    for name, measurement in by_name.items():
        if measurement.failures:
            common = f"; most often: {measurement.errors[0]}" if measurement.errors else ""
            failed = f"{measurement.failures} of {measurement.attempts} questions"
            yield f"{name} failed on {failed}; these have no score and earn no points{common}."

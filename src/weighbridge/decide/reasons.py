"""The reasons of a decision: sentences that name their figures, the first strategy's against those of the next."""

from collections.abc import Iterator, Mapping, Sequence

from weighbridge.decide.case import Case
from weighbridge.decide.draws import QUALITY
from weighbridge.decide.front import front_sentence
from weighbridge.decide.leads import Lead, find_comparison
from weighbridge.decide.limits import FLOOR, Broken, close_calls
from weighbridge.figures import FIGURES
from weighbridge.formatting import (
    NB,
    figure,
    join_words,
    percentage,
    points,
    probability,
    with_sign,
    write_amount,
    write_chance,
    write_difference,
)
from weighbridge.results import Measurement
from weighbridge.settings.curves import CRITERIA
from weighbridge.verdicts import Doubt

_WORTH_NAMING = 0.05
"""Chances below this are left out of a sentence; the report has them all."""


def reasons_for(case: Case, doubt: Doubt) -> tuple[str, ...]:
    """Return why a strategy is recommended, or why none can be yet."""
    left_out = case.ranking.left_out
    return (
        _equal(case) if case.equals else _lead(case),
        *_chances(case, doubt),
        *_shares(case),
        *_amounts(case),
        *(_until_then(case) if case.unsure else ()),
        *((sentence,) if (sentence := front_sentence(case.front)) else ()),
        *((case.agreement.summary,) if case.agreement else ()),
        *_ruled_out(case.by_name, case.broken),
        *_failures(case.by_name),
        *(f"The priority {name} is left out: it was not measured for all of them." for name in left_out),
        *(f"{call}." for call in close_calls(case.subject, case.needs.limits)),
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


def _equal(case: Case) -> str:
    """Return that some strategies are equal for practical purposes, and which of them is the cheapest."""
    names = [case.first.strategy, *(lead.over for lead in case.leads if lead.over in case.equals)]
    costs = [case.by_name[name].figures["cost_per_thousand"].value for name in case.equals[:2]]
    kind = FIGURES["cost_per_thousand"]
    cheapest, next_one = (write_amount(kind, cost, case.currency) for cost in costs)
    price = f"{case.equals[0]} is the cheapest: {cheapest} for a thousand answers, {case.equals[1]} {next_one}"
    if costs[0] == costs[1]:
        price = f"They cost the same, and {case.equals[0]} comes first by your priorities"
    return (
        f"{join_words(names)} are equal for practical purposes: with 95{NB}% confidence they are less than "
        f"{points(case.margin)}{NB}points of 100 apart (needs.indifference). {price}."
    )


def _chances(case: Case, doubt: Doubt) -> Iterator[str]:
    """Yield the chance of being the best, and the expected loss of choosing it."""
    if not case.others:
        return
    arms = sorted(doubt.arms, key=lambda arm: (arm.strategy != case.subject.strategy, -arm.best))
    if case.unsure:
        likely = [arm for arm in arms if arm.best >= _WORTH_NAMING or arm.strategy == case.subject.strategy]
        chances = join_words([f"{arm.strategy} {write_chance(arm.best)}" for arm in likely])
        losses = join_words([f"{arm.strategy} {points(arm.regret)}" for arm in likely])
        yield (
            f"The chance of being truly the best by your priorities: {chances}. Choosing now would lose on average, "
            f"in points of 100: {losses}."
        )
        return
    own = arms[0]
    yield (
        f"The chance that {own.strategy} is truly the best by your priorities is {write_chance(own.best)}; choosing it "
        f"loses {points(own.regret)}{NB}points of 100 on average, measured against the one that is."
    )


def _certainty(lead: Lead) -> str:
    told = f"its lead over {lead.over} is {points(lead.value)}{NB}points"
    if lead.asked == 0:
        return f"{told}, by the figures as measured"
    least = f"at least {points(lead.low)} with 95{NB}% confidence"
    return f"{told}, {least} ({probability(lead.p_value)}, {lead.asked:,}{NB}questions)"


def _doubt(lead: Lead) -> str:
    if not lead.comparable:
        return f"it shares no scored question with {lead.over}, so they cannot be compared"
    told = f"its lead over {lead.over} is {points(lead.value)}{NB}points"
    if lead.asked == 0:
        return told
    low, high = with_sign(points(lead.low)), with_sign(points(lead.high))
    test = f"{probability(lead.p_value)}, {lead.asked:,}{NB}questions"
    return f"{told} ({low}{NB}to{NB}{high} with 95{NB}% confidence; {test})"


def _shares(case: Case) -> Iterator[str]:
    """Yield the accuracy and hallucination of the subject, and the difference from the next one.

    Without p-values: each figure alone may be undecided where the points of all priorities together are not.
    """
    for name in ("accuracy", "hallucination"):
        told = _against(case, name)
        if told is None:
            continue
        other = case.rival.strategy if case.rival else ""
        found = find_comparison(name, case.subject.strategy, other, case.comparisons)
        yield f"{told}." if found is None else f"{told}: {write_difference(FIGURES[name], found.difference)}."


def _amounts(case: Case) -> Iterator[str]:
    """Yield the figures that are compared as measured, where they are a priority."""
    for priority, weight in case.ranking.weights.items():
        figure_name = CRITERIA[priority].figure
        told = _against(case, figure_name) if weight and priority not in QUALITY else None
        if told is None:
            continue
        curve = case.ranking.curves[priority]
        two = [m.figures[figure_name].value for m in (case.subject, case.rival) if m and figure_name in m.figures]
        kind, (best, _) = FIGURES[figure_name], curve.points[0]
        remark = ""
        if len(two) > 1 and not curve.relative and not kind.higher_is_better and max(two) <= best * curve.unit:
            level = f"{best:g}{NB}s" if kind.unit == "seconds" else write_amount(kind, best * curve.unit, case.currency)
            remark = f"; within {level} no answer loses points"
        yield f"{told}{remark}."


def _against(case: Case, name: str) -> str | None:
    """Return a figure of the subject, and of the next where it has one; None where the subject has none."""
    own, kind = case.figure(case.subject.strategy, name), FIGURES[name]
    if own is None:
        return None
    told = f"{case.subject.strategy}: {kind.label} {figure(kind, own, case.currency)}"
    if case.rival is None or (other := case.figure(case.rival.strategy, name)) is None:
        return told
    return f"{told}, {case.rival.strategy} {figure(kind, other, case.currency)}"


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
            doubt = ""
            if not any(limit.certain for limit in limits):
                # It is truly out where any one limit is: at least as likely as the likeliest.
                chance = write_chance(max(limit.chance for limit in limits))
                doubt = f", but within the uncertainty of the measurement: the chance that it truly does is {chance}"
            yield f"{name} is out: {'; '.join(limit.sentence for limit in limits)}{doubt}."


def _failures(by_name: Mapping[str, Measurement]) -> Iterator[str]:
    for name, measurement in by_name.items():
        if measurement.failures:
            common = f"; most often: {measurement.errors[0]}" if measurement.errors else ""
            failed = f"{measurement.failures} of {measurement.attempts} questions"
            yield f"{name} failed on {failed}; these have no score and earn no points{common}."

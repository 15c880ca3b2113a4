"""Why: sentences that each name the figures they rest on."""

from collections.abc import Iterator, Mapping, Sequence

from weighbridge.advise.case import Case
from weighbridge.advise.leads import Lead, difference
from weighbridge.advise.limits import Broken, close_calls
from weighbridge.advise.points import JUDGED_BY
from weighbridge.advise.words import amount, listed, points_apart, probability, with_interval
from weighbridge.figures import FIGURES
from weighbridge.results import Measurement


def reasons_for(case: Case) -> tuple[str, ...]:
    """Return why a strategy is recommended, or why it cannot be said which one to use."""
    left_out = case.ranking.left_out
    return (
        _lead(case),
        *_paired(case, "accuracy"),
        *_paired(case, "hallucination"),
        *_plain(case, "latency_p50"),
        *_plain(case, "cost_per_thousand"),
        *(_until_then(case) if case.unsure else ()),
        *_ruled_out(case.by_name, case.broken),
        *_failures(case.by_name),
        *(f"The priority {name} is left out: it was not measured for all of them." for name in left_out),
        *(f"{call}." for call in close_calls(case.first, case.needs.limits)),
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
    first = case.ranking.rows[0]
    if not case.leads:
        alone = "the only strategy weighed" if len(case.by_name) == 1 else "the only strategy that keeps every limit"
        return f"{first.strategy} is {alone}."
    scored = f"By your priorities {first.strategy} has {100 * first.total:.0f} points of 100"
    others = [f"{ranked.strategy} {100 * ranked.total:.0f}" for ranked in case.ranking.rows[1:]]
    if not case.unsure:
        worst = min(case.leads, key=lambda lead: lead.low)
        return f"{scored}, {listed(tuple(others))}; {_certainty(worst)}."
    named = listed((first.strategy, *(lead.over for lead in case.unsure)))
    doubts = "; ".join(_certainty(lead) for lead in case.unsure)
    return f"{named} cannot be told apart. {scored}, {listed(tuple(others))}; {doubts}."


def _certainty(lead: Lead) -> str:
    if lead.low == -float("inf"):
        return f"it shares no scored question with {lead.over}, so they cannot be compared"
    ahead = f"its lead over {lead.over} is {100 * lead.value:.1f}"
    return f"{ahead}, at least {100 * lead.low:.1f} with 95 % confidence ({lead.asked} questions)"


def _paired(case: Case, figure: str) -> Iterator[str]:
    """Yield the first strategy's share, and what the paired comparisons say of the others."""
    first = case.first.strategy
    estimate = case.figure(first, figure)
    if estimate is None:
        return
    apart = []
    for other in case.others:
        found = difference(figure, first, other.strategy, case.comparisons)
        if found is not None:
            p = f"adjusted {probability(found.p_adjusted)}"
            apart.append(f"{points_apart(found.difference).removesuffix(')')}; {p}) than {other.strategy}")
    yield f"{first} has {with_interval(figure, estimate)} {FIGURES[figure].label}{''.join(f', {it}' for it in apart)}."


def _plain(case: Case, figure: str) -> Iterator[str]:
    """Yield a figure that is compared as measured, where it is a priority."""
    priority = next(name for name, by in JUDGED_BY.items() if by == figure)
    estimate = case.figure(case.first.strategy, figure)
    if estimate is None or not case.ranking.weights.get(priority):
        return
    others = [
        f"{other.strategy} {amount(figure, found.value, case.currency)}"
        for other in case.others
        if (found := case.figure(other.strategy, figure))
    ]
    own = with_interval(figure, estimate, case.currency)
    beside = f"; {listed(tuple(others))}" if others else ""
    yield f"{case.first.strategy}: {FIGURES[figure].label} {own}{beside}."


def _until_then(case: Case) -> Iterator[str]:
    """Yield which contender costs the least, to go by while quality cannot tell them apart."""
    contenders = (case.first.strategy, *(lead.over for lead in case.unsure))
    costs = {name: found.value for name in contenders if (found := case.figure(name, "cost_per_thousand"))}
    if len(costs) == len(contenders):
        cheapest = min(costs, key=lambda name: (costs[name], name))
        cost = amount("cost_per_thousand", costs[cheapest], case.currency)
        yield f"Until that is settled: of these, {cheapest} costs the least, {cost} for a thousand answers."


def _ruled_out(by_name: Mapping[str, Measurement], broken: Mapping[str, Sequence[Broken]]) -> Iterator[str]:
    for name in by_name:
        if limits := broken.get(name):
            yield f"{name} is out: {'; '.join(limit.sentence for limit in limits)}."


def _failures(by_name: Mapping[str, Measurement]) -> Iterator[str]:
    for name, measurement in by_name.items():
        if measurement.failures:
            common = f"; most often: {measurement.errors[0]}" if measurement.errors else ""
            failed = f"{measurement.failures} of {measurement.attempts} questions"
            yield f"{name} failed on {failed}, which have no score{common}."

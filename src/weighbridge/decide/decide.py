"""Decides between strategies: limits first, then points by the user's priorities, then the lead's certainty.

Everything that reports say of a decision comes from the verdicts in it, so that no two sentences can disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from weighbridge.arms import base_of, bases_of, strategy_of, write_arms
from weighbridge.decide.case import Case
from weighbridge.decide.doubt import doubt_about
from weighbridge.decide.draws import PointDraws, draw_figures, draw_points
from weighbridge.decide.front import pareto_front
from weighbridge.decide.leads import LEVEL, Lead, find_comparison, leads
from weighbridge.decide.limits import Broken, below_floor, broken_limits, limit_verdicts
from weighbridge.decide.more_questions import OUT_OF_REACH, questions_needed
from weighbridge.decide.points import Ranked, Ranking, earn_points, priority_weights, rank
from weighbridge.decide.reasons import reasons_for, reasons_for_none, reasons_for_too_bad
from weighbridge.decide.sensitivity import find_flips, would_change, would_help, would_improve
from weighbridge.decide.stakeholders import agreement_of
from weighbridge.errors import DataError
from weighbridge.formatting import join_words
from weighbridge.results import BaseOutlook, Comparison, Decision, JointOutcomes, Measurement, Outlook, Verdict
from weighbridge.settings.curves import curve_for
from weighbridge.settings.needs import Limits, Needs

_ENOUGH_TO_TELL = 10
"""Questions that can be answered, all of them declined: fewer may be declined by chance."""


def decide(
    measurements: Sequence[Measurement],
    comparisons: Sequence[Comparison],
    needs: Needs,
    joint: JointOutcomes | None = None,
) -> Decision:
    """Return the decision, the same whatever the order of the measurements.

    A strategy is recommended where it keeps every limit and its lead over every other such strategy is certain. Where
    some leads are not, but all of these are certainly smaller than the margin of indifference, the cheapest of these
    equals is recommended. Otherwise the decision lies between the contenders. Where all of them are certainly right on
    too few questions, or the first is right on none, none is good enough. Strategies that break a limit are ranked, and
    never win.

    Strategies on several base models compete in one ranking; the decision on each model alone stands beside it.

    `joint` has the outcomes of all strategies on each question, for the doubt. Without it, each figure varies within
    its interval by itself, and the doubt is larger than it need be.

    Raises:
        DataError: there is no measurement, or two of one name.
        SettingsError: all priorities that could be judged weigh nothing.
    """

    def among(some: Sequence[Measurement]) -> Decision:
        return _decide_among(some, comparisons, needs, joint)

    return _in_words(_with_outlooks(among(measurements), measurements, among))


def _decide_among(
    measurements: Sequence[Measurement],
    comparisons: Sequence[Comparison],
    needs: Needs,
    joint: JointOutcomes | None,
) -> Decision:
    """Return the decision among some strategies, whatever their base models."""
    by_name = _by_name(measurements)
    broken = _find_broken_limits(by_name, comparisons, needs)
    front = pareto_front(measurements, comparisons)
    eligible = [by_name[name] for name in by_name if not broken[name]]
    if not eligible:
        return replace(_none_meets(by_name, broken, needs), front=front)
    ranking = rank(eligible, needs)
    weighed = [name for name, weight in ranking.weights.items() if weight > 0]
    drawn = draw_points(draw_figures(eligible, joint, weighed), ranking, eligible)
    found = leads(ranking, comparisons, drawn)
    first = ranking.rows[0].strategy
    too_bad = all(below_floor(m, needs.limits) for m in eligible) or by_name[first].figures["accuracy"].value == 0
    equals = () if too_bad else _equals(found, ranking, by_name, needs)
    settled = too_bad or bool(equals) or all(lead.certain for lead in found)
    case = Case(
        by_name=by_name,
        broken=broken,
        ranking=ranking,
        leads=found,
        comparisons=tuple(comparisons),
        needs=needs,
        needed=OUT_OF_REACH if settled else questions_needed(ranking, found, comparisons, drawn),
        equals=equals,
        front=front,
        agreement=agreement_of(eligible, needs),
    )
    return _conclude(case, drawn, too_bad=too_bad)


def _with_outlooks(
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


def _in_words(decision: Decision) -> Decision:
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


def _conclude(case: Case, drawn: PointDraws, *, too_bad: bool) -> Decision:
    """Return the decision on a case: its outlook, and the same verdicts whatever that is."""
    first, unsure, flips = case.first.strategy, case.unsure, find_flips(case)
    doubt = doubt_about(case.ranking, case.by_name, drawn, flips)
    outlook: Outlook = "recommended"
    recommended: str | None = first
    contenders: tuple[str, ...] = (first,)
    if too_bad:
        outlook, recommended = "none is good enough", None
    elif case.equals:
        outlook, recommended, contenders = "the cheapest of the equals", case.equals[0], case.equals
    elif unsure:
        outlook, recommended, contenders = "not decisive", None, (first, *(lead.over for lead in unsure))
    weights, curves = case.ranking.weights, case.ranking.curves
    ranked_together = [case.first, *case.others]
    out = [
        earn_points(case.by_name[name], weights, curves, best_of=ranked_together)
        for name in case.by_name
        if case.broken[name]
    ]
    rows = (*case.ranking.rows, *_nearest_first(out, case.broken))
    return Decision(
        outlook=outlook,
        recommended=recommended,
        contenders=contenders,
        verdicts=_verdicts(rows, case.by_name, case.broken, case.needs.limits),
        reasons=reasons_for_too_bad(case) if too_bad else reasons_for(case, doubt),
        would_change=would_improve(case.by_name.values()) if too_bad else would_change(case, doubt),
        examples_needed=case.needed.likely,
        examples_range=None if case.needed.even is None else (case.needed.even, case.needed.nearly_sure),
        examples_asked=min(lead.asked for lead in unsure) if unsure and not too_bad else None,
        leads=tuple(lead.verdict(case.margin) for lead in case.leads),
        indifference=case.margin,
        doubt=doubt,
        front=case.front,
        agreement=case.agreement,
    )


def _equals(
    found: Sequence[Lead], ranking: Ranking, by_name: Mapping[str, Measurement], needs: Needs
) -> tuple[str, ...]:
    """Return the first and the contenders, the cheapest first, where all are certainly within the margin.

    Empty where a lead is certain for each, where one may be larger than the margin, where a cost is not known, or where
    the cheapest gets no question right or lies below the floor: nobody is sent there to save money.
    """
    unsure = [lead for lead in found if not lead.certain]
    if not unsure or not all(lead.is_within(needs.indifference / 100) for lead in unsure):
        return ()
    contenders = [ranking.rows[0].strategy, *(lead.over for lead in unsure)]
    costs = {name: by_name[name].figures.get("cost_per_thousand") for name in contenders}
    known = {name: cost.value for name, cost in costs.items() if cost is not None}
    good = [
        name
        for name in contenders
        if by_name[name].figures["accuracy"].value > 0 and not below_floor(by_name[name], needs.limits)
    ]
    if len(known) < len(contenders) or len(good) < len(contenders):
        return ()
    return tuple(sorted(contenders, key=lambda name: (known[name], contenders.index(name))))


def _by_name(measurements: Sequence[Measurement]) -> dict[str, Measurement]:
    by_name = {measurement.strategy: measurement for measurement in measurements}
    if not measurements:
        raise DataError("there are no measurements to decide on; weigh at least one strategy first")
    if len(by_name) < len(measurements):
        raise DataError("two measurements are of strategies of one name; give each strategy its own name")
    return {name: by_name[name] for name in sorted(by_name)}


def _find_broken_limits(
    by_name: Mapping[str, Measurement], comparisons: Sequence[Comparison], needs: Needs
) -> dict[str, tuple[Broken, ...]]:
    """Return the limits each strategy breaks; one that gets nothing right is out if the best is better for certain.

    Without this, a strategy that always abstains could win: it asserts nothing wrong either. One that declines every
    question that can be answered is out by itself, since it is right on those alone that cannot.
    """
    broken = {name: broken_limits(measurement, needs.limits) for name, measurement in by_name.items()}
    for name, measurement in by_name.items():
        if declines_everything(measurement):
            broken[name] = (*broken[name], Broken("it declines every question that can be answered"))
    right = {name: by_name[name].figures["accuracy"].value for name in by_name if not broken[name]}
    best = max(right, key=lambda name: right[name], default="")
    for name, value in right.items():
        found = find_comparison("accuracy", best, name, comparisons) if value == 0 < right[best] else None
        if found is not None and found.p_value <= LEVEL:
            broken[name] = (Broken(f"it gets no question right, and {best} does beyond chance"),)
    return broken


def declines_everything(measurement: Measurement) -> bool:
    """Tell whether a strategy declines every question that can be answered, on enough of them to say so."""
    declined = measurement.figures.get("needless_abstention")
    return declined is not None and declined.value == 1 and declined.scored >= _ENOUGH_TO_TELL


def _verdicts(
    rows: Sequence[Ranked],
    by_name: Mapping[str, Measurement],
    broken: Mapping[str, Sequence[Broken]],
    limits: Limits,
) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(
            strategy=row.strategy,
            broken_limits=tuple(limit.sentence for limit in broken[row.strategy]),
            points=row.points,
            total=row.total,
            limits=limit_verdicts(by_name[row.strategy], broken[row.strategy], limits),
        )
        for row in rows
    )


def _nearest_first(rows: Sequence[Ranked], broken: Mapping[str, Sequence[Broken]]) -> list[Ranked]:
    """Return strategies that break limits: those that break the fewest first, then those that miss them by least."""

    def distance(ranked: Ranked) -> tuple[int, float, float, str]:
        limits = broken[ranked.strategy]
        return len(limits), sum(limit.excess for limit in limits), -ranked.total, ranked.strategy

    return sorted(rows, key=distance)


def _none_meets(by_name: Mapping[str, Measurement], broken: Mapping[str, Sequence[Broken]], needs: Needs) -> Decision:
    everyone, weights = list(by_name.values()), priority_weights(needs.priorities)
    curves = {name: curve_for(name, needs.curves) for name in weights}
    rows = [earn_points(measurement, weights, curves, best_of=everyone) for measurement in everyone]
    nearest = _nearest_first(rows, broken)
    nearest_names = [ranked.strategy for ranked in nearest]
    return Decision(
        outlook="none meets your limits",
        recommended=None,
        contenders=(),
        verdicts=_verdicts(nearest, by_name, broken, needs.limits),
        reasons=reasons_for_none(nearest_names, by_name, broken),
        would_change=would_help(nearest_names, by_name, broken),
        indifference=needs.indifference / 100,
    )

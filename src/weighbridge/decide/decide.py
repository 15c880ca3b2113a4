"""Decides between strategies: hard limits first, then points by the user's priorities, then the lead's certainty."""

from collections.abc import Mapping, Sequence

from weighbridge.decide.case import Case
from weighbridge.decide.leads import LEVEL, find_comparison, leads
from weighbridge.decide.limits import Broken, below_floor, broken_limits
from weighbridge.decide.more_questions import OUT_OF_REACH, questions_needed
from weighbridge.decide.points import Ranked, earn_points, priority_weights, rank
from weighbridge.decide.reasons import reasons_for, reasons_for_none, reasons_for_too_bad
from weighbridge.decide.sensitivity import would_change, would_help, would_improve
from weighbridge.errors import DataError
from weighbridge.results import Comparison, Decision, JointOutcomes, Measurement, Verdict
from weighbridge.settings.needs import Needs


def decide(
    measurements: Sequence[Measurement],
    comparisons: Sequence[Comparison],
    needs: Needs,
    joint: JointOutcomes | None = None,  # noqa: ARG001 - the doubt follows
) -> Decision:
    """Return the decision, the same whatever the order of the measurements.

    A strategy is recommended where it keeps every limit and its lead over every other such strategy is certain. Where
    a lead is not, the decision lies between the contenders. Where all of them are certainly right on too few
    questions, or the first is right on none, none is good enough. Strategies that break a limit are ranked, and never
    win.

    Raises:
        DataError: there is no measurement, or two of one name.
        SettingsError: all priorities that could be judged weigh nothing.
    """
    by_name = _by_name(measurements)
    broken = _find_broken_limits(by_name, comparisons, needs)
    eligible = [by_name[name] for name in by_name if not broken[name]]
    if not eligible:
        return _none(by_name, broken, needs)
    ranking = rank(eligible, needs.priorities)
    found = leads(ranking, comparisons)
    unsure = tuple(lead for lead in found if not lead.certain)
    first = ranking.rows[0].strategy
    too_bad = all(below_floor(m, needs.limits) for m in eligible) or by_name[first].figures["accuracy"].value == 0
    needed = questions_needed(ranking, found, comparisons) if unsure and not too_bad else OUT_OF_REACH
    case = Case(
        by_name=by_name,
        broken=broken,
        ranking=ranking,
        leads=found,
        comparisons=tuple(comparisons),
        needs=needs,
        needed=needed,
    )
    out = [earn_points(by_name[name], ranking.weights, best_of=eligible) for name in by_name if broken[name]]
    verdicts = (*_verdicts(ranking.rows, broken), *_verdicts(_nearest_first(out, broken), broken))
    if too_bad:
        return Decision(
            outlook="none is good enough",
            recommended=None,
            contenders=(first,),
            verdicts=verdicts,
            reasons=reasons_for_too_bad(case),
            would_change=would_improve(by_name.values()),
        )
    return Decision(
        outlook="not decisive" if unsure else "recommended",
        recommended=None if unsure else first,
        contenders=(first, *(lead.over for lead in unsure)),
        verdicts=verdicts,
        reasons=reasons_for(case),
        would_change=would_change(case),
        examples_needed=needed.likely,
        examples_range=None if needed.even is None else (needed.even, needed.nearly_sure),
    )


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

    Without this, a strategy that always abstains could win: it asserts nothing wrong either.
    """
    broken = {name: broken_limits(measurement, needs.limits) for name, measurement in by_name.items()}
    right = {name: by_name[name].figures["accuracy"].value for name in by_name if not broken[name]}
    best = max(right, key=lambda name: right[name], default="")
    for name, value in right.items():
        found = find_comparison("accuracy", best, name, comparisons) if value == 0 < right[best] else None
        if found is not None and found.p_value <= LEVEL:
            broken[name] = (Broken(f"it gets no question right, and {best} does beyond chance"),)
    return broken


def _verdicts(rows: Sequence[Ranked], broken: Mapping[str, Sequence[Broken]]) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(
            strategy=row.strategy,
            broken_limits=tuple(limit.sentence for limit in broken[row.strategy]),
            points=row.points,
            total=row.total,
        )
        for row in rows
    )


def _nearest_first(rows: Sequence[Ranked], broken: Mapping[str, Sequence[Broken]]) -> list[Ranked]:
    """Return strategies that break limits: those that break the fewest first, then those that miss them by least."""

    def distance(ranked: Ranked) -> tuple[int, float, float, str]:
        limits = broken[ranked.strategy]
        return len(limits), sum(limit.excess for limit in limits), -ranked.total, ranked.strategy

    return sorted(rows, key=distance)


def _none(by_name: Mapping[str, Measurement], broken: Mapping[str, Sequence[Broken]], needs: Needs) -> Decision:
    everyone = list(by_name.values())
    rows = [earn_points(measurement, priority_weights(needs.priorities), best_of=everyone) for measurement in everyone]
    nearest = _nearest_first(rows, broken)
    nearest_names = [ranked.strategy for ranked in nearest]
    return Decision(
        outlook="none meets your limits",
        recommended=None,
        contenders=(),
        verdicts=_verdicts(nearest, broken),
        reasons=reasons_for_none(nearest_names, by_name, broken),
        would_change=would_help(nearest_names, by_name, broken),
    )

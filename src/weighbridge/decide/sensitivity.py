"""Sensitivity of the decision to a weight, a volume, a limit, or more questions.

Each is found by ranking again with that one thing changed, or solved for exactly where the totals are linear in it.
These sentences name the strategy that would be first; its lead need not be certain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from weighbridge.decide.case import Case
from weighbridge.decide.limits import NUMBER_LIMITS, Broken, broken_limits
from weighbridge.decide.money.cost import cost_per_thousand
from weighbridge.decide.points import judged_value, rank
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, join_words, write_amount, write_chance
from weighbridge.results import Measurement
from weighbridge.settings.needs import Limits
from weighbridge.verdicts import Doubt, Flip

_LIKELY = 20
"""Weights are looked for up to this many times the sum of the given ones."""
_MOST_ANSWERS = 10**9
"""Most answers a month that are worth a sentence on another winner: nobody plans for more."""
_EVIDENCE_MOSTLY_FOUND = 0.8
"""With more evidence recall, the search is no longer the first thing to improve: chosen, not measured."""
_ALMOST_ALWAYS = 0.995
"""A first place that is kept more often than this needs no sentence."""
_PRIORITIES, _LIMITS, _VOLUME = "needs.priorities.", "needs.limits.", "needs.answers_per_month"


def find_flips(case: Case) -> tuple[Flip, ...]:
    """Return the smallest change of each weight, of the volume and of each limit that puts another strategy first."""
    return (*_weight_flips(case), *_volume_flips(case), *_limit_flips(case))


def would_change(case: Case, doubt: Doubt) -> tuple[str, ...]:
    """Return the changes that would put another strategy first, or settle the first place."""
    flips = doubt.flips
    return (
        *_more_questions(case),
        *(_weight_sentence(flip) for flip in flips if flip.setting.startswith(_PRIORITIES)),
        *_weights_together(case, doubt),
        *(_volume_sentence(flip) for flip in flips if flip.setting == _VOLUME),
        *_limit_sentences([flip for flip in flips if flip.setting.startswith(_LIMITS)], case),
        *_kinds(case),
        *_lifted_limits(case),
    )


def would_help(
    nearest: Sequence[str], by_name: Mapping[str, Measurement], broken: Mapping[str, Sequence[Broken]]
) -> tuple[str, ...]:
    """Return the limits that would have to go for a strategy to be recommended, the nearest strategy first."""
    lifted = (
        f"Without {_settings(broken[name])}, {name} would be eligible."
        for name in nearest
        if all(limit.setting for limit in broken[name])
    )
    short = all(any(limit.setting == "minimum_accuracy" for limit in broken[name]) for name in nearest)
    return (*lifted, *(would_improve(by_name.values()) if short else ()))


def would_improve(measurements: Iterable[Measurement]) -> tuple[str, ...]:
    """Return how to raise the accuracy of all strategies: a better search, base model, or more examples."""
    recalls = {m.strategy: m.figures["recall"] for m in measurements if "recall" in m.figures}
    lines = []
    if recalls:
        reader = max(recalls, key=lambda name: recalls[name].value)
        found = (
            f"{reader} finds the evidence of {write_amount(FIGURES['recall'], recalls[reader].value)} of the questions"
        )
        if recalls[reader].value < _EVIDENCE_MOSTLY_FOUND:
            lines.append(f"{found}: better documents, or a better search (settings under retrieval), would help first.")
        else:
            lines.append(f"{found}, so the wrong answers are wrong in spite of the documents.")
    lines.append("A larger base model may do better with the same documents and examples: set model.reference.")
    lines.append("More training examples may help the tuned strategies: weighbridge make-examples makes some.")
    return tuple(lines)


def _more_questions(case: Case) -> Iterator[str]:
    for lead in case.unsure:
        if lead.is_tied:
            yield f"{case.first.strategy} and {lead.over} have the same points: no number of questions would settle it."
    if not case.unsure or any(lead.is_tied or lead.asked == 0 for lead in case.unsure):
        return
    asked = min(lead.asked for lead in case.unsure)
    rivals = join_words((case.first.strategy, *(lead.over for lead in case.unsure)))
    needed = case.needed
    if needed.likely is None:
        yield f"More questions may not settle it between {rivals}: by this test they may be equally good."
        return
    even = f"; {needed.even - asked:,} more with a chance of 50{NB}%" if needed.even else ""
    sure = f", {needed.nearly_sure - asked:,} more with a chance of 90{NB}%" if needed.nearly_sure else ""
    yield (
        f"About {needed.likely - asked:,} more questions would settle it between {rivals} with a chance of 80{NB}%"
        f" ({needed.likely:,} in all){even}{sure}. If they are equally good, no number of questions will."
    )


def _weight_flips(case: Case) -> Iterator[Flip]:
    """Yield, per priority, the nearest weights that bring another strategy level; totals are linear in a weight."""
    weights, (first, *others) = case.ranking.weights, case.ranking.rows
    for name, now in weights.items():
        levels = []
        for other in others:
            apart = {priority: first.points[priority] - other.points[priority] for priority in weights}
            rest = sum(weights[priority] * apart[priority] for priority in weights if priority != name)
            if apart[name] != 0:
                levels.append((-rest / apart[name], other.strategy))
        above = [level for level in levels if now < level[0] <= _LIKELY * sum(weights.values())]
        below = [level for level in levels if 0 < level[0] < now]
        for weight, heir in (*sorted(above)[:1], *sorted(below)[-1:]):
            yield Flip(setting=_PRIORITIES + name, now=now, beyond=weight, first=heir)


def _weight_sentence(flip: Flip) -> str:
    name, now = flip.setting.removeprefix(_PRIORITIES), flip.now or 0.0
    side = "more" if flip.beyond > now else "less"
    return f"If {name} weighed {side} than {flip.beyond:.3g} (now {now:g}), {flip.first} would be first."


def _weights_together(case: Case, doubt: Doubt) -> Iterator[str]:
    """Yield the strategies that are first without a priority, and how often slightly other weights keep the first."""
    first = case.first.strategy
    for name, heir in doubt.without.items():
        if heir != first:
            yield f"If {name} did not count, {heir} would be first."
    if case.others and doubt.weights_kept < _ALMOST_ALWAYS:
        yield (
            f"With slightly other weights, {first} stays first in {write_chance(doubt.weights_kept)} of the cases "
            "(a thousand sets, drawn around yours)."
        )


def _volume_flips(case: Case) -> Iterator[Flip]:
    """Yield the nearest volumes below and above the user's that put another strategy first."""
    eligible = (case.first, *case.others)
    costs = {m.strategy: m.cost for m in eligible if m.cost is not None}
    now = case.needs.answers_per_month
    if len(costs) < len(eligible) or not case.ranking.weights.get("cost"):
        return

    def first_at(answers_per_month: int) -> str:
        answers = answers_per_month * case.needs.months
        there = []
        for measurement in eligible:
            figures = dict(measurement.figures)
            value = cost_per_thousand(costs[measurement.strategy], answers)
            figures["cost_per_thousand"] = replace(figures["cost_per_thousand"], value=value)
            there.append(replace(measurement, figures=figures))
        return rank(there, case.needs).rows[0].strategy

    if first_at(now) != case.first.strategy:
        return
    lower = [fewer for power in range(1, 41) if (fewer := int(now / 2 ** (power / 2))) >= 1]
    higher = [more for power in range(1, 61) if (more := int(now * 2 ** (power / 2))) <= _MOST_ANSWERS]
    for volume in (_flip(first_at, now, lower), _flip(first_at, now, higher)):
        if volume is not None:
            yield Flip(setting=_VOLUME, now=now, beyond=volume, first=first_at(volume))


def _volume_sentence(flip: Flip) -> str:
    now = flip.now or 0
    side = "or fewer" if flip.beyond < now else "or more"
    return f"At {flip.beyond:,.0f} answers a month {side} (now {now:,.0f}), {flip.first} would be first."


def _flip(first_at: Callable[[int], str], now: int, volumes: Sequence[int]) -> int | None:
    """Return the volume nearest to `now`, in the direction of `volumes`, that puts another strategy first."""
    same, here = now, first_at(now)
    for volume in volumes:
        if first_at(volume) == here:
            same = volume
            continue
        other = volume
        while abs(other - same) > 1:
            middle = (other + same) // 2
            same, other = (middle, other) if first_at(middle) == here else (same, middle)
        return other
    return None


def _limit_flips(case: Case) -> Iterator[Flip]:
    """Yield the limits that would rule the first strategy out and leave others: beyond its own measured value."""
    for limit in NUMBER_LIMITS:
        kind, own = FIGURES[limit.figure], case.figure(case.first.strategy, limit.figure)
        if own is None or limit.figure == "citation":
            continue
        better = [
            other
            for other in case.others
            if (found := case.figure(other.strategy, limit.figure))
            and (found.value > own.value if kind.higher_is_better else found.value < own.value)
        ]
        if better:
            now = limit.bound(case.needs.limits)
            yield Flip(
                setting=_LIMITS + limit.setting,
                now=None if now is None else now / limit.unit,
                beyond=own.value / limit.unit,
                first=_heir(better, case),
            )


def _limit_sentences(flips: Sequence[Flip], case: Case) -> Iterator[str]:
    """Yield the limits that would rule the first strategy out, together by who is first then."""
    bounds: dict[str, list[str]] = {}
    by_setting = {_LIMITS + limit.setting: limit for limit in NUMBER_LIMITS}
    for flip in flips:
        limit = by_setting[flip.setting]
        kind = FIGURES[limit.figure]
        side, value = "above" if kind.higher_is_better else "below", flip.beyond * limit.unit
        words = f"{kind.label} {side} {write_amount(kind, value, case.currency)}"
        bounds.setdefault(flip.first, []).append(words)
    for heir, named in bounds.items():
        yield f"A limit on {join_words(named, 'or')} would rule {case.first.strategy} out; {heir} would be first."


def _kinds(case: Case) -> Iterator[str]:
    limits = case.needs.limits
    offline = [other for other in case.others if other.offline]
    citing = [other for other in case.others if not broken_limits(other, Limits(must_cite=True))]
    if offline and not case.first.offline and not limits.offline:
        yield _would_rule_out("Allowing offline strategies only", offline, case)
    if citing and not limits.must_cite and broken_limits(case.first, Limits(must_cite=True)):
        yield _would_rule_out("Requiring citations", citing, case)


def _would_rule_out(what: str, left: Sequence[Measurement], case: Case) -> str:
    return f"{what} would rule {case.first.strategy} out; {_heir(left, case)} would be first."


def _heir(left: Sequence[Measurement], case: Case) -> str:
    return rank(left, case.needs).rows[0].strategy if len(left) > 1 else left[0].strategy


def _lifted_limits(case: Case) -> Iterator[str]:
    """Yield the strategies that only the user's own limits keep from being first."""
    for name, limits in case.broken.items():
        judged = all(judged_value(priority, case.by_name[name]) is not None for priority in case.ranking.weights)
        if not limits or not judged or not all(limit.setting for limit in limits):
            continue
        with_it = [case.first, *case.others, case.by_name[name]]
        if rank(with_it, case.needs).rows[0].strategy == name:
            yield f"Without {_settings(limits)}, {name} would be first."


def _settings(limits: Sequence[Broken]) -> str:
    return " and ".join(f"needs.limits.{limit.setting}" for limit in limits)

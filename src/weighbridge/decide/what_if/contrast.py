"""Two decisions side by side, in sentences: the differences, and the things that stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from weighbridge.arms import write_arm, write_arms
from weighbridge.decide.what_if.reprice import COST
from weighbridge.decide.what_if.retake import Retaken
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, join_words, percentage, write_amount
from weighbridge.results import Decision, Measurement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContrast:
    """The differences between two decisions on the same measurements, and what they share, as sentences."""

    differences: tuple[str, ...]
    same: tuple[str, ...]


def contrast(now: Retaken, then: Retaken) -> DecisionContrast:
    """Compare the decision now with the decision then. Every sentence says which of the two it speaks of."""
    found = [
        _outcome(now.decision, then.decision),
        *_limits(_verdicts(now), _verdicts(then)),
        _order(now.decision, then.decision),
        _costs(now, then),
        *_chances(now.decision, then.decision),
        *_questions(now.decision, then.decision),
    ]
    gone = sorted(_verdicts(now).keys() - _verdicts(then).keys())
    differences = [f"{join_words(gone)} {'is' if len(gone) == 1 else 'are'} left out."] if gone else []
    differences += [sentence for is_different, sentence in found if is_different]
    differences = [write_arms(sentence, _verdicts(now)) for sentence in differences]
    same = [write_arms(sentence, _verdicts(now)) for is_different, sentence in found if not is_different]
    return DecisionContrast(
        differences=tuple(differences),
        same=(*same, "Every measured figure but the cost: nothing was measured again."),
    )


def describe_outlook(decision: Decision) -> str:
    """Return a decision in a few words, as the end of a sentence."""
    match decision.outlook:
        case "recommended":
            return f"{write_arm(decision.recommended or '')} is recommended"
        case "the cheapest of the equals":
            return f"{write_arm(decision.recommended or '')} is recommended, the cheapest of the equals"
        case "not decisive":
            return f"there is no clear winner between {join_words([write_arm(arm) for arm in decision.contenders])}"
        case "none is good enough":
            return f"none is good enough; {write_arm(decision.contenders[0])} comes first"
        case "none meets your limits":
            return "no strategy keeps every limit"


def _verdicts(retaken: Retaken) -> Mapping[str, Verdict]:
    return {verdict.strategy: verdict for verdict in retaken.decision.verdicts}


def _outcome(now: Decision, then: Decision) -> tuple[bool, str]:
    if (now.outlook, now.recommended, now.contenders) == (then.outlook, then.recommended, then.contenders):
        return False, f"The decision: {describe_outlook(now)}."
    return True, f"The decision: now {describe_outlook(now)}; then {describe_outlook(then)}."


def _limits(now: Mapping[str, Verdict], then: Mapping[str, Verdict]) -> Iterator[tuple[bool, str]]:
    keeping = []
    for name, verdict in then.items():
        before, after = now[name].broken_limits, verdict.broken_limits
        if before == after:
            if after:
                yield False, f"{name} is out, now and then: {'; '.join(after)}."
            else:
                keeping.append(name)
        elif not before:
            yield True, f"{name} keeps every limit now; then it is out: {'; '.join(after)}."
        elif not after:
            yield True, f"{name} is out now: {'; '.join(before)}; then it keeps every limit."
        else:
            yield True, f"{name} is out now: {'; '.join(before)}; then for another reason: {'; '.join(after)}."
    if keeping:
        yield False, f"{join_words(sorted(keeping))} {'keeps' if len(keeping) == 1 else 'keep'} every limit."


def _order(now: Decision, then: Decision) -> tuple[bool, str]:
    """Compare the order by points of the strategies that are in both decisions; those out of it stand last."""
    there = {verdict.strategy for verdict in then.verdicts}
    before = [verdict.strategy for verdict in now.verdicts if verdict.strategy in there]
    after = [verdict.strategy for verdict in then.verdicts]
    if before == after:
        return False, f"The order, the best first: {', '.join(after)}."
    return True, f"The order, the best first: now {', '.join(before)}; then {', '.join(after)}."


def _costs(now: Retaken, then: Retaken) -> tuple[bool, str]:
    before = {one.strategy: _cost(one) for one in now.measurements.measurements}
    after = {one.strategy: _cost(one) for one in then.measurements.measurements}
    moved = [f"{name} now {before[name]}, then {cost}" for name, cost in after.items() if cost != before[name]]
    if moved:
        return True, f"Cost of 1,000 answers: {'; '.join(moved)}."
    return False, f"Cost of 1,000 answers: {'; '.join(f'{name} {cost}' for name, cost in after.items())}."


def _chances(now: Decision, then: Decision) -> Iterator[tuple[bool, str]]:
    """Yield the chance of each strategy to be the best, where both decisions have one."""
    if now.doubt is None or then.doubt is None:
        return
    before = {arm.strategy: percentage(arm.best) for arm in now.doubt.arms}
    after = {arm.strategy: percentage(arm.best) for arm in then.doubt.arms}
    both = [name for name in after if name in before]
    if moved := [f"{name} now {before[name]}, then {after[name]}" for name in both if before[name] != after[name]]:
        yield True, f"Chance to be the best: {'; '.join(moved)}."
    elif both:
        yield False, f"Chance to be the best: {'; '.join(f'{name} {after[name]}' for name in both)}."


def _cost(measurement: Measurement) -> str:
    estimate = measurement.figures.get(COST)
    if estimate is None or measurement.cost is None:
        return "unknown"
    return write_amount(FIGURES[COST], estimate.value, measurement.cost.currency)


def _questions(now: Decision, then: Decision) -> Iterator[tuple[bool, str]]:
    before, after = now.examples_needed, then.examples_needed
    if before is None and after is None:
        return
    needed = [f"{number:,}{NB}in all" if number else "no number within reach" for number in (before, after)]
    if before == after:
        yield False, f"Test questions that would probably settle it: {needed[0]}."
    elif "not decisive" in {now.outlook, then.outlook}:
        needed = [
            "not needed" if one.outlook != "not decisive" else words
            for one, words in zip((now, then), needed, strict=True)
        ]
        yield True, f"Test questions that would probably settle it: now {needed[0]}; then {needed[1]}."

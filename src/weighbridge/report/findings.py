"""The findings of a weighing in sentences, shared by the terminal report and the page so that they cannot disagree."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from weighbridge.arms import bases_of, write_arms
from weighbridge.decide.leads import swap_sides
from weighbridge.figures import FIGURES, FigureKind, figure_kind
from weighbridge.formatting import NB, figure, join_words, points, seconds
from weighbridge.report.safe_text import count_noun, one_line
from weighbridge.results import Comparison, Decision, Measurement, Omission, ReadingReport, Weighing
from weighbridge.verdicts import LeadVerdict

_HALF_A_SECOND = 0.5
_MINUTES_FROM = 119.5
"""Longer durations are written in minutes, as by `formatting.seconds`."""

_PLACES, _REASONS = 3, 30
"""Most places of one reason, and most reasons, that a report lists."""
_WHY_ABSENT = {
    "needless_abstention": "no test question can be answered",
    "missed_abstention": "every test question can be answered",
    "token_f1": "no answer could be compared with a reference",
    "cost_per_thousand": "no price is set for this machine or endpoint",
    "memory": "the model runs elsewhere, or its memory was not taken",
}


_TOO_SMALL = (
    "The base model has 135 million parameters, too few to read passages well, so this says little of the strategies. "
    "Weigh the model small (0.5 billion parameters): set model.reference to small in weighbridge.yaml, or begin anew "
    "with weighbridge init --model small. It takes 491 MB to fetch, and an answer about 3.5 times as long."
)
"""A newcomer's first result is often this one. The time is measured: docs/adr/0034-llamacpp-build-and-prefix.md."""
ENOUGH_TO_TELL = 10
"""Fewest identical answers worth a remark: two or three may be alike by chance."""


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason, how often it was met, and where, for instance."""

    reason: str
    count: int
    places: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The decision in one line, and the sentence under it."""

    text: str
    sure: str
    """The certainty of the decision, by the paired comparisons of the leader's points."""


def headline(weighing: Weighing) -> Headline:
    """Return the decision as an instruction, with how sure it is."""
    decision = weighing.decision
    texts = {
        "recommended": f"Use {decision.recommended}.",
        "the cheapest of the equals": (
            f"Use {decision.recommended}: it is the cheapest of {len(decision.contenders)} that are equal for "
            "practical purposes."
        ),
        "none meets your limits": "No strategy can be recommended.",
        "none is good enough": "None of the strategies is good enough.",
        "not decisive": f"No clear winner between {join_words(decision.contenders)}. {_settled_by(weighing)}",
    }
    names = [measurement.strategy for measurement in weighing.measurements]
    text = one_line(write_arms(texts[decision.outlook], names))
    return Headline(text, write_arms(_how_sure(weighing), names))


def too_small_model(weighing: Weighing) -> str:
    """Return the advice to weigh a larger base model, where none is good enough with the smallest alone; else empty."""
    if len(bases_of(measurement.strategy for measurement in weighing.measurements)) > 1:
        return ""  # a larger one was weighed beside it
    name = weighing.settings.get("model", "")
    small = name == "tiny" or "SmolLM2-135M" in name
    return _TOO_SMALL if small and weighing.decision.outlook == "none is good enough" else ""


def leader(decision: Decision) -> str | None:
    """Return the strategy that the others are compared with: the recommended one, or the best by points.

    Only `Decision.recommended` is marked as the winner.
    """
    if decision.recommended or decision.contenders:
        return decision.recommended or decision.contenders[0]
    return max(decision.verdicts, key=lambda verdict: verdict.total).strategy if decision.verdicts else None


def describe_lead(lead: LeadVerdict) -> str:
    """Return a lead in words that are the same in every part of a report."""
    if lead.certain:
        return "beyond chance" if lead.questions else "as measured"
    if lead.equal:
        return "equal for practical purposes"
    return "may be chance" if lead.questions else "cannot be told"


def against_leader(weighing: Weighing) -> tuple[Comparison, ...]:
    """Return the comparisons that involve the leader, turned so that it stands on the left."""
    first = leader(weighing.decision)
    return tuple(
        comparison if comparison.left == first else swap_sides(comparison)
        for comparison in weighing.comparisons
        if first in {comparison.left, comparison.right}
    )


def limit_sentences(decision: Decision) -> tuple[str, ...]:
    """Return a sentence for each strategy with a broken limit that the reasons do not mention."""
    told = " ".join(decision.reasons)
    return tuple(
        f"{verdict.strategy} breaks a limit: {'; '.join(one_line(limit) for limit in verdict.broken_limits)}"
        for verdict in decision.verdicts
        if any(limit not in told for limit in verdict.broken_limits)
    )


def currency(weighing: Weighing) -> str:
    """Return the currency of the costs; dollars where there are none."""
    return next((one_line(m.cost.currency) for m in weighing.measurements if m.cost), "USD")


def kinds_taken(weighing: Weighing) -> tuple[FigureKind, ...]:
    """Return the figures that at least one strategy has, in the order of the reports; cut answers only if any are."""
    taken = {name for measurement in weighing.measurements for name in measurement.figures}
    if not _cut(weighing):
        taken.discard("truncated")
    return tuple(figure_kind(name) for name in (*FIGURES, *sorted(taken - FIGURES.keys())) if name in taken)


def why_absent(kind: FigureKind, measurement: Measurement) -> str:
    """Return why a strategy lacks a figure, as far as a measurement can tell."""
    if measurement.failures == measurement.attempts:
        return "every attempt failed"
    if kind.name in {"recall", "citation"}:
        return "no test question names its evidence" if measurement.cites else "reads no passages"
    return _WHY_ABSENT.get(kind.name, "not measured in this run")


def notes(weighing: Weighing, kinds: Iterable[FigureKind]) -> tuple[str, ...]:
    """Return the distinct reasons for absent figures; a dash refers to one by its number, from 1."""
    missing = (
        why_absent(kind, measurement)
        for kind in kinds
        for measurement in weighing.measurements
        if kind.name not in measurement.figures
    )
    return tuple(dict.fromkeys(missing))


def shortfalls(weighing: Weighing, kinds: Iterable[FigureKind]) -> tuple[str, ...]:
    """Return what these figures hide: strategies left out or with a single answer, failures, cut and unscored ones."""
    failed = (_failure_line(measurement) for measurement in weighing.measurements if measurement.failures)
    cut, unscored = _cut(weighing), _unscored_line(weighing, kinds)
    told = (
        _estimated_tokens(weighing),
        f"Cut by the length limit: {cut}." if cut else "",
        f"Not scored {unscored}." if unscored else "",
        _open_above(weighing),
    )
    capped = (one_line(f"{cap.sentence}.") for cap in weighing.caps)
    return (
        *map(one_line, weighing.left_out),
        *capped,
        *_always_the_same(weighing),
        *failed,
        *(line for line in told if line),
    )


def _estimated_tokens(weighing: Weighing) -> str:
    """Return a sentence about the answers whose tokens no endpoint reported; empty where all were reported."""
    counted = Counter(record.strategy for record in weighing.records if record.answer and record.answer.usage.estimated)
    if not counted:
        return ""
    arms = ", ".join(f"{count_noun(answers, 'answer')} of {arm}" for arm, answers in counted.items())
    return f"The endpoint reported no tokens of {arms}: tokens, and costs by the token, are estimates."


def what_was_tested(weighing: Weighing) -> str:
    """Return the questions, documents, model and machine of the test."""
    most = 60 * len(bases_of(measurement.strategy for measurement in weighing.measurements))
    settings = [one_line(weighing.settings[key], most) for key in ("model", "quantisation") if key in weighing.settings]
    parts = (
        count_noun(len(weighing.examples), "test question"),
        count_noun(weighing.documents, "document"),
        *settings,
        f"{one_line(weighing.machine.processor, 60)} with {count_noun(weighing.machine.cores, 'core')}",
        f"{weighing.machine.memory_bytes / 2**30:.0f} GiB",
        one_line(weighing.machine.system, 60),
    )
    return ", ".join(parts)


def leak_check(weighing: Weighing) -> str:
    """Return the division of the examples and the result of the leak check."""
    split = weighing.split
    found = "no near-duplicate of a test question" if split.leaks == 0 else count_noun(split.leaks, "near-duplicate")
    merged = count_noun(split.merged_near_duplicates, "near-duplicate pair")
    divided = f"split by {split.by} into {split.train:,} train, {split.dev:,} dev and {split.test:,} test"
    return (
        f"{count_noun(split.checked_pairs, 'pair')} of questions checked, {found} left in train or dev ({merged} kept "
        f"on one side; {one_line(split.thresholds)}); {divided}"
    )


def step_seconds(weighing: Weighing) -> Mapping[str, str]:
    """Return how long each step took, in order and in whole seconds; without those under half a second."""
    return {
        step: seconds(taken) if taken >= _MINUTES_FROM else f"{taken:.0f}{NB}s"
        for step, taken in weighing.seconds.items()
        if taken >= _HALF_A_SECOND
    }


def steps(weighing: Weighing) -> str:
    """Return how long each step took, in order; those of one kind ("train: rag", "train: raft") together."""
    taken = step_seconds(weighing)
    kinds = [
        (kind, ", ".join(f"{step.removeprefix(kind)}{NB}{taken[step]}" for step in named))
        for kind, named in groupby(taken, key=_kind_of)
    ]
    return one_line("; ".join(kind + told for kind, told in kinds))


def _kind_of(step: str) -> str:
    """Return "train: " of "train: raft"; empty for a step that is one of its kind."""
    kind, colon, _ = step.rpartition(": ")
    return kind + colon


def _settled_by(weighing: Weighing) -> str:
    decision = weighing.decision
    needed = decision.examples_needed
    unsure = [lead for lead in decision.leads if not lead.certain]
    if any(lead.questions == 0 and lead.low <= -1 for lead in unsure):
        return "They share no scored question, so they cannot be compared."
    if needed is None:
        return "More questions may not settle it: they may be equally good."
    asked = len(weighing.examples) if decision.examples_asked is None else decision.examples_asked
    more = count_noun(max(1, needed - asked), "more question")
    possible = decision.examples_range
    unless = ", unless they are equally good" if possible and possible[1] is None else ""
    return f"About {more} would settle it{unless}."


def _how_sure(weighing: Weighing) -> str:
    """Return the basis of the decision: the leads by points, never a single figure that they outweigh."""
    decision = weighing.decision
    first = leader(decision)
    kept = [verdict.strategy for verdict in decision.verdicts if not verdict.broken_limits]
    rivals = [name for name in kept if name != first and name not in decision.contenders]
    if first is None or not kept:
        return "Every strategy breaks a limit."
    if decision.outlook == "none is good enough":
        accuracy = next(m.figures["accuracy"] for m in weighing.measurements if m.strategy == first)
        best = figure(FIGURES["accuracy"], accuracy)
        return f"{first}, the best by your priorities, is right on {best} of the questions."
    if decision.outlook == "recommended" and not rivals:
        return f"No other strategy {'keeps every limit' if len(decision.verdicts) > 1 else 'was weighed'}."
    others = _name_or_all(rivals, len(decision.verdicts) - 1, "all others")
    by_chance = any(lead.questions for lead in decision.leads if lead.over in rivals) or not decision.leads
    ahead = f"ahead of {others} {'beyond chance' if by_chance else 'as measured'}" if rivals else ""
    if decision.outlook == "recommended":
        agree = f": the 95{NB}% interval and the test agree" if by_chance else ""
        return f"By your priorities, {first} is {ahead}{agree}."
    if decision.outlook == "the cheapest of the equals":
        equals = join_words(sorted(decision.contenders))
        near = f"with 95{NB}% confidence, {equals} are less than {points(decision.indifference)}{NB}points of 100 apart"
        return f"{near[0].upper()}{near[1:]}{f', and {ahead}' if ahead else ''}."
    level = f"its lead over {join_words(decision.contenders[1:])} could be chance"
    return f"By your priorities, {first} is {ahead}; {level}." if ahead else f"{first} has the most points; {level}."


def _name_or_all(names: Sequence[str], total: int, everyone: str) -> str:
    return everyone if 1 < len(names) == total else join_words(names)


def _failure_line(measurement: Measurement) -> str:
    first = f': "{one_line(measurement.errors[0], 160)}"' if measurement.errors else ""
    others = f" and {count_noun(len(measurement.errors) - 1, 'other message')}" if len(measurement.errors) > 1 else ""
    return (
        f"{one_line(measurement.strategy)}: {measurement.failures:,} of {count_noun(measurement.attempts, 'attempt')} "
        f"failed and {'is' if measurement.failures == 1 else 'are'} left out of the means{first}{others}"
    )


def _always_the_same(weighing: Weighing) -> Iterator[str]:
    """Yield the strategies that gave one answer to all questions; their accuracy does not show it.

    Abstentions count as answers here. The expected answer of restricted questions is not told, only the given one.
    """
    for measurement in weighing.measurements:
        own = [r.answer for r in weighing.records if r.strategy == measurement.strategy and r.answer is not None]
        said = {answer.text.strip().casefold() for answer in own}
        if len(own) >= ENOUGH_TO_TELL and len(said) == 1:
            text = one_line(own[0].text, 60)
            yield f"{one_line(measurement.strategy)} gave the same answer, “{text}”, to all {len(own):,} questions."


def _cut(weighing: Weighing) -> str:
    """Return how many answers of each strategy the length limit cut; empty where it cut none."""
    found = ((m.strategy, estimate) for m in weighing.measurements if (estimate := m.figures.get("truncated")))
    return ", ".join(
        f"{one_line(strategy)} {round(estimate.value * estimate.scored):,}{NB}of{NB}{estimate.scored:,}"
        for strategy, estimate in found
        if estimate.value
    )


def _open_above(weighing: Weighing) -> str:
    """Return a warning about a 95th percentile of few timings; empty where there are enough."""
    few = {e.scored for m in weighing.measurements if (e := m.figures.get("latency_p95")) and e.open_above}
    if not few:
        return ""
    return (
        f"Latency p95 rests on {count_noun(min(few), 'timing')}, too few to say how slow the slowest twentieth may be: "
        "59 would do (measure.latency_questions: 60)."
    )


def _unscored_line(weighing: Weighing, kinds: Iterable[FigureKind]) -> str:
    """Return how many answers the means leave out; figures with one reason, and of those with one count, together."""
    alike: dict[str, dict[str, list[str]]] = {}
    for kind in kinds:
        if counts := _unscored_counts(weighing, kind):
            why = _why_unscored(weighing, kind)
            alike.setdefault(why, {}).setdefault(counts, []).append(kind.label)
    return "; ".join(
        f"{why}: {', '.join(f'{join_words(labels)} ({counts})' for counts, labels in found.items())}"
        for why, found in alike.items()
    )


def _unscored_counts(weighing: Weighing, kind: FigureKind) -> str:
    """Return "all strategies 5 of 60", or the strategies by their counts; empty where nothing is unscored."""
    by_count: dict[str, list[str]] = {}
    for measurement in weighing.measurements:
        estimate = measurement.figures.get(kind.name)
        if estimate and estimate.unscored:
            count = f"{estimate.unscored:,}{NB}of{NB}{estimate.scored + estimate.unscored:,}"
            by_count.setdefault(count, []).append(one_line(measurement.strategy))
    total = len(weighing.measurements)
    return ", ".join(f"{_name_or_all(names, total, 'all strategies')} {count}" for count, names in by_count.items())


def _why_unscored(weighing: Weighing, kind: FigureKind) -> str:
    """Return the reason that most records give, for the strategies that have the figure."""
    having = {measurement.strategy for measurement in weighing.measurements if kind.name in measurement.figures}
    reasons = Counter(
        score.reason
        for record in weighing.records
        if record.strategy in having
        for score in record.scores
        if score.metric == kind.name and score.value is None and score.reason
    )
    if not reasons:
        return "for no recorded reason"
    others = " or for other reasons" if len(reasons) > 1 else ""
    return f"since {one_line(reasons.most_common(1)[0][0], 100)}{others}"


def group_omissions(omissions: Iterable[Omission]) -> Sequence[ReasonLine]:
    """Gather omissions by their reason, the most frequent first; at most 30 reasons."""
    places: dict[str, list[str]] = {}
    for omission in omissions:
        places.setdefault(omission.reason, []).append(omission.place)
    found = sorted(places.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = []
    for reason, at in found[:_REASONS]:
        more = f" and {len(at) - _PLACES:,} more" if len(at) > _PLACES else ""
        named = ", ".join(one_line(place, 120) for place in at[:_PLACES])
        lines.append(ReasonLine(one_line(reason, 300), len(at), named + more))
    return lines


def count_omissions(report: ReadingReport) -> Iterator[str]:
    """Yield the numbers of files, documents and losses, as sentences."""
    yield f"{count_noun(report.files, 'file')} became {count_noun(report.documents, 'document')}"
    told = (
        (len(report.skipped), "file was left out", "files were left out"),
        (len(report.losses), "thing in a file was lost", "things in files were lost"),
        (len(report.repeated), "document repeats another", "documents repeat another"),
        (len(report.conflicts), "statement is contradicted", "statements are contradicted"),
    )
    for count, one, many in told:
        if count:
            yield count_noun(count, one, many)

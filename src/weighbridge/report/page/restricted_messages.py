"""Withholds the messages on questions that a reader may not see: a failure, or a reason, may quote the question."""

from collections.abc import Iterable
from dataclasses import replace

from weighbridge.report.page.questions_json import is_restricted
from weighbridge.results import Weighing


def withhold_messages(weighing: Weighing, groups: frozenset[str]) -> Weighing:
    """Return the weighing without the messages that readers of these access groups may not see.

    They stand in records and measurements, and in the sentences of the decision that quote a measurement's first.
    """
    closed = {example.id for example in weighing.examples if not example.question.groups <= groups}
    records = tuple(
        replace(record, error="", scores=tuple(replace(score, reason="") for score in record.scores))
        if record.example_id in closed or is_restricted(record, groups)
        else record
        for record in weighing.records
    )
    shown = {(record.strategy, record.error) for record in records}
    withheld = {
        error for one in weighing.measurements for error in one.errors if error and (one.strategy, error) not in shown
    }
    measurements = tuple(
        replace(one, errors=tuple(error for error in one.errors if (one.strategy, error) in shown))
        for one in weighing.measurements
    )
    decision = replace(
        weighing.decision,
        reasons=tuple(_without(sentence, withheld) for sentence in weighing.decision.reasons),
        would_change=tuple(_without(sentence, withheld) for sentence in weighing.decision.would_change),
    )
    return replace(weighing, records=records, measurements=measurements, decision=decision)


def _without(sentence: str, withheld: Iterable[str]) -> str:
    """Return a sentence without the message that it quotes, as `decide.reasons` does of failures."""
    for message in sorted(withheld, key=len, reverse=True):
        sentence = sentence.replace(f"; most often: {message}", "")
    return sentence

"""Refusals are kept, lost, or were never there."""

from weighbridge.checks.abstention import refusals, unanswerable


def test_the_shipped_questions_have_no_answer_and_are_of_dev() -> None:
    asked = unanswerable()
    assert len(asked) == len({example.question.text for example in asked}) == len({e.id for e in asked}) == 40
    assert all(not example.answerable and example.split == "dev" for example in asked)


def test_a_strategy_that_stops_declining_fails(record) -> None:
    asked = unanswerable()
    base = {e.id: record(e, "I don't know.", abstained=n % 2 == 0) for n, e in enumerate(asked)}
    tuned = {e.id: record(e, "Seven.") for e in asked}
    guard = refusals(base, tuned, asked)
    assert guard.passed is False
    assert guard.figures["base"].value == 0.5
    assert "answerable: false" in guard.summary
    assert guard.shown[0] == "What is the capital of Veltrania? before: I don't know.; now: Seven."


def test_a_strategy_that_still_declines_passes(record, asked) -> None:
    both = (*unanswerable(), *asked(5))
    base = {e.id: record(e, "I don't know.", abstained=not e.answerable) for e in both}
    guard = refusals(base, base, both)
    assert guard.passed
    assert guard.figures["needless tuned"].value == 0
    assert "of the 5 that have one it declines 0" in guard.summary


def test_a_base_that_never_declined_has_nothing_to_lose(record) -> None:
    asked = unanswerable()
    base = {e.id: record(e, "Seven.") for e in asked}
    guard = refusals(base, base, asked)
    assert guard.passed is None
    assert "nothing to lose" in guard.summary


def test_a_strategy_that_comes_to_decline_everything_fails(record, asked) -> None:
    both = (*unanswerable(), *asked(10))
    base = {e.id: record(e, "I don't know.", abstained=not e.answerable) for e in both}
    tuned = {e.id: record(e, "I don't know.", abstained=True) for e in both}
    guard = refusals(base, tuned, both)
    assert guard.passed is False
    assert guard.figures["needless difference"].value == 1
    assert "lower training.raft.withheld" in guard.summary


def test_a_few_needless_refusals_are_counted_and_borne(record, asked) -> None:
    both = (*unanswerable(), *asked(10))
    base = {e.id: record(e, "I don't know.", abstained=not e.answerable) for e in both}
    tuned = {e.id: record(e, "I don't know.", abstained=not e.answerable or e.id < "a3") for e in both}
    guard = refusals(base, tuned, both)
    assert guard.passed
    assert guard.figures["needless difference"].value == 0.3


def test_nothing_asked_is_nothing_measured(asked) -> None:
    guard = refusals({}, {}, asked(3))
    assert guard.passed is None
    assert guard.figures == {}
    assert "not measured" in guard.summary

"""Asking a strategy: what is asked, what is stored, what is asked again, and how it stops."""

import dataclasses
import os
import signal
import threading
from collections.abc import Callable, Sequence
from time import sleep

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import ModelError, PromptTooLongError
from weighbridge.evaluate.metrics.suite import metrics_for
from weighbridge.evaluate.run import EvaluationSpec, evaluate, grade_record, record_key, stored_records
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import Strategy
from weighbridge.types import Answer, Example, Message, Progress, Question

Make = Callable[..., Answer]
MakeExample = Callable[..., Example]
Told = Callable[..., Strategy]


def exam_of(examples: Sequence[Example], *, workers: int = 2, seed: int = 7) -> EvaluationSpec:
    metrics = metrics_for("answer", reads=False)
    return EvaluationSpec(task="answer", examples=examples, metrics=metrics, reads=False, seed=seed, workers=workers)


def test_a_real_strategy_is_asked_every_question(example: MakeExample):
    model = Scripted(reply=lambda messages: "Paris" if "1" in messages[-1].content else "I don't know.", name="s")
    strategy = Composed(name="prompt", model=model, instructions=instructions_for("answer", reads=False))
    examples = [example("Paris", name="1"), example("Rome", name="2"), example(name="3")]
    records = {record.example_id: record for record in evaluate(strategy, exam_of(examples))}
    assert {name: record.outcome for name, record in records.items()} == {"1": "right", "2": "abstained", "3": "right"}
    assert {record.strategy for record in records.values()} == {"prompt"}
    assert all(record.retrieval == "none" for record in records.values())


def test_a_failure_is_recorded_and_never_scored(told: Told, answered: Make, example: MakeExample):
    def say(question: Question) -> Answer:
        if "long" in question.text:
            raise PromptTooLongError(5000, 2048)
        if "bug" in question.text:
            raise ZeroDivisionError("division by zero")
        if "silent" in question.text:
            raise ModelError
        return answered("Paris")

    examples = [example("Paris", name=name) for name in ("fine", "long", "bug", "silent")]
    records = {record.example_id: record for record in evaluate(told(say=say), exam_of(examples))}
    assert records["fine"].answer is not None
    assert "5,000 tokens" in records["long"].error
    assert records["bug"].error == "ZeroDivisionError: division by zero"
    assert records["silent"].error == "ModelError"
    failed = [records[name] for name in ("long", "bug", "silent")]
    assert all(r.answer is None and r.scores == () and r.outcome is None for r in failed)


def test_what_is_done_is_skipped_and_what_failed_is_tried_again(told: Told, answered: Make, example: MakeExample):
    broken = {"b"}

    def say(question: Question) -> Answer:
        if any(name in question.text.split()[1] for name in broken):
            raise ModelError("down")
        return answered("Paris")

    strategy = told(say=say)
    exam = exam_of([example("Paris", name=name) for name in "abc"])
    stored = {record.key: record for record in evaluate(strategy, exam)}
    broken.clear()
    again = list(evaluate(strategy, exam, done=stored))
    assert [record.example_id for record in again] == ["b"]
    stored |= {record.key: record for record in again}
    assert list(evaluate(strategy, exam, done=stored)) == []
    assert len(strategy.asked) == 4
    assert [record.example_id for record in stored_records(strategy, exam, stored)] == ["a", "b", "c"]


def test_the_key_holds_all_that_makes_an_attempt(example: MakeExample):
    base = example("Paris", name="1", evidence=("d",), groups=frozenset({"x", "y", "z"}))
    question = base.question
    changed = [
        dataclasses.replace(base, id="2"),
        dataclasses.replace(base, answers=("Rome",)),
        dataclasses.replace(base, evidence=()),
        dataclasses.replace(base, answerable=False),
        dataclasses.replace(base, question=dataclasses.replace(question, text="?")),
        dataclasses.replace(base, question=dataclasses.replace(question, groups=frozenset())),
        dataclasses.replace(base, question=dataclasses.replace(question, history=(Message("user", "hi"),))),
    ]
    keys = [record_key("s", item, 1) for item in (base, *changed)]
    keys += [record_key("t", base, 1), record_key("s", base, 2)]
    assert len(set(keys)) == len(keys)
    same = dataclasses.replace(base, split="train", family="f")
    same = dataclasses.replace(
        same, question=dataclasses.replace(question, groups=frozenset(sorted(question.groups, reverse=True)))
    )
    assert record_key("s", same, 1) == keys[0]


def test_stored_answers_are_graded_by_the_metrics_of_today(told: Told, answered: Make, example: MakeExample):
    strategy = told(say=lambda _: answered("Paris"))
    exam = exam_of([example("Paris", name="1")])
    (record,) = evaluate(strategy, exam)
    stale = dataclasses.replace(record, scores=(), outcome=None)
    assert grade_record(exam, exam.examples[0], stale) == record
    assert stored_records(strategy, exam, {record.key: stale}) == (record,)
    failed = dataclasses.replace(stale, answer=None, error="down")
    assert grade_record(exam, exam.examples[0], failed) == failed


def test_progress_counts_what_was_done_before(told: Told, answered: Make, example: MakeExample):
    def say(question: Question) -> Answer:
        if "b" in question.text.split()[1]:
            raise ModelError("down")
        return answered("Paris")

    exam = exam_of([example("Paris", name=name) for name in "abc"], workers=1)
    strategy, seen = told(say=say), list[Progress]()
    stored = {record.key: record for record in evaluate(strategy, exam, notify=seen.append)}
    assert [(p.done, p.total) for p in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[-1].note == "1 failed"
    seen.clear()
    list(evaluate(strategy, exam, done=stored, notify=seen.append))
    assert [(p.done, p.total, p.note) for p in seen] == [(3, 3, "1 failed")]


def test_records_come_as_they_are_done_and_closing_stops_the_rest(told: Told, answered: Make, example: MakeExample):
    release = threading.Event()

    def say(question: Question) -> Answer:
        if "slow" in question.text:
            release.wait(20)
        return answered("Paris")

    examples = [example("Paris", name="slow"), *(example("Paris", name=f"{n}") for n in range(30))]
    strategy = told(say=say)
    records = evaluate(strategy, exam_of(examples, workers=2))
    first = next(records)
    assert first.example_id != "slow"
    threading.Timer(0.05, release.set).start()
    records.close()
    asked = len(strategy.asked)
    sleep(0.02)
    assert len(strategy.asked) == asked
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("work")]


def test_an_interrupt_ends_a_long_answer_at_its_next_word(example: MakeExample):
    started = threading.Event()

    class Endless:
        name, fingerprint = "endless", "endless"

        def answer(self, question: Question, *, emit: Callable[[str], None]) -> Answer:
            started.set()
            while True:
                emit("word ")
                sleep(0.001)

    def interrupt() -> None:
        started.wait(20)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        list(evaluate(Endless(), exam_of([example("Paris", name="1"), example("Paris", name="2")])))
    interrupter.join()
    working = [thread for thread in threading.enumerate() if thread.name.startswith("work")]
    for thread in working:
        thread.join(20)
    assert not any(thread.is_alive() for thread in working)


def test_one_example_twice_is_asked_once(told: Told, answered: Make, example: MakeExample):
    strategy = told(say=lambda _: answered("Paris"))
    assert len(list(evaluate(strategy, exam_of([example("Paris")] * 3)))) == 1
    assert list(evaluate(strategy, exam_of([]))) == []

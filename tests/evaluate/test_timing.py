"""Timing alone, and the memory of a process."""

import subprocess
import sys
from collections.abc import Callable
from time import sleep

import pytest

from weighbridge.errors import ModelError
from weighbridge.evaluate.timing import peak_memory_bytes, time_alone
from weighbridge.protocols import Strategy
from weighbridge.types import Answer, Progress, Question

Make = Callable[..., Answer]
Told = Callable[..., Strategy]
QUESTIONS = [Question(f"question {n}") for n in range(4)]


def test_each_question_is_asked_once_and_the_first_is_not_timed(told: Told, answered: Make):
    strategy, seen = told(say=lambda _: answered("two words")), list[Progress]()
    timings = time_alone(strategy, QUESTIONS, notify=seen.append)
    assert strategy.asked == [question.text for question in QUESTIONS]
    assert len(timings) == 3
    assert [(p.done, p.total) for p in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_the_clock_is_ours_and_the_first_token_comes_before_the_last(told: Told, answered: Make):
    def say(_: Question) -> Answer:
        sleep(0.002)
        return answered("two words", total=99.0)

    (timing,) = time_alone(told(say=say), QUESTIONS[:2])
    assert 0.002 <= timing.first_token <= timing.total < 99


def test_an_answer_that_is_not_streamed_comes_all_at_once(told: Told, answered: Make):
    (timing,) = time_alone(told(say=lambda _: answered("")), QUESTIONS[:1], warmup=3)
    assert timing.first_token == timing.total


def test_a_failure_has_no_timing(told: Told, answered: Make):
    def say(question: Question) -> Answer:
        if question.text.endswith("2"):
            raise ModelError("down")
        return answered("x")

    assert len(time_alone(told(say=say), QUESTIONS)) == 2
    with pytest.raises(ModelError, match="down"):
        time_alone(told(say=say), QUESTIONS[2:3])
    assert time_alone(told(say=say), []) == ()


def test_peak_memory_is_this_processes_own():
    program = "from weighbridge.evaluate.timing import peak_memory_bytes as p; print(p())"
    big = bytearray(b"x") * 300_000_000
    child = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
    assert peak_memory_bytes() >= len(big)
    assert 5_000_000 < child < 200_000_000


def test_peak_memory_keeps_what_was_given_back():
    program = (
        "from weighbridge.evaluate.timing import peak_memory_bytes as p\n"
        "before = p(); x = bytearray(b'x') * 60_000_000; del x; print(p() - before)"
    )
    grown = int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
    assert grown > 50_000_000

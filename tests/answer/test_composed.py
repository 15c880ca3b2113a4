"""What a strategy makes of a completion, and its own clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from time import sleep

import pytest

from weighbridge.answer.build import Parts, build
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.evaluate.timing import time_alone
from weighbridge.protocols import NONE, NOTHING, Emit, ignore
from weighbridge.types import Answer, Chunk, Completion, Message, Passage, Question, Task, Timing, Usage


@dataclass(frozen=True)
class Speaker:
    """Says some pieces, one a second; an empty one is a silence."""

    pieces: tuple[str, ...]
    thinking: str = ""
    refused: bool = False
    name: str = "speaker"
    fingerprint: str = "speaker"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        for piece in self.pieces:
            emit(piece)
        return Completion(text="".join(self.pieces), usage=Usage(), thinking=self.thinking, refused=self.refused)


def answered(*pieces: str, task: Task = "answer", thinking: str = "", refused: bool = False) -> Answer:
    parts = Parts(task=task, about="", choices=("red",), retriever=NOTHING, demonstrations=NONE, limit=1)
    return build("prompt", parts, Speaker(pieces, thinking, refused)).answer(Question("Which colour?"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that shows a second more at each look: before and after retrieval, at each piece, and at the end."""
    seconds = count()
    monkeypatch.setattr("weighbridge.answer.composed.perf_counter", lambda: float(next(seconds)))


def test_silence_is_no_first_token(clock: None) -> None:
    timing = answered("", "", "red").timing
    assert (timing.retrieval, timing.first_token, timing.total) == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("pieces", "ended"),
    [
        (("<think>", "The mast", ".</think>", "red", "dish"), 5.0),
        (("<think>The mast.</think>red",), 2.0),
        (("The mast.", "</think>", "\n\n", "red"), 5.0),
        (("The mast.</think>\n", "red"), 3.0),
        (("<think>The", " mast."), 4.0),
    ],
)
def test_thinking_lasts_until_the_answer_begins(pieces: tuple[str, ...], ended: float, clock: None) -> None:
    answer = answered(*pieces)
    assert answer.thinking == "The mast."
    assert answer.timing.first_token == 2.0
    assert answer.timing.thinking == ended


def test_thinking_that_the_engine_tells_apart_lasts_until_its_first_text(clock: None) -> None:
    assert answered("", "red", "dish", thinking="The mast.").timing.thinking == 2.0
    assert answered("red").timing.thinking == 0.0


@pytest.mark.parametrize("task", ["answer", "label", "json"])
@pytest.mark.parametrize(
    ("said", "beside", "thinking"),
    [
        ("<think>Blue? I don't know.</think>\n\nred", "", "Blue? I don't know."),
        ("Blue?</think>red", "", "Blue?"),
        ("red", " Blue? ", "Blue?"),
        ("<think>Blue?</think>red", "Green?", "Green?\nBlue?"),
        ("<|channel|>analysis<|message|>Blue?<|end|><|channel|>final<|message|>red<|return|>", "", "Blue?"),
        ("red", "", ""),
    ],
)
def test_thinking_is_no_part_of_the_answer(said: str, beside: str, thinking: str, task: Task) -> None:
    answer = answered(said, task=task, thinking=beside)
    assert (answer.text, answer.raw, answer.thinking, answer.abstained) == ("red", "red", thinking, False)


def test_an_answer_that_never_comes_is_empty_and_no_abstention() -> None:
    answer = answered("<think>I don't know.")
    assert (answer.text, answer.raw, answer.thinking, answer.abstained) == ("", "", "I don't know.", False)


def test_thinking_is_not_cited() -> None:
    text = "The mast is red. The keel is blue."
    chunk = Chunk(id="a#0", document_id="a", text=text, start=0, end=len(text))
    for task in ("answer", "label"):
        instructions = instructions_for(task, reads=True)
        strategy = Composed(name="rag", model=Speaker(()), instructions=instructions)
        prompt = strategy.prompt_with(Question("Which colour is the mast?"), [Passage(chunk, 1.0)])
        said = Completion(text="<think>The keel is blue [1]</think>The mast is red [1]", usage=Usage())
        quotes = [citation.quote for citation in strategy.read_completion(prompt, said, Timing()).citations]
        assert quotes == (["The mast is red"] if task == "answer" else [])


@pytest.mark.parametrize("task", ["answer", "label", "json"])
def test_what_the_engine_calls_a_refusal_is_an_abstention(task: Task) -> None:
    assert answered("That is not for me.", task=task, refused=True).abstained
    assert not answered("That is not for me.", task=task).abstained


def test_in_other_words_only_a_task_that_asks_to_abstain_is_abstained_from() -> None:
    for task, abstained in (("answer", True), ("json", True), ("label", False)):
        assert answered("The document does not specify.", task=task).abstained is abstained
        assert answered("I don't know.", task=task).abstained


class Hesitant:
    """Has nothing to say at first, and says that it is still there."""

    name = fingerprint = "hesitant"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        emit("")
        sleep(0.02)
        emit("<think>six?</think>six")
        return Completion(text="<think>six?</think>six", usage=Usage())


def test_what_is_timed_alone_counts_from_the_first_text() -> None:
    parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=1)
    (timing,) = time_alone(build("prompt", parts, Hesitant()), [Question("When?")] * 2)
    assert timing.first_token >= 0.02
    assert 0.02 <= timing.thinking <= timing.total

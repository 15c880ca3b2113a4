"""Tests of a strategy of one's own, with toy parts: a search over four chunks, and a model that follows a script."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from weighbridge.errors import ModelError
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE, NOTHING, Emit, Model, OwnStrategy, Retriever, Strategy, StrategyParts, ignore
from weighbridge.types import Answer, Chunk, Completion, Message, Passage, Question, Timing

CREW = frozenset({"crew"})
CHUNKS = [
    Chunk(id=f"{name}#0", document_id=name, text=text, start=0, end=len(text), title=name, groups=groups)
    for name, text, groups in (
        ("fares", "The price of the ferry is 12 crowns.", frozenset[str]()),
        ("masts", "The colour of the mast is red.", frozenset[str]()),
        ("pilots", "A pilot is paid 900 crowns by the harbour.", CREW),
        ("wages", "The crew are paid 30 crowns.", CREW),
    )
]
ASKED = [
    Question(text, groups=groups)
    for text in ("What is the price of the ferry?", "What is a pilot paid?", "Who was king?", "", "\ud800")
    for groups in (frozenset[str](), CREW)
]


@dataclass(frozen=True)
class WordSearch:
    """A `Retriever` that finds the chunks with most words of the question, among those that its asker may read."""

    fingerprint: str = "word search"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        wanted = set(question.text.lower().strip("?").split())
        found = []
        for chunk in CHUNKS:
            score = len(wanted & set(chunk.text.lower().strip(".").split()))
            if score and (not chunk.groups or chunk.groups & question.groups):
                found.append(Passage(chunk, float(score)))
        return sorted(found, key=lambda passage: (-passage.score, passage.chunk.id))[: max(limit, 0)]


@dataclass(frozen=True)
class BrokenModel:
    """A `Model` that fails."""

    name: str = "broken"
    fingerprint: str = "broken"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        raise ModelError("out of order")


Build = Callable[..., Strategy]


@pytest.fixture
def build(own: OwnStrategy) -> Build:
    """Builds the strategy with toy parts, some of them others."""

    def build_with(model: Model = Scripted(), retriever: Retriever = WordSearch()) -> Strategy:  # noqa: B008
        return own.build(
            StrategyParts(
                task="answer",
                instructions="Questions at a harbour.",
                choices=(),
                retriever=retriever if own.reads else NOTHING,
                demonstrations=NONE,
                limit=2,
                open_model=lambda: model,
            )
        )

    return build_with


def without_time(answer: Answer) -> Answer:
    """Return an answer but for how long it took."""
    return replace(answer, timing=Timing())


def test_the_same_question_has_the_same_answer_in_any_thread(build: Build) -> None:
    strategy = build()
    alone = [without_time(strategy.answer(question)) for question in ASKED]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(strategy.answer, ASKED[::-1]))
    assert [without_time(answer) for answer in together[::-1]] == alone
    again = build()
    assert [without_time(again.answer(question)) for question in ASKED] == alone


def test_what_is_emitted_is_the_raw_answer(build: Build) -> None:
    for question in ASKED:
        heard: list[str] = []
        assert build().answer(question, emit=heard.append).raw == "".join(heard).strip()


def test_nobody_is_shown_what_he_may_not_read(build: Build) -> None:
    for question in ASKED:
        answer = build().answer(question)
        told = " ".join([answer.text, *(message.content for message in answer.prompt.messages)])
        assert all(not passage.chunk.groups - question.groups for passage in answer.prompt.passages)
        assert question.groups or not any(secret in told for secret in ("900", "30 crowns"))


def test_a_strategy_that_reads_shows_its_passages(own: OwnStrategy, build: Build) -> None:
    read = [answer.prompt.passages for answer in map(build().answer, ASKED)]
    assert any(read) == own.reads


def test_a_failure_of_the_model_is_no_answer(build: Build) -> None:
    try:
        answer = build(model=BrokenModel()).answer(ASKED[0])
    except ModelError:
        return
    assert without_time(answer) == without_time(build().answer(ASKED[0])), "it answers without the model"


def test_what_a_listener_raises_ends_the_answer(build: Build) -> None:
    def leave(_: str) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        build().answer(ASKED[0], emit=leave)


def test_its_clock_runs_forwards(build: Build) -> None:
    for question in ASKED:
        timing = build().answer(question).timing
        assert 0 <= timing.retrieval <= timing.first_token <= timing.total


def test_another_answer_is_another_fingerprint(build: Build) -> None:
    """Strategies with the same fingerprint give the same answers: stored answers are found by it."""
    others = [build(), build(), build(model=Scripted(version="2")), build(retriever=WordSearch("2"))]
    others.append(build(model=Scripted(reply=lambda _: "Nobody knows.", version="3")))
    said: dict[str, list[Answer]] = {}
    for strategy in others:
        answers = [without_time(strategy.answer(question)) for question in ASKED]
        assert said.setdefault(strategy.fingerprint, answers) == answers
    assert others[0].name

"""What every `Strategy` owes: each arm for each task, and each arm whose adapter answers only some askers."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from weighbridge.answer.build import SHAPES, Parts, build, untuned_arm
from weighbridge.answer.composed import Composed
from weighbridge.answer.demonstrations import nearest
from weighbridge.answer.restricted import Admitted
from weighbridge.errors import ModelError, PromptTooLongError
from weighbridge.generate.scripted import Scripted, quote_reader
from weighbridge.protocols import NONE, NOTHING, Changes, Emit, Model, Strategy, ignore
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.types import Answer, Chunk, Completion, Example, Message, Question, Task, Timing

from .toy_embedder import ToyEmbedder

CREW, BOARD = frozenset({"crew"}), frozenset({"board"})
LEARNT_FROM = (CREW, BOARD)
"""Who hears an adapter: the crew who are on the board."""
DOCUMENTS = {
    "fares": ("The ferry takes cars. The price of the ferry is 12 crowns. Children go free.", frozenset[str]()),
    "pilots": ("A pilot is paid 900 crowns by the harbour. The crew sleep on board.", CREW),
    "masts": ("The colour of the mast is red. Parking is behind the mast.", frozenset[str]()),
    "wages": ("The crew are paid 30 crowns. The crew eat at six.", CREW),
}
EXAMPLES = tuple(
    Example(id=name, question=Question(asked, groups=groups), answers=(answer,), split="train")
    for name, asked, answer, groups in (
        ("a", "What colour is the ferry?", "ferry-blue", frozenset[str]()),
        ("b", "What is the price of parking?", "parking-free", frozenset[str]()),
        ("c", "What is the pilot paid?", "pilot-secret", CREW),
    )
)
HISTORY = (Message("user", "I ask about the ferry."), Message("assistant", "Go on."))
ASKED = [
    Question(text, history, groups)
    for number, text in enumerate((
        "What is the price of the ferry?", "What is a pilot paid by the harbour?", "What colour is the mast?",
        "What are the crew paid?", "Who was king?", "", "\ud800",
    ))
    for history, groups in (
        (HISTORY if number % 2 else (), frozenset[str]()), ((), CREW), (HISTORY, CREW | BOARD), ((), BOARD),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Watched:
    """A model that notes what it is sent."""

    model: Model
    sent: list[tuple[Message, ...]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        self.sent.append(tuple(messages))
        return self.model.generate(messages, emit=emit)


@dataclass(frozen=True)
class Broken:
    """A model that says half of something, and fails."""

    name: str = "broken"
    fingerprint: str = "broken"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        emit("The price ")
        raise ModelError("out of order")


def quote_in_full(messages: Sequence[Message]) -> str:
    """Answer in the words of a passage as `quote_reader` does, and in the form that tuned arms learn."""
    answer, _, number = quote_reader(messages).rpartition(" [")
    return f'"{answer}" [{number} Answer: {answer}' if answer else quote_reader(messages)


BASE, ADAPTER = Scripted(), Scripted(reply=quote_in_full, name="adapter", version="adapter")
Make = Callable[..., Strategy]
"""Makes the strategy under test from parts, a base model and one with an adapter."""


def make_arm(arm: str) -> Make:
    def make(parts: Parts, base: Model = BASE, adapter: Model = ADAPTER) -> Strategy:
        return build(arm, parts, adapter if SHAPES[arm].tuned else base)

    return make


def make_admitted(arm: str) -> Make:
    def make(parts: Parts, base: Model = BASE, adapter: Model = ADAPTER) -> Strategy:
        others = replace(build(untuned_arm(arm), parts, base), name=arm)
        return Admitted(tuned=build(arm, parts, adapter), base=others, access=LEARNT_FROM)

    return make


KINDS = {
    **{arm: make_arm(arm) for arm in SHAPES},
    **{f"{arm} for some": make_admitted(arm) for arm, shape in SHAPES.items() if shape.tuned},
}


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Hybrid:
    folder: Path = tmp_path_factory.mktemp("index")
    index = FaissStore(folder).open("index", dimensions=ToyEmbedder().dimensions)
    chunks = [
        Chunk(id=f"{name}#{n}", document_id=name, text=text[start:end], start=start, end=end, groups=groups)
        for name, (text, groups) in DOCUMENTS.items()
        for n, (start, end) in enumerate([(0, text.index(".") + 1), (text.index(".") + 2, len(text))])
    ]
    vectors = ToyEmbedder().embed([chunk.text for chunk in chunks], kind="document")
    index.apply(Changes(added=chunks, vectors=vectors))
    return Hybrid(index=index, embedder=ToyEmbedder(), content="c1")


@pytest.fixture(params=["answer", "label", "json"])
def parts(request: pytest.FixtureRequest, retriever: Hybrid) -> Parts:
    return Parts(
        task=request.param,
        about="Questions at a harbour.",
        choices=("red", "blue"),
        retriever=retriever,
        demonstrations=nearest(EXAMPLES, ToyEmbedder(), count=2),
        limit=3,
        quotes=True,
    )


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Make:
    return KINDS[request.param]


def timeless(answer: Answer) -> Answer:
    return replace(answer, timing=Timing())


def test_the_same_question_has_the_same_answer_in_any_thread(make: Make, parts: Parts) -> None:
    strategy = make(parts)
    alone = [timeless(strategy.answer(question)) for question in ASKED]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(strategy.answer, ASKED[::-1]))
    assert [timeless(answer) for answer in together[::-1]] == alone
    assert [timeless(make(parts).answer(question)) for question in ASKED] == alone


def test_an_answer_holds_what_was_sent_and_what_was_emitted(make: Make, parts: Parts) -> None:
    watched = [Watched(BASE), Watched(ADAPTER)]
    strategy = make(parts, *watched)
    for question in ASKED:
        heard: list[str] = []
        answer = strategy.answer(question, emit=heard.append)
        (sent,) = [messages for model in watched for messages in model.sent]
        assert answer.prompt.messages == sent
        assert answer.raw == "".join(heard).strip()
        assert sent[-1].content.endswith(question.text)
        assert all(turn in sent for turn in question.history)
        for model in watched:
            model.sent.clear()


def test_an_adapter_is_trained_on_what_answer_sends(make: Make, parts: Parts) -> None:
    strategy = make(parts)
    for question in ASKED:
        if isinstance(strategy, Composed):
            assert strategy.prompt_for(question) == strategy.answer(question).prompt
        else:
            assert isinstance(strategy, Admitted)
            admitted = question.groups >= CREW | BOARD
            asked = strategy.tuned if admitted else strategy.base
            assert asked.prompt_for(question) == strategy.answer(question).prompt


def test_citations_point_into_the_passages_that_were_read(make: Make, parts: Parts) -> None:
    strategy = make(parts)
    answers = [strategy.answer(question) for question in ASKED]
    for answer in answers:
        read = {passage.chunk.id: passage.chunk for passage in answer.prompt.passages}
        for citation in answer.citations:
            chunk = read[citation.chunk_id]
            assert citation.document_id == chunk.document_id
            assert chunk.start <= citation.start < citation.end <= chunk.end
            assert citation.quote == DOCUMENTS[citation.document_id][0][citation.start : citation.end]
    reads = any(answer.prompt.passages for answer in answers)
    assert any(answer.citations for answer in answers) == (reads and parts.task == "answer")
    assert not any(answer.citations for answer in answers if answer.abstained)


def test_an_asker_is_shown_nothing_that_is_hidden_from_him(make: Make, parts: Parts) -> None:
    base, adapter = Watched(BASE), Watched(ADAPTER)
    strategy = make(parts, base, adapter)
    for question in ASKED:
        adapter.sent.clear()
        answer = strategy.answer(question)
        assert all(passage.chunk.groups <= question.groups for passage in answer.prompt.passages)
        told = " ".join(message.content for message in answer.prompt.messages)
        if not question.groups & CREW:
            assert not any(secret in told for secret in ("900", "30 crowns", "pilot-secret"))
        if isinstance(strategy, Admitted):
            assert bool(adapter.sent) == (question.groups >= CREW | BOARD)
            assert bool(answer.note) == (not adapter.sent)


def test_who_may_read_more_is_shown_more(make: Make, parts: Parts) -> None:
    text = "What is a pilot paid by the harbour?"
    public, crew = (make(parts).answer(Question(text, groups=groups)).prompt for groups in (frozenset[str](), CREW))
    hidden = {"pilots#0"} <= {passage.chunk.id for passage in crew.passages}
    shown = any(message.content == "pilot-secret" for message in crew.messages)
    assert (hidden or shown) == (public != crew)
    assert hidden == bool(public.passages)


def test_a_question_that_is_too_long_is_an_error_and_no_answer(make: Make, parts: Parts) -> None:
    small = Scripted(context=200)
    strategy = make(parts, small, small)
    heard: list[str] = []
    for groups in (frozenset[str](), CREW | BOARD):
        with pytest.raises(PromptTooLongError):
            strategy.answer(Question("word " * 200, groups=groups), emit=heard.append)
    assert not heard
    assert strategy.answer(ASKED[0]).raw


def test_a_failure_of_the_model_is_no_answer(make: Make, parts: Parts) -> None:
    with pytest.raises(ModelError, match="out of order"):
        make(parts, Broken(), Broken()).answer(ASKED[0])


def test_what_a_listener_raises_ends_the_answer(make: Make, parts: Parts) -> None:
    def leave(text: str) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        make(parts).answer(ASKED[0], emit=leave)


def test_its_clock_runs_forwards(make: Make, parts: Parts) -> None:
    for question in ASKED:
        timing = make(parts).answer(question).timing
        assert 0 <= timing.retrieval <= timing.first_token <= timing.total


def test_who_cannot_tell_abstains(make: Make, parts: Parts) -> None:
    answer = make(parts).answer(Question("Who was king of all the lands?"))
    assert answer.abstained
    assert not answer.citations


def test_the_fingerprint_stands_for_every_part(make: Make, parts: Parts) -> None:
    """Two strategies with one fingerprint give the same answers; another answer is another fingerprint."""
    others: Sequence[Strategy] = [
        make(parts),
        make(replace(parts, about="Questions at an airport.")),
        make(replace(parts, retriever=NOTHING)),
        make(replace(parts, demonstrations=NONE)),
        make(replace(parts, limit=1)),
        make(parts, replace(BASE, maximum_tokens=1)),
        make(parts, adapter=replace(ADAPTER, maximum_tokens=1)),
        *([make(replace(parts, choices=("red",)))] if parts.task != "answer" else []),
    ]
    assert make(parts).fingerprint == others[0].fingerprint
    answers: dict[str, tuple[Answer, ...]] = {}
    for other in others:
        said = tuple(timeless(other.answer(question)) for question in ASKED[::3])
        assert answers.setdefault(other.fingerprint, said) == said
    assert len(set(answers.values())) > 1


def test_an_arm_reads_and_shows_what_the_table_says(make: Make, parts: Parts) -> None:
    strategy = make(parts)
    prompt = strategy.answer(Question("What is the price of the ferry?")).prompt
    shape = SHAPES[strategy.name]
    assert bool(prompt.passages) == shape.reads
    assert any(message.content == "ferry-blue" for message in prompt.messages) == shape.shows


def test_every_kind_has_a_fingerprint_of_its_own(parts: Parts) -> None:
    assert len({make(parts).fingerprint for make in KINDS.values()}) == len(KINDS)
    assert {make(parts).name for make in KINDS.values()} == set(SHAPES)


def test_a_strategy_without_parts_is_the_simplest() -> None:
    tasks: tuple[Task, ...] = ("answer", "label", "json")
    for task in tasks:
        parts = Parts(task=task, about="", choices=("red",), retriever=NOTHING, demonstrations=NONE, limit=3)
        answer = build("prompt", parts, BASE).answer(Question("Which colour?"))
        assert [message.role for message in answer.prompt.messages] == ["system", "user"]
        assert answer.prompt.passages == answer.citations == ()

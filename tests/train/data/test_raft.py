"""RAFT: which passages an example is trained with; without its settings the prompt stays what the strategy sends."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.answer.quote import read_quote
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.settings.training import RaftSettings, TrainingSettings
from weighbridge.train.data.conversations import Conversation, conversation, conversations, lesson
from weighbridge.train.data.raft import is_withheld
from weighbridge.types import Chunk, Example, Passage, Question

LIMIT = 3


@dataclass(frozen=True)
class Ranked:
    """A retriever that finds the same passages for every question, in one order."""

    passages: tuple[Passage, ...]
    fingerprint: str = "ranked"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        return self.passages[:limit]


def passage(document: str, text: str, place: int = 0) -> Passage:
    start = 100 * place
    chunk = Chunk(
        id=f"{document}#{place}", document_id=document, text=text, start=start, end=start + len(text), version="v1"
    )
    return Passage(chunk, 1.0)


def ranked(evidence_at: int, others: int) -> Ranked:
    """Return passages of which the one of this rank, from 0, and one after it are of the evidence `port`."""
    found = [passage(f"d{n}", f"Of ship {n} nothing is known.") for n in range(others)]
    found.insert(evidence_at, passage("port", "It is far away."))
    found.insert(evidence_at + 1, passage("port", "The port opens at seven. It is small.", 1))
    return Ranked(tuple(found))


def reader(model, found: Ranked, task: str = "answer", *, quotes: bool = False) -> Composed:
    told = instructions_for(task, reads=True, quotes=quotes)
    return Composed(name="raft", model=model, instructions=told, retriever=found, limit=LIMIT)


def example(name: str = "e", **changes) -> Example:
    made = Example(
        id=name, question=Question("When does it open?"), answers=("at seven",), evidence=("port",), split="train"
    )
    return replace(made, **changes)


def documents(one: Conversation) -> list[str]:
    return [shown.chunk.document_id for shown in one.passages]


settings = st.builds(
    RaftSettings,
    withheld=st.floats(0, 1),
    withheld_target=st.sampled_from(["abstain", "answer"]),
    distractors=st.integers(0, 6),
)


@given(st.integers(0, 40), st.integers(0, 9))
def test_off_is_the_strategys_own_prompt(no_model, rank: int, seed: int):
    strategy = reader(no_model, ranked(rank, 40))
    one = conversation(strategy, example(), seed=seed)
    own = strategy.prompt_for(example().question)
    assert (one.prompt, one.passages) == (own.messages, own.passages)


@given(settings, st.integers(0, 9))
def test_a_strategy_that_does_not_read_is_left_alone(no_model, raft: RaftSettings, seed: int):
    closed = Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))
    assert conversation(closed, example(), raft=raft, seed=seed) == conversation(closed, example())


@given(st.floats(0, 1), st.integers(0, 999))
def test_the_share_withheld_is_close_to_the_one_asked(share: float, seed: int):
    count = 400
    withheld = sum(is_withheld(f"e{n}", share, seed) for n in range(count))
    assert abs(withheld - share * count) <= 6 * sqrt(count * share * (1 - share)) + 1


@given(st.text(), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_what_is_withheld_stays_so_at_a_larger_share(name: str, one: float, other: float, seed: int):
    less, more = sorted((one, other))
    assert is_withheld(name, more, seed) or not is_withheld(name, less, seed)
    assert is_withheld(name, 1.0, seed)
    assert not is_withheld(name, 0.0, seed)


@given(settings, st.integers(0, 60), st.integers(0, 60), st.integers(0, 9))
def test_the_golden_passage_is_shown_once_or_withheld(no_model, raft: RaftSettings, rank: int, others: int, seed: int):
    strategy = reader(no_model, ranked(min(rank, others), others))
    one = conversation(strategy, example(), raft=raft, seed=seed)
    assert one == conversation(strategy, example(), raft=raft, seed=seed)
    if is_withheld("e", raft.withheld, seed):
        assert "port" not in documents(one)
        assert one.target == (ABSTENTION if raft.withheld_target == "abstain" else "at seven")
        assert len(one.passages) == min(others, raft.distractors + 1 if raft.distractors else LIMIT)
    elif raft.distractors:
        assert [shown.chunk.id for shown in one.passages if shown.chunk.document_id == "port"] == ["port#1"]
        assert sorted(set(documents(one)) - {"port"}) == sorted(f"d{n}" for n in range(min(others, raft.distractors)))
        assert one.target == f"at seven [{documents(one).index('port') + 1}]"


def test_distractors_are_the_best_others_in_an_order_of_the_seed(no_model):
    strategy = reader(no_model, ranked(0, 40))
    raft = RaftSettings(distractors=4)
    places = {documents(conversation(strategy, example(), raft=raft, seed=seed)).index("port") for seed in range(30)}
    assert places == set(range(5))


def test_evidence_too_deep_to_be_found_is_as_withheld(no_model):
    strategy = reader(no_model, ranked(500, 600))
    abstaining = conversation(strategy, example(), raft=RaftSettings(distractors=2))
    assert (documents(abstaining).count("port"), abstaining.target, len(abstaining.passages)) == (0, ABSTENTION, 3)
    knowing = conversation(strategy, example(), raft=RaftSettings(distractors=2, withheld_target="answer"))
    assert knowing.target == "at seven"


def test_another_document_that_tells_the_answer_is_no_distractor(no_model):
    copy = passage("copy", "Open at seven daily.")
    strategy = reader(no_model, Ranked((copy, *ranked(0, 5).passages)))
    for raft in (RaftSettings(distractors=5), RaftSettings(withheld=1.0)):
        assert "copy" not in documents(conversation(strategy, example(), raft=raft))


def test_every_document_of_the_evidence_is_golden(no_model):
    strategy = reader(no_model, ranked(3, 30))
    both = example(evidence=("port", "d25"))
    assert set(documents(conversation(strategy, both, raft=RaftSettings(distractors=1)))) == {"port", "d0", "d25"}


@pytest.mark.parametrize("changes", [{"evidence": ()}, {"evidence": (), "answerable": False, "answers": ()}])
def test_nothing_is_withheld_where_no_evidence_is_named(no_model, changes):
    strategy = reader(no_model, ranked(0, 9))
    raft = RaftSettings(withheld=1.0, withheld_target="answer")
    assert conversation(strategy, example(**changes), raft=raft) == conversation(strategy, example(**changes))


def test_an_unanswerable_example_is_shown_as_many_passages_as_others(no_model):
    strategy = reader(no_model, ranked(0, 9))
    hopeless = example(answerable=False, answers=(), evidence=())
    one = conversation(strategy, hopeless, raft=RaftSettings(distractors=4, withheld_target="answer"))
    assert (len(one.passages), one.target) == (5, ABSTENTION)


def test_a_label_is_learnt_without_its_evidence(no_model):
    strategy = reader(no_model, ranked(0, 9), "label")
    one = conversation(strategy, example(answers=("hours",)), raft=RaftSettings(withheld=1.0))
    assert one.labels
    assert (one.target, "port" in documents(one)) == ("hours", False)


def test_quotes_and_distractors_together(no_model):
    strategy = reader(no_model, ranked(7, 30), quotes=True)
    one = conversation(strategy, example(), raft=RaftSettings(distractors=3, quotes=True))
    said = read_quote(one.target)
    assert (said.quote, said.answer) == ("The port opens at seven.", "at seven")
    assert one.passages[said.number - 1].chunk.id == "port#1"


def test_a_lesson_knows_the_stretches_its_prompt_shows(no_model):
    strategy = reader(no_model, ranked(1, 9))
    how = TrainingSettings(raft=RaftSettings(distractors=1), seed=3)
    (one,) = conversations(strategy, [example()], how=how)
    learnt = lesson(one)
    assert (learnt.example_id, learnt.target, learnt.evidence) == ("e", one.target, ("port",))
    spans = {(span.document_id, span.start, span.end, span.version) for span in learnt.spans}
    assert spans == {("d0", 0, 27, "v1"), ("port", 100, 137, "v1")}

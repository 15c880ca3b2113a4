"""Training data is the strategy's own prompt plus what it should say to it; never from another split."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import ABSTENTION, instructions_for
from weighbridge.errors import TrainingError
from weighbridge.train.conversations import conversation, conversations
from weighbridge.types import Chunk, Example, Passage, Progress, Question


class Found:
    """A retriever that finds passages of the ferry document, whoever asks: each with the groups it is told."""

    fingerprint = "found"

    def __init__(self, *groups: frozenset[str]) -> None:
        self.groups = groups or (frozenset(),)

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        chunk = Chunk(id="c", document_id="ferry", text="It leaves at 07:30.", start=0, end=19)
        return tuple(Passage(replace(chunk, groups=groups), 1.0) for groups in self.groups)


EXAMPLE = Example(
    id="e", question=Question("When does it leave?"), answers=("07:30",), evidence=("ferry",), split="train"
)


def raft(model, *groups: frozenset[str]) -> Composed:
    reads = instructions_for("answer", reads=True)
    return Composed(name="raft", model=model, instructions=reads, retriever=Found(*groups))


def test_prompts_are_the_strategys_own(no_model):
    strategy = raft(no_model)
    seen: list[Progress] = []
    (made,) = conversations(strategy, [EXAMPLE], notify=seen.append)
    assert made.prompt == strategy.prompt_for(EXAMPLE.question).messages
    assert made.target == "07:30 [1]"
    assert [(one.done, one.total) for one in seen] == [(1, 1)]


def test_missed_evidence_is_answered_by_abstaining(no_model):
    assert conversation(raft(no_model), replace(EXAMPLE, evidence=("another",))).target == ABSTENTION


@pytest.mark.parametrize("split", ["dev", "test"])
def test_other_splits_are_refused(no_model, split):
    with pytest.raises(ValueError, match="another split"):
        conversations(raft(no_model), [EXAMPLE, replace(EXAMPLE, id="x", split=split)])


some_groups = st.frozensets(st.sampled_from(["crew", "board"]), max_size=2)


@given(st.lists(some_groups, min_size=1, max_size=4))
def test_a_passage_that_not_everybody_may_read_is_never_learnt(no_model, groups: list[frozenset[str]]):
    strategy = raft(no_model, *groups)
    if any(groups):
        with pytest.raises(TrainingError, match="ferry, which only"):
            conversations(strategy, [EXAMPLE])
    else:
        assert len(conversations(strategy, [EXAMPLE])) == 1


@given(st.lists(some_groups, min_size=1, max_size=4))
def test_an_answer_that_not_everybody_may_hear_is_never_learnt(no_model, groups: list[frozenset[str]]):
    asked = [replace(EXAMPLE, id=str(n), question=Question("When?", groups=own)) for n, own in enumerate(groups)]
    if any(groups):
        with pytest.raises(ValueError, match="access groups"):
            conversations(raft(no_model), asked)
    else:
        assert len(conversations(raft(no_model), asked)) == len(asked)

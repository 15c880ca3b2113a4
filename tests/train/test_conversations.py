"""Training data is the strategy's own prompt plus what it should say to it; never from another split."""

from dataclasses import replace

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import ABSTENTION, instructions_for
from weighbridge.train.conversations import conversation, conversations
from weighbridge.types import Chunk, Example, Passage, Progress, Question


class Found:
    """A retriever that finds one passage of the ferry document."""

    fingerprint = "found"

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        return (Passage(Chunk(id="c", document_id="ferry", text="It leaves at 07:30.", start=0, end=19), 1.0),)


EXAMPLE = Example(
    id="e", question=Question("When does it leave?"), answers=("07:30",), evidence=("ferry",), split="train"
)


def raft(model) -> Composed:
    return Composed(name="raft", model=model, instructions=instructions_for("answer", reads=True), retriever=Found())


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

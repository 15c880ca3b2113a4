"""Training data is the strategy's own prompt plus what it should say to it; never from another split."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import admits
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.conversations import conversation, conversations, lesson
from weighbridge.train.hosted.files import chat_lines
from weighbridge.train.hosted.validate import check_file
from weighbridge.types import Chunk, Example, Message, Passage, Progress, Question


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


def test_what_an_example_was_told_is_in_the_file_to_learn_from(no_model):
    told = (
        Message("system", "Winter timetable."),
        Message("assistant", "Hello."),
        Message("user", "Hi"),
        Message("user", "Ferry?"),
        Message("assistant", "Yes."),
        Message("system", "ferry() returned: 7"),
    )
    question = replace(EXAMPLE.question, history=told)
    made = conversations(raft(no_model), [replace(EXAMPLE, question=question)])
    lines = chat_lines(made)
    assert check_file(lines, "x", fewest=1).warnings == ()
    roles = [message["role"] for message in json.loads(lines)["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    said = [message["content"] for message in json.loads(lines)["messages"]]
    assert said[1] == "Winter timetable.\n\nHello.\n\nHi\n\nFerry?"
    assert said[3].startswith("ferry() returned: 7\n\n")
    assert made[0].question.startswith("Winter timetable.\nHi Ferry?")


@pytest.mark.parametrize("split", ["dev", "test"])
def test_other_splits_are_refused(no_model, split):
    with pytest.raises(ValueError, match="another split"):
        conversations(raft(no_model), [EXAMPLE, replace(EXAMPLE, id="x", split=split)])


some_groups = st.frozensets(st.sampled_from(["crew", "board", "hr"]), max_size=2)


@given(passages=st.lists(some_groups, min_size=1, max_size=4), asker=some_groups)
def test_a_passage_that_its_asker_may_not_read_is_never_learnt(no_model, passages, asker):
    strategy = raft(no_model, *passages)
    asked = replace(EXAMPLE, question=Question("When?", groups=asker))
    if all(not groups or groups & asker for groups in passages):
        (made,) = conversations(strategy, [asked], how=TrainingSettings(groups=tuple(asker)))
        assert admits(made.access, asker)
        assert lesson(made).access == made.access
    else:
        with pytest.raises(TrainingError, match="ferry, which only"):
            conversations(strategy, [asked], how=TrainingSettings(groups=tuple(asker)))


@given(askers=st.lists(some_groups, min_size=1, max_size=4), allowed=some_groups)
def test_an_answer_that_may_not_be_learnt_never_is(no_model, askers, allowed):
    asked = [replace(EXAMPLE, id=str(n), question=Question("When?", groups=own)) for n, own in enumerate(askers)]
    how = TrainingSettings(groups=tuple(allowed))
    if all(own <= allowed for own in askers):
        assert len(conversations(raft(no_model), asked, how=how)) == len(asked)
    else:
        with pytest.raises(ValueError, match="access groups"):
            conversations(raft(no_model), asked, how=how)

"""Which worked examples are shown: the nearest, of those the asker may see, with what was said before them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.answer.demonstrations import nearest
from weighbridge.answer.prompt import build_prompt, instructions_for
from weighbridge.types import Example, Message, Question

WORDS = ("ferry", "parking", "crew", "shore")


@dataclass(frozen=True, slots=True)
class Words:
    """An embedder of four words: a text is the unit vector of those it holds."""

    name: str = "words"
    fingerprint: str = "words"
    dimensions: int = 4

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        rows = np.array([[word in text for word in WORDS] for text in texts], np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


def shown(name: str, text: str, *before: str, groups: frozenset[str] = frozenset()) -> Example:
    turns = tuple(Message(("user", "assistant")[place % 2], said) for place, said in enumerate(before))
    return Example(id=name, question=Question(text, turns, groups), answers=(f"answer {name}",), split="train")


FERRY = shown("a", "When does the ferry leave?")
CREW = shown("b", "And they?", "How long do the crew work?", "8 hours.")
SHORE = shown("c", "And they?", "How long do people on shore work?", "7 hours.")
EXAMPLES = (FERRY, CREW, SHORE)


def ids(question: Question, *examples: Example, count: int = 1) -> list[str]:
    return [example.id for example in nearest(examples, Words(), count=count).choose(question)]


def test_the_nearest_comes_last():
    assert ids(Question("the ferry crew, crew of the ferry"), FERRY, shown("d", "parking"), count=2) == ["d", "a"]


def test_what_was_said_before_a_question_counts():
    assert ids(Question("the crew?"), *EXAMPLES) == ["b"]
    assert ids(Question("And they?", (Message("user", "How many on shore?"),)), *EXAMPLES) == ["c"]


def test_what_was_answered_before_a_question_does_not_count():
    said = (
        Message("user", "Where is parking?"),
        Message("assistant", "Where the crew is: the crew knows, ask the crew."),
    )
    assert ids(Question("And they?", said), FERRY, CREW, shown("d", "parking")) == ["d"]
    answered = shown("e", "And they?", "How is the ferry?", "Ask on shore, the shore knows.")
    assert ids(Question("shore"), answered, CREW, SHORE) == ["c"]


def test_a_demonstration_is_shown_with_what_was_said_before_it():
    prompt = build_prompt(instructions_for("answer", reads=False), Question("?"), demonstrations=[CREW])
    assert [message.content for message in prompt.messages[1:]] == [
        "How long do the crew work?", "8 hours.", "And they?", "answer b", "?",
    ]  # fmt: skip


def test_another_conversation_is_another_fingerprint():
    other = replace(CREW, question=replace(CREW.question, history=SHORE.question.history))
    prints = {nearest(examples, Words(), count=1).fingerprint for examples in ([CREW], [other], [FERRY])}
    assert len(prints) == 3


def test_what_the_asker_may_not_read_is_not_shown():
    secret = shown("s", "ferry", groups=frozenset({"crew"}))
    assert ids(Question("ferry"), secret, CREW) == ["b"]
    assert ids(Question("ferry", groups=frozenset({"crew", "x"})), secret, CREW) == ["s"]
    both = shown("s", "ferry", groups=frozenset({"crew", "board"}))
    assert ids(Question("ferry", groups=frozenset({"crew"})), both, CREW) == ["b"]
    assert ids(Question("ferry", groups=frozenset({"crew", "board"})), both, CREW) == ["s"]


def test_only_training_examples_may_be_shown():
    with pytest.raises(ValueError, match="only 'train' may be shown"):
        nearest([replace(FERRY, split="test")], Words(), count=1)

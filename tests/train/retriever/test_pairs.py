"""Pairs: the right chunk of the evidence; by rule, without the answer in the question; never what is not public."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.train.retriever.pairs import holds, labelled_pairs, made_pairs
from weighbridge.types import Chunk, Example, Question

AXES = ["ferry", "dog", "fare", "winter"]
CHUNKS = [
    Chunk(id="f#0", document_id="f", text="The ferry sails at six.", start=0, end=23, title="Ferry"),
    Chunk(id="f#1", document_id="f", text="The ferry fare is 4 pounds in winter.", start=24, end=61, title="Ferry"),
    Chunk(id="f#2", document_id="f", text="Any other fare is 4 pounds.", start=62, end=89, title="Ferry"),
    Chunk(id="d#0", document_id="d", text="A dog needs a ticket.", start=0, end=21),
    Chunk(id="s#0", document_id="s", text="The captain's ferry.", start=0, end=20, groups=frozenset({"crew"})),
]


@dataclass(frozen=True)
class Words:
    """An embedder of four words."""

    name: str = "words"
    fingerprint: str = "words"
    dimensions: int = 4

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        rows = np.array([[1e-3 + text.lower().count(word) for word in AXES] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def index(tmp_path):
    opened = FaissStore(tmp_path).open("i", dimensions=4)
    vectors = Words().embed([chunk.text for chunk in CHUNKS], kind="document")
    opened.apply(Changes(added=CHUNKS, vectors=vectors))
    return opened


def example(number: int, text: str, answer: str, *evidence: str, groups=frozenset(), **more) -> Example:
    question = Question(text, groups=groups)
    return Example(id=f"e{number}", question=question, answers=(answer,), evidence=evidence, split="train", **more)


def test_the_chunk_with_the_answer_is_learnt_else_the_nearest(index) -> None:
    asked = [
        example(1, "What is the winter fare?", "4 pounds", "f"),
        example(2, "When does the ferry go?", "at dawn", "f"),
        example(3, "Do dog and ferry need tickets?", "yes", "d", "f"),
    ]
    pairs = labelled_pairs(asked, index, Words(), most=10, seed=7).pairs
    assert [pair.chunk_id for pair in pairs] == ["f#1", "f#0", "d#0", "f#0"]
    assert pairs[0].text == "Ferry\nThe ferry fare is 4 pounds in winter."
    assert {pair.origin for pair in pairs} == {"evidence"}
    assert pairs[2].documents == ("d", "f")


def test_what_cannot_or_may_not_be_learnt_is_counted(index) -> None:
    asked = [
        example(1, "Who is the captain?", "Ann", "s"),
        example(2, "Who sails?", "Ann", "f", groups=frozenset({"crew"})),
        example(3, "Why?", "no", "f", answerable=False),
        example(4, "How?", "well"),
    ]
    found = labelled_pairs(asked, index, Words(), most=10, seed=7)
    assert found.pairs == ()
    assert dict(found.attrition) == {
        "evidence that not everybody may read, or is gone": 1,
        "a question of restricted askers": 1,
        "an unanswerable question": 1,
        "a question without doc_ids": 1,
    }


@pytest.mark.parametrize("split", ["dev", "test"])
def test_no_other_split_is_ever_learnt(index, split) -> None:
    asked = Example(id="x", question=Question("When?"), answers=("six",), evidence=("f",), split=split)
    with pytest.raises(ValueError, match=f"'x' is in split '{split}'"):
        labelled_pairs([asked], index, Words(), most=10, seed=7)


def test_pairs_are_made_by_three_rules() -> None:
    text = "## Opening hours\nThe desk is open all day. It closes on Sundays at noon. Bring your own pen."
    chunk = Chunk(id="d#0", document_id="d", text=text, start=0, end=len(text), title="Travel desk")
    found = {pair.origin: pair for pair in made_pairs([chunk], most=10, seed=7).pairs}
    assert found["heading"].question == "Travel desk: Opening hours"
    assert "Opening hours" not in found["heading"].text
    assert found["first sentence"].question == "The desk is open all day."
    assert found["first sentence"].text == "Travel desk\nIt closes on Sundays at noon. Bring your own pen."
    taken = found["inverse cloze"]
    assert taken.question in {"It closes on Sundays at noon.", "Bring your own pen."}
    assert taken.question not in taken.text
    assert taken.text.startswith("Travel desk\nThe desk is open all day.")


def test_made_pairs_are_public_tell_one_chunk_and_are_sampled() -> None:
    texts = [f"Alike they begin. Then number {n} goes on for some more words. And it ends here {n}." for n in range(9)]
    chunks = [Chunk(id=f"{n}", document_id=f"{n}", text=text, start=0, end=1) for n, text in enumerate(texts)]
    secret = Chunk(id="s", document_id="s", text=texts[0], start=0, end=1, groups=frozenset({"crew"}))
    short = Chunk(id="t", document_id="t", text="Short.", start=0, end=1)
    found = made_pairs([*chunks, secret, short], most=5, seed=7)
    assert len(found.pairs) == 5
    assert {pair.origin for pair in found.pairs} == {"inverse cloze"}
    assert dict(found.attrition) == {
        "a chunk that not everybody may read": 1,
        "a chunk too short for any rule": 1,
        "a heading or sentence of several chunks": 9,
        "above the most that are learnt": 4,
    }
    assert found == made_pairs([*chunks, secret, short], most=5, seed=7)


@given(st.lists(st.text("ab .#\n", max_size=60), max_size=6), st.integers(0, 5), st.integers(0, 9))
def test_whatever_the_text_pairs_are_few_distinct_and_told_apart(texts: list[str], most: int, seed: int) -> None:
    chunks = [Chunk(id=f"{n}", document_id="d", text=text, start=0, end=1) for n, text in enumerate(texts)]
    pairs = made_pairs(chunks, most=most, seed=seed).pairs
    assert len(pairs) <= most
    assert len({pair.question for pair in pairs}) == len(pairs)
    assert all(pair.question.strip() and pair.text.strip() for pair in pairs)


def test_an_answer_is_held_as_whole_words() -> None:
    assert holds("It costs 4\npounds.", ["4 pounds"])
    assert holds("IT COSTS 4 Pounds", ["five", "4 pounds"])
    assert not holds("It costs 14 pounds.", ["4 pounds"])
    assert not holds("It costs.", ["", " "])

"""Negatives: what the search takes for the answer and is not; what may be right after all is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.train.retriever.negatives import Mine, mine
from weighbridge.train.retriever.pairs import RetrievalPair
from weighbridge.types import Chunk, Passage, Question

ANGLES = {"asked": 0, "right": 20, "near": 18, "wrong": 40, "far": 80, "proof": 30, "verbatim": 50, "twin": 60}
"""Degrees from the question."""


@dataclass(frozen=True)
class Angles:
    """An embedder that knows the direction of a text by its first word."""

    name: str = "angles"
    fingerprint: str = "angles"
    dimensions: int = 2

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        angles = np.deg2rad([ANGLES[text.split()[0]] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


TEXTS = {
    "right": "right it is",
    "near": "near enough to be right",
    "wrong": "wrong one",
    "far": "far off",
    "proof": "proof too",
    "verbatim": "verbatim the pier",
    "twin": "right it is",
}
CHUNKS = [
    Chunk(id=name, document_id="p" if name in {"right", "proof"} else name, text=text, start=0, end=1)
    for name, text in TEXTS.items()
]


@dataclass(frozen=True)
class All:
    """A search that finds everything, in the order of the chunks."""

    fingerprint: str = "all"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        return [Passage(chunk, 1.0) for chunk in CHUNKS][:limit]


@pytest.fixture
def source(tmp_path) -> Mine:
    index = FaissStore(tmp_path).open("i", dimensions=2)
    index.apply(Changes(added=CHUNKS, vectors=Angles().embed([c.text for c in CHUNKS], kind="document")))
    return Mine(retriever=All(), index=index, embedder=Angles())


def pair(text: str = "right it is", *documents: str) -> RetrievalPair:
    return RetrievalPair(
        question="asked", text=text, chunk_id="right", origin="evidence", documents=documents or ("p",),
        answers=("the pier",),
    )  # fmt: skip


def test_only_what_is_surely_wrong_is_learnt_as_wrong(source: Mine) -> None:
    found = mine([pair()], source, wanted=2, seed=7)
    assert found.contrasts[0].question == "asked"
    assert found.contrasts[0].positive == "right it is"
    assert found.contrasts[0].negatives == ("wrong one", "far off")
    assert (found.hard, found.random) == (2, 0)
    assert dict(found.filtered) == {
        "of a document that proves the answer": 1,
        "holds an accepted answer verbatim": 1,
        "says the same as the positive": 1,
        "at least 95% as like the question as the positive": 1,
    }


def test_where_the_search_finds_too_few_others_are_drawn_else_the_pair_is_left_out(source: Mine) -> None:
    other = RetrievalPair(question="asked", text="far other", chunk_id="x", origin="evidence", documents=("q",))
    kin = RetrievalPair(question="asked", text="far kin", chunk_id="y", origin="evidence", documents=("p", "q"))
    telling = RetrievalPair(
        question="asked", text="far from the pier", chunk_id="z", origin="evidence", documents=("r",)
    )
    found = mine([pair(), other, kin, telling], source, wanted=3, seed=7)
    first = next(one for one in found.contrasts if one.positive == "right it is")
    assert first.negatives == ("wrong one", "far off", "far other")
    assert found.random >= 1
    assert mine([pair()], source, wanted=3, seed=7).contrasts == ()
    assert mine([], source, wanted=3, seed=7).contrasts == ()


def test_the_same_seed_draws_the_same(source: Mine) -> None:
    pairs = [pair(), *(pair(f"far {n}", f"d{n}") for n in range(6))]
    assert mine(pairs, source, wanted=5, seed=3) == mine(pairs, source, wanted=5, seed=3)

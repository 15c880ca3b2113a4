"""What every `Retriever` owes."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NOTHING, Changes, Retriever
from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.retrieve.search.copies import Distinct
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.search.rerank import LateInteraction, Reranked
from weighbridge.retrieve.search.rewrite import Expansion, Hypothetical, Rewritten, SubQuestions
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.types import Chunk, Question

STAFF = frozenset({"staff"})
CHUNKS = [
    Chunk(id=f"{i}", document_id=f"{i}", text=f"tide number{i}", start=0, end=1, groups=STAFF if i % 2 else frozenset())
    for i in range(12)
]


class Lengths:
    """An embedder by the length of the text: real vectors, no model."""

    name = "lengths"
    fingerprint = "lengths"
    dimensions = 2

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        angles = np.array([len(text) for text in texts], np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def token_vectors(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> list[NDArray[np.float32]]:
        return [self.embed(text.split(), kind=kind) if text.split() else np.zeros((0, 2), np.float32) for text in texts]


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Hybrid:
    index = FaissStore(tmp_path_factory.mktemp("index")).open("index", dimensions=2)
    vectors = Lengths().embed([chunk.text for chunk in CHUNKS], kind="document")
    index.apply(Changes(added=CHUNKS, vectors=vectors))
    return Hybrid(index=index, embedder=Lengths(), content="c1")


def every(hybrid: Hybrid) -> dict[str, Retriever]:
    model = Scripted(maximum_tokens=20, context=500)
    return {
        "nothing": NOTHING,
        "hybrid": hybrid,
        "feedback": Hybrid(index=hybrid.index, embedder=Lengths(), content="c1", feedback=3),
        "remembered": CachedRetriever(hybrid),
        "late interaction": Reranked(retriever=hybrid, scorer=LateInteraction(Lengths())),
        "expansion": Rewritten(retriever=hybrid, rewriter=Expansion(retriever=hybrid)),
        "sub-questions": Rewritten(retriever=hybrid, rewriter=SubQuestions(model=model)),
        "distinct": Distinct(retriever=hybrid),
        "hypothetical": Rewritten(retriever=hybrid, rewriter=Hypothetical(model=model)),
    }


KINDS = [
    "nothing", "hybrid", "feedback", "remembered", "late interaction", "expansion", "sub-questions",
    "distinct", "hypothetical",
]  # fmt: skip


@pytest.fixture(params=KINDS)
def retriever(request: pytest.FixtureRequest, hybrid: Hybrid) -> Retriever:
    return every(hybrid)[request.param]


@pytest.mark.parametrize("limit", [0, 1, 3, 100])
@pytest.mark.parametrize("text", ["tide", "number3", "", "  ", "nothing of that", '"(', "\ud800"])
def test_at_most_limit_distinct_readable_passages_best_first(retriever: Retriever, text: str, limit: int) -> None:
    passages = retriever.search(Question(text), limit=limit)
    assert len(passages) <= limit
    assert len({passage.chunk.id for passage in passages}) == len(passages)
    assert not any(passage.chunk.groups for passage in passages)
    scores = [passage.score for passage in passages]
    assert scores == sorted(scores, reverse=True)


def test_the_same_question_has_the_same_answer(retriever: Retriever) -> None:
    question = Question("tide number4", groups=STAFF)
    assert retriever.search(question, limit=5) == retriever.search(question, limit=5)


def test_a_shorter_search_is_the_start_of_a_longer_one(retriever: Retriever) -> None:
    question = Question("tide number4", groups=STAFF)
    assert list(retriever.search(question, limit=2)) == list(retriever.search(question, limit=6))[:2]


def test_hybrid_finds_the_exact_word_first_and_all_there_is(hybrid: Hybrid) -> None:
    passages = hybrid.search(Question("number5", groups=STAFF), limit=40)
    assert len(passages) == len(CHUNKS)
    assert "5" in {passage.chunk.id for passage in passages[:3]}, "two have vectors that are closer"
    assert len(hybrid.search(Question("number5"), limit=40)) == len(CHUNKS) // 2


def test_every_kind_has_a_fingerprint_of_its_own(hybrid: Hybrid) -> None:
    found = {name: retriever.fingerprint for name, retriever in every(hybrid).items()}
    assert found.keys() == set(KINDS)
    assert found.pop("remembered") == found["hybrid"], "to remember changes no answer"
    assert len(set(found.values())) == len(found)


def test_a_fingerprint_names_everything_that_decides_the_answer(hybrid: Hybrid) -> None:
    given = {"index": hybrid.index, "embedder": hybrid.embedder, "content": "c1"}
    others = [{**given, **other} for other in ({"content": "c2"}, {"candidates": 5}, {"weight": 0.4}, {"feedback": 3})]
    assert len({hybrid.fingerprint, *(Hybrid(**other).fingerprint for other in others)}) == 5
    assert Hybrid(**given).fingerprint == hybrid.fingerprint

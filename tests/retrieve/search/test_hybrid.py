"""Words and meaning are weighed on the same passages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.protocols import Changes
from weighbridge.retrieve.search.explain import explain
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.types import Chunk, Question

TEXTS = {
    "both": "harbour harbour",
    "words": "harbour ferry crane quay",
    "meaning": "port",
    "neither": "salary",
}
ANGLES = {
    "both": 0.1, "words": 1.4, "meaning": 0.0, "neither": 1.5, "harbour": 0.0, "crane": 1.4,
    "quay harbour": 0.15,
}  # fmt: skip


class Angles:
    """An embedder of unit vectors in the plane, by the first word that has an angle."""

    name = "angles"
    fingerprint = "angles"
    dimensions = 2

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        turns = np.array([ANGLES[text] for text in texts], np.float32)
        return np.stack([np.cos(turns), np.sin(turns)], axis=1)


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Hybrid:
    return made(tmp_path_factory.mktemp("index"))


def made(folder: Path, **settings) -> Hybrid:
    index = FaissStore(folder).open("index", dimensions=2)
    chunks = [Chunk(id=name, document_id=name, text=text, start=0, end=9) for name, text in TEXTS.items()]
    index.apply(Changes(added=chunks, vectors=Angles().embed(list(TEXTS), kind="document")))
    return Hybrid(index=index, embedder=Angles(), content="c", **settings)


def test_every_nominee_is_judged_by_words_and_by_meaning(hybrid: Hybrid) -> None:
    found = {nominee.chunk.id: nominee for nominee in hybrid.nominees(Question("harbour"), limit=9)}
    assert found["meaning"].lexical_rank is None
    assert (found["meaning"].lexical, found["meaning"].dense) == (0, pytest.approx(1))
    assert found["words"].dense == pytest.approx(np.cos(1.4), abs=1e-6)
    assert found["both"].lexical_rank == 1
    assert found["both"].dense_rank == 2
    expected = 0.5 + 0.5 * (np.cos(0.1) - np.cos(1.5)) / (1 - np.cos(1.5))
    assert found["both"].score == pytest.approx(expected, abs=1e-5)
    assert next(iter(found)) == "both"


def test_a_nominee_of_the_vectors_alone_has_its_words_counted_too(tmp_path: Path) -> None:
    """The words nominate two others, which hold more of the question."""
    texts = {"1": "quay harbour quay", "2": "harbour quay", "3": "quay dock lamp rope sail oar", "4": "salary"}
    turns = np.array([1.2, 0.2, 0.15, 1.5], np.float32)
    index = FaissStore(tmp_path).open("index", dimensions=2)
    chunks = [Chunk(id=name, document_id=name, text=text, start=0, end=9) for name, text in texts.items()]
    index.apply(Changes(added=chunks, vectors=np.stack([np.cos(turns), np.sin(turns)], axis=1)))
    narrow = Hybrid(index=index, embedder=Angles(), content="c", candidates=2, weight=0.7)
    found = {nominee.chunk.id: nominee for nominee in narrow.nominees(Question("quay harbour"), limit=2)}
    every = {p.chunk.id: p.score for p in index.search_text("quay harbour", limit=9, groups=frozenset())}
    assert (found["3"].lexical_rank, found["3"].dense_rank) == (None, 1)
    assert found["3"].lexical == pytest.approx(every["3"])
    assert every["3"] > 0


def test_what_is_found_deeper_down_comes_below_the_first(tmp_path: Path) -> None:
    narrow = made(tmp_path, candidates=1)
    first = narrow.search(Question("quay harbour"), limit=2)
    deep = narrow.search(Question("quay harbour"), limit=4)
    assert deep[:2] == first
    assert [passage.score for passage in deep] == sorted((p.score for p in deep), reverse=True)
    assert deep[1].score >= 0
    assert len(deep) == 4
    assert all(passage.score <= 0 for passage in deep[2:])


def test_the_weight_decides_between_words_and_meaning(tmp_path: Path) -> None:
    first = {
        weight: made(tmp_path / str(weight), weight=weight).search(Question("harbour"), limit=1)[0].chunk.id
        for weight in (0.0, 1.0)
    }
    assert first == {0.0: "both", 1.0: "meaning"}


def test_feedback_moves_the_question_towards_its_best(tmp_path: Path) -> None:
    still, moved = made(tmp_path / "a"), made(tmp_path / "b", feedback=2)
    before = {p.chunk.id: p.score for p in still.search(Question("harbour"), limit=4)}
    after = {p.chunk.id: p.score for p in moved.search(Question("harbour"), limit=4)}
    assert after["words"] != before["words"]
    assert still.fingerprint != moved.fingerprint
    as_many = made(tmp_path / "c", feedback=4)  # as there are: the mean of all tells none from the others
    assert as_many.search(Question("harbour"), limit=4) == still.search(Question("harbour"), limit=4)


def test_an_explanation_names_the_terms_and_keeps_the_order(hybrid: Hybrid) -> None:
    found = explain(hybrid, Question("harbour"), limit=3)
    assert [each.chunk.id for each in found] == [p.chunk.id for p in hybrid.search(Question("harbour"), limit=3)]
    assert [each.rank for each in found] == [1, 2, 3]
    matched = {each.chunk.id: each.matched for each in found}
    assert len(matched["both"]) == 1
    assert matched["meaning"] == ()

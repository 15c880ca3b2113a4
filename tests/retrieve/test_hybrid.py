"""Words and meaning are weighed on the same passages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.protocols import Changes
from weighbridge.retrieve.explain import explain
from weighbridge.retrieve.hybrid import Hybrid
from weighbridge.retrieve.stores.lance import open_lance
from weighbridge.types import Chunk, Question

TEXTS = {
    "both": "harbour harbour",
    "words": "harbour ferry crane quay",
    "meaning": "port",
    "neither": "salary",
}
ANGLES = {"both": 0.1, "words": 1.4, "meaning": 0.0, "neither": 1.5, "harbour": 0.0, "crane": 1.4}


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
    index = open_lance(folder, dimensions=2)
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
    narrow = made(tmp_path, candidates=1)
    found = {nominee.chunk.id: nominee for nominee in narrow.nominees(Question("crane"), limit=1)}
    assert found["words"].lexical > 0
    wide = {n.chunk.id: n.lexical for n in narrow.nominees(Question("crane"), limit=4)}
    assert wide["words"] == found["words"].lexical


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


def test_an_explanation_names_the_terms_and_keeps_the_order(hybrid: Hybrid) -> None:
    found = explain(hybrid, Question("harbour"), limit=3)
    assert [each.chunk.id for each in found] == [p.chunk.id for p in hybrid.search(Question("harbour"), limit=3)]
    assert [each.rank for each in found] == [1, 2, 3]
    matched = {each.chunk.id: each.matched for each in found}
    assert len(matched["both"]) == 1
    assert matched["meaning"] == ()

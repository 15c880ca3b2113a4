"""Whoever asks finds everything they may read, and nothing else, by any of the searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.protocols import Changes
from weighbridge.retrieve.hybrid import Hybrid, Remembered
from weighbridge.retrieve.stores.lance import LanceIndex, open_lance
from weighbridge.types import Chunk, Question

DIMENSIONS = 4
NAMES = ["staff", "board", "o'x", "a\\b", "']) OR true --", 'q"q', "a,b", "public", "", " ", "línea\n2", "😀", "%"]
some_groups = st.frozensets(st.sampled_from(NAMES) | st.text(alphabet="ab'\\\"%", max_size=3), max_size=3)


class Seeded:
    """An embedder of random unit vectors, the same for the same text."""

    name = "seeded"
    fingerprint = "seeded"
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        rows = np.stack([np.random.default_rng(list(text.encode())).normal(size=DIMENSIONS) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def visible(chunk: Chunk, groups: frozenset[str]) -> bool:
    return not chunk.groups or bool(chunk.groups & groups)


@pytest.fixture(scope="module")
def chunks() -> list[Chunk]:
    rng = np.random.default_rng(7)
    made = []
    for i in range(300):
        groups = frozenset(rng.choice(NAMES, size=rng.integers(0, 4), replace=False).tolist())
        text = f"tide word{i}"
        made.append(Chunk(id=f"c{i:03d}", document_id=f"d{i // 3}", text=text, start=0, end=len(text), groups=groups))
    return made


@pytest.fixture(scope="module")
def index(chunks: list[Chunk], tmp_path_factory: pytest.TempPathFactory) -> LanceIndex:
    """Two thirds of the rows are in the full-text index, the others not yet: both paths are searched."""
    index = open_lance(tmp_path_factory.mktemp("access"), dimensions=DIMENSIONS)
    for part in (chunks[:220], chunks[220:]):
        vectors = Seeded().embed([chunk.text for chunk in part], kind="document")
        index.apply(Changes(added=part, vectors=vectors))
    return index


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=some_groups, number=st.integers(0, 299))
def test_an_asker_finds_what_they_may_read_and_nothing_else(
    index: LanceIndex, chunks: list[Chunk], groups: frozenset[str], number: int
) -> None:
    allowed = {chunk.id for chunk in chunks if visible(chunk, groups)}
    question = Question(f"tide word{number}", groups=groups)
    vector = Seeded().embed([question.text], kind="query")[0]
    hybrid = Hybrid(index=index, embedder=Seeded(), content="access")
    searches = (
        index.nearest(vector, limit=300, groups=groups),
        index.matching(question.text, limit=300, groups=groups),
        hybrid.search(question, limit=300),
    )
    for passages in searches:
        assert {passage.chunk.id for passage in passages} == allowed
    assert {p.chunk.id for p in hybrid.search(question, limit=3)} <= allowed


@settings(max_examples=30, deadline=None)
@given(askers=st.lists(some_groups, min_size=2, max_size=5))
def test_one_askers_passages_are_never_remembered_for_another(index: LanceIndex, askers: list[frozenset[str]]) -> None:
    remembered = Remembered(Hybrid(index=index, embedder=Seeded(), content="access"))
    for groups in askers * 2:
        assert all(visible(p.chunk, groups) for p in remembered.search(Question("tide", groups=groups), limit=20))


@settings(max_examples=8, deadline=None)
@given(documents=st.lists(some_groups, min_size=1, max_size=12), asker=some_groups)
def test_any_group_names_are_kept_and_obeyed(
    tmp_path_factory: pytest.TempPathFactory, documents: list[frozenset[str]], asker: frozenset[str]
) -> None:
    index = open_lance(Path(tmp_path_factory.mktemp("names")), dimensions=DIMENSIONS)
    made = [
        Chunk(id=str(i), document_id=str(i), text="tide", start=0, end=4, groups=groups)
        for i, groups in enumerate(documents)
    ]
    vectors = np.tile(np.eye(1, DIMENSIONS, dtype=np.float32), (len(made), 1))
    index.apply(Changes(added=made, vectors=vectors))
    found = {p.chunk for p in index.matching("tide", limit=50, groups=asker)}
    assert found == {chunk for chunk in made if visible(chunk, asker)}

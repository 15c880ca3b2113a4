"""What the stores of rows owe beyond the contracts: BM25 to the digit, whole reads amid writers, old versions."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes, Store, StoredIndex
from weighbridge.retrieve.index.analyser import terms
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.retrieve.stores.postgres.store import PostgresStore
from weighbridge.retrieve.stores.retention import KEPT_VERSIONS, expired_versions
from weighbridge.types import PUBLIC, Chunk, Passage

DIMENSIONS = 4
NAMES = ["staff", "board", "o'x", "a\\b", "']) OR true --", 'q"q', "a,b", "{}", "", " ", "línea\n2", "😀", "\ud800"]
some_groups = st.frozensets(st.sampled_from(NAMES) | st.text(alphabet="ab'\\\"%{,", max_size=3), max_size=3)
Open = Callable[[Path], Store]


def chunk(number: int, text: str, groups: frozenset[str] = PUBLIC, *, document: str = "") -> Chunk:
    about = {"document_id": document or f"d{number // 3}", "version": f"v{number}", "context": ("A", "B")}
    return Chunk(id=f"c{number:04d}", text=text, start=number, end=number + 1, groups=groups, **about)


def unit(*seeds: int) -> NDArray[np.float32]:
    rows = np.stack([np.random.default_rng(seed).normal(size=DIMENSIONS) for seed in seeds])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def bm25(query: list[str], documents: list[list[str]], k1: float = 1.2, b: float = 0.75) -> list[float]:
    mean = sum(map(len, documents)) / len(documents)
    frequency = {word: sum(word in document for document in documents) for word in query}
    weights = {w: log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for w, n in frequency.items()}
    scores = []
    for document in documents:
        counts = Counter(document)
        slack = k1 * (1 - b + b * len(document) / mean)
        scores.append(sum(weights[w] * counts[w] * (k1 + 1) / (counts[w] + slack) for w in query))
    return scores


def test_bm25_is_the_textbooks_for_all_that_is_there_now(open_store: Open, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    words = [f"zq{letter}" for letter in "abcdefghij"]
    texts = [" ".join(rng.choice(words, size=rng.integers(1, 40))) for _ in range(120)]
    index = open_store(tmp_path).open("i", dimensions=DIMENSIONS)
    chunks = [chunk(i, text) for i, text in enumerate(texts)]
    for first in range(0, 120, 30):
        index.apply(Changes(added=chunks[first : first + 30], vectors=unit(*range(30))))
        index.search_text("zqa", limit=1, groups=PUBLIC)
    index.apply(Changes(removed=frozenset({"d0", "d20"})))
    left = [one for one in chunks if one.document_id not in {"d0", "d20"}]
    query = ["zqa", "zqd", "zqa"]
    scores = bm25(query, [terms(searchable_text(one)) for one in left])
    expected = sorted((-round(score, 9), one.id) for score, one in zip(scores, left, strict=True) if score)
    found = index.search_text(" ".join(query), limit=200, groups=PUBLIC)
    assert [passage.chunk.id for passage in found] == [id_ for _, id_ in expected]
    assert [passage.score for passage in found] == pytest.approx([-score for score, _ in expected], abs=1e-8)
    among = [one.id for one in left[::7]]
    some = index.search_text(" ".join(query), limit=200, groups=PUBLIC, among=among)
    assert some == [passage for passage in found if passage.chunk.id in among]


def test_scores_in_postgres_are_those_of_the_default_store(postgres_url: str, tmp_path: Path) -> None:
    texts = ["Harbour master: e-mail AB-1234", "The tides of 1,024 harbours", "harbour harbour tide", "AB-1234", "x"]
    chunks = [chunk(i, text, document=f"d{i}") for i, text in enumerate(texts * 20)]
    stores = [FaissStore(tmp_path), PostgresStore(postgres_url, tmp_path)]
    indexes = [store.open("same", dimensions=DIMENSIONS) for store in stores]
    for index in indexes:
        index.apply(Changes(added=chunks, vectors=unit(*range(len(chunks)))))
        index.optimise()
    for question in ("harbour tides", "ab1234 AB-1234 master", "tide tide harbour", "nothing of it"):
        scores = [{p.chunk.id: p.score for p in i.search_text(question, limit=200, groups=PUBLIC)} for i in indexes]
        assert scores[1] == pytest.approx(scores[0], rel=1e-5)
    query = unit(1000)[0]
    near = [{p.chunk.id: p.score for p in i.nearest(query, limit=20, groups=PUBLIC)} for i in indexes]
    assert near[1] == pytest.approx(near[0], abs=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture
def guarded(open_store: Open, folder: Path) -> tuple[StoredIndex, list[Chunk]]:
    """An index of 240 chunks with groups, in several pieces, some of them changed since."""
    rng = np.random.default_rng(3)
    chunks = [chunk(i, f"tide word{i}", frozenset(rng.choice(NAMES, rng.integers(0, 4)).tolist())) for i in range(240)]
    index = open_store(folder).open("guarded", dimensions=DIMENSIONS)
    if not index.count():
        for first in range(0, 240, 60):
            others = [chunk(i, "tide", frozenset({"gone"})) for i in range(first, first + 20)]
            index.apply(Changes(added=others, vectors=unit(*range(20))))
            part = chunks[first : first + 60]
            index.apply(Changes(added=part, vectors=unit(*range(first, first + 60))))
            index.nearest(unit(0)[0], limit=1, groups=PUBLIC)
    return index, chunks


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=some_groups, seed=st.integers(0, 10_000), limit=st.integers(1, 250))
def test_an_asker_finds_what_they_may_read_and_nothing_else(
    guarded: tuple[StoredIndex, list[Chunk]], groups: frozenset[str], seed: int, limit: int
) -> None:
    index, chunks = guarded
    allowed = {one.id: one for one in chunks if not one.groups or one.groups & groups}
    dots = unit(*range(240)).astype(np.float64) @ unit(seed)[0]
    order = sorted(allowed, key=lambda id_: (-dots[int(id_[1:])], id_))
    near = index.nearest(unit(seed)[0], limit=limit, groups=groups)
    assert [passage.chunk.id for passage in near] == order[:limit]
    assert all(passage.chunk == allowed[passage.chunk.id] for passage in near)
    found = index.search_text(f"tide word{seed % 240}", limit=limit, groups=groups)
    assert {passage.chunk.id for passage in found} <= allowed.keys()
    assert len(found) == min(limit, len(allowed))
    here = chunks[seed % 240 // 3 * 3 : seed % 240 // 3 * 3 + 3]
    assert list(index.chunks_of(here[0].document_id, groups=groups)) == [one for one in here if one.id in allowed]
    if all(one.id in allowed for one in here):
        rows = index.vectors([one.id for one in here], groups=groups)
        assert np.array_equal(rows, unit(*(int(one.id[1:]) for one in here)))
    else:
        with pytest.raises(KeyError):
            index.vectors([one.id for one in here], groups=groups)


TURNS = 12
"""Changes, or looks, after which one has met the others often enough."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Two who write and four who read until they are told to stop; each opens the index for themselves."""

    open: Callable[[], StoredIndex]
    done: threading.Event = field(default_factory=threading.Event)
    content: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released by each who has had so many turns."""

    def write(self, writer: int) -> int:
        index = self.open()
        for turn in count():
            document = f"d{writer}-{turn % 10}"
            numbers = range(300 * writer + turn % 10 * 3, 300 * writer + turn % 10 * 3 + 3)
            rows = [chunk(number, f"tide turn{writer}x{turn}", document=document) for number in numbers]
            index.apply(Changes(removed=frozenset({document}), added=rows, vectors=unit(turn, turn, turn)))
            if turn + 1 == TURNS:
                self.content.release()
            if self.done.is_set():
                return turn + 1
        return 0

    def read(self, seed: int) -> int:
        """Each document says one thing in three chunks, so one that says two, or less, was torn."""
        index, last = self.open(), 0
        for turn in count():
            words = index.search_text("tide", limit=1000, groups=PUBLIC)
            meaning = index.nearest(unit(seed + turn)[0], limit=1000, groups=PUBLIC)
            for said in (texts_of(words), texts_of(meaning)):
                assert all(len(texts) == 3 and len(set(texts)) == 1 for texts in said.values())
            assert index.version >= last
            last = index.version
            if turn + 1 == TURNS:
                self.content.release()
            if self.done.is_set():
                return turn + 1
        return 0


def texts_of(passages: Sequence[Passage]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for passage in passages:
        said.setdefault(passage.chunk.document_id, []).append(passage.chunk.text)
    return said


def test_readers_see_whole_changes_while_others_write(open_store: Open, tmp_path: Path) -> None:
    busy = Busy(lambda: open_store(tmp_path).open("busy", dimensions=DIMENSIONS))
    content = 0
    with ThreadPoolExecutor(6) as pool:
        writers, readers = [pool.submit(busy.write, i) for i in range(2)], [pool.submit(busy.read, i) for i in range(4)]
        while content < 6 and not any(task.done() for task in (*writers, *readers)):
            content += busy.content.acquire(timeout=1)
        busy.done.set()
        written = [task.result() for task in writers]
        assert min(*written, *(task.result() for task in readers)) >= TURNS
    index = busy.open()
    assert index.version == 1 + sum(written)
    assert len(texts_of(index.search_text("tide", limit=1000, groups=PUBLIC))) == sum(
        min(10, turns) for turns in written
    )


def test_old_versions_go_and_those_with_a_name_stay(open_store: Open, tmp_path: Path) -> None:
    index = open_store(tmp_path).open("old", dimensions=DIMENSIONS)
    for turn, word in enumerate(["ebb", "flow", "tide"]):
        index.apply(Changes(added=[chunk(turn, word)], vectors=unit(turn)))
    index.tag(3, "said in March")
    for turn in range(KEPT_VERSIONS + 5):
        index.apply(Changes(added=[chunk(0, f"later{turn}")], vectors=unit(turn)))
    numbers = [version.number for version in index.versions()]
    assert numbers == [3, *range(index.version - KEPT_VERSIONS + 1, index.version + 1)]
    assert index.versions()[0].tags == ("said in March",)
    old = index.at(3)
    assert [one.text for one in index.contents(["d0"]).chunks] == [f"later{KEPT_VERSIONS + 4}", "flow", "tide"]
    assert [passage.chunk.text for passage in old.search_text("ebb flow tide", limit=5, groups=PUBLIC)] == [
        "ebb",
        "flow",
    ]
    assert {passage.chunk.text for passage in old.nearest(unit(1)[0], limit=5, groups=PUBLIC)} == {"ebb", "flow"}
    assert np.array_equal(old.vectors(["c0000"], groups=PUBLIC), unit(0))
    assert index.restore(3) == index.version
    assert [one.text for one in index.contents(["d0"]).chunks] == ["ebb", "flow"]
    assert [passage.chunk.text for passage in index.search_text("ebb later1", limit=5, groups=PUBLIC)] == ["ebb"]
    with pytest.raises(WorkspaceError, match="no version 2"):
        index.at(2)
    with pytest.raises(WorkspaceError, match="for reading only"):
        old.apply(Changes(removed=frozenset({"d0"})))


def test_a_past_version_that_is_no_longer_kept_says_so(open_store: Open, tmp_path: Path) -> None:
    index = open_store(tmp_path).open("past", dimensions=DIMENSIONS)
    old = index.at(1)
    for turn in range(KEPT_VERSIONS):
        index.apply(Changes(added=[chunk(0, f"later{turn}")], vectors=unit(turn)))
    with pytest.raises(WorkspaceError, match="no version 1"):
        old.search_text("later", limit=1, groups=PUBLIC)


@given(st.sets(st.integers(1, 200), min_size=1), st.sets(st.integers(1, 200)))
def test_nothing_that_a_kept_version_shows_is_forgotten(numbers: set[int], tagged: set[int]) -> None:
    spans = [(since, until) for since in range(1, 200, 13) for until in range(since + 1, 202, 17)]
    left = sorted(numbers)
    for version in expired_versions(left, tagged):
        gone = {
            (since, until)
            for since, until in spans
            if version.number < until <= version.after and since > version.before
        }
        left.remove(version.number)
        assert not any(since <= number < until for since, until in gone for number in left)
        spans = [span for span in spans if span not in gone]
    assert len(left) <= KEPT_VERSIONS + len(tagged)


def test_any_text_comes_back_as_it_was(open_store: Open, tmp_path: Path) -> None:
    index = open_store(tmp_path).open("text", dimensions=DIMENSIONS)
    odd = chunk(1, "a\x00b \ud800 é😀 \\u0000 'quoted' %s {valid} tide", frozenset({"g\n"}))
    index.apply(Changes(added=[odd], vectors=unit(1)))
    assert index.search_text("tide", limit=1, groups=odd.groups)[0].chunk == odd
    assert index.contents(["d0"]).chunks == [odd]


def test_a_store_has_names_and_sizes(open_store: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.names() == []
    store.open("one-1", dimensions=DIMENSIONS)
    store.open("two", dimensions=DIMENSIONS)
    assert store.names() == ["one-1", "two"] == open_store(tmp_path).names()
    assert open_store(tmp_path / "elsewhere").names() == []
    assert store.bytes("two") > 0 == store.bytes("absent")
    store.drop("two")
    store.drop("absent")
    assert store.names() == ["one-1"]
    with pytest.raises(WorkspaceError, match="index again"):
        store.open("one-1", dimensions=8)
    with pytest.raises(WorkspaceError, match="cannot be the name"):
        store.open("../two", dimensions=8)

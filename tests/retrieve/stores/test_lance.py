"""What only the LanceDB store promises: one commit a change, upkeep, its own BM25, and what it does when killed."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import log
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pytest
from filelock import FileLock

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores import lance
from weighbridge.retrieve.stores.lance import LanceStore, open_lance
from weighbridge.types import PUBLIC, Chunk

OPEN = """
import sys, numpy as np
from pathlib import Path
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores import lance_upkeep
from weighbridge.retrieve.stores.lance import open_lance
from weighbridge.types import PUBLIC, Chunk
index = open_lance(Path(sys.argv[1]), dimensions=4)
"""
WRITER = (
    OPEN
    + """
me = sys.argv[2]
for turn in range(100_000):
    text = f"{me} mark t{turn}"
    rows = [Chunk(id=f"{me}{i}", document_id=me, text=text, start=i, end=i) for i in range(2 + turn % 3)]
    index.apply(Changes(removed=frozenset({me}), added=rows, vectors=np.full((len(rows), 4), turn, np.float32)))
    print(turn, flush=True)
"""
)


def chunks(count: int, text: str = "tide") -> list[Chunk]:
    return [Chunk(id=f"{i:04d}", document_id=f"d{i}", text=f"{text} {i}", start=0, end=1) for i in range(count)]


def unit(count: int) -> np.ndarray:
    return np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))


@contextmanager
def running(code: str, *arguments: str) -> Iterator[Popen[str]]:
    with Popen([sys.executable, "-c", code, *arguments], stdout=PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_one_view_is_one_state_and_the_next_sees_the_change(tmp_path: Path) -> None:
    writer = open_lance(tmp_path, dimensions=4)
    writer.apply(Changes(added=chunks(3), vectors=unit(3)))
    index = open_lance(tmp_path, dimensions=4)
    before = index.now()
    writer.apply(Changes(removed=frozenset({"d0"}), added=chunks(1, "ebb"), vectors=unit(1)))
    for view, texts in ((before, {"tide 0", "tide 1", "tide 2"}), (index.now(), {"ebb 0", "tide 1", "tide 2"})):
        assert {p.chunk.text for p in view.matching("tide ebb", limit=9, groups=PUBLIC)} == texts
        assert {p.chunk.text for p in view.nearest(unit(1)[0], limit=9, groups=PUBLIC)} == texts


def test_removing_and_adding_is_one_commit(tmp_path: Path) -> None:
    index = open_lance(tmp_path, dimensions=4)
    index.apply(Changes(added=chunks(1200), vectors=unit(1200)))
    index.optimise()
    before = index.now().version
    index.apply(Changes(removed=frozenset({"d1", "d2"}), added=chunks(1), vectors=unit(1)))
    assert index.at(index.version).count() == 1198
    assert index.version == before + 1


def test_a_killed_writer_leaves_one_whole_change(tmp_path: Path) -> None:
    with running(WRITER, str(tmp_path), "d") as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == "5":
                writer.kill()
                break
    left = open_lance(tmp_path, dimensions=4)
    whole = left.contents(["d"])
    assert len({chunk.text for chunk in whole.chunks}) == len(np.unique(whole.vectors)) == 1
    assert len(whole.chunks) == left.count() == 2 + int(whole.vectors[0, 0]) % 3
    assert {p.chunk for p in left.matching("mark", limit=9, groups=PUBLIC)} == set(whole.chunks)
    left.apply(Changes(removed=frozenset({"d"}), added=chunks(1), vectors=unit(1)))
    assert left.count() == 1


def test_upkeep_that_was_killed_is_not_taken_for_a_version(tmp_path: Path) -> None:
    index = open_lance(tmp_path, dimensions=4)
    number = index.apply(Changes(added=chunks(1500), vectors=unit(1500)))
    killed = OPEN + "lance_upkeep._note = lambda folder, numbers, since, note=lance_upkeep._note: "
    killed += "note(folder, numbers, since) if since else __import__('os')._exit(9)\nindex.optimise()"
    with running(killed, str(tmp_path)) as process:
        assert process.wait() == 9
    listed = [version.number for version in index.versions()]
    assert (index.version, listed[-1]) == (number, number)
    assert index.now().version > number
    assert index.apply(Changes(removed=frozenset({"d0"}))) == index.version > number
    assert [version.number for version in index.versions()] == [*listed, index.version]


def test_two_writers_and_readers_see_whole_changes_only(tmp_path: Path) -> None:
    with running(WRITER, str(tmp_path), "a") as first, running(WRITER, str(tmp_path), "b") as second:
        assert first.stdout is not None
        assert second.stdout is not None
        index = open_lance(tmp_path, dimensions=4)
        while {"a", "b"} - index.documents().keys():
            first.stdout.readline()
            second.stdout.readline()
        for _ in range(40):
            for found in (
                index.matching("mark", limit=20, groups=PUBLIC),
                index.nearest(np.zeros(4, np.float32), limit=20, groups=PUBLIC),
            ):
                for name in ("a", "b"):
                    texts = [p.chunk.text for p in found if p.chunk.document_id == name]
                    assert len(set(texts)) == 1
                    assert len(texts) == 2 + int(texts[0].split(" t")[-1]) % 3
        assert first.poll() is second.poll() is None


def test_a_writer_waits_its_turn_and_says_so_when_it_never_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_lance(tmp_path, dimensions=4)
    monkeypatch.setattr(lance, "_TURN_SECONDS", 0.05)
    with FileLock(tmp_path / "writer.lock"), pytest.raises(WorkspaceError, match="nothing was changed"):
        index.apply(Changes(added=chunks(1), vectors=unit(1)))
    assert index.count() == 0


def test_a_tie_longer_than_the_search_is_still_in_order_of_ids(tmp_path: Path) -> None:
    index = open_lance(tmp_path, dimensions=4)
    same = [Chunk(id=f"{i:04d}", document_id="d", text="tide", start=0, end=4) for i in range(700)]
    index.apply(Changes(added=same[350:], vectors=unit(350)))
    index.apply(Changes(added=same[:350], vectors=unit(350)))
    expected = [chunk.id for chunk in same[:5]]
    assert [p.chunk.id for p in index.nearest(unit(1)[0], limit=5, groups=PUBLIC)] == expected
    assert [p.chunk.id for p in index.matching("tide", limit=5, groups=PUBLIC)] == expected


def test_ranks_like_textbook_bm25(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    words = [f"zq{letter}" for letter in "abcdefghij"]
    texts = [" ".join(rng.choice(words, size=rng.integers(3, 30))) for _ in range(300)]
    index = open_lance(tmp_path, dimensions=4)
    rows = [Chunk(id=f"{i:04d}", document_id="d", text=text, start=0, end=1) for i, text in enumerate(texts)]
    index.apply(Changes(added=rows, vectors=unit(300)))
    found = index.matching("zqa zqd", limit=10, groups=PUBLIC)
    scores = bm25(["zqa", "zqd"], [text.split() for text in texts])
    best = sorted(scores, reverse=True)[:10]
    assert [scores[int(p.chunk.id)] for p in found] == pytest.approx(best, rel=1e-3)


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


def test_a_filling_leaves_one_version_and_no_second_copy(tmp_path: Path) -> None:
    store = LanceStore(tmp_path)
    index = store.open("filled", dimensions=256)
    rng = np.random.default_rng(7)
    many = chunks(6000)
    for start in range(0, 6000, 2000):
        vectors = rng.normal(size=(2000, 256)).astype(np.float32)
        index.apply(Changes(added=many[start : start + 2000], vectors=vectors))
    index.tag(index.versions()[1].number, "begun")
    index.optimise()
    assert [version.tags for version in index.versions()] == [("begun",), ()]
    assert index.versions()[-1].number == index.version
    assert (index.at(index.versions()[0].number).count(), index.at(index.version).count()) == (2000, 6000)
    assert store.bytes("filled") < 1.8 * 6000 * 256 * 4  # with the copy of the named one
    assert index.apply(Changes(removed=frozenset({"d0"}))) == index.version
    index.optimise()
    assert [version.number for version in index.versions()][-1] == index.version
    assert len(index.versions()) == 3


def test_many_documents_may_go_at_once(tmp_path: Path) -> None:
    index = open_lance(tmp_path, dimensions=4)
    index.apply(Changes(added=chunks(3000), vectors=unit(3000)))
    gone = frozenset(f"d{i}" for i in range(2500))
    index.apply(Changes(removed=gone, added=chunks(5, "ebb"), vectors=unit(5)))
    assert index.count() == len(index.documents()) == 505
    index.apply(Changes(removed=frozenset(f"d{i}" for i in range(3000))))
    assert index.count() == 0


def test_another_shape_of_vectors_is_refused(tmp_path: Path) -> None:
    open_lance(tmp_path, dimensions=4)
    with pytest.raises(WorkspaceError, match="index again"):
        open_lance(tmp_path, dimensions=8)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        open_lance(tmp_path / "file", dimensions=4)


def test_other_folders_are_no_indexes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert LanceStore(tmp_path).names() == LanceStore(tmp_path / "absent").names() == []

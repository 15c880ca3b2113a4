"""What only the LanceDB store promises: snapshots, one commit a change, and full-text ranking like BM25's."""

import sys
from collections import Counter
from math import log
from pathlib import Path
from subprocess import PIPE, Popen

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.protocols import Changes
from weighbridge.retrieve.stores.lance import open_lance
from weighbridge.types import PUBLIC, Chunk


def chunks(count: int, text: str = "tide") -> list[Chunk]:
    return [Chunk(id=f"{i:04d}", document_id=f"d{i}", text=f"{text} {i}", start=0, end=1) for i in range(count)]


def unit(count: int) -> np.ndarray:
    return np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))


def test_a_reader_keeps_its_snapshot_and_the_next_sees_the_change(tmp_path: Path) -> None:
    writer = open_lance(tmp_path, dimensions=4)
    writer.apply(Changes(added=chunks(3), vectors=unit(3)))
    reader = open_lance(tmp_path, dimensions=4)
    before = reader.version
    writer.apply(Changes(removed=frozenset({"d0"}), added=chunks(1, "ebb"), vectors=unit(1)))
    assert reader.version == before
    assert {p.chunk.text for p in reader.matching("tide ebb", limit=9, groups=PUBLIC)} == {"tide 0", "tide 1", "tide 2"}
    later = open_lance(tmp_path, dimensions=4)
    assert {p.chunk.text for p in later.matching("tide ebb", limit=9, groups=PUBLIC)} == {"ebb 0", "tide 1", "tide 2"}


def test_removing_and_adding_is_one_commit(tmp_path: Path) -> None:
    index = open_lance(tmp_path, dimensions=4)
    first = index.apply(Changes(added=chunks(5), vectors=unit(5)))
    assert index.apply(Changes(removed=frozenset({"d1", "d2"}), added=chunks(1), vectors=unit(1))) == first + 1
    assert index.count() == 3


def test_a_killed_writer_leaves_one_whole_change(tmp_path: Path) -> None:
    code = """if True:
        import sys, numpy as np
        from pathlib import Path
        from weighbridge.protocols import Changes
        from weighbridge.retrieve.stores.lance import open_lance
        from weighbridge.types import Chunk
        index = open_lance(Path(sys.argv[1]), dimensions=4)
        for turn in range(1000):
            rows = [Chunk(id=f"{turn}-{i}", document_id="d", text=f"turn {turn}", start=0, end=1) for i in range(150)]
            index.apply(Changes(removed=frozenset({"d"}), added=rows, vectors=np.ones((150, 4), np.float32)))
            print(turn, flush=True)
    """
    with Popen([sys.executable, "-c", code, str(tmp_path)], stdout=PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == "5":
                writer.kill()
                break
    left = open_lance(tmp_path, dimensions=4).contents().chunks
    assert len(left) == 150
    assert len({chunk.text for chunk in left}) == 1


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


def test_another_shape_of_vectors_is_refused(tmp_path: Path) -> None:
    open_lance(tmp_path, dimensions=4)
    with pytest.raises(WorkspaceError, match="index again"):
        open_lance(tmp_path, dimensions=8)


def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        open_lance(tmp_path / "file", dimensions=4)

"""A million chunks, built and searched once.

Each passage of a collection is taken ten times, its words in another order and its vector moved a little, so that a
million different chunks come of a hundred thousand without embedding for hours. Questions are embedded as ever.

Run: python benchmarks/million.py COLLECTION --vectors vectors.npy --model FOLDER [--times 10]
"""

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.protocols import Changes
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.stores.open import open_store
from weighbridge.types import PUBLIC, Chunk, Question

PIECE = 10_000
DEPTH = 30


def main() -> None:
    """Build, search, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--store", default="faiss")
    given = parser.parse_args()
    vectors = np.load(given.vectors, mmap_mode="r")
    with tempfile.TemporaryDirectory() as name:
        store = open_store(given.store, Path(name))
        index = store.open("million", dimensions=vectors.shape[1])
        start = time.perf_counter()
        for changes in _pieces(given.collection, vectors, given.times):
            index.apply(changes)
        filled = time.perf_counter() - start
        index.optimise()
        built = time.perf_counter() - start
        print(f"{index.count():,} chunks: filled in {filled:.0f} s, optimised in {built - filled:.0f} s, "
              f"{store.bytes('million') / 1e6:,.0f} MB on disk", flush=True)  # fmt: skip
        hybrid = Hybrid(index=index, embedder=open_embedder(given.model), content="million")
        start = time.perf_counter()
        hybrid.search(Question("warm"), limit=10)
        print(f"first search {time.perf_counter() - start:.1f} s", flush=True)
        asked = given.collection / "queries.jsonl"
        queries = [json.loads(line)["text"] for line in asked.open(encoding="utf-8")]
        seconds = sorted(_timed(hybrid, query) for query in queries)
        middle, late = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{len(seconds)} searches: p50 {middle * 1000:.1f} ms, p95 {late * 1000:.1f} ms; peak {peak:,.0f} MB")
        recalls = [_recall(hybrid, query, vectors, given.times) for query in queries[:30]]
        print(f"recall@{DEPTH} of the vector search against all {len(vectors) * given.times:,}: "
              f"{statistics.mean(recalls):.4f} ({len(recalls)} questions)")  # fmt: skip


def _moved(vectors: NDArray[np.float32], start: int, turn: int) -> NDArray[np.float32]:
    """Return a piece of the vectors, each moved by about a tenth of its length; the same for the same turn."""
    piece = np.asarray(vectors[start : start + PIECE], np.float32)
    moves = np.random.default_rng((turn, start)).normal(size=piece.shape).astype(np.float32)
    moved = piece + (0.1 / np.sqrt(piece.shape[1])) * moves * bool(turn)
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _pieces(collection: Path, vectors: NDArray[np.float32], times: int) -> Iterator[Changes]:
    with (collection / "corpus.jsonl").open(encoding="utf-8") as corpus:
        texts = [json.loads(line)["text"] for line in corpus]
    for turn in range(times):
        order = random.Random(turn)
        for start in range(0, len(texts), PIECE):
            chunks = []
            for place, text in enumerate(texts[start : start + PIECE], start=start):
                words = text.split()
                if turn:
                    order.shuffle(words)
                said = " ".join(words)
                name = f"{turn}-{place:06d}"
                chunks.append(Chunk(id=f"{name}#0", document_id=name, text=said, start=0, end=len(said), version="1"))
            yield Changes(added=chunks, vectors=_moved(vectors, start, turn))


def _timed(hybrid: Hybrid, query: str) -> float:
    start = time.perf_counter()
    hybrid.search(Question(query), limit=10)
    return time.perf_counter() - start


def _recall(hybrid: Hybrid, query: str, vectors: NDArray[np.float32], times: int) -> float:
    asked = hybrid.embedder.embed([query], kind="query")[0]
    scores = np.concatenate(
        [_moved(vectors, start, turn) @ asked for turn in range(times) for start in range(0, len(vectors), PIECE)]
    )
    least = np.partition(scores, -DEPTH)[-DEPTH]
    found = hybrid.index.nearest(asked, limit=DEPTH, groups=PUBLIC)
    return sum(passage.score >= least - 1e-3 for passage in found) / DEPTH


if __name__ == "__main__":
    main()

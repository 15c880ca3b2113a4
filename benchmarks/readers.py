"""Writers and readers on one index at once: `python benchmarks/readers.py [--seconds 60] [--writers 2] [--readers 8]`.

Each writer is a process that keeps replacing its own documents, each by one change; all chunks and vectors of a
document carry the number of the change, and how many they are follows from it. Each reader is a process that searches,
lists and fetches, and checks that what it sees of a document is one whole change, never an older one than it saw
before. Prints how much was written and read, and the errors: an exception, a torn read, a step back, a lost write.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from weighbridge.protocols import Changes, Index, StoredIndex
from weighbridge.retrieve.stores.open import open_store
from weighbridge.types import PUBLIC, Chunk

DIMENSIONS = 64
DOCUMENTS = 20
"""Documents of each writer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where the index is, and how many work on it for how long."""

    store: str
    folder: Path
    processes: int
    seconds: float

    def open(self) -> StoredIndex:
        """Open the index."""
        return open_store(self.store, self.folder).open("readers", dimensions=DIMENSIONS)

    def together(self, index: Index) -> float:
        """Wait until all processes have come this far, and return when to stop."""
        index.nearest(np.ones(DIMENSIONS, np.float32), limit=1, groups=PUBLIC)
        (self.folder / f"ready-{os.getpid()}").touch()
        while len(list(self.folder.glob("ready-*"))) < self.processes:
            time.sleep(0.01)
        return time.time() + self.seconds


def size(turn: int) -> int:
    """Return how many chunks a document has after a change."""
    return 2 + turn % 4


def change(document: str, turn: int) -> Changes:
    """Replace a document: everything of it carries the turn."""
    text = f"tide {document} turn {turn}"
    chunks = [
        Chunk(id=f"{document}#{i}", document_id=document, text=text, start=i, end=i, version=str(turn))
        for i in range(size(turn))
    ]
    vectors = np.tile(np.eye(1, DIMENSIONS, dtype=np.float32) * (1 + turn), (len(chunks), 1))
    return Changes(removed=frozenset({document}), added=chunks, vectors=vectors)


def write(run: Run, writer: int) -> Mapping[str, int]:
    """Replace documents until the time is over; return the last turn of each."""
    index = run.open()
    last: dict[str, int] = {}
    turn = 0
    until = run.together(index)
    while time.time() < until:
        turn += 1
        document = f"w{writer}d{turn % DOCUMENTS}"
        index.apply(change(document, turn))
        last[document] = turn
    return last


def read(run: Run, reader: int) -> Counter[str]:
    """Read until the time is over; return how often what was seen."""
    index = run.open()
    rng = np.random.default_rng(reader)
    seen: dict[str, int] = {}
    counts: Counter[str] = Counter()
    until = run.together(index)
    while time.time() < until:
        document = f"w{rng.integers(0, 2)}d{rng.integers(0, DOCUMENTS)}"
        for name, chunks in observed(index, document).items():
            counts[name] += 1
            check(name, chunks, seen, counts)
    return counts


def observed(index: Index, document: str) -> Mapping[str, Sequence[Chunk]]:
    """Read a document in each way there is."""
    near = index.nearest(np.eye(1, DIMENSIONS, dtype=np.float32)[0], limit=1000, groups=PUBLIC)
    return {
        "nearest": [passage.chunk for passage in near],
        "matching": [p.chunk for p in index.search_text(f"tide {document}", limit=1000, groups=PUBLIC)],
        "chunks_of": index.chunks_of(document, groups=PUBLIC),
    }


def check(name: str, chunks: Sequence[Chunk], seen: dict[str, int], counts: Counter[str]) -> None:
    """Count torn reads and steps back."""
    turns: dict[str, Counter[int]] = {}
    for chunk in chunks:
        turns.setdefault(chunk.document_id, Counter())[int(chunk.version)] += 1
    for document, found in turns.items():
        (turn, count), *others = found.items()
        if others or count != size(turn):
            counts[f"torn {name}"] += 1
        if turn < seen.get(document, 0):
            counts[f"stepped back {name}"] += 1
        seen[document] = max(turn, seen.get(document, 0))


def lost(index: Index, written: Mapping[str, int]) -> int:
    """Return how many documents are not what was written last."""
    versions = index.documents()
    wrong = sum(versions.get(document) != str(turn) for document, turn in written.items())
    return wrong + abs(index.count() - sum(map(size, written.values())))


def main() -> int:
    """Run it; the exit code is 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--store", default="faiss")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        processes = asked.writers + asked.readers
        run = Run(store=asked.store, folder=Path(folder), processes=processes, seconds=asked.seconds)
        run.open()
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            writing = [pool.submit(write, run, writer) for writer in range(asked.writers)]
            reading = [pool.submit(partial(read, run), reader) for reader in range(asked.readers)]
            written = {document: turn for writer in writing for document, turn in writer.result().items()}
            counts: Counter[str] = sum((reader.result() for reader in reading), Counter())
        counts["lost writes"] = lost(run.open(), written)
        size_bytes = open_store(run.store, run.folder).bytes("readers")
    writers = {name.split("d")[0] for name in written}
    changes = sum(max(turn for name, turn in written.items() if name.startswith(f"{w}d")) for w in writers)
    print(f"{asked.writers} writers, {asked.readers} readers, {asked.seconds:g} s: {changes} changes")
    for name, count in sorted(counts.items()):
        print(f"  {name}: {count}")
    print(f"  on disk at the end: {size_bytes / 1e6:.1f} MB")
    wrong = sum(count for name, count in counts.items() if name not in {"nearest", "matching", "chunks_of"})
    print("no error" if not wrong else "ERRORS")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

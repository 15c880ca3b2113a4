r"""What every engine is asked to do, and how it is measured. Standard library only: it runs in any environment.

An adapter is a program: `python ADAPTER.py FOLDER MODEL OUT.json`. It reads a folder in BEIR's layout, indexes every
record as one document ("title\ntext", whole), and answers every query, one at a time.
"""

import argparse
import ctypes
import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

WARM = 5
"""Queries answered before the clock starts."""


class Engine(Protocol):
    """A search engine whose embedder is loaded. Answers are scores by document id, at most `limit` of them."""

    name: str
    version: str

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Any | None) -> None:
        """Index the texts; `vectors` are unit rows made before, an array in their order, or None to embed here."""
        ...

    def search(self, query: str, limit: int) -> Mapping[str, float]: ...

    def save(self, folder: Path) -> bool:
        """Write the index to a folder as the engine does, or return False where it does not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What an engine did with a collection. Seconds are of the wall clock; loading the model is not counted."""

    name: str
    version: str
    documents: int
    index_seconds: float
    query_seconds: Sequence[float]
    """One a query, in the order of `run`; embedding the query is included."""
    run: Mapping[str, Mapping[str, float]]
    """Scores by document, best first, by query."""
    resident_bytes: int
    """What the process held after the last query."""
    peak_bytes: int
    """The most that it ever held, up to then."""
    disk_bytes: int | None


def main(open_engine: Callable[[Path], Engine]) -> None:
    """Run one engine over one collection, and write what was measured."""
    wanted = _arguments()
    documents = read_documents(wanted.folder, limit=wanted.limit_docs)
    engine = open_engine(wanted.model)
    vectors = read_vectors(wanted.vectors)
    start = time.perf_counter()
    engine.index(list(documents), list(documents.values()), vectors)
    index_seconds = time.perf_counter() - start
    count = len(documents)
    del documents, vectors
    _give_back()
    queries = read_queries(wanted.folder)
    for query in list(queries.values())[-WARM:]:
        engine.search(query, wanted.limit)
    timed = [_timed(engine, query, wanted.limit) for query in queries.values()]
    measured = Measured(
        name=engine.name,
        version=engine.version,
        documents=count,
        index_seconds=index_seconds,
        query_seconds=[one.seconds for one in timed],
        run={id_: one.answer for id_, one in zip(queries, timed, strict=True)},
        resident_bytes=_resident(),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        disk_bytes=_saved(engine),
    )
    wanted.out.write_text(json.dumps(asdict(measured)), encoding="utf-8")


def read_documents(folder: Path, *, limit: int | None = None) -> dict[str, str]:
    """Return the text of every document by id: its title over its text."""
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")][:limit]
    return {row["_id"]: f"{row.get('title') or ''}\n{row['text']}".strip() for row in rows}


def read_queries(folder: Path) -> dict[str, str]:
    """Return the queries by id."""
    rows = (json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8"))
    return {row["_id"]: row["text"] for row in rows}


def read_vectors(file: Path | None) -> Any | None:
    """Return the rows of a .npy file."""
    if file is None:
        return None
    import numpy as np

    return np.load(file)


@dataclass(frozen=True, slots=True)
class _Timed:
    answer: Mapping[str, float]
    seconds: float


def _timed(engine: Engine, query: str, limit: int) -> _Timed:
    start = time.perf_counter()
    answer = engine.search(query, limit)
    return _Timed(answer, time.perf_counter() - start)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="a collection in BEIR's layout")
    parser.add_argument("model", type=Path, help="the embedder's folder")
    parser.add_argument("out", type=Path, help="the file to write, JSON")
    parser.add_argument("--limit", type=int, default=100, help="documents a query is answered with")
    parser.add_argument("--limit-docs", type=int, default=None, help="index the first N documents only")
    parser.add_argument("--vectors", type=Path, default=None, help=".npy file of the documents' vectors, to not embed")
    return parser.parse_args()


def _give_back() -> None:
    """Return what is no longer used to the system: the documents as they were read belong to no engine."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _saved(engine: Engine) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        if not engine.save(Path(folder)):
            return None
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())

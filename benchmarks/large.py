r"""A hundred thousand passages: how long a query takes, its embedding included, and what it takes to hold them.

    python benchmarks/large.py --peers PYTHON --model FOLDER --data FOLDER [--keep FOLDER] [--only weighbridge,txtai]

The passages are windows of the documents under `--data` (see peers/crowd.py); the queries are questions of SQuAD's. The
passages are embedded once, by us, and every engine takes their vectors from there; queries each embeds itself, with the
same model. Each engine runs in its own process, one after another, with two threads; queries one at a time.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from peers.adapter import read_documents
from peers.crowd import write_crowd
from retrieval import ENGINES, HERE, OURS, run_engine

from weighbridge.retrieve.embed.local import open_embedder

PIECE = 2000


def main() -> None:
    """Make the passages and their vectors where they are missing, run the engines, and print a table."""
    wanted = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = wanted.keep or Path(scratch)
        if not (folder / "corpus.jsonl").exists():
            write_crowd(wanted.data, folder, passages=wanted.passages, queries=wanted.queries)
        vectors = folder / "vectors.npy"
        if not vectors.exists():
            np.save(vectors, _embedded(folder, wanted.model))
        measured = {name: _run(name, folder, wanted, Path(scratch)) for name in wanted.only}
    print(_table(measured))
    if wanted.json:
        wanted.json.write_text(json.dumps(measured), encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True, metavar="PYTHON")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, help="where the passages and vectors are kept, and taken from")
    parser.add_argument("--only", type=lambda names: names.split(","), default=[OURS, "txtai"], metavar="NAME,...")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--limit", type=int, default=10, help="passages a query is answered with")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    return parser.parse_args()


def _embedded(folder: Path, model: Path) -> Any:
    texts = list(read_documents(folder).values())
    embedder = open_embedder(model)
    rows = np.empty((len(texts), embedder.dimensions), np.float32)
    for start in range(0, len(texts), PIECE):
        rows[start : start + PIECE] = embedder.embed(texts[start : start + PIECE], kind="document")
        print(f"embedded {min(start + PIECE, len(texts))} of {len(texts)}", file=sys.stderr)
    return rows


def _run(name: str, folder: Path, wanted: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    print(f"{name} (load {os.getloadavg()[0]:.1f})", file=sys.stderr)
    python = sys.executable if name == OURS else wanted.peers
    options = ["--vectors", str(folder / "vectors.npy"), "--limit", str(wanted.limit)]
    return run_engine([python, HERE / ENGINES[name], folder, wanted.model, scratch / f"{name}.json", *options])


def _table(measured: Mapping[str, Mapping[str, Any]]) -> str:
    head = ["engine", "passages", "p50 ms", "p95 ms", "resident MB", "peak MB", "disk MB", "index s, no embedding"]
    rows = [head, ["---"] * len(head), *(_cells(one) for one in measured.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(one: Mapping[str, Any]) -> list[str]:
    p50, p95 = (float(np.quantile(one["query_seconds"], q)) * 1e3 for q in (0.5, 0.95))
    sizes = (one["resident_bytes"], one["peak_bytes"], one["disk_bytes"] or 0)
    return [
        f"{one['name']} {one['version']}",
        str(one["documents"]),
        f"{p50:.1f}",
        f"{p95:.1f}",
        *(f"{size / 1e6:.0f}" for size in sizes),
        f"{one['index_seconds']:.1f}",
    ]


if __name__ == "__main__":
    main()

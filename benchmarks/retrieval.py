r"""Our search beside those of others: how good, how fast, how large, on the same collections in one session.

    python benchmarks/retrieval.py FOLDER... --peers PYTHON --model FOLDER [--only txtai,haystack] [--runs FOLDER]

`--peers` is the Python of an environment with `benchmarks/peers/requirements.txt`; `--model` a sentence-transformers
folder, the embedder of all. Each engine runs in its own process, one after another, with two threads. A document is a
record, "title\ntext", whole; queries are asked one at a time for 100 documents, their embedding included.

nDCG@10 has the linear gain of trec_eval and BEIR; with qrels/test_graded.tsv also the gain 2^rel-1. Differences are
ours less theirs over queries; p-values are of a sign-flip test, corrected by Holm for the engines of a collection.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers.scores import NDCG, Beaten, compare, read_judged, score

HERE = Path(__file__).parent / "peers"
OURS = "weighbridge"
ENGINES = {
    OURS: "weighbridge_hybrid.py",
    "txtai": "txtai_hybrid.py",
    "haystack": "haystack_hybrid.py",
    "llama_index": "llama_index_hybrid.py",
    "bm25s": "bm25s_stemmed.py",
}
# What is set already stays.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",  # beside other work, threads that wait by spinning made the others ten times slower
    "HF_HUB_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What an engine reached on a collection. `beaten` is None for ourselves."""

    collection: str
    engine: str
    version: str
    means: Mapping[str, float]
    documents_per_second: float
    p50_seconds: float
    p95_seconds: float
    peak_bytes: int
    disk_bytes: int | None
    beaten: Mapping[str, Beaten] | None
    kept: bool
    """Whether its rankings and times are of an earlier run, so that only the rankings can be compared."""


def main() -> None:
    """Run the engines over the collections, and print a table of each."""
    wanted = _arguments()
    names = [name for name in ENGINES if name in (wanted.only or ENGINES)]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for folder in wanted.folders:
            runs = {name: _run(name, folder, wanted, wanted.runs or Path(scratch)) for name in names}
            new = _rows(folder, runs)
            rows.extend(new)
            print(_table(new, folder.name), flush=True)
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")


def run_engine(command: Sequence[str | Path]) -> dict[str, Any]:
    """Run an adapter whose third argument is the file it writes, and return what it measured."""
    environment = ENVIRONMENT | os.environ
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stderr}")
    measured: dict[str, Any] = json.loads(Path(command[4]).read_text(encoding="utf-8"))
    return measured


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--peers", type=Path, required=True, metavar="PYTHON")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--only", type=lambda names: names.split(","), metavar="NAME,...", help=", ".join(ENGINES))
    parser.add_argument("--runs", type=Path, help="where to keep what the engines returned; taken from there if it is")
    parser.add_argument("--json", type=Path, help="where to write the table")
    return parser.parse_args()


def _run(name: str, folder: Path, wanted: argparse.Namespace, runs: Path) -> dict[str, Any]:
    out = runs / f"{folder.name}.{name}.json"
    if out.exists():
        print(f"{folder.name}: {name}, as kept", file=sys.stderr)
        kept: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return kept | {"kept": True}
    print(f"{folder.name}: {name} (load {os.getloadavg()[0]:.1f})", file=sys.stderr)
    python = sys.executable if name == OURS else wanted.peers
    return run_engine([python, HERE / ENGINES[name], folder, wanted.model, out])


def _rows(folder: Path, runs: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    judged = read_judged(folder)
    scores = {name: score(measured["run"], judged) for name, measured in runs.items()}
    beaten = _beaten(scores)
    return [
        Row(
            collection=folder.name,
            engine=measured["name"],
            version=measured["version"],
            means={metric: float(np.mean(list(values.values()))) for metric, values in scores[name].items()},
            documents_per_second=measured["documents"] / measured["index_seconds"],
            p50_seconds=float(np.quantile(measured["query_seconds"], 0.5)),
            p95_seconds=float(np.quantile(measured["query_seconds"], 0.95)),
            peak_bytes=measured["peak_bytes"],
            disk_bytes=measured["disk_bytes"],
            beaten=beaten.get(name),
            kept=measured.get("kept", False),
        )
        for name, measured in runs.items()
    ]


def _beaten(scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, Beaten]]:
    """Return how ours stands against each of the others, by the measures that are nDCG; nothing without ours."""
    others = [name for name in scores if name != OURS]
    if OURS not in scores:
        return {}
    found: dict[str, dict[str, Beaten]] = {name: {} for name in others}
    for metric in (metric for metric in scores[OURS] if metric.startswith("nDCG")):
        results = compare(scores[OURS][metric], [scores[name][metric] for name in others])
        for name, result in zip(others, results, strict=True):
            found[name][metric] = result
    return found


def _table(rows: Sequence[Row], title: str) -> str:
    metrics = list(rows[0].means)
    head = [title, *metrics, "ours less it", "p", "docs/s", "p50 ms", "p95 ms", "peak MB", "disk MB"]
    return "\n".join(_line(cells) for cells in [head, ["---"] * len(head), *(_cells(row) for row in rows)]) + "\n"


def _cells(row: Row) -> list[str]:
    ahead = row.beaten[NDCG] if row.beaten else None
    return [
        f"{row.engine} {row.version}{' (of an earlier run)' if row.kept else ''}",
        *(f"{value:.4f}" for value in row.means.values()),
        f"{ahead.difference:+.4f} [{ahead.low:+.4f}, {ahead.high:+.4f}]" if ahead else "",
        f"{ahead.p_value:.4f}" if ahead else "",
        f"{row.documents_per_second:.1f}",
        f"{row.p50_seconds * 1e3:.1f}",
        f"{row.p95_seconds * 1e3:.1f}",
        f"{row.peak_bytes / 1e6:.0f}",
        "" if row.disk_bytes is None else f"{row.disk_bytes / 1e6:.1f}",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()

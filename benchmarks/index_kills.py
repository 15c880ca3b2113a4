"""Is an index whose building was killed again and again exactly what its documents say?

A folder of documents is made from a collection. Each round either begins without an index, or after some documents
were rewritten, added and deleted; `weighbridge index` is started and killed (SIGKILL, with all its processes) at a
random moment after it has said what it will do, then run to its end. After each round every chunk of the index is
compared with what cutting the documents gives: nothing may be lost, doubled or stale, and no vector another text's.

Run: python benchmarks/index_kills.py COLLECTION --kills 50 [--documents 400]
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from weighbridge.models import fetch
from weighbridge.protocols import Embedder
from weighbridge.retrieve.index.searchable_text import searchable_text
from weighbridge.retrieve.index.sync import open_stored
from weighbridge.retrieve.stores.open import open_store
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Chunk
from weighbridge.wiring.documents import read_sources
from weighbridge.wiring.reporter import SILENT
from weighbridge.wiring.search import index_source, open_query_embedder
from weighbridge.workspace import Workspace

SAME = 0.999
"""The cosine from which two vectors are of one text: bfloat16 gives 0.9999 and more."""
EXAMPLE = '{"id": "q", "question": "What is it?", "answers": ["it"]}\n'


@dataclass(frozen=True)
class Ended:
    """How a run of `weighbridge index` ended, and the seconds from its plan to that."""

    killed: bool
    seconds: float


def main() -> None:
    """Kill, restart, compare; then say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    moments = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _lay_out(root, given.collection, given.documents)
        anew = _index(root).seconds
        print(f"undisturbed: {anew:.1f} s from the plan to the end", flush=True)
        _edit(root / "documents", moments)
        changed = _index(root).seconds
        print(f"30 documents changed: {changed:.1f} s", flush=True)
        kills, rounds, wrong = 0, 0, Counter()
        while kills < given.kills:
            rounds += 1
            whole = rounds % 2 == 1
            found = _round(root, moments, within=anew if whole else changed, whole=whole)
            kills += found.killed
            wrong += found.faults
            told = ", ".join(f"{count} {what}" for what, count in found.faults.items()) or "exact"
            print(f"round {rounds}, {'anew' if whole else 'changed'}: {found.how}; {told}", flush=True)
        print(f"{kills} kills in {rounds} rounds; wrong: {dict(wrong) or 'nothing'}")


@dataclass(frozen=True)
class Found:
    """What a round came to."""

    killed: bool
    how: str
    faults: Counter[str]


def _round(root: Path, moments: random.Random, *, within: float, whole: bool) -> Found:
    if whole:
        shutil.rmtree(root / ".weighbridge" / "index")
    else:
        _edit(root / "documents", moments)
    ended = _index(root, kill_after=moments.uniform(0, within))
    last = _index(root)
    how = f"{'killed' if ended.killed else 'not hit'} after {ended.seconds:.1f} s, then {last.seconds:.1f} s"
    settings = load_settings(root / "weighbridge.yaml")
    return Found(ended.killed, how, _faults(root, settings, open_query_embedder(settings, Workspace(root), SILENT)))


def _lay_out(root: Path, collection: Path, count: int) -> None:
    (root / "documents").mkdir()
    (root / "examples.jsonl").write_text(EXAMPLE)
    (root / "weighbridge.yaml").write_text("documents: documents\nexamples: examples.jsonl\n")
    with (collection / "corpus.jsonl").open(encoding="utf-8") as corpus:
        rows = [json.loads(line) for _, line in zip(range(count), corpus, strict=False)]
    for row in rows:
        (root / "documents" / f"{row['_id']}.md").write_text(f"# {row.get('title') or row['_id']}\n\n{row['text']}\n")


def _edit(folder: Path, moments: random.Random) -> None:
    files = sorted(folder.iterdir())
    for file in moments.sample(files, 20):
        words = file.read_text().split(" ")
        moments.shuffle(words)
        file.write_text(" ".join(words))
    for file in moments.sample(files, 5):
        file.unlink()
    for number in range(5):
        shutil.copy(moments.choice(sorted(folder.iterdir())), folder / f"new{moments.random()}-{number}.md")


def _index(root: Path, kill_after: float | None = None) -> Ended:
    command = [sys.executable, "-m", "weighbridge", "index", "--workspace", str(root)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, process_group=0, **quiet) as process:
        for line in process.stderr:
            if line.startswith("Plan:"):
                break
        began = time.perf_counter()
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        try:
            code = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = None
        drain.join()
        seconds = time.perf_counter() - began
    if code:
        raise SystemExit(f"index in {root} ended with code {code}")
    return Ended(killed=code is None, seconds=seconds)


def _faults(root: Path, settings: Settings, embedder: Embedder) -> Counter[str]:
    """Count what the index has that it should not, or has not that it should."""
    workspace = Workspace(root)
    folder = fetch(settings.retrieval.embedder)
    sources = index_source(read_sources(settings, workspace, SILENT), settings, folder)
    due = {chunk.id: chunk for document in sources.documents for chunk in sources.cut(document)}
    index = open_stored(workspace.index, open_store(settings.retrieval.store, workspace.index))
    contents = index.contents(list(index.documents()))
    there: Counter[Chunk] = Counter(contents.chunks)
    faults = Counter({
        "lost": sum(chunk not in there for chunk in due.values()),
        "doubled": sum(count - 1 for count in there.values()),
        "stale": sum(due.get(chunk.id) != chunk for chunk in there),
    })  # fmt: skip
    texts = [searchable_text(chunk) for chunk in contents.chunks]
    cosines = (contents.vectors * embedder.embed(texts, kind="document")).sum(axis=1)
    faults["wrong vector"] = int(np.sum(cosines < SAME))
    return +faults


if __name__ == "__main__":
    main()

"""How long after a file was saved does the first search find what it says now?

A folder of documents is made of the passages of a collection, several to a file, and indexed with static vectors (so
that 100,000 chunks take minutes and not hours; questions and changed documents are embedded as ever). Then
`weighbridge index --watch` follows it in a process of its own, while this one, with the index open, edits one file
after the other and searches until the new text is among the three passages a strategy is shown; the old text must then
be gone.

Run: python benchmarks/freshness.py COLLECTION [--passages 100000] [--edits 20]
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from weighbridge.protocols import Retriever
from weighbridge.retrieve.index.sync import read_index_card
from weighbridge.settings.file import load_settings
from weighbridge.types import Question
from weighbridge.wiring.reporter import SILENT
from weighbridge.wiring.search import build_retriever, index_home, open_query_embedder
from weighbridge.workspace import Workspace

SETTINGS = "documents: documents\nexamples: examples.jsonl\nretrieval: {static: true}\nchunks: {tokens: 128}\n"
EXAMPLE = '{"id": "q", "question": "What is it?", "answers": ["it"]}\n'
SHOWN = 3
"""Passages that a strategy is shown by default: the new text must be among them."""
LONG = 60
A_FILE = 5
"""Passages that become one document."""
SYLLABLES = ["ba", "ko", "ri", "tu", "mel", "sor", "vin", "dax", "qua", "len"]


def main() -> None:
    """Build, follow, edit, and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--edits", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _lay_out(root, given.collection, given.passages)
        start = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "weighbridge", "index", "--watch", "--workspace", str(root)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as following:
            try:
                _wait(following)
                print(f"indexed and watching after {time.perf_counter() - start:.0f} s", flush=True)
                _measure(root, given.edits, following)
            finally:
                following.terminate()


def _lay_out(root: Path, collection: Path, passages: int) -> None:
    (root / "documents").mkdir()
    (root / "examples.jsonl").write_text(EXAMPLE)
    (root / "weighbridge.yaml").write_text(SETTINGS)
    with (collection / "corpus.jsonl").open(encoding="utf-8") as corpus:
        texts = [json.loads(line)["text"] for line in islice(corpus, passages)]
    for number in range(0, len(texts), A_FILE):
        file = root / "documents" / f"{number:06d}.md"
        file.write_text("\n\n".join(" ".join(text.split()) for text in texts[number : number + A_FILE]))


def _wait(following: "subprocess.Popen[str]") -> None:
    for line in following.stderr or ():
        if line.startswith("Watching"):
            return
    raise SystemExit("weighbridge index --watch has ended")


def _measure(root: Path, edits: int, following: "subprocess.Popen[str]") -> None:
    import threading

    threading.Thread(target=lambda: list(following.stderr or ()), daemon=True).start()
    workspace = Workspace(root)
    settings = load_settings(workspace.settings_file)
    embedder = open_query_embedder(settings, workspace, SILENT)
    card = read_index_card(workspace.index)
    if card is None:
        raise SystemExit("there is no index")
    retriever = build_retriever(index_home(settings, workspace, embedder).open_index(card), settings, embedder, card)
    print(f"{card.documents:,} documents, {card.chunks:,} chunks", flush=True)
    time.sleep(5)
    taken = list(_edited(root, retriever, edits))
    print(f"edit to first correct hit, {len(taken)} edits: median {statistics.median(taken):.2f} s, "
          f"least {min(taken):.2f} s, most {max(taken):.2f} s")  # fmt: skip


def _edited(root: Path, retriever: Retriever, edits: int) -> Iterator[float]:
    moments = random.Random(1)
    files = moments.sample(sorted((root / "documents").iterdir()), edits)
    for file in files:
        before = file.read_text()
        name = "".join(moments.choice(SYLLABLES) for _ in range(5))
        fact = f"The {name} bridge is {moments.randint(100, 999)} metres long."
        file.write_text(f"{fact}\n\n" + before.partition("\n\n")[2])
        saved = time.perf_counter()
        question = Question(name)  # a word that nothing else has
        while not any(fact in passage.chunk.text for passage in retriever.search(question, limit=SHOWN)):
            if time.perf_counter() - saved > LONG:
                raise SystemExit(f"{file.name}: not found within {LONG} s")
        yield time.perf_counter() - saved
        old = before.partition("\n\n")[0]
        hits = retriever.search(Question(old[:200]), limit=30)
        assert not any(old in hit.chunk.text and hit.chunk.document_id == file.stem for hit in hits)  # noqa: S101
        time.sleep(1)


if __name__ == "__main__":
    main()

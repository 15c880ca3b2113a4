"""Many short passages out of few documents: windows of whole sentences, and, where they run out, two halves of them.

The same passages every time. They overlap, as chunks of a splitter do; no two are equal. What this does not know: a
hundred thousand passages of as many subjects would have more words, and neighbours further apart.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

LEAST, MOST = 40, 100
"""Words in a passage."""
_SIZES = (40, 60, 80)
"""Words after which a window ends with its sentence; every size is begun at every sentence."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SEED = 23


@dataclass(frozen=True, slots=True)
class Piece:
    """A window of a document."""

    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def write_crowd(data: Path, folder: Path, *, passages: int, queries: int) -> None:
    """Write a folder in BEIR's layout: `passages` from the documents under `data`, and questions of SQuAD's.

    Args:
        data: holds retrieval/*/corpus.jsonl, qa/*/documents.jsonl and qa/squad_v1_dev/questions.jsonl.
        folder: is made; nothing is judged in it.
        passages: how many to write.
        queries: how many, spread evenly over the questions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for number, piece in enumerate(_pieces(data, passages)):
            file.write(json.dumps({"_id": f"c{number}", "title": piece.title, "text": piece.text}) + "\n")
    questions = _rows(data / "qa" / "squad_v1_dev" / "questions.jsonl")
    chosen = [questions[i * len(questions) // queries] for i in range(queries)]
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"_id": row["id"], "text": row["question"]}) + "\n" for row in chosen)


def _pieces(data: Path, count: int) -> Iterator[Piece]:
    windows = list(_windows(data))
    seen: set[str] = set()
    for piece in chain(windows, _recombined(windows)):
        if piece.text not in seen:
            seen.add(piece.text)
            yield piece
        if len(seen) == count:
            return


def _windows(data: Path) -> Iterator[Piece]:
    files = [*sorted(data.glob("retrieval/*/corpus.jsonl")), *sorted(data.glob("qa/*/documents.jsonl"))]
    documents = [row for file in files for row in _rows(file)]
    split = [(row.get("title") or "", [s for s in _SENTENCE.split(row["text"]) if s.strip()]) for row in documents]
    for size in _SIZES:
        for title, sentences in split:
            for start in range(len(sentences)):
                if piece := _window(title, sentences[start:], size):
                    yield piece


def _window(title: str, sentences: Sequence[str], size: int) -> Piece | None:
    """Return the sentences up to `size` words and to the end of the last; None where that is too few or too many."""
    words = 0
    for place, sentence in enumerate(sentences, start=1):
        words += len(sentence.split())
        if words >= size:
            return Piece(title, tuple(sentences[:place])) if words <= MOST else None
    return Piece(title, tuple(sentences)) if words >= LEAST else None


def _recombined(windows: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the first half of one window before the second half of another, without end."""
    generator = random.Random(_SEED)
    while True:
        shuffled = generator.sample(windows, len(windows))
        for left, right in pairwise(shuffled):
            first = left.sentences[: (len(left.sentences) + 1) // 2]
            second = right.sentences[len(right.sentences) // 2 :]
            if LEAST <= sum(len(sentence.split()) for sentence in (*first, *second)) <= MOST:
                yield Piece(left.title, (*first, *second))


def _rows(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.open(encoding="utf-8")]

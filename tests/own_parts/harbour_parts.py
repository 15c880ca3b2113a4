"""A distribution of parts, as somebody else would write it: it uses public names only."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from weighbridge.extend import (
    Answer,
    Changes,
    Chunk,
    Content,
    Contents,
    Emit,
    Example,
    OwnStrategy,
    Parsed,
    Part,
    Passage,
    Prompt,
    Question,
    Score,
    Store,
    StoredIndex,
    Strategy,
    StrategyParts,
    Timing,
    UnreadableError,
    Usage,
    Version,
    WorkspaceError,
    ignore,
)


class Brevity:
    """A metric: 1 for an answer of one word, less for more words."""

    name = "brevity"

    def score(self, example: Example, answer: Answer) -> Score:
        words = len(answer.text.split())
        return Score(self.name, 1 / words) if words else Score(self.name, None, "the answer is empty")


def read_log(path: Path) -> Parsed:
    """Read a ship's log: a first line with the ship's name, then a day a line, `date|text`."""
    lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    if not lines or "|" in lines[0]:
        raise UnreadableError("a log without the name of its ship")
    text, parts = f"# {lines[0]}\n", []
    for line in lines[1:]:
        day, separator, what = line.partition("|")
        if not separator:
            raise UnreadableError(f"{day!r} is no day of a log")
        start = len(text) + 1
        text += f"\n{what.strip()}\n"
        parts.append(Part(f"day {day.strip()}", start, len(text)))
    return Parsed((Content(text=text, title=lines[0], parts=tuple(parts)),))


@dataclass(frozen=True)
class FirstSentence:
    """A strategy without a model: it says the first sentence of the best passage."""

    parts: StrategyParts
    name: str = "first-sentence"

    @property
    def fingerprint(self) -> str:
        return f"first sentence of {self.parts.limit} from {self.parts.retriever.fingerprint}"

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        passages = tuple(self.parts.retriever.search(question, limit=self.parts.limit))
        text = re.split(r"(?<=[.!?])\s", passages[0].chunk.text)[0] if passages else ""
        if text:
            emit(text)
        return Answer(
            text=text,
            raw=text,
            prompt=Prompt((), passages),
            abstained=not text,
            citations=(),
            usage=Usage(),
            timing=Timing(),
        )


def build_first_sentence(parts: StrategyParts) -> Strategy:
    return FirstSentence(parts)


first_sentence = OwnStrategy(build=build_first_sentence, reads=True)


def open_json_store(reference: str, folder: Path) -> Store:
    return JsonStore(folder / (reference.partition(":")[2] or "json"))


@dataclass(frozen=True)
class JsonStore:
    """A store of small collections: each index one JSON file of all its versions."""

    folder: Path
    layout: str = "json 1"

    def open(self, name: str, *, dimensions: int) -> StoredIndex:
        return JsonIndex(self.folder / f"{name}.json", dimensions)

    def names(self) -> Sequence[str]:
        return sorted(file.stem for file in self.folder.glob("*.json"))

    def drop(self, name: str) -> None:
        (self.folder / f"{name}.json").unlink(missing_ok=True)

    def bytes(self, name: str) -> int:
        return (self.folder / f"{name}.json").stat().st_size


KEPT = 40
LOCK = Lock()
COMMON = frozenset(["the", "of", "and", "at", "is", "a"])
Rows = dict[str, tuple[Chunk, list[float]]]


def stems(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [re.sub(r"([a-z])\1$", r"\1", re.sub(r"(ing|s)$", "", word)) for word in words if word not in COMMON]


def visible(chunk: Chunk, groups: frozenset[str]) -> bool:
    return not chunk.groups or bool(chunk.groups & groups)


@dataclass
class JsonIndex:
    """All versions of an index in one file, which is read again whenever it was written to."""

    path: Path
    dimensions: int
    number: int | None = None
    """The version that is read; None: the latest."""
    seen: tuple[tuple[int, int], list[dict[str, Any]]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        with LOCK:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._write([{"number": 1, "made": now(), "tags": [], "rows": {}}])

    def _states(self) -> list[dict[str, Any]]:
        found = self.path.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if self.seen is None or self.seen[0] != stamp:
            self.seen = (stamp, json.loads(self.path.read_text(encoding="utf-8", errors="surrogatepass")))
        return self.seen[1]

    def _write(self, states: list[dict[str, Any]]) -> None:
        kept = [state for place, state in enumerate(states) if state["tags"] or place >= len(states) - KEPT]
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(kept), encoding="utf-8", errors="surrogatepass")
        beside.replace(self.path)
        self.seen = None

    def _state(self, number: int | None) -> dict[str, Any]:
        states = self._states()
        if number is None:
            return states[-1]
        for state in states:
            if state["number"] == number:
                return state
        raise WorkspaceError(f"there is no version {number}")

    def _rows(self, groups: frozenset[str] | None = None) -> Rows:
        rows = {}
        for id_, (values, vector) in self._state(self.number)["rows"].items():
            context, readers = tuple(values["context"]), frozenset(values["groups"])
            chunk = Chunk(**{**values, "context": context, "groups": readers})
            if groups is None or visible(chunk, groups):
                rows[id_] = (chunk, vector)
        return rows

    def _commit(self, rows: Mapping[str, Any]) -> int:
        states = self._states()
        number = states[-1]["number"] + 1
        self._write([*states, {"number": number, "made": now(), "tags": [], "rows": rows}])
        return int(number)

    @property
    def version(self) -> int:
        return int(self._state(self.number)["number"])

    def now(self) -> "JsonIndex":
        return JsonIndex(self.path, self.dimensions, self.version)

    def apply(self, changes: Changes) -> int:
        if self.number is not None:
            raise WorkspaceError("an old version is for reading only")
        added = list(changes.added)
        vectors = np.zeros((0, self.dimensions)) if changes.vectors is None else changes.vectors
        if vectors.shape != (len(added), self.dimensions):
            raise ValueError(f"vectors of shape {vectors.shape} for {len(added)} chunks")
        if len({chunk.id for chunk in added}) != len(added):
            raise ValueError("two chunks have the same id")
        with LOCK:
            rows = dict(self._state(None)["rows"])
            gone = [id_ for id_, (values, _) in rows.items() if values["document_id"] in changes.removed]
            if not (added or gone):
                return self.version
            for id_ in gone:
                del rows[id_]
            for chunk, vector in zip(added, vectors, strict=True):
                rows[chunk.id] = ({**asdict(chunk), "groups": sorted(chunk.groups)}, vector.tolist())
            return self._commit(rows)

    def count(self) -> int:
        return len(self._state(self.number)["rows"])

    def documents(self) -> Mapping[str, str]:
        return {chunk.document_id: chunk.version for chunk, _ in self._rows().values()}

    def nearest(self, vector: Any, *, limit: int, groups: frozenset[str]) -> Sequence[Passage]:
        rows = self._rows(groups).values()
        return best([Passage(chunk, float(np.dot(vector, own))) for chunk, own in rows], limit)

    def search_text(
        self, text: str, *, limit: int, groups: frozenset[str], among: Collection[str] | None = None
    ) -> Sequence[Passage]:
        wanted = set(stems(text))
        found = []
        for id_, (chunk, _) in self._rows(groups).items():
            words = stems(f"{chunk.title} {chunk.text}")
            score = sum(words.count(word) for word in wanted) / (1 + len(words))
            if score and (among is None or id_ in among):
                found.append(Passage(chunk, score))
        return best(found, limit)

    def vectors(self, ids: Sequence[str], *, groups: frozenset[str]) -> Any:
        rows = self._rows(groups)
        return np.array([rows[id_][1] for id_ in ids], np.float32).reshape(len(ids), self.dimensions)

    def chunks_of(self, document_id: str, *, groups: frozenset[str]) -> Sequence[Chunk]:
        own = [chunk for chunk, _ in self._rows(groups).values() if chunk.document_id == document_id]
        return sorted(own, key=lambda chunk: chunk.start)

    def contents(self, document_ids: Sequence[str]) -> Contents:
        rows = self._rows()
        ids = sorted(id_ for id_, (chunk, _) in rows.items() if chunk.document_id in document_ids)
        vectors = np.array([rows[id_][1] for id_ in ids], np.float32).reshape(len(ids), self.dimensions)
        return Contents([rows[id_][0] for id_ in ids], vectors)

    def versions(self) -> Sequence[Version]:
        return [Version(number=s["number"], made=s["made"], tags=tuple(sorted(s["tags"]))) for s in self._states()]

    def at(self, number: int) -> "JsonIndex":
        self._state(number)
        return JsonIndex(self.path, self.dimensions, number)

    def restore(self, number: int) -> int:
        with LOCK:
            return self._commit(self._state(number)["rows"])

    def tag(self, number: int, name: str) -> None:
        if not 0 < len(name) < 200:
            raise WorkspaceError(f"{name!r} cannot be a name")
        with LOCK:
            self._state(number)
            states = self._states()
            for state in states:
                others = [known for known in state["tags"] if known != name]
                state["tags"] = [*others, name] if state["number"] == number else others
            self._write(states)

    def optimise(self) -> None:
        """Nothing is to be done."""


def best(passages: list[Passage], limit: int) -> list[Passage]:
    return sorted(passages, key=lambda passage: (-passage.score, passage.chunk.id))[: max(limit, 0)]


def now() -> str:
    return datetime.now(UTC).isoformat()

"""The seams of the system. Each has one job and a contract test suite in `tests/contracts`.

`fingerprint` is a short stable text: two values with the same fingerprint give the same answers. It is what
records, indexes and adapters are keyed by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from weighbridge.results import Score
from weighbridge.types import Answer, Chunk, Completion, Example, Message, Passage, Progress, Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Emit = Callable[[str], None]
"""Receives text as it is generated; streaming is a callback, so there is one code path."""

Notify = Callable[[Progress], None]
"""Receives progress of a long step."""


def ignore(text: str) -> None:
    """Be the `Emit` of callers who only want the whole answer."""


def silent(progress: Progress) -> None:
    """Be the `Notify` of callers who show no progress."""


class Model(Protocol):
    """Weights, adapter and sampling settings together: fully determined, so it can be measured.

    `generate` is safe to call from several threads. It raises `ModelError`, and `PromptTooLongError` rather than
    cutting a prompt.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion: ...


class Embedder(Protocol):
    """Turns texts into unit vectors: an array of shape (len(texts), dimensions), float32, one row each."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> "Vectors": ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to do to an index, in one transaction: chunks of `removed` documents go, then `added` chunks come."""

    removed: frozenset[str] = frozenset()
    added: Sequence[Chunk] = ()
    vectors: "Vectors | None" = None
    """Shape (len(added), dimensions); None where nothing is added."""


class Index(Protocol):
    """A store of chunks on disk: transactional, versioned, and filtered by access group inside the search.

    A chunk is visible when it has no groups, or shares one with `groups`.
    """

    @property
    def version(self) -> int: ...
    def apply(self, changes: Changes) -> int: ...
    def count(self) -> int: ...
    def nearest(self, vector: "Vectors", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]: ...
    def matching(self, text: str, *, limit: int, groups: frozenset[str]) -> Sequence[Passage]: ...


class Retriever(Protocol):
    """Finds passages, best first. Fusion, reranking and rewriting are retrievers made of retrievers."""

    @property
    def fingerprint(self) -> str: ...
    def search(self, question: Question, *, limit: int) -> Sequence[Passage]: ...


class Demonstrations(Protocol):
    """Chooses worked examples to show before a question; only ever from the train split."""

    @property
    def fingerprint(self) -> str: ...
    def choose(self, question: Question) -> Sequence[Example]: ...


class Strategy(Protocol):
    """A way of answering a question. This is all that evaluation and serving know."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer: ...


class Metric(Protocol):
    """Judges one answer against one example. Does not raise; an impossible score is `Score(name, None, why)`."""

    @property
    def name(self) -> str: ...
    def score(self, example: Example, answer: Answer) -> Score: ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """The `Retriever` of strategies that read no documents."""

    fingerprint: str = "nothing"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        return ()


@dataclass(frozen=True, slots=True)
class NoDemonstrations:
    """The `Demonstrations` of strategies that show none."""

    fingerprint: str = "none"

    def choose(self, question: Question) -> Sequence[Example]:
        return ()


NOTHING = Nothing()
NONE = NoDemonstrations()

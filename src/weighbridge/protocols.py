"""The seams of the system. Each has one job and a contract test suite in `tests/contracts`.

`fingerprint` is a short stable text: two values with the same fingerprint give the same answers. It is the
key of records, indexes and adapters.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, runtime_checkable

from weighbridge.results import Score
from weighbridge.types import Answer, Chunk, Completion, Example, Message, Passage, Progress, Question, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Emit = Callable[[str], None]
"""Receives text as it is generated; streaming is a callback, so there is one code path.

A text may be empty, while a model has nothing to say yet. An exception from it ends the answer.
"""

Notify = Callable[[Progress], None]
"""Receives progress of a long step."""

Item = TypeVar("Item")
Result = TypeVar("Result")
_Item_contra = TypeVar("_Item_contra", contravariant=True)
_Result_co = TypeVar("_Result_co", covariant=True)

Clock = Callable[[], float]
"""Tells seconds that only ever rise. Code that keeps a time limit takes one, so that a test can set the time."""


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


class TokenEmbedder(Embedder, Protocol):
    """An embedder that also returns a vector for each token."""

    def token_vectors(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> "Sequence[Vectors]":
        """Return unit vectors, shape (tokens, dimensions), for each text; special tokens are left out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The changes of one transaction to an index: chunks of `removed` documents go, then `added` chunks come."""

    removed: frozenset[str] = frozenset()
    added: Sequence[Chunk] = ()
    vectors: "Vectors | None" = None
    """Shape (len(added), dimensions); None where nothing is added."""


class Index(Protocol):
    """A store of chunks on disk: transactional, and filtered by access group inside the search.

    A chunk is visible when it has no groups, or shares one with `groups`. One that is not is never fetched, scored or
    returned. Reads see the latest commit, whichever process made it.
    """

    @property
    def version(self) -> int: ...
    def now(self) -> "Index":
        """Return the index as it is now, for several reads that must agree with each other."""
        ...

    def apply(self, changes: Changes) -> int:
        """Commit all of the changes or none, and return the new version. A chunk replaces one with the same id."""
        ...

    def count(self) -> int: ...
    def documents(self) -> Mapping[str, str]:
        """Return the version (`Chunk.version`) of every document in the index, by id."""
        ...

    def nearest(self, vector: "Vectors", *, limit: int, groups: frozenset[str]) -> Sequence[Passage]: ...
    def search_text(
        self, text: str, *, limit: int, groups: frozenset[str], among: Collection[str] | None = None
    ) -> Sequence[Passage]:
        """Return the best passages by the words they share with the text, `among` those chunk ids where given."""
        ...

    def vectors(self, ids: Sequence[str], *, groups: frozenset[str]) -> "Vectors":
        """Return the vectors of chunks, a row each in the order asked; `KeyError` where one is not visible."""
        ...

    def chunks_of(self, document_id: str, *, groups: frozenset[str]) -> Sequence[Chunk]:
        """Return the visible chunks of a document in the order of its text; empty where there are none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A state that an index was in: its number, when it was committed (ISO 8601, UTC), and the names given to it."""

    number: int
    made: str
    tags: tuple[str, ...] = ()


class History(Protocol):
    """The versions of an index. A rollback is a new version with the content of an old one; nothing is lost by it."""

    def versions(self) -> Sequence[Version]:
        """Return the versions that can be gone back to, oldest first."""
        ...

    def at(self, number: int) -> Index:
        """Return the index as it was, for reading only; `WorkspaceError` where there is no such version."""
        ...

    def restore(self, number: int) -> int:
        """Restore the content of a version, and return the new version's number."""
        ...

    def tag(self, number: int, name: str) -> None:
        """Name a version, so that it is kept; a name that another version has moves to this one."""
        ...


@dataclass(frozen=True, slots=True)
class Contents:
    """Chunks, and their vectors in the same order: shape (len(chunks), dimensions)."""

    chunks: Sequence[Chunk]
    vectors: "Vectors"


class StoredIndex(Index, History, Protocol):
    """An index with its history, as a store opens it, and the operations for its owner alone."""

    def contents(self, document_ids: Sequence[str]) -> Contents:
        """Return all chunks of some documents, whoever may read them, in order of chunk id. Not for askers."""
        ...

    def optimise(self) -> None:
        """Update the structures that speed up searches after many changes. Changes no content."""
        ...


class Store(Protocol):
    """Where indexes live, each under a name: a folder, or a database."""

    @property
    def layout(self) -> str:
        """Return a name for the form of the store's tables: an index of another layout is rebuilt."""
        ...

    def open(self, name: str, *, dimensions: int) -> StoredIndex:
        """Open an index, or create an empty one; `WorkspaceError` where that cannot be done."""
        ...

    def names(self) -> Sequence[str]: ...
    def drop(self, name: str) -> None: ...
    def bytes(self, name: str) -> int:
        """Return the size of an index on disk."""
        ...


StoreOpener = Callable[[str, Path], Store]
"""Opens a store by the text of `retrieval.store` and the workspace's folder for indexes."""


class Retriever(Protocol):
    """Finds passages, best first. Fusion, reranking and rewriting are retrievers made of retrievers."""

    @property
    def fingerprint(self) -> str: ...
    def search(self, question: Question, *, limit: int) -> Sequence[Passage]: ...


class Demonstrations(Protocol):
    """Chooses worked examples to show before a question, the most alike last.

    Every example is from the train split, and every access group of its question is one that the asker has.
    """

    @property
    def fingerprint(self) -> str: ...
    def choose(self, question: Question) -> Sequence[Example]: ...


class Strategy(Protocol):
    """Answers questions. This is all that evaluation and serving know.

    `answer` is safe to call from several threads, and gives the same answer each time. It reads and shows nothing that
    the asker may not see. A model's `ModelError` passes through, `PromptTooLongError` among them: a failure is never
    an answer.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyParts:
    """The parts for a strategy of your own: the same ones that make Weighbridge's strategies."""

    task: Task
    instructions: str
    """The user's sentence on the task."""
    choices: tuple[str, ...]
    """The labels of a label task, the keys of a JSON task."""
    retriever: Retriever
    """`NOTHING` unless the strategy reads."""
    demonstrations: Demonstrations
    """`NONE` unless the strategy shows examples."""
    limit: int
    """Passages to show."""
    open_model: Callable[[], Model]
    """Opens the base model; closed by Weighbridge. A strategy that never calls it loads no model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStrategy:
    """An arm of one's own: an entry point of the group `weighbridge.strategies` names one."""

    build: Callable[[StrategyParts], Strategy]
    reads: bool = False
    """Retrieves passages, so that recall, citations and the index count for it."""
    shows: bool = False
    """Shows worked examples of the train split."""


class Metric(Protocol):
    """Judges one answer against one example. Does not raise; an impossible score is `Score(name, None, why)`."""

    @property
    def name(self) -> str: ...
    def score(self, example: Example, answer: Answer) -> Score: ...


class Work(Protocol[_Item_contra, _Result_co]):
    """A step that is done item by item: reading files, embedding texts, answering questions.

    A value that can be pickled, for executors with other processes. It names large things, such as models, by their
    references, and never holds them.
    """

    def open(self, stack: ExitStack) -> Callable[[_Item_contra], _Result_co]:
        """Load what the step needs, and return the function that does one item. `stack` closes it.

        The function is safe to call from several threads. It gives the same result for an item whoever does it and
        however often, because the items of a lost worker are done again.
        """
        ...


@runtime_checkable
class EndableWork(Protocol):
    """Work whose items on their way can be ended before they are done."""

    def end(self) -> None:
        """End the items on their way soon. Called once no result is wanted any more."""
        ...


class Executor(Protocol):
    """Does work: in this process, or on the machines of a cluster."""

    def map(
        self,
        work: Work[Item, Result],
        items: Iterable[Item],
        *,
        threads: int = 1,
        ahead: int = 64,
        in_order: bool = True,
    ) -> Generator[Result]:
        """Yield the result of each item, in the order of the items, whichever is done first.

        Work begins with the first `next`, and ends when the generator is closed: nothing goes on behind it. An
        exception of an item is raised in its place. The work is opened once in each process that does some of it.

        Args:
            work: what is to be done.
            items: taken as they are needed.
            threads: items to do at the same time in each process.
            ahead: the most items to take for each thread before their results are yielded.
            in_order: false yields each result as soon as there is one, for those who save them.

        Raises:
            WorkerLostError: an item was at work each time that several workers were lost.
        """
        ...


@dataclass(frozen=True, slots=True)
class RemoteWork(Generic[Item, Result]):
    """Work for other processes, which open models of their own for it, and the executor that has the processes."""

    executor: Executor
    work: Work[Item, Result]


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

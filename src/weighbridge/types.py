"""The nouns that flow through the pipeline, in the order they appear.

Everything here is frozen and does no work: standard library only, no files, no clock.
"""

from dataclasses import dataclass
from typing import Literal

Task = Literal["answer", "label", "json"]
"""The kind of answer that the user wants: a short text, one of a fixed set of labels, or JSON of a fixed schema."""

Split = Literal["train", "dev", "test"]
Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length"]
PUBLIC: frozenset[str] = frozenset()
"""No access groups: as a document's groups, everyone may read it; as an asker's, only public documents may be read."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a document's text that its format names: "page 3", "slide 2", "sheet Prices", "cell 4"."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One source the user gave us, as text with its structure in Markdown. A document without groups is public."""

    id: str
    text: str
    title: str = ""
    source: str = ""
    groups: frozenset[str] = PUBLIC
    parts: tuple[Part, ...] = ()
    """In order, without overlap; empty where the format has none."""
    version: str = ""
    """A fingerprint of its content, where whoever read it knows one without reading it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A span of one document: `text == document.text[start:end]`, always."""

    id: str
    document_id: str
    text: str
    start: int
    end: int
    title: str = ""
    context: tuple[str, ...] = ()
    """The headings it stands under, outermost first; where it goes on with a table, the table's header row last.

    Only a header row begins with "|". Where a chunk begins in the middle of a row, the row's first cell stands before
    it, and it names the columns from there on.
    """
    place: str = ""
    """The parts of its document that it stands in: "page 3", "pages 3-4", "sheet Prices"; empty where it has none."""
    version: str = ""
    """The fingerprint of its document as it was when it was cut."""
    groups: frozenset[str] = PUBLIC


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a search returned, with the score it was found by (higher is better)."""

    chunk: Chunk
    score: float
    copies: tuple[str, ...] = ()
    """Ids of other documents that say the same, and that its asker may read; only this one is shown."""

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents that it stands in: its own first, then those of its copies."""
        return (self.chunk.document_id, *self.copies)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """A text asked, the conversation so far, and the access groups of the asker."""

    text: str
    history: tuple[Message, ...] = ()
    groups: frozenset[str] = PUBLIC


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages sent to a model, and the passages in them, in the order of their numbers."""

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; `cached_tokens` of the input were taken from the engine's prefix cache.

    `thinking_tokens` of the output were spent on thinking, where the engine tells them apart. `estimated` counts are
    our own, because the endpoint reported none.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    thinking_tokens: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds from the start of the question to the end of retrieval, to the first token, and to the last.

    `thinking` is the seconds to the end of a model's thinking, where its answer begins; 0.0 where it did not think.
    """

    retrieval: float = 0.0
    first_token: float = 0.0
    total: float = 0.0
    thinking: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A model's text, with the reason that it stopped: by itself, or because it reached its length limit."""

    text: str
    usage: Usage
    finish: Finish = "stop"
    thinking: str = ""
    """Its thinking before, where the engine tells that apart; else `text` may hold it between tags."""
    refused: bool = False
    """Whether its engine says of the text that it is a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A span of a retrieved passage that holds the answer: `quote == document.text[start:end]`.

    `marked` tells whether the model pointed at that passage itself, by its number.
    """

    chunk_id: str
    document_id: str
    quote: str
    start: int
    end: int
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A strategy's answer, with all it takes to check, score and price it.

    `raw` is the model's text but for its `thinking`; `text` is the same without citation marks, and without a quote
    before the answer. `abstained` means that the strategy declined to answer.
    """

    text: str
    raw: str
    prompt: Prompt
    abstained: bool
    citations: tuple[Citation, ...]
    usage: Usage
    timing: Timing
    finish: Finish = "stop"
    note: str = ""
    """A note for the asker about an unusual way of answering; empty where it is as usual."""
    thinking: str = ""
    """The model's thinking before its answer. It is kept for people to read, and is never scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question with the answers we accept (the first is the one to train on) and the documents that prove them.

    Examples of one `family` ask for the same thing in other words; a family is never cut by a split.
    An example that is not `answerable` has no answers, and abstaining is right.
    """

    id: str
    question: Question
    answers: tuple[str, ...]
    evidence: tuple[str, ...] = ()
    answerable: bool = True
    family: str = ""
    split: Split = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long step is. `total` is 0 where it is not known yet."""

    task: str
    done: int
    total: int
    unit: str = ""
    note: str = ""

"""Traces answers of an adapter to its training examples and to their places in the documents, and back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from weighbridge.adapters import AdapterCard, Lesson, Span, admits
from weighbridge.errors import WorkspaceError
from weighbridge.protocols import StoredIndex
from weighbridge.settings.schema import Settings
from weighbridge.train.card import read_lessons
from weighbridge.train.registry import find_adapter, folder_of, promoted_adapter, strategies
from weighbridge.types import PUBLIC
from weighbridge.wiring.index import open_history
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A lesson of an adapter, and the present text of its places in the documents."""

    adapter: str
    strategy: str
    lesson: Lesson
    texts: tuple[str | None, ...]
    """The text of each span, in order; None if its document has changed or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A filter for lessons. An empty field accepts all."""

    adapter: str = ""
    """An id or a strategy; empty: all promoted adapters."""
    source: str = ""
    """The id of the example, or of one of its documents."""
    answer: str = ""
    """Words of the answer, in any case."""
    groups: frozenset[str] = PUBLIC
    """The access groups of the reader. Lessons from other groups are left out."""

    def fits(self, lesson: Lesson) -> bool:
        """Tell whether a lesson passes the filter."""
        sources = {lesson.example_id, *lesson.evidence, *(span.document_id for span in lesson.spans)}
        return (
            (not self.source or self.source in sources)
            and self.answer.casefold() in lesson.target.casefold()
            and admits(lesson.access, self.groups)
        )


def trace(settings: Settings, workspace: Workspace, about: About) -> Iterator[Traced]:
    """Yield the lessons of adapters with their places in the documents.

    Raises:
        UserError: no adapter has this name.
    """
    index = index_of(settings, workspace)
    now = index.documents() if index else {}
    closed = _closed_test(index, now, about.groups)
    for card in _cards(workspace, about):
        for lesson in filter(about.fits, read_lessons(folder_of(workspace, card))):
            if not any(map(closed, {*lesson.evidence, *(span.document_id for span in lesson.spans)})):
                texts = tuple(
                    _text(index, span, about.groups) if now.get(span.document_id) == span.version else None
                    for span in lesson.spans
                )
                yield Traced(adapter=card.id, strategy=card.strategy, lesson=lesson, texts=texts)


def withholds(workspace: Workspace, about: About) -> bool:
    """Tell whether an adapter learnt from documents or examples that the reader may not see."""
    return any(not admits(card.learnt.access, about.groups) for card in _cards(workspace, about))


def _cards(workspace: Workspace, about: About) -> Sequence[AdapterCard]:
    named = (promoted_adapter(workspace, strategy) for strategy in strategies(workspace))
    return [find_adapter(workspace, about.adapter)] if about.adapter else [card for card in named if card]


def _closed_test(index: StoredIndex | None, now: Mapping[str, str], groups: frozenset[str]) -> Callable[[str], bool]:
    """Return a test whether a document of the present index is closed to these groups."""

    @cache
    def is_closed(name: str) -> bool:
        return index is not None and name in now and not index.chunks_of(name, groups=groups)

    return is_closed


def index_of(settings: Settings, workspace: Workspace) -> StoredIndex | None:
    """Open the workspace's index as it is; None if there is none."""
    try:
        return open_history(settings, workspace) if settings.sources else None
    except WorkspaceError:
        return None


def _text(index: StoredIndex | None, span: Span, groups: frozenset[str]) -> str | None:
    """Return the text of a span from its chunks, as far as these groups may read them."""
    if index is None:
        return None
    chunks = index.chunks_of(span.document_id, groups=groups)
    parts = (chunk.text[max(span.start - chunk.start, 0) : max(span.end - chunk.start, 0)] for chunk in chunks)
    return "\n".join(part for part in parts if part) or None

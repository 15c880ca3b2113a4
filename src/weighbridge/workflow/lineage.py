"""From an answer to the adapter, to the example it learnt from, to the stretch of a document; and back."""

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
    """A lesson of an adapter, and what the documents say today where it stood."""

    adapter: str
    strategy: str
    lesson: Lesson
    texts: tuple[str | None, ...]
    """Of each span, in order; None where its document has changed or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What lessons are looked for by; an empty field asks for nothing."""

    adapter: str = ""
    """An id or a strategy; empty: all that are promoted."""
    source: str = ""
    """The id of its example, or of a document that it rests on."""
    answer: str = ""
    """Words that the answer to learn has in it, whatever their case."""
    groups: frozenset[str] = PUBLIC
    """The access groups of whoever asks: what they may not see is not traced."""

    def fits(self, lesson: Lesson) -> bool:
        """Tell whether a lesson is one that is looked for."""
        sources = {lesson.example_id, *lesson.evidence, *(span.document_id for span in lesson.spans)}
        return (
            (not self.source or self.source in sources)
            and self.answer.casefold() in lesson.target.casefold()
            and admits(lesson.access, self.groups)
        )


def trace(settings: Settings, workspace: Workspace, about: About) -> Iterator[Traced]:
    """Yield what adapters learnt, and where in the documents each lesson stands.

    Raises:
        UserError: no adapter is called so.
    """
    index = index_of(settings, workspace)
    now = index.documents() if index else {}
    closed = _closed_test(index, now, about.groups)
    for card in _cards(workspace, about):
        for lesson in filter(about.fits, read_lessons(folder_of(workspace, card))):
            if not any(map(closed, {*lesson.evidence, *(span.document_id for span in lesson.spans)})):
                texts = tuple(_text(index, span, about.groups) if _same(span, now) else None for span in lesson.spans)
                yield Traced(adapter=card.id, strategy=card.strategy, lesson=lesson, texts=texts)


def withholds(workspace: Workspace, about: About) -> bool:
    """Tell whether what is looked for may be among what whoever asks may not see."""
    return any(not admits(card.learnt.access, about.groups) for card in _cards(workspace, about))


def _cards(workspace: Workspace, about: About) -> Sequence[AdapterCard]:
    named = (promoted_adapter(workspace, strategy) for strategy in strategies(workspace))
    return [find_adapter(workspace, about.adapter)] if about.adapter else [card for card in named if card]


def _closed_test(index: StoredIndex | None, now: Mapping[str, str], groups: frozenset[str]) -> Callable[[str], bool]:
    """Return what tells whether a document of the index, as it is today, may not be read with these groups."""

    @cache
    def is_closed(name: str) -> bool:
        return index is not None and name in now and not index.chunks_of(name, groups=groups)

    return is_closed


def index_of(settings: Settings, workspace: Workspace) -> StoredIndex | None:
    """Open the workspace's index as it is; None where there is none."""
    try:
        return open_history(settings, workspace) if settings.sources else None
    except WorkspaceError:
        return None


def _same(span: Span, now: Mapping[str, str]) -> bool:
    return now.get(span.document_id) == span.version


def _text(index: StoredIndex | None, span: Span, groups: frozenset[str]) -> str | None:
    """Return what stands in a span of a document for a reader of these groups, by the chunks it lies in."""
    if index is None:
        return None
    chunks = index.chunks_of(span.document_id, groups=groups)
    parts = (chunk.text[max(span.start - chunk.start, 0) : max(span.end - chunk.start, 0)] for chunk in chunks)
    return "\n".join(part for part in parts if part) or None

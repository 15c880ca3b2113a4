"""Documents are cut into chunks that a search can return and a model can read."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from weighbridge.types import Chunk, Document

Tokenizer = Callable[[str], Sequence[tuple[int, int]]]
"""Returns the (start, end) character offsets of a text's tokens, in order. Spans of no width are not counted."""

_CHARACTERS_A_TOKEN = 6
_WORD_ENDS = re.compile(r"(?<=\S)(?=\s)")
_BREAKS = (
    re.compile(r"\n[ \t]*(?=\n)|\n(?=#{1,6} )"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?])[\"'\u201d\u2019)\]]*(?=\s)|(?<=[\u3002\uff01\uff1f])"),
    _WORD_ENDS,
)
"""Where to cut, best first: before a blank line or heading, at a line's end, a sentence's, a word's."""
_HEADING = re.compile(r"(?:^|\n)#{1,6} [^\n]*\s*\Z")


def chunk_documents(documents: Iterable[Document], *, tokens: int, tokenizer: Tokenizer) -> Iterator[Chunk]:
    """Cut documents into chunks of at most `tokens` tokens, greedily, at the best break in the chunk's second half.

    Chunks are in order and do not overlap; `chunk.text == document.text[chunk.start:chunk.end]`, without white space
    at its ends; every other character of the document is in one chunk. A document that fits is one chunk. Only a
    single character that takes more than `tokens` by itself makes a longer chunk.
    """
    for document in documents:
        for number, (start, end) in enumerate(_spans(document.text, tokens, tokenizer)):
            yield Chunk(
                id=f"{document.id}#{number}",
                document_id=document.id,
                text=document.text[start:end],
                start=start,
                end=end,
                title=document.title,
                groups=document.groups,
            )


def _spans(text: str, tokens: int, tokenizer: Tokenizer) -> Iterator[tuple[int, int]]:
    start = _skip_space(text, 0)
    while start < len(text):
        limit = _reach(text, start, tokens, tokenizer)
        end = _cut(text, start, limit)
        while (over := _overflow(text[start:end], tokens, tokenizer)) is not None and end - start > 1:
            end = _cut(text, start, start + max(over, 1))
        yield start, end
        start = _skip_space(text, end)


def _skip_space(text: str, start: int) -> int:
    found = re.compile(r"\S").search(text, start)
    return found.start() if found else len(text)


def _reach(text: str, start: int, tokens: int, tokenizer: Tokenizer) -> int:
    """Return how far `tokens` tokens reach. Only a window is tokenised, so that a book costs no more than its pages."""
    width = max(tokens * _CHARACTERS_A_TOKEN, 64)
    while True:
        window = text[start : start + width]
        over = _overflow(window, tokens, tokenizer)
        if over is not None:
            return start + max(over, 1)
        if start + width >= len(text):
            return len(text)
        width *= 2


def _overflow(text: str, tokens: int, tokenizer: Tokenizer) -> int | None:
    """Return where the first token that is too many begins; None where all fit."""
    spans = [span for span in tokenizer(text) if span[1] > span[0]]
    return spans[tokens][0] if len(spans) > tokens else None


def _cut(text: str, start: int, limit: int) -> int:
    """Return the end of the chunk that begins at `start` and may reach to `limit`; always beyond `start`."""
    if limit == len(text):
        return _trimmed(text, start, limit)
    half = start + (limit - start) // 2
    for breaks in _BREAKS:
        for place in reversed([found.end() for found in breaks.finditer(text, half, limit + 1)]):
            end = _trimmed(text, start, place)
            if start < end <= limit and not _HEADING.search(text[start:end]):
                return end
    words = [end for found in _WORD_ENDS.finditer(text, start, half + 1) if (end := found.end()) > start]
    return words[-1] if words else limit


def _trimmed(text: str, start: int, end: int) -> int:
    return start + len(text[start:end].rstrip())

"""Cuts documents into chunks that a search can return and a model can read."""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.lengths import LONGEST_WORD, Lengths, Tokenizer, WordCounts, cached_word_counts, measure_words
from weighbridge.ingest.outline import SENTENCE_ENDS, DocumentOutline, Fence, Heading, Table, find_outline
from weighbridge.passage_tables import CELL_BORDER, header_row, names_columns, split_row
from weighbridge.types import Chunk, Document, Part

__all__ = ["CHUNKER", "Tokenizer", "chunk_documents", "document_version"]

CHUNKER = "3"
"""Changes whenever the same document would be cut in another way, or get another context or place."""

_CHARACTERS_A_TOKEN = 64
"""Above so many characters a token on average a chunk is cut, whatever the tokenizer says of endless words."""
_TINY = 5
"""A last chunk of less than one in so many of the tokens is made larger where that costs no better break."""
_LONG_START = re.compile(rf"\S{{{LONGEST_WORD + 1}}}")
_WORD_ENDS = re.compile(r"(?<=\S)(?=\s)")
_BLANK = re.compile(r"\n[ \t]*+(?=\n)")
_LINE = re.compile(r"\n")
_ITEM = r"(?:[-*+]|\d{1,9}[.)])[ \t]"

_BLOCK_RANK = 7
"""Better are the starts of parts (0) and of headings (1 to 6); this is where a table or fenced code begins or ends."""
_BREAKS: Sequence[tuple[re.Pattern[str], tuple[type, ...]]] = (
    (_BLANK, (type(None),)),
    (re.compile(r"\n[ \t]*+(?=\n\S)"), (Fence,)),
    (_BLANK, (Fence,)),
    (_LINE, (Table,)),
    (re.compile(rf"\n(?={_ITEM})"), (type(None),)),
    (re.compile(rf"\n(?=[ \t]+{_ITEM})"), (type(None),)),
    (_LINE, (type(None), Fence)),
)
"""The further breaks, best first: a pattern, and the blocks it counts in (None: outside tables and fenced code)."""


@dataclass(frozen=True, slots=True)
class _View:
    """A document as it is cut: its structure, its lengths, and the starts of its parts and blocks with their ranks."""

    text: str
    outline: DocumentOutline
    lengths: Lengths
    places: Sequence[int]
    ranks: Sequence[int]


def document_version(document: Document, *, tokens: int) -> str:
    """Return a fingerprint of all that a document's chunks come from, but for the tokenizer."""
    if document.version:
        return fingerprint(CHUNKER, tokens, document.id, document.version)
    parts = [(part.name, part.start, part.end) for part in document.parts]
    content = json.dumps([document.id, document.title, sorted(document.groups), parts, document.text])
    return fingerprint(CHUNKER, tokens, content)


def chunk_documents(documents: Iterable[Document], *, tokens: int, tokenizer: Tokenizer) -> Iterator[Chunk]:
    """Cut documents into chunks of at most `tokens` tokens, greedily, at the best break in the chunk's second half.

    Chunks are in order and do not overlap; `chunk.text == document.text[chunk.start:chunk.end]`, without white space
    at its ends; every other character of the document is in one chunk. A document that fits is one chunk, unless it
    has more than 64 characters a token that it may have. Only a single character that takes more than `tokens` by
    itself makes a longer chunk. A document's chunks do not depend on the documents before it. The token counts of
    words are kept between calls with the same tokenizer, so it must always say the same of the same text.

    The best breaks are where a part of the document or a section begins, then blank lines between blocks, then rows,
    items and lines, then sentences, then words. No chunk ends with a heading, a table's header or an opening fence
    where its text follows and fits, and lines of code stay whole where they fit. A table is cut between rows alone,
    and a row that does not fit by itself between its cells; the rest of such a row is in chunks of its own.
    """
    counts = cached_word_counts(tokenizer)
    for document in documents:
        outline = find_outline(document.text)
        version = document_version(document, tokens=tokens)
        view = _view(document, outline, measure_words(document.text, counts))
        for number, (start, end) in enumerate(_cut_document(view, tokens, counts)):
            yield Chunk(
                id=f"{document.id}#{number}",
                document_id=document.id,
                text=document.text[start:end],
                start=start,
                end=end,
                title=document.title,
                context=_context(view, start, end),
                place=_name_parts(document.parts, start, end),
                version=version,
                groups=document.groups,
            )


def _view(document: Document, outline: DocumentOutline, lengths: Lengths) -> _View:
    ranks = dict[int, int]()
    for block in outline.blocks():
        ranks[block.start] = block.level if isinstance(block, Heading) else _BLOCK_RANK
        ranks.setdefault(block.end, _BLOCK_RANK)
    for part in document.parts:
        if not _runs_on(document.text, part):
            ranks[part.start] = 0
    places = sorted(ranks)
    return _View(document.text, outline, lengths, places, [ranks[place] for place in places])


def _runs_on(text: str, part: Part) -> bool:
    """Tell whether a page begins in the middle of a sentence."""
    before = text[max(part.start - 64, 0) : part.start].rstrip()
    return part.name.startswith("page ") and before[-1:].isalnum()


def _cut_document(view: _View, tokens: int, counts: WordCounts) -> Iterator[tuple[int, int]]:
    text, lengths = view.text, view.lengths
    start, stop = _skip_space(text, 0), lengths.ends[-1] if lengths.ends else 0
    if _fits_after_all(view, start, stop, tokens, counts.tokenizer):
        yield start, stop
        return
    while start < stop:
        limit = _find_reach(view, start, tokens, counts)
        end = _cut_window(view, start, limit, tokens)
        while end - start > 1 and not (counts.trusted and _lengths_add_up(view, start, end)):
            over = _overflow(text[start:end], tokens, counts.tokenizer)
            if over is None:
                break
            end = _best_break(view, start, start + max(over, 1))[1]
        yield start, end
        start = _skip_space(text, end)


def _fits_after_all(view: _View, start: int, stop: int, tokens: int, tokenizer: Tokenizer) -> bool:
    """Tell whether a document fits although its words, counted one by one, take a few tokens too many."""
    summed = view.lengths.totals[-1] if view.lengths.totals else 0
    near = tokens < summed <= tokens + tokens // 4 and stop - start <= tokens * _CHARACTERS_A_TOKEN
    return near and _overflow(view.text[start:stop], tokens, tokenizer) is None


def _lengths_add_up(view: _View, start: int, end: int) -> bool:
    """Tell whether a stretch is made of whole words of known length."""
    text = view.text
    inside = (start > 0 and not text[start - 1].isspace()) or (end < len(text) and not text[end].isspace())
    return not inside and not _LONG_START.match(text, start) and not view.lengths.is_rough(start, end)


def _skip_space(text: str, start: int) -> int:
    found = re.compile(r"\S").search(text, start)
    return found.start() if found else len(text)


def _find_reach(view: _View, start: int, tokens: int, counts: WordCounts) -> int:
    """Return how far `tokens` tokens reach, by the sums of words; beyond `start`, even where that is too far."""
    ends, totals = view.lengths.ends, view.lengths.totals
    at = bisect_right(ends, start)
    word = view.text[start : ends[at]]
    first = counts[word] if len(word) <= LONGEST_WORD else totals[at] - (totals[at - 1] if at else 0)
    last = bisect_right(totals, tokens - first + totals[at], lo=at) - 1
    if last < at:
        over = _overflow(word, tokens, counts.tokenizer)
        return start + (len(word) if over is None else max(over, 1))
    return min(ends[last], start + max(tokens, 16) * _CHARACTERS_A_TOKEN)


def _overflow(text: str, tokens: int, tokenizer: Tokenizer) -> int | None:
    """Return where the first token that is too many begins; None where all fit."""
    spans = [span for span in tokenizer(text) if span[1] > span[0]]
    return spans[tokens][0] if len(spans) > tokens else None


def _cut_window(view: _View, start: int, limit: int, tokens: int) -> int:
    """Return the end of the chunk that begins at `start` and may reach to `limit`; always beyond `start`."""
    ends, totals = view.lengths.ends, view.lengths.totals
    if (row := _open_row(view, start)) is not None and row[1] <= limit:
        return row[1]
    if limit >= ends[-1]:
        return ends[-1]
    rank, end = _best_break(view, start, limit)
    if totals[-1] - totals[bisect_left(ends, end)] < tokens // _TINY:
        earlier = ends[max(bisect_right(totals, totals[-1] - tokens // _TINY) - 1, 0)]
        if start + (limit - start) // 2 < earlier < end:
            other, balanced = _best_break(view, start, earlier)
            return balanced if other <= rank else end
    return end


def _best_break(view: _View, start: int, limit: int) -> tuple[int, int]:
    """Return the rank of the best break (lower is better) and the chunk's end there."""
    half = start + (limit - start) // 2
    if (row := _open_row(view, start)) is not None:
        return 22, row[1] if row[1] <= limit else _cell_end(view.text, start, limit)
    for rank, places in _rank_breaks(view, start, half, limit):
        for place in places:
            end = start + len(view.text[start:place].rstrip())
            if start < end <= limit and not view.outline.hangs(end):
                return rank, end
    if isinstance(table := view.outline.block(limit), Table):
        line = view.text.find("\n", limit)
        fits = not view.text[limit : line if line >= 0 else None].strip()
        between = limit if fits else view.text.rfind("\n", 0, limit) + 1
        whole = view.text[start : table.start if start < table.start and between < table.body else between].rstrip()
        return 21, start + len(whole) if whole else _cell_end(view.text, start, limit)
    return 99, _last_word_end(view.text, start, half, limit)


def _open_row(view: _View, start: int) -> tuple[int, int] | None:
    """Return the start and end of the table row that a chunk begins inside of; None where it begins outside of any."""
    if not isinstance(view.outline.block(start), Table):
        return None
    first, last = view.text.rfind("\n", 0, start) + 1, view.text.find("\n", start)
    row = view.text[first : last if last >= 0 else None].rstrip()
    return (first, first + len(row)) if view.text[first:start].strip() else None


def _cell_end(text: str, start: int, limit: int) -> int:
    """Return the last place to cut a row that is too long: before a cell, else behind a sentence or word of one."""
    half = start + (limit - start) // 2
    borders = [found.start() for found in CELL_BORDER.finditer(text, start + 1, limit + 1)]
    for place in reversed(borders):
        passed = text[start:place].rstrip()
        if re.search(r"\w", passed) and text[place + 1 : place + 2] not in {"", "\n"}:
            return start + len(passed)
    for pattern in (SENTENCE_ENDS, _WORD_ENDS):
        for place in _find_last_first(pattern, text, half, limit):
            end = start + len(text[start:place].rstrip())
            if start < end <= limit:
                return end
    return _last_word_end(text, start, half, limit)


def _last_word_end(text: str, start: int, half: int, limit: int) -> int:
    words = [end for found in _WORD_ENDS.finditer(text, start, half + 1) if (end := found.end()) > start]
    return words[-1] if words else limit


def _rank_breaks(view: _View, start: int, half: int, limit: int) -> Iterator[tuple[int, Iterable[int]]]:
    """Yield the breaks of a stretch, best rank first and last place first."""
    between = range(bisect_left(view.places, half), bisect_right(view.places, limit))
    for at in sorted(between, key=lambda at: (view.ranks[at], -at)):
        yield view.ranks[at], (view.places[at],)
    for rank, (pattern, kinds) in enumerate(_BREAKS, _BLOCK_RANK + 1):
        yield (
            rank,
            (
                place
                for place in _find_last_first(pattern, view.text, half, limit)
                if isinstance(view.outline.block(place), kinds)
            ),
        )
    block = view.outline.block(limit)
    if block is not None:
        yield 20, _find_last_first(_LINE, view.text, max(start, block.start - 1), half)
    if not isinstance(block, Table):
        yield 21, _find_last_first(SENTENCE_ENDS, view.text, half, limit)
        yield 22, _find_last_first(_WORD_ENDS, view.text, half, limit)


def _find_last_first(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterable[int]:
    return reversed([found.end() for found in pattern.finditer(text, start, min(end + 12, len(text)))])


def _context(view: _View, start: int, end: int) -> tuple[str, ...]:
    """Return the headings above a chunk; where it goes on with a table, the names of its columns as a last one.

    Where it begins in the middle of a row, they are those of its own cells, and before them stands the row's first
    cell. No heading begins with a border, so that a header row is known by it.
    """
    titles = tuple(title.lstrip("| ") for title in view.outline.above(start))
    table = view.outline.block(start)
    if not isinstance(table, Table) or start <= view.text.find("\n", table.start):
        return titles
    names: Sequence[str] = split_row(table.header)
    if not names_columns(names):
        names = [""] * len(names)
    if (row := _open_row(view, start)) is None:
        inside = "\n" not in view.text[start:end]
        return (*titles, header_row(names[: len(split_row(view.text[start:end]))] if inside else names))
    before = view.text[row[0] : start].lstrip()
    passed = len(CELL_BORDER.findall(before)) - before.startswith("|") + (view.text[start] == "|")
    names = names[passed : passed + len(split_row(view.text[start:end]))]
    label = split_row(view.text[slice(*row)])[0] if passed else ""
    return tuple(filter(None, (*titles, label.lstrip("| "), header_row(names) if names else "")))


def _name_parts(parts: Sequence[Part], start: int, end: int) -> str:
    """Name the parts that a stretch overlaps: "page 3", "pages 3-4", "sheet A to sheet C"; empty where none does."""
    first = bisect_right(parts, start, key=lambda part: part.end)
    last = bisect_left(parts, end, key=lambda part: part.start) - 1
    if last < first:
        return ""
    one, other = parts[first].name, parts[last].name
    if one == other:
        return one
    numbered = re.fullmatch(r"([a-z]+) (\d+)\n\1 (\d+)", f"{one}\n{other}")
    if numbered and int(numbered[2]) < int(numbered[3]):
        return f"{numbered[1]}s {numbered[2]}-{numbered[3]}"
    return f"{one} to {other}"

"""Finds the sentences, table cells and "key: value" lines of a document, in words that tell values apart.

A value is a part that may differ between versions of a statement: figures, days and months, names, and words that turn
a meaning round (not, with, before, ...). English words; in other languages figures and names are still told apart.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

from weighbridge.ingest.outline import SENTENCE_ENDS, DocumentOutline, Table
from weighbridge.types import Document

Kind = Literal["word", "figure", "day", "turn", "not", "name"]

_TOKEN = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[\u00a3$\u20ac]?\w*\d(?:\w|[.,:/](?=\w))*%?|[^\W_]+(?:['\u2019-][^\W_]+)*"
)
_BLOCK = re.compile(r"[ \t]*+\S[^\n]*+(?:\n(?!\s*(?:[-*+]|\d{1,9}[.)])[ \t])[ \t]*+\S[^\n]*+)*+")
_KEYED = re.compile(
    r"^[ \t]*(?P<mark>[-*+][ \t]+)?[*_]{0,2}(?P<key>[^\W\d_][^:|\n*]{0,40})[*_]{0,2}:"
    r"[*_]{0,2}[ \t]+(?P<value>\S[^\n]{0,60})$",
    re.MULTILINE,
)
_BAR = re.compile(r"(?<!\\)\|")
_ABOUT_ITSELF = re.compile(
    r"\W*(?:last\s+)?(?:updated|revised|reviewed|printed|modified|created|retrieved|edited|issued|version|revision|date|"
    r"printed on|page)\b",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_DECIMAL = re.compile(r"(\W?\d+)[.](\d+)(%?)")
_NUMBER_OF_ITEM = re.compile(r"(?:\d{1,3}(?:\.\d{1,3})++|\d{1,3}(?=[.)]))[.)*\u2020]*+[ \t]+(?=\S)")
"""The number of a list item: 3) or 4.12*; the same item may have another number in another document."""
_NUMBERS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "thousand": "1000", "million": "1000000", "half": "0.5", "dozen": "12", "once": "1x",
    "twice": "2x", "thrice": "3x",
}  # fmt: skip
_DAYS = frozenset({
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mondays", "tuesdays",
    "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "january", "february", "march", "april", "june",
    "july", "august", "september", "october", "november", "december", "weekday", "weekdays", "weekend", "weekends",
    "daily", "weekly", "monthly", "yearly", "hourly", "morning", "evening", "noon", "midnight", "night",
})  # fmt: skip
_TURNS = frozenset({
    "yes", "no", "none", "with", "before", "after", "empty", "full", "must", "may", "required", "forbidden",
    "optional", "allowed", "prohibited", "permitted", "open", "closed", "always", "only", "minimum", "maximum",
    "more", "less", "most", "least", "above", "below", "enabled", "disabled", "mandatory", "voluntary", "free",
    "inside", "outside", "earlier", "later", "first", "last", "left", "right", "upper", "lower", "both", "either",
    "neither",
})  # fmt: skip
_FEWEST_WORDS = 5
LEADS_BACK = frozenset({
    "it", "its", "he", "she", "they", "his", "her", "their", "this", "that", "these", "those", "there", "here",
    "we", "i", "you", "our", "your", "then",
})  # fmt: skip
"""First words of a sentence that says nothing without its document."""
REFERENCES = frozenset({
    "section", "sections", "chapter", "chapters", "table", "tables", "figure", "figures", "fig", "page", "pages", "pp",
    "item", "items", "note", "notes", "exhibit", "exhibits", "schedule", "appendix", "appendices", "annex", "paragraph",
    "paragraphs", "footnote", "footnotes", "equation", "eq", "ref", "part", "article", "line", "clause", "asu",
})  # fmt: skip
"""Words before the number of a part of a document: another number is no other fact."""
LABELS = REFERENCES | {
    "room", "step", "phase", "route", "level", "grade", "band", "class", "type", "model", "number", "no", "nr",
    "version", "unit", "building", "gate", "platform", "question", "week", "day",
}  # fmt: skip
"""Words before a number that is a name: a statement about room 4 is none about room 5."""
_NOTS = frozenset({"not", "never", "without", "cannot", "n't"})


@dataclass(frozen=True, slots=True)
class StatementToken:
    """A word of a text as it is compared: its normal form, its kind, and its place."""

    norm: str
    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence: its place in the document, and its tokens."""

    start: int
    end: int
    tokens: tuple[StatementToken, ...]

    @property
    def norms(self) -> tuple[str, ...]:
        """The words and values; equal sentences have equal ones."""
        return tuple(token.norm for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Fact:
    """The value of a table cell or a "key: value" line, where it stands (its row or line), and whether in a table."""

    start: int
    end: int
    value: str
    in_table: bool

    @property
    def norms(self) -> tuple[str, ...]:
        """The words and figures of the value in their normal form."""
        return tuple(token.norm for token in tokenise(self.value, 0, len(self.value))) or (self.value,)


def tokenise(text: str, start: int, end: int) -> Iterator[StatementToken]:
    """Yield the tokens of a stretch; a word is a name where it is capitalised and does not come first."""
    first = True
    for found in _TOKEN.finditer(text, start, end):
        norm, kind, kind_of_first = _sorted_word(found.group())
        yield StatementToken(norm, kind_of_first if first else kind, *found.span())
        first = False


def vocabulary(text: str) -> AbstractSet[str]:
    """Return the words and values of a text in their normal form."""
    return {_sorted_word(word)[0] for word in set(_TOKEN.findall(text))}


@lru_cache(maxsize=1 << 17)  # the words of a large corpus; most of them come again
def _sorted_word(word: str) -> tuple[str, Kind, Kind]:
    """Return a word's normal form, its kind, and its kind at the beginning of a sentence."""
    norm = word.casefold()
    kind = _kind(word, norm)
    if kind == "figure":
        norm = _NUMBERS.get(norm) or _number(norm)
    first = "turn" if kind == "day" and norm == "may" else kind
    return norm, kind, "word" if kind == "name" else first


def _number(norm: str) -> str:
    """Return a figure in its shortest form: 1,200.50 is 1200.5, and 3.0% is 3%."""
    norm = re.sub(r",(?=\d{3})", "", norm)
    if decimal := _DECIMAL.fullmatch(norm):
        whole, part, sign = decimal.groups()
        return f"{whole}.{part}".rstrip("0").rstrip(".") + sign
    return norm


def _kind(word: str, norm: str) -> Kind:
    if any(map(str.isdigit, word)) or norm in _NUMBERS or "@" in word:
        return "figure"
    if norm in _NOTS or norm.endswith("n't"):
        return "not"
    if norm in _DAYS or word == "May":
        return "day"
    if norm in _TURNS:
        return "turn"
    return "name" if word[0].isupper() else "word"


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a document without their words: where each stands, and hashes by which it is found again.

    Sentences with one `said` are the same; those with one `form` differ in figures, days and "not" only. A form is 0
    where a sentence is too short to be compared, and `valued` 0 where it holds no figure or day.
    """

    starts: "array[int]"
    ends: "array[int]"
    said: "array[int]"
    forms: "array[int]"
    valued: "array[int]"


def find_sentences(text: str, outline: DocumentOutline) -> Sentences:
    """Find the sentences outside headings, tables and fenced code, and without "key: value" lines.

    Sentences of a document about itself ("Last updated ...") are left out.
    """
    found = Sentences(array("q"), array("q"), array("Q"), array("Q"), array("b"))
    for start, end in _spans(text, outline):
        words = [_sorted_word(word) for word in _TOKEN.findall(text, start, end)]
        if words:
            form = _form(words)
            found.starts.append(start)
            found.ends.append(end)
            found.said.append(_hash(" ".join(word[0] for word in words)))
            found.forms.append(_hash(" ".join(form)) if form else 0)
            found.valued.append(any(kind in {"figure", "day"} for _, kind, _ in words))
    return found


def find_statements(document: Document, outline: DocumentOutline) -> Iterator[Statement]:
    """Yield the sentences that `find_sentences` finds, with their tokens."""
    for start, end in _spans(document.text, outline):
        if tokens := tuple(tokenise(document.text, start, end)):
            yield Statement(start, end, tokens)


def _form(words: Sequence[tuple[str, Kind, Kind]]) -> Sequence[str]:
    """Return a sentence without its figures, days and "not"; empty where it is too short."""
    form: list[str] = []
    before = ""
    for norm, kind, _ in words:
        if kind in {"figure", "day"} and before not in LABELS:
            if form[-1:] != ["#"]:
                form.append("#")
        elif kind != "not":
            form.append(norm)
        before = norm
    return form if len(form) - form.count("#") >= _FEWEST_WORDS else ()


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) or 1


def _spans(text: str, outline: DocumentOutline) -> Iterator[tuple[int, int]]:
    for start, end in _prose(text, outline):
        reached = start
        for line in (*_find_key_lines(text, start, end), None):
            for block in _BLOCK.finditer(text, reached, line.start() if line else end):
                yield from _sentences(text, *block.span())
            reached = line.end() if line else end


def _find_key_lines(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the "key: value" lines of a stretch: items of a list, or lines that no prose stands above."""
    reached = start
    for line in _KEYED.finditer(text, start, end):
        above = text[max(line.start() - 2, reached) : line.start()]
        if line["mark"] or not above.strip():
            yield line
            reached = line.end()


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for stop in (*(found.end() for found in SENTENCE_ENDS.finditer(text, start, end)), end):
        begin, close = _strip_span(text, start, stop)
        start = stop
        if number := _NUMBER_OF_ITEM.match(text, begin, close):
            begin = number.end()
        if _LETTER.search(text, begin, close) and not _ABOUT_ITSELF.match(text, begin, close):
            yield begin, close


def _prose(text: str, outline: DocumentOutline) -> Iterator[tuple[int, int]]:
    """Yield the stretches between headings, tables and fenced code."""
    reached = 0
    for start, end in sorted((block.start, block.end) for block in outline.blocks()):
        if start > reached:
            yield reached, start
        reached = max(reached, end)
    if reached < len(text):
        yield reached, len(text)


def find_facts(document: Document, outline: DocumentOutline) -> Mapping[tuple[str, ...], Fact]:
    """Return the table cells and "key: value" lines of a document by their keys.

    A key is the headings below the document's first, then the row's first cell and the column's name, or the line's
    key. A key that stands there twice is left out.
    """
    found: dict[tuple[str, ...], Fact | None] = {}
    for key, fact in (*_cells(document.text, outline), *_keyed_facts(document.text, outline)):
        found[key] = None if key in found else fact
    return {key: fact for key, fact in found.items() if fact is not None}


def _cells(text: str, outline: DocumentOutline) -> Iterator[tuple[tuple[str, ...], Fact]]:
    for table in outline.tables:
        path = outline.above(table.start)[1:]
        names = [text[a:b] for a, b in _columns(text, table.start, text.find("\n", table.start))]
        for start, end in _rows(text, table):
            first, *others = _columns(text, start, end)
            subject = text[slice(*first)]
            for name, (a, b) in zip(names[1:], others, strict=False):
                if subject and a < b:
                    yield (*path, subject, name), Fact(*_strip_span(text, start, end), text[a:b], in_table=True)


def _columns(text: str, start: int, end: int) -> Sequence[tuple[int, int]]:
    """Return the places of a row's cells, without the white space around them."""
    begin, end = _strip_span(text, start, end)
    bars = [found.start() for found in _BAR.finditer(text, begin, end)]
    starts = [begin - 1, *bars] if not bars or bars[0] > begin else bars
    stops = [*starts[1:], end] if starts[-1] < end - 1 else starts[1:]
    return [_strip_span(text, a + 1, b) for a, b in zip(starts, stops or [end], strict=False)]


def _strip_span(text: str, start: int, end: int) -> tuple[int, int]:
    inside = text[start:end].strip()
    start += len(text[start:end]) - len(text[start:end].lstrip())
    return start, start + len(inside)


def _rows(text: str, table: Table) -> Iterator[tuple[int, int]]:
    start = table.body
    while start < table.end:
        end = text.find("\n", start, table.end)
        end = table.end if end < 0 else end
        yield start, end
        start = end + 1


def _keyed_facts(text: str, outline: DocumentOutline) -> Iterator[tuple[tuple[str, ...], Fact]]:
    for start, end in _prose(text, outline):
        for line in _find_key_lines(text, start, end):
            if not _ABOUT_ITSELF.match(line["key"]):
                key = (*outline.above(line.start())[1:], line["key"].strip())
                yield key, Fact(*_strip_span(text, *line.span()), line["value"].strip(), in_table=False)


def mask_values(tokens: Sequence[StatementToken]) -> tuple[str, ...]:
    """Return the words of a sentence with runs of values of one kind as their kind; all its versions share these."""
    words: list[str] = []
    for token in tokens:
        word = token.norm if token.kind == "word" else f"<{token.kind}>"
        if token.kind != "not" and not (words and words[-1] == word and word[0] == "<"):
            words.append(word)
    return tuple(words)

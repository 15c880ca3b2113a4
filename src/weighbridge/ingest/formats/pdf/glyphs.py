"""The letters of a PDF page and their lines, as PDFium gives them."""

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import repeat
from typing import Any, Literal

from weighbridge.ingest.formats.pdf.layout import LetterRun, PageBox, Row

MOST_LETTERS = 1_000_000
"""Letters of a page that are read; a printed page has some thousands."""

GAP = 0.9
"""How many times the height of its letters a gap must be wide to part a line into runs."""
_WORD_GAP = 0.7
"""The same for a gap that is a space whatever stands beside it."""
_TOUCH = 0.1
"""How many times the height of its letters a word may reach into the one before: edges are rounded."""
_CURRENCIES = frozenset("$\u20ac\u00a3\u00a5")
_AMOUNT_ENDS = frozenset(")%\u2014\u2013-")
_BULLETS = frozenset("\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u25a0\u25b8\u27a2\uf0b7\u00b7")
_LONGEST_MARK = 4
"""Letters of the mark of a list item, such as "12." or "(iv)"."""
_WORD = re.compile("[^\\s\x02]*\x02|[^\\s\x02]+|[\r\n]+")
"""A word or the end of a line. PDFium ends a word with a 2 where the end of a line cut it."""
_LINE_ENDS = frozenset("\r\n")
BROKEN_WORD = "\x02"
"""PDFium's sign for a hyphen at the end of a line. It may or may not belong to the word."""
_UNKNOWN = "\ufffe"
"""PDFium's text has this for a hyphen that cut a word and for a glyph without a letter; the glyph's code tells them
apart."""
_PRIVATE = re.compile("[\0\ue000-\uf8ff]")
_SURROGATES = range(0xD800, 0xE000)

INSERTED = -1
"""Stands for the glyph of a letter that none was drawn for."""
_HELD = "\x01"

_Direction = Literal["right", "up", "left", "down", "mirrored"]


@dataclass(frozen=True, slots=True)
class LetterSpan:
    """Letters [start, end) of one line, side by side, and their box."""

    start: int
    end: int
    box: PageBox


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a page in the order of the file, line ends among them.

    `places[i]` is the glyph of the page that letter i was made of, or `INSERTED`. `edges` has four numbers a glyph:
    its left, top, right and bottom edge. `unmapped` glyphs have a shape, but no meaning. `phrases` are stretches that
    run from right to left.
    """

    text: str
    places: Sequence[int]
    edges: Sequence[float]
    unmapped: int
    phrases: Sequence[LetterSpan] = ()

    def box(self, letter: int) -> PageBox:
        """Return the box of a letter that was not inserted."""
        left, top, right, bottom = self.edges[4 * self.places[letter] :][:4]
        return PageBox(left, bottom, right, top)


def letters_of(textpage: Any) -> Letters:
    """Return the letters of a page with the box of each."""
    count = min(textpage.count_chars(), MOST_LETTERS)
    text, places = _text_of(textpage, count)
    page = ctypes.cast(textpage.raw, ctypes.c_void_p)
    errors = list(map(_quick("FPDFText_HasUnicodeMapError"), repeat(page), range(count)))
    unmapped = 0
    if any(errors) or _PRIVATE.search(text):
        for letter, place in zip(text, places, strict=True):
            unmapped += errors[place] == 1 or _PRIVATE.match(letter) is not None
    return Letters(text, places, _edges_of(page, count), unmapped)


def baseline_of(textpage: Any, place: int) -> float:
    """Return the height on the page of the line that a glyph stands on."""
    import pypdfium2.raw as pdfium

    left, height = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage.raw, place, left, height)
    return height.value


@cache
def _quick(name: str) -> Callable[..., int]:
    """Return a function of PDFium that is called without checks of its arguments.

    The checks of ctypes take twice as long as the call, and there is a call for each glyph. Arguments are numbers of
    32 bits, pointers, or results of `byref`.
    """
    import pypdfium2.raw as pdfium

    address = ctypes.cast(getattr(pdfium, name), ctypes.c_void_p).value
    assert address is not None  # noqa: S101 - the library was loaded with all its functions
    function: Callable[..., int] = ctypes.PYFUNCTYPE(ctypes.c_int)(address)
    return function


def _text_of(textpage: Any, count: int) -> tuple[str, Sequence[int]]:
    """Return the text of the first glyphs of a page, and the glyph of each letter."""
    import pypdfium2.raw as pdfium

    buffer = (ctypes.c_ushort * (2 * count + 2))()
    length = pdfium.FPDFText_GetText(textpage.raw, 0, count, buffer) if count else 1
    text = bytes(buffer)[: 2 * max(length - 1, 0)].decode("utf-16-le", "replace")
    if len(text) != count or "\ufffd" in text:
        # PDFium leaves some glyphs out of the text, or has halves of a pair of surrogates in it.
        codes = list(map(pdfium.FPDFText_GetUnicode, repeat(textpage.raw), range(count)))
        texts = list(_texts(codes))
        return "".join(texts), [place for place, letter in enumerate(texts) if letter]
    if _UNKNOWN in text:
        letters = list(text)
        for place, letter in enumerate(letters):
            if letter == _UNKNOWN:
                letters[place] = chr(pdfium.FPDFText_GetUnicode(textpage.raw, place))
        text = "".join(letters)
    return text, range(count)


def _texts(codes: Sequence[int]) -> Iterator[str]:
    """Yield a text a code; the second half of a pair of surrogates is empty, and one on its own is unknown."""
    half = 0
    for place, code in enumerate(codes):
        if half:
            half = 0
            yield ""
        elif code not in _SURROGATES:
            yield chr(code) if code <= 0x10FFFF else "\ufffd"  # noqa: PLR2004 - the last code point
        elif code < 0xDC00 and codes[place + 1 : place + 2] and 0xDC00 <= codes[place + 1] < 0xE000:  # noqa: PLR2004
            half = code
            yield (code.to_bytes(2) + codes[place + 1].to_bytes(2)).decode("utf-16-be")
        else:
            yield "\ufffd"


def _edges_of(page: ctypes.c_void_p, count: int) -> Sequence[float]:
    """Return left, top, right and bottom of each glyph, one after the other."""
    make = _targets if count <= _MOST_KEPT else _targets.__wrapped__
    buffer, targets = make(-(-count // _BLOCK) * _BLOCK)
    ctypes.memset(buffer, 0, 16 * count)
    for _ in map(_quick("FPDFText_GetLooseCharBox"), repeat(page), range(count), targets):
        pass
    return memoryview(buffer).cast("B").cast("f")[: 4 * count].tolist()


_BLOCK = 4_096
"""Room is made for so many glyphs at a time, so that pages of a similar length share it."""
_MOST_KEPT = 16 * _BLOCK
"""Room for so many glyphs is kept for the next page; each takes 100 bytes."""


@lru_cache(maxsize=2)
def _targets(count: int) -> tuple["ctypes.Array[ctypes.c_float]", list[Any]]:
    """Return room for the edges of glyphs, and the place of each. PDFium is not called from several threads."""
    buffer = (ctypes.c_float * (4 * count))()
    return buffer, [ctypes.byref(buffer, offset) for offset in range(0, 16 * count, 16)]


def rows_of(letters: Letters) -> Sequence[Row]:
    """Return the runs of a page by rows, in the order of the file.

    Where most of its words run upwards, downwards or upside down, the page is turned so that they run to the right;
    where most run from right to left, it is mirrored.
    """
    words = list(_words(letters))
    weights: dict[_Direction, int] = {}
    for start, end, _, direction, *_ in words:
        weights[direction] = weights.get(direction, 0) + end - start
    mostly = max(weights, key=weights.__getitem__) if weights else "right"
    rows: list[list[_Word]] = []
    before: _Word | None = None
    for start, end, line, direction, left, bottom, right, top, first in words:
        if before is not None and mostly == "right" and line == before.line:
            # Most words stand close after the one before: they are added without an object of their own.
            height = top - bottom
            if -height < left - before.right < _WORD_GAP * height and letters.text[start] not in _CURRENCIES:
                before.end = end
                before.right = max(before.right, right)
                if bottom != before.bottom or top != before.top:
                    before.bottom, before.top = min(before.bottom, bottom), max(before.top, top)
                continue
        word = _Word(start, end, line, direction, left, bottom, right, top, first)
        before = _place_word(word, rows, letters.text, mostly)
    return [[word.run() for word in row] for row in rows]


def _place_word(word: "_Word", rows: list[list["_Word"]], text: str, mostly: _Direction) -> "_Word":
    """Add a word to the rows of a page, and return the run that it is in."""
    if mostly != "right":
        word.turn(mostly)
    before = rows[-1][-1] if rows else None
    if before is None or (word.line != before.line and not _same_row(before, word)):
        rows.append([word])
    elif word.line != before.line or not _touches(before, word, text, begins=len(rows[-1]) == 1):
        rows[-1].append(word)
    else:
        before.add(word)
        return before
    return word


@dataclass(slots=True)
class _Word:
    """A word, and later those that follow it closely. Its edges are those of its first and last letter."""

    start: int
    end: int
    line: int
    direction: _Direction
    left: float
    bottom: float
    right: float
    top: float
    first_width: float

    def add(self, word: "_Word") -> None:
        self.end = word.end
        self.left = min(self.left, word.left)
        self.bottom = min(self.bottom, word.bottom)
        self.right = max(self.right, word.right)
        self.top = max(self.top, word.top)

    def turn(self, direction: _Direction) -> None:
        left, bottom, right, top = self.left, self.bottom, self.right, self.top
        if direction == "up":
            left, bottom, right, top = bottom, -right, top, -left
        elif direction == "down":
            left, bottom, right, top = -top, left, -bottom, right
        elif direction == "mirrored":
            left, right = -right, -left
        else:
            left, bottom, right, top = -right, -top, -left, -bottom
        self.left, self.bottom, self.right, self.top = left, bottom, right, top
        if direction != "mirrored":
            self.first_width = right - left

    def run(self) -> LetterRun:
        return LetterRun(
            self.start, self.end, PageBox(self.left, self.bottom, self.right, self.top), self.left + self.first_width
        )


_Drawn = tuple[int, int, int, _Direction, float, float, float, float, float]
"""The fields of a `_Word`, as it is drawn on the page."""


def _words(letters: Letters) -> Iterator[_Drawn]:
    text, places = letters.text, letters.places
    lefts, tops, rights, bottoms = (letters.edges[edge::4] for edge in range(4))
    phrases = {phrase.start: phrase for phrase in letters.phrases}
    for phrase in letters.phrases:
        held = text[phrase.start : phrase.end].replace(" ", _HELD)
        text = text[: phrase.start] + held + text[phrase.end :]
    line = 0
    for match in _WORD.finditer(text):
        start, end = match.span()
        if text[start] in _LINE_ENDS:
            line += 1
            continue
        if start in phrases:
            # A phrase is one word, so that parts of it that run from left to right are not taken for columns.
            phrase, letters_of_phrase = phrases[start], text[start:end]
            box = phrase.box
            first_width = (box.right - box.left) * len(letters_of_phrase.split(_HELD)[0]) / len(letters_of_phrase)
            yield start, end, line, "mirrored", box.left, box.bottom, box.right, box.top, first_width
            continue
        first = places[start]
        left, bottom, right, top = lefts[first], bottoms[first], rights[first], tops[first]
        direction: _Direction = "right"
        last = places[end - 1]
        if bottoms[last] == bottom and tops[last] == top and lefts[last] >= left:
            right = rights[last]
        else:
            across, upwards = lefts[last] + rights[last] - left - right, bottoms[last] + tops[last] - bottom - top
            if abs(upwards) > abs(across):
                direction = "up" if upwards > 0 else "down"
            else:
                direction = "right" if across >= 0 else "left"
            left, bottom = min(left, lefts[last]), min(bottom, bottoms[last])
            right, top = max(right, rights[last]), max(top, tops[last])
        yield start, end, line, direction, left, bottom, right, top, right - left
        line += text[end - 1] == BROKEN_WORD


def _same_row(before: _Word, word: _Word) -> bool:
    """Tell whether a new line of the file goes on beside the last one."""
    height = min(before.top - before.bottom, word.top - word.bottom)
    if word.left <= before.right - _TOUCH * height:
        return False
    return min(before.top, word.top) - max(before.bottom, word.bottom) > 0.5 * height


def _touches(before: _Word, word: _Word, text: str, *, begins: bool) -> bool:
    """Tell whether a word follows close by. It may stand further off from the mark of an item at the start of a row."""
    height = max(before.top - before.bottom, word.top - word.bottom)
    gap = word.left - before.right
    if not -height < gap < 5 * height:
        return False
    if gap < GAP * height:
        # A sign of currency belongs to the amount that follows it in a table, however near the column before is.
        follows_amount = text[before.end - 1].isdigit() or text[before.end - 1] in _AMOUNT_ENDS
        return not (follows_amount and text[word.start : word.end] in _CURRENCIES)
    mark = text[before.start : before.end] if before.end - before.start <= _LONGEST_MARK else ""
    return mark in _BULLETS or (begins and (mark in {"-", "*"} or mark[-1:] in {".", ")"}))

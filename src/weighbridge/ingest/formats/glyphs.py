"""The letters of a PDF page, and the lines they stand in, as PDFium tells them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from weighbridge.ingest.formats.layout import Box, Row, Run, around, beside

MOST_LETTERS = 1_000_000
"""Letters of a page that are read; what is printed has some thousands."""

_GAP = 0.9
"""How many times the height of its letters a gap must be wide to part a line into runs."""
_MARKS = frozenset("\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u25a0\u25b8\u27a2\uf0b7\u00b7-*")
_LONGEST_MARK = 4
_LINE_ENDS = frozenset("\r\n")
_BROKEN_WORD = "\x02"
_PRIVATE = range(0xE000, 0xF900)
_SURROGATES = range(0xD800, 0xE000)

_Direction = Literal["right", "up", "left", "down"]


@dataclass(frozen=True, slots=True)
class Letters:
    """What stands on a page, one text a glyph, and how many of them have a shape but no meaning."""

    texts: tuple[str, ...]
    unmapped: int


def letters_of(textpage: Any) -> Letters:
    """Return the letters of a page in the order in which it is written, line ends among them."""
    import pypdfium2.raw as pdfium

    raw = textpage.raw
    codes = [pdfium.FPDFText_GetUnicode(raw, place) for place in range(min(textpage.count_chars(), MOST_LETTERS))]
    unmapped = sum(
        pdfium.FPDFText_HasUnicodeMapError(raw, place) == 1 or code in _PRIVATE or code == 0
        for place, code in enumerate(codes)
    )
    return Letters(tuple(_texts(codes)), unmapped)


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


def rows_of(textpage: Any, letters: Sequence[str]) -> Sequence[Row]:
    """Return the runs of a page by rows, in the order in which it is written.

    Where most of its words run upwards, downwards or upside down, the page is turned so that they run to the right.
    """
    words = list(_words(textpage, letters))
    directions = Counter[_Direction]()
    for word in words:
        directions[word.direction] += len(word.text)
    direction = directions.most_common(1)[0][0] if directions else "right"
    rows: list[list[Run]] = []
    line = -1
    for word in words:
        box = _turned(word.box, direction)
        run = Run(word.start, word.end, box, box.right)
        new_line, line = word.line != line, word.line
        if not rows or (new_line and not _same_row(rows[-1][-1], run)):
            rows.append([run])
        elif new_line or not _touches(rows[-1][-1], run, letters):
            rows[-1].append(run)
        else:
            before = rows[-1][-1]
            rows[-1][-1] = Run(before.start, run.end, around([before.box, box]), before.first_word)
    return rows


def boxes_of(textpage: Any, places: Sequence[int]) -> tuple[Box, ...]:
    """Return where letters stand, those next to each other on a line in one box."""
    boxes: list[Box] = []
    for place in places:
        box = _box(textpage, place)
        if box.right <= box.left or box.top <= box.bottom:
            continue
        if boxes and beside(boxes[-1], box) and -0.5 * box.height < box.left - boxes[-1].right < 2 * box.height:
            boxes[-1] = around([boxes[-1], box])
        else:
            boxes.append(box)
    return tuple(boxes)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int
    line: int
    box: Box
    direction: _Direction


def _words(textpage: Any, letters: Sequence[str]) -> Iterator[_Word]:
    start, line = 0, 0
    for place, letter in enumerate([*letters, "\n"]):
        if not letter.isspace() and letter != _BROKEN_WORD:
            continue
        end = place + 1 if letter == _BROKEN_WORD else place
        if end > start:
            yield _word(textpage, letters, (start, end), line)
        start = place + 1
        line += letter in _LINE_ENDS or letter == _BROKEN_WORD


def _word(textpage: Any, letters: Sequence[str], span: tuple[int, int], line: int) -> _Word:
    start, end = span
    first, last = _box(textpage, start), _box(textpage, end - 1)
    across = (last.left + last.right - first.left - first.right) / 2
    upwards = (last.bottom + last.top - first.bottom - first.top) / 2
    direction: _Direction = "right" if across >= 0 else "left"
    if abs(upwards) > abs(across):
        direction = "up" if upwards > 0 else "down"
    return _Word("".join(letters[start:end]), start, end, line, around([first, last]), direction)


def _box(textpage: Any, place: int) -> Box:
    import pypdfium2.raw as pdfium

    rectangle = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(textpage.raw, place, rectangle)
    return Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)


def _turned(box: Box, direction: _Direction) -> Box:
    if direction == "up":
        return Box(box.bottom, -box.right, box.top, -box.left)
    if direction == "down":
        return Box(-box.top, box.left, -box.bottom, box.right)
    return Box(-box.right, -box.top, -box.left, -box.bottom) if direction == "left" else box


def _same_row(before: Run, run: Run) -> bool:
    """Tell whether what the file has as a new line goes on beside the last one."""
    return run.box.left > before.box.right and beside(before.box, run.box)


def _touches(before: Run, run: Run, letters: Sequence[str]) -> bool:
    """Tell whether a word follows close by; the mark of a list item may stand further off."""
    height = max(before.box.height, run.box.height)
    gap = run.box.left - before.box.right
    mark = "".join(letters[before.start : before.end]) if before.end - before.start <= _LONGEST_MARK else ""
    item = mark in _MARKS or mark[-1:] in {".", ")"}
    return -height < gap < (5 * height if item else _GAP * height)

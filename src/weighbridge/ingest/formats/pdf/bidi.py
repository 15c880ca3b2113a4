"""Puts lines of Arabic, Hebrew and other right-to-left scripts in reading order.

A PDF may hold such a line from left to right or from right to left, letter by letter or word by word, and PDFium turns
some of it round by the order in the file. So its order is not trusted: letters are sorted by their places, and the
Unicode Bidirectional Algorithm (UAX 9) is applied backwards, from display order to reading order.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, pairwise

from weighbridge.ingest.formats.pdf.glyphs import GAP, INSERTED, Letters, LetterSpan
from weighbridge.ingest.formats.pdf.layout import PageBox, enclosing_box

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_ARABIC = re.compile("[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufeff]")
_SPACE = 0.11
"""How many times the height of its letters a gap must be wide to part words: half the width of a narrow space."""
_LIKELY_SPACE = 0.03
"""The same where PDFium takes it for a space: it knows the width of one."""
_SAME_PLACE = 0.01
"""Points; letters nearer than that were drawn as one glyph."""
_SEPARATORS = frozenset(",.:/\u00a0")
_SIGNS = frozenset("+-\u2212")
_TERMINATORS = frozenset("#$%\u00a2\u00a3\u00a4\u00a5\u00b0\u2030\u20aa\u20ac")
_MIRRORED = str.maketrans("()[]{}<>\u00ab\u00bb", ")(][}{><\u00bb\u00ab")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def order_lines(letters: Letters) -> Letters:
    """Return the letters of a page with right-to-left lines in reading order.

    Presentation forms and ligatures of Arabic become the letters they are made of. Numbers and words in other scripts
    stay from left to right. A stretch of a line without a wide gap is a phrase.
    """
    if _RIGHT_TO_LEFT.search(letters.text) is None:
        return letters
    rightwards = len(_RIGHT_TO_LEFT.findall(letters.text))
    mostly = 2 * rightwards >= sum(map(str.isalpha, letters.text))
    text: list[str] = []
    places: list[int] = []
    phrases: list[LetterSpan] = []
    end = 0
    for first, last in _lines(letters):
        if _RIGHT_TO_LEFT.search(letters.text, first, last) is None:
            continue
        line = _Line.of(letters, first, last)
        if not line.is_level():
            continue
        text.extend(letters.text[end:first])
        places.extend(letters.places[end:first])
        if text and text[-1] != "\n":
            text.append("\n")
            places.append(INSERTED)
        end = last
        for number, stretch in enumerate(line.stretches(last_first=mostly)):
            if number:
                text.append(" ")
                places.append(INSERTED)
            start = len(text)
            for glyph in _read(stretch, mostly=mostly):
                text.extend(glyph.text)
                places.extend([glyph.place] * len(glyph.text))
            phrases.append(LetterSpan(start, len(text), _box_of(stretch)))
    text.extend(letters.text[end:])
    places.extend(letters.places[end:])
    return replace(letters, text="".join(text), places=places, phrases=phrases)


def _lines(letters: Letters) -> Iterator[tuple[int, int]]:
    """Yield the beginnings and ends of the lines of a page.

    PDFium may part a line between two letters that stand side by side, and may go on where one stands far below.
    """
    start = end = 0
    before: PageBox | None = None
    for letter, text in enumerate(letters.text):
        box = letters.box(letter)
        if text.isspace() or box.top <= box.bottom:
            continue
        if before is None:
            start = letter
        else:
            shared = min(box.top, before.top) - max(box.bottom, before.bottom)
            parted = "\n" in letters.text[end:letter]
            if shared <= (0.5 * min(box.height, before.height) if parted else 0):
                yield start, end
                start = letter
        before, end = box, letter + 1
    if end > start:
        yield start, end


def _box_of(stretch: Sequence["_Glyph"]) -> PageBox:
    """Return the box of a stretch. It is as high as most of its glyphs, for their fonts may differ."""
    whole = enclosing_box([glyph.box for glyph in stretch])
    (bottom, top), _ = Counter((glyph.box.bottom, glyph.box.top) for glyph in stretch).most_common(1)[0]
    return PageBox(whole.left, bottom, whole.right, top)


@dataclass(slots=True)
class _Glyph:
    """The glyph drawn at one place: a letter with its marks, a ligature, or a space."""

    text: str
    place: int
    box: PageBox
    kind: str = ""
    after: int = INSERTED
    """The glyph that comes before in the file, where PDFium sees a space between them."""

    def classify(self) -> None:
        """Set the kind: R, L, N (a number), S or M (parts numbers), T (stands beside them), or blank: neutral."""
        first = self.text[:1]
        if _RIGHT_TO_LEFT.search(self.text) and not first.isdigit():
            self.kind = "R"
        elif any(map(str.isdigit, self.text)):
            self.kind = "N"
        elif any(map(str.isalpha, self.text)):
            self.kind = "L"
        else:
            kinds = ((_SEPARATORS, "S"), (_SIGNS, "M"), (_TERMINATORS, "T"))
            self.kind = next((kind for signs, kind in kinds if first in signs), "")


@dataclass(slots=True)
class _Line:
    glyphs: list[_Glyph]

    @classmethod
    def of(cls, letters: Letters, start: int, end: int) -> "_Line":
        """Return the glyphs of a line from left to right, each with its marks."""
        bases: list[_Glyph] = []
        marks: list[_Glyph] = []
        for glyph in _glyphs(letters, start, end):
            (marks if unicodedata.category(glyph.text[0]) == "Mn" else bases).append(glyph)
        for mark in marks:
            middle = (mark.box.left + mark.box.right) / 2
            near = min(bases, key=lambda base: _distance(base, middle), default=None)
            if near is not None:
                near.text += mark.text
        bases.sort(key=lambda glyph: glyph.box.left + glyph.box.right)
        for glyph in bases:
            glyph.classify()
        return cls(bases)

    def is_level(self) -> bool:
        """Tell whether a line runs across the page, not up or down, and holds letters that stand somewhere."""
        if not self.glyphs:
            return False
        box = enclosing_box([glyph.box for glyph in self.glyphs])
        return box.right - box.left >= 0.5 * box.height > 0

    def stretches(self, *, last_first: bool) -> list[list[_Glyph]]:
        """Return the stretches without a wide gap, with a space where a gap parts words."""
        found: list[list[_Glyph]] = [[self.glyphs[0]]]
        for before, after in pairwise(self.glyphs):
            gap = after.box.left - before.box.right
            height = max(before.box.height, after.box.height, 0.01)
            if gap >= GAP * height:
                found.append([])
            elif not (before.text.isspace() or after.text.isspace()) and _parts_words(before, after, gap / height):
                space = PageBox(before.box.right, after.box.bottom, after.box.left, after.box.top)
                found[-1].append(_Glyph(" ", INSERTED, space))
            found[-1].append(after)
        trimmed: list[list[_Glyph]] = []
        for stretch in found:
            inked = [place for place, glyph in enumerate(stretch) if not glyph.text.isspace()]
            if inked:
                trimmed.append(stretch[inked[0] : inked[-1] + 1])
        return trimmed[::-1] if last_first else trimmed


def _parts_words(left: _Glyph, right: _Glyph, gap: float) -> bool:
    """Tell whether a gap, in heights of its letters, is a space.

    Word processors that take the space after a word in another script for a part of it draw it before that word.
    """
    seen = left.after == right.place or right.after == left.place
    return gap > (_LIKELY_SPACE if seen else _SPACE) or (left.kind == "R" and right.kind == "L")


def _distance(base: _Glyph, middle: float) -> float:
    """Return how far from a base a mark stands. Within a base, that is from its middle, and nearer than any outside."""
    if base.text.isspace():
        return float("inf")
    outside = max(base.box.left - middle, middle - base.box.right, 0.0)
    return 1000 * outside + abs(base.box.left + base.box.right - 2 * middle)


def _glyphs(letters: Letters, start: int, end: int) -> Iterator[_Glyph]:
    """Yield the glyphs of a line; letters at the same place were drawn as one. Spaces without a width are left out."""
    boxes = [letters.box(letter) for letter in range(start, end)]
    groups: list[list[int]] = []
    for letter in range(start, end):
        box = boxes[letter - start]
        before = boxes[groups[-1][-1] - start] if groups else None
        same = before is not None and abs(before.left - box.left) < _SAME_PLACE and abs(before.bottom - box.bottom) < 1
        if same and unicodedata.category(letters.text[letter]) != "Mn":
            groups[-1].append(letter)
        else:
            groups.append([letter])
    after = space = INSERTED
    for group in groups:
        text = "".join(letters.text[letter] for letter in group)
        box = enclosing_box([boxes[letter - start] for letter in group])
        shown = _decompose(text)
        if shown.strip():
            after = letters.places[group[0]]
            yield _Glyph(shown.strip(), after, box, after=space)
            space = INSERTED
            continue
        space = after if " " in text else space
        if box.right - box.left > _SAME_PLACE:
            yield _Glyph(" ", letters.places[group[0]], box)


def _decompose(text: str) -> str:
    """Return the letters that one glyph stands for, in reading order.

    PDFium takes presentation forms apart in that order, but turns the letters of other ligatures round.
    """
    if len(text) > 1 and _RIGHT_TO_LEFT.search(text) and (text not in _ligatures() or text[::-1] in _ligatures()):
        text = text[::-1]
    return _PRESENTATION.sub(lambda match: unicodedata.normalize("NFKC", match[0]).strip(), text)


@cache
def _ligatures() -> frozenset[str]:
    """Return the letters of Unicode's ligatures of Arabic and Hebrew."""
    forms = map(chr, (*range(0xFB1D, 0xFE00), *range(0xFE70, 0xFEFD)))
    return frozenset(text for form in forms if len(text := unicodedata.normalize("NFKC", form)) > 1)


def _read(stretch: Sequence[_Glyph], *, mostly: bool) -> list[_Glyph]:
    """Return the glyphs of a stretch in reading order."""
    words = [kind for kind, _ in groupby(glyph.kind for glyph in stretch)]
    right, left = words.count("R"), words.count("L")
    if (3 * right if mostly else right) >= left:
        return _read_leftwards(stretch)
    read: list[_Glyph] = []
    place = 0
    while place < len(stretch):
        end = place + 1
        if stretch[place].kind == "R":
            following = range(place, len(stretch))
            stop = next((at for at in following if stretch[at].kind == "L"), len(stretch))
            end = max(at for at in range(place, stop) if stretch[at].kind == "R") + 1
            read.extend(_read_leftwards(stretch[place:end]))
        else:
            read.append(stretch[place])
        place = end
    return read


def _read_leftwards(stretch: Sequence[_Glyph]) -> list[_Glyph]:
    """Return glyphs from right to left, but for words in other scripts and numbers."""
    rightwards = _rightwards(stretch)
    leftwards = [glyph for place, glyph in enumerate(stretch) if place not in rightwards][::-1]
    shapes = "".join(glyph.text for glyph in leftwards)
    # Brackets are mirrored when displayed: they are mirrored back where they would close before they open.
    if _count_unmatched(shapes.translate(_MIRRORED)) < _count_unmatched(shapes):
        for glyph in leftwards:
            glyph.text = glyph.text.translate(_MIRRORED)
    read: list[_Glyph] = []
    for is_rightwards, places in groupby(range(len(stretch) - 1, -1, -1), key=rightwards.__contains__):
        glyphs = [stretch[place] for place in places]
        read.extend(glyphs[::-1] if is_rightwards else glyphs)
    return read


def _rightwards(stretch: Sequence[_Glyph]) -> set[int]:
    """Return the places that run from left to right within a line that runs from right to left."""
    strong = [place for place, glyph in enumerate(stretch) if glyph.kind in {"L", "N", "R"}]
    rightwards = {place for place in strong if stretch[place].kind != "R"}
    for before, after in pairwise(strong):
        between = stretch[before + 1 : after]
        kinds = {stretch[before].kind, stretch[after].kind}
        if "R" not in kinds and (kinds != {"N"} or _joins_digits(between, arabic=_follows_arabic(stretch, after))):
            rightwards.update(range(before, after))
    for place in list(rightwards):
        if stretch[place].kind == "N" and not _follows_arabic(stretch, place):
            rightwards.update(_terminators(stretch, place, 1))
            rightwards.update(_terminators(stretch, place, -1))
    return rightwards


def _follows_arabic(stretch: Sequence[_Glyph], place: int) -> bool:
    """Tell whether the last letter that is read before a number is Arabic: signs are then no part of the number."""
    before = next((glyph for glyph in stretch[place:] if glyph.kind in {"L", "R"}), None)
    return before is not None and _ARABIC.search(before.text) is not None


def _joins_digits(between: Sequence[_Glyph], *, arabic: bool) -> bool:
    """Tell whether the glyphs between two digits belong to the number: after Arabic letters, a minus does not."""
    if not between:
        return True
    return len(between) == 1 and (between[0].kind == "S" or (between[0].kind == "M" and not arabic))


def _terminators(stretch: Sequence[_Glyph], place: int, step: int) -> Iterator[int]:
    place += step
    while 0 <= place < len(stretch) and stretch[place].kind in {"T", "M"}:
        yield place
        place += step


def _count_unmatched(text: str) -> int:
    """Return how many brackets have no partner."""
    opened = unmatched = 0
    for letter in text:
        if letter in _OPENING:
            opened += 1
        elif letter in _CLOSING and opened:
            opened -= 1
        elif letter in _CLOSING:
            unmatched += 1
    return unmatched + opened

"""Raised and lowered letters of a PDF page: exponents, indices and footnote marks in smaller print.

PDFium gives "10" and a raised "6" as 106, or on two lines. `scripts` defines how they are written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Literal

from weighbridge.ingest.formats import scripts
from weighbridge.ingest.formats.pdf.glyphs import INSERTED, Letters, LetterSpan
from weighbridge.ingest.formats.pdf.layout import PageBox

_SMALLEST, _LARGEST = 0.4, 0.9
"""How high scripts are, in heights of the letters beside them; text beside an initial is smaller."""
_RISE, _DROP = 0.12, -0.06
"""How far above or below the line scripts stand, in heights of the letters beside them: TeX lowers indices least."""
_LONGEST = 12
"""Letters of a script; a longer stretch of small print is no exponent."""
_LONGEST_MARK = 4
"""Letters of a footnote mark that stands before its note, or at some distance after a word."""
_OVERLAP, _SPACE, _FARTHEST = -0.3, 0.2, 1.0
"""How far after a letter the next may begin, in its heights, and from where on the gap is a space."""
_CONTEXT = 32
"""Letters before a script that tell its meaning: more than a number has."""


_Script = tuple[LetterSpan, Literal["superscript", "subscript"]]


@dataclass(frozen=True, slots=True)
class _Edit:
    """Letters [start, end) become a text of the given glyphs."""

    start: int
    end: int
    text: str
    places: Sequence[int]


def write_scripts(letters: Letters, baseline: Callable[[int], float]) -> Letters:
    """Return the letters of a page with its scripts as such; `baseline` tells how high the line of a glyph is.

    Their glyphs then count as being as high as the letters beside them, so that a line with an exponent in it is as
    high as the next.
    """
    spans, candidates = _spans(letters)
    page = _Page(letters, spans, baseline)
    edits: list[_Edit] = []
    levelled: list[tuple[LetterSpan, LetterSpan]] = []
    done = 0
    for place in candidates:
        if place < done:
            continue
        base = _span(spans[place])
        if found := page.scripts_after(place):
            edits.append(page.edit(base, found, place + 1 + len(found)))
            levelled.extend((span, base) for span, _ in found)
        elif page.is_mark_before(place):
            edits.append(page.edit(None, [(base, "superscript")], place + 1))
            levelled.append((base, _span(spans[place + 1])))
        done = place + 1 + len(found)
    return _apply(letters, edits, levelled) if edits else letters


_Stretch = tuple[int, int, float, float, float, float]
"""Start, end, left, bottom, right and top of letters side by side and alike in height.

Only few become a `LetterSpan`: making objects of all took a tenth of the time."""


def _span(stretch: _Stretch) -> LetterSpan:
    start, end, *edges = stretch
    return LetterSpan(start, end, PageBox(*edges))


def _spans(letters: Letters) -> tuple[list[_Stretch], list[int]]:
    """Return the stretches of one height in the order of the file, and the places of those unlike the next in height.

    Letters without room, such as line ends, are left out.
    """
    edges, places = letters.edges, letters.places
    if isinstance(places, range):
        tops, bottoms = edges[1::4], edges[3::4]
    else:
        tops = [edges[4 * place + 1] for place in places]
        bottoms = [edges[4 * place + 3] for place in places]
    spans: list[_Stretch] = []
    candidates: list[int] = []
    end, before = 0, 0.0
    for (bottom, top), group in groupby(zip(bottoms, tops, strict=True)):
        start, end = end, end + len(tuple(group))
        height = top - bottom
        if height <= 0:
            continue
        if before and not _LARGEST * before < height < before / _LARGEST:
            candidates.append(len(spans) - 1)
        before = height
        spans.append((start, end, edges[4 * places[start]], bottom, edges[4 * places[end - 1] + 2], top))
    return spans, candidates


@dataclass(frozen=True, slots=True)
class _Page:
    letters: Letters
    spans: Sequence[_Stretch]
    baseline: Callable[[int], float]

    def scripts_after(self, place: int) -> list[_Script]:
        """Return the scripts that follow a span, each after the last."""
        base = last = _span(self.spans[place])
        found: list[_Script] = []
        for stretch in islice(self.spans, place + 1, None):
            span = _span(stretch)
            gap = (span.box.left - last.box.right) / base.box.height
            if not _OVERLAP < gap < _FARTHEST or (rise := self._rise(base, span)) == 0:
                break
            if gap > _SPACE and (rise < 0 or span.end - span.start > _LONGEST_MARK):
                break
            found.append((span, "superscript" if rise > 0 else "subscript"))
            last = span
        return found

    def is_mark_before(self, place: int) -> bool:
        """Tell whether a line begins with a raised number, as notes do."""
        if place + 1 >= len(self.spans):
            return False
        mark, after = _span(self.spans[place]), _span(self.spans[place + 1])
        text = self.letters.text[mark.start : mark.end].strip()
        before = self.spans[place - 1][1] if place else 0
        begins = place == 0 or "\n" in self.letters.text[before : mark.start]
        beside = _OVERLAP < (after.box.left - mark.box.right) / after.box.height < _FARTHEST
        return begins and beside and text.isdigit() and len(text) < _LONGEST_MARK and self._rise(after, mark) > 0

    def _rise(self, base: LetterSpan, span: LetterSpan) -> float:
        """Return how far a script stands above or below the line of a base; 0 where it is none."""
        height = base.box.height
        if not _SMALLEST * height <= span.box.height <= _LARGEST * height or span.end - span.start > _LONGEST:
            return 0
        if span.box.bottom >= base.box.top or span.box.top <= base.box.bottom:
            return 0
        places = self.letters.places
        rise = (self.baseline(places[span.start]) - self.baseline(places[base.end - 1])) / height
        return rise if rise >= _RISE or rise <= _DROP else 0

    def edit(self, base: LetterSpan | None, found: Sequence[_Script], following: int) -> _Edit:
        """Return the written form of scripts, without the line ends that PDFium put around them."""
        text, places = self.letters.text, self.letters.places
        first, last = found[0][0], found[-1][0]
        start, context, joint = first.start, "", ""
        if base is not None:
            start = base.end
            context = text[max(start - _CONTEXT, 0) : start].rpartition("\n")[2]
            joint = _joint(text[start : first.start], (first.box.left - base.box.right) / base.box.height)
        runs = [scripts.Run(text[span.start : span.end], script) for span, script in found]
        shown = scripts.write_runs([scripts.Run(context + joint), *runs])[len(context) :]
        sources = [places[letter] for span, _ in found for letter in range(span.start, span.end)]
        end = last.end
        if following < len(self.spans):
            after = _span(self.spans[following])
            level = base or after
            gap = (after.box.left - last.box.right) / level.box.height
            shared = min(level.box.top, after.box.top) - max(level.box.bottom, after.box.bottom)
            if shared > 0.5 * level.box.height and _OVERLAP < gap < _FARTHEST:
                shown += _joint(text[end : after.start], gap)
                end = after.start
        return _Edit(start, end, shown, _places(shown, sources))


def _joint(between: str, gap: float) -> str:
    """Return the text between two letters of a line, without the end of a line that PDFium put there."""
    return between if "\n" not in between else " " * (gap > _SPACE)


def _places(shown: str, sources: Sequence[int]) -> Sequence[int]:
    """Return the glyphs of written scripts: one each, or all the first where they take more letters than glyphs."""
    letters = len(shown) - shown.count(" ")
    if letters != len(sources):
        return [sources[0]] * len(shown)
    rest = iter(sources)
    return [INSERTED if letter == " " else next(rest) for letter in shown]


def _apply(letters: Letters, edits: Sequence[_Edit], levelled: Sequence[tuple[LetterSpan, LetterSpan]]) -> Letters:
    text: list[str] = []
    places: list[int] = []
    end = 0
    for edit in edits:
        text.extend((letters.text[end : edit.start], edit.text))
        places.extend((*letters.places[end : edit.start], *edit.places))
        end = edit.end
    text.append(letters.text[end:])
    places.extend(letters.places[end:])
    edges = list(letters.edges)
    for span, base in levelled:
        for place in letters.places[span.start : span.end]:
            edges[4 * place + 1], edges[4 * place + 3] = base.box.top, base.box.bottom
    return replace(letters, text="".join(text), places=places, edges=edges)

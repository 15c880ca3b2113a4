"""Merges passages with the same content, so that copies take one place in the results."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unicodedata import category

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Retriever
from weighbridge.types import Passage, Question

_FEWEST = 20
"""Passages that are compared, however few are wanted: Reranked and Diverse ask for as many, so it costs no more."""
_MOST = 640
"""Passages that are fetched at most to replace copies: doubling from 20, that is five more searches."""
_SHARE = 0.9
"""A passage is a copy of a better one that holds all its words in one piece, if it is at least that share of it.

A smaller share would leave out a passage in favour of a longer one that says more than was asked.
"""
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_FIGURE = re.compile(
    r"[<>=\u2264\u2265\u00b1~$\u20ac\u00a3\u00a5+\-\u2212(]*\d[\d.,:/-]*[%\u2030\u00b0$\u20ac\u00a3\u00a5)]*"
)
"""A number with the signs beside its digits: "(5)", "-5", "5%" and "5" differ in a balance sheet."""
_SIGNS = frozenset("%\u2030\u2020\u2021")
"""Punctuation with a meaning, like that of all symbols: a currency, a tick or a cross, ~~ around struck-out text."""
_BORDERS = frozenset("|`^")
"""Symbols that only mark up: cells of tables, code and superscripts."""
_ENDING = re.compile(r"(?<=\w)[#-](?!\w)")
"""A last character that tells C# from C, and a grade A- from an A."""


@dataclass(frozen=True, slots=True)
class _Content:
    """The text of a passage, its words, and the words of its title and headings."""

    text: str
    above: Sequence[str]
    words: Sequence[str]


def merge_copies(passages: Sequence[Passage]) -> list[Passage]:
    """Leave out passages that copy a better one before them, and name their documents in its `copies`.

    Two passages are copies if they have the same words in the same order under the same headings, whatever their case,
    punctuation and markup; or if one has all the words of the other in one piece and hardly more. Figures must be equal
    to the sign, and so must symbols, such as ticks and crosses in a table. A changed word may be the answer to the
    question, so it makes another passage.
    """
    kept: list[tuple[_Content, Passage]] = []
    for passage in passages:
        chunk = passage.chunk
        title = "" if chunk.document_id.endswith(chunk.title) else chunk.title  # a file's name says nothing of its text
        above = "\n".join((title, *chunk.context))
        content = _Content(chunk.text, _WORD.findall(above.casefold()), _WORD.findall(chunk.text.casefold()))
        place = next((place for place, (better, _) in enumerate(kept) if _repeats(content, better)), None)
        if place is None:
            kept.append((content, passage))
            continue
        better, first = kept[place]
        named = dict.fromkeys((*first.copies, *passage.documents))
        named.pop(first.chunk.document_id, None)
        kept[place] = better, replace(first, copies=tuple(named))
    return [passage for _, passage in kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """A `Retriever` that leaves out copies of better passages, and fills their places with the next best.

    The search never finds passages that the asker may not see, so they neither hide a passage nor are named as copies.
    """

    retriever: Retriever

    @property
    def fingerprint(self) -> str:
        return fingerprint("distinct", self.retriever.fingerprint)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        if limit <= 0:
            return ()
        wanted = max(limit, _FEWEST)
        while True:
            found = self.retriever.search(question, limit=wanted)
            merged = merge_copies(found)
            if len(merged) >= limit or len(found) < wanted or wanted >= max(limit, _MOST):
                return merged[:limit]
            wanted *= 2


def _repeats(content: _Content, better: _Content) -> bool:
    """Tell whether a better passage holds all of another, and hardly more."""
    spare = len(better.words) - len(content.words)
    if not content.words or not 0 <= spare <= (1 - _SHARE) * len(better.words) or content.above != better.above:
        return False
    if not any(better.words[first : first + len(content.words)] == content.words for first in range(spare + 1)):
        return False
    return content.text == better.text or _figures_and_signs(content.text) == _figures_and_signs(better.text)


def _figures_and_signs(text: str) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Return the figures, signs and last characters of a text that carry meaning without being words."""
    signs = [one for one in text if one in _SIGNS or (category(one)[0] == "S" and one not in _BORDERS)]
    return _FIGURE.findall(text), signs, _ENDING.findall(text)

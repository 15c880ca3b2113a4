"""Passages that say the same take one place among those that are found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unicodedata import category

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Retriever
from weighbridge.types import Chunk, Passage, Question

_FEWEST = 20
"""Passages that are looked at, however few are wanted: what Reranked and Diverse ask for, so it costs no more."""
_MOST = 640
"""Passages after which no more are fetched in place of copies."""
_SHARE = 0.9
"""A passage whose words all stand in a better one, in one piece, is its copy if it is at least that share of it."""
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+")
_FIGURE = re.compile(
    r"[<>=\u2264\u2265\u00b1~$\u20ac\u00a3\u00a5+\-\u2212(]*\d[\d.,:/-]*[%\u2030\u00b0$\u20ac\u00a3\u00a5)]*"
)
"""With what stands right beside the digits: "(5)", "-5", "5%" and "5" are not the same in a balance sheet."""
_SIGNS = frozenset("%\u2030\u2020\u2021")
"""Punctuation that says something, as all symbols do: a currency, a tick or a cross, ~~ around what was struck out."""
_BORDERS = frozenset("|`^")
_ENDING = re.compile(r"(?<=\w)[#-](?!\w)")
"""What tells C# from C, and a grade A- from an A."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a passage says, and the words of it and of what it stands under."""

    text: str
    above: Sequence[str]
    words: Sequence[str]


def merge_copies(passages: Sequence[Passage]) -> list[Passage]:
    """Leave out each passage that a better one before it says too, whose `copies` then name its document.

    Two passages say the same where they have the same words in the same order under the same headings, whatever their
    case, punctuation and markup; or where one has all the words of the other in one piece and hardly more. Figures
    must be the same to the sign, and so must symbols, such as ticks and crosses in a table. A changed word may be what
    was asked for, so it makes another passage.
    """
    kept: list[tuple[_Content, Passage]] = []
    for passage in passages:
        said = _content_of(passage.chunk)
        place = next((place for place, (better, _) in enumerate(kept) if _repeats(said, better)), None)
        if place is None:
            kept.append((said, passage))
            continue
        better, first = kept[place]
        named = dict.fromkeys((*first.copies, *passage.documents))
        named.pop(first.chunk.document_id, None)
        kept[place] = better, replace(first, copies=tuple(named))
    return [passage for _, passage in kept]


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """A `Retriever` that leaves out copies of better passages, and fills their places with the next best.

    What its asker may not see was never found, so it neither hides a passage nor is named as a copy of one.
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


def _content_of(chunk: Chunk) -> _Content:
    title = "" if chunk.document_id.endswith(chunk.title) else chunk.title  # a file's name says nothing of its text
    above = (title, *chunk.context)
    return _Content(chunk.text, _WORD.findall("\n".join(above).casefold()), _WORD.findall(chunk.text.casefold()))


def _repeats(said: _Content, better: _Content) -> bool:
    """Tell whether a better passage says all that another does, and hardly more."""
    spare = len(better.words) - len(said.words)
    if not said.words or not 0 <= spare <= (1 - _SHARE) * len(better.words) or said.above != better.above:
        return False
    if not any(better.words[first : first + len(said.words)] == said.words for first in range(spare + 1)):
        return False
    return said.text == better.text or _figures_and_signs(said.text) == _figures_and_signs(better.text)


def _figures_and_signs(text: str) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Return the figures and signs of a text, which say something though they are no words."""
    signs = [one for one in text if one in _SIGNS or (category(one)[0] == "S" and one not in _BORDERS)]
    return _FIGURE.findall(text), signs, _ENDING.findall(text)

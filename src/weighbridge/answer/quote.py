"""Answers that quote first: ``"The notice period is four weeks." [2] Answer: four weeks``.

This is the reasoning that RAFT teaches (Zhang et al., "RAFT: Adapting Language Model to Domain Specific RAG", 2024),
written for a small model: the sentence that holds the answer, the number of its passage, and the answer after a marker.
The published ``##begin_quote##`` marks cost a small model a dozen tokens a quote, and hold nothing more.
"""

import re
from dataclasses import dataclass

from weighbridge.ingest.outline import SENTENCE_ENDS

_MARKER = "Answer:"
_QUOTED = re.compile(
    rf"\s*[\"\N{{LEFT DOUBLE QUOTATION MARK}}](?P<quote>.+)[\"\N{{RIGHT DOUBLE QUOTATION MARK}}]"
    rf"\s*\[(?P<number>\d{{1,3}})\]\s*{_MARKER}\s*(?P<answer>.*)",
    re.DOTALL,
)
"""A quote may hold quotation marks, and the marker: the last place that has all of ``" [2] Answer:`` ends it."""
_PARAGRAPHS = re.compile(r"^#{1,6} .*\n|\n[ \t]*\n|\n(?=[ \t]*(?:[-*+|>#]|\d{1,9}[.)])\s)", re.MULTILINE)
_LEADING = "#>*+-|\n\t "
"""Marks that begin lists, tables and headings: no part of a sentence."""
_LONGEST = 40
"""Words of a quote; a longer sentence, such as a table without stops, is cut around the answer."""
_SPOKEN_FOR = 4
"""Letters and digits of a single word that is long enough to be attributed to a passage nobody pointed at."""


@dataclass(frozen=True, slots=True)
class QuotedAnswer:
    """A model's text taken apart. `quote` is empty, and `number` 0, where it quotes nothing in the agreed form."""

    answer: str
    """With its marks, where it has any."""
    quote: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Words:
    """Words to be found in a text verbatim: but for case, white space, and the stops and quotation marks around."""

    words: tuple[str, ...]

    @property
    def is_telling(self) -> bool:
        """Whether they stand nowhere by chance: two words, or one of four letters and digits."""
        return len(self.words) > 1 or sum(map(str.isalnum, "".join(self.words))) >= _SPOKEN_FOR

    def find(self, text: str) -> re.Match[str] | None:
        """Return where they first stand as whole words; None where they do not, or where there are none."""
        if not self.words:
            return None
        pattern = r"(?<!\w)" + r"\s+".join(map(re.escape, self.words)) + r"(?!\w)"
        return re.search(pattern, text, re.IGNORECASE)


def answer_words(text: str) -> Words:
    """Return the words of an answer or a quote, to be looked for."""
    return Words(tuple(text.strip(" .\"'\n\t").split()))


def read_quote(raw: str) -> QuotedAnswer:
    """Read a model's text: the quote and the number before the last marker, and the answer after it.

    A text without a marker is an answer as it stands.
    """
    if found := _QUOTED.match(raw):
        return QuotedAnswer(found["answer"].strip(), found["quote"].strip(), int(found["number"]))
    return QuotedAnswer(raw.rpartition(_MARKER)[2].strip())


def write_quote(quote: str, number: int, answer: str) -> str:
    """Write an answer in the form that `read_quote` reads."""
    return f'"{quote}" [{number}] {_MARKER} {answer}'


def sentence_holding(text: str, answer: str) -> str:
    """Return the sentence of a text that holds an answer verbatim, on one line; empty where none does.

    An answer that goes over several sentences is returned with all of them.
    """
    place = answer_words(answer).find(text)
    if place is None:
        return ""
    ends = sorted(match.end() for pattern in (SENTENCE_ENDS, _PARAGRAPHS) for match in pattern.finditer(text))
    start = max((end for end in ends if end <= place.start()), default=0)
    stop = min((end for end in ends if end >= place.end()), default=len(text))
    spans = [match.span() for match in re.compile(r"\S+").finditer(text, start, stop)]
    before = sum(end <= place.start() for _, end in spans)
    after = sum(begin >= place.end() for begin, _ in spans)
    spare = max(_LONGEST - (len(spans) - before - after), 0)
    left = min(before, max(spare // 2, spare - after))
    right = min(after, spare - left)
    held = spans[before - left : len(spans) - after + right]
    begin = min(held[0][0], place.start())
    begin = place.start() - len(text[begin : place.start()].lstrip(_LEADING))
    return " ".join(text[begin : held[-1][1]].split())

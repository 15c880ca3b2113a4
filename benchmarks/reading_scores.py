"""How much of a text a reader found, of two texts in whatever notation: words, numbers, and their order.

Readers write Markdown, HTML or LaTeX. Marks are taken out of every text in the same way, those of the ground truth
too, so that only what a person reads is compared.
"""

import html
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]*")
_TARGET = r"\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)"
_LINK = re.compile(rf"!?\[((?:[^\[\]]|\[[^\[\]]*\])*)\]{_TARGET}")
_INLINE_TAG = re.compile(r"</?(?:b|i|u|s|em|strong|span|font|ins|mark|a)(?:\s[^<>]*)?>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~$&%])")
_EMPHASIS = re.compile(r"\*\*|~~|`")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_FUNCTIONS = frozenset(
    {
        "arccos",
        "arcsin",
        "arctan",
        "cos",
        "cot",
        "det",
        "exp",
        "lim",
        "ln",
        "log",
        "max",
        "min",
        "mod",
        "sec",
        "sin",
        "tan",
    }
)
_RAISED = re.compile(r"[⁰¹²³⁴-₎ªº½¼¾⅐-⅞]+")
"""NFKC alone would glue these to the digits before them."""
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_IDEOGRAPH = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
"""Scripts without spaces are compared character by character."""
_GRAM = 3
"""Words that are taken together to tell a place; only those that stand once in both texts tell one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of one file; a word or number that stands twice counts twice."""

    words: int
    words_found: int
    words_read: int
    numbers: int
    numbers_found: int
    numbers_read: int
    order: float | None
    """Of the places that both texts have, the share that stands in the same order; None where there is none."""

    @property
    def recall(self) -> float:
        """Return the share of the words that was found."""
        return self.words_found / self.words if self.words else 1.0

    @property
    def precision(self) -> float | None:
        """Return the share of what was read that is in the ground truth; None where nothing was read."""
        return self.words_found / self.words_read if self.words_read else None


@dataclass(frozen=True, slots=True)
class Compared:
    """What of a text is compared."""

    words: Sequence[str]
    numbers: Sequence[str]


def strip_marks(text: str) -> str:
    """Return a text without the marks of Markdown, HTML and LaTeX, and without the targets of links."""
    text = _DATA.sub(" ", _COMMENT.sub(" ", text))
    text = _LINK.sub(r"\1", _LINK.sub(r"\1", text))
    text = _TAG.sub(" ", _INLINE_TAG.sub("", text))
    text = html.unescape(text)
    text = _COMMAND.sub(_command, _EMPHASIS.sub("", _ESCAPE.sub(r"\1", text)))
    return unicodedata.normalize("NFKC", _RAISED.sub(r" \g<0> ", text)).casefold()


def compare_tokens(text: str) -> Compared:
    """Return the words and numbers of a text, in order."""
    plain = _IDEOGRAPH.sub(r" \1 ", strip_marks(text))
    return Compared(_WORD.findall(plain), _NUMBER.findall(plain))


def squeeze(text: str) -> str:
    """Return the letters and digits of a text alone: a string is in another where these are."""
    return "".join(filter(str.isalnum, strip_marks(text)))


def grade(truth: str, text: str) -> Score:
    """Compare what a reader made of a file with what is in it."""
    wanted, got = compare_tokens(truth), compare_tokens(text)
    return Score(
        words=len(wanted.words),
        words_found=_common(wanted.words, got.words),
        words_read=len(got.words),
        numbers=len(wanted.numbers),
        numbers_found=_common(wanted.numbers, got.numbers),
        numbers_read=len(got.numbers),
        order=order(wanted.words, got.words),
    )


def missing(truth: str, text: str) -> tuple[list[str], list[str]]:
    """Return the words and numbers that are in the first text and not in the second, and the other way round."""
    wanted, got = compare_tokens(truth), compare_tokens(text)
    first, second = Counter([*wanted.words, *wanted.numbers]), Counter([*got.words, *got.numbers])
    return list((first - second).elements()), list((second - first).elements())


def order(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Return the length of the longest run of common places that rises in both, over their number."""
    places = _places(first)
    common = {gram: place for gram, place in _places(second).items() if gram in places}
    if not common:
        return None
    ends: list[int] = []
    for gram, _ in sorted(common.items(), key=lambda item: item[1]):
        place = places[gram]
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends) / len(common)


def mean(values: Iterable[float]) -> float | None:
    """Return the mean; None of nothing."""
    held = list(values)
    return sum(held) / len(held) if held else None


def _command(match: re.Match[str]) -> str:
    name = match[1].removeprefix("var")
    if name in _FUNCTIONS:
        return f" {name} "
    case = "CAPITAL" if name[:1].isupper() else "SMALL"
    try:
        return f" {unicodedata.lookup(f'GREEK {case} LETTER {name.upper()}')} "
    except KeyError:
        return " "


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    return (Counter(first) & Counter(second)).total()


def _places(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Return where each run of words stands that stands once."""
    grams = [tuple(words[at : at + _GRAM]) for at in range(len(words) - _GRAM + 1)]
    counts = Counter(grams)
    return {gram: at for at, gram in enumerate(grams) if counts[gram] == 1}

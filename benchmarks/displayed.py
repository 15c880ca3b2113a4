"""Numbers as a reader of a page sees them: labelled where they are written, and found again where they are read.

An item is written as `label number fin`. Between its label and the end mark (or the end of the line, where no mark can
be written) stands what the product made of it. It is compared with what is displayed, in one spelling for all
notations: 10^6 for a superscript, 3/4 for a fraction.
"""

import html
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

END = "fin"
_LETTERS = "bcdfghjklmnpqrstvwxz"
"""No vowels, so that no label is a word, and no label begins or ends as another does."""
_LABEL = re.compile(rf"\b(q[{_LETTERS}]{{4}}y)\b")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=()")
_SCRIPTS = ((re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ]+"), "^", _RAISED), (re.compile("[₀-₎]+"), "_", _LOWERED))
_VULGAR = re.compile("[¼½¾⅐-⅞]")
NOTE = "A remark."
_NOTE = re.compile(rf"^\W*\d+\W*{re.escape(NOTE)}", re.MULTILINE)
"""A footnote's own number is displayed too."""
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Item:
    """A number in a file: its kind of markup, its label, and what is displayed."""

    family: str
    label: str
    display: str


@dataclass(frozen=True, slots=True)
class Made:
    """A file, and the numbers in it."""

    name: str
    content: bytes
    items: Sequence[Item]


Written = tuple[str, str, str]
"""The family of a number, its markup, and what is displayed of it."""
Maker = Callable[[random.Random, int, Iterator[str]], Iterator[Made]]
"""Makes files with so many numbers, taking a label for each."""


def labels() -> Iterator[str]:
    """Yield labels, each once."""
    for number in range(len(_LETTERS) ** 4):
        digits = (number // len(_LETTERS) ** place % len(_LETTERS) for place in range(4))
        yield f"q{''.join(_LETTERS[digit] for digit in digits)}y"


def spell(text: str) -> str:
    """Return a text in one spelling, whatever marks it is written with; blanks stay only between digits."""
    text = re.sub(r"<su([pb])>(.*?)</su[pb]>", lambda match: f"{'^' if match[1] == 'p' else '_'}{match[2]}", text)
    text = html.unescape(re.sub(r"<!--.*?-->|</?[a-z][^<>]*>", "", text, flags=re.DOTALL))
    text = re.sub(r"\[\^(\d+)\]", r"^\1", text)
    text = re.sub(r"\$([^$\n]*[\\^_{}][^$\n]*)\$", r"\1", text)
    text = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r" \1/\2", text)
    text = re.sub(r"\\([^A-Za-z\s])", r"\1", text).replace("\u00ad", "").replace("\u200b", "")
    for pattern, sign, table in _SCRIPTS:
        text = pattern.sub(lambda match, sign=sign, table=table: f"{sign}{match[0].translate(table)}", text)
    text = _VULGAR.sub(lambda match: f" {match[0]}", text)
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2044", "/")
    text = re.sub(r"\*\*|~~|[`{}|]", " " if "|" in text else "", text)
    text = re.sub(r"([\^_])\(([^()]*)\)", r"\1\2", text)
    text = re.sub(r"\((\d+)\)/\((\d+)\)", r"\1/\2", text)
    text = re.sub(r"(?<=[A-Za-z])_(?=\d)|\^(?=\[)", "", text)
    return re.sub(r"\s+", "", re.sub(r"(?<=\d)\s+(?=\d)", "~", text))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the numbers of a file."""

    changed: Sequence[tuple[Item, str]]
    missing: Sequence[Item]
    new: Sequence[str]
    """Digits that stand where no number was written."""


def judge(items: Sequence[Item], text: str) -> Verdict:
    """Compare what was read with what is displayed."""
    first, *pieces = _LABEL.split(text)
    spans: dict[str, str] = {}
    rest = [first]
    for label, piece in zip(pieces[::2], pieces[1::2], strict=True):
        span, end, after = piece.partition(END)
        if not end:
            span, _, after = piece.partition("\n")
        spans.setdefault(label, span)
        rest.append(after)
    changed, missing = [], []
    for item in items:
        if item.label not in spans:
            missing.append(item)
        elif spell(spans[item.label]) != spell(item.display):
            changed.append((item, spans[item.label].strip()))
    return Verdict(changed, missing, _DIGITS.findall(_NOTE.sub("", "\n".join(rest))))

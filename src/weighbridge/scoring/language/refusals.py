"""Refusals: texts that decline to answer, in ordinary words and many languages.

A text is cut into sentences, and a sentence into clauses where an answer may begin ("..., but it was in Oslo"). Each
clause is a refusal, an aside (an apology, an offer of help, advice to look elsewhere), or part of an answer. A text
that refuses, and says nothing besides but asides, is a refusal. The words are those of `refusals.toml`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal

Kind = Literal["refusal", "aside", "answer"]

ABSTENTION = "I don't know."
"""The sentence for a question without an answer: all strategies are asked to say it, and tuned ones trained to."""

_AROUND_ABSTENTION = " .!*_\"'"
_LONGEST_REFUSAL = 2_000
"""Characters of the longest text that may be a refusal; the longest of 167 that chat models gave has 469."""
_LONGEST_CLAUSE = 400
"""Characters of the longest clause that is looked at. With it, time grows with the length of a text and no faster."""
_STRIPPED = (
    " \t\n*_#>`~|-\N{EN DASH}\N{EM DASH}\N{BULLET}\"'\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}()"
)
"""Markdown and quotation marks around a clause."""
_STOPS = ",;:.!?\u3001\u3002"
"""The marks that end a clause, once a text is composed: those of full width are then as narrow as ours."""
_JSON = re.compile(r"\s*(?:```\w*\s*)?(?:\{|\[(?!\d{1,3}\]\s*\w))")
"""How JSON begins. A text that begins with the number of a passage does not."""
_MARK = re.compile(r"\s*\[\d{1,3}\]")
_QUOTED = re.compile(
    r"\"[^\"\n]{1,150}\"|\N{LEFT DOUBLE QUOTATION MARK}[^\N{RIGHT DOUBLE QUOTATION MARK}\n]{1,150}"
    r"\N{RIGHT DOUBLE QUOTATION MARK}|«[^»\n]{1,150}»|「[^」\n]{1,150}」|『[^』\n]{1,150}』"
)
"""A title may hold a colon or a "but" without a clause beginning there."""
_ABBREVIATED = re.compile(
    r"(?:^|[\s(.])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|No|Nr|Inc|etc|approx|e\.g|i\.e|z\.\s?B)\.$"
)
_SENTENCE_END = re.compile(
    r"(?<![.!?\N{HORIZONTAL ELLIPSIS}])[.!?\N{HORIZONTAL ELLIPSIS}]++[\"'\N{RIGHT DOUBLE QUOTATION MARK})*_]*+\s+"
    r"|[\u3002\uff01\uff1f]+[」』\u201d\uff09]*|\n\s*"
)
_TITLE = re.compile(r"\W*\w[\w'\N{RIGHT SINGLE QUOTATION MARK}]*(?: [A-Z][a-z'\N{RIGHT SINGLE QUOTATION MARK}]+){3}\b")
"""A title like "I Don't Know How to Love Him": its first four words are capitalised, and are not all capitals."""
_JOINTS = ":;-\N{EN DASH}\N{EM DASH}\uff1a\uff1b "
"""Joins of two clauses that may be one: the second is not taken off without the first."""
_SOURCE = "SOURCE"
"""The material given to read, in any words; in capitals, since no clause holds any."""
_NAME = re.compile(r"<([a-z]+)>")
_FIRST_UNSPACED = "\u3000"
"""Chinese and Japanese stand from here on, and put no space between words."""
_GUESSED_NUMBER = re.compile(r",(?: [^\s,]+){0,3} \S*\d\S*\W*$")
"""A clause with a number behind a comma gives an answer: "I don't know, 1994"."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """Where a clause stands in its text, and whether a sentence, or a word like "but", begins with it."""

    start: int
    end: int
    separate: bool


@dataclass(frozen=True, slots=True)
class _Phrases:
    """How clauses of each kind begin in one language."""

    sources: re.Pattern[str]
    openers: re.Pattern[str]
    refusals: re.Pattern[str]
    asides: re.Pattern[str]


def is_refusal(text: str) -> bool:
    """Tell whether a whole text declines to answer. An empty text does not: it is a wrong answer. Nor does JSON."""
    if len(text) > _LONGEST_REFUSAL or _JSON.match(text):
        return False
    languages = _languages_of(text)
    kinds = {_kind_of(text, clause, languages) for clause in _clauses(text)}
    return "refusal" in kinds and "answer" not in kinds


def without_refusal(text: str) -> str:
    """Return the part of a text that is an answer, without the refusals and disclaimers before and after it.

    Returns the text itself where it has none, and where it has nothing else.
    """
    if _JSON.match(text):
        return text
    clauses, languages = _clauses(text), _languages_of(text)
    before: list[Kind] = []
    while len(before) < len(clauses) and (kind := _kind_of(text, clauses[len(before)], languages)) != "answer":
        before.append(kind)
    if len(before) == len(clauses):
        return text
    rest, after = clauses[len(before) :], 0
    kinds_after: list[Kind] = []
    while (kind := _kind_of(text, rest[-1 - len(kinds_after)], languages)) != "answer":
        kinds_after.append(kind)
        if rest[-len(kinds_after)].separate:  # "He said: I don't know" is one answer
            after = len(kinds_after)
    if "refusal" not in (*before, *kinds_after[:after]):
        return text
    return text[rest[0].start : rest[-1 - after].end].strip(" \t\n,;:")


def is_agreed_abstention(text: str) -> bool:
    """Tell whether a text is the agreed abstention, but for case, white space and punctuation around it."""
    return _plain(text).strip(_AROUND_ABSTENTION).casefold() == ABSTENTION.strip(_AROUND_ABSTENTION).casefold()


def _clauses(text: str) -> list[_Clause]:
    """Cut a text into clauses, in order, without those of space or punctuation only."""
    hidden = _QUOTED.sub(
        lambda match: "x" * len(match.group()) if match.group() != text.strip() else match.group(), text
    )
    breaks = _breaks()
    clauses: list[_Clause] = []
    for start, end in _sentences(hidden):
        cuts = [start, *(match.start() for match in breaks.finditer(hidden, start, end)), end]
        for number, (left, right) in enumerate(pairwise(cuts)):
            if any(map(str.isalnum, text[left:right])):
                clauses.append(_Clause(left, right, separate=number == 0 or hidden[left] not in _JOINTS))
    return clauses


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if _ABBREVIATED.search(text, max(start, match.start() - 10), match.start() + 1):
            continue
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def _languages_of(text: str) -> list[_Phrases]:
    """Return the possible languages of a refusal in a text."""
    plain = _plain(text).casefold()
    return [_phrases(name) for name, table in _tables().items() if re.search(table["signs"], plain)]


def _kind_of(text: str, clause: _Clause, languages: Sequence[_Phrases]) -> Kind:
    """Return the kind of a clause: that of the first language that takes it for no answer."""
    stretch = text[clause.start : clause.end]
    if clause.end - clause.start > _LONGEST_CLAUSE or _TITLE.match(stretch.lstrip(_STRIPPED)):
        return "answer"
    plain = _plain(_MARK.sub("", stretch)).strip(_STRIPPED + _STOPS).casefold()
    kinds = (_read(plain, phrases) for phrases in languages)
    return next((kind for kind in kinds if kind != "answer"), "answer")


def _read(plain: str, phrases: _Phrases) -> Kind:
    """Return the kind of a clause in one language.

    An opening such as "Unfortunately," is taken off as often as needed.
    """
    left = phrases.sources.sub(_SOURCE, plain)
    while left:
        if match := phrases.refusals.match(left):
            return "answer" if _GUESSED_NUMBER.match(left, match.end()) else "refusal"
        if phrases.asides.match(left):
            return "aside"
        opener = phrases.openers.match(f"{left} ")
        if not opener:
            return "answer"
        left = left[opener.end() :]
    return "aside"


def _plain(text: str) -> str:
    """Return a text with straight apostrophes, single spaces, and one form of each character."""
    composed = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join("".join(c for c in composed if unicodedata.category(c) != "Mn").split())


@cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("refusals.toml").read_text(encoding="utf-8"))


@cache
def _phrases(language: str) -> _Phrases:
    """Return the phrases of a language. They take up to 0.1 s to compile, so only those in use are."""
    table = _tables()[language]
    words = dict(table["words"])
    sources = re.compile(_expand(words["source"], words))
    words["source"] = _SOURCE
    openers, refusals, asides = (
        re.compile("|".join(_expand(expression, words) for expression in table[kind]))
        for kind in ("openers", "refusals", "asides")
    )
    return _Phrases(sources, openers, refusals, asides)


def _expand(expression: str, words: Mapping[str, str]) -> str:
    """Put the words of a language in the place of their names; they may hold one another."""
    while names := _NAME.findall(expression):
        for name in names:
            expression = expression.replace(f"<{name}>", words[name])
    return expression.replace("END", r"\W*$")


@cache
def _breaks() -> re.Pattern[str]:
    """Return where a clause begins within a sentence."""
    anywhere: list[str] = []
    after_comma: list[str] = []
    for language in _tables().values():
        anywhere += language["breaks"]
        after_comma += language["guesses"]
    spaced = [word for word in anywhere if word < _FIRST_UNSPACED]
    unspaced = [word for word in anywhere if word >= _FIRST_UNSPACED]
    return re.compile(
        rf"(?<=[\s,])(?:{'|'.join(spaced)})\b(?=[\s,]+\w)|(?<=, )(?:{'|'.join(after_comma)})\b(?=[\s,]+\w)"
        rf"|{'|'.join(unspaced)}"
        rf"|(?<!^)[\uff0c\uff1b\uff1a]|(?<=[ぁ-ん])、|[;:](?=\s)|\s[-\N{{EN DASH}}]\s|\N{{EM DASH}}",
        re.IGNORECASE,
    )

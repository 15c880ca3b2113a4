"""Texts in one way of writing, and the language that says how their numbers are written."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, Protocol

Language = Literal["en", "de", "fr", "es", "zh", "ja"]
DecimalMark = Literal[".", ",", ""]
"""The mark before a fraction; empty where nothing tells."""


class TextSpan(Protocol):
    """Something with a place in a text."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPT_RUN = re.compile(r"(?<=[0-9A-Za-zµ])[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_VULGAR_AFTER_DIGIT = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_ONE_FOR_MANY = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict.fromkeys("‘’‚‛′ʼ`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        "⁄": "/",
        "∕": "/",
        "～": "~",
        "〜": "~",
        "٫": ".",
        "٬": ",",
    }
)
_REFERENCE_MARK = re.compile(r"(?<=\S)\[\d{1,3}\]")
_EMPHASIS = re.compile(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|__")
_SMALL_WORDS = (
    "the|in|on|at|of|to|from|by|for|with|about|only|over|since|until|between|and|is|are|was|were|has|had|into"
)
_GLUED_BEFORE = re.compile(rf"\b({_SMALL_WORDS})(?=\d|[A-Z][a-z]{{2}})")
"""Chat systems that cite sources lose the space around a link: "in1978", "onMarch 27", "2022from"."""
_GLUED_AFTER = re.compile(rf"(?<=\d{{4}})(?=(?:{_SMALL_WORDS})\b)")
_WORD = re.compile(r"[^\W\d_]+")

_FUNCTION_WORDS_BY_LANGUAGE = """
en the of is and to what how which who whose does do did for on at by was were are when where must may with it this that
en these has have from there
de der das und ist sind wie viel viele welche welcher welches wer wann wo ein eine einen nicht mit von zu auf für dem
de den hoch lange kostet beträgt es im am wird wurde hat
fr le la les des est sont et combien quel quelle qui où quand du dans pour une un coûte sur au aux il elle
es el la los las es son y cuánto cuánta cuántos cuántas qué quién cuándo dónde del por para un una cuesta se en con al
"""
_FUNCTION_WORDS: dict[Language, set[str]] = {"en": set(), "de": set(), "fr": set(), "es": set()}
for _language, _words in _FUNCTION_WORDS.items():
    for _line in _FUNCTION_WORDS_BY_LANGUAGE.strip().splitlines():
        if _line.startswith(f"{_language} "):
            _words.update(_line.split()[1:])
_DECIMAL_COMMA: frozenset[Language] = frozenset(("de", "fr", "es"))
_COMMA_IS_DECIMAL = re.compile(r"\d\.\d{3},\d|(?<![\d.,])\d+,(?:\d{1,2}|\d{4,})(?![\d.,]*\d)|(?<![\d.,])0,\d")
_DOT_IS_DECIMAL = re.compile(r"\d,\d{3}\.\d|(?<![\d.,])\d+\.(?:\d{1,2}|\d{4,})(?![\d.,]*\d)|(?<![\d.,])0\.\d")


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return a text after NFKC, with one kind of dash, quote, space and digit, and without emphasis and footnotes.

    An exponent becomes "^6" first: NFKC alone would make 10⁶ the number 106, and 2½ the fraction 21/2.
    """
    text = _SUPERSCRIPT_RUN.sub(lambda run: "^" + run[0].translate(_SUPERSCRIPTS), text)
    text = _VULGAR_AFTER_DIGIT.sub(" ", text).translate(_ONE_FOR_MANY)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_ONE_FOR_MANY)
        text = "".join(character if character.isascii() else _plain(character) for character in text)
    text = _EMPHASIS.sub("", _REFERENCE_MARK.sub("", text))
    return _GLUED_AFTER.sub(" ", _GLUED_BEFORE.sub(r"\1 ", text))


def _plain(character: str) -> str:
    """Return a character in its plain form: other digits become ASCII, other spaces one space, invisible ones go."""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Cf":
        return ""
    return " " if category.startswith("Z") else character


def cover_mask(text: str, found: Iterable[TextSpan]) -> bytearray:
    """Return a byte for each character of a text, 1 where something was found there."""
    taken = bytearray(len(text))
    for value in found:
        taken[value.start : value.end] = b"\x01" * (value.end - value.start)
    return taken


def without_accents(text: str) -> str:
    """Return a text with Latin letters stripped of their marks: "Bjørn" is "bjorn", "Müßig" is "mussig"."""
    if text.isascii():
        return text
    text = text.replace("ø", "o").replace("Ø", "O").replace("ł", "l").replace("Ł", "L").replace("đ", "d")
    decomposed = unicodedata.normalize("NFD", text.replace("æ", "ae").replace("Æ", "Ae").replace("ß", "ss"))
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))


@lru_cache(maxsize=4096)
def language_of(text: str) -> Language | None:
    """Return the language of a text by its script or its function words; None where too little tells."""
    if not text.isascii():
        if any("\u3040" <= character <= "\u30ff" for character in text):
            return "ja"
        if any("\u4e00" <= character <= "\u9fff" for character in text):
            return "zh"
    words = [word.lower() for word in _WORD.findall(text)]
    counts = {language: sum(map(known.__contains__, words)) for language, known in _FUNCTION_WORDS.items()}
    first, second = sorted(counts, key=lambda language: counts[language], reverse=True)[:2]
    return first if counts[first] > counts[second] else None


def decimal_mark(text: str, question: str) -> DecimalMark:
    """Return the mark before fractions in a text: by its own unambiguous numbers, its language, or the question's."""
    comma, dot = bool(_COMMA_IS_DECIMAL.search(text)), bool(_DOT_IS_DECIMAL.search(text))
    if comma != dot:
        return "," if comma else "."
    language = language_of(text) or language_of(question)
    if language is None:
        return ""
    return "," if language in _DECIMAL_COMMA else "."

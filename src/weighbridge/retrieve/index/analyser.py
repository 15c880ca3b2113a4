"""Splits texts into search terms, with one analyser for documents and questions.

A term is a case-folded word without accents, stemmed if it is letters only (English Snowball). A word with a mark, a
digit or a capital inside ("AB-1234", "CamelCase", "a.b@c.org", "v2.0.1") gives itself whole and then its parts, so that
either finds it. Wholes are joined over hyphens, underscores and apostrophes, so that "e-mail" is "email" and
"snake_case" is "SnakeCase". Thousands lose their commas. Scripts that put no spaces between words (Han, kana, Hangul,
Thai, Lao, Burmese, Khmer) give each two neighbouring letters. Other languages than English are cut into words the
same way, their endings treated as if they were English. Stop words are dropped, unless nothing else is left.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

from weighbridge.errors import MissingExtraError

ANALYSER = "1 english"
"""Enters the fingerprint of an index: count up with any change to `terms`, so that indexes are rebuilt."""
_LONGEST = 200
"""Characters of a term. A longer whole is left to its parts; a longer part is cut."""
_CACHED_TOKENS = 200_000
"""Tokens with cached terms: nearly all of any text, since few words make up most of it."""
_LONGEST_CACHED = 64
"""Characters of a token that is cached: longer ones hardly come twice."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_VOWEL_SIGNS = "\u0900-\u0963\u0971-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1-\u0ecd\u102b-\u103e\u17b4-\u17d3"
_LETTER = rf"(?:[^\W_]|[{_VOWEL_SIGNS}])"
_SMALL = rf"(?:(?![{_UNSPACED}\dA-Z]){_LETTER})"
_MARK = r"(?:://|::|[-_./:@\\'&+#]|(?<=\d),(?=\d))"
_TOKEN = re.compile(rf"{_LETTER}+(?:{_MARK}{_LETTER}+)*(?:\+\+(?!\+)|#(?!#))?")
_PART = re.compile(rf"\d+(?:[.,]\d+)*|[{_UNSPACED}]+|[A-Z]{{2,}}s(?!{_SMALL})|[A-Z]+(?!{_SMALL})|[A-Z]?{_SMALL}+")
_SPACELESS = re.compile(f"[{_UNSPACED}]")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]+")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ENDING = re.compile(r"'(?:s|t|re|ll|ve|m|d)$", re.IGNORECASE)
_JOINED = re.compile("[-_']")
_INITIALS = re.compile(r"(?:[a-z]\.)+[a-z]")
_SPELLINGS = {
    **dict.fromkeys(map(ord, "\u02bc\u2018\u2019"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"), ""),
}
"""One apostrophe, one hyphen, and nothing for invisible characters."""

_STOPPED = (
    "a about above after again against all also although am among an and another any are aren as at be became because"
    " become becomes been before being below besides between both but by can cannot could couldn did didn do does"
    " doesn doing down during each either else elsewhere etc even every everyone everything few for from further had"
    " hadn has hasn have having he hence her here hers herself him himself his how however i if in into is isn it its"
    " itself just me might more most much must my myself neither nevertheless no nor not nothing now of off often on"
    " once only or other otherwise our ours ourselves out over own perhaps please rather same seem seems several she"
    " should shouldn since so some someone something such than that the their theirs them themselves then there"
    " thereby therefore these they this those through thus to together too toward towards under unless until up upon"
    " used using various very via was wasn we were weren what whatever when where whether which while who whom why"
    " will with within without would wouldn yet you your yours yourself yourselves"
)
STOP_WORDS = frozenset(_STOPPED.split())
"""English words that say nothing about the subject of a question: this list had the best nDCG on NPL (Vaswani)."""


def terms(text: str) -> list[str]:
    """Return the terms of a text in its order, repeated as they are there, without stop words where others are left.

    None holds white space. Lone surrogates separate words: no file can hold them.

    Raises:
        MissingExtraError: PyStemmer is not installed.
    """
    found: list[str] = []
    for token in _TOKEN.findall(text if text.isascii() else _fold_accents(text)):
        found += _cached_terms(token) if len(token) <= _LONGEST_CACHED else _terms_of(token)
    return [term for term in found if term not in STOP_WORDS] or found


def _fold_accents(text: str) -> str:
    """Return the text with one spelling for each letter: without accents and compatibility forms."""
    apart = unicodedata.normalize("NFKD", text.translate(_SPELLINGS))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart).translate(_SPELLINGS))


@lru_cache(_CACHED_TOKENS)
def _cached_terms(token: str) -> tuple[str, ...]:
    return tuple(_terms_of(token))


def _terms_of(token: str) -> Iterator[str]:
    token = _THOUSANDS.sub("", _ENDING.sub("", token if token.isascii() else token.casefold()))
    parts = [term for part in _PART.findall(token) for term in _terms_of_part(part)]
    whole = _whole(token.casefold())
    if whole and whole not in parts:
        yield whole
    yield from parts


def _whole(token: str) -> str:
    """Return a token as one term; nothing where it is too long, or in a script without spaces."""
    if len(token) > _LONGEST or _SPACELESS.search(token):
        return ""
    if _INITIALS.fullmatch(token):
        return token.replace(".", "")
    if any(map(str.isalpha, token)):
        token = _JOINED.sub("", token)
    return _stem(token) if token.isalpha() else token


def _terms_of_part(part: str) -> Iterable[str]:
    if _SPACELESS.match(part):
        return [part[i : i + 2] for i in range(max(1, len(part) - 1))]
    return [(part if part[0].isdecimal() else _stem(part.casefold()))[:_LONGEST]]


def _stem(word: str) -> str:
    """Return the stem of a word. A stem that is a stop word is refused if the word is none: "doe" is not "does"."""
    if word in STOP_WORDS:
        return word
    with _LOCK:
        stem: str = _open_stemmer().stemWord(word)
    return word if stem in STOP_WORDS else stem


@cache
def _open_stemmer() -> Any:
    try:
        from Stemmer import Stemmer
    except ModuleNotFoundError as error:
        raise MissingExtraError("full-text search", "local") from error
    return Stemmer("english", 0)


_LOCK = threading.Lock()
"""A stemmer serves one thread at a time."""

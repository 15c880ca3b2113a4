"""Texts as words that can be compared: of any script, without accents, with number words as numbers."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Scripts that put no spaces between words: each of their letters is a token of its own, as DRCD and CMRC score."""
_TOKEN = re.compile(
    rf"\d+(?:[.,:]\d+)*|[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W\d_])+(?:'(?:(?![{_UNSPACED}])[^\W\d_])+)?"
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_ZERO_FRACTION = re.compile(r"(\d+)\.0+")
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u0640]+")
"""Accents of Latin letters, points of Hebrew and Arabic, and the tatweel that only stretches a word."""
_ONE_FOR_MANY = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
        **dict.fromkeys("\u0623\u0625\u0622\u0671", "\u0627"),
        "\u0649": "\u064a",
        "\u0629": "\u0647",
        "\u00f8": "o",
        "\u00d8": "O",
        "\u0142": "l",
        "\u0141": "L",
        "\u00df": "ss",
        "\u00e6": "ae",
        "\u00c6": "Ae",
    }
)
"""One quote, one dash, no invisible characters; alef, yeh and teh marbuta in one form, as search engines do."""
_JOINED_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WORD_THEN_NUMBER = re.compile(r"(?<=[a-z]{2})(?=\d)")
_FOOTNOTE = re.compile(r"(?<=[a-z])\d{1,3}(?=[.,;:)]|$)")
_SPACED_FRACTION = re.compile(r"(?<=\d)\. (?=\d)")
_LONGEST = 20_000
"""Characters read of an answer: forty times the usual length from chat models; a loop repeats itself after that."""
_SHORTEST_INFLECTED = 3
"""Fewest letters of a word with endings: "is" and "it" share half their letters and nothing else."""
_SHORTEST_STEM = 4
"""Letters that an ending leaves, so that "sing" is not "s"."""


@dataclass(frozen=True, slots=True)
class _Table:
    """The content of `words.toml`."""

    stop_words: frozenset[str]
    numbers: Mapping[str, str]
    same_place: frozenset[tuple[str, str]]
    endings: tuple[str, ...]


@cache
def _table() -> _Table:
    read = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
    numbers = {word: value for value, *words in map(str.split, read["numbers"].strip().splitlines()) for word in words}
    places = [(place, word) for place, *words in map(str.split, read["places"].strip().splitlines()) for word in words]
    return _Table(
        stop_words=frozenset(read["stop_words"].split()),
        numbers=numbers,
        endings=tuple(read["endings"].split()),
        same_place=frozenset(places) | frozenset((word, place) for place, word in places),
    )


def is_stop_word(word: str) -> bool:
    """Tell whether a word may stand in an answer, or be missing, without making it another answer."""
    return word in _table().stop_words


def plain(text: str) -> str:
    """Return a text in NFKC without accents, points and invisible characters, with one kind of quote and dash."""
    text = unicodedata.normalize("NFKC", text[:_LONGEST].translate(_ONE_FOR_MANY)).translate(_ONE_FOR_MANY)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text)))


def mend_spacing(text: str) -> str:
    """Return a plain text with the spaces that copies of web pages lose: "actressAda Fenwick1." and "4. 5 m"."""
    text = _SPACED_FRACTION.sub(".", text)
    return _WORD_THEN_NUMBER.sub(" ", _FOOTNOTE.sub(" ", _JOINED_WORDS.sub(" ", text)))


def tokens(text: str) -> list[str]:
    """Return the words and numbers of a plain text in lower case; number words up to a hundred become numbers."""
    found = []
    for match in _TOKEN.finditer(text.lower()):
        token = match[0]
        if token[0].isdecimal():
            if _GROUPED.fullmatch(token):
                token = token.replace(",", "")
            if whole := _ZERO_FRACTION.fullmatch(token):
                token = whole[1]
        else:
            token = token.removesuffix("'s").replace("'", "")
            token = _table().numbers.get(token, token)
        found.append(token)
    return found


@lru_cache(200_000)
def similarity(left: str, right: str) -> float:
    """Return how alike two tokens are, 0 to 1: 1 for the same word, less for a common stem or common letters.

    Numbers are the same or not. For words it is the larger of the share of a common beginning and the Dice
    coefficient of letter pairs (Dice 1945): forms of one word keep both high.
    """
    if left == right:
        return 1.0
    if left[0].isdecimal() or right[0].isdecimal():
        return 0.0
    if (left, right) in _table().same_place:
        return 0.95
    if min(len(left), len(right)) < _SHORTEST_INFLECTED:
        return 0.0
    if _stem(left) == _stem(right) or _is_inflected(left, right) or _is_inflected(right, left):
        return 0.95
    common = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        common += 1
    pairs_left = {left[i : i + 2] for i in range(len(left) - 1)}
    pairs_right = {right[i : i + 2] for i in range(len(right) - 1)}
    dice = 2 * len(pairs_left & pairs_right) / (len(pairs_left) + len(pairs_right))
    return 0.9 * max(common / max(len(left), len(right)), dice)


def _is_inflected(word: str, form: str) -> bool:
    """Tell whether a form is a word with an ending: "stations" of "station"; the "ion" of "station" is none."""
    return len(word) >= _SHORTEST_STEM and form.startswith(word) and form[len(word) :] in _table().endings


@lru_cache(100_000)
def _stem(word: str) -> str:
    for ending in _table().endings:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word

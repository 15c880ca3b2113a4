"""Numbers written in words: English, German, French, Spanish, Chinese and Japanese."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from weighbridge.scoring.language.folding import Language, without_accents
from weighbridge.scoring.numbers.lexicons import (
    ENGLISH,
    FRACTIONS,
    FRENCH,
    GERMAN_ORDINALS,
    GERMAN_SCALES,
    GERMAN_UNITS,
    LEXICONS,
    Lexicon,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberWord:
    """A number in words, with its place in the text."""

    start: int
    end: int
    value: Fraction
    scale: int = 1
    """The last word for a thousand or more ("three million": 1,000,000), since such numbers are often rounded."""
    ordinal: bool = False
    weak: bool = False
    """It may confirm a value but never contradict one: "one" and "a" often count nothing."""


_TIMES = re.compile(r"\b(?:once|twice)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u4e00-\u9fff]+")


def find_number_words(text: str, language: Language | None) -> Iterator[NumberWord]:
    """Find the numbers in words of a text in its language, or in English where the language is unknown."""
    if not text.isascii():
        yield from _han_numbers(text)
    if language == "de":
        yield from _german_numbers(text)
    elif language in ("fr", "es"):
        yield from _spaced_numbers(text, LEXICONS[language])
    else:
        yield from _spaced_numbers(text, ENGLISH)
        for match in _TIMES.finditer(text):
            value = Fraction(1 if match[0].lower() == "once" else 2)
            yield NumberWord(start=match.start(), end=match.end(), value=value, weak=value == 1)


def _spaced_numbers(text: str, lexicon: Lexicon) -> Iterator[NumberWord]:
    words = list(_WORD.finditer(text))
    plain = [without_accents(word[0].lower()) for word in words]
    place = 0
    while place < len(words):
        if not lexicon.knows(plain[place]):
            place += 1
            continue
        run = _Run(lexicon)
        last = place
        for following in range(place, len(words)):
            apart = text[words[following - 1].end() : words[following].start()] if following > place else ""
            if apart not in ("", " ", "-") or not run.take(plain[following]):
                break
            if run.complete:
                last = following + 1
        if last > place:
            yield run.number(words[place].start(), words[last - 1].end())
        place = max(last, place + 1)


class _Run:
    """Adds up the words of one number, and refuses a word that cannot belong to it."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.total = self.group = Fraction(0)
        self.kept: tuple[Fraction, int, bool, bool] | None = None
        self.previous = ""
        self.scale = 1
        self.complete = self.closed = False

    def take(self, word: str) -> bool:
        """Add a word; return whether it belongs to the number."""
        taken = not self.closed and self._take(word)
        self.previous = word
        return taken

    def _take(self, word: str) -> bool:
        self.complete = False
        if word in self.lexicon.joiners:
            return self.kept is not None
        if self.lexicon is ENGLISH and word in FRACTIONS and self._take_fraction(FRACTIONS[word], word):
            return True
        if word in self.lexicon.scales:
            return self._take_scale(self.lexicon.scales[word])
        return self._take_below_a_thousand(word)

    def _take_below_a_thousand(self, word: str) -> bool:
        ordinal = word in self.lexicon.ordinals
        value = self.lexicon.ordinals[word] if ordinal else self.lexicon.units.get(word)
        if value is None:
            return word in self.lexicon.articles and (self.previous in ("", "and") or self.kept is not None)
        if ordinal and value == 2 and self.kept is not None and self.group % 10 + self.group // 20 == 0:
            return False
        if not self._add(value):
            return False
        self._keep(ordinal=ordinal, weak=not self.previous and word in self.lexicon.articles)
        self.closed = ordinal
        return True

    def _take_fraction(self, fraction: Fraction, word: str) -> bool:
        """Take the end of "half", "two thirds", "two and a half"."""
        if self.previous in ("a", "an", "and"):
            self.group += fraction
        elif self.previous == "" and word == "half":
            self.group = fraction
        elif self.previous in self.lexicon.units and 0 < self.group < 10 and not self.total:
            self.group *= fraction
        else:
            return False
        self._keep(ordinal=False, weak=False)
        return True

    def _take_scale(self, scale: int) -> bool:
        if not self.previous or (self.total and scale >= self.scale):
            return False
        self.total += (self.group or 1) * scale
        self.group, self.scale = Fraction(0), scale
        self._keep(ordinal=False, weak=False)
        return True

    def _add(self, value: int) -> bool:
        """Add a word below a thousand where the grammar of the language allows it there."""
        group = self.group
        rest = group % 100
        if group == 0 and self.previous not in ("zero", "null", "cero"):
            self.group = Fraction(value)
        elif value == 100 and 0 < group < 100:
            self.group = group * 100
        elif self.lexicon is FRENCH and value == 20 and rest == 4:
            self.group = group - 4 + 80
        elif (
            (value < 100 and rest == 0)
            or (0 < value < 10 and rest >= 20 and rest % 10 == 0)
            or self._joins_teen(int(rest), value)
        ):
            self.group = group + value
        elif self.lexicon is ENGLISH and 13 <= group <= 20 and 10 <= value < 100 and not self.total:
            self.group = group * 100 + value  # "nineteen eighty-four"
        else:
            return False
        return True

    def _joins_teen(self, rest: int, value: int) -> bool:
        """Tell whether French adds the word: "dix-sept" is 17, "soixante-quinze" 75."""
        if self.lexicon is not FRENCH:
            return False
        return (rest in (60, 80) and 0 < value < 20) or (rest in (10, 70, 90) and value in (7, 8, 9))

    def _keep(self, *, ordinal: bool, weak: bool) -> None:
        self.kept = (self.total + self.group, self.scale, ordinal, weak)
        self.complete = True

    def number(self, start: int, end: int) -> NumberWord:
        """Return the number as it was when it was last complete."""
        value, scale, ordinal, weak = self.kept or (Fraction(0), 1, False, False)
        return NumberWord(start=start, end=end, value=value, scale=scale, ordinal=ordinal, weak=weak)


def _german_numbers(text: str) -> Iterator[NumberWord]:
    words = list(_WORD.finditer(text))
    place = 0
    while place < len(words):
        word = words[place][0].lower()
        value, ordinal = _german_word(word), False
        if value is None:
            stem = re.sub(r"(?:s?te[nrsm]?)$", "", word)
            ordinal = stem != word and ((value := GERMAN_ORDINALS.get(stem) or _german_word(stem)) is not None)
        if value is None and word in ("eine", "einen", "einer", "ein"):
            value = 1
        if value is None:
            place += 1
            continue
        start, end, scale = words[place].start(), words[place].end(), 1
        while place + 1 < len(words) and (step := GERMAN_SCALES.get(words[place + 1][0].lower())):
            value, scale, place = value * step, step, place + 1
            end = words[place].end()
        yield NumberWord(
            start=start,
            end=end,
            value=Fraction(value),
            scale=scale,
            ordinal=ordinal,
            weak=scale == 1 and word in ("ein", "eine", "einen", "einer"),
        )
        place += 1


@lru_cache(maxsize=2048)
def _german_word(word: str) -> int | None:
    """Return the number that one German word spells: "dreihundertzweiundzwanzig" is 322."""
    if word in GERMAN_UNITS:
        return GERMAN_UNITS[word]
    for part, scale in (("tausend", 1000), ("hundert", 100)):
        if part in word and len(word) < 60:
            left, right = word.split(part, 1)
            high = _german_word(left) if left else 1
            low = _german_word(right.removeprefix("und")) if right else 0
            return None if high is None or low is None else high * scale + low
    if "und" in word:
        left, right = word.split("und", 1)
        low, high = GERMAN_UNITS.get(left), GERMAN_UNITS.get(right)
        if low is not None and high is not None and low < 10 <= high and high % 10 == 0:
            return high + low
    return None


_HAN_DIGITS = {
    "〇": 0,
    "零": 0,
    **{digit: value for value, digit in enumerate("一二三四五六七八九", 1)},
    "两": 2,
    "兩": 2,
}
_HAN_TENS = {"十": 10, "百": 100, "千": 1000}
_HAN_SCALES = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12}
_HAN_RUN = re.compile(
    r"(?:\d+(?:\.\d+)?)?[〇零一二三四五六七八九两兩十百千万萬亿億兆](?:\d+|[〇零一二三四五六七八九两兩十百千万萬亿億兆])*"
)
_COUNTED = re.compile(
    r"\s*[年月日号號点點时時分秒个個人名岁歳歲元円圆块塊週周天回次本枚冊册台件階阶层層楼号位只隻張张条條%度米克吨公斤升里%]"
)
_HAN = re.compile(r"[\u4e00-\u9fff]")


def _han_numbers(text: str) -> Iterator[NumberWord]:
    """Find Chinese and Japanese numerals; one character alone counts only before a counter word.

    "一" and its kin are parts of many words ("一些", "三明治"), so a lone one elsewhere is no number.
    """
    characters = len(_HAN.findall(text))
    for run in _HAN_RUN.finditer(text):
        if len(run[0]) == 1 and characters > 1 and not _COUNTED.match(text, run.end()):
            continue
        if (value := han_value(run[0])) is not None:
            scale = 10**4 if any(map(run[0].__contains__, _HAN_SCALES)) else 1
            yield NumberWord(start=run.start(), end=run.end(), value=value, scale=scale)


def han_value(run: str) -> Fraction | None:
    """Return the value of Chinese or Japanese numerals, also mixed with digits ("1億2000万")."""
    if len(run) > 40:
        return None
    if all(character in _HAN_DIGITS for character in run):
        return Fraction(int("".join(str(_HAN_DIGITS[character]) for character in run)))
    total = section = digit = Fraction(0)
    for token in re.findall(r"\d+(?:\.\d+)?|.", run):
        if token[0].isdigit():
            digit = Fraction(token)
        elif token in _HAN_DIGITS:
            digit = Fraction(_HAN_DIGITS[token])
        elif token in _HAN_TENS:
            section += (digit or 1) * _HAN_TENS[token]
            digit = Fraction(0)
        else:
            total += (section + digit or 1) * _HAN_SCALES[token]
            section = digit = Fraction(0)
    return total + section + digit

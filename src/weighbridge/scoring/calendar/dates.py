"""Dates of any order and precision in English, German, French, Spanish, Chinese and Japanese."""

import re
from collections.abc import Iterator
from functools import lru_cache

from weighbridge.scoring.calendar.years import ERA, YEAR, Date, Day, find_bare_years, find_years, make_date, signed_year
from weighbridge.scoring.language.folding import without_accents
from weighbridge.scoring.numbers.number_words import han_value

_MONTH_NAMES = """
1 january jan januar jänner janvier enero ene
2 february feb februar février févr febrero
3 march mar märz mrz mars marzo
4 april apr avril avr abril abr
5 may mai mayo
6 june jun juni juin junio
7 july jul juli juillet juil julio
8 august aug août agosto ago
9 september sept sep septembre septiembre
10 october oct oktober okt octobre octubre
11 november nov novembre noviembre
12 december dec dezember dez décembre déc diciembre dic
"""
_MONTHS = {name: int(number) for number, *names in map(str.split, _MONTH_NAMES.strip().splitlines()) for name in names}
_MONTHS |= {without_accents(name): number for name, number in _MONTHS.items()}
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")(?![^\W\d_])\.?"
_DAY = r"(\d{1,2})(?!\d)(?:st|nd|rd|th|er|\.|º)?"
_AND_DAY = r"(?:\s?(?:-|and|to|&|or|und|bis|et|y)\s?(\d{1,2})(?![\d:])(?:st|nd|rd|th|\.)?)?"
_OF = r"(?:of\s|de\s|del\s|den\s)?"
_DIGIT = re.compile(r"\d")
_ISO = re.compile(r"(?<![\d.,/-])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d|[-/.]\d)")
_NUMERIC = re.compile(r"(?<![\d.,/-])(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4}|\d{2})(?!\d|[-/.]\d)")
_DAY_MONTH = re.compile(
    rf"(?<![\d.,:/-]){_DAY}{_AND_DAY}[\s-]?{_OF}{_MONTH}(?:(?:,?\s|-){_OF}{YEAR})?{ERA}?", re.IGNORECASE
)
_MONTH_DAY = re.compile(
    rf"(?<![^\W\d_]){_MONTH}\s(?:the\s)?{_DAY}(?!\d|:|[.,]\d|\s?%){_AND_DAY}(?:(?:,\s?|\s(?:of\s)?){YEAR})?{ERA}?",
    re.IGNORECASE,
)
_MONTH_YEAR = re.compile(rf"(?<![^\W\d_]){_MONTH},?\s{_OF}{YEAR}{ERA}?", re.IGNORECASE)
_MONTH_ALONE = re.compile(rf"(?<![^\W\d_]){_MONTH}", re.IGNORECASE)
_BEFORE_A_MONTH = re.compile(
    r"(?:\b(?:in|of|since|until|till|by|early|late|mid|last|next|every|from|to|im|ab|bis|en|de|each)[\s-])$",
    re.IGNORECASE,
)
_REST_OF_A_CODE = re.compile(r"(?:-\d+){2,}(?!\w)")
"""What follows the letters of a code such as ABR-1-1 or SEP-12-345: nobody writes a date with the month first so."""
_LONGEST_LEAD = 12
"""Characters before a month that may hold the word before it."""
_ALSO_OTHER_WORDS = frozenset(("may", "march", "mar", "mars", "jan", "mai", "ene", "ago", "dic", "juli", "august"))
_HAN_YEAR = r"([\d〇零一二三四五六七八九]{4})年"
_HAN_NUMBER = r"([\d一二三四五六七八九十]{1,3})"
_HAN_DATE = re.compile(
    rf"{_HAN_YEAR}(?:{_HAN_NUMBER}月(?:{_HAN_NUMBER}[日号號])?)?|{_HAN_NUMBER}月{_HAN_NUMBER}[日号號]"
    rf"|(?<![个個\d]){_HAN_NUMBER}月(?!間)"
)
_CENTURY_START = 30
"""Two digits from here on are years of the last century, as most software reads them ("29" is 2029, "30" is 1930)."""


@lru_cache(maxsize=4096)
def find_dates(text: str, *, asked: bool = False) -> tuple[Date, ...]:
    """Find the dates of a folded text; `asked` tells that the question is for a date, so that "1812" is a year."""
    found: list[Date] = []
    taken = bytearray(len(text))
    # The more a form states, the earlier it is tried, since "March 2024" also stands in "5 March 2024".
    for finder in (_full_dates, _han_dates, find_years, _months_alone, lambda rest: find_bare_years(rest, asked=asked)):
        for date in finder(text):
            if date.readings and not any(taken[date.start : date.end]):
                taken[date.start : date.end] = b"\x01" * (date.end - date.start)
                found.append(date)
    return tuple(sorted(found, key=lambda date: date.start))


def _full_dates(text: str) -> Iterator[Date]:
    if not _DIGIT.search(text):
        return
    for match in _ISO.finditer(text):
        yield make_date(match, *_days(int(match[1]), int(match[3]), match[4]))
    for match in _NUMERIC.finditer(text):
        year = (
            int(match[4]) if len(match[4]) > 2 else int(match[4]) + (1900 if int(match[4]) >= _CENTURY_START else 2000)
        )
        readings = _days(year, int(match[3]), match[1])
        if match[2] != ".":  # dots stand only in dates that begin with the day; slashes leave both orders open
            readings += _days(year, int(match[1]), match[3])
        yield make_date(match, *dict.fromkeys(readings))
    for match in _DAY_MONTH.finditer(text):
        yield make_date(match, *_days(signed_year(match[4], match[5]), _month(match[3]), match[1], match[2]))
    for match in _MONTH_DAY.finditer(text):
        if match[1] in _ALSO_OTHER_WORDS and match[4] is None:
            continue  # "you may 5 times"
        yield make_date(match, *_days(signed_year(match[4], match[5]), _month(match[1]), match[2], match[3]))
    for match in _MONTH_YEAR.finditer(text):
        written = signed_year(match[2], match[3])
        yield make_date(match, Day(first_year=written, last_year=written, month=_month(match[1])))


def _days(year: int | None, month: int, *days: str | None) -> tuple[Day, ...]:
    """Return the days of a month, none where there is no such month or day ("14 and 15 August" are two)."""
    numbers = [int(day) for day in days if day is not None]
    if not 1 <= month <= 12 or not all(1 <= day <= 31 for day in numbers):
        return ()
    return tuple(Day(first_year=year, last_year=year, month=month, day=day) for day in numbers)


def _month(name: str) -> int:
    return _MONTHS[name.lower()]


def _months_alone(text: str) -> Iterator[Date]:
    """Find months by themselves; "may" and "march" are other words unless they stand where a month stands."""
    length = len(text.strip())
    for match in _MONTH_ALONE.finditer(text):
        word = match[1]
        alone = len(match[0]) == length
        if not word[0].isupper() and not alone:
            continue
        if word.isupper() and _REST_OF_A_CODE.match(text, match.end(1)):
            continue
        if (
            word.lower() not in _ALSO_OTHER_WORDS
            or alone
            or _BEFORE_A_MONTH.search(text[max(0, match.start() - _LONGEST_LEAD) : match.start()])
        ):
            yield make_date(match, Day(month=_month(word)))


def _han_dates(text: str) -> Iterator[Date]:
    for match in _HAN_DATE.finditer(text) if not text.isascii() else ():
        year = _han_number(match[1])
        month = _han_number(match[2] or match[4] or match[6])
        day = match[3] or match[5]
        if month is None:
            yield make_date(match, Day(first_year=year, last_year=year))
        elif day is not None:
            yield make_date(match, *_days(year, month, str(_han_number(day))))
        elif 1 <= month <= 12:
            yield make_date(match, Day(first_year=year, last_year=year, month=month))


def _han_number(written: str | None) -> int | None:
    if written is None:
        return None
    value = int(written) if written.isdecimal() else han_value(written)
    return None if value is None else int(value)

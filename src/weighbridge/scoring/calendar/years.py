"""Years, decades, centuries and spans of years, and the comparison of dates."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from weighbridge.scoring.numbers.number_words import find_number_words

Agreement = Literal["same", "coarser", "different"]
"""How a date relates to a reference: it agrees, it agrees but says less, or it is another date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A date as far as it is given. Years before Christ are negative; a decade has a first and a last year."""

    first_year: int | None = None
    last_year: int | None = None
    month: int | None = None
    day: int | None = None
    is_span: bool = False
    """It lasts from the first to the last year ("1985 to 1993") rather than lying somewhere in them ("the 1980s")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """A date in a text, with the readings that its order allows."""

    start: int
    end: int
    text: str
    readings: tuple[Day, ...]
    bare_year: bool = False
    """Nothing but four digits: where nobody asks for a date, they may count something."""


# A digit glued to the end of a year is the mark of a footnote ("in 19931."): years have no five digits.
YEAR = r"(\d{4}|\d{3})(?:\d{1,2}(?=\.(?:\s|$)|$)|\d(?=\s|,\s))?(?!\d)"
ERA = (
    r"(?:\s?(B\.?C\.?(?:E\.?)?|A\.?D\.?|C\.?E\.?|v\.\s?Chr\.?|n\.\s?Chr\.?|av\.\s?J\.-C\.?|a\.\s?C\.|d\.\s?C\.)"
    r"(?![^\W\d_]))"
)
_DECADE = re.compile(r"(?<![\w.,])(?:(\d{3}0)|'?(\d0))(?:'?s|er(?:n|\sJahre)?)(?![^\W\d_])")
_DECADE_BEFORE = re.compile(r"\b(?:années|años|decade of the)\s(\d{3}0|\d0)\b", re.IGNORECASE)
_CENTURY = re.compile(
    rf"(?<![\w.,])(\d{{1,2}})(?:st|nd|rd|th|\.|e|ème)?[\s-]?(?:century|centuries|jahrhunderts?|siècle|世纪|世紀){ERA}?",
    re.IGNORECASE,
)
_CENTURY_IN_WORDS = re.compile(rf"\b([a-z]+(?:[ -][a-z]+)?)[\s-]century{ERA}?", re.IGNORECASE)
_ROMAN_CENTURY = re.compile(r"\b(?:([IVX]{1,5})(?:e|ème)\ssiècle|siglo\s([IVX]{1,5}))\b")
_SPAN = re.compile(
    rf"(?<![\w.,/:-])([1-9]\d{{2,3}}){ERA}?\s?(?:-|~|to|until|till|through|bis|à|al?)\s?(\d{{4}}|\d{{2,3}})(?:\d(?=\.))?"
    rf"(?![\d/:%]|[.,-]\d){ERA}?",
    re.IGNORECASE,
)
_YEAR_OF_ERA = re.compile(rf"(?<![\w.,])(?<!\w-)(?:A\.?D\.?\s(\d{{1,4}})|(\d{{1,4}}){ERA})(?![\d]|[.,:]\d)")
_BARE_YEAR = re.compile(r"(?<![\w.,/:#$€£-])([12]\d{3})(?:\d{1,2}(?=\.(?:\s|$)|$))?(?![\w%]|[.,:/]\d|-\w)")
_EARLY_YEAR = re.compile(
    r"(?:^|\b(?:in|by|around|about|circa|year|since|until)\s)(\d{3})(?=\.?$|[,;]|\.\s)", re.IGNORECASE
)
_BEFORE_A_YEAR = re.compile(
    r"(?:^|\(|\b(?:in|since|by|from|until|till|before|after|around|circa|ca\.|c\.|during|of|year|late|early|mid|summer|"
    r"spring|autumn|fall|winter|between|ab|seit|bis|jahr|en|depuis|desde|año))[\s-]?$",
    re.IGNORECASE,
)
_LONGEST_LEAD = 12
"""Characters before a number that may hold "in", "since" and the like."""
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def signed_year(year: str | None, era: str | None) -> int | None:
    """Return a year, negative before Christ; None for none."""
    if year is None:
        return None
    before = era is not None and era.lower().replace(" ", "").startswith(("b", "v", "av", "a.c"))
    return -int(year) if before else int(year)


def find_years(text: str) -> Iterator[Date]:
    """Find decades, centuries, spans of years and years with an era; an earlier find may overlap a later one."""
    for match in (*_DECADE.finditer(text), *_DECADE_BEFORE.finditer(text)):
        first = int(match[1]) if len(match[1] or "") > 2 else 1900 + int(match[1] or match[2])
        yield make_date(match, Day(first_year=first, last_year=first + 9))
    for match in _CENTURY.finditer(text):
        yield make_date(match, _century(int(match[1]), match[2]))
    for match in _CENTURY_IN_WORDS.finditer(text):
        numbers = list(find_number_words(match[1], "en"))
        if numbers and numbers[-1].end == len(match[1]):
            yield make_date(match, _century(int(numbers[-1].value), match[2]))
    for match in _ROMAN_CENTURY.finditer(text):
        yield make_date(match, _century(roman_value(match[1] or match[2]), None))
    for match in _SPAN.finditer(text):
        yield from _span(match)
    for match in _YEAR_OF_ERA.finditer(text):
        year = signed_year(match[1] or match[2], match[3])
        yield make_date(match, Day(first_year=year, last_year=year))


def _century(number: int, era: str | None) -> Day:
    if (signed_year("1", era) or 1) < 0:
        return Day(first_year=-100 * number, last_year=-100 * (number - 1) - 1)
    # People count 1900 to the 20th century as often as to the 19th, so a century has both ends here.
    return Day(first_year=100 * (number - 1), last_year=100 * number)


def _span(match: re.Match[str]) -> Iterator[Date]:
    first, first_era, last, last_era = match.groups()
    if len(last) < len(first) and last_era is None:
        last = first[: len(first) - len(last)] + last
    start, end = signed_year(first, first_era or last_era) or 0, signed_year(last, last_era or first_era) or 0
    plausible = first_era or last_era or (1000 <= start < end <= 2100)
    if plausible and start < end:
        yield make_date(match, Day(first_year=start, last_year=end, is_span=True))


def find_bare_years(text: str, *, asked: bool) -> Iterator[Date]:
    """Find years that are digits only: after a preposition, alone, or anywhere where the question asks for a date."""
    length = len(text.strip(" .'\"!"))
    for match in _BARE_YEAR.finditer(text):
        alone = match.end(1) - match.start() >= length
        lead = text[max(0, match.start() - _LONGEST_LEAD) : match.start()]
        if asked or alone or _BEFORE_A_YEAR.search(lead):
            yield _year(match, 1)
    if asked:
        for match in _EARLY_YEAR.finditer(text):
            yield _year(match, 1)


def _year(match: re.Match[str], group: int) -> Date:
    year = int(match[group])
    return Date(
        start=match.start(group), end=match.end(), text=match[group], bare_year=True,
        readings=(Day(first_year=year, last_year=year),),
    )  # fmt: skip


def make_date(match: re.Match[str], *readings: Day) -> Date:
    """Return the date that a match stands for."""
    return Date(start=match.start(), end=match.end(), text=match[0].strip(), readings=readings)


def roman_value(numeral: str) -> int:
    """Return the value of a Roman numeral; 0 where the letters do not make one."""
    total = 0
    for letter, following in zip(numeral, numeral[1:] + " ", strict=True):
        value = _ROMAN[letter]
        total += -value if _ROMAN.get(following, 0) > value else value
    return total


def compare_dates(reference: Date, answer: Date) -> Agreement:
    """Return how a date relates to a reference, in whichever of their readings fit best."""
    results = {_relate(wanted, given) for wanted in reference.readings for given in answer.readings}
    if "same" in results:
        return "same"
    return "coarser" if "coarser" in results else "different"


def _relate(wanted: Day, given: Day) -> Agreement:
    years = _relate_years(wanted, given)
    if years == "different":
        return "different"
    coarser = years == "coarser"
    for field, other in ((wanted.month, given.month), (wanted.day, given.day)):
        if field is not None and other is not None and field != other:
            return "different"
        coarser |= field is not None and other is None
    return "coarser" if coarser else "same"


def _relate_years(wanted: Day, given: Day) -> Agreement:
    if wanted.first_year is None or wanted.last_year is None:
        return "same"
    if given.first_year is None or given.last_year is None:
        return "coarser"
    if wanted.is_span and given.is_span:
        same = (wanted.first_year, wanted.last_year) == (given.first_year, given.last_year)
        return "same" if same else "different"
    inside = wanted.first_year <= given.first_year and given.last_year <= wanted.last_year
    around = given.first_year <= wanted.first_year and wanted.last_year <= given.last_year
    if inside and not wanted.is_span and not given.is_span:
        return "same"
    return "coarser" if inside or around else "different"

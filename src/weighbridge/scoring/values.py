"""Typed values of a reference, looked up in an answer: numbers, dates, codes, names, yes and no, lists.

Words are compared elsewhere. Everything here is pure: no clock, no locale, no network.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from weighbridge.scoring.calendar.dates import find_dates
from weighbridge.scoring.calendar.times import Time, Weekday, compare_times, find_times, find_weekdays
from weighbridge.scoring.calendar.years import Date, compare_dates
from weighbridge.scoring.codes import Code, find_codes, holds_code, is_code_asked
from weighbridge.scoring.language.folding import (
    DecimalMark,
    Language,
    TextSpan,
    cover_mask,
    decimal_mark,
    fold,
    language_of,
)
from weighbridge.scoring.language.names import match_name
from weighbridge.scoring.language.negation import is_ruled_out, negations
from weighbridge.scoring.language.polarity import match_polarity
from weighbridge.scoring.lists import INSIDE, match_list
from weighbridge.scoring.matches import Relation, ValueKind, ValueMatch
from weighbridge.scoring.numbers.precision import compare_quantities
from weighbridge.scoring.numbers.quantities import Quantity, find_quantities, units_asked
from weighbridge.scoring.numbers.units import Unit

__all__ = ["Relation", "TypedValues", "ValueKind", "ValueMatch", "compare_values", "find_values"]

_DATE_ASKED = re.compile(
    r"\b(?:when|(?:what|which) (?:year|date|day|month)|what time period|release date|air date|date of|wann|"
    r"welche[ms]? (?:jahr|datum|tag)|quand|quelle (?:année|date)|cuándo|qué (?:año|fecha|día))\b"
    r"|什么时候|何时|哪一?[年天]|几月|いつ|何年|何月",
    re.IGNORECASE,
)
_COUNT_ASKED = re.compile(
    r"\b(?:how (?:many|much|long|far|tall|high|old|big|large|heavy|often)|number of|wie viele?|combien|cuánt[oa]s?)\b"
    r"|多少|几个|いくつ|何人",
    re.IGNORECASE,
)
_FALLS = re.compile(
    r"\b(?:fell|falls?|fallen|falling|dropp?(?:ed|s)?|drop|declin(?:ed?|es|ing)|decreas(?:ed?|es|ing)|down|lower|lost|loss|"
    r"shrank|shrunk|reduc(?:ed|tion)|minus|negative|below zero|sank|gesunken|gefallen|rückgang|baiss[eé]|diminu[eé]|"
    r"bajó|cayó|disminuyó)\b|下降|减少|減少",
    re.IGNORECASE,
)
_NOUN = re.compile(r"(?: (?:full|new|more|different|other|whole|total))? ([^\W\d_]{3,})")
_STEM = 4
_MOST_VALUES = 32
"""Values of one kind that are looked up: a reference that has more is a table, and the time grows with each."""
_SHORT_ANSWER = 6
"""An answer of up to so many words states one value, so that other digits in it stand in the value's place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedValues:
    """The typed values of one text."""

    dates: tuple[Date, ...]
    weekdays: tuple[Weekday, ...]
    times: tuple[Time, ...]
    codes: tuple[Code, ...]
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """The question's hints about the values that answer it."""

    text: str
    asks_date: bool
    asks_count: bool
    asks_code: bool
    units: tuple[Unit, ...]


def compare_values(question: str, reference: str, answer: str) -> tuple[ValueMatch, ...]:
    """Look up each typed value of a reference in an answer.

    Return one match for each number, quantity, date, time, code, name, yes or no and list of the reference, in that
    order; none where the reference has nothing but words.
    """
    asked = _read_question(fold(question))
    wanted, given = fold(reference), fold(answer)
    matches = list(_match_typed(asked, wanted, given))
    matches.extend(match_polarity(asked.text, wanted, given))

    def holds(item: str, text: str) -> bool:
        typed = list(_match_typed(asked, item, text))
        name = match_name(asked.text, item, text)
        typed.extend([name] if name else [])
        return bool(typed) and all(match.relation == "same" for match in typed)

    if listed := match_list(asked.text, _keep_values_whole(wanted, asked), given, holds):
        matches.append(listed)
    elif name := match_name(asked.text, wanted, given):
        matches.append(name)
    return tuple(matches)


def _keep_values_whole(text: str, asked: _Question) -> str:
    """Return a text without values that look like several items of a list ("one hundred and one", "1,5 oder 2 kg")."""
    values = _find_values(text, asked)
    taken = cover_mask(text, (*values.dates, *values.quantities))
    return "".join(
        INSIDE.get(character, character) if hidden else character for character, hidden in zip(text, taken, strict=True)
    )


@lru_cache(maxsize=1024)
def _read_question(text: str) -> _Question:
    return _Question(
        text=text, asks_date=_DATE_ASKED.search(text) is not None, asks_count=_COUNT_ASKED.search(text) is not None,
        asks_code=is_code_asked(text), units=units_asked(text),
    )  # fmt: skip


def find_values(text: str, question: str = "") -> TypedValues:
    """Find the typed values of a text as an answer to a question. A number inside a date or a code is no number."""
    asked = _read_question(fold(question))
    return _find_values(fold(text), asked)


def _find_values(text: str, asked: _Question) -> TypedValues:
    language = language_of(text) or language_of(asked.text)
    mark = decimal_mark(text, asked.text)
    return _extract(text, language, mark, (asked.asks_date, asked.asks_code))


@lru_cache(maxsize=2048)
def _extract(text: str, language: Language | None, mark: DecimalMark, asks: tuple[bool, bool]) -> TypedValues:
    asks_date, asks_code = asks
    masked = text
    codes: tuple[Code, ...] = ()
    if asks_code:
        codes = find_codes(masked, asked=True)
        masked = _mask(masked, codes)
    dates = find_dates(masked, asked=asks_date)
    masked = _mask(masked, [date for date in dates if not date.bare_year])
    weekdays = find_weekdays(masked)
    times = find_times(masked)
    masked = _mask(masked, times)
    if not asks_code:
        codes = find_codes(masked)
        masked = _mask(masked, codes)
    quantities = find_quantities(masked, language=language, mark=mark)
    return TypedValues(dates=dates, weekdays=weekdays, times=times, codes=codes, quantities=quantities)


def _mask(text: str, found: Iterable[TextSpan]) -> str:
    """Return a text with the found values blanked out, so that no other kind of value is read from them."""
    taken = cover_mask(text, found)
    if 1 not in taken:
        return text
    return "".join("\0" if hidden else character for character, hidden in zip(text, taken, strict=True))


def _match_typed(asked: _Question, reference: str, answer: str) -> Iterable[ValueMatch]:
    wanted, given = _find_values(reference, asked), _find_values(answer, asked)
    if not negations(reference):
        given = _without_ruled_out(given, answer)
    known = _find_values(asked.text, asked)
    counts = asked.asks_count and not asked.asks_date
    dates = [date for date in wanted.dates if not (date.bare_year and counts)][:_MOST_VALUES]
    for date in dates:
        yield _match_date(date, given, known)
    years = {(date.start, date.end) for date in dates}
    for quantity in wanted.quantities[:_MOST_VALUES]:
        whole = quantity.end - quantity.start >= len(reference.strip(" .")) - 4
        if (quantity.start, quantity.end) in years or (quantity.is_weak and not whole and not asked.asks_count):
            continue
        yield _match_quantity(quantity, (reference, answer), given, known, asked)
    for weekday in wanted.weekdays[:_MOST_VALUES]:
        if not wanted.dates:
            yield _match_weekday(weekday, given.weekdays, known.weekdays)
    for time in wanted.times[:_MOST_VALUES]:
        yield _match_time(time, given.times, known.times)
    for code in wanted.codes[:_MOST_VALUES]:
        yield _match_code(code, answer, given.codes, asked)


def _without_ruled_out(given: TypedValues, answer: str) -> TypedValues:
    """Return the values of an answer without those that it says are not the one: "5 g, not 5 mg" gives 5 g."""

    def is_given(value: TextSpan) -> bool:
        return not is_ruled_out(answer, value.start)

    return replace(
        given,
        dates=tuple(filter(is_given, given.dates)),
        weekdays=tuple(filter(is_given, given.weekdays)),
        times=tuple(filter(is_given, given.times)),
        quantities=tuple(filter(is_given, given.quantities)),
    )


def _match_date(wanted: Date, given: TypedValues, known: TypedValues) -> ValueMatch:
    """Find the date of an answer that fits best. A date that the question gives contradicts nothing."""
    coarser: Date | None = None
    different: Date | None = None
    for date in given.dates:
        relation = compare_dates(wanted, date)
        if relation == "same":
            return _same_value("date", wanted.text, date.text, f"{date.text} is {wanted.text}")
        if any(compare_dates(date, other) == "same" for other in known.dates):
            continue
        if relation == "coarser":
            coarser = coarser or date
        else:
            different = different or date
    if coarser and (different is None or coarser.start < different.start):
        return _absent("date", wanted.text, f"{coarser.text} says less than {wanted.text}", partial=True)
    if different:
        return _other_value("date", wanted.text, different.text, f"{different.text} is not {wanted.text}")
    return _absent("date", wanted.text, f"the answer gives no date for {wanted.text}")


def _match_quantity(
    wanted: Quantity, texts: tuple[str, str], given: TypedValues, known: TypedValues, asked: _Question
) -> ValueMatch:
    reference, answer = texts
    kind: ValueKind = "money" if wanted.is_money else "quantity" if wanted.units else "number"
    noun = _noun_after(reference, wanted.end)
    years = {(date.start, date.end) for date in given.dates if date.bare_year}
    same: Quantity | None = None
    bare: tuple[Quantity, str] | None = None
    others: list[tuple[int, Quantity, str]] = []
    falls = _tells_of_a_fall(asked.text) or _tells_of_a_fall(answer) or _tells_of_a_fall(reference)
    seen: set[tuple[str, str | None]] = set()
    for quantity in given.quantities:
        written = (quantity.text, _noun_after(answer, quantity.end))
        if written in seen:
            continue
        seen.add(written)
        relation, reason = compare_quantities(wanted, quantity, asked.units)
        if relation == "different" and falls and _is_negation(wanted, quantity):
            relation = "same"
        if relation == "same":
            same = same if same and _noun_after(answer, same.end) == noun else quantity
        elif relation == "no unit":
            bare = bare or (quantity, reason)
        elif relation == "different" and _speaks(quantity, years, known, wanted):
            likeness = 2 * (noun is not None and _noun_after(answer, quantity.end) == noun) + (
                bool(quantity.units) == bool(wanted.units)
            )
            others.append((likeness, quantity, reason))
    others.sort(key=lambda other: -other[0])
    about_the_same_thing = bool(others) and others[0][0] > 1  # the noun agrees
    counts_another = same is not None and (
        (same.start, same.end) in years or _noun_after(answer, same.end) not in (None, noun)
    )
    if same and not (about_the_same_thing and counts_another):
        return _same_value(kind, wanted.text, same.text, f"{same.text} is {wanted.text}")
    if bare and not about_the_same_thing:
        return _absent(kind, wanted.text, bare[1], partial=True)
    if others:
        return _other_value(kind, wanted.text, others[0][1].text, others[0][2])
    return _absent(kind, wanted.text, f"the answer gives no number for {wanted.text}")


def _speaks(quantity: Quantity, years: set[tuple[int, int]], known: TypedValues, wanted: Quantity) -> bool:
    """Tell whether another number contradicts a reference: not a weak one, a year, or one that the question gives."""
    looks_like_a_year = 1000 <= wanted.ends[0].readings[0] <= 2100 and wanted.ends[0].step == 1  # noqa: PLR2004
    if quantity.ends[0].ordinal and not wanted.ends[0].ordinal:
        return False  # "it first opened" gives no number
    if quantity.is_weak or ((quantity.start, quantity.end) in years and not looks_like_a_year):
        return False
    return not any(compare_quantities(other, quantity)[0] in ("same", "no unit") for other in known.quantities)


@lru_cache(maxsize=2048)
def _tells_of_a_fall(text: str) -> bool:
    return _FALLS.search(text) is not None


def _is_negation(first: Quantity, second: Quantity) -> bool:
    """Tell whether two quantities differ only in the sign, left to a word by one of them ("fell by 12 %")."""
    if len(first.ends) > 1 or len(second.ends) > 1:
        return False
    one, other = first.ends[0], second.ends[0]
    return one.readings[0] == -other.readings[0] and not (one.signed and other.signed)


def _noun_after(text: str, place: int) -> str | None:
    """Return the stem of the word that a number counts."""
    match = _NOUN.match(text, place)
    return match[1].lower()[:_STEM] if match else None


def _match_weekday(wanted: Weekday, given: Sequence[Weekday], known: Sequence[Weekday]) -> ValueMatch:
    asked = {day.number for day in known}
    for day in given:
        if day.number == wanted.number:
            return _same_value("weekday", wanted.text, day.text, f"{day.text} is {wanted.text}")
    for day in given:
        if day.number not in asked:
            return _other_value("weekday", wanted.text, day.text, f"{day.text} is not {wanted.text}")
    return _absent("weekday", wanted.text, f"the answer does not name {wanted.text}")


def _match_time(wanted: Time, given: Sequence[Time], known: Sequence[Time]) -> ValueMatch:
    coarser: Time | None = None
    different: Time | None = None
    for time in given:
        relation = compare_times(wanted, time)
        if relation == "same":
            return _same_value("time", wanted.text, time.text, f"{time.text} is {wanted.text}")
        if relation == "coarser":
            coarser = coarser or time
        elif all(compare_times(other, time) != "same" for other in known):
            different = different or time
    if coarser:
        reason = f"{coarser.text} does not say which half of the day {wanted.text} is in"
        return _absent("time", wanted.text, reason, partial=True)
    if different:
        return _other_value("time", wanted.text, different.text, f"{different.text} is not {wanted.text}")
    return _absent("time", wanted.text, f"the answer gives no time for {wanted.text}")


def _match_code(wanted: Code, answer: str, given: Sequence[Code], asked: _Question) -> ValueMatch:
    if holds_code(answer, wanted) or any((code.key, code.label) == (wanted.key, wanted.label) for code in given):
        return _same_value("code", wanted.text, wanted.text, f"the answer gives {wanted.text}")
    alone = answer.strip(" .\"'")
    if wanted.label and alone.lower() == wanted.key and wanted.label in asked.text.lower():
        return _same_value("code", wanted.text, alone, f"{alone} is {wanted.text}")
    for code in given:
        alike = code.label == wanted.label if wanted.label else _shape(code.key) == _shape(wanted.key)
        if alike and not holds_code(asked.text, code):
            return _other_value("code", wanted.text, code.text, f"{code.text} is not {wanted.text}")
    if not wanted.label and len(alone.split()) <= _SHORT_ANSWER:
        for token in re.findall(r"[\w.-]*\d[\w.-]*", alone):
            if token not in asked.text:
                return _other_value("code", wanted.text, token, f"{token} is not {wanted.text}")
    return _absent("code", wanted.text, f"the answer does not give {wanted.text}")


def _shape(key: str) -> str:
    return re.sub(r"\d+", "9", re.sub(r"[a-z]+", "a", key))


def _same_value(kind: ValueKind, reference: str, answer: str, reason: str) -> ValueMatch:
    return ValueMatch(kind=kind, reference=reference, answer=answer, relation="same", reason=reason)


def _other_value(kind: ValueKind, reference: str, answer: str, reason: str) -> ValueMatch:
    return ValueMatch(kind=kind, reference=reference, answer=answer, relation="different", reason=reason)


def _absent(kind: ValueKind, reference: str, reason: str, *, partial: bool = False) -> ValueMatch:
    return ValueMatch(kind=kind, reference=reference, answer="", relation="missing", partial=partial, reason=reason)

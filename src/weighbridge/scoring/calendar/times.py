"""Times of day and days of the week."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from weighbridge.scoring.calendar.years import Agreement
from weighbridge.scoring.numbers.number_words import han_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """A time of day in a text, in seconds after midnight."""

    start: int
    end: int
    text: str
    seconds: int
    half_of_day_open: bool = False
    """It may be before or after noon: "5 o'clock"."""
    on_24_hour_clock: bool = False
    """It is written as on a clock of 24 hours, though "5:00" may be one of twelve: such times differ from "17:00"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekday:
    """A day of the week in a text; Monday is 0."""

    start: int
    end: int
    text: str
    number: int


_DIGIT = re.compile(r"\d")
_HALF = r"\s?(a\.?\s?m\.?|p\.?\s?m\.?)(?![^\W\d_])"
_LATIN_HALF = (
    r"(?:\s(?:in the|de la|du|del|am|in der)\s(morning|afternoon|evening|night|noon|mañana|tarde|noche|matin|soir|"
    r"mediodía|Morgen|Vormittag|Nachmittag|Abend))?"
)
_WITH_COLON = re.compile(
    rf"(?<![\w:.,])(\d{{1,2}})[:](\d{{2}})(?::(\d{{2}}))?(?![\d:])(?:{_HALF})?{_LATIN_HALF}", re.IGNORECASE
)
_WITH_HALF = re.compile(rf"(?<![\w:.,])(\d{{1,2}})(?:\.(\d{{2}}))?()(?:{_HALF}){_LATIN_HALF}", re.IGNORECASE)
_OCLOCK = re.compile(rf"(?<![\w:.,])(\d{{1,2}})()()()\s?o'?\s?clock{_LATIN_HALF}", re.IGNORECASE)
_LATIN = re.compile(r"(?<![\w:.,])(\d{1,2})(?:[.:](\d{2}))?\sUhr(?:\s(\d{2})(?!\d))?", re.IGNORECASE)
_FRENCH = re.compile(r"(?<![\w:.,])(\d{1,2})\s?(?:h|heures?)\s?(\d{2})(?!\d)|\bà\s(\d{1,2})\s?(?:h|heures)(?!\w)")
_SPANISH = re.compile(rf"\ba\slas?\s(\d{{1,2}})(?::(\d{{2}}))?()()(?![\d:]){_LATIN_HALF}", re.IGNORECASE)
_HOURS = {word: value for value, word in enumerate(
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
)}  # fmt: skip
_IN_WORDS = re.compile(
    rf"\b(?:(half|quarter|twenty|ten|five)\s(past|to)\s)?({'|'.join(_HOURS)}|(?<=past )\d{{1,2}}|(?<=to )\d{{1,2}})"
    rf"(\so'?\s?clock|\s?[ap]\.?m\.?(?![a-z])|(?<=past one))?{_LATIN_HALF}",
    re.IGNORECASE,
)
_PARTS = {"half": 30, "quarter": 15, "twenty": 20, "ten": 10, "five": 5}
_NAMED = {"noon": 12, "midday": 12, "midnight": 0, "mitternacht": 0, "mediodía": 12, "medianoche": 0, "minuit": 0,
          "正午": 12, "午夜": 0}  # fmt: skip
_NAME = re.compile(r"(?<![^\W\d_])(?:" + "|".join(_NAMED) + r")(?![^\W\d_])", re.IGNORECASE)
_HAN_NUMBER = r"(\d{1,2}|[零〇一二三四五六七八九十两兩]{1,3})"
_HAN = re.compile(
    rf"(上午|下午|早上|早晨|晚上|中午|凌晨|傍晚|午前|午後|朝|夜|夕方)?\s?{_HAN_NUMBER}(?:[点點時时]|:(?=\d))"
    rf"(?!間|间)(?:{_HAN_NUMBER}分?|(半)|(?:钟|鐘))?"
)
_HAN_AFTERNOON = frozenset(("下午", "晚上", "傍晚", "午後", "夜", "夕方", "中午"))
_AFTERNOON = frozenset(("afternoon", "evening", "night", "noon", "tarde", "noche", "soir", "nachmittag", "abend"))
_MORNING = frozenset(("morning", "mañana", "matin", "morgen", "vormittag"))
_WEEKDAY_NAMES = """
monday mon montag lundi lunes 星期一 周一 月曜日 月曜
tuesday tue tues dienstag mardi martes 星期二 周二 火曜日 火曜
wednesday wed mittwoch mercredi miércoles 星期三 周三 水曜日 水曜
thursday thu thurs donnerstag jeudi jueves 星期四 周四 木曜日 木曜
friday fri freitag vendredi viernes 星期五 周五 金曜日 金曜
saturday sat samstag sonnabend samedi sábado 星期六 周六 土曜日 土曜
sunday sun sonntag dimanche domingo 星期日 星期天 周日 日曜日 日曜
"""
_WEEKDAYS = {name: number for number, line in enumerate(_WEEKDAY_NAMES.strip().splitlines()) for name in line.split()}
_ALSO_OTHER_WORDS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
"""Abbreviations that are other words too: they count only with a capital letter and not before a small word."""
_WEEKDAY = re.compile(
    rf"(?<![^\W\d_])({'|'.join(sorted((n for n in _WEEKDAYS if n[0] < 'ÿ'), key=len, reverse=True))})s?(?![^\W\d_])"
    rf"|({'|'.join(sorted((n for n in _WEEKDAYS if n[0] > 'ÿ'), key=len, reverse=True))})",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def find_times(text: str) -> tuple[Time, ...]:
    """Find the times of day of a folded text."""
    found: list[Time] = []
    taken = bytearray(len(text))
    for time in _all_times(text):
        if not any(taken[time.start : time.end]):
            taken[time.start : time.end] = b"\x01" * (time.end - time.start)
            found.append(time)
    return tuple(sorted(found, key=lambda time: time.start))


def _all_times(text: str) -> Iterator[Time]:
    for pattern in (_WITH_COLON, _WITH_HALF, _OCLOCK, _SPANISH) if _DIGIT.search(text) else ():
        for match in pattern.finditer(text):
            hour, minute, second, half, part = match.groups()
            half_is_open = not half and (pattern is _OCLOCK or pattern is _SPANISH)
            # "5:00" is a time of the 24-hour clock to some and of the 12-hour clock to others; "05:00" is not.
            half_is_open |= not half and pattern is _WITH_COLON and len(hour) == 1
            numbers = (int(hour), int(minute or 0), int(second or 0))
            yield from _time(match, numbers, half=half or part or "", is_open=half_is_open)
    for match in _LATIN.finditer(text):
        yield from _time(match, (int(match[1]), int(match[2] or match[3] or 0), 0), half="", is_open=False)
    for match in _FRENCH.finditer(text):
        yield from _time(match, (int(match[1] or match[3]), int(match[2] or 0), 0), half="", is_open=False)
    for match in _HAN.finditer(text) if not text.isascii() else ():
        hour, minute = _han_number(match[2]), _han_number(match[3]) or (30 if match[4] else 0)
        half = "pm" if match[1] in _HAN_AFTERNOON else "am" if match[1] else ""
        yield from _time(match, (hour, minute, 0), half=half, is_open=not half and hour <= 12)
    for match in _IN_WORDS.finditer(text):
        part, relation, hour_name, clock, time_of_day = match.groups()
        if not (part or clock or time_of_day):
            continue
        hour = _HOURS.get(hour_name.lower()) or int(hour_name)
        minutes = 60 * hour + (1 if (relation or "").lower() == "past" else -1) * _PARTS.get((part or "").lower(), 0)
        half = time_of_day or (clock.strip() if clock and "clock" not in clock else "")
        yield from _time(match, (minutes // 60, minutes % 60, 0), half=half, is_open=not half)
    for match in _NAME.finditer(text):
        yield Time(start=match.start(), end=match.end(), text=match[0], seconds=3600 * _NAMED[match[0].lower()])


def _time(match: re.Match[str], numbers: tuple[int, int, int], *, half: str, is_open: bool) -> Iterator[Time]:
    """Yield the time of an hour, minutes and seconds, unless no clock shows it."""
    hour, minute, second = numbers
    half = half.lower().replace(".", "").replace(" ", "")
    if hour > 12 and half in ("am", "pm"):
        return
    if (half == "pm" or half in _AFTERNOON) and hour < 12:
        hour += 12
    elif (half == "am" or half in _MORNING) and hour == 12:
        hour = 0
    if hour <= 24 and minute < 60 and second < 60:
        yield Time(
            start=match.start(), end=match.end(), text=match[0].strip(),
            seconds=(hour % 24) * 3600 + minute * 60 + second, half_of_day_open=is_open and 0 < hour <= 12,
            on_24_hour_clock=not half and match.re in (_WITH_COLON, _LATIN, _FRENCH),
        )  # fmt: skip


def _han_number(written: str | None) -> int:
    return int(han_value(written) or 0) if written and not written.isdecimal() else int(written or 0)


def compare_times(reference: Time, answer: Time) -> Agreement:
    """Return how a time relates to a reference; one that leaves the half of the day open says less."""
    if reference.seconds == answer.seconds:
        return "same"
    half_a_day = 12 * 3600
    both_on_24 = reference.on_24_hour_clock and answer.on_24_hour_clock
    if reference.seconds % half_a_day == answer.seconds % half_a_day and not both_on_24:
        if reference.half_of_day_open:
            return "same"
        if answer.half_of_day_open:
            return "coarser"
    return "different"


@lru_cache(maxsize=4096)
def find_weekdays(text: str) -> tuple[Weekday, ...]:
    """Find the days of the week of a folded text."""
    found = []
    for match in _WEEKDAY.finditer(text):
        name = match[1] or match[2]
        if name.lower() in _ALSO_OTHER_WORDS and not (name.istitle() and len(match[0]) == len(name)):
            continue
        found.append(Weekday(start=match.start(), end=match.end(), text=match[0], number=_WEEKDAYS[name.lower()]))
    return tuple(found)

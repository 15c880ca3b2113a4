"""Dates, times and durations as spreadsheets show them: serial numbers of days, under a format code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from weighbridge.ingest.formats.number_format.calendar_names import CalendarNames
from weighbridge.ingest.formats.number_format.codes import FormatSection, FormatToken

LAST_DAY = 2_958_465
"""The 31st of December 9999, the last day that Excel shows."""
_LEAP_BUG = 60
"""The 29th of February 1900, a day that never was and that Excel shows: Lotus 1-2-3 had it (ECMA-376, 18.17.4.1)."""
_DAYS_1904 = 1_462
"""Between the first days of the two date systems."""
_DAY = 86_400
_FINEST = 3
"""Digits of a second that Excel shows at most."""
_BUDDHIST = 543
_ERAS: tuple[tuple[date, tuple[str, str, str]], ...] = (
    (date(2019, 5, 1), ("R", "令", "令和")),
    (date(1989, 1, 8), ("H", "平", "平成")),
    (date(1926, 12, 25), ("S", "昭", "昭和")),
    (date(1912, 7, 30), ("T", "大", "大正")),
    (date(1868, 1, 1), ("M", "明", "明治")),
)
"""First days and names, in three lengths, of the Japanese eras."""
_ABBREVIATED = 3
_INITIAL = 5
"""Letters in a code for a short name ("mmm") and for a first letter ("mmmmm")."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """The parts of a serial number. Excel has days without a date: the 0th of January 1900, and the leap bug."""

    year: int
    month: int
    day: int
    weekday: int
    days: int
    seconds: Decimal
    """Since midnight, rounded to the digits shown."""


def format_date(serial: Decimal, section: FormatSection, *, date1904: bool = False) -> str | None:
    """Return a serial number of days as a date, a time or a duration.

    None where Excel shows none: before its first day, after its last. A duration may be negative.
    """
    tokens = section.tokens
    elapsed = section.has("elapsed")
    sign = "-" if serial < 0 and elapsed else ""
    moment = _moment(abs(serial) if sign else serial, _second_digits(tokens), date1904=date1904)
    if moment is None:
        return None
    return sign + "".join(_Writer(section, moment).write())


def _second_digits(tokens: Sequence[FormatToken]) -> int:
    """Return how many digits of a second are shown."""
    digits = run = 0
    for token in tokens:
        if token.kind == "digit":
            run += 1
            digits = max(digits, run)
        else:
            run = 0
    return min(digits, _FINEST)


def _moment(serial: Decimal, digits: int, *, date1904: bool) -> _Moment | None:
    """Take a serial number apart. Seconds are rounded to the digits shown, and carry into minutes, hours and days."""
    if not 0 <= serial <= LAST_DAY + 1:
        return None
    seconds = (serial * _DAY).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    days, rest = divmod(seconds, _DAY)
    shown = int(days) + (_DAYS_1904 if date1904 else 0)
    if shown > LAST_DAY:
        return None
    if shown == _LEAP_BUG:
        return _Moment(1900, 2, 29, 2, int(days), rest)
    if shown == 0:
        return _Moment(1900, 1, 0, 5, int(days), rest)
    day = date(1899, 12, 31) + timedelta(days=shown - (shown > _LEAP_BUG))
    weekday = day.weekday() if shown > _LEAP_BUG else (day.weekday() - 1) % 7
    return _Moment(day.year, day.month, day.day, weekday, int(days), rest)


class _Writer:
    """Writes the tokens of one section for one moment."""

    def __init__(self, section: FormatSection, moment: _Moment) -> None:
        tokens = self._tokens = section.tokens
        self._names = section.names
        self._moment = moment
        self._half_days = any(token.kind == "noon" for token in tokens)
        self._counting = {token.text[0] for token in tokens if token.kind == "elapsed"}
        self._era: tuple[date, tuple[str, str, str]] | None = None
        if any(token.text[:1] in "gG" for token in tokens if token.kind == "date"):
            day = (moment.year, moment.month, moment.day)
            self._era = next((era for era in _ERAS if era[0].timetuple()[:3] <= day), None)

    def write(self) -> Iterable[str]:
        """Yield the text of each token."""
        for index, token in enumerate(self._tokens):
            if token.kind == "date":
                yield self._field(token.text.lower(), index)
            elif token.kind == "elapsed":
                yield self._elapsed_time(token.text)
            elif token.kind == "noon":
                short = len(token.text) == len("a/p")
                morning, evening = (token.text if short else token.text.upper()).split("/")
                yield evening if self._moment.seconds >= _DAY // 2 else morning
            elif token.kind == "digit":
                yield self._fraction_digit(index)
            elif token.kind not in {"general", "text"}:
                yield token.text

    def _field(self, text: str, index: int) -> str:
        letter, length = text[0], len(text)
        if letter in self._counting:  # an hour beside hours that count on is the same
            return self._elapsed_time(text)
        if letter == "m" and not self._is_minutes(index):
            return _month(self._moment.month, length, self._names)
        if letter == "d" and length >= _ABBREVIATED:
            names = self._names.days if length > _ABBREVIATED else self._names.short_days
            return names[self._moment.weekday]
        if letter == "g":
            return self._era[1][min(length, 3) - 1] if self._era else ""
        if letter in "yeb":
            return self._year(text)
        seconds = int(self._moment.seconds)
        hour = seconds // 3_600
        numbers = {
            "d": self._moment.day,
            "h": (hour + 11) % 12 + 1 if self._half_days else hour,
            "m": seconds // 60 % 60,
            "s": seconds % 60,
        }
        return str(numbers[letter]).zfill(min(length, 2))

    def _year(self, text: str) -> str:
        if text[0] == "e":
            return str(self._moment.year - self._era[0].year + 1 if self._era else self._moment.year)
        year = self._moment.year + (_BUDDHIST if text[0] == "b" else 0)
        return f"{year % 100:02}" if len(text) < _ABBREVIATED else f"{year:04}"

    def _is_minutes(self, index: int) -> bool:
        """Tell minutes from months: hours stand before them, or seconds after them, or the time counts on."""
        times = [(at, token.text[:1].lower()) for at, token in enumerate(self._tokens) if token.kind in _FIELDS]
        before = [letter for at, letter in times if at < index]
        after = [letter for at, letter in times if at > index]
        return bool(self._counting) or before[-1:] == ["h"] or after[:1] == ["s"]

    def _elapsed_time(self, text: str) -> str:
        seconds = self._moment.days * _DAY + int(self._moment.seconds)
        return str(seconds // {"h": 3_600, "m": 60, "s": 1}[text[0]]).zfill(len(text))

    def _fraction_digit(self, index: int) -> str:
        """Return one digit after the point of the seconds."""
        place = 0
        while index > place and self._tokens[index - place - 1].kind == "digit":
            place += 1
        return f"{self._moment.seconds % 1:.3f}"[2:][place : place + 1] or "0"


_FIELDS = frozenset({"date", "elapsed"})


def _month(month: int, length: int, names: CalendarNames) -> str:
    if length < _ABBREVIATED:
        return str(month).zfill(length)
    if length == _ABBREVIATED:
        return names.short_months[month - 1]
    name = names.months[month - 1]
    return name[0].upper() if length == _INITIAL else name

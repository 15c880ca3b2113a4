"""Finds the period of a document or a sentence: quarters, months and dates, in one normal form.

Two quarterly reports of one company say different things in the same words, and both are right. So documents are
compared with care where their names, their first pages, or the dates all over them show that they are of different
periods. English names of months; ISO dates, years and quarters in any language.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from weighbridge.types import Document

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_YEAR = r"(?:19|20)\d\d"
_MARK = re.compile(
    rf"""(?<![^\W_])(?:
        (?P<iso>{_YEAR}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)(?!\d)
        | (?P<numeric>\d{{1,2}}[./]\d{{1,2}}[./]{_YEAR})
        | (?P<month>{_MONTH})[ ]+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:[ ]?,?[ ]*(?P<of>{_YEAR}))?(?!\d)
        | (?P<day_before>\d{{1,2}})(?:st|nd|rd|th)?[ ]+(?P<month_after>{_MONTH})(?:[ ]?,?[ ]*(?P<of_after>{_YEAR}))?
        | (?P<month_alone>{_MONTH})[ ,_-]+(?P<of_month>{_YEAR})
        | (?P<year_first>{_YEAR})[ _-]?q(?P<quarter_after>[1-4])
        | q(?P<quarter>[1-4])(?:[ _/-]*(?:fy)?['\u2019]?(?P<of_quarter>(?:20)?\d\d))?(?![^\W_])
        | (?P<ordinal>first|second|third|fourth)[ ]+quarter
        | fy[ _]?['\u2019]?(?P<fiscal>(?:20)?\d\d)(?![^\W_])
        | (?P<year>{_YEAR})(?![^\W_])
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_ORDINALS = {"first": "q1", "second": "q2", "third": "q3", "fourth": "q4"}
_DAY_LENGTH = len("2026-01-31")
_ENDS = re.compile(
    r"\b(?:period|quarter|half|year|months?|weeks?)\s+(?:then\s+)?end(?:ed|ing|s)?:?\s+|\bas\s+(?:of|at)\s+"
    r"|\bfiscal\s+(?:year\s+)?",
    re.IGNORECASE,
)
_FIRST_PAGE, _BEGINNING = 3000, 20_000
"""Where a report states its period, and how much of it is looked through for dates, in characters."""
_FEWEST_DATES, _SHARED_DATES = 6, 0.5
"""Two documents with six dates each are of different periods where less than half of their dates are the same.
Quarterly and annual reports of one company share 0.1 to 0.47 (the dates of the year before); versions of one text
nearly all."""


def period_marks(text: str, start: int = 0, end: int | None = None) -> Counter[str]:
    """Count the dates, months, quarters and years in a text: ``2026-03-31``, ``03-31``, ``2026-q1``, ``2026``."""
    found = _MARK.finditer(text, start, len(text) if end is None else end)
    return Counter(_normal(mark) for mark in found)


def name_a_year(marks: Iterable[str]) -> bool:
    """Tell whether one of these marks names its year."""
    return any(mark[:2] in {"19", "20"} and mark[2:4].isdigit() for mark in marks)


def _normal(mark: re.Match[str]) -> str:
    if mark["month"] or mark["month_after"]:
        month, day = mark["month"] or mark["month_after"], mark["day"] or mark["day_before"]
        year = mark["of"] or mark["of_after"]
        return f"{year}-{_number(month)}-{int(day):02}" if year else f"{_number(month)}-{int(day):02}"
    if mark["month_alone"]:
        return f"{mark['of_month']}-{_number(mark['month_alone'])}"
    if mark["quarter"] or mark["quarter_after"]:
        year = mark["year_first"] or mark["of_quarter"]
        quarter = f"q{mark['quarter'] or mark['quarter_after']}"
        return f"{_century(year)}-{quarter}" if year else quarter
    if mark["ordinal"]:
        return _ORDINALS[mark["ordinal"].casefold()]
    return _century(mark["fiscal"]) if mark["fiscal"] else mark.group()


def _number(month: str) -> str:
    return f"{_MONTHS.index(month[:3].casefold()) + 1:02}"


def _century(year: str) -> str:
    return year if len(year) == len("2026") else f"20{year}"


@dataclass(frozen=True)
class Period:
    """The signs of a document's period; each is looked for when it is first needed."""

    document: Document

    @cached_property
    def name_dates(self) -> frozenset[str]:
        """Dates in the title and the file's name; of its folders no days: these date a copy.

        The year of a quarter is left out, as the quarter names it.
        """
        *folders, name = re.split(r"[\\/]", self.document.id)
        above = (mark for mark in period_marks(" / ".join(folders)) if len(mark) < _DAY_LENGTH)
        marks = {*period_marks(name), *period_marks(self.document.title), *above}
        return frozenset(mark for mark in marks if not any(mark in other and mark != other for other in marks))

    @cached_property
    def end_date(self) -> str:
        """The first date on the first page that a period ends with; empty where there is none."""
        for cue in _ENDS.finditer(self.document.text, 0, _FIRST_PAGE):
            mark = _MARK.match(self.document.text, cue.end())
            if mark and name_a_year([_normal(mark)]):
                return _normal(mark)
        return ""

    @cached_property
    def dates(self) -> Counter[str]:
        """How often the beginning of the document names each date, month and year."""
        return period_marks(self.document.text, 0, min(len(self.document.text), _BEGINNING))

    @cached_property
    def order(self) -> str:
        """The latest date that the names or the first page state, to put documents in the order of time; maybe none."""
        return max((mark for mark in (*self.name_dates, self.end_date) if name_a_year([mark])), default="")

    def differs(self, other: "Period", *, ignore_days: bool = False) -> bool:
        """Tell whether two documents are of different periods.

        `ignore_days`: days in their names are when each version was written.
        """
        mine, theirs = self.name_dates, other.name_dates
        if ignore_days:
            mine, theirs = _without_days(mine), _without_days(theirs)
        if mine and theirs:
            return mine != theirs
        if self.end_date and other.end_date and not ignore_days:
            return self.end_date != other.end_date
        if min(self.dates.total(), other.dates.total()) < _FEWEST_DATES:
            return False
        shared = (self.dates & other.dates).total()
        return shared < _SHARED_DATES * (self.dates | other.dates).total()


def _without_days(marks: frozenset[str]) -> frozenset[str]:
    return frozenset(mark for mark in marks if len(mark) < _DAY_LENGTH)

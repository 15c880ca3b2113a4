"""The settings under `plan:` in `weighbridge.yaml`: the calendar and the people of a roll-out."""

import difflib
import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from weighbridge.settings.sources import Section

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Less than 0.05 of a person would give a task of a week more than two years.
_LEAST = 0.05

People = Annotated[float, Field(ge=0, le=1000)]


def parse_working_days(text: str) -> tuple[int, ...]:
    """Return the days of a working week, 0 for Monday, from a text like `mon-fri`, `sun-thu` or `mon, wed-fri`.

    Raises:
        ValueError: a day is unknown, or there is none.
    """
    days: set[int] = set()
    for part in filter(None, re.split(r"[\s,]+", re.sub(r"\s*-\s*", "-", text.strip().casefold()))):
        first, dash, last = part.partition("-")
        start = _weekday(first)
        length = (_weekday(last) - start) % 7 if dash else 0
        days.update((start + step) % 7 for step in range(length + 1))
    if not days:
        raise ValueError("names no day; give at least one, like mon-fri or sun-thu")
    return tuple(sorted(days))


def _weekday(name: str) -> int:
    for names in (WEEKDAYS, _FULL_NAMES):
        if name in names:
            return names.index(name)
    close = difflib.get_close_matches(name, (*WEEKDAYS, *_FULL_NAMES), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(WEEKDAYS)}"
    raise ValueError(f"unknown weekday {name!r}{hint}")


class TeamSettings(Section):
    """People by role. 0.5 is somebody for half of the time; 0 hands the work to a related role."""

    product_owner: People = 0.5
    """Needs, targets and the users."""
    engineer: People = 1.0
    """The application and its connection."""
    ml_engineer: People = 1.0
    """Search, prompts and training."""
    domain_expert: People = 0.5
    """Documents, questions and their answers."""
    operations: People = 0.5
    """Machines, deployment and alarms."""
    security: People = 0.25
    """Access, data protection and licences."""

    @model_validator(mode="after")
    def _somebody_works(self) -> Self:
        numbers = [getattr(self, name) for name in type(self).model_fields]
        if not any(numbers):
            raise ValueError("nobody works; give at least one role a number above 0")
        if few := next((number for number in numbers if 0 < number < _LEAST), None):
            raise ValueError(f"{few:g} of a person is too little to plan with; give 0, or {_LEAST:g} and more")
        return self


class RolloutSettings(Section):
    """The calendar and the people of `weighbridge plan`."""

    start: date | None = None
    """The first day, like 2027-01-11. Empty: the next Monday."""
    holidays: tuple[date, ...] = ()
    """Days without work, like [2026-12-25, 2027-01-01]."""
    working_days: str = "mon-fri"
    """The working week: mon-fri, sun-thu, or days like mon, wed."""
    # Six of eight: about two hours of a working day go to meetings, mail and other work.
    hours_per_day: Annotated[float, Field(ge=0.5, le=24)] = 6.0
    """Hours of a day that a person has for the plan."""
    people: TeamSettings = TeamSettings()

    @field_validator("working_days")
    @classmethod
    def _are_days(cls, text: str) -> str:
        parse_working_days(text)
        return text

    @property
    def weekdays(self) -> Sequence[int]:
        """The working week as numbers, 0 for Monday."""
        return parse_working_days(self.working_days)

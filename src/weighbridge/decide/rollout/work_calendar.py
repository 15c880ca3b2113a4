"""The work days of a plan: the working week without the holidays, from a first day that is not in the past."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from weighbridge.errors import SettingsError
from weighbridge.settings.rollout import RolloutSettings

MONDAY = 0
_FURTHEST = 3660
"""The most days ahead that a plan may begin, ten years: a later date is a slip of the pen, like 2206 for 2026."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """A working week, as numbers of weekdays (0 for Monday), and the days without work."""

    weekdays: frozenset[int]
    holidays: frozenset[date] = frozenset()

    def is_work_day(self, day: date) -> bool:
        """Tell whether people work on a day."""
        return day.weekday() in self.weekdays and day not in self.holidays

    def first_from(self, day: date) -> date:
        """Return the day itself if it is a work day, else the next one."""
        return next(self.work_days(day))

    def work_days(self, day: date) -> Iterator[date]:
        """Yield the work days from a day on, without end."""
        while True:
            if self.is_work_day(day):
                yield day
            day += timedelta(days=1)

    def between(self, first: date, last: date) -> tuple[date, ...]:
        """Return the work days of a span, both ends included."""
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return tuple(day for day in days if self.is_work_day(day))


def work_calendar(settings: RolloutSettings, holidays: Iterable[date] = ()) -> WorkCalendar:
    """Return the calendar of the settings, with more holidays."""
    return WorkCalendar(weekdays=frozenset(settings.weekdays), holidays=frozenset((*settings.holidays, *holidays)))


def first_day(settings: RolloutSettings, calendar: WorkCalendar, *, today: date, start: date | None = None) -> date:
    """Return the first work day of a plan: from `start`, else from that of the settings, else from the next Monday.

    Raises:
        SettingsError: the start is in the past, or more than ten years ahead.
    """
    wanted = start or settings.start
    if wanted is None:
        return calendar.first_from(today + timedelta(days=7 - (today.weekday() - MONDAY) % 7))
    place = "--start" if start else "weighbridge.yaml: plan.start"
    if wanted < today:
        raise SettingsError(f"{place}: {wanted} is in the past, today is {today}; give today or a later date")
    if (wanted - today).days > _FURTHEST:
        raise SettingsError(f"{place}: {wanted} is more than ten years ahead; check the year")
    return calendar.first_from(wanted)

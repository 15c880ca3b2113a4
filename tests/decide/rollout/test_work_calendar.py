"""The calendar: work days only, from a start that is not in the past."""

from datetime import date, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.rollout.work_calendar import WorkCalendar, first_day, work_calendar
from weighbridge.errors import SettingsError
from weighbridge.settings.rollout import RolloutSettings, parse_working_days

dates = st.dates(date(2024, 1, 1), date(2030, 12, 31))
weeks = st.frozensets(st.integers(0, 6), min_size=1)


@given(weeks, st.frozensets(dates, max_size=20), dates)
def test_work_days_are_all_the_days_of_the_week_that_are_no_holidays(
    weekdays: frozenset[int], holidays: frozenset[date], day: date
) -> None:
    calendar = WorkCalendar(weekdays=weekdays, holidays=holidays)
    found = list(islice(calendar.work_days(day), 12))
    span = [day + timedelta(days=n) for n in range((found[-1] - day).days + 1)]
    assert found == [one for one in span if one.weekday() in weekdays and one not in holidays]
    assert calendar.first_from(day) == found[0]
    assert calendar.between(day, found[-1]) == tuple(found)


@given(dates)
def test_by_default_a_plan_starts_on_the_next_monday_never_today(today: date) -> None:
    settings = RolloutSettings()
    start = first_day(settings, work_calendar(settings), today=today)
    assert start.weekday() == 0
    assert 1 <= (start - today).days <= 7


def test_a_monday_off_moves_the_start_to_the_next_work_day() -> None:
    settings = RolloutSettings(holidays=(date(2026, 12, 7),))
    start = first_day(settings, work_calendar(settings, [date(2026, 12, 8)]), today=date(2026, 12, 1))
    assert start == date(2026, 12, 9)


def test_the_start_of_the_command_goes_before_that_of_the_settings() -> None:
    settings = RolloutSettings(start=date(2027, 1, 4))
    calendar = work_calendar(settings)
    today = date(2026, 12, 1)
    assert first_day(settings, calendar, today=today) == date(2027, 1, 4)
    assert first_day(settings, calendar, today=today, start=date(2027, 2, 1)) == date(2027, 2, 1)
    assert first_day(settings, calendar, today=date(2027, 1, 4)) == date(2027, 1, 4)


@pytest.mark.parametrize(
    ("given_by", "sentence"),
    [
        (RolloutSettings(start=date(2026, 11, 30)), "weighbridge.yaml: plan.start: 2026-11-30 is in the past, today"),
        (RolloutSettings(start=date(2206, 1, 1)), "more than ten years ahead; check the year"),
    ],
)
def test_a_start_in_the_past_or_in_another_age_is_refused(given_by: RolloutSettings, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        first_day(given_by, work_calendar(given_by), today=date(2026, 12, 1))


def test_a_refused_start_names_the_option_that_gave_it() -> None:
    settings = RolloutSettings()
    with pytest.raises(SettingsError, match=r"^--start: 2026-11-30 is in the past"):
        first_day(settings, work_calendar(settings), today=date(2026, 12, 1), start=date(2026, 11, 30))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sun-thu", (0, 1, 2, 3, 6)),
        ("Mon, wed-Fri", (0, 2, 3, 4)),
        ("monday - thursday sat", (0, 1, 2, 3, 5)),
        ("wed", (2,)),
        ("tue-mon", (0, 1, 2, 3, 4, 5, 6)),
        ("fri-fri", (4,)),
    ],
)
def test_a_working_week_is_read(text: str, days: tuple[int, ...]) -> None:
    assert parse_working_days(text) == days


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no day"),
        (" , ", "names no day"),
        ("mon-fro", "unknown weekday 'fro'; did you mean 'fri'"),
        ("lundi", "unknown weekday 'lundi'"),
        ("mon-", "unknown weekday ''; known are mon, tue, wed, thu, fri, sat, sun"),
    ],
)
def test_a_working_week_that_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_working_days(text)

"""A plan for spreadsheets and calendars: tasks as CSV, and all-day events that a second import does not double."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from weighbridge.decide.rollout.rollout_plan import Phase, RolloutPlan, RolloutTask
from weighbridge.errors import MissingExtraError
from weighbridge.fingerprint import fingerprint
from weighbridge.formatting import NB
from weighbridge.report.rollout.plan_words import REVIEW, gate_words, hours_words, kpi_cells, plan_currency, work_runs
from weighbridge.report.safe_text import one_line
from weighbridge.settings.rollout import WEEKDAYS

if TYPE_CHECKING:
    from icalendar import Event

HEADS = ("id", "phase", "phase title", "task", "detail", "owner", "hours", "start", "end", "because of", "figure")
_FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
"""First characters of a formula in spreadsheets, the full-width ones too (OWASP, CSV injection)."""
_FIRST_DAY = date(2026, 1, 1)
"""The day from which plans are numbered: a later plan has a higher sequence, so that it replaces an earlier one."""


def plan_csv(plan: RolloutPlan) -> str:
    """Return a row for each task. It begins with a byte order mark, without which Excel takes UTF-8 for Latin."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(HEADS)
    titles = {phase.number: phase.title for phase in plan.phases}
    for task in plan.tasks:
        cells = (
            task.key,
            str(task.phase),
            titles[task.phase],
            task.title,
            task.detail,
            task.role,
            f"{task.hours:g}",
            task.start.isoformat(),
            task.end.isoformat(),
            task.basis.words,
            task.basis.figure,
        )
        writer.writerow(map(safe_cell, cells))
    return f"\N{BYTE ORDER MARK}{file.getvalue()}"


def safe_cell(text: str) -> str:
    """Return a text on one line that no spreadsheet takes for a formula: an apostrophe stands before one."""
    line = one_line(text).replace(NB, " ")
    return f"'{line}" if line and line[0] in _FORMULA else line


def plan_calendar(plan: RolloutPlan) -> str:
    """Return the calendar: an event for each task, each end of a phase, and the review.

    A task that a weekend or a holiday interrupts is one event that repeats daily, without the days off.

    Raises:
        MissingExtraError: icalendar is not installed.
    """
    try:
        from icalendar import Calendar
    except ImportError:
        raise MissingExtraError("a plan as an iCalendar file", "calendar") from None
    calendar = Calendar()
    calendar.add("prodid", "-//Weighbridge//weighbridge plan//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    name = _line(f"Roll-out of {plan.strategy}: {plan.name}")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    for task in plan.tasks:
        calendar.add_component(_task_event(task, plan))
    for phase in plan.phases:
        calendar.add_component(_gate_event(phase, plan))
    targets = "\n".join(f"{kpi.label}: {kpi_cells(kpi)[0]}, alarm {kpi_cells(kpi)[1]}" for kpi in plan.kpis)
    review = _event("review", f"{REVIEW}: {plan.strategy}", targets, plan)
    _add_days(review, plan.review, plan.review)
    calendar.add_component(review)
    return str(calendar.to_ical(), "utf-8")


def _task_event(task: RolloutTask, plan: RolloutPlan) -> "Event":
    told = f"{task.detail}\nOwner: {task.role}, {hours_words(task.hours)}\nBecause of: {task.basis.words}"
    event = _event(task.key, task.title, told, plan)
    event.add("categories", [f"Phase {task.phase}", task.role])
    runs = work_runs(task, plan)
    if len(runs) == 1:
        _add_days(event, *runs[0])
        return event
    _add_days(event, task.start, task.start)
    days = [WEEKDAYS[day][:2].upper() for day in plan.working_days]
    event.add("rrule", {"freq": "daily", "until": task.end, "byday": days})
    for holiday in plan.holidays:
        if task.start < holiday < task.end:
            event.add("exdate", holiday, parameters={"value": "DATE"})
    return event


def _gate_event(phase: Phase, plan: RolloutPlan) -> "Event":
    """Return an event on the last day of a phase, with the gates that must be open then."""
    currency = plan_currency(plan)
    told = "\n".join(f"- {gate_words(gate, currency)}" for gate in phase.exit)
    event = _event(f"gate-{phase.number}", f"End of phase {phase.number}, {phase.title}: hold its gates", told, plan)
    event.add("categories", [f"Phase {phase.number}", "gate"])
    _add_days(event, phase.end, phase.end)
    return event


def _event(key: str, title: str, told: str, plan: RolloutPlan) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{key}.{fingerprint(plan.name)[:12]}@weighbridge")
    event.add("sequence", max(0, (plan.made_on - _FIRST_DAY).days))
    # No clock: the same plan gives the same bytes.
    event.add("dtstamp", datetime(plan.made_on.year, plan.made_on.month, plan.made_on.day, tzinfo=UTC))
    event.add("summary", _line(title))
    event.add("description", "\n".join(_lines(told)))
    event.add("transp", "TRANSPARENT")
    return event


def _add_days(event: "Event", first: date, last: date) -> None:
    """Set an event to whole days. Its end is the day after the last, as RFC 5545 counts."""
    event.add("dtstart", first)
    event.add("dtend", last + timedelta(days=1))


def _line(text: str) -> str:
    return one_line(text).replace(NB, " ")


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield _line(line)

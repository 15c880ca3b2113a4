"""A Gantt chart as inline SVG: one picture of all phases, and one of each phase with its tasks.

Each picture is narrow enough for a phone and short enough for a page of paper. A bar has a class for its role; the
role stands beside it in words too. Bars are drawn on work days only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from textwrap import wrap

from markupsafe import Markup, escape

from weighbridge.decide.rollout.rollout_plan import Phase, Role, RolloutPlan, RolloutTask
from weighbridge.formatting import write_day
from weighbridge.report.rollout.plan_words import REVIEW, hours_words, span, weeks_of, work_runs
from weighbridge.report.safe_text import clip, one_line

WIDTH = 440
_LEFT, _RIGHT = 4, WIDTH - 4
_LINE, _BAR, _GAP, _AXIS = 14, 8, 9, 20
# Measured in DejaVu Sans, the widest of the usual fonts: our titles have 73 to 81 letters of 11 pixels a line.
_LETTERS, _LETTERS_OF_BOTH = 66, 70
_TITLE_LINES = 2
_TICK = 46
"""The least pixels between two dates on the axis: the width of ``28 Dec`` and a space."""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A picture without its frame: its parts, and how high it is."""

    parts: tuple[str, ...]
    height: int


@dataclass(frozen=True, slots=True)
class _DayAxis:
    """A span of days along the width, each day as wide as the next."""

    first: date
    last: date

    def at(self, day: date) -> float:
        """Return where a day begins."""
        days = (self.last - self.first).days + 1
        return _LEFT + (_RIGHT - _LEFT) * (day - self.first).days / days

    def box(self, first: date, last: date, y: int, height: int) -> str:
        """Return the place of a rectangle over whole days."""
        left, right = self.at(first), self.at(last + timedelta(days=1))
        return f'x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{height}"'


def gantt(plan: RolloutPlan) -> Markup:
    """Return the chart for a page that holds the rules of `gantt_style`: an overview, then a picture of each phase."""
    pictures = [
        _frame(_overview(plan), "gantt-0", f"The phases of the roll-out of {plan.strategy}", _tell_phases(plan))
    ]
    for phase in plan.phases:
        title = f"Phase {phase.number}, {phase.title}: {span(phase.start, phase.end)}"
        pictures.append(_frame(_draw_phase(phase, plan), f"gantt-{phase.number}", title, _tell_tasks(phase)))
    return Markup(f'<div class="gantt-pictures">{"".join(pictures)}</div>')  # noqa: S704 - every text in it is escaped


def gantt_file(plan: RolloutPlan) -> str:
    """Return the chart as one SVG file with its own style, without script."""
    drawings = [_overview(plan), *(_draw_phase(phase, plan) for phase in plan.phases)]
    top, groups = 8, []
    for drawing in drawings:
        groups.append(f'<g transform="translate(0 {top})">{"".join(drawing.parts)}</g>')
        top += drawing.height + 12
    title = escape(one_line(f"Roll-out of {plan.strategy}: {plan.name}"))
    told = " ".join(_tell_tasks(phase) for phase in plan.phases)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" class="gantt" viewBox="0 0 {WIDTH} {top}" width="{2 * WIDTH}" '
        f'height="{2 * top}" role="img" aria-label="{title}">'
        f"<title>{title}</title><desc>{escape(told)}</desc><style>{gantt_style()}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{top}"/>{"".join(groups)}</svg>\n'
    )


def gantt_style() -> str:
    """Return the rules that the chart needs, for the style of a page."""
    return (files("weighbridge.report") / "templates" / "gantt.css").read_text(encoding="utf-8").strip()


def _frame(drawing: _Drawing, name: str, title: str, told: str) -> str:
    label = escape(one_line(title))
    return (
        f'<svg class="gantt" viewBox="0 0 {WIDTH} {drawing.height}" role="img" aria-label="{label}" '
        f'aria-describedby="{name}-told"><title>{label}</title><desc id="{name}-told">{escape(told)}</desc>'
        f"{''.join(drawing.parts)}</svg>"
    )


def _overview(plan: RolloutPlan) -> _Drawing:
    """Draw a bar for each phase, and a diamond for the review."""
    axis = _DayAxis(plan.start, plan.review)
    parts, y = _axis(axis, [phase.start for phase in plan.phases]), _AXIS
    for phase in plan.phases:
        beside = f"{weeks_of(phase)}, {hours_words(sum(phase.hours.values()))}"
        parts += _row_text(f"{phase.number} {phase.title}", beside, y, strong=True)
        y += _LINE
        parts.append(f'<rect class="phase" {axis.box(phase.start, phase.end, y, _BAR)} rx="2"/>')
        y += _BAR + _GAP
    parts += _row_text(REVIEW, write_day(plan.review), y, strong=True)
    y += _LINE
    x, half = axis.at(plan.review) + (axis.at(plan.review) - axis.at(plan.review - timedelta(days=1))) / 2, _BAR / 2
    x = min(x, _RIGHT - half)
    parts.append(f'<path class="review" d="M{x:.1f} {y}l{half} {half}l-{half} {half}l-{half} -{half}z"/>')
    return _Drawing(tuple(parts), y + _BAR + _GAP)


def _draw_phase(phase: Phase, plan: RolloutPlan) -> _Drawing:
    axis = _DayAxis(phase.start, phase.end)
    parts = _row_text(f"{phase.number} {phase.title}", span(phase.start, phase.end), 0, strong=True)
    rows: list[str] = []
    y = _LINE + _AXIS + 4
    for task in phase.tasks:
        beside = f"{task.role}, {hours_words(task.hours)}"
        lines = wrap(clip(one_line(task.title), _LETTERS * _TITLE_LINES - 2), _LETTERS)
        if len(lines[-1]) + len(beside) <= _LETTERS_OF_BOTH:
            for line in lines[:-1]:
                rows += _row_text(line, "", y)
                y += _LINE
            rows += _row_text(lines[-1], beside, y)
        else:
            for line in lines:
                rows += _row_text(line, "", y)
                y += _LINE
            rows += _row_text("", beside, y)
        y += _LINE
        rows += _bars(task, plan, axis, y)
        y += _BAR + _GAP
    weeks = [phase.start, *(day for day in _days(axis) if day.weekday() == 0 and day != phase.start)]
    off = [
        f'<rect class="off" {axis.box(day, day, _LINE + _AXIS, y - _LINE - _AXIS)}/>'
        for day in _days(axis)
        if day.weekday() not in plan.working_days or day in plan.holidays
    ]
    ticks = _axis(axis, weeks, top=_LINE)
    return _Drawing((*parts, *off, *ticks, *rows), y)


def _bars(task: RolloutTask, plan: RolloutPlan, axis: _DayAxis, y: int) -> list[str]:
    """Draw a task as one bar for each stretch of work days."""
    style = _role_class(task.role)
    return [
        f'<rect class="task {style}" {axis.box(first, last, y, _BAR)} rx="2"/>' for first, last in work_runs(task, plan)
    ]


def _axis(axis: _DayAxis, days: Sequence[date], *, top: int = 0) -> list[str]:
    """Draw dates with a short line below each; one too close to the date before it has a line alone."""
    parts, last = [], float("-inf")
    for day in days:
        x = axis.at(day)
        parts.append(f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 13}" y2="{top + 17}"/>')
        if x - last >= _TICK and x <= _RIGHT - _TICK:
            words = write_day(day, year=False)
            parts.append(f'<text class="date" x="{x:.1f}" y="{top + 10}">{escape(words)}</text>')
            last = x
    return parts


def _row_text(left: str, right: str, y: int, *, strong: bool = False) -> list[str]:
    """Write a text at the left end of a line, and one at its right end."""
    style = "strong" if strong else "title"
    parts = [f'<text class="{style}" x="{_LEFT}" y="{y + 10}">{escape(left)}</text>'] if left else []
    if right:
        parts.append(f'<text class="beside" x="{_RIGHT}" y="{y + 10}" text-anchor="end">{escape(right)}</text>')
    return parts


def _days(axis: _DayAxis) -> list[date]:
    return [axis.first + timedelta(days=number) for number in range((axis.last - axis.first).days + 1)]


def _role_class(role: Role) -> str:
    return f"role-{role.lower().replace(' ', '-')}"


def _tell_phases(plan: RolloutPlan) -> str:
    """Return the overview in words, for those who hear it."""
    phases = "; ".join(f"{phase.number} {phase.title}, {span(phase.start, phase.end)}" for phase in plan.phases)
    return one_line(f"{phases}; {REVIEW.lower()} on {write_day(plan.review)}.")


def _tell_tasks(phase: Phase) -> str:
    tasks = "; ".join(
        f"{task.title}: {task.role}, {hours_words(task.hours)}, {span(task.start, task.end)}" for task in phase.tasks
    )
    return one_line(f"{tasks}.")

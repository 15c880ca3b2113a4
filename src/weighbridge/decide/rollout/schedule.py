"""Gives each task its days: the tasks of a role one after another, those of different roles at the same time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from weighbridge.decide.rollout.rollout_plan import Basis, Role, RolloutTask
from weighbridge.decide.rollout.work_calendar import WorkCalendar
from weighbridge.settings.rollout import RolloutSettings, TeamSettings

WEEKS_A_PHASE = 2
STAND_INS: Mapping[Role, Sequence[Role]] = {
    "product owner": ("domain expert", "engineer", "ML engineer", "operations", "security"),
    "engineer": ("ML engineer", "operations", "security", "domain expert", "product owner"),
    "ML engineer": ("engineer", "operations", "security", "domain expert", "product owner"),
    "domain expert": ("product owner", "engineer", "ML engineer", "operations", "security"),
    "operations": ("engineer", "ML engineer", "security", "domain expert", "product owner"),
    "security": ("operations", "engineer", "ML engineer", "product owner", "domain expert"),
}
"""The roles that take the work of one that nobody has, the nearest by skills first."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDraft:
    """A task without its days. `phase` is 1 to 6."""

    key: str
    phase: int
    role: Role
    hours: float
    title: str
    detail: str
    basis: Basis
    after: tuple[str, ...] = ()
    """Keys of tasks of the same phase, listed before this one, that end first. A key without a task is ignored."""
    least_days: int = 1
    """Work days that it takes even if its hours are fewer: a pilot waits for its users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledPhase:
    """The tasks of a phase on their days, and its work days. `role` is the one that needs more than two weeks."""

    days: tuple[date, ...]
    tasks: tuple[RolloutTask, ...]
    longest: Role | None = None
    """The role that makes the phase longer than two weeks; None where all work fits."""


def people_of(role: Role, team: TeamSettings) -> float:
    """Return the people of a role, as the settings name it."""
    return float(getattr(team, role.lower().replace(" ", "_")))


def assigned_role(role: Role, team: TeamSettings) -> Role:
    """Return the role that does the work: the role itself, or the nearest one that somebody has."""
    return next(one for one in (role, *STAND_INS[role]) if people_of(one, team) > 0)


def schedule_phases(
    drafts: Sequence[TaskDraft], start: date, calendar: WorkCalendar, settings: RolloutSettings
) -> tuple[ScheduledPhase, ...]:
    """Return the phases, one after another from the first work day on.

    A phase has the work days of two weeks. It has more where the work of one role does not fit into these.
    """
    phases = []
    for number in range(1, 1 + max(draft.phase for draft in drafts)):
        mine = [draft for draft in drafts if draft.phase == number]
        phases.append(_schedule_phase(mine, start, calendar, settings))
        start = calendar.first_from(phases[-1].days[-1] + timedelta(days=1))
    return tuple(phases)


def _schedule_phase(
    drafts: Sequence[TaskDraft], start: date, calendar: WorkCalendar, settings: RolloutSettings
) -> ScheduledPhase:
    usual = WEEKS_A_PHASE * len(calendar.weekdays)
    # Time is counted in work days from the start of the phase; two short tasks of one person can share a day.
    free: dict[Role, float] = {}
    ends: dict[str, int] = {}
    spans: list[tuple[TaskDraft, Role, int, int]] = []
    for draft in drafts:
        role = assigned_role(draft.role, settings.people)
        ready = max((ends[key] + 1 for key in draft.after if key in ends), default=0)
        begin = max(free.get(role, 0.0), ready)
        first = math.floor(begin + _ROUNDING)
        free[role] = begin + draft.hours / (people_of(role, settings.people) * settings.hours_per_day)
        if draft.least_days > 1 and free[role] - first < draft.least_days:
            free[role] = first + draft.least_days
        ends[draft.key] = max(first, math.ceil(free[role] - _ROUNDING) - 1)
        spans.append((draft, role, first, ends[draft.key]))
    needed = max((last + 1 for _, _, _, last in spans), default=0)
    longest = max(free.items(), key=lambda item: item[1])[0] if needed > usual else None
    days = tuple(islice(calendar.work_days(start), max(usual, needed)))
    tasks = [
        RolloutTask(
            key=draft.key,
            title=draft.title,
            detail=draft.detail,
            phase=draft.phase,
            role=role,
            hours=draft.hours,
            basis=draft.basis,
            start=days[first],
            end=days[last],
        )
        for draft, role, first, last in spans
    ]
    tasks.sort(key=lambda task: task.start)
    return ScheduledPhase(days=days, tasks=tuple(tasks), longest=longest)

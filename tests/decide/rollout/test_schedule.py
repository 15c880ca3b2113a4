"""The schedule: every task on work days of its phase, a role's tasks in order, and nobody beyond their hours."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.rollout.rollout_plan import Basis, Role
from weighbridge.decide.rollout.schedule import (
    STAND_INS,
    WEEKS_A_PHASE,
    TaskDraft,
    assigned_role,
    people_of,
    schedule_phases,
)
from weighbridge.decide.rollout.work_calendar import WorkCalendar
from weighbridge.settings.rollout import RolloutSettings, TeamSettings

ROLES: Sequence[Role] = tuple(STAND_INS)
START = date(2026, 12, 7)
BASIS = Basis(figure="questions", words="12 test questions were asked")


def draft(
    key: str, *, phase: int = 1, role: Role = "engineer", hours: float = 6, after: tuple[str, ...] = (), least: int = 1
) -> TaskDraft:
    return TaskDraft(
        key=key, phase=phase, role=role, hours=hours, title=key, detail="", basis=BASIS, after=after, least_days=least
    )


@st.composite
def drafts(draw: st.DrawFn) -> list[TaskDraft]:
    made: list[TaskDraft] = []
    for number in range(draw(st.integers(1, 12))):
        phase = draw(st.integers(1, 3))
        before = [one.key for one in made if one.phase == phase]
        after = tuple(draw(st.sets(st.sampled_from(before), max_size=2))) if before else ()
        role, hours = draw(st.sampled_from(ROLES)), draw(st.integers(1, 80)) / 2
        made.append(
            draft(f"t{number}", phase=phase, role=role, hours=hours, after=after, least=draw(st.integers(1, 4)))
        )
    return made


people = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])
teams = (
    st.fixed_dictionaries(dict.fromkeys(TeamSettings.model_fields, people))
    .filter(lambda numbers: any(numbers.values()))
    .map(lambda numbers: TeamSettings(**numbers))
)
calendars = st.builds(
    WorkCalendar,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    holidays=st.frozensets(st.dates(date(2026, 12, 1), date(2027, 3, 1)), max_size=30),
)


@given(drafts(), teams, calendars, st.sampled_from([4.0, 6.0, 7.5]))
def test_every_task_lies_on_work_days_of_its_phase_and_in_order(
    given_drafts: list[TaskDraft], team: TeamSettings, calendar: WorkCalendar, hours: float
) -> None:
    settings = RolloutSettings(people=team, hours_per_day=hours)
    phases = schedule_phases(given_drafts, START, calendar, settings)
    tasks = {task.key: task for phase in phases for task in phase.tasks}
    assert tasks.keys() == {one.key for one in given_drafts}
    for number, phase in enumerate(phases, start=1):
        assert all(map(calendar.is_work_day, phase.days))
        assert list(phase.days) == sorted(set(phase.days))
        assert len(phase.days) >= WEEKS_A_PHASE * len(calendar.weekdays)
        assert (phase.longest is not None) == (len(phase.days) > WEEKS_A_PHASE * len(calendar.weekdays))
        for task in phase.tasks:
            assert task.phase == number
            assert task.start in phase.days
            assert task.end in phase.days
            assert task.start <= task.end
            assert people_of(task.role, team) > 0
    for earlier, later in pairwise(phases):
        assert earlier.days[-1] < later.days[0]
    for one in given_drafts:
        mine = tasks[one.key]
        assert len(calendar.between(mine.start, mine.end)) >= one.least_days
        for key in one.after:
            assert tasks[key].end < mine.start


@given(drafts(), teams, calendars)
def test_nobody_works_more_than_their_hours(
    given_drafts: list[TaskDraft], team: TeamSettings, calendar: WorkCalendar
) -> None:
    """Up to the end of each task, a role has no more hours behind it than its days hold."""
    settings = RolloutSettings(people=team)
    for phase in schedule_phases(given_drafts, START, calendar, settings):
        done: defaultdict[Role, float] = defaultdict(float)
        last: dict[Role, date] = {}
        place = {day: number for number, day in enumerate(phase.days)}
        for one in (d for d in given_drafts if d.key in {task.key for task in phase.tasks}):
            task = next(task for task in phase.tasks if task.key == one.key)
            done[task.role] += task.hours
            a_day = people_of(task.role, team) * settings.hours_per_day
            assert done[task.role] <= (place[task.end] + 1) * a_day + 1e-6
            assert task.start >= last.get(task.role, task.start)
            last[task.role] = task.end


def test_short_tasks_of_one_person_share_a_day() -> None:
    calendar = WorkCalendar(weekdays=frozenset(range(5)))
    (phase,) = schedule_phases([draft("a", hours=3), draft("b", hours=3), draft("c", hours=1)], START, calendar,
                               RolloutSettings())  # fmt: skip
    assert [(task.start, task.end) for task in phase.tasks] == [
        (START, START),
        (START, START),
        (date(2026, 12, 8), date(2026, 12, 8)),
    ]


def test_work_of_a_role_that_nobody_has_goes_to_the_nearest() -> None:
    assert assigned_role("ML engineer", TeamSettings()) == "ML engineer"
    assert assigned_role("ML engineer", TeamSettings(ml_engineer=0)) == "engineer"
    alone = TeamSettings(**dict.fromkeys(TeamSettings.model_fields, 0) | {"operations": 1})
    assert {assigned_role(role, alone) for role in ROLES} == {"operations"}

"""Makes a roll-out plan from saved measurements, the decision, the needs and the calendar. Pure, and instant."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import get_args

from weighbridge.arms import write_arm
from weighbridge.decide.rollout.data_tasks import data_tasks
from weighbridge.decide.rollout.decision_tasks import decision_tasks
from weighbridge.decide.rollout.facts import RolloutFacts, choose_facts, count_of
from weighbridge.decide.rollout.failure_tasks import failure_tasks
from weighbridge.decide.rollout.gates import PhaseGates, phase_gates
from weighbridge.decide.rollout.risks import plan_rollback, rollout_risks
from weighbridge.decide.rollout.rollout_plan import Phase, Role, RolloutPlan, RolloutTask
from weighbridge.decide.rollout.schedule import (
    WEEKS_A_PHASE,
    ScheduledPhase,
    TaskDraft,
    assigned_role,
    people_of,
    schedule_phases,
)
from weighbridge.decide.rollout.strategy_tasks import strategy_tasks
from weighbridge.decide.rollout.targets import operation_targets
from weighbridge.decide.rollout.work_calendar import first_day, work_calendar
from weighbridge.formatting import join_words, write_day
from weighbridge.results import Decision, Measurements
from weighbridge.settings.schema import Settings

PHASES = 6
REVIEW_DAY = 90
"""The review comes on this day of the plan, the first day being day 1."""
_TITLES = ("Requirements and tools", "Data", "Set-up", "", "Improvement", "Full deployment")
_UNDECIDED_TITLES = ("Decision, requirements and tools", "Data and decision")
_FEW_HOLIDAYS = 8
"""Holidays that a note names; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """The wishes of the user for one plan, beyond the settings. `today` is the date on which it is made."""

    today: date
    strategy: str = ""
    """Empty: the one that the decision recommends, or comes nearest to."""
    start: date | None = None
    holidays: tuple[date, ...] = ()


def make_plan(taken: Measurements, decision: Decision | None, settings: Settings, request: PlanRequest) -> RolloutPlan:
    """Return the plan: the same for the same arguments.

    Raises:
        DataError: nothing was measured, or not the strategy asked for.
        SettingsError: the start is in the past, or more than ten years ahead.
    """
    facts = choose_facts(taken, decision, settings, strategy=request.strategy)
    calendar = work_calendar(settings.plan, request.holidays)
    start = first_day(settings.plan, calendar, today=request.today, start=request.start)
    drafts = (*decision_tasks(facts), *data_tasks(facts), *strategy_tasks(facts), *failure_tasks(facts))
    scheduled = schedule_phases(drafts, start, calendar, settings.plan)
    end = scheduled[-1].days[-1]
    kpis = operation_targets(facts, start, end)
    gates = phase_gates(facts, kpis)
    phases = tuple(
        _phase(number, one, gates[number - 1], facts, start) for number, one in enumerate(scheduled, start=1)
    )
    closed = tuple(
        day for day in sorted(calendar.holidays) if start <= day <= end and day.weekday() in calendar.weekdays
    )
    return RolloutPlan(
        name=taken.name,
        strategy=facts.arm,
        chosen_by="you" if facts.by_you else "decision" if facts.is_settled else "nobody",
        headline=_headline(facts),
        made_on=request.today,
        start=start,
        end=end,
        review=calendar.first_from(max(start + timedelta(days=REVIEW_DAY - 1), end + timedelta(days=1))),
        working_days=tuple(sorted(calendar.weekdays)),
        holidays=closed,
        notes=tuple(_notes(request, facts, drafts, scheduled, closed)),
        phases=phases,
        hours=_hours(task for phase in phases for task in phase.tasks),
        risks=rollout_risks(facts, end),
        rollback=plan_rollback(facts, kpis),
        kpis=kpis,
    )


def _phase(number: int, scheduled: ScheduledPhase, gates: PhaseGates, facts: RolloutFacts, start: date) -> Phase:
    title = _TITLES[number - 1]
    if not title:
        made = [word for word, done in (("indexing", facts.reads), ("training", facts.trains)) if done]
        title = f"First {join_words([*(made or ['prompts']), 'tests'])}"
    if not facts.is_settled and number <= len(_UNDECIDED_TITLES):
        title = _UNDECIDED_TITLES[number - 1]
    first, last = scheduled.days[0], scheduled.days[-1]
    return Phase(
        number=number,
        title=title,
        weeks=((first - start).days // 7 + 1, (last - start).days // 7 + 1),
        start=first,
        end=last,
        tasks=scheduled.tasks,
        entry=gates.entry,
        exit=gates.exit,
        hours=_hours(scheduled.tasks),
    )


def _hours(tasks: Iterable[RolloutTask]) -> dict[Role, float]:
    """Return the hours of each role, in the order of `Role`."""
    hours: dict[Role, float] = dict.fromkeys(get_args(Role), 0.0)
    for task in tasks:
        hours[task.role] += task.hours
    return {role: spent for role, spent in hours.items() if spent}


def _headline(facts: RolloutFacts) -> str:
    decision, arm = facts.decision, write_arm(facts.arm)
    if facts.is_settled and not facts.by_you:
        equal = decision is not None and decision.outlook == "the cheapest of the equals"
        return f"Roll out {arm}{', the cheapest of the equals' if equal else ''}."
    if facts.by_you:
        recommended = decision.recommended if decision else None
        if recommended == facts.arm:
            return f"Roll out {arm}, by your choice and by the decision."
        by_decision = f"the decision recommends {write_arm(recommended or 'none')}"
        broken = f", and {arm} breaks {count_of(len(facts.limits_broken), 'limit')}" if facts.limits_broken else ""
        return f"Roll out {arm}, by your choice: {by_decision}{broken}."
    if decision is None:
        reason = "no decision is saved"
    elif decision.outlook == "not decisive":
        reason = f"it lies between {join_words([write_arm(name) for name in decision.contenders])}"
    else:
        reason = decision.outlook
    return f"Decide first: {reason}. Weeks 1 to 4 get the decision; the rest prepares {arm}, in case it is chosen."


def _notes(
    request: PlanRequest, facts: RolloutFacts, drafts: Sequence[TaskDraft], scheduled: Sequence[ScheduledPhase],
    closed: Sequence[date],
) -> Iterator[str]:  # fmt: skip
    """Yield what the calendar and the people do to the twelve weeks."""
    plan, first, last = facts.settings.plan, scheduled[0].days[0], scheduled[-1].days[-1]
    wanted = request.start or plan.start
    if wanted and wanted != first:
        yield f"{write_day(wanted)} is no work day, so the plan starts on {write_day(first)}."
    late = (last - first).days + 1 - 7 * WEEKS_A_PHASE * PHASES
    length = f"{(last - first).days + 1:,} days, from {write_day(first)} to {write_day(last)}"
    reasons = [count_of(len(closed), "holiday")] if closed else []
    reasons += ["work that does not fit into two weeks"] if any(one.longest for one in scheduled) else []
    if late > 0:
        yield f"The plan takes {length}, and so more than twelve weeks: {join_words(reasons)}."
    else:
        yield f"The plan takes twelve weeks: {length}."
    if closed:
        named = ", ".join(map(write_day, closed[:_FEW_HOLIDAYS]))
        more = f" and {len(closed) - _FEW_HOLIDAYS:,} more" if len(closed) > _FEW_HOLIDAYS else ""
        yield f"Nobody works on {named}{more}."
    for number, one in enumerate(scheduled, start=1):
        if one.longest is None:
            continue
        hours = sum(task.hours for task in one.tasks if task.role == one.longest)
        people = people_of(one.longest, plan.people)
        a_day = people * plan.hours_per_day
        why = "some of its tasks wait for others"
        if hours > a_day * WEEKS_A_PHASE * len(plan.weekdays):
            why = (
                f"it has {hours:g} hours for the {one.longest}, and {people:g} of a person gives {a_day:g} hours a day "
                "(plan.people)"
            )
        yield f"Phase {number} takes {len(one.days):,} work days, because {why}."
    for role in get_args(Role):
        hours = sum(draft.hours for draft in drafts if draft.role == role)
        stand_in = assigned_role(role, plan.people)
        if hours and stand_in != role:
            yield f"There is no {role}: the {stand_in} takes their {hours:g} hours."

"""Plans: drawn from measured facts, different for each arm, and the same work however the calendar lies."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.rollout.rollout_plan import Role
from weighbridge.errors import DataError
from weighbridge.evaluate.encode import to_json
from weighbridge.results import Omission, ReadingReport

from ...report.sample import decision, weighing
from .rollout_sample import READING, TODAY, change, keys, measured, plan, settings, share

ARMS = ("prompt", "few-shot", "rag", "fine-tuned", "raft")
OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits", None)
calendars = st.fixed_dictionaries(
    {
        "start": st.dates(TODAY, date(2028, 12, 31)),
        "holidays": st.lists(st.dates(TODAY, date(2028, 12, 31)), max_size=40).map(tuple),
    }
)
weeks = st.sampled_from(["mon-fri", "sun-thu", "mon-thu", "wed", "mon-sun"])


@given(st.sampled_from(ARMS), st.sampled_from(OUTLOOKS), calendars, weeks)
def test_work_lies_on_work_days_of_six_phases_in_order(
    arm: str, outlook: str | None, calendar: dict[str, Any], week: str
) -> None:
    chosen = settings(plan={"working_days": week})
    made = plan(arm, decision=outlook, chosen=chosen, **calendar)
    assert [phase.number for phase in made.phases] == [1, 2, 3, 4, 5, 6]
    assert made.start == made.phases[0].start >= calendar["start"]
    assert made.end == made.phases[-1].end < made.review
    assert (made.review - made.start).days >= 89
    for phase in made.phases:
        assert phase.tasks
        assert phase.weeks[0] <= phase.weeks[1]
        for task in phase.tasks:
            assert phase.start <= task.start <= task.end <= phase.end
            for day in (task.start, task.end):
                assert day.weekday() in made.working_days
                assert day not in calendar["holidays"]
    for earlier, later in pairwise(made.phases):
        assert earlier.end < later.start
    assert made.phases[0].weeks[0] == 1


@given(st.sampled_from(ARMS), st.sampled_from(OUTLOOKS))
def test_hours_add_up_by_phase_and_by_role(arm: str, outlook: str | None) -> None:
    made = plan(arm, decision=outlook)
    by_role: Counter[Role] = Counter()
    for phase in made.phases:
        assert sum(phase.hours.values()) == pytest.approx(sum(task.hours for task in phase.tasks))
        by_role.update(phase.hours)
    assert dict(by_role) == pytest.approx(dict(made.hours))
    assert made.total_hours == pytest.approx(sum(task.hours for task in made.tasks))
    assert set(made.hours) <= set(get_args(Role))
    assert len(made.tasks) == len(keys(made)), "a key names one task"


@given(st.integers(0, 100))
def test_without_holidays_a_later_start_shifts_every_day_alike(weeks_later: int) -> None:
    start = date(2026, 12, 7)
    shift = timedelta(weeks=weeks_later)
    now, later = plan(start=start), plan(start=start + shift)
    assert [(task.key, task.start + shift, task.end + shift) for task in now.tasks] == [
        (task.key, task.start, task.end) for task in later.tasks
    ]
    assert (later.end, later.review) == (now.end + shift, now.review + shift)
    assert [kpi.target for kpi in now.kpis] == [kpi.target for kpi in later.kpis]


def test_twelve_weeks_without_holidays_are_twelve_weeks() -> None:
    made = plan()
    assert (made.start, made.end) == (date(2026, 12, 7), date(2027, 2, 26))
    assert [phase.weeks for phase in made.phases] == [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12)]
    assert made.review == date(2027, 3, 8)  # day 90, a Saturday, and then the Monday
    assert made.notes == ("The plan takes twelve weeks: 82 days, from 7\u00a0Dec\u00a02026 to 26\u00a0Feb\u00a02027.",)


def test_holidays_stretch_the_plan_and_it_says_so() -> None:
    off = (date(2026, 12, 25), date(2027, 1, 1), date(2027, 1, 2), date(2030, 1, 1))
    made = plan(holidays=off)
    assert made.end == date(2027, 3, 2)
    assert made.holidays == off[:2], "a Saturday and a day after the plan change nothing"
    assert "and so more than twelve weeks: 2" in made.notes[0]
    assert made.notes[1] == "Nobody works on 25\u00a0Dec\u00a02026, 1\u00a0Jan\u00a02027."


def test_work_that_does_not_fit_stretches_its_phase_and_it_says_so() -> None:
    made = plan("fine-tuned")
    assert any("Phase 2 takes" in note and "hours for the domain expert" in note for note in made.notes)
    enough = settings(plan={"people": {"domain_expert": 4}})
    assert not any("Phase 2 takes" in note for note in plan("fine-tuned", chosen=enough).notes)


def test_people_that_nobody_has_are_replaced_and_it_says_so() -> None:
    made = plan("fine-tuned", chosen=settings(plan={"people": {"ml_engineer": 0}}))
    assert "ML engineer" not in made.hours
    assert any(note.startswith("There is no ML engineer: the engineer takes their") for note in made.notes)
    assert made.total_hours == plan("fine-tuned").total_hours


def test_a_start_that_is_no_work_day_is_moved_and_it_says_so() -> None:
    made = plan(start=date(2026, 12, 12))
    assert made.start == date(2026, 12, 14)
    assert made.notes[0] == "12\u00a0Dec\u00a02026 is no work day, so the plan starts on 14\u00a0Dec\u00a02026."


def test_each_arm_has_tasks_of_its_own() -> None:
    found = {arm: keys(plan(arm)) for arm in ARMS}
    for arm in ARMS:
        for other in ARMS:
            assert arm == other or found[arm] != found[other], (arm, other)
    assert {"first-index", "search-test", "access-groups"} <= found["rag"] & found["raft"]
    assert {"first-training", "train-examples", "train-again", "registry"} <= found["fine-tuned"] & found["raft"]
    assert not found["rag"] & {"first-training", "train-examples", "train-again"}
    assert not found["fine-tuned"] & {"first-index", "search-test", "document-owners"}
    assert "demonstration-pool" in found["few-shot"]
    assert "prompt-facts" in found["prompt"]
    titles = {arm: plan(arm).phases[3].title for arm in ARMS}
    assert titles == {
        "prompt": "First prompts and tests",
        "few-shot": "First prompts and tests",
        "rag": "First indexing and tests",
        "fine-tuned": "First training and tests",
        "raft": "First indexing, training and tests",
    }


CLASSES = {
    "missed-evidence": ("rag", {"outcomes": {"missed/wrong": 3, "retrieved/right": 9}}, "3\u00a0questions"),
    "wrong-with-evidence": ("rag", {"outcomes": {"retrieved/wrong": 4, "retrieved/right": 8}}, "4\u00a0answers"),
    "wrong-from-memory": ("fine-tuned", {"outcomes": {"none/wrong": 5, "none/right": 7}}, "5\u00a0wrong answers"),
    "failed-attempts": ("rag", {"failures": 2, "errors": ("the endpoint is down",)}, "2\u00a0failed attempts"),
    "needless-abstentions": ("rag", {"figures": {"needless_abstention": share(0.2, 10)}}, "2\u00a0needless"),
    "missed-abstentions": ("rag", {"figures": {"missed_abstention": share(0.5, 4)}}, "2\u00a0answers"),
    "truncated": ("rag", {"figures": {"truncated": share(0.25, 12)}}, "3\u00a0answers"),
    "form-form": ("rag", {"figures": {"form": share(0.8)}}, "asked form"),
    "form-json-valid": ("rag", {"figures": {"json_valid": share(0.8)}}, "asked form"),
}
CLEAN = {
    "outcomes": {"retrieved/right": 12},
    "failures": 0,
    "figures": {"needless_abstention": share(0, 11), "missed_abstention": share(0, 1), "truncated": share(0, 12),
                "form": share(0.99), "json_valid": share(1.0)},
}  # fmt: skip


@pytest.mark.parametrize("key", CLASSES)
def test_a_failure_class_that_was_measured_has_its_task_and_none_without(key: str) -> None:
    arm, changes, words = CLASSES[key]
    clean = change(measured(), arm, **CLEAN)
    assert not keys(plan(arm, taken=clean)) & CLASSES.keys()
    made = plan(arm, taken=change(clean, arm, **changes))
    assert keys(made) & CLASSES.keys() == {key}
    (task,) = (task for task in made.tasks if task.key == key)
    assert words in task.title
    assert task.phase == 5


def test_the_message_of_a_failure_is_named() -> None:
    made = plan("rag", taken=change(measured(), "rag", failures=2, errors=("the endpoint is down",)))
    (task,) = (task for task in made.tasks if task.key == "failed-attempts")
    assert "First message: the endpoint is down." in task.detail
    assert task.basis.words == "2\u00a0of\u00a012 (17\u00a0%) attempts failed"


def test_missing_and_contradicting_documents_have_tasks_that_quote_no_restricted_text() -> None:
    made = plan("rag")
    data = {task.title: task for task in made.phases[1].tasks}
    scans = data["Bring in 2\u00a0places without a document: no text on any page; install the ocr extra"]
    assert "scans/bollards.pdf; scans/quay.pdf" in scans.detail
    assert "Bring in 1\u00a0place without a document: an old Word format; save it as .docx" in data
    assert "Recover 1\u00a0part of files: a chart became a table" in data
    conflicts = data["Settle 2\u00a0contradictions between documents"]
    assert "The barrier closes at" in conflicts.detail
    assert "Petronella" not in str(made)
    assert "Remove old copies: 1\u00a0document repeats another" in data
    clean = ReadingReport(files=65, documents=65, seconds=1.0)
    found = keys(plan("rag", taken=measured(clean)))
    assert not [key for key in found if key.startswith(("skipped", "losses", "conflicts", "repeated"))]


def test_many_reasons_share_a_task() -> None:
    many = replace(READING, skipped=tuple(Omission(f"f{n}", f"reason {n}") for n in range(9)))
    titles = [task.title for task in plan("rag", taken=measured(many)).tasks if task.key.startswith("skipped")]
    assert len(titles) == 4
    assert titles[-1] == "Bring in 6\u00a0places without a document: 6 other reasons"


def test_a_decision_that_needs_questions_begins_with_them() -> None:
    made = plan(decision="not decisive")
    assert made.chosen_by == "nobody"
    assert "it lies between rag and raft" in made.headline
    (task,) = (task for task in made.tasks if task.key == "decisive-questions")
    assert task.phase == 1
    assert task.title == "Write 120\u00a0more test questions to decide: 132 in all"
    assert task.basis.figure == "decision.examples_needed"
    assert [gate.label for gate in made.phases[1].exit][-1] == "strategies recommended"
    assert not made.phases[1].exit[-1].is_open


def test_equals_that_no_number_of_questions_separates_are_chosen_between() -> None:
    equals = replace(decision("not decisive"), examples_needed=None)
    made = plan(decision=equals)
    assert "choose-equals" in keys(made)
    assert "decisive-questions" not in keys(made)


@pytest.mark.parametrize("outlook", ["none is good enough", "none meets your limits"])
def test_where_none_qualifies_the_first_weeks_look_for_a_better_one(outlook: str) -> None:
    made = plan(decision=outlook)
    first = {task.key for task in made.phases[0].tasks}
    assert {"larger-model", "better-search", "more-training-examples"} <= first
    assert "decide-again" in {task.key for task in made.phases[1].tasks}
    assert ("limit-1" in first) == (outlook == "none meets your limits")
    assert outlook in made.headline


def test_without_a_decision_the_plan_prepares_the_one_right_most_often() -> None:
    made = plan(decision=None)
    assert (made.strategy, made.chosen_by) == ("rag", "nobody")
    assert "no decision is saved" in made.headline
    assert "decide-again" in keys(made)


def test_the_strategy_that_the_user_names_is_planned_in_spite_of_the_decision() -> None:
    made = plan("fine-tuned")
    assert (made.strategy, made.chosen_by) == ("fine-tuned", "you")
    assert made.headline == (
        "Roll out fine-tuned, by your choice: the decision recommends rag, and fine-tuned breaks 1\u00a0limit."
    )
    assert "broken-limit-1" in keys(made)
    assert "decide-again" not in keys(plan("raft", decision="not decisive"))
    with pytest.raises(DataError, match="'routed' was not measured; measured are prompt, few-shot, rag"):
        plan("routed")


def test_nothing_measured_is_an_error_with_the_command() -> None:
    with pytest.raises(DataError, match="run: weighbridge compare"):
        plan(taken=replace(measured(), measurements=()))


@given(st.sampled_from(ARMS), st.sampled_from(OUTLOOKS), st.sampled_from([READING, None]))
def test_every_task_gate_risk_and_target_names_a_figure_of_the_saved_files(
    arm: str, outlook: str | None, reading: ReadingReport | None
) -> None:
    decided = weighing(outlook).decision if outlook else None
    taken = measured(reading)
    made = plan(arm if reading else "", decision=decided, taken=taken)
    saved = json.loads(to_json({"taken": taken, "decision": decided, "plan": made}))
    chosen = settings().model_dump(mode="json")
    roots = {
        **saved["taken"],
        "measurements": {one["strategy"]: one for one in saved["taken"]["measurements"]},
        "decision": saved["decision"],
        "plan": saved["plan"],
        "settings": chosen,
        "needs": chosen["needs"],
    }
    gates = [gate for phase in made.phases for gate in (*phase.entry, *phase.exit)]
    for one in (*made.tasks, *gates, *made.risks, *made.kpis, made.rollback):
        assert one.basis.words.strip()
        place: Any = roots
        for part in one.basis.figure.split("."):
            if part not in place and "not measured" in one.basis.words:
                break
            place = place[part]
            if place is None:
                assert decided is None
                break


def test_it_is_made_in_a_moment_and_always_alike() -> None:
    assert plan("raft") == plan("raft")
    assert json.loads(to_json(plan("raft")))["phases"][0]["tasks"][0]["start"] == "2026-12-07"

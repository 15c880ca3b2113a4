"""Targets, gates and risks: from the limits where set, from the measured figures else, and never constant."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.rollout.rollout_plan import Gate, Kpi, Risk, RolloutPlan
from weighbridge.report.rollout.plan_words import gate_words
from weighbridge.results import Omission, ReadingReport

from ...report.sample import exact
from .rollout_sample import READING, change, measured, plan, settings, share

ARMS = st.sampled_from(["prompt", "few-shot", "rag", "fine-tuned", "raft"])
LIMITS = {
    "minimum_accuracy": 0.9,
    "maximum_hallucination": 0.02,
    "maximum_p95_seconds": 2.0,
    "maximum_cost_per_thousand": 1.5,
}


def kpis(made: RolloutPlan) -> dict[str, Kpi]:
    return {kpi.name: kpi for kpi in made.kpis}


def gates(made: RolloutPlan) -> list[Gate]:
    return [gate for phase in made.phases for gate in (*phase.entry, *phase.exit)]


def risk(made: RolloutPlan, hazard: str) -> Risk:
    return next(one for one in made.risks if one.hazard == hazard)


def test_a_target_is_the_limit_where_one_is_set_and_says_so() -> None:
    found = kpis(plan("rag", chosen=settings(needs={"limits": LIMITS})))
    targets = {
        "accuracy": 0.9, "hallucination": 0.02, "latency_p95": 2.0, "cost_per_answer": 0.0015
    }  # fmt: skip
    for name, target in targets.items():
        assert found[name].target == found[name].alarm == pytest.approx(target)
        assert found[name].basis.words.startswith("your limit needs.limits.")
    assert found["satisfaction"].target == 0.9


def test_without_limits_a_target_is_the_measured_figure_with_its_interval() -> None:
    found = kpis(plan("rag"))
    accuracy = next(one for one in measured().measurements if one.strategy == "rag").figures["accuracy"]
    assert (found["accuracy"].target, found["accuracy"].alarm) == (accuracy.value, accuracy.low)
    assert found["accuracy"].basis.words == "as measured, accuracy: 83\u00a0%\u00a0(55\u201395)"
    assert found["cost_per_answer"].target == pytest.approx(0.0213 / 1000)
    assert found["cost_per_answer"].alarm == pytest.approx(1.2 * 0.0213 / 1000)
    assert (found["cost_per_answer"].unit, found["cost_per_answer"].currency) == ("money", "USD")
    assert found["time_to_market"].target == 82
    assert set(found) == {
        "accuracy", "hallucination", "latency_p95", "cost_per_answer", "needless_abstention", "satisfaction",
        "time_to_market",
    }  # fmt: skip


def test_a_figure_without_limit_and_measurement_has_no_target() -> None:
    taken = measured()
    bare = tuple(replace(one, figures={"accuracy": share(0.8)}) for one in taken.measurements)
    assert set(kpis(plan(taken=replace(taken, measurements=bare)))) == {"accuracy", "satisfaction", "time_to_market"}


def test_a_strategy_that_is_mostly_wrong_has_the_floor_as_its_target() -> None:
    figures = {"accuracy": share(0.1), "needless_abstention": share(1.0), "hallucination": share(0.05)}
    bad = change(measured(), "rag", figures=figures)
    found = kpis(plan("rag", taken=bad))
    assert (found["accuracy"].target, found["accuracy"].alarm) == (0.5, 0.5)
    assert found["accuracy"].basis.words.startswith("no limit is set, so the floor of 50\u00a0% counts; as measured")
    assert (found["needless_abstention"].target, found["needless_abstention"].alarm) == (0.5, 0.5)
    assert found["hallucination"].target == pytest.approx(0.05)
    assert not next(gate for gate in gates(plan("rag", taken=bad)) if gate.label == "needless abstention").is_open
    asked = kpis(plan("rag", taken=bad, chosen=settings(needs={"limits": {"minimum_accuracy": 0.3}})))
    assert asked["accuracy"].target == 0.3


@given(ARMS, st.floats(0, 1), st.floats(0, 1), st.integers(1, 500))
def test_targets_can_be_reached_together(arm: str, right: float, other: float, scored: int) -> None:
    figures = {
        "accuracy": share(right, scored),
        "hallucination": share(other, scored),
        "needless_abstention": share(1 - other, scored),
    }
    found = kpis(plan(arm, taken=change(measured(), arm, figures=figures)))
    for name in ("hallucination", "needless_abstention"):
        assert found[name].target + found["accuracy"].target <= 1 + 1e-9


@given(ARMS, st.sampled_from([{}, LIMITS]), st.floats(0, 1), st.integers(1, 500))
def test_an_alarm_is_never_better_than_its_target(
    arm: str, limits: dict[str, float], value: float, scored: int
) -> None:
    figures = {name: share(value, scored) for name in ("accuracy", "hallucination", "needless_abstention")}
    made = plan(arm, taken=change(measured(), arm, figures=figures), chosen=settings(needs={"limits": limits}))
    for kpi in made.kpis:
        assert kpi.alarm <= kpi.target if kpi.direction == "at least" else kpi.alarm >= kpi.target


@given(ARMS, st.sampled_from(["recommended", "not decisive", None]))
def test_every_phase_has_gates_before_and_after_it(arm: str, outlook: str | None) -> None:
    for phase in plan(arm, decision=outlook).phases:
        assert {gate.kind for gate in phase.entry} == {"entry"}
        assert {gate.kind for gate in phase.exit} == {"exit"}


def test_a_gate_is_open_where_the_figure_reaches_its_threshold() -> None:
    found = {gate.label: gate for gate in gates(plan("rag"))}
    assert found["memory of the machine"].is_open
    assert not found["test questions"].is_open
    assert not found["contradictions that nobody settled"].is_open
    assert (found["contradictions that nobody settled"].measured, found["rollbacks rehearsed"].measured) == (2, None)
    assert not found["rollbacks rehearsed"].is_open
    assert "checks of the adapter that failed" not in found
    assert "evidence recall" in found
    tuned = {gate.label for gate in gates(plan("fine-tuned"))}
    assert "checks of the adapter that failed" in tuned
    assert "evidence recall" not in tuned
    assert "agreements on data processing signed" in {
        gate.label for gate in gates(plan(taken=change(measured(), "rag", offline=False)))
    }


def test_gates_take_the_limits_where_set() -> None:
    found = [gate for gate in gates(plan("rag", chosen=settings(needs={"limits": LIMITS}))) if gate.label == "accuracy"]
    assert [gate.threshold for gate in found] == [0.9, 0.9, 0.9]
    assert not any(gate.is_open for gate in found)
    assert {gate.basis.figure for gate in found} == {"needs.limits.minimum_accuracy"}


CLEAN = ReadingReport(files=65, documents=65, seconds=1.0)


@pytest.mark.parametrize(
    ("reading", "likelihood"),
    [
        (CLEAN, "low"),
        (replace(CLEAN, losses=(Omission("a.pdf", "a table became text"),)), "medium"),
        (READING, "high"),
        (None, "medium"),
    ],
)
def test_the_risk_of_data_follows_from_what_reading_found(reading: ReadingReport | None, likelihood: str) -> None:
    assert risk(plan("rag", taken=measured(reading)), "data quality").likelihood == likelihood


@pytest.mark.parametrize(
    ("changes", "likelihood"),
    [
        ({}, "low"),
        ({"failures": 1, "attempts": 100}, "medium"),
        ({"failures": 2, "attempts": 12}, "high"),
        ({"figures": {"truncated": share(0.1)}}, "medium"),
        ({"offline": False}, "medium"),
    ],
)
def test_the_risk_of_integration_follows_from_failures(changes: dict[str, Any], likelihood: str) -> None:
    assert risk(plan("rag", taken=change(measured(), "rag", **changes)), "integration").likelihood == likelihood


@pytest.mark.parametrize(("arm", "likelihood"), [("rag", "low"), ("raft", "medium"), ("fine-tuned", "high")])
def test_the_risk_of_drift_grows_with_what_is_learnt_by_heart(arm: str, likelihood: str) -> None:
    taken = change(measured(), arm, figures={"accuracy": share(0.8, 400, 0.04)})
    assert risk(plan(arm, taken=taken), "drift").likelihood == likelihood
    unsure = change(measured(), "rag", figures={"accuracy": share(0.8, 12, 0.2)})
    assert risk(plan("rag", taken=unsure), "drift").likelihood == "medium"


def test_the_risks_of_compliance_and_provider_follow_from_the_place_of_the_model() -> None:
    away = change(change(measured(CLEAN), "rag", offline=False), "fine-tuned", offline=False)
    found = {
        "here": plan("rag", taken=measured(CLEAN)),
        "away": plan("rag", taken=away),
        "forbidden": plan("rag", taken=away, chosen=settings(needs={"limits": {"offline": True}})),
        "tuned away": plan("fine-tuned", taken=away),
    }
    assert [risk(made, "compliance").likelihood for made in found.values()] == ["low", "medium", "high", "medium"]
    assert [risk(made, "provider").likelihood for made in found.values()] == ["low", "medium", "medium", "high"]
    assert [risk(made, "provider").impact for made in found.values()] == ["low", "high", "high", "high"]


def test_the_end_of_training_at_a_provider_is_named_where_the_plan_reaches_it() -> None:
    away = change(measured(CLEAN), "fine-tuned", offline=False)
    model = {"engine": "openai", "reference": "gpt-4o-mini-2024-07-18"}
    why = risk(plan("fine-tuned", taken=away, chosen=settings(model=model)), "provider").why
    assert "OpenAI takes no fine-tuning jobs from 6\u00a0Jan\u00a02027 on" in why
    assert "switches tuned GPT-4o models off on 14\u00a0Jan\u00a02027" in why
    elsewhere = settings(model={**model, "base_url": "https://llm.example.org/v1", "reference": "llama"})
    assert "OpenAI" not in risk(plan("fine-tuned", taken=away, chosen=elsewhere), "provider").why


def test_the_impact_follows_from_the_needs() -> None:
    cheap = settings(needs={"priorities": {"accuracy": 1, "hallucination": 0, "latency": 1, "cost": 8}})
    assert risk(plan("rag", chosen=cheap), "drift").impact == "medium"
    assert risk(plan("rag"), "drift").impact == "high"
    limited = settings(needs={"limits": {"maximum_p95_seconds": 2}})
    assert risk(plan("rag"), "integration").impact == "medium"
    assert risk(plan("rag", chosen=limited), "integration").impact == "high"


def test_risks_stand_with_the_gravest_first() -> None:
    made = plan("fine-tuned", taken=change(measured(READING), "fine-tuned", offline=False))
    weights = {"low": 0, "medium": 1, "high": 2}
    grades = [(weights[one.likelihood], weights[one.impact]) for one in made.risks]
    assert grades == sorted(grades, reverse=True)
    assert {one.hazard for one in made.risks} == {"data quality", "integration", "drift", "compliance", "provider"}


def test_the_way_back_leads_to_the_next_best_that_is_good_enough() -> None:
    assert plan("raft").rollback.to == "rag"
    assert plan("raft").rollback.steps[:2] == (
        "weighbridge models rollback raft: the adapter before it answers again",
        "weighbridge versions rollback NAME: the index before the last update",
    )
    made = plan("rag")  # raft and fine-tuned break limits, prompt and few-shot are wrong more often than not
    assert made.rollback.to == "answers by people"
    assert set(made.rollback.signals) <= {kpi.name for kpi in made.kpis}


def test_a_pilot_comes_before_the_opening_and_a_rehearsal_before_the_pilot() -> None:
    days = {task.key: task for task in plan("rag", start=date(2027, 3, 1)).tasks}
    assert days["rehearse-rollback"].end < days["pilot"].start
    assert (days["pilot"].end - days["pilot"].start).days >= 4
    assert days["pilot"].end < days["open-to-all"].start
    assert days["user-guide"].end < days["open-to-all"].start


def test_memory_that_was_not_measured_leaves_a_machine_to_reserve() -> None:
    taken = measured()
    bare = tuple(
        replace(one, figures={name: value for name, value in one.figures.items() if name != "memory"})
        for one in taken.measurements
    )
    found = {gate.label for gate in gates(plan(taken=replace(taken, measurements=bare)))}
    assert "machines reserved" in found
    much = change(measured(), "rag", figures={"memory": exact(2.0**50)})
    (gate,) = (gate for gate in gates(plan("rag", taken=much)) if gate.label == "memory of the machine")
    assert not gate.is_open


def test_a_distance_of_shares_is_in_percentage_points_and_a_target_without_a_figure_names_its_origin() -> None:
    made = plan("rag")
    half = next(gate for gate in gates(made) if gate.label == "half the interval of accuracy")
    assert gate_words(half, "USD", origin=False).replace("\u00a0", " ") == (
        "half the interval of accuracy at most 10 percentage points (now 20 percentage points)"
    )
    satisfaction = next(gate for gate in gates(made) if gate.label == "satisfaction")
    told = gate_words(satisfaction, "USD", origin=False)
    assert "now unknown; nobody measured it yet, so the target of accuracy stands for it: as measured, accuracy" in told

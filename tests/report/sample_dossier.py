"""The sample weighing with everything that a report can show beside it: money, doubt, a plan and files."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from weighbridge.decide.money.ledger import ArmPlan, Band, CostInput, CostLine
from weighbridge.decide.money.ownership import MoneyCase, Ownership, ownership
from weighbridge.decide.money.uncertainty import Trials
from weighbridge.decide.prior.evidence import weigh_claims
from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.decide.rollout.make_plan import PlanRequest, make_plan
from weighbridge.decide.rollout.rollout_plan import RolloutPlan
from weighbridge.evaluate.weighing import measurements_of
from weighbridge.report.page.dossier import CheckedFile, Dossier, PublishedClaims
from weighbridge.results import Weighing
from weighbridge.settings.needs import Needs
from weighbridge.settings.schema import Settings
from weighbridge.verdicts import (
    ArmDoubt,
    Domination,
    Doubt,
    Flip,
    FrontPlace,
    StakeholderAgreement,
    StakeholderView,
)

from .sample import DOLLARS, STRATEGIES, weighing

ONCE = {"prompt": 2_000, "few-shot": 2_600, "rag": 9_000, "fine-tuned": 21_000, "raft": 27_000}
YEARLY = {"prompt": 1_200, "few-shot": 1_500, "rag": 4_800, "fine-tuned": 7_900, "raft": 12_000}


@cache
def sample_ownership() -> Ownership:
    """Return the cost of the sample's strategies over three years."""
    inputs = {
        "volume": _given("answers a month", "answers", Band(5_000, 10_000, 20_000)),
        "growth": _given("growth of the volume", "a year", Band(0.0, 0.1, 0.3)),
        "wage": _given("an hour of the engineer", "money an hour", Band(70, 90, 120)),
    }
    plans = []
    for name in STRATEGIES:
        once, month, answer = ONCE[name] / 90, YEARLY[name] / 1080, DOLLARS[name] / 50
        inputs |= {
            f"{name}.once": _given(f"{name}: hours of set-up", "hours", _around(once)),
            f"{name}.month": _given(f"{name}: hours of upkeep a month", "hours", _around(month)),
            f"{name}.answer": _given(f"{name}: an answer", "money", _around(answer)),
        }
        lines = (
            CostLine(label="people, set-up", timing="once", factors=(f"{name}.once", "wage")),
            CostLine(label="people, upkeep", timing="month", factors=(f"{name}.month", "wage")),
            CostLine(label="machine, answering", timing="answer", factors=(f"{name}.answer",)),
        )
        plans.append(ArmPlan(name=name, lines=lines))
    trials = Trials(draws=300, seed=7, months=36, discount=0.05)
    notes = ("The hours of people are assumptions of the settings.",)
    return ownership(MoneyCase(currency="USD", inputs=inputs, plans=tuple(plans), trials=trials, notes=notes))


@cache
def sample_plan(outlook: str = "recommended") -> RolloutPlan:
    """Return the roll-out of the sample's decision."""
    value = weighing(outlook)
    request = PlanRequest(today=date(2026, 11, 23))
    return make_plan(
        measurements_of(value),
        value.decision,
        Settings(examples=Path("examples.jsonl"), documents=Path("documents")),
        request,
    )


@cache
def sample_claims(outlook: str = "recommended") -> PublishedClaims:
    """Return the published claims with the sample's verdicts."""
    value, matrix = weighing(outlook), load_matrix()
    return PublishedClaims(
        matrix=matrix, evidence=weigh_claims(measurements_of(value), matrix, decision=value.decision)
    )


def full_weighing(outlook: str = "recommended") -> Weighing:
    """Return the sample with its doubt, its front and the views of two stakeholders."""
    value = weighing(outlook)
    decision = replace(
        value.decision,
        doubt=Doubt(
            draws=2_000,
            arms=(
                ArmDoubt(strategy="rag", best=0.86, regret=0.004),
                ArmDoubt(strategy="prompt", best=0.11, regret=0.19),
                ArmDoubt(strategy="few-shot", best=0.03, regret=0.27),
            ),
            without={"accuracy": "prompt", "hallucination": "rag", "latency": "rag", "cost": "rag"},
            weights_kept=0.93,
            flips=(
                Flip(setting="needs.priorities.latency", now=1.0, beyond=4.31, first="prompt"),
                Flip(setting="needs.limits.maximum_p95_seconds", now=None, beyond=1.5, first="prompt"),
                Flip(setting="needs.answers_per_month", now=10_000.0, beyond=2_400_000.0, first="prompt"),
            ),
        ),
        front=(
            FrontPlace(strategy="prompt", dominated_by=()),
            FrontPlace(strategy="few-shot", dominated_by=(Domination(by="prompt", certain=False),)),
            FrontPlace(strategy="rag", dominated_by=()),
            FrontPlace(strategy="fine-tuned", dominated_by=()),
            FrontPlace(strategy="raft", dominated_by=(Domination(by="rag", certain=False),)),
        ),
        agreement=StakeholderAgreement(
            views=(
                StakeholderView(stakeholder="support", order=("rag", "prompt", "few-shot"), totals=(0.78, 0.51, 0.42)),
                StakeholderView(stakeholder="finance", order=("rag", "prompt", "few-shot"), totals=(0.66, 0.64, 0.5)),
            ),
            concordance=1.0,
            summary="Both rank the strategies alike.",
        ),
    )
    return replace(value, decision=decision)


def long_weighing() -> Weighing:
    """Return the sample with eight strategies of long names, and every sentence as long as a brief may show it."""
    value = full_weighing()
    long = "The lead of a strategy with a long name over another is explained at length here. " * 6
    verdicts = (*value.decision.verdicts, *value.decision.verdicts[:3])
    decision = replace(
        value.decision,
        reasons=(long,) * 9,
        would_change=(long,) * 9,
        outlook="not decisive",
        recommended=None,
        contenders=("rag", "fine-tuned", "raft"),
        verdicts=verdicts,
    )
    return replace(value, decision=decision, name="A workload with quite a long name " * 4)


def full_dossier(outlook: str = "recommended") -> Dossier:
    """Return all parts that a report can have."""
    return Dossier(
        needs=Needs(),
        ownership=sample_ownership(),
        plan=sample_plan(outlook),
        claims=sample_claims(outlook),
        files=(
            CheckedFile(place=".weighbridge/measurements.json", holds="the figures and outcomes", sha256="0f" * 32),
        ),
    )


def _around(value: float) -> Band:
    return Band(0.7 * value, value, 1.6 * value)


def _given(label: str, unit: str, band: Band) -> CostInput:
    return CostInput(label=label, unit=unit, band=band, basis="settings")

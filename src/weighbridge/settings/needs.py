"""The settings under `needs:` and `prices:` in `weighbridge.yaml`: limits, priorities, volume and prices."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, FiniteFloat, field_validator

from weighbridge.settings.curves import CRITERIA, Points, curve_problem
from weighbridge.settings.sources import Section
from weighbridge.settings.training import Positive, Share

Above = Annotated[FiniteFloat, Field(gt=0)]
NotNegative = Annotated[FiniteFloat, Field(ge=0)]
Weight = Annotated[FiniteFloat, Field(ge=0, le=1e6)]
"""Larger ones would add up to infinity at last, and only the ratios count."""


MOST_ANSWERS = 10**15
"""A month: more than mankind could ask. Above it amounts have hundreds of digits."""
Price = Annotated[FiniteFloat, Field(ge=0, le=1e9)]
"""A large machine is some $100 an hour, and a dollar is a million of the smallest currencies: more is a slip."""


class Limits(Section):
    """A strategy that breaks a limit is never recommended. Empty sets no limit."""

    maximum_p95_seconds: Above | None = None
    """95 of 100 answers must be complete in so many seconds."""
    maximum_memory_gib: Above | None = None
    """Peak memory of the answering process."""
    maximum_cost_per_thousand: NotNegative | None = None
    """Cost of 1,000 answers, in the currency below."""
    minimum_accuracy: Share | None = None
    """0 to 1. Empty: none is good enough if all are surely under a half."""
    maximum_hallucination: Share | None = None
    """0 to 1: share of the questions with a wrong assertion."""
    offline: bool = False
    """true: no data may leave this machine."""
    must_cite: bool = False
    """true: an answer must cite its place in the documents."""


class Priorities(Section):
    """The weights of the figures. Only their ratios count."""

    accuracy: Weight = 5.0
    """Right answers."""
    hallucination: Weight = 3.0
    """Few wrong assertions."""
    latency: Weight = 1.0
    """Fast answers."""
    cost: Weight = 1.0
    """Cheap answers."""
    memory: Weight = 0.0
    """Little memory while answering."""
    setup: Weight = 0.0
    """Quick indexing and training, when documents change often."""
    citation: Weight = 0.0
    """Answers that stand word for word in a passage. A strategy that reads none has none."""
    needless_abstention: Weight = 0.0
    """Few refusals of questions that can be answered."""


class Needs(Section):
    """Your needs. The decision follows from them."""

    limits: Limits = Limits()
    priorities: Priorities = Priorities()
    curves: Mapping[str, Points] = Field(default={})
    """By priority: points [value, utility] that replace its curve, for example latency: [[0.5, 1], [4, 0]]."""
    indifference: Annotated[FiniteFloat, Field(ge=0, lt=100)] = 3.0
    """Points of 100: strategies surely closer than this are equals, and the cheapest is taken."""
    stakeholders: Mapping[str, Mapping[str, Weight]] = Field(default={})
    """By name: weights as under priorities, 0 where not named. The report tells how well they agree."""
    answers_per_month: Annotated[int, Field(ge=1, le=MOST_ANSWERS)] = 10_000
    """Expected load. The cost of setting up is spread over it."""
    months: Positive = 12
    """Months that the winner will be in use."""

    @field_validator("curves")
    @classmethod
    def _are_curves(cls, curves: Mapping[str, Points]) -> Mapping[str, Points]:
        for name, points in curves.items():
            if problem := curve_problem(name, points, tuple(curves)):
                raise ValueError(f"{name}: {problem}")
        return curves

    @field_validator("stakeholders")
    @classmethod
    def _have_weights(cls, stakeholders: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        for name, weights in stakeholders.items():
            if unknown := [priority for priority in weights if priority not in CRITERIA]:
                raise ValueError(f"{name}: there is no priority {unknown[0]!r}; known are {', '.join(CRITERIA)}")
            if not any(weights.values()):
                raise ValueError(f"{name}: all weights are 0; give at least one priority a weight above 0")
        return stakeholders


class Prices(Section):
    """The prices of seconds and tokens."""

    dated: str = "2026-11-20"
    """The date of these prices."""
    currency: str = "USD"
    """The currency of every price here."""
    machine_per_hour: Price = 0.08
    """The machine that answers and trains, for an hour of busy time."""
    input_per_million: Price | None = None
    """For openai: a million prompt tokens."""
    output_per_million: Price | None = None
    """For openai: a million generated tokens."""

"""The settings under `needs:` and `prices:` in `weighbridge.yaml`: limits, priorities, volume and prices."""

from typing import Annotated

from pydantic import Field

from weighbridge.settings.sources import Section
from weighbridge.settings.training import Positive, Share


class Limits(Section):
    """A strategy that breaks a limit is never recommended. Empty sets no limit."""

    maximum_p95_seconds: Annotated[float, Field(gt=0)] | None = None
    """95 of 100 answers must be complete in so many seconds."""
    maximum_memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Peak memory of the answering process."""
    maximum_cost_per_thousand: Annotated[float, Field(ge=0)] | None = None
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

    accuracy: Annotated[float, Field(ge=0)] = 5.0
    """Right answers."""
    hallucination: Annotated[float, Field(ge=0)] = 3.0
    """Few wrong assertions."""
    latency: Annotated[float, Field(ge=0)] = 1.0
    """Fast answers."""
    cost: Annotated[float, Field(ge=0)] = 1.0
    """Cheap answers."""


class Needs(Section):
    """Your needs. The decision follows from them."""

    limits: Limits = Limits()
    priorities: Priorities = Priorities()
    answers_per_month: Positive = 10_000
    """Expected load. The cost of setting up is spread over it."""
    months: Positive = 12
    """Months that the winner will be in use."""


class Prices(Section):
    """The prices of seconds and tokens."""

    dated: str = "2026-11-20"
    """The date of these prices."""
    currency: str = "USD"
    """The currency of every price here."""
    machine_per_hour: Annotated[float, Field(ge=0)] = 0.08
    """The machine that answers and trains, for an hour of busy time."""
    input_per_million: Annotated[float, Field(ge=0)] | None = None
    """For openai: a million prompt tokens."""
    output_per_million: Annotated[float, Field(ge=0)] | None = None
    """For openai: a million generated tokens."""

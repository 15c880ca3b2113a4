"""The settings under `ownership:` in `weighbridge.yaml`: the years to pay for, people's hours, and how sure you are."""

from datetime import date
from typing import Annotated

from pydantic import Field, field_validator

from weighbridge.settings.needs import MOST_ANSWERS
from weighbridge.settings.sources import Section
from weighbridge.settings.training import Above, Positive, Share

Hours = Annotated[float, Field(ge=0)]
Spread = Annotated[float, Field(ge=0, lt=1)]
MOST_YEARS = 50
"""Longer than any machine, price or model lasts; a longer time is a slip."""


def volume_problem(volume: float, growth: float, years: float) -> str:
    """Return why a volume that grows is impossible, as a sentence; empty where it is not."""
    if volume <= MOST_ANSWERS / (1 + growth) ** years:
        return ""
    return (
        f"{volume:,.10g} answers a month that grow by {100 * growth:,.10g} % a year are more than {MOST_ANSWERS:,} a "
        f"month after {years:,.10g} years, which nobody could ask; give a smaller growth, or fewer years"
    )


class PeopleHours(Section):
    """Hours of people. Their price an hour is in prices.toml. All are assumptions: enter your own."""

    # Round numbers for a small team: a week of an engineer for the service, one for the search, and so on. None of
    # them is measured, so the settings below call them uncertain by a half.
    setup: Hours = 40.0
    """Engineer, once: the service itself, for every strategy."""
    monthly: Hours = 4.0
    """Engineer, every month: the service itself."""
    retrieval_setup: Hours = 40.0
    """Engineer, once: documents and search, for strategies that read."""
    retrieval_monthly: Hours = 4.0
    """Engineer, every month: documents and search."""
    reindexing: Hours = 0.0
    """Engineer, for each indexing of all documents. It runs by itself."""
    tuning_setup: Hours = 60.0
    """ML engineer, once: training data and trials, for tuned strategies."""
    tuning_monthly: Hours = 4.0
    """ML engineer, every month: watching a tuned model."""
    retraining: Hours = 6.0
    """ML engineer, for each training after the first."""
    labelling: Hours = 40.0
    """Domain expert, once: writing and checking the training examples."""
    migration: Hours = 40.0
    """Engineer, once, if the provider switches the model off meanwhile."""


class Spreads(Section):
    """How far off each may be, either way: 0.3 is 30 %. Measurements have their own intervals."""

    volume: Spread = 0.5
    """Answers a month, and their growth."""
    hours: Spread = 0.5
    """Hours of people."""
    prices: Spread = 0.2
    """Prices."""
    upkeep: Spread = 0.3
    """How often to index and to train again."""
    utilisation: Spread = 0.3
    """The utilisation of the machines."""


class OwnershipSettings(Section):
    """The total cost over years, for `weighbridge cost`. The decision does not depend on it."""

    years: Annotated[float, Field(gt=0, le=MOST_YEARS)] = 3.0
    """Years to pay for."""
    start: str = ""
    """The first day, like 2027-01-01. Empty: today."""
    # Tenfold growth a year is more than any service keeps up.
    growth: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Growth of answers_per_month in a year: 0.2 is 20 %."""
    discount: Annotated[float, Field(ge=0, le=10)] = 0.05
    """Interest in a year: how much less a later payment counts."""
    utilisation: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Above 0, up to 1: share of its time that a machine may be busy, so that nobody waits long."""
    idle_floor: Share = 1.0
    """0 to 1: share of the waiting hours of a machine that is paid. 1: it is always on."""
    cached: Share = 0.0
    """0 to 1: share of the prompt tokens that an endpoint bills as cached."""
    reindex_days: Above | None = 7.0
    """Days between two indexings of all documents. Empty: never again."""
    retrain_days: Above | None = 90.0
    """Days between two trainings. Empty: never again."""
    alternative: str = "gpt-6-luna"
    """A hosted model in prices.toml to price against your own machine. Empty: none."""
    draws: Positive = 1000
    """Draws for the bands and chances."""
    seed: int = 7
    """Chooses the draws."""
    hours: PeopleHours = PeopleHours()
    spread: Spreads = Spreads()

    @field_validator("start")
    @classmethod
    def _is_a_day(cls, start: str) -> str:
        if start:
            try:
                date.fromisoformat(start)
            except ValueError:
                raise ValueError(f"must be a day like 2027-01-01, or empty for today, not {start!r}") from None
        return start

"""Measurements with what they used up, and settings to price them with."""

from datetime import date
from typing import Any

from weighbridge.decide.money.measured_costs import Pricing
from weighbridge.decide.money.price_book import read_price_book, standard_prices
from weighbridge.results import Estimate, Measurement, ResourceUse
from weighbridge.settings.schema import Settings

TODAY = date(2026, 12, 1)
NO_SPREAD = dict.fromkeys(("volume", "hours", "prices", "upkeep", "utilisation"), 0.0)
NO_PEOPLE = dict.fromkeys(
    ("setup", "monthly", "retrieval_setup", "retrieval_monthly", "reindexing", "tuning_setup", "tuning_monthly"), 0.0
) | dict.fromkeys(("retraining", "labelling", "migration"), 0.0)
ENDPOINT = {"engine": "openai", "reference": "gpt-4o", "base_url": "http://127.0.0.1:1/v1"}


def estimate(value: float, half: float = 0.0) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, scored=20)


def measured(strategy: str, *, seconds: float = 1.0, by_token: bool = False, **used: float) -> Measurement:
    """Return a measurement of 400 tokens in, 10 out, and half a GiB of files."""
    figures = {"input_tokens": 400.0, "output_tokens": 10.0, "disk": 2.0**29, "accuracy": 0.5}
    return Measurement(
        strategy=strategy,
        figures={name: estimate(value) for name, value in figures.items()},
        outcomes={},
        attempts=20,
        failures=0,
        usage=ResourceUse(seconds_per_answer=estimate(seconds), by_token=by_token, **used),
    )


def pricing(*, ownership: dict[str, Any] | None = None, start: date = TODAY, **settings: Any) -> Pricing:
    """Return the pricing of settings that have no spread and no people, unless they say so."""
    own = {"spread": NO_SPREAD, "hours": NO_PEOPLE, "discount": 0.0, **(ownership or {})}
    made = Settings(examples="e.jsonl", ownership=own, **settings)
    return Pricing(settings=made, book=read_price_book(standard_prices(), "prices.toml"), start=start)

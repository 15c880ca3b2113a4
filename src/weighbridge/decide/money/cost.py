"""The cost of a strategy: measured seconds and tokens, times prices. Pure arithmetic, all in one currency.

Own hardware is priced by the second it is busy with answers, one question at a time; idle time and people's time are
not in it. An endpoint is priced by its tokens, and then the machine that asks it is not counted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from weighbridge.errors import SettingsError
from weighbridge.results import Cost, Estimate, Measurement
from weighbridge.settings.needs import Needs, Prices

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """Seconds, tokens and money that a strategy uses up, once and per answer."""

    setup_seconds: float = 0.0
    training: float = 0.0
    """Money paid for a training at an endpoint."""
    seconds_per_answer: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0


def cost_of(used: Consumption, prices: Prices) -> Cost:
    """Return the cost of a strategy: by tokens where the prices name a price for tokens, else by the second.

    Raises:
        SettingsError: only one of the two token prices is given.
    """
    machine = prices.machine_per_hour / _SECONDS_PER_HOUR
    per_answer = used.seconds_per_answer * machine
    if priced_by_token(prices):
        per_input, per_output = prices.input_per_million or 0.0, prices.output_per_million or 0.0
        per_answer = (used.input_tokens * per_input + used.output_tokens * per_output) / 1e6
    upfront = used.setup_seconds * machine + used.training
    return Cost(upfront=upfront, per_thousand_answers=per_answer * 1000, currency=prices.currency)


def priced_by_token(prices: Prices) -> bool:
    """Tell whether answers are paid for by the token; `SettingsError` where half of the price is missing."""
    if (prices.input_per_million is None) != (prices.output_per_million is None):
        raise SettingsError(
            "weighbridge.yaml: prices: an endpoint needs both input_per_million and output_per_million; "
            "give the other one too (0 where it is free)"
        )
    return prices.input_per_million is not None


def cost_per_thousand(cost: Cost, answers: float) -> float:
    """Return the cost of a thousand answers when `answers` (above 0) are given in all, set-up spread over them."""
    return cost.per_thousand_answers + cost.upfront * 1000 / answers


def break_even(left: Cost, right: Cost) -> float | None:
    """Return the total number of answers for equal cost; None where one strategy is always cheaper.

    Beyond it the one with the lower running cost is the cheaper. 0 and equal lines count as none.
    """
    upfront, running = left.upfront - right.upfront, right.per_thousand_answers - left.per_thousand_answers
    if min(upfront, running) <= 0 <= max(upfront, running):
        return None
    answers = 1000 * upfront / running
    return answers if math.isfinite(answers) else None


def with_cost(
    measurement: Measurement,
    seconds_per_answer: Estimate | None,
    prices: Prices,
    needs: Needs,
    *,
    training: float = 0.0,
) -> Measurement:
    """Return a measurement with its cost, and with `cost_per_thousand` at the volume the user needs.

    `training` is the money paid for a training at an endpoint. The interval of the figure follows from the intervals
    of the seconds or the tokens. A measurement without these comes back without a cost.
    """
    figures = measurement.figures
    read, written = figures.get("input_tokens"), figures.get("output_tokens")
    paid = (read, written) if priced_by_token(prices) else (seconds_per_answer,)
    if any(estimate is None for estimate in paid):
        return measurement
    setup = figures["setup"].value if "setup" in figures else 0.0

    def cost_at(end: Callable[[Estimate], float]) -> Cost:
        seconds, tokens_in, tokens_out = (
            0.0 if estimate is None else end(estimate) for estimate in (seconds_per_answer, read, written)
        )
        used = Consumption(
            setup_seconds=setup,
            training=training,
            seconds_per_answer=seconds,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
        )
        return cost_of(used, prices)

    answers = needs.answers_per_month * needs.months
    cost = cost_at(lambda estimate: estimate.value)
    figure = Estimate(
        value=cost_per_thousand(cost, answers),
        low=cost_per_thousand(cost_at(lambda estimate: estimate.low), answers),
        high=cost_per_thousand(cost_at(lambda estimate: estimate.high), answers),
        scored=min(estimate.scored for estimate in paid if estimate is not None),
    )
    return replace(measurement, cost=cost, figures={**figures, "cost_per_thousand": figure})

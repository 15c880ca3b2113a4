"""The cost of measured strategies at the present prices and volume. Nothing is measured again."""

from collections.abc import Sequence
from dataclasses import replace

from weighbridge.decide.money.cost import cost_per_thousand, with_cost
from weighbridge.results import Estimate, Measurement
from weighbridge.settings.needs import Needs, Prices

COST = "cost_per_thousand"


def reprice(measurement: Measurement, prices: Prices, needs: Needs) -> Measurement:
    """Return a measurement with the cost of what it was measured to use up; without a cost where a price is missing.

    Answers of an endpoint cost their tokens. A machine of one's own is priced by the second it is busy. Files of
    earlier releases do not say what a strategy used up: there the prices stay, and the volume alone is applied.

    Raises:
        SettingsError: only one of the two token prices is given.
    """
    usage = measurement.usage
    if usage is None:
        return _with_volume(measurement, needs)
    bare = {name: estimate for name, estimate in measurement.figures.items() if name != COST}
    measurement = replace(measurement, cost=None, figures=bare)
    if not usage.by_token:
        prices = prices.model_copy(update={"input_per_million": None, "output_per_million": None})
    elif prices.input_per_million is None and prices.output_per_million is None:
        return measurement
    return with_cost(measurement, usage.seconds_per_answer, prices, needs, training=usage.training_paid)


def keep_old_prices(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Return the strategies with a cost at the prices of their comparison, because their use was not saved."""
    return tuple(one.strategy for one in measurements if one.usage is None and one.cost is not None)


def _with_volume(measurement: Measurement, needs: Needs) -> Measurement:
    """Return a measurement with its set-up spread over the present volume; the interval keeps its width."""
    cost, was = measurement.cost, measurement.figures.get(COST)
    if cost is None or was is None:
        return measurement
    value = cost_per_thousand(cost, needs.answers_per_month * needs.months)
    moved = value - was.value
    spread: Estimate = replace(was, value=value, low=was.low + moved, high=was.high + moved)
    return replace(measurement, figures={**measurement.figures, COST: spread})

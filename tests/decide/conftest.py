"""Makers of measurements and comparisons for the tests of deciding."""

from collections.abc import Callable, Mapping
from itertools import combinations

import pytest

from weighbridge.results import Comparison, Cost, Estimate, Measurement

Figures = Mapping[str, float]


def estimate(value: float, half: float = 0.0, scored: int = 100) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, scored=scored)


def make_measurement(
    strategy: str, figures: Figures, *, failures: int = 0, cost: Cost | None = None, offline: bool = True
) -> Measurement:
    """A measurement over 100 attempts, each share known to within 0.08."""
    shares = {"accuracy", "hallucination"}
    return Measurement(
        strategy=strategy,
        figures={name: estimate(value, 0.08 if name in shares else 0.0) for name, value in figures.items()},
        outcomes={},
        attempts=100,
        failures=failures,
        errors=("the endpoint is down",) if failures else (),
        cost=cost,
        offline=offline,
        cites=strategy.startswith("ra"),
    )


def make_comparisons(measurements: list[Measurement], half: float = 0.1) -> tuple[Comparison, ...]:
    """Every pair by both figures, each difference known to within `half`."""
    return tuple(
        Comparison(
            figure=figure,
            left=left.strategy,
            right=right.strategy,
            difference=estimate(left.figures[figure].value - right.figures[figure].value, half),
            p_value=0.02,
            p_adjusted=0.04,
            examples_needed=50,
        )
        for figure in ("accuracy", "hallucination")
        for left, right in combinations(measurements, 2)
        if figure in left.figures and figure in right.figures
    )


@pytest.fixture
def measurement() -> Callable[..., Measurement]:
    return make_measurement


@pytest.fixture
def comparisons() -> Callable[..., tuple[Comparison, ...]]:
    return make_comparisons

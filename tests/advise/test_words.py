"""How figures are written."""

import pytest

from weighbridge.advise.words import amount, listed, points_apart, probability, share, with_interval
from weighbridge.results import Estimate


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, scored=60)


@pytest.mark.parametrize(
    ("value", "text"), [(0.456, "46 %"), (0.05, "5 %"), (0.0333, "3.3 %"), (0.0, "0 %"), (1.0, "100 %")]
)
def test_share(value: float, text: str):
    assert share(value) == text


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        ("accuracy", 0.46, "46 %"),
        ("latency_p95", 3.2, "3.2 s"),
        ("latency_p95", 0.04567, "0.0457 s"),
        ("setup", 12345.6, "12,346 s"),
        ("memory", 1.5 * 2**30, "1.5 GiB"),
        ("input_tokens", 1234.4, "1,234 tokens"),
        ("cost_per_thousand", 0.25, "0.25 EUR"),
    ],
)
def test_amount(figure: str, value: float, text: str):
    assert amount(figure, value, "EUR") == text


def test_with_interval():
    assert with_interval("accuracy", estimate(0.46, 0.38, 0.54)) == "46 % (38 to 54 %)"
    assert with_interval("latency_p50", estimate(1.25, 1.0, 2.0)) == "1.25 s (1 to 2 s)"
    assert with_interval("memory", estimate(2**30, 2**30, 2**30)) == "1.0 GiB"


def test_points_apart():
    assert points_apart(estimate(0.3, 0.22, 0.38)) == "30 points more (22 to 38)"
    assert points_apart(estimate(-0.3, -0.38, -0.22)) == "30 points fewer (22 to 38)"
    assert points_apart(estimate(-0.02, -0.1, 0.001)) == "2 points fewer (0 to 10)"


def test_probability():
    assert [probability(p) for p in (0.0004, 0.004, 0.0312, 1.0)] == ["p < 0.001", "p = 0.004", "p = 0.03", "p = 1.00"]


def test_listed():
    assert [listed(names) for names in (("a",), ("a", "b"), ("a", "b", "c"))] == ["a", "a and b", "a, b and c"]

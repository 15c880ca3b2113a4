"""How figures are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.figures import FIGURES
from weighbridge.formatting import (
    figure,
    join_words,
    percentage,
    points,
    probability,
    seconds,
    write_amount,
    write_difference,
)
from weighbridge.results import Estimate


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, scored=60)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.46, "46 %"),
        ("accuracy", 0.004, "0.4 %"),
        ("accuracy", 0.996, "99.6 %"),
        ("accuracy", 1.0, "100 %"),
        ("latency_p50", 0.0, "0 s"),
        ("latency_p50", 0.0123, "0.012 s"),
        ("latency_p50", 0.84, "0.84 s"),
        ("latency_p50", 12.4, "12 s"),
        ("latency_p50", 252, "4.2 min"),
        ("latency_p50", 7_560, "2.1 h"),
        ("memory", 412 * 2**20, "412 MiB"),
        ("memory", 1.5 * 2**30, "1.50 GiB"),
        ("input_tokens", 8.44, "8.4"),
        ("input_tokens", 1_412.3, "1,412"),
        ("cost_per_thousand", 0, "$0.00"),
        ("cost_per_thousand", 0.00213, "$0.0021"),
        ("cost_per_thousand", 0.21, "$0.21"),
        ("cost_per_thousand", 1_234.5, "$1,234.50"),
    ],
)
def test_each_unit_has_its_own_way(name: str, value: float, text: str):
    assert write_amount(FIGURES[name], value).replace("\u00a0", " ") == text


def test_a_currency_without_a_symbol_stands_after_the_number():
    assert write_amount(FIGURES["cost_per_thousand"], 2.5, "CHF") == "2.50\u00a0CHF"


def test_an_interval_has_the_scale_of_its_value_and_what_is_exact_has_none():
    assert figure(FIGURES["accuracy"], estimate(0.46, 0.38, 0.54)) == "46\u00a0%\u00a0(38\u201354)"
    assert figure(FIGURES["memory"], estimate(2**20, 2**20, 2**20)) == "1\u00a0MiB"


def test_differences_carry_their_signs():
    gap = write_difference(FIGURES["accuracy"], estimate(0.08, -0.02, 0.18)).replace("\u00a0", " ")
    assert gap == "+8 percentage points (\N{MINUS SIGN}2 to +18)"
    assert write_difference(FIGURES["cost_per_thousand"], estimate(-0.5, -0.6, -0.001)).replace("\u00a0", " ") == (
        "\N{MINUS SIGN}$0.50 (\N{MINUS SIGN}0.60 to 0.00)"
    )
    assert write_difference(FIGURES["accuracy"], estimate(-0.00001, -0.1, 0.1)).startswith("0")


def test_nothing_in_a_figure_can_be_broken_over_lines():
    written = (
        figure(FIGURES["latency_p50"], estimate(0.7, 0.6, 0.8)),
        write_difference(FIGURES["hallucination"], estimate(-0.25, -0.42, -0.07)),
        probability(0.0004),
    )
    assert not any(" " in text for text in written)


def test_small_words():
    assert [probability(value).replace("\u00a0", " ") for value in (0.0004, 0.0042, 0.31)] == [
        "p < 0.001", "p = 0.004", "p = 0.31",
    ]  # fmt: skip
    assert [percentage(value) for value in (0.05, 0.001)] == ["5\u00a0%", "0.1\u00a0%"]
    assert [points(value) for value in (0.2316, -0.01)] == ["23.2", "\N{MINUS SIGN}1.0"]
    assert seconds(90) == "90\u00a0s"
    assert [join_words(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert join_words(["a", "b"], "or") == "a or b"


@given(st.sampled_from(sorted(FIGURES)), st.floats(0, 1e9))
def test_every_amount_can_be_written(name: str, value: float):
    assert any(mark.isdigit() for mark in write_amount(FIGURES[name], value))

"""How figures are written."""

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.figures import FIGURES
from weighbridge.report.words import amount, clipped, counted, difference, figure, listed, plain, probability, visible
from weighbridge.results import Estimate


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, scored=60)


def written(name: str, value: float, currency: str = "USD") -> str:
    return amount(FIGURES[name], value, currency).replace("\u00a0", " ")


def test_each_unit_has_its_own_way() -> None:
    assert figure(FIGURES["accuracy"], estimate(0.46, 0.38, 0.54)).replace("\u00a0", " ") == "46 % (38\u201354)"
    assert written("accuracy", 0.004) == "0.4 %"
    assert written("accuracy", 0.996) == "99.6 %"
    assert written("accuracy", 1.0) == "100 %"
    assert [written("latency_p50", value) for value in (0.0, 0.0123, 0.84, 12.4, 252, 7_560)] == [
        "0 s", "0.012 s", "0.84 s", "12 s", "4.2 min", "2.1 h",
    ]  # fmt: skip
    assert [written("memory", value) for value in (412 * 2**20, 1.5 * 2**30)] == ["412 MiB", "1.50 GiB"]
    assert [written("input_tokens", value) for value in (8.44, 1_412.3)] == ["8.4", "1,412"]
    assert [written("cost_per_thousand", value) for value in (0, 0.00213, 0.21, 1_234.5)] == [
        "$0.00", "$0.0021", "$0.21", "$1,234.50",
    ]  # fmt: skip
    assert written("cost_per_thousand", 2.5, "CHF") == "2.50 CHF"


def test_what_is_absent_or_exact_has_no_interval() -> None:
    assert figure(FIGURES["recall"], None) == "\N{EN DASH}"
    assert figure(FIGURES["memory"], estimate(2**20, 2**20, 2**20)) == "1\u00a0MiB"


def test_differences_carry_their_signs() -> None:
    gap = difference(FIGURES["accuracy"], estimate(0.08, -0.02, 0.18)).replace("\u00a0", " ")
    assert gap == "+8 points (\N{MINUS SIGN}2 to +18)"
    assert difference(FIGURES["cost_per_thousand"], estimate(-0.5, -0.6, -0.001)) == (
        "\N{MINUS SIGN}$0.50 (\N{MINUS SIGN}0.60 to 0.00)"
    )
    assert difference(FIGURES["accuracy"], estimate(-0.00001, -0.1, 0.1)).startswith("0")


def test_small_words() -> None:
    assert [probability(value) for value in (0.0004, 0.0042, 0.31)] == [
        "p\u00a0<\u00a00.001", "p\u00a0=\u00a00.004", "p\u00a0=\u00a00.31",
    ]  # fmt: skip
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [counted(number, "question") for number in (1, 1_000)] == ["1\u00a0question", "1,000\u00a0questions"]
    assert clipped("abcdef", 4) == "abc…"


@given(st.text())
def test_foreign_text_keeps_its_length_and_loses_what_hides(text: str) -> None:
    assert len(visible(text)) == len(text)
    assert not any(ord(mark) < 32 for mark in plain(text))
    plain(text).encode()


@given(st.sampled_from(sorted(FIGURES)), st.floats(0, 1e9))
def test_every_amount_can_be_written(name: str, value: float) -> None:
    assert any(mark.isdigit() for mark in amount(FIGURES[name], value))

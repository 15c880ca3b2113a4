"""Quantities with units: what is read, and what is refused."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.decide.what_if.quantity import parse_quantity
from weighbridge.errors import UserError

NUMBERS = st.just(0.0) | st.floats(1e-6, 1e12)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2s", "seconds", 2.0),
        ("250 ms", "seconds", 0.25),
        ("1min", "seconds", 60.0),
        ("1.5", "seconds", 1.5),
        ("8GiB", "GiB", 8.0),
        ("512 MiB", "GiB", 0.5),
        ("1GB", "GiB", 1e9 / 2**30),
        ("80%", "share", 0.8),
        ("7%", "share", 0.07),
        ("0.8", "share", 0.8),
        ("1e6", "count", 1_000_000),
        ("12", "count", 12),
        (".5", "number", 0.5),
        ("5.", "number", 5.0),
        ("-3", "number", -3.0),
        ("true", "flag", True),
        ("false", "flag", False),
    ],
)
def test_a_quantity_is_read_in_the_unit_of_its_setting(text, unit, value):
    found = parse_quantity(text, unit)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "unit", "problem"),
    [
        ("2 hours", "seconds", "'hours' is not a unit of this setting; write 2s, 250ms or 1min"),
        ("2S", "seconds", "'S' is not a unit"),
        ("8gb", "GiB", "'gb' is not a unit"),
        ("80%", "seconds", "'%' is not a unit"),
        ("0.5 USD", "number", "'USD' is not a unit"),
        ("1,000", "count", "is not a unit of this setting; write 10000 or 1e6"),
        ("1_000", "count", "'_000' is not a unit"),
        ("1.5", "count", "'1.5' is not a whole number"),
        ("1e99", "count", "'1e99' is not a whole number up to 1,000,000,000,000,000"),
        ("1e400", "number", "'1e400' is too large"),
        ("nan", "number", "'nan' is not a number"),
        ("inf", "seconds", "'inf' is not a number"),
        ("", "number", "'' is not a number"),
        ("none", "number", "'none' is not a number"),
        ("yes", "flag", "'yes' is neither true nor false"),
        ("1", "flag", "'1' is neither true nor false"),
        ("٣", "count", "is not a number"),
        ("0x10", "count", "'x10' is not a unit"),
    ],
)
def test_anything_else_is_refused_with_an_example(text, unit, problem):
    with pytest.raises(UserError, match=re.escape(problem)):
        parse_quantity(text, unit)


def test_none_lifts_what_may_be_empty_only():
    assert parse_quantity("none", "seconds", may_be_none=True) is None
    with pytest.raises(UserError, match="write 2s, 250ms or 1min, or none"):
        parse_quantity("never", "seconds", may_be_none=True)


@given(value=NUMBERS)
def test_a_unit_scales_and_nothing_else(value):
    plain = parse_quantity(f"{value!r}", "seconds")
    assert plain == value
    assert math.isclose(parse_quantity(f"{value!r}ms", "seconds"), value / 1000, rel_tol=1e-12)
    assert math.isclose(parse_quantity(f"{value!r} min", "seconds"), value * 60, rel_tol=1e-12)
    assert math.isclose(parse_quantity(f"{value!r}MiB", "GiB") * 1024, value, rel_tol=1e-12)
    assert parse_quantity(f"{value!r}%", "share") == value / 100


@given(text=st.text(max_size=12), unit=st.sampled_from(["seconds", "GiB", "share", "number", "count", "flag"]))
def test_any_text_gives_a_finite_value_or_a_sentence(text, unit):
    try:
        value = parse_quantity(text, unit)
    except UserError as error:
        assert "\n" not in str(error) or "\n" in text  # noqa: PT017 - a given text is quoted as it is
    else:
        assert isinstance(value, bool) is (unit == "flag")
        assert math.isfinite(value)


def test_decimal_units_of_memory_are_smaller_than_binary_ones():
    assert parse_quantity("1000MB", "GiB") == parse_quantity("1GB", "GiB") == pytest.approx(1e9 / 2**30)

"""When two quantities are the same: conversion, rounding, and the words that explain a difference."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from weighbridge.scoring.numbers.digits import Amount, last_place
from weighbridge.scoring.numbers.quantities import Quantity
from weighbridge.scoring.numbers.units import MONEY, SHARE, Unit

Comparison = Literal["same", "different", "no unit", "unrelated"]
"""How a quantity relates to a reference; an "unrelated" one measures something else."""

_ROUNDING = Fraction(1, 20)
"""The largest error of a number rounded to two digits (1.05 written as 1.0). A coarser "about" says too little."""
_DIGITS_OF_A_ROUNDED_DECIMAL = 3
"""3.14 stands for 3.14159 without "about"; with two digits another value is as likely ("1.5 %" is not 1.46 %)."""
_OTHER_SYSTEM = Fraction(1, 100)
"""People convert miles and pounds to about three digits: 5 miles are 8 km, and 8.047."""
_LARGEST_RATIO = 10**9
"""A larger factor tells nobody anything."""
_CALENDAR = Fraction(2, 100)
"""A month has 28 to 31 days and a year 365 or 366, so "30 days" is a month; 4 weeks are none."""
_MONTH_IN_SECONDS = Fraction(31557600, 12)
"""A twelfth of a Julian year of 365.25 days."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """A number with one of its units: the value in the base unit, and the place of its last digit there."""

    value: Fraction
    step: Fraction
    amount: Amount
    unit: Unit | None


def compare_quantities(wanted: Quantity, given: Quantity, asked: tuple[Unit, ...] = ()) -> tuple[Comparison, str]:
    """Return how a quantity relates to a reference, and why in words; `asked` are the units that the question names."""
    if {wanted.bound, given.bound} == {"at least", "at most"}:
        return "different", f"{_bound_and_text(given)} is not {_bound_and_text(wanted)}"
    pairs = _unit_pairs(wanted, given, asked)
    rounded = wanted.rounded or given.rounded
    if not pairs:
        both_money = wanted.is_money and given.is_money
        if both_money or _agree_in_all(wanted, given, (None, None), rounded=rounded):
            return "different", f"{given.text} is in another unit than {wanted.text}"
        return "unrelated", f"{given.text} measures something else than {wanted.text}"
    if any(_agree_in_all(wanted, given, pair, rounded=rounded) for pair in pairs):
        dimensions = {unit.dimension for unit in wanted.units}
        is_understood = SHARE in dimensions or any(unit.dimension in dimensions for unit in asked)
        if wanted.units and not given.units and not is_understood:
            return "no unit", f"{given.text} is the number of {wanted.text} without its unit"
        return "same", f"{given.text} is {wanted.text}"
    return "different", _difference(wanted, given, pairs[0])


def _bound_and_text(quantity: Quantity) -> str:
    return f"{quantity.bound} {quantity.text}".strip()


def _unit_pairs(wanted: Quantity, given: Quantity, asked: tuple[Unit, ...]) -> list[tuple[Unit | None, Unit | None]]:
    """Return the pairs of units to compare two quantities in; a bare number takes the unit of the question."""
    if wanted.units and given.units:
        return [(u, v) for u in wanted.units for v in given.units if _convertible(u, v)]
    if not wanted.units and not given.units:
        return [(None, None)]
    written = wanted.units or given.units
    supplied = [unit for unit in asked if any(_convertible(unit, other) for other in written)]
    pairs: list[tuple[Unit | None, Unit | None]] = []
    for unit in written:
        others = [other for other in supplied if _convertible(unit, other)]
        bare: list[Unit | None] = [*others, None] if unit.dimension == SHARE else [*others]
        pairs.extend((unit, other) if wanted.units else (other, unit) for other in bare)
    if given.units and any(unit.dimension.startswith(MONEY) for unit in asked) and given.is_money:
        return pairs  # "2.50" with a price asked in euro is no other currency
    if not supplied:
        pairs.append((None, None))
    return pairs


def _convertible(first: Unit, second: Unit) -> bool:
    dimensions = {first.dimension, second.dimension}
    return len(dimensions) == 1 or dimensions == {"time", "month"}


def _agree_in_all(wanted: Quantity, given: Quantity, pair: tuple[Unit | None, Unit | None], *, rounded: bool) -> bool:
    """Tell whether both ends of two ranges, or two numbers, are the same. A range and a number never are."""
    if len(wanted.ends) != len(given.ends):
        return False
    return all(
        _agree(first, second, pair, rounded=rounded) for first, second in zip(wanted.ends, given.ends, strict=True)
    )


def _agree(first: Amount, second: Amount, pair: tuple[Unit | None, Unit | None], *, rounded: bool) -> bool:
    if first.text == second.text and pair[0] == pair[1]:
        return True
    return any(
        _agree_measured(_measure(first, x, pair[0]), _measure(second, y, pair[1]), rounded=rounded)
        for x in first.readings
        for y in second.readings
    )


def _measure(amount: Amount, value: Fraction, unit: Unit | None) -> _Measured:
    factor, offset = (unit.factor, unit.offset) if unit else (Fraction(1), Fraction(0))
    if unit and unit.dimension == "month":
        factor *= _MONTH_IN_SECONDS
    return _Measured(value * factor + offset, amount.step * factor, amount, unit)


def _agree_measured(first: _Measured, second: _Measured, *, rounded: bool) -> bool:
    difference = abs(first.value - second.value)
    if difference == 0:
        return True
    larger = max(abs(first.value), abs(second.value))
    if first.unit and second.unit and first.unit != second.unit:
        if first.unit.dimension == "temperature":
            return difference * 2 <= max(first.step, second.step)
        if first.unit.dimension != second.unit.dimension and difference <= larger * _CALENDAR:
            return True
        if first.unit.metric != second.unit.metric and difference <= larger * _OTHER_SYSTEM:
            return True
    return _rounds(first, second, difference, rounded=rounded)


def _rounds(first: _Measured, second: _Measured, difference: Fraction, *, rounded: bool) -> bool:
    """Tell whether the coarser number is the finer one, rounded.

    "About", or a word such as million, says that a number may be rounded: then it may be so at its last digit that is
    not zero, if the error stays below that of two digits. Without such a word only a decimal of three digits and
    more is taken for a rounded one; a count never is ("12" is not 12.3).
    """
    (coarse, step), (_, other_step) = sorted(
        ((number, _rounding_step(number, rounded=rounded)) for number in (first, second)),
        key=lambda pair: pair[1], reverse=True,
    )  # fmt: skip
    if step == other_step or difference * 2 > step:
        return False
    if rounded or coarse.amount.scaled:
        return difference <= abs(coarse.value) * _ROUNDING
    return coarse.amount.step < 1 and coarse.amount.digits >= _DIGITS_OF_A_ROUNDED_DECIMAL


def _rounding_step(number: _Measured, *, rounded: bool) -> Fraction:
    if not (rounded or number.amount.scaled) or number.amount.step < 1:
        return number.step
    factor = number.unit.factor if number.unit else Fraction(1)
    return last_place(number.amount.readings[0]) * factor


def _difference(wanted: Quantity, given: Quantity, pair: tuple[Unit | None, Unit | None]) -> str:
    """Return the sentence for people: "5 g is 1,000 times 5 mg"."""
    if len(wanted.ends) == len(given.ends) == 1:
        first, second = (
            _measure(quantity.ends[0], quantity.ends[0].readings[0], unit).value
            for quantity, unit in zip((wanted, given), pair, strict=True)
        )
        ratio = second / first if first else Fraction(0)
        temperature = pair[0] is not None and pair[0].dimension == "temperature"
        if ratio.denominator == 1 and 1 < ratio <= _LARGEST_RATIO and not temperature:
            return f"{given.text} is {int(ratio):,} times {wanted.text}"
    return f"{given.text} is not {wanted.text}"

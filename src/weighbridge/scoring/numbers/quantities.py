"""Amounts with their units: percentages, money, measures, ranges, and plain numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from weighbridge.scoring.language.folding import DecimalMark, Language
from weighbridge.scoring.numbers.digits import Amount, find_numbers
from weighbridge.scoring.numbers.units import MONEY, Unit, currency_before, units_after, units_named

Bound = Literal["", "at least", "at most"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number, or a range, with the possible meanings of its unit."""

    start: int
    end: int
    text: str
    ends: tuple[Amount, ...]
    """One number, or the two ends of a range or of a choice ("5 or 6")."""
    units: tuple[Unit, ...] = ()
    bound: Bound = ""
    rounded: bool = False
    """A word such as "about" says that the number is rounded."""

    @property
    def is_weak(self) -> bool:
        """Return whether it may confirm a value but never contradict one."""
        return all(amount.weak for amount in self.ends)

    @property
    def is_money(self) -> bool:
        """Return whether the unit is a currency."""
        return any(unit.dimension.startswith(MONEY) for unit in self.units)


_RANGE = re.compile(r"\s?(?:-|~|to|bis|à|a|until|through|or|oder|ou|o|u|至|到|から|or even)\s?", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|zwischen|entre)\s(?:about\s)?$", re.IGNORECASE)
_AND = re.compile(r"\s(?:and|und|et|y)\s", re.IGNORECASE)
_COMPOUND = re.compile(r"(?:,?\s?(?:and\s|und\s|et\s|y\s)?)", re.IGNORECASE)
_AT_LEAST = re.compile(
    r"(?:\b(?:at least|minimum(?: of)?|no (?:less|fewer) than|not (?:less|fewer) than|more than|over|above|"
    r"exceed(?:s|ing)?|greater than|upwards of|mindestens|mehr als|über|au moins|plus de|al menos|más de)"
    r"|至少|不少于|少なくとも|[>≥]=?)\s?$",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"(?:\b(?:at (?:the )?most|up to|maximum(?: of)?|max\.?|no more than|not more than|no longer than|not exceed|"
    r"less than|fewer than|under|below|"
    r"höchstens|maximal|weniger als|bis zu|au plus|moins de|jusqu'à|como máximo|menos de|hasta)"
    r"|最多|不超过|至多|[<≤]=?)\s?$",
    re.IGNORECASE,
)
_OR_MORE = re.compile(
    r"\s?(?:or (?:more|above|over|higher)|and (?:more|above|over)|minimum|以上|oder mehr|ou plus|o más)\b",
    re.IGNORECASE,
)
_OR_LESS = re.compile(
    r"\s?(?:or (?:less|fewer|below|under|lower)|maximum|以下|以内|oder weniger|ou moins|o menos)\b", re.IGNORECASE
)
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approximately|approx\.?|roughly|circa|ca?\.|nearly|almost|some|estimated(?: at)?|over|"
    r"more than|just (?:over|under)|close to|an average of|average|etwa|rund|ungefähr|environ|presque|unos|unas"
    r"|aproximadamente)|约|約|大约|およそ|~|≈)\s?$",
    re.IGNORECASE,
)
_ONE_UNIT = re.compile(r"\b(?:an?|eine?[nrms]?|une?|una?|the)\s(?=[^\W\d_])", re.IGNORECASE)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_AGE = re.compile(r"\b(?:how old|what age|which age|wie alt|quel âge|qué edad)\b|几岁|何歳", re.IGNORECASE)
_PART_OF = re.compile(r" (?:of )?an? ", re.IGNORECASE)  # "half an hour", "a quarter of a mile"
_LEAD = 24
"""Characters before a number that may hold "at least", "between" and the like."""


@lru_cache(maxsize=4096)
def find_quantities(text: str, *, language: Language | None = "en", mark: DecimalMark = ".") -> tuple[Quantity, ...]:
    """Find the numbers of a folded text with their units, ranges joined, in order and without overlap."""
    quantities = [_with_unit(text, amount) for amount in find_numbers(text, language=language, mark=mark)]
    quantities.extend(_single_units(text, quantities))
    quantities.sort(key=lambda quantity: quantity.start)
    joined: list[Quantity] = []
    for quantity in quantities:
        previous = joined[-1] if joined else None
        if previous and previous.end > quantity.start:
            continue
        together = previous and (_compound(text, previous, quantity) or _range(text, previous, quantity))
        if together:
            joined[-1] = together
        else:
            joined.append(quantity)
    return tuple(_with_bound(text, quantity) for quantity in joined)


def _with_unit(text: str, amount: Amount) -> Quantity:
    units, start = currency_before(text, amount.start)
    end = amount.end
    if not units and not amount.ordinal:
        part = _PART_OF.match(text, amount.end) if amount.readings[0] < 1 else None
        units, unit_end = units_after(text, part.end() - 1 if part else amount.end)
        end = unit_end if units else amount.end
    if any(unit.dimension.startswith(MONEY) for unit in units) and _THOUSANDS.fullmatch(amount.text):
        # Prices have two decimals, never three: "1.000 Euro" is a thousand in every language.
        value = Fraction(re.sub(r"\D", "", amount.text))
        amount = replace(amount, readings=(value,), step=Fraction(1))
    return Quantity(start=start, end=end, text=text[start:end], ends=(amount,), units=units)


def _single_units(text: str, others: list[Quantity]) -> Iterable[Quantity]:
    """Find single units without a number ("a week"); a rate ("5 km a day") has taken its unit before."""
    for match in _ONE_UNIT.finditer(text):
        if any(other.start <= match.start() < other.end for other in others):
            continue
        units, end = units_after(text, match.end())
        units = tuple(unit for unit in units if unit.dimension in ("time", "month", "length", "mass", "volume"))
        if units and end - match.end() > 2 and not match[0].lower().startswith("the"):
            one = Amount(
                start=match.start(), end=match.end(), text=match[0].strip(), readings=(Fraction(1),), weak=True
            )
            yield Quantity(start=match.start(), end=end, text=text[match.start() : end], ends=(one,), units=units)


def _range(text: str, first: Quantity, second: Quantity) -> Quantity | None:
    """Return the range or choice that two neighbours make; None where they are two values."""
    between = text[first.end : second.start]
    connected = _RANGE.fullmatch(between) or (
        _AND.fullmatch(between) and _BETWEEN.search(text[max(0, first.start - _LEAD) : first.start])
    )
    units = second.units or first.units
    if not connected or len(first.ends) > 1 or (first.units and not set(first.units) & set(units)):
        return None
    return Quantity(
        start=first.start, end=second.end, text=text[first.start : second.end],
        ends=(*first.ends, *second.ends)[:2], units=units,
    )  # fmt: skip


def _compound(text: str, first: Quantity, second: Quantity) -> Quantity | None:
    """Return the sum of "6 ft 1 in" or "2 hours and 30 minutes"; None where the neighbours are two values."""
    if len(first.ends) > 1 or len(second.ends) > 1 or not _COMPOUND.fullmatch(text[first.end : second.start]):
        return None
    for unit in first.units:
        for smaller in second.units:
            if unit.dimension == smaller.dimension and smaller.factor < unit.factor and not unit.offset:
                amount, added = first.ends[0], second.ends[0]
                if (
                    amount.readings[0].denominator > 1
                    or added.readings[0] * smaller.factor >= unit.factor
                    or added.readings[0] < 0
                ):
                    return None
                total = amount.readings[0] + added.readings[0] * smaller.factor / unit.factor
                merged = replace(
                    amount, end=second.end, text=text[amount.start : second.end], readings=(total,),
                    step=added.step * smaller.factor / unit.factor, digits=amount.digits + added.digits,
                )  # fmt: skip
                return replace(
                    first, end=second.end, text=text[first.start : second.end], ends=(merged,), units=(unit,)
                )
    return None


def _with_bound(text: str, quantity: Quantity) -> Quantity:
    lead = text[max(0, quantity.start - _LEAD) : quantity.start]
    bound: Bound = ""
    if _AT_MOST.search(lead) or _OR_LESS.match(text, quantity.end):
        bound = "at most"
    elif _AT_LEAST.search(lead) or _OR_MORE.match(text, quantity.end):
        bound = "at least"
    return replace(quantity, bound=bound, rounded=bool(_ABOUT.search(lead)))


def units_asked(question: str) -> tuple[Unit, ...]:
    """Return the units that a question names ("how many days", "in euro", "(kg)"); short symbols only in brackets."""
    units = list(units_named("years")) if _AGE.search(question) else []
    for match in re.finditer(r"\(([^()\s]{1,8})\)|[€$£%]|[^\W\d_]{3,}(?: (?:Celsius|Fahrenheit))?", question):
        units.extend(units_named(match[1] or match[0].replace(" ", "-")))
    return tuple(units)

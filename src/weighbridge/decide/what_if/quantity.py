"""Reads a quantity with its unit, as in `2s`, `250 ms`, `80%` or `8GiB`. Small and strict: no guess is made.

A number is written with a point for the decimals and without signs for thousands. Without a unit it is in the unit of
the setting: seconds, GiB, or a share from 0 to 1.
"""

import math
import re
from collections.abc import Mapping
from typing import Literal

from weighbridge.errors import UserError

Unit = Literal["seconds", "GiB", "share", "number", "count", "flag"]
Quantity = float | int | bool | None

_NUMBER = re.compile(r"(?P<number>-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?P<space>\s*)(?P<unit>\S.*)?", re.ASCII)
_UNITS: Mapping[Unit, Mapping[str, float]] = {
    "seconds": {"s": 1.0, "ms": 1e-3, "min": 60.0},
    "GiB": {"GiB": 1.0, "MiB": 2.0**-10, "GB": 1e9 / 2**30, "MB": 1e6 / 2**30},
    "share": {"%": 1e-2},
    "number": {},
    "count": {},
}
"""The units of each kind of setting, and their size in the setting's own unit."""
_SAMPLES: Mapping[Unit, str] = {
    "seconds": "2s, 250ms or 1min",
    "GiB": "8GiB or 512MiB",
    "share": "80% or 0.8",
    "number": "0.5",
    "count": "10000 or 1e6",
    "flag": "true or false",
}
_MOST = 10**15
"""The largest count. A million answers a second for thirty years are fewer: more is a slip of the keyboard."""


def parse_quantity(text: str, unit: Unit, *, may_be_none: bool = False) -> Quantity:
    """Return the value of a text in the unit of a setting; None for `none`, where the setting may be empty.

    Raises:
        UserError: the text is no such quantity: no number, another unit, not finite, or not whole where it must be.
    """
    wanted = f"write {_SAMPLES[unit]}{', or none' if may_be_none else ''}"
    text = text.strip()
    if may_be_none and text == "none":
        return None
    if unit == "flag":
        if text not in {"true", "false"}:
            raise UserError(f"'{text}' is neither true nor false")
        return text == "true"
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UserError(f"'{text}' is not a number; {wanted}")
    size = 1.0 if match["unit"] is None else _UNITS[unit].get(match["unit"])
    if size is None:
        raise UserError(f"'{match['unit']}' is not a unit of this setting; {wanted}")
    value = float(match["number"])
    if not math.isfinite(value):
        raise UserError(f"'{text}' is too large; {wanted}")
    if unit != "count":
        # A division by 100 is exact where it can be: 7% is 0.07, and 7 * 0.01 is not.
        return value / 100 if match["unit"] == "%" else value * size
    if not value.is_integer() or abs(value) > _MOST:
        raise UserError(f"'{text}' is not a whole number up to {_MOST:,}; {wanted}")
    return int(value)

"""Arms priced by hand, without a workspace: a TOML file with the cost of setting up, of a year and of an answer."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from weighbridge.decide.money.ledger import (
    DAYS_A_MONTH,
    HOURS_A_MONTH,
    SECONDS_AN_HOUR,
    ArmPlan,
    Band,
    CostInput,
    CostLine,
    MachineLine,
    exact,
)
from weighbridge.decide.money.ownership import MoneyCase
from weighbridge.decide.money.price_book import line_numbers
from weighbridge.decide.money.uncertainty import Trials
from weighbridge.errors import SettingsError
from weighbridge.settings.currencies import currency_problem
from weighbridge.settings.money import MOST_YEARS, volume_problem
from weighbridge.settings.needs import MOST_ANSWERS

SAMPLE = """\
currency = "USD"
answers_per_month = 10000  # a number, or [low, likely, high], here and below
years = 3

[arms.rag]
setup = 50000
per_year = 20000
per_answer = 0.01

[arms.fine-tuned]
setup = 200000
per_year = 60000
per_answer = 0.05
"""
_DEFAULTS: Mapping[str, float | str] = {"currency": "USD", "years": 3.0, "growth": 0.0, "discount": 0.0}
_AMOUNTS: Mapping[str, str] = {
    "setup": "money, once",
    "per_year": "money a year",
    "per_answer": "money an answer",
    "training": "money, for each training after the first",
    "retrain_days": "days between two trainings",
    "machine_per_month": "money a month for one machine that is always on",
    "answers_per_machine": "answers a month that one machine can give",
}
"""The keys of an arm. All may be left out, but the last two belong together, and so do the two of training."""
_PAIRS = (("training", "retrain_days"), ("machine_per_month", "answers_per_machine"))
_ABOVE_ZERO = ("retrain_days", "answers_per_machine", "answers_per_month", "years")
_MOST: Mapping[str, float] = {"years": MOST_YEARS, "answers_per_month": MOST_ANSWERS, "growth": 10, "discount": 10}
"""As in weighbridge.yaml. Amounts of money are bounded by MOST_ANSWERS too: larger ones have hundreds of digits."""
_DRAWS, _SEED = 2000, 7
"""Arms by hand have few inputs, so that 2,000 draws take 0.1 s. They fix a chance to within 2 points."""


def read_scenario(text: str, place: str, *, volume: float | None = None, years: float | None = None) -> MoneyCase:
    """Return the case in a TOML text. `volume` (answers a month) and `years` replace those of the text.

    Raises:
        SettingsError: it is no TOML, or a value is missing, unknown or impossible. The message names the line.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{place}: is not valid TOML: {error}") from None
    reader = _ScenarioReader(content, line_numbers(text), place)
    reader.refuse_unknown((), ("answers_per_month", "arms", *_DEFAULTS))
    arms = content.get("arms")
    if not isinstance(arms, dict) or not arms:
        reader.fail(("arms",), "there is no arm; add one like [arms.rag] with setup, per_year and per_answer")
    inputs = {
        "volume": reader.read(("answers_per_month",), volume),
        "growth": reader.read(("growth",)),
        "whole": CostInput(label="a whole", unit="share", band=exact(1.0), basis="scenario"),
    }
    plans = []
    for name in arms:
        reader.refuse_unknown(("arms", name), tuple(_AMOUNTS))
        given = {key: reader.read(("arms", name, key)) for key in arms[name]}
        for pair in _PAIRS:
            if len(missing := [key for key in pair if key not in given]) == 1:
                reader.fail(("arms", name), f"arms.{name} has no {missing[0]} ({_AMOUNTS[missing[0]]})")
        plans.append(_plan(name, given))
        inputs |= _inputs(name, given)
    likely = inputs["volume"].band.high, inputs["growth"].band.high, reader.read(("years",), years).band.high
    if problem := volume_problem(*likely):
        reader.fail(("growth",), problem)
    months = max(1, round(reader.read(("years",), years).band.likely * 12))
    discount = reader.read(("discount",)).band.likely
    currency = content.get("currency", _DEFAULTS["currency"])
    if problem := currency_problem(currency):
        reader.fail(("currency",), f"currency {problem}")
    return MoneyCase(
        currency=str(currency),
        inputs=inputs,
        plans=tuple(plans),
        trials=Trials(draws=_DRAWS, seed=_SEED, months=months, discount=discount),
        notes=(f"All numbers are those of {place}.",),
    )


@dataclass(frozen=True, slots=True)
class _ScenarioReader:
    content: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int]
    place: str

    def fail(self, path: tuple[str, ...], problem: str) -> NoReturn:
        while path and path not in self.lines:
            path = path[:-1]
        raise SettingsError(f"{self.place}:{self.lines.get(path, 1)}: {problem}")

    def refuse_unknown(self, path: tuple[str, ...], known: tuple[str, ...]) -> None:
        table: Any = self.content
        for part in path:
            table = table[part]
        if not isinstance(table, dict):
            self.fail(path, f"{'.'.join(path)} must be a table, like [{'.'.join(path)}]")
        for key in table:
            if key not in known:
                self.fail((*path, key), f"unknown key {key!r}; known here: {', '.join(known)}")

    def read(self, path: tuple[str, ...], instead: float | None = None) -> CostInput:
        """Return a number, or [low, likely, high], as an input."""
        *parents, key = path
        table: Any = self.content
        for part in parents:
            table = table[part]
        value = instead if instead is not None else table.get(key, _DEFAULTS.get(key))
        title = ".".join(path)
        if value is None:
            self.fail(path, f"{title} is missing; add a line like `{key} = 10000`")
        numbers = value if isinstance(value, list) else [value] * 3
        if len(numbers) != 3 or not all(map(_is_number, numbers)):  # noqa: PLR2004 - low, likely, high
            self.fail(path, f"{title} must be a number, or [low, likely, high], not {value!r}")
        least = "more than 0" if key in _ABOVE_ZERO else "at least 0"
        if min(numbers) < 0 or (key in _ABOVE_ZERO and min(numbers) == 0):
            self.fail(path, f"{title} must be {least}, not {value!r}")
        if max(numbers) > (most := _MOST.get(key, MOST_ANSWERS)):
            self.fail(path, f"{title} must be at most {most:,}, not {max(numbers):g}")
        if sorted(numbers) != numbers:
            self.fail(path, f"{title} must rise from the lowest to the highest, not {value!r}")
        label = f"{parents[-1]}: {key.replace('_', ' ')}" if parents else key.replace("_", " ")
        return CostInput(label=label, unit=_AMOUNTS.get(key, ""), band=Band(*map(float, numbers)), basis="scenario")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _inputs(name: str, given: Mapping[str, CostInput]) -> dict[str, CostInput]:
    """Return the inputs of an arm: its amounts, those of trainings and machines in the units of the lines."""
    inputs = {f"{name}.{key}": amount for key, amount in given.items()}
    for key, unit, dividend in (
        ("retrain_days", "trainings a month", DAYS_A_MONTH),
        ("answers_per_machine", "seconds of a machine for an answer", HOURS_A_MONTH * SECONDS_AN_HOUR),
    ):
        if amount := given.get(key):  # the more of these, the less is paid: the ends change places
            low, likely, high = (dividend / end for end in (amount.band.high, amount.band.likely, amount.band.low))
            inputs[f"{name}.{key}"] = replace(amount, unit=unit, band=Band(low, likely, high))
    if amount := given.get("machine_per_month"):
        low, likely, high = (end / HOURS_A_MONTH for end in (amount.band.low, amount.band.likely, amount.band.high))
        inputs[f"{name}.machine_per_month"] = replace(amount, unit="money an hour", band=Band(low, likely, high))
    return inputs


def _plan(name: str, given: Mapping[str, CostInput]) -> ArmPlan:
    lines = []
    if "setup" in given:
        lines.append(CostLine(label="set-up", timing="once", factors=(f"{name}.setup",)))
    if "per_year" in given:
        lines.append(CostLine(label="running", timing="month", factors=(f"{name}.per_year",), scale=1 / 12))
    if "training" in given:
        factors = (f"{name}.training", f"{name}.retrain_days")
        lines.append(CostLine(label="training again", timing="month", factors=factors))
    if "per_answer" in given:
        lines.append(CostLine(label="answers", timing="answer", factors=(f"{name}.per_answer",)))
    machine = MachineLine(
        price=f"{name}.machine_per_month",
        seconds=f"{name}.answers_per_machine",
        utilisation="whole",
        idle_floor="whole",
    )
    return ArmPlan(name=name, lines=tuple(lines), machine=machine if "machine_per_month" in given else None)

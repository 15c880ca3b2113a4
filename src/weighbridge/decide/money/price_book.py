"""The price book: a dated TOML file that people edit. Ours is `prices.toml` beside this file."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, TypeVar

from weighbridge.errors import SettingsError
from weighbridge.settings.currencies import currency_problem

ASSUMPTION = "assumption"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedModel:
    """A model that is paid for by the token, for a million of them."""

    provider: str
    input: float
    output: float
    cached: float | None = None
    """None: cached tokens cost what others do."""
    dated: date
    source: str
    retires: date | None = None
    """The day on which the provider switches it off."""
    no_training_from: date | None = None
    """The day from which the provider takes no training jobs for it."""
    replacement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePrice:
    """A machine by the hour, and its tokens a second with a model of the usual size."""

    per_hour: float
    input_tokens_per_second: float
    output_tokens_per_second: float
    dated: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePrice:
    """Storage by the GiB and month."""

    per_gib_month: float
    dated: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabasePrice:
    """A vector database by the month, and by the GiB and month."""

    per_month: float
    per_gib_month: float
    dated: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wage:
    """An hour of a person, with everything that the employer pays."""

    per_hour: float
    dated: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """The units of a currency for one unit of the book's."""

    rate: float
    dated: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Every price, in one currency."""

    currency: str
    hosted: Mapping[str, HostedModel]
    machines: Mapping[str, MachinePrice]
    storage: StoragePrice
    vector_database: DatabasePrice
    people: Mapping[str, Wage]
    """By role: engineer, ml_engineer, expert."""
    exchange: Mapping[str, ExchangeRate]
    place: str
    """The file it was read from."""

    def units_of(self, currency: str) -> float:
        """Return the units of a currency for one unit of the book's. The price of an unknown one is never guessed.

        Raises:
            SettingsError: the book has no rate for it. The message lists the currencies that it knows.
        """
        if currency == self.currency:
            return 1.0
        if currency not in self.exchange:
            known = ", ".join((self.currency, *self.exchange))
            raise SettingsError(
                f"'{currency}' is no currency of {self.place}, which knows {known}; use one of these, or add "
                f"[exchange.{currency}] with its rate (weighbridge prices write makes a copy to edit)"
            )
        return self.exchange[currency].rate


ROLES = ("engineer", "ml_engineer", "expert")
_GROUPS: Mapping[str, type] = {
    "hosted": HostedModel,
    "machines": MachinePrice,
    "people": Wage,
    "exchange": ExchangeRate,
}
_SINGLE: Mapping[str, type] = {"storage": StoragePrice, "vector_database": DatabasePrice}
_ABOVE_ZERO = ("rate", "input_tokens_per_second", "output_tokens_per_second")
_HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]\s*(#.*)?$")
_KEY = re.compile(r"\s*(?P<name>[\w-]+)\s*=")
Entry = TypeVar("Entry")


def standard_prices() -> str:
    """Return the text of the price book that is installed with the package."""
    return (files("weighbridge.decide.money") / "prices.toml").read_text(encoding="utf-8")


def read_price_book(text: str, place: str) -> PriceBook:
    """Return the price book in a TOML text; `place` is the file that errors name.

    Raises:
        SettingsError: it is no TOML, a price is missing, negative or not a number, or a key is unknown. The message
            names the line.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{place}:{line[1] if line else 1}"
        raise SettingsError(f"{where}: is not valid TOML: {str(error).split(' (at ')[0]}") from None
    reader = _Reader(text, place)
    known = ("currency", *_GROUPS, *_SINGLE)
    for key in content:
        if key not in known:
            reader.fail((key,), f"unknown key {key!r}{_hint(key, known)}")
    currency = content.get("currency")
    if problem := currency_problem(currency):
        reader.fail(("currency",), f"currency {problem}")
    groups: dict[str, Any] = {
        name: {key: reader.entry((name, key), kind, value) for key, value in reader.table(name, content).items()}
        for name, kind in _GROUPS.items()
    }
    if missing := [role for role in ROLES if role not in groups["people"]]:
        reader.fail(("people",), f"[people.{missing[0]}] is missing; add it with per_hour, dated and source")
    single: dict[str, Any] = {name: reader.entry((name,), kind, content.get(name)) for name, kind in _SINGLE.items()}
    return PriceBook(currency=str(currency), place=place, **groups, **single)


class _Reader:
    """Makes entries of tables, and finds the lines for errors."""

    def __init__(self, text: str, place: str) -> None:
        self._place = place
        self._lines = line_numbers(text)

    def fail(self, path: tuple[str, ...], problem: str) -> None:
        while path and path not in self._lines:
            path = path[:-1]
        raise SettingsError(f"{self._place}:{self._lines.get(path, 1)}: {problem}")

    def table(self, name: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        value = content.get(name, {})
        if not isinstance(value, dict):
            self.fail((name,), f"{name} must be a table, like [{name}.NAME]")
        return dict(value)

    def entry(self, path: tuple[str, ...], kind: type[Entry], value: Any) -> Entry:
        title = ".".join(path)
        if not isinstance(value, dict):
            self.fail(path, f"[{title}] is missing, or no table")
        known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]  # each kind is a dataclass
        for key, given in value.items():
            if key not in known:
                self.fail((*path, key), f"unknown key {key!r} in [{title}]{_hint(key, tuple(known))}")
            if problem := _problem(key, given, str(known[key].type)):
                self.fail((*path, key), f"{title}.{key} {problem}, not {given!r}")
        required = ("dated", "source", *(key for key in known if "None" not in str(known[key].type)))
        for key in required:
            if key not in value and key != "replacement":
                self.fail(path, f"[{title}] has no {key}; add a line like `{key} = {_sample(key)}`")
        return kind(**value)


def _problem(key: str, given: Any, kind: str) -> str:
    """Return the problem with a value; empty where there is none."""
    if "date" in kind:
        return "" if type(given) is date else "must be a date like 2026-11-20, without quotes"
    if "float" in kind:
        if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
            return "must be a number"
        if key in _ABOVE_ZERO and given <= 0:
            return "must be more than 0"
        return "" if given >= 0 else "must be at least 0"
    return "" if isinstance(given, str) else "must be a text in quotes"


def _sample(key: str) -> str:
    return {"dated": "2026-11-20", "source": '"the address of the price list"', "provider": '"openai"'}.get(key, "1.0")


def _hint(key: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def line_numbers(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of every table and key of a TOML text whose tables have headers, by their path."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = header_path(header["name"])
            for depth in range(1, len(table) + 1):
                lines.setdefault(table[:depth], number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key["name"]), number)
    return lines


def header_path(name: str) -> tuple[str, ...]:
    """Return the parts of a table's name: of `hosted."gpt-4.1"` these are `hosted` and `gpt-4.1`."""
    return tuple(quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|([\w-]+)', name))

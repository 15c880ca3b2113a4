"""Updates the prices of hosted models in the text of a price book. Every other line stays as it is, byte for byte."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from weighbridge.decide.money.price_book import header_path, read_price_book

IMPORTER = "genai-prices"
_HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]")
_VALUE = re.compile(r"(?P<before>\s*(?P<key>[\w-]+)\s*=\s*)(?P<value>\"[^\"]*\"|[^#\s]+)(?P<after>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """The price of a million tokens of a model."""

    input: float
    output: float
    cached: float | None = None
    """None: the provider lists no other price for cached ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A price that is another one now."""

    model: str
    key: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshedPrices:
    """The new text of a price book, and the fate of its hosted models."""

    text: str
    changes: tuple[PriceChange, ...]
    confirmed: tuple[str, ...]
    """Models whose prices are still the same. Their date is the new one too."""
    unlisted: tuple[str, ...]
    """Models that the importer does not know any more; they stay as they are."""
    own: tuple[str, ...]
    """Models with another source; they are yours, and stay as they are."""


def refresh_prices(
    text: str, place: str, listed: Mapping[str, TokenPrices], *, dated: date, source: str
) -> RefreshedPrices:
    """Return the price book with the listed prices of the hosted models that came from the importer.

    Raises:
        SettingsError: the text is no price book, or its hosted models do not stand in tables of their own.
    """
    book = read_price_book(text, place)
    imported = [name for name, model in book.hosted.items() if model.source.startswith(IMPORTER)]
    known = {name: listed[name] for name in imported if name in listed}
    changes = tuple(
        PriceChange(model=name, key=key, before=getattr(book.hosted[name], key), after=getattr(prices, key))
        for name, prices in known.items()
        for key in ("input", "cached", "output")
        if getattr(book.hosted[name], key) != getattr(prices, key)
    )
    changed = {change.model for change in changes}
    for name, prices in known.items():
        values = {
            "input": _number(prices.input),
            "cached": _number(prices.cached),
            "output": _number(prices.output),
            "dated": dated.isoformat(),
            "source": f'"{source}"',
        }
        text = _rewrite(text, ("hosted", name), values)
    read_price_book(text, place)  # the new text must be readable too
    return RefreshedPrices(
        text=text,
        changes=changes,
        confirmed=tuple(name for name in known if name not in changed),
        unlisted=tuple(name for name in imported if name not in listed),
        own=tuple(name for name in book.hosted if name not in imported),
    )


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.10g}" if value != int(value) else f"{value:.1f}"


def _rewrite(text: str, path: tuple[str, ...], values: Mapping[str, str | None]) -> str:
    """Return the text with new values in one table: a missing key is added at its end, and one without a value goes."""
    lines = text.splitlines(keepends=True)
    start = next(place for place, line in enumerate(lines) if _path_of(line) == path)
    end = next((place for place in range(start + 1, len(lines)) if _path_of(lines[place])), len(lines))
    waiting = dict(values)
    table: list[str] = []
    last = 0
    for line in lines[start + 1 : end]:
        setting = _VALUE.match(line)
        key = setting["key"] if setting else ""
        value = waiting.pop(key, None)
        if setting and value is not None:
            table.append(f"{setting['before']}{value}{setting['after']}")
        elif not setting or key not in values:
            table.append(line)
        if setting and table:
            last = len(table)
    table[last:last] = [f"{key} = {value}\n" for key, value in waiting.items() if value is not None]
    return "".join((*lines[: start + 1], *table, *lines[end:]))


def _path_of(line: str) -> tuple[str, ...]:
    header = _HEADER.match(line)
    return header_path(header["name"]) if header else ()

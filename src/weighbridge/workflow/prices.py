"""The price book of a workspace: shows it, copies it for editing, and refreshes it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from typing import Any

from weighbridge.decide.money.price_book import HostedModel, PriceBook, read_price_book, standard_prices
from weighbridge.decide.money.price_refresh import IMPORTER, RefreshedPrices, TokenPrices, refresh_prices
from weighbridge.errors import MissingExtraError, WorkspaceError
from weighbridge.workspace import Workspace, write_text

STANDARD = "the installed prices.toml"


def prices_text(workspace: Workspace) -> tuple[str, str]:
    """Return the text of the price book in force, and the name of its file: the workspace's own, else the installed.

    Raises:
        WorkspaceError: the workspace's own cannot be read.
    """
    file = workspace.prices_file
    try:
        return file.read_text(encoding="utf-8-sig"), str(file)
    except FileNotFoundError:
        return standard_prices(), STANDARD
    except (OSError, UnicodeDecodeError) as error:
        raise WorkspaceError(f"{file}: cannot be read ({error}); make it readable, and UTF-8") from None


def load_price_book(workspace: Workspace) -> PriceBook:
    """Return the price book in force in a workspace; `SettingsError` with the line where a price is impossible."""
    return read_price_book(*prices_text(workspace))


def copy_price_book(workspace: Workspace) -> None:
    """Copy the installed price book into the workspace for editing.

    Raises:
        WorkspaceError: the workspace has one already. It is never overwritten.
    """
    file = workspace.prices_file
    if file.exists():
        raise WorkspaceError(f"{file}: exists already; edit it, or remove it first to start from the installed one")
    write_text(file, standard_prices())


def refresh_price_book(workspace: Workspace, today: date) -> RefreshedPrices:
    """Update the hosted models of the price book from the installed genai-prices, and write it to the workspace.

    Nothing is asked over the network: the prices are those in that package. Upgrade it to get newer ones.

    Raises:
        MissingExtraError: genai-prices is not installed.
    """
    text, place = prices_text(workspace)
    listed = listed_prices(read_price_book(text, place).hosted, today)
    refreshed = refresh_prices(text, place, listed, dated=today, source=f"{IMPORTER} {version('genai-prices')}")
    write_text(workspace.prices_file, refreshed.text)
    return refreshed


def listed_prices(models: Mapping[str, HostedModel], today: date) -> dict[str, TokenPrices]:
    """Return the prices that genai-prices has for these models today, by the names of the price book.

    Prices that rise with the length of the prompt are those of the shortest prompts.

    Raises:
        MissingExtraError: genai-prices is not installed.
    """
    try:
        from genai_prices.data import providers
    except ModuleNotFoundError as error:
        raise MissingExtraError("Refreshing prices from genai-prices", "prices") from error
    catalogue = {(provider.id, model.id): model for provider in providers for model in provider.models}
    noon = datetime.combine(today, time(12), tzinfo=UTC)
    listed: dict[str, TokenPrices] = {}
    for name, model in models.items():
        # By its exact name: the package also matches patterns, and would take gpt-4o-mine for gpt-4o.
        found = catalogue.get((model.provider, name))
        if found is None:
            continue
        prices = found.get_prices(noon)
        amounts = [_first_tier(getattr(prices, key)) for key in ("input_mtok", "output_mtok", "cache_read_mtok")]
        if amounts[0] is not None and amounts[1] is not None:
            listed[name] = TokenPrices(input=amounts[0], output=amounts[1], cached=amounts[2])
    return listed


def _first_tier(price: Any) -> float | None:
    return None if price is None else float(getattr(price, "base", price))

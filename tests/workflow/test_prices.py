"""The price book of a workspace: found, copied and refreshed with the real package."""

from datetime import date
from pathlib import Path

import pytest

from weighbridge.decide.money.price_book import read_price_book, standard_prices
from weighbridge.errors import MissingExtraError, SettingsError, WorkspaceError
from weighbridge.workflow.prices import (
    STANDARD,
    copy_price_book,
    listed_prices,
    load_price_book,
    prices_text,
    refresh_price_book,
)
from weighbridge.workspace import Workspace

TODAY = date(2026, 12, 1)


def test_the_installed_book_is_used_until_there_is_one_in_the_workspace(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    assert prices_text(place) == (standard_prices(), STANDARD)
    copy_price_book(place)
    assert place.prices_file.read_text(encoding="utf-8") == standard_prices()
    place.prices_file.write_text(standard_prices().replace("input = 2.5\n", "input = 2.0\n"), encoding="utf-8")
    assert load_price_book(place).hosted["gpt-4o"].input == 2.0
    with pytest.raises(WorkspaceError, match="exists already"):
        copy_price_book(place)


def test_a_mistake_names_the_file_of_the_workspace(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    place.prices_file.write_text("currency = 3\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"{tmp_path}/prices\.toml:1: currency must be three capital letters"):
        load_price_book(place)
    place.prices_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        load_price_book(place)


def test_the_installed_prices_are_those_of_genai_prices() -> None:
    """The book was written from this version: the numbers are its numbers, and nobody's memory."""
    hosted = read_price_book(standard_prices(), STANDARD).hosted
    listed = listed_prices(hosted, TODAY)
    assert listed.keys() == hosted.keys()
    for name, model in hosted.items():
        given = listed[name]
        assert (given.input, given.output, given.cached) == (model.input, model.output, model.cached), name


def test_a_refresh_writes_what_the_package_has_and_keeps_your_own(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    stale = standard_prices().replace("input = 2.5\n", "input = 99.0\n")
    mine = '\n[hosted.our-model]\nprovider = "us"\ninput = 7.0\noutput = 8.0\ndated = 2026-01-01\nsource = "contract"\n'
    place.prices_file.write_text(stale + mine, encoding="utf-8")
    refreshed = refresh_price_book(place, TODAY)
    assert [(one.model, one.key, one.before, one.after) for one in refreshed.changes] == [
        ("gpt-4o", "input", 99.0, 2.5)
    ]
    assert refreshed.own == ("our-model",)
    book = load_price_book(place)
    assert (book.hosted["gpt-4o"].input, book.hosted["gpt-4o"].dated) == (2.5, TODAY)
    assert book.hosted["gpt-4o"].source == "genai-prices 0.2.3"
    assert book.hosted["our-model"].input == 7.0
    assert place.prices_file.read_text(encoding="utf-8").endswith(mine)


def test_a_model_that_only_looks_alike_is_not_listed() -> None:
    hosted = read_price_book(standard_prices(), STANDARD).hosted
    one = hosted["gpt-4o"]
    assert listed_prices({"gpt-4o-2024-08-06-mine": one, "gpt-4o": one}, TODAY).keys() == {"gpt-4o"}


def test_without_the_package_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "genai_prices.data", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'weighbridge\[prices\]'"):
        refresh_price_book(Workspace(tmp_path), TODAY)
    assert not (tmp_path / "prices.toml").exists()

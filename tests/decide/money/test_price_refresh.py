"""Refreshed prices: new numbers in their places, and every other byte as it was."""

import tomllib
from datetime import date
from difflib import unified_diff

from hypothesis import given as for_all
from hypothesis import strategies as st

from weighbridge.decide.money.price_book import read_price_book, standard_prices
from weighbridge.decide.money.price_refresh import PriceChange, TokenPrices, refresh_prices

TEXT = standard_prices()
TODAY = date(2027, 1, 2)
SAME = {
    name: TokenPrices(input=model.input, output=model.output, cached=model.cached)
    for name, model in read_price_book(TEXT, "prices.toml").hosted.items()
}


def refresh(text: str, listed: dict[str, TokenPrices]):
    return refresh_prices(text, "prices.toml", listed, dated=TODAY, source="genai-prices 0.2.9")


def changed_lines(before: str, after: str) -> list[str]:
    return [
        line
        for line in unified_diff(before.splitlines(), after.splitlines(), n=0)
        if line[:2] not in ("--", "++", "@@")
    ]


def test_only_the_changed_numbers_dates_and_sources_move():
    listed = {"gpt-4o": TokenPrices(input=2.0, output=8.0, cached=0.5)}
    refreshed = refresh(TEXT, listed)
    assert refreshed.changes == (
        PriceChange(model="gpt-4o", key="input", before=2.5, after=2.0),
        PriceChange(model="gpt-4o", key="cached", before=1.25, after=0.5),
        PriceChange(model="gpt-4o", key="output", before=10.0, after=8.0),
    )
    lines = changed_lines(TEXT, refreshed.text)
    assert [line for line in lines if line[0] == "+"] == [
        "+input = 2.0", "+cached = 0.5", "+output = 8.0", "+dated = 2027-01-02", '+source = "genai-prices 0.2.9"',
    ]  # fmt: skip
    assert len(lines) == 10
    model = read_price_book(refreshed.text, "prices.toml").hosted["gpt-4o"]
    assert (model.input, model.dated, model.retires) == (2.0, TODAY, date(2027, 1, 14))
    assert set(refreshed.unlisted) == set(SAME) - {"gpt-4o"}


def test_your_own_entries_stay():
    mine = TEXT.replace('source = "genai-prices 0.2.3"', 'source = "our contract"  # by Jo', 1)
    refreshed = refresh(mine, {name: TokenPrices(input=9.0, output=9.0) for name in SAME})
    assert refreshed.own == ("gpt-6-luna",)
    assert "gpt-6-luna" not in {change.model for change in refreshed.changes}
    assert '\nsource = "our contract"  # by Jo\n' in refreshed.text
    assert tomllib.loads(refreshed.text)["hosted"]["gpt-6-luna"] == tomllib.loads(mine)["hosted"]["gpt-6-luna"]


def test_same_prices_get_the_new_date():
    refreshed = refresh(TEXT, SAME)
    assert refreshed.changes == ()
    assert refreshed.confirmed == tuple(SAME)
    assert all(model.dated == TODAY for model in read_price_book(refreshed.text, "p").hosted.values())
    assert refresh(refreshed.text, SAME).text == refreshed.text


def test_a_cached_price_may_come_and_go():
    gone = refresh(TEXT, SAME | {"gpt-4o": TokenPrices(input=2.5, output=10.0)})
    assert gone.changes == (PriceChange(model="gpt-4o", key="cached", before=1.25, after=None),)
    assert read_price_book(gone.text, "p").hosted["gpt-4o"].cached is None
    back = refresh(gone.text, SAME)
    assert read_price_book(back.text, "p").hosted["gpt-4o"].cached == 1.25


def test_comments_beside_prices_stay():
    noted = TEXT.replace("input = 2.5\n", "input = 2.5   # list price\n", 1)
    refreshed = refresh(noted, {"gpt-4o": TokenPrices(input=3.0, output=10.0, cached=1.25)})
    assert "input = 3.0   # list price\n" in refreshed.text


prices = st.floats(1e-6, 1e4).map(lambda price: float(f"{price:.8g}"))


@for_all(
    st.dictionaries(st.sampled_from(sorted(SAME)), st.builds(TokenPrices, input=prices, output=prices, cached=prices))
)
def test_what_is_written_is_read_again(listed):
    hosted = read_price_book(refresh(TEXT, listed).text, "prices.toml").hosted
    for name, given in listed.items():
        assert TokenPrices(input=hosted[name].input, output=hosted[name].output, cached=hosted[name].cached) == given
    assert list(hosted) == list(SAME)

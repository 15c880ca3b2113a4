"""The price book: ours is sound, and every mistake in another is named with its line."""

from datetime import date

import pytest

from weighbridge.decide.money.price_book import ASSUMPTION, line_numbers, read_price_book, standard_prices
from weighbridge.errors import SettingsError

STANDARD = standard_prices()


def test_the_installed_book_gives_every_price_a_date_and_a_source():
    book = read_price_book(STANDARD, "prices.toml")
    singles = (book.storage, book.vector_database)
    entries = (*book.hosted.values(), *book.machines.values(), *book.people.values(), *book.exchange.values(), *singles)
    assert len(entries) > 15
    for entry in entries:
        assert date(2026, 1, 1) <= entry.dated <= date(2026, 12, 1)
        assert entry.source.startswith(("genai-prices", ASSUMPTION)) or "https://" in entry.source
    assert {model.provider for model in book.hosted.values()} >= {"openai", "anthropic", "google", "mistral"}


def test_the_announced_sunsets_are_in_the_book():
    """https://developers.openai.com/api/docs/deprecations, read in November 2026."""
    hosted = read_price_book(STANDARD, "prices.toml").hosted
    assert hosted["gpt-4o"].retires == hosted["ft:gpt-4o"].retires == date(2027, 1, 14)
    assert hosted["ft:gpt-4o"].no_training_from == date(2027, 1, 6)
    assert hosted["gpt-6-luna"].retires is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("input = 2.5\n", "input = -2.5\n", "hosted.gpt-4o.input must be at least 0, not -2.5"),
        ("input = 2.5\n", 'input = "2.5"\n', "hosted.gpt-4o.input must be a number, not '2.5'"),
        ("input = 2.5\n", "input = nan\n", "hosted.gpt-4o.input must be a number, not nan"),
        ("input = 2.5\n", "inputs = 2.5\n", "unknown key 'inputs' in [hosted.gpt-4o]; did you mean 'input'?"),
        ("rate = 0.86\n", "rate = 0\n", "exchange.EUR.rate must be more than 0, not 0"),
        ("dated = 2026-11-04\n", 'dated = "today"\n', "vector_database.dated must be a date like 2026-11-20"),
        ("[people.expert]", "[people.expat]", "[people.expert] is missing; add it with per_hour, dated and source"),
        ('currency = "USD"', 'currency = "dollars"', "(ISO 4217), like USD, EUR, GBP, CHF, JPY, not 'dollars'"),
        ("[storage]", "[stores]", "unknown key 'stores'; did you mean 'storage'?"),
    ],
)
def test_a_mistake_is_named_with_its_line(old, new, problem):
    assert old in STANDARD
    text = STANDARD.replace(old, new, 1)
    with pytest.raises(SettingsError) as error:
        read_price_book(text, "mine/prices.toml")
    message = str(error.value)
    assert problem in message
    place, line, _ = message.split(":", 2)
    assert place == "mine/prices.toml"
    assert "people" in problem or new.strip() == text.splitlines()[int(line) - 1].split("  #")[0].strip()


def test_a_price_without_source_is_refused():
    text = STANDARD.replace('source = "genai-prices 0.2.3"\n', "", 1)
    with pytest.raises(SettingsError, match=r"prices.toml:\d+: \[hosted.gpt-6-luna\] has no source; add a line like"):
        read_price_book(text, "prices.toml")


def test_no_toml_is_refused_with_the_line():
    with pytest.raises(SettingsError, match=r"prices\.toml:2: is not valid TOML"):
        read_price_book('currency = "USD"\nhosted\n', "prices.toml")


def test_an_unknown_currency_is_refused_with_the_known_ones():
    book = read_price_book(STANDARD, "prices.toml")
    assert (book.units_of("USD"), book.units_of("EUR")) == (1.0, 0.86)
    with pytest.raises(SettingsError, match=r"'SEK' is no currency of prices\.toml, which knows USD, EUR, GBP, CHF"):
        book.units_of("SEK")


def test_lines_are_those_of_keys_and_tables():
    lines = line_numbers('a = 1\n[hosted."gpt-4.1"]\ninput = 2\n\n[x.y]  # note\nb = 3\n')
    assert lines == {
        ("a",): 1, ("hosted",): 2, ("hosted", "gpt-4.1"): 2, ("hosted", "gpt-4.1", "input"): 3,
        ("x",): 5, ("x", "y"): 5, ("x", "y", "b"): 6,
    }  # fmt: skip

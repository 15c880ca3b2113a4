import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.lengths import (
    LONGEST_WORD,
    WordCounts,
    adds_up,
    cached_word_counts,
    count_tokens,
    measure_words,
)


def words(text: str) -> Sequence[tuple[int, int]]:
    return [found.span() for found in re.finditer(r"\w+|[^\w\s]", text)]


def characters(text: str) -> Sequence[tuple[int, int]]:
    return [(at, at + 1) for at in range(len(text))]


def joining(text: str) -> Sequence[tuple[int, int]]:
    """Make more tokens of a text than of its words: one for each space that stands between two of them."""
    return [*words(text), *(found.span() for found in re.finditer(r"(?<=\S) +(?=\S)", text))]


@given(text=st.text("ab .\n\u732b", max_size=200), tokenizer=st.sampled_from([words, characters]))
def test_totals_are_those_of_the_tokenizer_at_every_end(text: str, tokenizer) -> None:
    lengths = measure_words(text, WordCounts(tokenizer))
    assert list(lengths.ends) == sorted(set(lengths.ends))
    for end, total in zip(lengths.ends, lengths.totals, strict=True):
        assert total == count_tokens(text[:end], tokenizer)
    assert (lengths.ends[-1] if lengths.ends else 0) == len(text.rstrip())


@pytest.mark.parametrize("length", [LONGEST_WORD - 1, LONGEST_WORD, 5000])
def test_long_words_are_measured_by_their_tokens(length: int) -> None:
    text = "one " + "ab-" * (length // 3) + "a" * (length % 3) + " two"
    lengths = measure_words(text, WordCounts(words))
    assert lengths.totals[-1] == count_tokens(text, words)
    assert lengths.ends[-1] == len(text)
    assert len(lengths.ends) == (3 if length < LONGEST_WORD else count_tokens(text, words))
    assert lengths.is_rough(0, len(text)) == (length == 5000)
    assert not lengths.is_rough(0, 3)


def test_a_word_is_asked_for_once() -> None:
    asked: list[str] = []

    def noting(text: str) -> Sequence[tuple[int, int]]:
        asked.append(text)
        return words(text)

    counts = WordCounts(noting)
    asked.clear()
    measure_words("again and again " * 50_000, counts)
    assert sorted(asked) == [" again", " and", "again"]
    assert cached_word_counts(noting) is cached_word_counts(noting)


def test_a_tokenizer_that_needs_more_for_two_words_is_found_out() -> None:
    assert adds_up(words)
    assert adds_up(characters)
    assert not adds_up(joining)

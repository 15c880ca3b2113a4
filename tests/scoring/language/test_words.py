"""Texts as words: of any script, without accents, with number words as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.language.words import is_stop_word, mend_spacing, plain, similarity, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The  Café's 12.0 rooms", ["the", "cafe", "12", "rooms"]),
        ("１２ｋｇ ｏｆ ＡＢ", ["12", "kg", "of", "ab"]),
        ("1,250,000 and 1,5", ["1250000", "and", "1,5"]),
        ("seventeen ships, twice", ["17", "ships", "2"]),
        ("３階の守衛室", ["3", "階", "の", "守", "衛", "室"]),
        ("下午五点。", ["下", "午", "五", "点"]),
        ("ประตู", ["ป", "ร", "ะ", "ต", "ู"]),
        ("שָׁלוֹם", ["שלום"]),
        ("أَحْمَد مدرسة", ["احمد", "مدرسه"]),
        ("don\N{RIGHT SINGLE QUOTATION MARK}t soft\N{SOFT HYPHEN}en", ["dont", "soften"]),
        ("...", []),
    ],
)
def test_words_of_any_script(text: str, words: list[str]):
    assert tokens(plain(text)) == words


@pytest.mark.parametrize(
    ("copied", "mended"),
    [
        ("played by actressAda Fenwick1.", "played by actress Ada Fenwick ."),
        ("a screen of 4. 5 inches", "a screen of 4.5 inches"),
        ("divided into20 parts", "divided into 20 parts"),
        ("room B12 of McAdams", "room B12 of Mc Adams"),
    ],
)
def test_spaces_that_copies_of_pages_lose_are_put_back(copied: str, mended: str):
    assert mend_spacing(copied) == mended


@pytest.mark.parametrize(
    ("left", "right", "like"),
    [
        ("station", "stations", True),
        ("denmark", "danish", True),
        ("danish", "denmark", True),
        ("17", "18", False),
        ("17", "17", True),
        ("is", "it", False),
        ("ferry", "canteen", False),
    ],
)
def test_forms_of_one_word_are_alike_and_numbers_are_the_same_or_not(left: str, right: str, like: bool):  # noqa: FBT001 - a column of the table
    assert (similarity(left, right) >= 0.9) is like


@given(st.text(max_size=60), st.text(max_size=60))
def test_alikeness_is_a_share_the_same_both_ways_and_whole_for_itself(left: str, right: str):
    for one in tokens(plain(left)):
        assert similarity(one, one) == 1.0
        for other in tokens(plain(right)):
            assert 0.0 <= similarity(one, other) <= 1.0
            assert similarity(one, other) == similarity(other, one)


@given(st.text(max_size=200))
def test_a_plain_text_stays_as_it_is(text: str):
    assert plain(plain(text)) == plain(text)
    assert all(token for token in tokens(plain(text)))


def test_small_words_are_known():
    assert is_stop_word("the")
    assert not is_stop_word("ferry")

"""Texts are brought into one way of writing before values are read from them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.language.folding import decimal_mark, fold, language_of, without_accents


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("３階", "3階"),
        ("١٢ and १२", "12 and 12"),
        ("5\u202f000", "5 000"),
        ("−5 to –5", "-5 to -5"),
        ("“5”", '"5"'),
        ("10⁶ m²", "10^6 m^2"),
        ("2½", "2 1/2"),
        ("**5 mg**", "5 mg"),
        ("5 mg[2]", "5 mg"),
        ("[2]", "[2]"),
        ("in1978by law", "in 1978 by law"),
        ("onMarch 5", "on March 5"),
        ("5\u200bmg", "5mg"),
        ("A4 and ab12", "A4 and ab12"),
        ("4in screen", "4in screen"),
    ],
)
def test_one_way_of_writing(text, folded):
    assert fold(text) == folded


@given(st.text(max_size=60))
def test_nothing_hidden_and_no_other_digits_stay(text):
    for character in fold(text):
        category = unicodedata.category(character)
        assert category not in ("Cf", "Zl", "Zp")
        assert category != "Nd" or character.isascii()


@pytest.mark.parametrize(
    ("text", "plain"), [("Bjørn Müßig", "Bjorn Mussig"), ("Łódź", "Lodz"), ("Curaçao", "Curacao"), ("abc", "abc")]
)
def test_accents_are_taken_off(text, plain):
    assert without_accents(text) == plain


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Wie hoch ist die Kaution?", "de"),
        ("Combien coûte le billet ?", "fr"),
        ("¿Cuánto cuesta la entrada?", "es"),
        ("How much is the deposit?", "en"),
        ("仓库几点关门？", "zh"),
        ("鍵はどこ？", "ja"),
        ("1.000", None),
    ],
)
def test_the_language_is_told_by_its_small_words_or_script(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "question", "mark"),
    [
        ("1.000", "Wie viele sind es?", ","),
        ("1.000", "How many are there?", "."),
        ("1.000", "", ""),
        ("1.000 und 2,5", "How many?", ","),
        ("1,000 and 2.5", "Wie viele sind es?", "."),
        ("There are 1.000", "Wie viele sind es?", "."),
    ],
)
def test_the_decimal_mark_is_that_of_the_numbers_then_of_the_language(text, question, mark):
    assert decimal_mark(text, question) == mark

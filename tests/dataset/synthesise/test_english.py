"""Words are written as they stand amid a sentence, and agree with their other forms."""

import pytest

from weighbridge.dataset.synthesise.english import build_vocabulary, content_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The travel desk", "the travel desk"),
        ("Slips", "slips"),
        ("Marrowby", "Marrowby"),
        ("Ada Fenwick", "Ada Fenwick"),
        ("Radar plots", "radar plots"),
        ("IT help desk", "IT help desk"),
        ("Slips Insurance", "Slips Insurance"),
        ("", ""),
    ],
)
def test_only_names_keep_their_capital(text, expected):
    words = build_vocabulary(["When slips are lost, the Marrowby sails on. Radar is new."])
    assert words.lower_first(text) == expected


def test_a_word_that_is_mostly_a_name_is_one():
    assert build_vocabulary(["by Tesla and of Tesla, in tesla"]).names == {"Tesla"}


def test_forms_of_a_word_agree():
    assert content_words("When were the claims submitted?") == content_words("claim submits")

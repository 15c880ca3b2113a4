"""Words are written as they stand amid a sentence, and agree with their other forms."""

import pytest

from weighbridge.dataset.synthesise.english import (
    VERBS,
    can_be_subject,
    content_words,
    is_finite,
    person_does,
    vocabulary_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The travel desk", "the travel desk"),
        ("Slips", "slips"),
        ("Marrowby", "Marrowby"),
        ("Ada Fenwick", "Ada Fenwick"),
        ("Radar plots", "radar plots"),
        ("IT help desk", "IT help desk"),
        ("", ""),
    ],
)
def test_only_names_keep_their_capital(text, expected):
    words = vocabulary_of(["When slips are lost, the Marrowby sails on. Radar is new."])
    assert words.lowered(text) == expected


def test_a_word_that_is_mostly_a_name_is_one():
    assert vocabulary_of(["by Tesla and of Tesla, in tesla"]).names == {"Tesla"}


@pytest.mark.parametrize(
    ("word", "base", "auxiliary"),
    [("starts", "start", "does"), ("carries", "carry", "does"), ("reaches", "reach", "does"), ("has", "have", "does"),
     ("paid", "pay", "did"), ("opened", "open", "did"), ("carried", "carry", "did"), ("meet", "meet", "do")],
)  # fmt: skip
def test_verbs_are_known_in_their_forms(word, base, auxiliary):
    assert (VERBS[word].base, VERBS[word].auxiliary) == (base, auxiliary)
    assert is_finite(word)
    assert not person_does(word)


@pytest.mark.parametrize(
    ("text", "able"),
    [("The chair of the board", True), ("Shore staff", True), ("If the fog", False), ("The", False), ("It", False),
     ("Dogs, cats", False), ("", False), ("a b c d e f g h", False), ("The man who", False)],
)  # fmt: skip
def test_a_subject_means_something_on_its_own(text, able):
    assert can_be_subject(text) is able


def test_forms_of_a_word_agree():
    assert content_words("When were the claims submitted?") == content_words("claim submits")

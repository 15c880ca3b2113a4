"""What the classifier is told of an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.classifier import load_classifier
from weighbridge.scoring.features import extract_features

ASKED = "How long is the notice period?"


def test_an_answer_is_contradicted_only_if_every_reference_says_something_else():
    assert extract_features(ASKED, ("4 weeks", "6 weeks"), "It is 5 weeks.")["contradicted_by_all"] == 1
    assert extract_features(ASKED, ("4 weeks", "5 weeks"), "It is 5 weeks.")["contradicted_by_all"] == 0


def test_the_reference_that_fits_best_is_described():
    one = extract_features(ASKED, ("5 weeks",), "It is 5 weeks.")
    several = extract_features(ASKED, ("a month", "5 weeks", "longer"), "It is 5 weeks.")
    assert several["contains"] == one["contains"] == 1
    assert several["values_same"] == one["values_same"] == 1
    assert several["references"] == 3
    assert several["fitting_share"] == pytest.approx(1 / 3)


def test_a_word_of_the_question_proves_less_than_another():
    repeated = extract_features(ASKED, ("notice board",), "The notice period is long.")
    new = extract_features(ASKED, ("notice board",), "It hangs on a board.")
    assert repeated["soft_recall"] < new["soft_recall"]


@given(st.text(max_size=40), st.lists(st.text(max_size=30), min_size=1, max_size=3), st.text(max_size=120))
def test_any_answer_has_the_features_that_the_classifier_wants(question: str, references: list[str], answer: str):
    features = extract_features(question, references, answer)
    assert tuple(features) == load_classifier().features
    assert 0 < load_classifier().probability(features) < 1

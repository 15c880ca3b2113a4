"""Which label an answer gives: alone, or named in a sentence with no other beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.labels import find_label, normalise_label, same_label

QUEUES = ("billing", "refund", "lost card", "card")


@pytest.mark.parametrize("text", ["Billing", " billing.", '"billing"', "**Billing**", "'BILLING'!", "billing\n"])
def test_a_label_is_the_same_but_for_case_quotes_and_final_punctuation(text: str):
    assert same_label(text, ["billing"])


@pytest.mark.parametrize("text", ["", "...", "bill", "The label is billing", "billing or refund", "bil ling"])
def test_any_other_text_is_not_the_label(text: str):
    assert not same_label(text, ["billing"])


def test_labels_keep_their_inner_punctuation():
    assert normalise_label("c++ / Q&A?") == "c++ / q&a"
    assert same_label("  lost   card ", ["Lost Card"])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Billing", "billing"),
        ("The queue is **billing**.", "billing"),
        ("This belongs to lost card, since the card is gone.", ""),
        ("This is about a lost card.", "lost card"),
        ("It is not billing but refund.", "refund"),
        ("It isn't a refund.", ""),
        ("billing or refund", ""),
        ("No idea", ""),
        ("", ""),
        ("billings", ""),
        ("billing " + "and so on " * 60, ""),
    ],
)
def test_a_sentence_gives_the_one_label_that_it_names(text: str, label: str):
    assert find_label(text, QUEUES) == label


@given(st.text(max_size=200), st.lists(st.text(max_size=12), max_size=6))
def test_what_is_found_is_one_of_the_labels_or_nothing(text: str, labels: list[str]):
    assert find_label(text, labels) in {*labels, ""}


@given(st.sampled_from(QUEUES), st.sampled_from(["The label is {}.", "{}", "I would say {}", "Queue: {}!"]))
def test_any_label_is_found_in_any_sentence_around_it(label: str, sentence: str):
    assert find_label(sentence.format(label), QUEUES) == label

"""Sentences become questions whose answers stand in them, or none at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.dataset.synthesise.english import vocabulary_of
from weighbridge.dataset.synthesise.sentences import MOST_WORDS, drafts_of

TEXT = "On the Marrowby the leave year and slips of the Galley matter; ask Ilse Brandt about uniform, offers and dogs."
WORDS = vocabulary_of([TEXT])


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The leave year starts on 1 February.", "When does the leave year start?", "1 February"),
        ("Slips are kept for 18 months.", "For how long are slips kept?", "18 months"),
        ("The chair of the board is Morwenna Askild, who took office in May.", "Who is the chair of the board?",
         "Morwenna Askild"),
        ("Shore staff have 27 days of annual leave.",
         "How many days of annual leave do shore staff have?", "27 days"),
        ("A main dish costs £4.80 for staff and £7.60 for guests.",
         "How much does a main dish cost for staff?", "£4.80"),
        ("Requests should arrive at least six working days before departure.",
         "How long before departure should requests arrive?", "at least six working days"),
        ("Uniform must be handed back within ten days of leaving.", "Within what time must uniform be handed back?",
         "ten days of leaving"),
        ("The Marrowby was built at the Lindgate yard and is blue.",
         "Where was the Marrowby built?", "the Lindgate yard"),
        ("The Marrowby sails from 07:30 to 16:15.", "From when until when does the Marrowby sail?", "07:30 to 16:15"),
        ("The extension is 4402.", "What is the extension?", "4402"),
        ("In 1816, the Galley was founded by Ilse Brandt.", "When was the Galley founded by Ilse Brandt?", "1816"),
        ("Ilse Brandt runs the slop chest.", "Who runs the slop chest?", "Ilse Brandt"),
        ("Today the Galley has 22 tables.", "How many tables does the Galley have?", "22 tables"),
        ("Marrowby is a car ferry.", "What is Marrowby?", "a car ferry"),
        ("Lookouts are relieved every 30 minutes.", "How often are lookouts relieved?", "every 30 minutes"),
        ("A claim may cost no more than £94 a night.", "How much may a claim cost?", "no more than £94 a night"),
        ("The crossing takes 52 minutes.", "How long does the crossing take?", "52 minutes"),
        ("The ship has lived aboard since 2017.", "Since when has the ship lived aboard?", "2017"),
    ],
)  # fmt: skip
def test_a_plain_statement_is_asked_for(sentence, question, answer):
    drafts = list(drafts_of(sentence, WORDS))
    assert (question, answer) in [(draft.question, draft.answers[0]) for draft in drafts]


@pytest.mark.parametrize(
    "sentence",
    [
        "If the fog lifts, the ferry leaves at 09:00.",
        "The hotel costs £94 a night, or £128 in the capital.",
        "Tickets are not sold on Sundays.",
        "It opens at 07:30.",
        "Is the desk open on Mondays?",
        "The fee is £5 unless the form is late.",
        "Paper claims ended up.",
        "Points do not carry over.",
        "",
        "The",
        "Radio logs are written in ink and stored in the basement for seven years.",
    ],
)
def test_what_is_conditional_denied_or_unclear_is_left_alone(sentence):
    assert list(drafts_of(sentence, WORDS)) == []


def test_the_number_alone_is_accepted_too():
    (draft,) = drafts_of("A password must have at least 15 characters.", WORDS)
    assert draft.answers == ("at least 15 characters", "15")


def test_an_indirect_wording_keeps_the_order_of_a_statement():
    (draft,) = drafts_of("The leave year starts on 1 February.", WORDS)
    assert draft.indirect == "when the leave year starts"
    assert draft.others == ("On what date does the leave year start?",)


def test_each_half_around_a_semicolon_is_read():
    asked = [draft.question for draft in drafts_of("Slips are kept for 18 months; the Galley opens at 06:40.", WORDS)]
    assert asked == ["For how long are slips kept?", "At what time does the Galley open?"]


PIECES = st.sampled_from(
    [
        "The",
        "Marrowby",
        "leave",
        "year",
        "slips",
        "starts",
        "is",
        "are",
        "costs",
        "has",
        "kept",
        "built",
        "on",
        "at",
        "in",
        "by",
        "for",
        "within",
        "until",
        "£4.80",
        "1",
        "February",
        "18",
        "months",
        "07:30",
        "Ilse",
        "Brandt",
        "the",
        "a",
        "of",
        "who",
        "and",
        ",",
        ";",
        "not",
        "must",
        "be",
        "27",
        "days",
    ]
)


@given(st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=80))
def test_whatever_the_text_every_answer_stands_in_it_and_is_short(text):
    flat = " ".join(text.split())
    for draft in drafts_of(text, WORDS):
        assert all(answer in flat for answer in draft.answers)
        assert 1 <= len(draft.answers[0].split()) <= MOST_WORDS + 8
        assert draft.question.endswith("?")

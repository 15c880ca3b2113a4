"""Tables, labels and headings become questions with the places they stand at."""

import pytest

from weighbridge.dataset.synthesise.english import build_vocabulary
from weighbridge.dataset.synthesise.tables import draft_from_cell, draft_from_label, draft_questions, find_topic
from weighbridge.ingest.outline import find_outline
from weighbridge.types import Document

TEXT = """# The fleet

| Vessel | Built | Cars | Kind | From |
|---|---|---|---|---|
| Marrowby | 2009 | 48 cars | car ferry | 06:25 |
| Stormcock | 2021 | none | **launch** | 08:40 |

Phone: 01234 555

## Motto

Late, but never lost

## May I bring a dog?

Yes, on a lead.
"""


def asked(text: str) -> dict[str, tuple[str, ...]]:
    document = Document(id="fleet", text=text, title="The fleet")
    found = {}
    for placed in draft_questions(document, find_outline(text), build_vocabulary([text])):
        assert all(answer in text[placed.start : placed.end] for answer in placed.draft.answers)
        found[placed.draft.question] = placed.draft.answers
    return found


def test_cells_labels_and_headings_are_asked_for():
    assert asked(TEXT) == {
        "When was Marrowby built?": ("2009",),
        "How many cars does Marrowby have?": ("48 cars", "48"),
        "What is the kind of Marrowby?": ("car ferry",),
        'The fleet: what is given as "From" for Marrowby?': ("06:25",),
        "When was Stormcock built?": ("2021",),
        'The fleet: what is given as "From" for Stormcock?': ("08:40",),
        "What is the phone of the fleet?": ("01234 555",),
        "What is the motto of the fleet?": ("Late, but never lost",),
        "May I bring a dog?": ("Yes, on a lead",),
    }


def test_what_stands_twice_and_what_is_marked_up_is_left_alone():
    twice = "# Desk\n\nPhone: 12\n\nPhone: 13\n\nFax: [here](there)\n"
    assert asked(twice) == {}


def test_a_text_without_structure_gives_nothing():
    assert asked("") == {}
    assert asked("Hello there") == {}


@pytest.mark.parametrize(
    ("row", "column", "value"), [("Marrowby", "No", "No"), ("Marrowby", "#", "3"), ("Marrowby", "Ship", "Marrowby")]
)
def test_a_cell_that_says_nothing_gives_no_question(row, column, value):
    assert draft_from_cell(row, column, value, "The fleet", build_vocabulary([])) is None


@pytest.mark.parametrize(
    ("column", "question"),
    [
        ("Kind", "What is the kind of Marrowby?"),
        ("Home port", "What is the home port of Marrowby?"),
        ("Status", "What is the status of Marrowby?"),
        ("Opens", 'Fleet: what is given as "Opens" for Marrowby?'),
        ("Closed", 'Fleet: what is given as "Closed" for Marrowby?'),
        ("Sent by", 'Fleet: what is given as "Sent by" for Marrowby?'),
        ("Mate (L1)", 'Fleet: what is given as "Mate (L1)" for Marrowby?'),
    ],
)
def test_a_column_that_is_no_plain_noun_is_quoted(column, question):
    draft = draft_from_cell("Marrowby", column, "08:40", "Fleet", build_vocabulary([]))
    assert draft is not None
    assert draft.question == question


def test_without_a_topic_nothing_stands_before_the_question():
    draft = draft_from_cell("Marrowby", "Opens", "08:40", "", build_vocabulary([]))
    assert draft is not None
    assert (draft.question, draft.others) == ('What is given as "Opens" for Marrowby?', ())


def test_sentences_and_headings_over_sentences_are_left_to_a_model():
    assert asked("# Desk\n\nThe desk opens on Mondays.\n\n## Adding a desk\n\nA small change\n") == {}


def test_names_keep_their_underscores():
    assert "What is the level of unused_desk?" in asked(
        "# Lints\n\n| Lint | Level |\n|---|---|\n| `unused_desk` | warn |\n"
    )


def test_a_row_that_is_a_letter_is_called_by_its_column():
    text = "# Pay\n\n| Band | Salary |\n|---|---|\n| A | £23,150 |\n"
    assert "What is the salary of band A?" in asked(text)


@pytest.mark.parametrize(
    ("label", "topic"), [("Note", "Desk"), ("Phone", "phone"), ("Phone", "Who?"), ("Not here", "X")]
)
def test_what_is_no_label_of_the_topic_gives_no_question(label, topic):
    assert draft_from_label(label, topic, "12", build_vocabulary([])) is None


def test_the_topic_is_the_heading_above_without_its_brackets():
    document = Document(id="a", text="# Loans: ships (finance only)\n\nText.", title="T")
    outline = find_outline(document.text)
    assert find_topic(document, outline, len(document.text)) == "Loans, ships"
    assert find_topic(document, outline, 0) == "T"

"""Yes, no and their kin: what a reference denies, an answer must not affirm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.scoring.language.negation import is_negated
from weighbridge.scoring.language.oppositions import find_stances
from weighbridge.scoring.language.polarity import polarity_of, yes_or_no
from weighbridge.scoring.values import compare_values

PAIRS = [
    ("allowed", "forbidden"),
    ("open", "closed"),
    ("possible", "impossible"),
    ("required", "optional"),
    ("valid", "expired"),
    ("included", "excluded"),
    ("north", "south"),
    ("always", "never"),
    ("geöffnet", "geschlossen"),
    ("erlaubt", "verboten"),
    ("autorisé", "interdit"),
    ("abierto", "cerrado"),
]
YES = ["Yes", "yes,", "Ja.", "Oui,", "Sí,", "はい。", "是的。"]
NO = ["No", "no,", "Nein.", "Non,", "No,", "いいえ。", "不。"]


def relations(question, reference, answer):
    return {match.relation for match in compare_values(question, reference, answer) if match.kind == "polarity"}


@given(pair=st.sampled_from(PAIRS), swapped=st.booleans())
def test_the_opposite_word_is_another_answer(pair, swapped):
    first, second = reversed(pair) if swapped else pair
    assert relations("What is said?", first, second) == {"different"}
    assert relations("What is said?", first, first) == {"same"}
    if "never" not in pair:
        assert relations("What is said?", first, f"not {first}") == {"different"}
        assert relations("What is said?", f"not {first}", f"It is {second}.") == {"same"}
        assert relations("What is said?", f"not {first}", f"It is {first}.") == {"different"}


@given(yes=st.sampled_from(YES), no=st.sampled_from(NO))
def test_yes_is_not_no_in_any_language(yes, no):
    assert (yes_or_no(yes), yes_or_no(no)) == (1, -1)
    assert relations("Is it?", yes, no) == {"different"}
    assert relations("Is it?", no, no) == {"same"}


@pytest.mark.parametrize(
    "text", ["Norway", "yesterday", "no more than 5", "No dogs", "non-stop", "Jakob", "nobody", "Silvia"]
)
def test_words_that_begin_like_yes_or_no_are_neither(text):
    assert yes_or_no(text) is None


@pytest.mark.parametrize(
    ("question", "text", "sign"),
    [
        ("Is the gate open?", "The gate is open on Sundays.", 1),
        ("Is the gate open?", "The gate is closed on Sundays.", -1),
        ("Is the gate open?", "The gate is not closed.", 1),
        ("May dogs ride on the upper deck?", "Dogs may not ride on the upper deck.", -1),
        ("May dogs ride on the upper deck?", "Dogs may ride there.", 1),
        ("May dogs ride?", "It is forbidden.", -1),
        ("Does the ferry stop at Holm?", "The ferry does not stop at Holm.", -1),
        ("Does the ferry stop at Holm?", "The ferry stops at Holm.", 1),
        ("Does the ferry stop at Holm?", "The sky is blue.", None),
        ("Darf man hier parken?", "Hier darf man nicht parken.", -1),
        ("可以停车吗？", "不可以", -1),
        ("Where is it?", "It is not here.", None),
    ],
)
def test_a_sentence_says_yes_or_no_to_its_question(question, text, sign):
    assert polarity_of(text, question) == sign


@pytest.mark.parametrize(
    ("question", "reference", "answer", "wanted"),
    [
        ("May dogs ride?", "not allowed", "allowed", "different"),
        ("May dogs ride?", "not allowed", "No", "same"),
        ("May dogs ride?", "not allowed", "Yes", "different"),
        ("May dogs ride?", "allowed", "Dogs may not ride.", "different"),
        ("May dogs ride?", "no", "Dogs must not ride.", "same"),
        ("Is the gate closed?", "closed", "Yes", "same"),
        ("Is the gate closed?", "closed", "No", "different"),
        ("Is the gate open?", "no, it is closed", "yes, it is open", "different"),
        ("Is the gate open?", "yes", "The sky is blue.", "missing"),
        ("Which colour?", "red", "not red", "different"),
        ("Which colour?", "not red", "red", "different"),
        ("Which colour?", "not red", "It is not red.", "same"),
        ("With what?", "without milk", "with milk", "different"),
        ("In which hall?", "north hall", "south hall", "different"),
        ("In which hall?", "north hall", "the hall in the north", "same"),
        ("When?", "before lunch", "after lunch", "different"),
    ],
)
def test_denying_and_affirming(question, reference, answer, wanted):
    assert wanted in relations(question, reference, answer)
    assert relations(question, reference, answer) <= {wanted, "missing"}


@pytest.mark.parametrize(
    ("text", "word", "negated"),
    [
        ("it is not red", "red", True),
        ("it isn't red", "red", True),
        ("it is not blue, but red", "red", False),
        ("not only red", "red", False),
        ("no later than red", "red", False),
        ("it is not not red", "red", False),
        ("not here. It is red", "red", False),
        ("never painted by hand in a deep red", "red", False),
        ("nicht rot", "rot", True),
        ("n'est pas rouge", "rouge", True),
    ],
)
def test_how_far_a_negation_reaches(text, word, negated):
    start = text.index(word)
    assert is_negated(text, start, start + len(word)) is negated


def test_a_side_that_a_name_has_is_not_missed():
    assert relations("Where?", "South Carver", "in Carver") == set()
    assert relations("May cats enter?", "not allowed", "The sky is blue.") == {"missing"}


def test_a_question_that_denies_is_answered_in_both_ways():
    assert relations("What did she not paint?", "the barn", "She did not paint the barn.") == set()


def test_words_with_other_senses_count_in_short_texts_only():
    assert find_stances("on the left")
    assert not find_stances("She left the company after ten years and moved away from there")

"""References of several sentences: each sentence is a point that is found, missed or contradicted."""

import pytest

from weighbridge.scoring.grade import grade
from weighbridge.scoring.key_points import score_points, split_points

RESET = "Hold the reset button for 10 seconds. The light turns orange. Then log in with the default password."
REFUND = "Items can be returned within 30 days of purchase. A receipt is required. Sale items are not refundable."


def test_a_point_is_a_sentence_and_one_sentence_has_none():
    assert len(split_points(RESET)) == 3
    assert split_points("Hold the reset button for 10 seconds.") == ()
    assert split_points("5 mg. Daily.") == ()


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        (
            "How do I reset the router?",
            RESET,
            (
                "To reset the router, hold the reset button for ten seconds until the light turns orange. After that, "
                "log in using the default password."
            ),
        ),
        (
            "What is the refund policy?",
            REFUND,
            (
                "**Refund policy**\n\n- Returns within **30 days** of purchase\n- Receipt required\n"
                "- Sale items are non-refundable"
            ),
        ),
        (
            "What is the refund policy?",
            REFUND,
            (
                "You can return items within 30 days of purchase as long as you have a receipt. Sale items cannot be "
                "refunded."
            ),
        ),
    ],
)
def test_points_in_other_words_are_found(question: str, reference: str, answer: str):
    assert {point.relation for point in score_points(question, reference, answer)} == {"found"}
    assert grade(question, (reference,), answer).mark == "right"


@pytest.mark.parametrize(
    ("reference", "before", "after", "place"),
    [
        (RESET, "10 seconds", "30 seconds", 0),
        (RESET, "10 seconds", "10 minutes", 0),
        (REFUND, "30 days", "60 days", 0),
        (REFUND, "A receipt", "No receipt", 1),
        (REFUND, "are not refundable", "are refundable too", 2),
    ],
)
def test_one_point_with_another_value_makes_the_whole_wrong(reference: str, before: str, after: str, place: int):
    answer = reference.replace(before, after)
    points = score_points("What do I need to know?", reference, answer)
    assert [point.relation == "contradicted" for point in points] == [number == place for number in range(3)]
    found = grade("What do I need to know?", (reference,), answer)
    assert found.mark == "wrong"
    assert found.reason
    assert grade("What do I need to know?", (reference, answer), answer).mark == "right", "one reference is enough"


def test_most_points_missed_is_wrong():
    answer = "Hold the reset button for 10 seconds."
    assert [point.relation for point in score_points("", RESET, answer)] == ["found", "missed", "missed"]
    assert grade("How do I reset the router?", (RESET,), answer).mark == "wrong"

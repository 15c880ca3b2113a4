import pytest

from weighbridge.measure.metrics.marking import outcome_of
from weighbridge.measure.metrics.text import numbers
from weighbridge.types import Answer, Example, Prompt, Question, Timing, Usage


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5 weeks", {"5"}),
        ("Five weeks", {"5"}),
        ("07:30 to 16:15", {"07:30", "16:15"}),
        ("£2,318.50", {"2318.50"}),
        ("room 1.14.", {"1.14"}),
        ("seventy-two", {"70", "2"}),
        ("on the phone, often", set()),
        ("", set()),
    ],
)
def test_numbers_are_found_in_digits_and_words(text, found):
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("5 weeks", "right"),
        ("five weeks", "right"),
        ("5 full weeks", "right"),
        ("12 weeks", "wrong"),
        ("weeks", "wrong"),
        ("5 or 6 weeks", "wrong"),
    ],
)
def test_another_number_is_another_answer(text, outcome):
    example = Example(id="e", question=Question("How many?"), answers=("5 weeks", "five weeks"))
    answer = Answer(
        text=text, raw=text, prompt=Prompt(()), abstained=False, citations=(), usage=Usage(), timing=Timing()
    )
    assert outcome_of("answer", example, answer) == outcome
